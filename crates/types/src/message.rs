//! What components say to each other. Messages address components, never partitions.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    AccountId, AdmitList, Amount, AssetId, BoxedConditions, CancelCause, ClientOrderId, Component,
    Definition, Fee, FeeRates, HoldId, ListEnd, MarketDef, MarketId, MarketRules, OrderId,
    OrderSpec, PartitionId, PlaceOrder, PlacePending, Price, Quantity, RejectCode, ReplaceOrder,
    ReplyTo, SelfTradePrevention, Side, Timestamp, TreasuryReference,
};

/// Ledger → market: an order whose funds are held.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Admit {
    /// Who waits.
    pub reply: ReplyTo,
    /// The owner.
    pub account: AccountId,
    /// Orders of the same group do not trade with each other where prevention is on.
    pub self_trade_group: u32,
    /// The owner's hold.
    pub hold: HoldId,
    /// What the hold contains: quote atoms of a buy, base atoms of a sell.
    pub budget: Amount,
    /// Rates stamped at admission.
    pub fees: FeeRates,
    /// Where.
    pub market: MarketId,
    /// The version of the definition that ticks and lots mean.
    pub version: u32,
    /// The client's id, for events only: the market does not keep it.
    pub client_order_id: ClientOrderId,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price and quantity.
    pub spec: OrderSpec,
    /// What makes it more than a plain order.
    pub conditions: BoxedConditions,
    /// Against trading with oneself.
    pub self_trade_prevention: SelfTradePrevention,
}

/// Ledger → market: amend an order whose hold has been raised to what the amendment may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AmendOrder {
    /// Who waits.
    pub reply: ReplyTo,
    /// The owner.
    pub account: AccountId,
    /// The order's hold.
    pub hold: HoldId,
    /// What was added to the hold for this. [`Message::Amended`] gives back what is not needed.
    pub extra: Amount,
    /// Where.
    pub market: MarketId,
    /// The version of the definition that price and quantity mean.
    pub version: u32,
    /// The order.
    pub order: OrderId,
    /// New price, or the old one.
    pub price: Option<Price>,
    /// New total quantity, filled part included, or the old one.
    pub quantity: Option<Quantity>,
    /// Refuse it if the order would lose its place; then nothing was added to the hold.
    pub keep_priority: bool,
}

/// Market → ledger: one side of a trade, or of a self-trade decrement with nothing paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Fill {
    /// The owner.
    pub account: AccountId,
    /// The order's hold.
    pub hold: HoldId,
    /// What is paid with.
    pub debit_asset: AssetId,
    /// Paid out of the hold.
    pub debit: Amount,
    /// What is received.
    pub credit_asset: AssetId,
    /// Received, before the fee.
    pub credit: Amount,
    /// Taken from what is received, or a rebate in what is paid with.
    pub fee: Fee,
    /// Price improvement: leaves the hold and is available again.
    pub release: Amount,
}

/// A message between components.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Message {
    /// Ledger → market: a funded order.
    Admit(Box<Admit>) = 1,
    /// Ledger → market: amend an order.
    AmendOrder(AmendOrder) = 2,
    /// Ledger → market: cancel an order.
    CancelOrder {
        /// Who waits, or nobody (cancel all is answered by the ledger).
        reply: ReplyTo,
        /// The owner.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// Why.
        cause: CancelCause,
    } = 3,
    /// Market → ledger: the hold's order is open under this id: it rests in the book, or waits for its
    /// trigger.
    Rested {
        /// The owner.
        account: AccountId,
        /// Its hold.
        hold: HoldId,
        /// The order.
        order: OrderId,
        /// Its price: what is left of a buyer's hold is this times the remaining quantity.
        price: Price,
        /// The version of the definition that the price means.
        version: u32,
    } = 4,
    /// Market → ledger: the hold's order traded.
    Filled {
        /// Both sides are of one account or of one self-trade group: no volume for the fee tier.
        is_self_trade: bool,
        /// What is paid and received.
        fill: Fill,
    } = 5,
    /// Market → ledger: part of the hold is not needed any more.
    Released {
        /// The owner.
        account: AccountId,
        /// Its hold.
        hold: HoldId,
        /// Available again.
        amount: Amount,
    } = 6,
    /// Market → ledger: the hold's order has ended.
    Closed {
        /// The owner.
        account: AccountId,
        /// Its hold.
        hold: HoldId,
        /// The order.
        order: OrderId,
        /// All that is left in the hold.
        release: Amount,
    } = 7,
    /// Market → ledger: the hold's order was rejected and never had an id. All of it is released.
    Refused {
        /// The owner.
        account: AccountId,
        /// Its hold.
        hold: HoldId,
        /// Why.
        code: RejectCode,
    } = 8,
    /// Treasury → ledger: value came from outside.
    Credit {
        /// Who waits.
        reply: ReplyTo,
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Receives.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    } = 9,
    /// Treasury → ledger: value is to leave at once.
    Debit {
        /// Who waits.
        reply: ReplyTo,
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Pays.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    } = 10,
    /// Treasury → ledger: a pending debit has left.
    SettleDebit {
        /// Who waits.
        reply: ReplyTo,
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Pays.
        account: AccountId,
        /// The name of the pending debit.
        client_id: ClientOrderId,
    } = 11,
    /// Ledger → treasury: this much left the exchange under the reference, or why nothing did.
    Debited {
        /// The treasury's reference.
        reference: TreasuryReference,
        /// What.
        asset: AssetId,
        /// How much; zero if refused.
        amount: Amount,
        /// Whether it left.
        outcome: Result<(), RejectCode>,
    } = 12,
    /// Ledger → ledger: the receiving half of a transfer.
    TransferIn {
        /// Who paid.
        from: AccountId,
        /// Receives.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    } = 13,
    /// Registry → registry: a definition that every partition keeps.
    Define {
        /// The partition that is told.
        to: PartitionId,
        /// What.
        definition: Definition,
    } = 14,
    /// Market → ledger: the answer to an amendment of an order that was open, also when it was
    /// rejected. Until it comes, no other amendment of the order is sent.
    Amended {
        /// The owner.
        account: AccountId,
        /// The order's hold.
        hold: HoldId,
        /// Its id from now on.
        order: OrderId,
        /// Its price from now on.
        price: Price,
        /// The version of the definition that the price means.
        version: u32,
        /// What the hold does not need any more; all that was added for the amendment, if it was
        /// rejected.
        release: Amount,
    } = 16,
    /// Market → itself: go on with the order that matching was interrupted in.
    Resume {
        /// Where.
        market: MarketId,
    } = 15,
    /// Partition → market or ledger: the time of its next deadline has come.
    FireTimers {
        /// Whose.
        component: Component,
    } = 17,
    /// Ledger → market: cancel, then send the placement back.
    CancelThenPlace {
        /// Who waits.
        reply: ReplyTo,
        /// Refused when placed later than this.
        valid_until: Timestamp,
        /// What to cancel and to place.
        replace: Box<ReplaceOrder>,
    } = 18,
    /// Market → ledger: a placement that had to wait for the market, as if it came now.
    Place {
        /// Who waits.
        reply: ReplyTo,
        /// Refused when placed later than this.
        valid_until: Timestamp,
        /// The order.
        order: Box<PlaceOrder>,
    } = 19,
    /// Ledger → market: the funded legs of a list. Boxed, as all of a list: it is rare and large.
    AdmitList(Box<AdmitList>) = 20,
    /// Market → ledger: an order is filled that others waited for.
    PlacePending(Box<PlacePending>) = 21,
    /// Market → ledger: a list has ended for these orders. `hold` keeps exactly what its order needs,
    /// the other one of a pair nothing; what both had besides is available again.
    ListSettled {
        /// The owner.
        account: AccountId,
        /// The list.
        list: OrderId,
        /// The hold of the order that traded, entered or was cancelled.
        hold: HoldId,
        /// That of the other one of a pair, which is closed next.
        other: Option<HoldId>,
        /// What the order needs.
        need: Amount,
    } = 22,
    /// Ledger → market: the pending legs of a list were not placed.
    PendingDropped {
        /// The owner.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// The list.
        list: OrderId,
        /// Why.
        end: ListEnd,
    } = 23,
    /// Market → ledger: nobody has looked at an amendment, since the market is quarantined. The order is as
    /// it was, or has ended before; then all that its hold contained was released with it.
    AmendmentRefused {
        /// The owner.
        account: AccountId,
        /// The order's hold.
        hold: HoldId,
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// What was added to the hold for the amendment.
        release: Amount,
    } = 24,
    /// Partition → market: what holds for the market changes. It waits its turn like an order.
    ChangeMarket {
        /// Which.
        market: MarketId,
        /// How.
        change: Box<MarketChange>,
    } = 25,
}

/// What a partition tells a market of its own.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum MarketChange {
    /// All rules, from now on.
    Rules(MarketRules) = 1,
    /// This definition, from now on: other units and bounds under the next version.
    Redefine(MarketDef) = 2,
    /// It ends.
    Delist = 3,
    /// The last term of the log did not end in order.
    Reopen = 4,
}

impl Message {
    /// The component that this is for.
    #[must_use]
    pub fn to(&self) -> Component {
        match *self {
            Self::AmendOrder(AmendOrder { market, .. })
            | Self::CancelOrder { market, .. }
            | Self::PendingDropped { market, .. }
            | Self::Resume { market }
            | Self::ChangeMarket { market, .. } => Component::Market(market),
            Self::Admit(ref admit) => Component::Market(admit.market),
            Self::AdmitList(ref admit) => Component::Market(admit.market),
            Self::PlacePending(ref pending) => Component::Ledger(pending.orders.account.slot()),
            Self::CancelThenPlace { ref replace, .. } => Component::Market(replace.order.market),
            Self::FireTimers { component } => component,
            Self::Place { ref order, .. } => Component::Ledger(order.account.slot()),
            Self::Filled { fill: Fill { account, .. }, .. }
            | Self::Rested { account, .. }
            | Self::Released { account, .. }
            | Self::Amended { account, .. }
            | Self::AmendmentRefused { account, .. }
            | Self::Closed { account, .. }
            | Self::Refused { account, .. }
            | Self::ListSettled { account, .. }
            | Self::Credit { account, .. }
            | Self::Debit { account, .. }
            | Self::SettleDebit { account, .. }
            | Self::TransferIn { account, .. } => Component::Ledger(account.slot()),
            Self::Debited { .. } => Component::Treasury,
            Self::Define { to, .. } => Component::Registry(to),
        }
    }

    /// The reply address that travels with this, if one does.
    pub fn reply_mut(&mut self) -> Option<&mut ReplyTo> {
        match self {
            Self::AmendOrder(AmendOrder { reply, .. })
            | Self::CancelOrder { reply, .. }
            | Self::CancelThenPlace { reply, .. }
            | Self::Place { reply, .. }
            | Self::Credit { reply, .. }
            | Self::Debit { reply, .. }
            | Self::SettleDebit { reply, .. } => Some(reply),
            Self::Admit(admit) => Some(&mut admit.reply),
            Self::AdmitList(admit) => Some(&mut admit.reply),
            Self::Filled { .. }
            | Self::Rested { .. }
            | Self::Released { .. }
            | Self::Amended { .. }
            | Self::AmendmentRefused { .. }
            | Self::Closed { .. }
            | Self::Refused { .. }
            | Self::Debited { .. }
            | Self::TransferIn { .. }
            | Self::Define { .. }
            | Self::Resume { .. }
            | Self::PlacePending(_)
            | Self::ListSettled { .. }
            | Self::PendingDropped { .. }
            | Self::ChangeMarket { .. }
            | Self::FireTimers { .. } => None,
        }
    }
}
