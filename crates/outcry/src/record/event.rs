//! An event in one line.

use types::{
    Amount, CancelCause, Event, ListEnd, MarketId, OrderId, Quantity, Side, Trade, TradeSide,
};

use super::command::{conditions, id, redefinition_line, reference, spec, state_word};
use super::fees::{fee_schedule, market_fees};
use super::lists::{leg_line, list_kind_word, some_of};
use super::rules::market_rules;
use super::{Line, Names, rfc3339, treasury};

/// What happened.
pub fn event_line(names: Names<'_>, event: &Event) -> Line {
    match *event {
        Event::Rejected { request, account, market, client_order_id, code, .. } => {
            Line::new("rejected")
                .with("request", request.name())
                .with_some("account", (account.0 > 0).then_some(account.0))
                .with_some("market", (market.0 > 0).then(|| names.market(market)))
                .with_some("client_order_id", id(client_order_id))
                .with("code", code.name())
        }
        Event::Repeated { request, account, market, client_order_id, outcome, .. } => {
            Line::new("repeated")
                .with("request", request.name())
                .with("account", account.0)
                .with_some("market", (market.0 > 0).then(|| names.market(market)))
                .with("client_order_id", client_order_id.to_string())
                .with_some("order", outcome.ok().filter(|order| order.0 > 0).map(|order| order.0))
                .with_some("code", outcome.err().map(|code| code.name()))
        }
        Event::OrderPlaced { .. }
        | Event::OrderRested { .. }
        | Event::Trade(_)
        | Event::OrderCancelled { .. }
        | Event::OrderReduced { .. }
        | Event::OrderDecremented { .. }
        | Event::OrderReplaced { .. }
        | Event::OrderRefilled { .. }
        | Event::OrderTriggered { .. }
        | Event::CancelAllAccepted { .. } => order_line(names, event),
        Event::OrderListPlaced(_)
        | Event::OrderListAdvanced { .. }
        | Event::OrderListEnded { .. } => list_line(names, event),
        Event::BalanceChanged { .. }
        | Event::Credited { .. }
        | Event::Debited { .. }
        | Event::DebitReserved { .. }
        | Event::DebitReleased { .. }
        | Event::TransferredOut { .. }
        | Event::TransferredIn { .. } => funds_line(names, event),
        Event::AccountCreated { account, fee_tier, .. } => {
            Line::new("account_created").with("account", account.0).with("fee_tier", fee_tier)
        }
        Event::AccountFrozen { account, frozen, .. } => {
            Line::new("account_frozen").with("account", account.0).with("frozen", frozen)
        }
        Event::AccountFeeTierSet { account, fee_tier, pinned, .. } => {
            Line::new("account_fee_tier_set")
                .with("account", account.0)
                .with("fee_tier", fee_tier)
                .with("pinned", pinned)
        }
        Event::FeeTierChanged { account, fee_tier, volume } => Line::new("fee_tier_changed")
            .with("account", account.0)
            .with("fee_tier", fee_tier)
            .with("volume", volume.to_string()),
        Event::VolumeChanged { account, day, volume } => Line::new("volume_changed")
            .with("account", account.0)
            .with("day", day)
            .with("volume", volume.to_string()),
        Event::FeeScheduleSet { ref schedule, .. } => {
            fee_schedule(names, Line::new("fee_schedule_set"), schedule)
        }
        Event::MarketFeesSet { market, tier, rates, .. } => {
            market_fees(names, Line::new("market_fees_set"), market, tier, rates)
        }
        Event::AssetDefined { ref asset, .. } => {
            Line::new("asset_defined").with("asset", asset.symbol.as_str())
        }
        Event::MarketListed { ref market, .. } => {
            Line::new("market_listed").with("market", market.symbol.as_str())
        }
        Event::FeeTierSet { tier, rates, .. } => Line::new("fee_tier_set")
            .with("tier", tier)
            .with("maker_ppm", rates.maker.0)
            .with("taker_ppm", rates.taker.0),
        Event::MarketStateChanged { market, state, .. } => Line::new("market_state_changed")
            .with("market", names.market(market))
            .with("state", state_word(state)),
        Event::AuctionUncrossed { market, price, quantity } => Line::new("auction_uncrossed")
            .with("market", names.market(market))
            .with("price", names.price(market, price))
            .with("quantity", names.quantity(market, quantity)),
        Event::MarketRulesSet { market, ref rules, .. } => market_rules(
            names,
            Line::new("market_rules_set").with("market", names.market(market)),
            market,
            rules,
        ),
        Event::MarketStatePlanned { market, at, state, .. } => Line::new("market_state_planned")
            .with("market", names.market(market))
            .with("at", rfc3339(at))
            .with("state", state.map_or("none", state_word)),
        Event::TradingInterrupted { market, last, would_trade, until } => {
            Line::new("trading_interrupted")
                .with("market", names.market(market))
                .with("last", names.price(market, last))
                .with("would_trade", names.price(market, would_trade))
                .with("until", rfc3339(until))
        }
        Event::RedefinitionPlanned { market, at, redefinition, .. } => {
            redefinition_line(names, Line::new("redefinition_planned"), market, at, redefinition)
        }
        Event::DelistingPlanned { market, at, .. } => Line::new("delisting_planned")
            .with("market", names.market(market))
            .with("at", at.map_or_else(|| "never".to_owned(), rfc3339)),
        Event::MarketRedefined { ref market, old_tick, old_lot } => Line::new("market_redefined")
            .with("market", names.market(market.id))
            .with("version", market.version)
            .with("tick", market.tick.to_string())
            .with("lot", market.lot.to_string())
            .with("old_tick", old_tick.to_string())
            .with("old_lot", old_lot.to_string()),
        Event::MarketReopening { market, state, until } => Line::new("market_reopening")
            .with("market", names.market(market))
            .with("state", state_word(state))
            .with("until", rfc3339(until)),
        Event::CountdownSet { account, market, at, .. } => Line::new("countdown_set")
            .with("account", account.0)
            .with("market", names.market(market))
            .with("at", at.map_or_else(|| "never".to_owned(), rfc3339)),
        Event::Quarantined { component, ref reason } => Line::new("quarantined")
            .with("component", component.to_string())
            .with("reason", reason.as_str()),
        Event::QuarantineReleased { component, parked, .. } => Line::new("quarantine_released")
            .with("component", component.to_string())
            .with("parked", parked),
        Event::ProposalMade { .. }
        | Event::ApprovalAwaited { .. }
        | Event::ProposalDecided { .. }
        | Event::ReservesAttested { .. }
        | Event::CreditPolicySet { .. }
        | Event::SourceKindSet { .. } => treasury::event_line(names, event),
    }
}

/// Events of lists; nothing for others.
fn list_line(names: Names<'_>, event: &Event) -> Line {
    let of_list = |name, market, list: OrderId, account: types::AccountId| {
        Line::new(name)
            .with("market", names.market(market))
            .with("list", list.0)
            .with("account", account.0)
    };
    let ids = |orders: &[OrderId]| orders.iter().map(|order| order.0).collect::<Vec<_>>();
    match *event {
        Event::OrderListPlaced(ref placed) => {
            let pending = placed.pending.iter();
            let pending = pending.map(|leg| leg_line(names, placed.market, leg).json());
            of_list("order_list_placed", placed.market, placed.list, placed.account)
                .with("list_kind", list_kind_word(placed.kind))
                .with("orders", ids(&placed.orders))
                .with_some("pending", some_of(pending.collect()))
                .with_some("client_order_id", id(placed.client_order_id))
        }
        Event::OrderListAdvanced { market, list, account, ref orders } => {
            of_list("order_list_advanced", market, list, account).with("orders", ids(orders))
        }
        Event::OrderListEnded { market, list, account, end } => {
            let (end, code) = match end {
                ListEnd::Done => ("done", None),
                ListEnd::Cancelled => ("cancelled", None),
                ListEnd::Refused { code } => ("refused", Some(code.name())),
            };
            of_list("order_list_ended", market, list, account)
                .with("end", end)
                .with_some("code", code)
        }
        _ => unreachable!("the caller gives events of lists"),
    }
}

/// Events of orders; nothing for others.
fn order_line(names: Names<'_>, event: &Event) -> Line {
    let of_order = |name, market, order: types::OrderId, account: types::AccountId| {
        Line::new(name)
            .with("market", names.market(market))
            .with("order", order.0)
            .with("account", account.0)
    };
    match *event {
        Event::OrderPlaced {
            market,
            order,
            account,
            client_order_id,
            side,
            spec: ref asked,
            conditions: ref under,
            ..
        } => {
            let line = of_order("order_placed", market, order, account);
            let line = spec(names, line.with("side", side_word(side)), market, side, asked);
            conditions(names, line, market, under).with_some("client_order_id", id(client_order_id))
        }
        Event::OrderRested { market, order, account, side, price, quantity, hidden } => {
            of_order("order_rested", market, order, account)
                .with("side", side_word(side))
                .with("quantity", names.quantity(market, quantity))
                .with_some("hidden", lots_above_zero(names, market, hidden))
                .with("price", names.price(market, price))
        }
        Event::OrderRefilled { market, order, account, quantity, hidden } => {
            of_order("order_refilled", market, order, account)
                .with("quantity", names.quantity(market, quantity))
                .with_some("hidden", lots_above_zero(names, market, hidden))
        }
        Event::OrderTriggered { market, order, account } => {
            of_order("order_triggered", market, order, account)
        }
        Event::Trade(ref trade) => trade_line(names, trade),
        Event::OrderCancelled { market, order, account, remaining, cause, .. } => {
            of_order("order_cancelled", market, order, account)
                .with("remaining", names.quantity(market, remaining))
                .with("cause", cause_word(cause))
        }
        Event::OrderReduced { market, order, account, remaining, visible, .. } => {
            let visible = (visible != remaining).then(|| names.quantity(market, visible));
            of_order("order_reduced", market, order, account)
                .with("remaining", names.quantity(market, remaining))
                .with_some("visible", visible)
        }
        Event::OrderDecremented { market, order, account, quantity, remaining } => {
            of_order("order_decremented", market, order, account)
                .with("quantity", names.quantity(market, quantity))
                .with("remaining", names.quantity(market, remaining))
        }
        Event::OrderReplaced {
            market, old_order, order, account, side, price, quantity, ..
        } => of_order("order_replaced", market, order, account)
            .with("old_order", old_order.0)
            .with("side", side_word(side))
            .with("quantity", names.quantity(market, quantity))
            .with("price", names.price(market, price)),
        Event::CancelAllAccepted { account, market, count, .. } => Line::new("cancel_all_accepted")
            .with("account", account.0)
            .with("market", names.market(market))
            .with("count", count),
        _ => unreachable!("the caller gives events of orders"),
    }
}

/// What only icebergs have.
fn lots_above_zero(names: Names<'_>, market: MarketId, lots: Quantity) -> Option<String> {
    (!lots.is_zero()).then(|| names.quantity(market, lots))
}

/// What only makers with a rebate get.
fn rebate(side: TradeSide) -> Option<Amount> {
    let rebate = side.fee.rebate();
    (!rebate.is_zero()).then_some(rebate)
}

fn trade_line(names: Names<'_>, trade: &Trade) -> Line {
    let market = trade.market;
    Line::new("trade")
        .with("market", names.market(market))
        .with("trade", trade.trade.0)
        .with("quantity", names.quantity(market, trade.quantity))
        .with("price", names.price(market, trade.price))
        .with("aggressor", trade.aggressor.map_or("none", side_word))
        .with("buyer", trade.buyer.account.0)
        .with("buy_order", trade.buyer.order.0)
        .with("buyer_fee", names.base(market, trade.buyer.fee.total()))
        .with("seller", trade.seller.account.0)
        .with("sell_order", trade.seller.order.0)
        .with("seller_fee", names.quote(market, trade.seller.fee.total()))
        .with_some("buyer_rebate", rebate(trade.buyer).map(|atoms| names.quote(market, atoms)))
        .with_some("seller_rebate", rebate(trade.seller).map(|atoms| names.base(market, atoms)))
}

/// Events of funds; nothing for others.
fn funds_line(names: Names<'_>, event: &Event) -> Line {
    let of_account = |name, account: types::AccountId, asset, amount| {
        Line::new(name)
            .with("account", account.0)
            .with("asset", names.asset(asset))
            .with("amount", names.amount(asset, amount))
    };
    match *event {
        Event::BalanceChanged { account, asset, available, held } => Line::new("balance_changed")
            .with("account", account.0)
            .with("asset", names.asset(asset))
            .with("available", names.amount(asset, available))
            .with("held", names.amount(asset, held)),
        Event::Credited { reference: by, account, asset, amount, suspense, .. } => {
            of_account("credited", account, asset, amount)
                .with("reference", reference(by))
                .with_some("suspense", suspense.then_some(true))
        }
        Event::Debited { reference: by, account, asset, amount, client_id, .. } => {
            of_account("debited", account, asset, amount)
                .with("reference", reference(by))
                .with_some("client_id", id(client_id))
        }
        Event::DebitReserved { account, asset, amount, client_id, .. } => {
            of_account("debit_reserved", account, asset, amount)
                .with_some("client_id", id(client_id))
        }
        Event::DebitReleased { account, asset, amount, client_id, .. } => {
            of_account("debit_released", account, asset, amount)
                .with_some("client_id", id(client_id))
        }
        Event::TransferredOut { account, to, asset, amount, client_id, .. } => {
            of_account("transferred_out", account, asset, amount)
                .with("to", to.0)
                .with_some("client_id", id(client_id))
        }
        Event::TransferredIn { account, from, asset, amount, suspense } => {
            of_account("transferred_in", account, asset, amount)
                .with("from", from.0)
                .with_some("suspense", suspense.then_some(true))
        }
        _ => unreachable!("the caller gives events of funds"),
    }
}

/// `buy` or `sell`.
pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// The cause of a cancellation, as the streams name it.
fn cause_word(cause: CancelCause) -> &'static str {
    match cause {
        CancelCause::Client => "client",
        CancelCause::CancelAll => "cancel_all",
        CancelCause::ImmediateOrCancel => "immediate_or_cancel",
        CancelCause::MarketRemainder => "market_remainder",
        CancelCause::SelfTrade => "self_trade",
        CancelCause::BookFull => "book_full",
        CancelCause::Expired => "expired",
        CancelCause::NotFillable => "not_fillable",
        CancelCause::Interruption => "interruption",
        CancelCause::OrderList => "order_list",
        CancelCause::Redefined => "redefined",
        CancelCause::Delisted => "delisted",
    }
}
