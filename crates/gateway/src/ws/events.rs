//! What an account is told: the events of the log that concern it, seen from its side.
//!
//! Items are made from the events themselves, and only from them and the definitions, so that a replay
//! from the event log gives the very messages that were sent live. What an account is not to know
//! (the other side of its trades) is not in them.

use std::collections::HashMap;

use serde::Serialize;
use types::{
    AccountId, AssetId, EntryEvents, Event, ListEnd, MarketId, RejectCode, Seq, Side, Trade,
    TradeSide,
};
use views::{Liquidity, MarketInfo, Views};

use super::channel_name::PrivateKind;
use crate::wire::{answer, word};

/// An event with its index within the entry.
pub(super) type Indexed<'a> = (u32, &'a Event);

/// The events of an entry by the accounts that they concern, for those accounts that are `wanted`.
pub(super) fn by_account<'a>(
    entry: &EntryEvents<'a>,
    wanted: impl Fn(AccountId) -> bool,
) -> HashMap<AccountId, Vec<Indexed<'a>>> {
    let mut found: HashMap<AccountId, Vec<Indexed<'a>>> = HashMap::new();
    for (index, event) in (0..).zip(entry.events) {
        let [first, second] = accounts_of(event);
        let second = second.filter(|_| second != first);
        for account in [first, second].into_iter().flatten().filter(|a| wanted(*a)) {
            found.entry(account).or_default().push((index, event));
        }
    }
    found
}

/// Whom an event concerns, as far as streams tell of it.
fn accounts_of(event: &Event) -> [Option<AccountId>; 2] {
    match *event {
        Event::Trade(ref trade) => [Some(trade.buyer.account), Some(trade.seller.account)],
        Event::OrderListPlaced(ref placed) => [Some(placed.account), None],
        Event::Rejected { account, .. }
        | Event::OrderPlaced { account, .. }
        | Event::OrderRested { account, .. }
        | Event::OrderCancelled { account, .. }
        | Event::OrderReduced { account, .. }
        | Event::OrderDecremented { account, .. }
        | Event::OrderReplaced { account, .. }
        | Event::OrderRefilled { account, .. }
        | Event::OrderTriggered { account, .. }
        | Event::CancelAllAccepted { account, .. }
        | Event::CountdownSet { account, .. }
        | Event::OrderListAdvanced { account, .. }
        | Event::OrderListEnded { account, .. }
        | Event::BalanceChanged { account, .. } => [Some(account), None],
        Event::Repeated { .. }
        | Event::Credited { .. }
        | Event::Debited { .. }
        | Event::DebitReserved { .. }
        | Event::DebitReleased { .. }
        | Event::TransferredOut { .. }
        | Event::TransferredIn { .. }
        | Event::AccountCreated { .. }
        | Event::AccountFrozen { .. }
        | Event::AccountFeeTierSet { .. }
        | Event::AssetDefined { .. }
        | Event::MarketListed { .. }
        | Event::FeeTierSet { .. }
        | Event::FeeScheduleSet { .. }
        | Event::MarketFeesSet { .. }
        | Event::FeeTierChanged { .. }
        | Event::VolumeChanged { .. }
        | Event::MarketStateChanged { .. }
        | Event::MarketRulesSet { .. }
        | Event::MarketStatePlanned { .. }
        | Event::TradingInterrupted { .. }
        | Event::Quarantined { .. }
        | Event::QuarantineReleased { .. }
        | Event::ProposalMade { .. }
        | Event::ApprovalAwaited { .. }
        | Event::ProposalDecided { .. }
        | Event::ReservesAttested { .. }
        | Event::CreditPolicySet { .. }
        | Event::SourceKindSet { .. }
        | Event::MarketReopening { .. }
        | Event::MarketRedefined { .. }
        | Event::RedefinitionPlanned { .. }
        | Event::DelistingPlanned { .. }
        | Event::AuctionUncrossed { .. } => [None, None],
    }
}

/// An event of an account.
#[derive(Serialize)]
pub(super) struct Item {
    /// With partition and seq, the name of the event.
    index: u32,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Body {
    OrderPlaced {
        market: String,
        order_id: u64,
        client_order_id: Option<String>,
        side: word::Side,
        #[serde(flatten)]
        terms: answer::OrderTerms,
    },
    OrderRested {
        market: String,
        order_id: u64,
        side: word::Side,
        price: String,
        quantity: String,
        /// What of it is shown, if not all.
        #[serde(skip_serializing_if = "Option::is_none")]
        visible_quantity: Option<String>,
    },
    /// An iceberg shows its next part.
    OrderRefilled {
        market: String,
        order_id: u64,
        visible_quantity: String,
        remaining_quantity: String,
    },
    /// A waiting order enters.
    OrderTriggered {
        market: String,
        order_id: u64,
    },
    Trade(FillItem),
    OrderCancelled {
        market: String,
        order_id: u64,
        remaining_quantity: String,
        cause: &'static str,
    },
    OrderReduced {
        market: String,
        order_id: u64,
        remaining_quantity: String,
        /// What of it is shown, if not all.
        #[serde(skip_serializing_if = "Option::is_none")]
        visible_quantity: Option<String>,
    },
    /// Self-trade prevention took something off an order that came, without a trade.
    OrderDecremented {
        market: String,
        order_id: u64,
        quantity: String,
        remaining_quantity: String,
    },
    OrderReplaced {
        market: String,
        order_id: u64,
        replaces: u64,
        side: word::Side,
        price: String,
        quantity: String,
    },
    /// A list was accepted; its orders follow.
    OrderListPlaced {
        market: String,
        list_id: u64,
        client_order_id: Option<String>,
        kind: word::OrderListKind,
        order_ids: Vec<u64>,
    },
    /// The pending legs of a list are orders now, which follow.
    OrderListAdvanced {
        market: String,
        list_id: u64,
        order_ids: Vec<u64>,
    },
    /// A list ended: `done`, `cancelled`, or `refused` with the code.
    OrderListEnded {
        market: String,
        list_id: u64,
        end: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
    },
    CancelAllAccepted {
        market: String,
        count: u32,
    },
    /// The dead man's switch is set, or off: taken off, or it has fired.
    CountdownSet {
        market: String,
        at: Option<u64>,
    },
    Rejected {
        request: &'static str,
        market: Option<String>,
        client_order_id: Option<String>,
        code: &'static str,
        number: u16,
    },
    BalanceChanged(BalanceItem),
}

/// One side of a trade.
#[derive(Serialize)]
pub(super) struct FillItem {
    market: String,
    trade_id: u64,
    order_id: u64,
    side: word::Side,
    price: String,
    quantity: String,
    quote_amount: String,
    /// Still open of the order. Zero for market orders by quote.
    remaining_quantity: String,
    fee: String,
    fee_asset: String,
    rebate: String,
    rebate_asset: String,
    liquidity: word::Liquidity,
}

/// A balance.
#[derive(Serialize)]
pub(super) struct BalanceItem {
    asset: String,
    available: String,
    held: String,
}

/// What a private channel says of these events of entry `seq`; empty if nothing.
pub(super) fn items(
    kind: PrivateKind,
    account: AccountId,
    seq: Seq,
    events: &[Indexed<'_>],
    views: &Views,
) -> Vec<Item> {
    let mut items = Vec::new();
    for &(index, event) in events {
        let mut push = |body| items.push(Item { index, body });
        match kind {
            PrivateKind::Orders => order_bodies(account, seq, event, views, &mut push),
            PrivateKind::Fills => {
                if let Event::Trade(trade) = event {
                    fill_bodies(account, seq, trade, views, &mut push);
                }
            }
            PrivateKind::Balances => {
                if let Event::BalanceChanged { asset, available, held, .. } = event
                    && let Some(item) = balance_item(*asset, *available, *held, views)
                {
                    push(Body::BalanceChanged(item));
                }
            }
        }
    }
    items
}

fn order_bodies(
    account: AccountId,
    seq: Seq,
    event: &Event,
    views: &Views,
    push: &mut impl FnMut(Body),
) {
    if let Event::Trade(trade) = event {
        return fill_bodies(account, seq, trade, views, push);
    }
    if let Event::Rejected { request, market, client_order_id, code, .. } = *event {
        return push(rejected(request.name(), symbol(views, market), client_order_id, code));
    }
    if let Some(market) = market_of(event).and_then(|market| views.market_info(market))
        && let Some(body) = order_body(event, &market.at(seq))
    {
        push(body);
    }
}

/// The market of an event of orders that is neither trade nor rejection.
fn market_of(event: &Event) -> Option<MarketId> {
    match *event {
        Event::OrderPlaced { market, .. }
        | Event::OrderRested { market, .. }
        | Event::OrderCancelled { market, .. }
        | Event::OrderReduced { market, .. }
        | Event::OrderDecremented { market, .. }
        | Event::OrderReplaced { market, .. }
        | Event::OrderRefilled { market, .. }
        | Event::OrderTriggered { market, .. }
        | Event::CancelAllAccepted { market, .. }
        | Event::OrderListAdvanced { market, .. }
        | Event::OrderListEnded { market, .. }
        | Event::CountdownSet { market, .. } => Some(market),
        Event::OrderListPlaced(ref placed) => Some(placed.market),
        _ => None,
    }
}

fn order_body(event: &Event, market: &MarketInfo) -> Option<Body> {
    let symbol = market.def.symbol.clone();
    let price = |price: types::Price| market.def.tick.format(price.get().into());
    let lots = |quantity: types::Quantity| market.def.lot.format(quantity.get().into());
    Some(match *event {
        Event::OrderPlaced { order, client_order_id, side, ref spec, ref conditions, .. } => {
            Body::OrderPlaced {
                market: symbol,
                order_id: order.0,
                client_order_id: answer::client_id(client_order_id),
                side: side.into(),
                terms: answer::OrderTerms::new(market, side, spec, conditions),
            }
        }
        Event::OrderRested { order, side, price: at, quantity, hidden, .. } => Body::OrderRested {
            market: symbol,
            order_id: order.0,
            side: side.into(),
            price: price(at),
            quantity: lots(quantity + hidden),
            visible_quantity: (!hidden.is_zero()).then(|| lots(quantity)),
        },
        Event::OrderRefilled { order, quantity, hidden, .. } => Body::OrderRefilled {
            market: symbol,
            order_id: order.0,
            visible_quantity: lots(quantity),
            remaining_quantity: lots(quantity + hidden),
        },
        Event::OrderTriggered { order, .. } => {
            Body::OrderTriggered { market: symbol, order_id: order.0 }
        }
        Event::OrderCancelled { order, remaining, cause, .. } => Body::OrderCancelled {
            market: symbol,
            order_id: order.0,
            remaining_quantity: lots(remaining),
            cause: views::EndCause::Cancelled(cause).word(),
        },
        Event::OrderReduced { order, remaining, visible, .. } => Body::OrderReduced {
            market: symbol,
            order_id: order.0,
            remaining_quantity: lots(remaining),
            visible_quantity: (visible != remaining).then(|| lots(visible)),
        },
        Event::OrderDecremented { order, quantity, remaining, .. } => Body::OrderDecremented {
            market: symbol,
            order_id: order.0,
            quantity: lots(quantity),
            remaining_quantity: lots(remaining),
        },
        Event::OrderReplaced { old_order, order, side, price: at, quantity, .. } => {
            Body::OrderReplaced {
                market: symbol,
                order_id: order.0,
                replaces: old_order.0,
                side: side.into(),
                price: price(at),
                quantity: lots(quantity),
            }
        }
        Event::OrderListPlaced(ref placed) => Body::OrderListPlaced {
            market: symbol,
            list_id: placed.list.0,
            client_order_id: answer::client_id(placed.client_order_id),
            kind: placed.kind.into(),
            order_ids: answer::ids(&placed.orders),
        },
        Event::OrderListAdvanced { list, ref orders, .. } => Body::OrderListAdvanced {
            market: symbol,
            list_id: list.0,
            order_ids: answer::ids(orders),
        },
        Event::OrderListEnded { list, end, .. } => {
            let (end, code) = match end {
                ListEnd::Done => ("done", None),
                ListEnd::Cancelled => ("cancelled", None),
                ListEnd::Refused { code } => ("refused", Some(code.name())),
            };
            Body::OrderListEnded { market: symbol, list_id: list.0, end, code }
        }
        Event::CancelAllAccepted { count, .. } => Body::CancelAllAccepted { market: symbol, count },
        Event::CountdownSet { at, .. } => {
            Body::CountdownSet { market: symbol, at: at.map(answer::millis) }
        }
        _ => return None,
    })
}

/// Both sides if the account traded with itself.
fn fill_bodies(
    account: AccountId,
    seq: Seq,
    trade: &Trade,
    views: &Views,
    push: &mut impl FnMut(Body),
) {
    let Some(market) = views.market_info(trade.market) else {
        return;
    };
    let market = market.at(seq);
    for (side, party) in [(Side::Buy, &trade.buyer), (Side::Sell, &trade.seller)] {
        if party.account == account {
            push(Body::Trade(fill(&market, trade, side, party)));
        }
    }
}

fn fill(market: &MarketInfo, trade: &Trade, side: Side, party: &TradeSide) -> FillItem {
    let (paid, received) = (received(market, side.opposite()), received(market, side));
    FillItem {
        market: market.def.symbol.clone(),
        trade_id: trade.trade.0,
        order_id: party.order.0,
        side: side.into(),
        price: market.def.tick.format(trade.price.get().into()),
        quantity: market.def.lot.format(trade.quantity.get().into()),
        quote_amount: answer::amount(&market.quote, trade.quote_amount),
        remaining_quantity: market.def.lot.format(party.remaining.get().into()),
        fee: answer::amount(received, party.fee.total()),
        fee_asset: received.symbol.clone(),
        rebate: answer::amount(paid, party.fee.rebate()),
        rebate_asset: paid.symbol.clone(),
        liquidity: Liquidity::of(side, trade.aggressor).into(),
    }
}

/// What a side receives, which its fee is taken from.
fn received(market: &MarketInfo, side: Side) -> &types::AssetDef {
    match side {
        Side::Buy => &market.base,
        Side::Sell => &market.quote,
    }
}

fn rejected(
    request: &'static str,
    market: Option<String>,
    client_order_id: types::ClientOrderId,
    code: RejectCode,
) -> Body {
    Body::Rejected {
        request,
        market,
        client_order_id: answer::client_id(client_order_id),
        code: code.name(),
        number: code.number(),
    }
}

fn symbol(views: &Views, market: MarketId) -> Option<String> {
    views.market_info(market).map(|info| info.def.symbol.clone())
}

/// A balance in decimals.
pub(super) fn balance_item(
    asset: AssetId,
    available: types::Amount,
    held: types::Amount,
    views: &Views,
) -> Option<BalanceItem> {
    let asset = views.asset(asset)?;
    Some(BalanceItem {
        asset: asset.symbol.clone(),
        available: answer::amount(&asset, available),
        held: answer::amount(&asset, held),
    })
}
