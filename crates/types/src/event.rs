//! Facts: what the engine says happened. Derived from the log, in order, and never taken back.
//!
//! Each command gets exactly one *answer* (an event with a `reply`), and consequences follow it. An
//! event is named by (partition, entry seq, index within the entry).

mod answer;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, CancelCause, ClientOrderId, Component,
    CreditPolicy, Decimal, Decision, FeeRates, FeeSchedule, ListEnd, MarketDef, MarketId,
    MarketRules, MarketState, OperatorName, OrderId, OrderListPlaced, OrderSpec, Price, Proposal,
    Quantity, Redefinition, RejectCode, ReplyTo, RequestKind, Side, SourceKind, Timestamp, Trade,
    TreasuryReference,
};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Event {
    /// Answer: a command was rejected and changed nothing.
    Rejected {
        /// Who waits.
        reply: ReplyTo,
        /// What was asked.
        request: RequestKind,
        /// By whom, or zero.
        account: AccountId,
        /// Where, or zero.
        market: MarketId,
        /// The client's id, or none.
        client_order_id: ClientOrderId,
        /// Why.
        code: RejectCode,
    } = 1,
    /// Answer: this client id was seen before; here is what became of it. Nothing changed.
    Repeated {
        /// Who waits.
        reply: ReplyTo,
        /// What was asked.
        request: RequestKind,
        /// By whom.
        account: AccountId,
        /// Where, or zero.
        market: MarketId,
        /// The client's id.
        client_order_id: ClientOrderId,
        /// The order that the first command became (zero for transfers and debits), or why it was
        /// rejected.
        outcome: Result<OrderId, RejectCode>,
    } = 2,
    /// Answer: an order was accepted. Trades, and rest or cancellation, follow.
    OrderPlaced {
        /// Who waits.
        reply: ReplyTo,
        /// Where.
        market: MarketId,
        /// Its new id.
        order: OrderId,
        /// The owner.
        account: AccountId,
        /// The client's id, or none.
        client_order_id: ClientOrderId,
        /// Buy or sell.
        side: Side,
        /// Kind, price and quantity. The price of one that slid is the one it slid to.
        spec: OrderSpec,
        /// What makes it more than a plain order.
        conditions: BoxedConditions,
    } = 3,
    /// What is left of an order has entered the book, behind all others of its price.
    OrderRested {
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// The owner.
        account: AccountId,
        /// Buy or sell.
        side: Side,
        /// At which price.
        price: Price,
        /// How much is shown.
        quantity: Quantity,
        /// What an iceberg has besides.
        hidden: Quantity,
    } = 4,
    /// A trade.
    Trade(Trade) = 5,
    /// An order ended with something left. Answer, if somebody waits.
    OrderCancelled {
        /// Who waits, or nobody.
        reply: ReplyTo,
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// The owner.
        account: AccountId,
        /// What was left. Zero for market orders by quote.
        remaining: Quantity,
        /// Why.
        cause: CancelCause,
    } = 6,
    /// A resting order has less quantity and keeps its place. Answer, if somebody waits; else the
    /// consequence of self-trade prevention.
    OrderReduced {
        /// Who waits, or nobody.
        reply: ReplyTo,
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// The owner.
        account: AccountId,
        /// What is left.
        remaining: Quantity,
        /// What of it is shown: less than all only of an iceberg.
        visible: Quantity,
    } = 7,
    /// Answer: an order left the book and enters anew under another id. Trades, and rest or
    /// cancellation of the new id, follow.
    OrderReplaced {
        /// Who waits.
        reply: ReplyTo,
        /// Where.
        market: MarketId,
        /// The id that ended.
        old_order: OrderId,
        /// The id that goes on.
        order: OrderId,
        /// The owner.
        account: AccountId,
        /// Buy or sell.
        side: Side,
        /// New price.
        price: Price,
        /// Quantity that enters: the new total less what was filled.
        quantity: Quantity,
    } = 8,
    /// Answer: this many orders are asked to be cancelled. A market that is halted refuses each.
    CancelAllAccepted {
        /// Who waits.
        reply: ReplyTo,
        /// The owner.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// How many.
        count: u32,
    } = 9,
    /// An account's balance of an asset is now this.
    BalanceChanged {
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: AssetId,
        /// Free to use.
        available: Amount,
        /// Locked for open orders and pending debits.
        held: Amount,
    } = 10,
    /// Answer: value came from outside.
    Credited {
        /// Who waits.
        reply: ReplyTo,
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Received.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// The account does not exist: the slot's suspense account has it.
        suspense: bool,
    } = 11,
    /// Answer: value left, at once or out of a pending debit.
    Debited {
        /// Who waits.
        reply: ReplyTo,
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Paid.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// The pending debit's name, or none.
        client_id: ClientOrderId,
    } = 12,
    /// Answer: funds that are to leave are locked.
    DebitReserved {
        /// Who waits.
        reply: ReplyTo,
        /// Pays.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Its name.
        client_id: ClientOrderId,
    } = 13,
    /// Answer: a pending debit ended and its funds are available again.
    DebitReleased {
        /// Who waits.
        reply: ReplyTo,
        /// Would have paid.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Its name.
        client_id: ClientOrderId,
    } = 14,
    /// Answer: the paying half of a transfer.
    TransferredOut {
        /// Who waits.
        reply: ReplyTo,
        /// Paid.
        account: AccountId,
        /// Receives.
        to: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// The payer's id for it, or none.
        client_id: ClientOrderId,
    } = 15,
    /// The receiving half of a transfer.
    TransferredIn {
        /// Received.
        account: AccountId,
        /// Paid.
        from: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// The account does not exist: the slot's suspense account has it.
        suspense: bool,
    } = 16,
    /// Answer: an account was opened.
    AccountCreated {
        /// Who waits.
        reply: ReplyTo,
        /// Its id.
        account: AccountId,
        /// Its fee tier.
        fee_tier: u8,
    } = 17,
    /// Answer: an account was frozen or unfrozen.
    AccountFrozen {
        /// Who waits.
        reply: ReplyTo,
        /// Which.
        account: AccountId,
        /// Whether it is frozen now.
        frozen: bool,
    } = 18,
    /// Answer: an operator has put an account into a fee tier, or lets its volume decide.
    AccountFeeTierSet {
        /// Who waits.
        reply: ReplyTo,
        /// Which.
        account: AccountId,
        /// The tier that it is in.
        fee_tier: u8,
        /// Whether it stays there whatever its volume is.
        pinned: bool,
    } = 19,
    /// Answer: there is a new asset.
    AssetDefined {
        /// Who waits.
        reply: ReplyTo,
        /// What.
        asset: AssetDef,
    } = 20,
    /// Answer: there is a new market. It opens in [`MarketState::Continuous`].
    MarketListed {
        /// Who waits.
        reply: ReplyTo,
        /// What.
        market: MarketDef,
    } = 21,
    /// Answer: a fee tier has these rates.
    FeeTierSet {
        /// Who waits.
        reply: ReplyTo,
        /// The tier.
        tier: u8,
        /// Its rates.
        rates: FeeRates,
    } = 22,
    /// Answer: a market changed state. An uncrossing follows if it left an auction.
    MarketStateChanged {
        /// Who waits.
        reply: ReplyTo,
        /// Which.
        market: MarketId,
        /// The new state.
        state: MarketState,
    } = 23,
    /// An auction found its price; its trades follow.
    AuctionUncrossed {
        /// Where.
        market: MarketId,
        /// The one price of all its trades, or zero if nothing crossed.
        price: Price,
        /// Lots that trade at it.
        quantity: Quantity,
    } = 24,
    /// An iceberg shows its next part, behind all others of its price.
    OrderRefilled {
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// The owner.
        account: AccountId,
        /// How much is shown.
        quantity: Quantity,
        /// What it has besides.
        hidden: Quantity,
    } = 25,
    /// A waiting order enters, since a trade fired its trigger. Trades, and rest or cancellation, follow.
    OrderTriggered {
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// The owner.
        account: AccountId,
    } = 26,
    /// Answer: these are all rules of a market.
    MarketRulesSet {
        /// Who waits.
        reply: ReplyTo,
        /// Which.
        market: MarketId,
        /// All of them.
        rules: Box<MarketRules>,
    } = 27,
    /// Answer: a market is to change its state, or is not any more.
    MarketStatePlanned {
        /// Who waits.
        reply: ReplyTo,
        /// Which.
        market: MarketId,
        /// When.
        at: Timestamp,
        /// The state; none if the plan was taken back.
        state: Option<MarketState>,
    } = 28,
    /// Trading stopped before a trade too far from the last price: an auction has begun.
    TradingInterrupted {
        /// Where.
        market: MarketId,
        /// The last price.
        last: Price,
        /// The price of the trade that did not happen.
        would_trade: Price,
        /// When the auction is to end.
        until: Timestamp,
    } = 29,
    /// Answer: a dead man's switch is set, or taken off.
    CountdownSet {
        /// Who waits.
        reply: ReplyTo,
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// When all orders are to be cancelled, or never.
        at: Option<Timestamp>,
    } = 30,
    /// Answer: a list was accepted. The `OrderPlaced` of its orders follow.
    OrderListPlaced(Box<OrderListPlaced>) = 31,
    /// The pending legs of a list are orders now; their `OrderPlaced` follow.
    OrderListAdvanced {
        /// Where.
        market: MarketId,
        /// The list.
        list: OrderId,
        /// The owner.
        account: AccountId,
        /// Their ids.
        orders: Vec<OrderId>,
    } = 32,
    /// A list has ended: what is still open of its orders goes on by itself.
    OrderListEnded {
        /// Where.
        market: MarketId,
        /// The list.
        list: OrderId,
        /// The owner.
        account: AccountId,
        /// How.
        end: ListEnd,
    } = 33,
    /// A component has failed and takes no step until it is released.
    Quarantined {
        /// Which.
        component: Component,
        /// What it said when it failed, and where.
        reason: String,
    } = 34,
    /// Answer: a component goes on.
    QuarantineReleased {
        /// Who waits.
        reply: ReplyTo,
        /// Which.
        component: Component,
        /// Messages that waited for it, and are handled from now on.
        parked: u64,
    } = 35,
    /// Answer: this volume leads to these tiers.
    FeeScheduleSet {
        /// Who waits.
        reply: ReplyTo,
        /// All of it.
        schedule: FeeSchedule,
    } = 36,
    /// Answer: a fee tier has rates of its own in a market, or not any more.
    MarketFeesSet {
        /// Who waits.
        reply: ReplyTo,
        /// Where.
        market: MarketId,
        /// Which tier.
        tier: u8,
        /// Its rates there, or none.
        rates: Option<FeeRates>,
    } = 37,
    /// An account's volume has led it to another fee tier, for the order that follows and later ones.
    FeeTierChanged {
        /// Which.
        account: AccountId,
        /// The tier.
        fee_tier: u8,
        /// What it traded in the last 30 days, in the schedule's unit.
        volume: Amount,
    } = 38,
    /// An account's traded volume of a day is now this.
    VolumeChanged {
        /// Whose.
        account: AccountId,
        /// Days since the Unix epoch (UTC).
        day: u32,
        /// What it traded that day, in the schedule's unit.
        volume: Amount,
    } = 39,
    /// Answer: what was asked waits for approval. Nothing else changed.
    ProposalMade {
        /// Who waits.
        reply: ReplyTo,
        /// What, by whom and why.
        proposal: Box<Proposal>,
    } = 40,
    /// Answer: this reference was used before, by what became an open proposal. Nothing changed.
    ApprovalAwaited {
        /// Who waits.
        reply: ReplyTo,
        /// The account that it is about.
        account: AccountId,
        /// Its number.
        proposal: u64,
    } = 41,
    /// What became of a proposal. An approved act follows, and gives the answer; else this is the
    /// answer, if somebody waits.
    ProposalDecided {
        /// Who waits, or nobody.
        reply: ReplyTo,
        /// Its number.
        proposal: u64,
        /// What became of it.
        decision: Decision,
        /// Who decided; none if its time came.
        operator: OperatorName,
    } = 42,
    /// Answer: an asset has this ceiling.
    ReservesAttested {
        /// Who waits.
        reply: ReplyTo,
        /// Who attested: of two, the first.
        operator: OperatorName,
        /// Of what.
        asset: AssetId,
        /// How much may exist without approval.
        ceiling: Amount,
        /// Hash of the document that shows the reserves.
        evidence: [u8; 32],
    } = 43,
    /// Answer: an asset has this policy.
    CreditPolicySet {
        /// Who waits.
        reply: ReplyTo,
        /// Who asked: of two, the first.
        operator: OperatorName,
        /// Of what.
        asset: AssetId,
        /// All of it.
        policy: Box<CreditPolicy>,
    } = 44,
    /// Answer: a source is of this kind.
    SourceKindSet {
        /// Who waits.
        reply: ReplyTo,
        /// Who asked: of two, the first.
        operator: OperatorName,
        /// Which.
        source: u32,
        /// What it is.
        kind: SourceKind,
    } = 45,
    /// Answer: a market is to change its units, or is not any more. Without a reply: the plan could not
    /// be carried out and is dropped.
    RedefinitionPlanned {
        /// Who waits, or nobody.
        reply: ReplyTo,
        /// Which.
        market: MarketId,
        /// When.
        at: Timestamp,
        /// What changes; none if the plan is gone.
        redefinition: Option<Redefinition>,
    } = 46,
    /// Answer: a market is to end, or is not any more.
    DelistingPlanned {
        /// Who waits.
        reply: ReplyTo,
        /// Which.
        market: MarketId,
        /// When; none if the plan was taken back.
        at: Option<Timestamp>,
    } = 47,
    /// A market has other units: prices and quantities of later entries of its partition mean this
    /// definition, those up to this event the one before. What is open has been converted; what could
    /// not be was cancelled before this.
    MarketRedefined {
        /// The definition from now on.
        market: MarketDef,
        /// The tick before.
        old_tick: Decimal,
        /// The lot before.
        old_lot: Decimal,
    } = 48,
    /// A market that was trading when the log broke off comes back by this step; the change of state
    /// follows.
    MarketReopening {
        /// Which.
        market: MarketId,
        /// First cancel-only, then an auction.
        state: MarketState,
        /// When the step is to end.
        until: Timestamp,
    } = 49,
    /// Self-trade prevention took lots off an incoming order without a trade.
    OrderDecremented {
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
        /// The owner.
        account: AccountId,
        /// How many lots.
        quantity: Quantity,
        /// What it still wants. Zero for market orders by quote.
        remaining: Quantity,
    } = 50,
}
