//! An entry's command in one line.

use types::{
    Command, Conditions, Delivery, MarketState, Message, OrderSpec, PlaceOrder, Redefinition,
    Request, SelfTradePrevention, TimeInForce, TreasuryReference, Trigger,
};

use super::event::side_word;
use super::fees::{fee_schedule, market_fees};
use super::lists::place_order_list;
use super::rules::market_rules;
use super::{Line, Names, rfc3339, treasury};

/// What an entry does.
pub fn command_line(names: Names<'_>, command: &Command) -> Line {
    match command {
        Command::Request { request, .. } => request_line(names, request),
        Command::Deliver(delivery) => delivery_line(delivery),
        Command::Acknowledge { by, through } => {
            Line::new("acknowledge").with("by", by.0).with("through", *through)
        }
        Command::Continue => Line::new("continue"),
        Command::NewTerm { term } => Line::new("new_term").with("term", *term),
        Command::Tick => Line::new("tick"),
        Command::Quarantine { component, reason } => Line::new("quarantine")
            .with("component", component.to_string())
            .with("reason", reason.as_str()),
        Command::EndTerm => Line::new("end_term"),
        Command::SetTopology(topology) => {
            Line::new("set_topology").with("partitions", topology.partitions)
        }
    }
}

fn delivery_line(delivery: &Delivery) -> Line {
    let messages: Vec<&str> = delivery.messages.iter().map(message_word).collect();
    Line::new("deliver")
        .with("from", delivery.from.0)
        .with("first", delivery.first)
        .with("messages", messages.join(","))
}

fn message_word(message: &Message) -> &'static str {
    match message {
        Message::Admit(_) => "admit",
        Message::AmendOrder(_) => "amend_order",
        Message::CancelOrder { .. } => "cancel_order",
        Message::Rested { .. } => "rested",
        Message::Filled { .. } => "filled",
        Message::Released { .. } => "released",
        Message::Amended { .. } => "amended",
        Message::AmendmentRefused { .. } => "amendment_refused",
        Message::Closed { .. } => "closed",
        Message::Refused { .. } => "refused",
        Message::Credit { .. } => "credit",
        Message::Debit { .. } => "debit",
        Message::SettleDebit { .. } => "settle_debit",
        Message::Debited { .. } => "debited",
        Message::TransferIn { .. } => "transfer_in",
        Message::Define { .. } => "define",
        Message::Resume { .. } => "resume",
        Message::FireTimers { .. } => "fire_timers",
        Message::CancelThenPlace { .. } => "cancel_then_place",
        Message::Place { .. } => "place",
        Message::AdmitList(_) => "admit_list",
        Message::PlacePending(_) => "place_pending",
        Message::ListSettled { .. } => "list_settled",
        Message::PendingDropped { .. } => "pending_dropped",
        Message::ChangeMarket { .. } => "change_market",
    }
}

fn request_line(names: Names<'_>, request: &Request) -> Line {
    let line = Line::new(request.kind().name());
    match *request {
        Request::PlaceOrder(ref order) => place_order(names, line, order),
        Request::AmendOrder { account, market, order, price, quantity, keep_priority, .. } => line
            .with("account", account.0)
            .with("market", names.market(market))
            .with("order", order.0)
            .with_some("price", price.map(|price| names.price(market, price)))
            .with_some("quantity", quantity.map(|quantity| names.quantity(market, quantity)))
            .with_some("priority", keep_priority.then_some("keep")),
        Request::CancelOrder { account, market, order } => line
            .with("account", account.0)
            .with("market", names.market(market))
            .with("order", order.0),
        Request::CancelByClientId { account, client_order_id } => {
            line.with("account", account.0).with("client_order_id", client_order_id.to_string())
        }
        Request::CancelAll { account, market } => {
            line.with("account", account.0).with("market", names.market(market))
        }
        Request::Transfer { from, to, asset, amount, client_id } => line
            .with("from", from.0)
            .with("to", to.0)
            .with("asset", names.asset(asset))
            .with("amount", names.amount(asset, amount))
            .with_some("client_id", id(client_id)),
        Request::ReserveDebit { account, asset, amount, client_id } => line
            .with("account", account.0)
            .with("asset", names.asset(asset))
            .with("amount", names.amount(asset, amount))
            .with_some("client_id", id(client_id)),
        Request::SettleDebit { reference: by, account, client_id } => line
            .with("reference", reference(by))
            .with("account", account.0)
            .with_some("client_id", id(client_id)),
        Request::ReleaseDebit { account, client_id } => {
            line.with("account", account.0).with_some("client_id", id(client_id))
        }
        Request::Credit { reference: by, operator, account, asset, amount }
        | Request::Debit { reference: by, operator, account, asset, amount } => line
            .with("reference", reference(by))
            .with_some("operator", treasury::name(operator))
            .with("account", account.0)
            .with("asset", names.asset(asset))
            .with("amount", names.amount(asset, amount)),
        Request::CreateAccount { account, fee_tier } => {
            line.with("account", account.0).with("fee_tier", fee_tier)
        }
        Request::SetAccountFeeTier { account, fee_tier: Some(tier) } => {
            line.with("account", account.0).with("fee_tier", tier)
        }
        Request::SetAccountFeeTier { account, fee_tier: None } => {
            line.with("account", account.0).with("fee_tier", "by_volume")
        }
        Request::SetFeeSchedule(ref schedule) => fee_schedule(names, line, schedule),
        Request::SetMarketFees { market, tier, rates } => {
            market_fees(names, line, market, tier, rates)
        }
        Request::FreezeAccount { account, frozen } => {
            line.with("account", account.0).with("frozen", frozen)
        }
        Request::DefineAsset(ref asset) => line
            .with("asset", asset.symbol.as_str())
            .with("id", asset.id.0)
            .with("scale", asset.scale),
        Request::ListMarket(ref market) => line
            .with("market", market.symbol.as_str())
            .with("id", market.id.0)
            .with("tick", market.tick.to_string())
            .with("lot", market.lot.to_string())
            .with("home", market.home.0),
        Request::SetFeeTier { tier, rates } => line
            .with("tier", tier)
            .with("maker_ppm", rates.maker.0)
            .with("taker_ppm", rates.taker.0),
        Request::SetMarketState { market, state } => {
            line.with("market", names.market(market)).with("state", state_word(state))
        }
        Request::SetMarketRules { market, ref rules } => {
            market_rules(names, line.with("market", names.market(market)), market, rules)
        }
        Request::PlanMarketState { market, at, state } => line
            .with("market", names.market(market))
            .with("at", rfc3339(at))
            .with("state", state.map_or("none", state_word)),
        Request::PlanRedefinition { market, at, ref redefinition } => {
            redefinition_line(names, line, market, at, redefinition.as_deref().copied())
        }
        Request::PlanDelisting { market, at } => line
            .with("market", names.market(market))
            .with("at", at.map_or_else(|| "never".to_owned(), rfc3339)),
        Request::ReplaceOrder(ref replace) => {
            let on_failure = if replace.stop_on_failure { "stop" } else { "go_on" };
            let line = line.with("cancel", replace.cancel.0).with("on_failure", on_failure);
            place_order(names, line, &replace.order)
        }
        Request::PlaceOrderList(ref list) => place_order_list(names, line, list),
        Request::CancelOrderList { account, market, list } => line
            .with("account", account.0)
            .with("market", names.market(market))
            .with("list", list.0),
        Request::SetCountdown { account, market, after_ms } => line
            .with("account", account.0)
            .with("market", names.market(market))
            .with("after_ms", after_ms),
        Request::ReleaseQuarantine { component } => line.with("component", component.to_string()),
        Request::AttestReserves { .. }
        | Request::SetCreditPolicy { .. }
        | Request::SetSourceKind { .. }
        | Request::ApproveProposal { .. }
        | Request::RejectProposal { .. } => treasury::request_line(names, line, request),
    }
}

fn place_order(names: Names<'_>, line: Line, order: &PlaceOrder) -> Line {
    let line = line
        .with("account", order.account.0)
        .with("market", names.market(order.market))
        .with("side", side_word(order.side));
    let prevention = match order.self_trade_prevention {
        SelfTradePrevention::None => None,
        SelfTradePrevention::ExpireTaker => Some("expire_taker"),
        SelfTradePrevention::ExpireMaker => Some("expire_maker"),
        SelfTradePrevention::ExpireBoth => Some("expire_both"),
        SelfTradePrevention::Decrement => Some("decrement"),
    };
    let line = spec(names, line, order.market, order.side, &order.spec);
    conditions(names, line, order.market, &order.conditions)
        .with_some("self_trade_prevention", prevention)
        .with_some("client_order_id", id(order.client_order_id))
}

/// Kind, price and quantity of an order.
pub(super) fn spec(
    names: Names<'_>,
    line: Line,
    market: types::MarketId,
    side: types::Side,
    spec: &OrderSpec,
) -> Line {
    let spent = |amount| match side {
        types::Side::Buy => names.quote(market, amount),
        types::Side::Sell => names.base(market, amount),
    };
    match *spec {
        OrderSpec::Limit { price, quantity, time_in_force, post_only } => line
            .with("type", "limit")
            .with("quantity", names.quantity(market, quantity))
            .with("price", names.price(market, price))
            .with("time_in_force", time_in_force_word(time_in_force))
            .with_some("post_only", post_only.then_some(true)),
        OrderSpec::MarketByQuantity { quantity, max_spend } => line
            .with("type", "market")
            .with("quantity", names.quantity(market, quantity))
            .with_some("max_spend", max_spend.map(spent)),
        OrderSpec::MarketByQuote { quote, max_spend } => line
            .with("type", "market")
            .with("quote", names.quote(market, quote))
            .with_some("max_spend", max_spend.map(spent)),
    }
}

/// What makes an order more than a plain one; nothing of what it does not have.
pub(super) fn conditions(
    names: Names<'_>,
    line: Line,
    market: types::MarketId,
    conditions: &Conditions,
) -> Line {
    let price = |price| names.price(market, price);
    let lots = |quantity| names.quantity(market, quantity);
    let line = match conditions.trigger {
        None => line,
        Some(Trigger::Rises { to }) => line.with("trigger", "rises").with("stop_price", price(to)),
        Some(Trigger::Falls { to }) => line.with("trigger", "falls").with("stop_price", price(to)),
        Some(Trigger::Trails { basis_points, activation }) => line
            .with("trigger", "trails")
            .with("trailing_basis_points", basis_points)
            .with_some("activation_price", activation.map(price)),
    };
    line.with_some("expires_at", conditions.expires_at.map(rfc3339))
        .with_some("visible", conditions.visible.map(lots))
        .with_some("minimum", conditions.minimum.map(lots))
        .with_some("slide", conditions.slide.then_some(true))
}

/// A change of units that is planned, or not any more. Its bounds count in the new units.
pub(super) fn redefinition_line(
    names: Names<'_>,
    line: Line,
    market: types::MarketId,
    at: types::Timestamp,
    redefinition: Option<Redefinition>,
) -> Line {
    let line = line.with("market", names.market(market)).with("at", rfc3339(at));
    let Some(new) = redefinition else {
        return line.with("tick", "none");
    };
    line.with("tick", new.tick.to_string())
        .with("lot", new.lot.to_string())
        .with("max_price", new.tick.format(new.max_price.get().into()))
        .with("max_quantity", new.lot.format(new.max_quantity.get().into()))
}

fn time_in_force_word(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Gtc => "gtc",
        TimeInForce::Ioc => "ioc",
        TimeInForce::Fok => "fok",
    }
}

pub(super) fn state_word(state: MarketState) -> &'static str {
    match state {
        MarketState::Continuous => "continuous",
        MarketState::Auction => "auction",
        MarketState::CancelOnly => "cancel_only",
        MarketState::Halted => "halted",
        MarketState::PreOpen => "pre_open",
        MarketState::Closed => "closed",
        MarketState::Delisted => "delisted",
    }
}

pub(super) fn id(id: types::ClientOrderId) -> Option<String> {
    (!id.is_none()).then(|| id.to_string())
}

/// `source:number`.
pub(super) fn reference(reference: TreasuryReference) -> String {
    format!("{}:{}", reference.source, reference.number)
}
