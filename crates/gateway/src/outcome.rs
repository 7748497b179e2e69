//! What a partition answered, copied out of its buffers: little, since it is copied on its thread.

use node::{BatchTimes, Reply};
use types::{
    AccountId, Amount, CancelCause, ClientOrderId, Decision, Event, MarketId, OrderId, OrderSpec,
    PartitionId, Quantity, Seq, Side, Timestamp, Trade,
};
use views::{EndCause, FillView, Liquidity, OrderStatus, OrderView, add_filled};

/// An answer with those consequences of the same entry that concern the order it names.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The partition that answered.
    pub(crate) partition: PartitionId,
    /// Its entry.
    pub(crate) seq: Seq,
    /// The partition that the command passed before; meaningless if `passed_seq` is zero.
    pub(crate) passed: PartitionId,
    /// The entry there, or zero.
    pub(crate) passed_seq: Seq,
    /// When the entry was stamped.
    pub(crate) time: Timestamp,
    /// When its batch got on.
    pub(crate) batch: BatchTimes,
    /// The answer itself.
    pub(crate) answer: Event,
    /// Trades of the order that the answer names.
    pub(crate) trades: Vec<Trade>,
    /// Whether that order rests in the book now.
    pub(crate) rested: bool,
    /// Why that order was cancelled, if it was.
    pub(crate) cancelled: Option<CancelCause>,
    /// Orders of the same account that ended in the same entry before the answer, since a command to
    /// replace them asked to; and what was left of each.
    pub(crate) made_room: Vec<(OrderId, Quantity)>,
    /// What is left of it, if an event said so.
    remaining: Option<Quantity>,
    /// The proposal that was approved in the same entry before a rejection.
    approved: Option<u64>,
}

impl Outcome {
    /// Copies what a request needs. Nothing if `reply` has no events, which would be a fault of the
    /// node.
    pub(crate) fn of(reply: &Reply<'_>) -> Option<Self> {
        let (answer, consequences) = reply.events.split_first()?;
        let mut outcome = Self {
            partition: reply.partition,
            seq: reply.seq,
            passed: reply.to.passed,
            passed_seq: reply.to.passed_seq,
            time: reply.time,
            batch: reply.batch,
            answer: answer.clone(),
            trades: Vec::new(),
            rested: false,
            cancelled: None,
            made_room: made_room(reply.before, answer),
            remaining: None,
            approved: approved(reply.before, answer),
        };
        if let Some((market, order)) = entering_order(answer) {
            for event in consequences {
                outcome.follow(market, order, event);
            }
        }
        Some(outcome)
    }

    /// Whether a rejected approval of a proposal was done all the same by the treasury, so that the refusal is
    /// the ledger's to which the approved act went: in the same entry, or in another partition.
    pub(crate) fn has_approved(&self, proposal: u64) -> bool {
        self.approved == Some(proposal) || self.passed_seq != Seq(0)
    }

    fn follow(&mut self, in_market: MarketId, of_order: OrderId, event: &Event) {
        let is_ours = |market: MarketId, order: OrderId| (market, order) == (in_market, of_order);
        match *event {
            Event::Trade(trade) => {
                let sides = [trade.buyer, trade.seller];
                if let Some(side) = sides.iter().find(|side| is_ours(trade.market, side.order)) {
                    self.remaining = Some(side.remaining);
                    self.trades.push(trade);
                }
            }
            Event::OrderRested { market, order, quantity, hidden, .. }
                if is_ours(market, order) =>
            {
                self.remaining = Some(quantity + hidden);
                self.rested = true;
            }
            Event::OrderReduced { market, order, remaining, .. }
            | Event::OrderDecremented { market, order, remaining, .. }
                if is_ours(market, order) =>
            {
                self.remaining = Some(remaining);
            }
            Event::OrderCancelled { market, order, remaining, cause, .. }
                if is_ours(market, order) =>
            {
                self.remaining = Some(remaining);
                self.cancelled = Some(cause);
            }
            _ => {}
        }
    }

    /// The order as it stands after the entry, if the answer is that it was placed.
    pub(crate) fn placed_order(&self) -> Option<OrderView> {
        let placed = OrderView::of_placed(self.time, self.seq, &self.answer)?;
        let totals = self.totals(placed.side);
        let remaining = self.remaining.unwrap_or(placed.remaining);
        let status = match placed.spec {
            OrderSpec::MarketByQuote { quote, .. } => self.status_by_quote(placed.side, quote),
            OrderSpec::Limit { .. } | OrderSpec::MarketByQuantity { .. } => self.status(remaining),
        };
        Some(OrderView {
            remaining,
            filled: totals.quantity,
            quote_filled: totals.quote,
            fee: totals.fee,
            status,
            cause: self.cancelled.map(EndCause::Cancelled),
            rested: self.rested,
            ..placed
        })
    }

    /// What is left of the order that entered, if an event said so.
    pub(crate) fn remaining(&self) -> Option<Quantity> {
        self.remaining
    }

    /// Where the order that entered stands. One that neither rests nor waits nor ended is still being
    /// matched in a later entry: it counts as open.
    pub(crate) fn status(&self, remaining: Quantity) -> OrderStatus {
        if let Event::OrderPlaced { conditions, .. } = &self.answer
            && conditions.trigger.is_some()
        {
            // Only a later command's trade can fire it.
            OrderStatus::Waiting
        } else if self.cancelled.is_some() {
            OrderStatus::Cancelled
        } else if remaining.is_zero() {
            OrderStatus::Filled
        } else if self.trades.is_empty() {
            OrderStatus::Open
        } else {
            OrderStatus::PartiallyFilled
        }
    }

    /// Where an order by quote stands. Its end has an event only if it is a cancel, and its sweep may go
    /// on in a later entry: it is called filled only if no later price can give it another lot.
    fn status_by_quote(&self, side: Side, quote: Amount) -> OrderStatus {
        let Some(last) = self.trades.last() else {
            return self.status(Quantity::MAX);
        };
        let unspent = quote.saturating_sub(self.totals(side).quote);
        let one_lot = last.quote_amount.get() / u128::from(last.quantity.get().max(1));
        // A buyer meets dearer lots only; a seller cheaper ones, once the level is used up.
        let maker = own_side(last, side.opposite());
        let no_better_price = side == Side::Buy || !maker.remaining.is_zero();
        let ended = unspent.is_zero() || (unspent.get() < one_lot && no_better_price);
        self.status(if ended { Quantity::ZERO } else { Quantity::MAX })
    }

    /// The fills of the order that the answer names.
    pub(crate) fn fills(&self, side: Side, client_order_id: ClientOrderId) -> Vec<FillView> {
        let fill = |(index, trade): (usize, &Trade)| {
            let own = own_side(trade, side);
            FillView {
                market: trade.market,
                trade: trade.trade,
                account: own.account,
                order: own.order,
                client_order_id,
                side,
                price: trade.price,
                quantity: trade.quantity,
                base_amount: trade.base_amount,
                quote_amount: trade.quote_amount,
                fee: own.fee.total(),
                rebate: own.fee.rebate(),
                liquidity: Liquidity::of(side, trade.aggressor),
                time: self.time,
                partition: self.partition,
                seq: self.seq,
                index: index as u32,
            }
        };
        self.trades.iter().enumerate().map(fill).collect()
    }

    fn totals(&self, side: Side) -> Totals {
        let mut totals = Totals::default();
        for trade in &self.trades {
            totals.quantity = add_filled(totals.quantity, trade.quantity);
            totals.quote = sum(totals.quote, trade.quote_amount);
            totals.fee = sum(totals.fee, own_side(trade, side).fee.total());
        }
        totals
    }
}

#[derive(Default)]
struct Totals {
    quantity: Quantity,
    quote: Amount,
    fee: Amount,
}

/// Far above every supply; a figure for display is no reason to end the process.
fn sum(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(Amount::MAX)
}

fn own_side(trade: &Trade, side: Side) -> &types::TradeSide {
    match side {
        Side::Buy => &trade.buyer,
        Side::Sell => &trade.seller,
    }
}

/// The order that an answer says has entered a market, so that trades may follow.
fn entering_order(answer: &Event) -> Option<(MarketId, OrderId)> {
    match *answer {
        Event::OrderPlaced { market, order, .. } | Event::OrderReplaced { market, order, .. } => {
            Some((market, order))
        }
        _ => None,
    }
}

/// A client's cancel that is no answer is the first half of a replacement.
fn made_room(before: &[Event], answer: &Event) -> Vec<(OrderId, Quantity)> {
    if before.is_empty() {
        return Vec::new();
    }
    let owner = account_of(answer);
    let ended = |event: &Event| match *event {
        Event::OrderCancelled { reply, order, account, remaining, cause, .. }
            if reply.is_nobody() && cause == CancelCause::Client && owner == Some(account) =>
        {
            Some((order, remaining))
        }
        _ => None,
    };
    before.iter().filter_map(ended).collect()
}

fn approved(before: &[Event], answer: &Event) -> Option<u64> {
    if !matches!(answer, Event::Rejected { .. }) {
        return None;
    }
    before.iter().rev().find_map(|event| match *event {
        Event::ProposalDecided { proposal, decision: Decision::Approved, .. } => Some(proposal),
        _ => None,
    })
}

/// Whose command an answer ends: the account that must be able to read what it wrote.
pub(crate) fn account_of(answer: &Event) -> Option<AccountId> {
    match *answer {
        Event::OrderListPlaced(ref placed) => Some(placed.account),
        Event::Rejected { account, .. }
        | Event::Repeated { account, .. }
        | Event::OrderPlaced { account, .. }
        | Event::OrderCancelled { account, .. }
        | Event::OrderReduced { account, .. }
        | Event::OrderReplaced { account, .. }
        | Event::CancelAllAccepted { account, .. }
        | Event::Credited { account, .. }
        | Event::Debited { account, .. }
        | Event::DebitReserved { account, .. }
        | Event::DebitReleased { account, .. }
        | Event::TransferredOut { account, .. }
        | Event::AccountCreated { account, .. }
        | Event::AccountFrozen { account, .. }
        | Event::AccountFeeTierSet { account, .. }
        | Event::FeeTierChanged { account, .. }
        | Event::VolumeChanged { account, .. }
        | Event::CountdownSet { account, .. }
        | Event::ApprovalAwaited { account, .. } => Some(account),
        Event::OrderRested { .. }
        | Event::OrderRefilled { .. }
        | Event::OrderTriggered { .. }
        | Event::Trade(_)
        | Event::BalanceChanged { .. }
        | Event::TransferredIn { .. }
        | Event::AssetDefined { .. }
        | Event::MarketListed { .. }
        | Event::FeeTierSet { .. }
        | Event::FeeScheduleSet { .. }
        | Event::MarketFeesSet { .. }
        | Event::MarketStateChanged { .. }
        | Event::MarketRulesSet { .. }
        | Event::MarketStatePlanned { .. }
        | Event::ProposalMade { .. }
        | Event::ProposalDecided { .. }
        | Event::ReservesAttested { .. }
        | Event::CreditPolicySet { .. }
        | Event::SourceKindSet { .. }
        | Event::TradingInterrupted { .. }
        | Event::OrderDecremented { .. }
        | Event::MarketReopening { .. }
        | Event::MarketRedefined { .. }
        | Event::RedefinitionPlanned { .. }
        | Event::DelistingPlanned { .. }
        | Event::AuctionUncrossed { .. }
        | Event::OrderListAdvanced { .. }
        | Event::OrderListEnded { .. }
        | Event::Quarantined { .. }
        | Event::QuarantineReleased { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{BoxedConditions, Fee, OrderSpec, Price, ReplyTo, TimeInForce, TradeId, TradeSide};

    const MARKET: MarketId = MarketId(1);
    const ORDER: OrderId = OrderId(9);

    fn placed(quantity: u64) -> Event {
        Event::OrderPlaced {
            reply: ReplyTo::new(1, 1),
            market: MARKET,
            order: ORDER,
            account: AccountId(1),
            client_order_id: ClientOrderId::NONE,
            side: Side::Buy,
            spec: OrderSpec::Limit {
                price: Price::new(10),
                quantity: Quantity::new(quantity),
                time_in_force: TimeInForce::Gtc,
                post_only: false,
            },
            conditions: BoxedConditions::NONE,
        }
    }

    fn bought(quantity: u64, remaining: u64) -> Event {
        let side = |order, remaining| TradeSide {
            account: AccountId(1),
            order,
            remaining: Quantity::new(remaining),
            fee: Fee::NONE,
        };
        Event::Trade(Trade {
            market: MARKET,
            trade: TradeId(1),
            price: Price::new(10),
            quantity: Quantity::new(quantity),
            base_amount: Amount::new(1),
            quote_amount: Amount::new(10),
            aggressor: Some(Side::Buy),
            buyer: side(ORDER, remaining),
            seller: side(OrderId(8), 0),
        })
    }

    fn outcome(events: &[Event]) -> OrderView {
        let reply = Reply {
            to: ReplyTo::new(1, 1),
            partition: PartitionId(0),
            seq: Seq(5),
            time: Timestamp(7),
            batch: BatchTimes::now(),
            before: &[],
            events,
        };
        Outcome::of(&reply).unwrap().placed_order().unwrap()
    }

    #[test]
    fn an_order_whose_matching_goes_on_later_is_open_with_what_is_left() {
        let order = outcome(&[placed(10), bought(4, 6)]);
        assert_eq!(order.status, OrderStatus::PartiallyFilled);
        assert_eq!((order.filled, order.remaining), (Quantity::new(4), Quantity::new(6)));
        assert!(!order.rested);
    }

    #[test]
    fn what_a_self_trade_took_away_is_not_left() {
        let reduced = Event::OrderReduced {
            reply: ReplyTo::NOBODY,
            market: MARKET,
            order: ORDER,
            account: AccountId(1),
            remaining: Quantity::new(3),
            visible: Quantity::new(3),
        };
        let order = outcome(&[placed(10), reduced, bought(3, 0)]);
        assert_eq!(order.status, OrderStatus::Filled);
        assert_eq!((order.filled, order.remaining), (Quantity::new(3), Quantity::ZERO));
    }

    #[test]
    fn events_of_other_orders_are_left_out() {
        let other = Event::OrderCancelled {
            reply: ReplyTo::NOBODY,
            market: MARKET,
            order: OrderId(8),
            account: AccountId(1),
            remaining: Quantity::new(1),
            cause: CancelCause::SelfTrade,
        };
        let order = outcome(&[placed(10), other]);
        assert_eq!((order.status, order.cause), (OrderStatus::Open, None));
    }

    fn placed_by_quote(side: Side, quote: u128) -> Event {
        let mut event = placed(0);
        if let Event::OrderPlaced { side: order_side, spec, .. } = &mut event {
            *order_side = side;
            *spec = OrderSpec::MarketByQuote { quote: Amount::new(quote), max_spend: None };
        }
        event
    }

    /// A trade of an order by quote at 10 atoms a lot, with what is left of the maker.
    fn swept(side: Side, quantity: u64, left_of_maker: u64) -> Event {
        let mut event = bought(quantity, 0);
        if let Event::Trade(trade) = &mut event {
            trade.aggressor = Some(side);
            trade.quote_amount = Amount::new(10 * u128::from(quantity));
            trade.seller.remaining = Quantity::new(left_of_maker);
            if side == Side::Sell {
                std::mem::swap(&mut trade.buyer, &mut trade.seller);
            }
        }
        event
    }

    #[test]
    fn more_lots_than_an_integer_holds_stop_the_count_and_nothing_else() {
        let trade = swept(Side::Buy, u64::MAX, 0);
        let order = outcome(&[placed_by_quote(Side::Buy, u128::MAX), trade.clone(), trade]);
        assert_eq!(order.filled, views::MOST_FILLED);
        assert_eq!(order.quote_filled, Amount::new(20 * u128::from(u64::MAX)));
    }

    #[test]
    fn an_order_by_quote_is_filled_only_if_no_later_price_can_give_it_another_lot() {
        use OrderStatus::{Filled, Open, PartiallyFilled};
        for (side, quote, lots, left_of_maker, status) in [
            (Side::Buy, 40, 4, 0, Filled),
            (Side::Buy, 49, 4, 0, Filled),
            (Side::Buy, 50, 4, 0, PartiallyFilled),
            (Side::Sell, 40, 4, 0, Filled),
            (Side::Sell, 49, 4, 1, Filled),
            (Side::Sell, 49, 4, 0, PartiallyFilled),
            (Side::Sell, 50, 4, 1, PartiallyFilled),
        ] {
            let trade = swept(side, lots, left_of_maker);
            let order = outcome(&[placed_by_quote(side, quote), trade]);
            assert_eq!(order.status, status, "{side:?} {quote} {left_of_maker}");
        }
        assert_eq!(outcome(&[placed_by_quote(Side::Buy, 40)]).status, Open);
    }
}
