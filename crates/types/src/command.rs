//! What enters a log: client requests, messages from other partitions, and the sequencer's own.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    AccountId, Amount, AssetDef, AssetId, ClientOrderId, Component, CreditPolicy, FeeRates,
    FeeSchedule, MarketDef, MarketId, MarketRules, MarketState, Message, OperatorName, OrderId,
    PartitionId, PlaceOrder, PlaceOrderList, Price, Quantity, Redefinition, Seq, SourceKind,
    Timestamp, Topology,
};

/// A command with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the partition's log, without gaps.
    pub seq: Seq,
    /// When the sequencer stamped it. Never before the entry before it.
    pub time: Timestamp,
    /// What to do.
    pub command: Command,
}

/// Who waits for the answer, and what a reader of that answer must wait for besides it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReplyTo {
    /// A gateway session of one process life, or zero: nobody waits.
    pub session: u64,
    /// That session's name for the request.
    pub token: u64,
    /// The last partition that the command passed before the one that answers.
    pub passed: PartitionId,
    /// The entry there; zero if it passed none.
    pub passed_seq: Seq,
}

impl ReplyTo {
    /// Nobody waits.
    pub const NOBODY: Self =
        Self { session: 0, token: 0, passed: PartitionId(0), passed_seq: Seq(0) };

    /// A waiting session's token.
    #[must_use]
    pub const fn new(session: u64, token: u64) -> Self {
        Self { session, token, ..Self::NOBODY }
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.session == 0
    }
}

/// One entry's content.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Command {
    /// From a client or an operator.
    Request {
        /// Who waits for the answer.
        reply: ReplyTo,
        /// Refused when sequenced later than this.
        valid_until: Timestamp,
        /// What is asked.
        request: Request,
    } = 1,
    /// Messages of another partition's channel.
    Deliver(Delivery) = 2,
    /// Another partition has made the messages of our channel to it durable.
    Acknowledge {
        /// That partition.
        by: PartitionId,
        /// The last number that it has.
        through: u64,
    } = 3,
    /// Go on with work that the last entries left.
    Continue = 4,
    /// A new leader writes this log.
    NewTerm {
        /// Rises with every start.
        term: u64,
    } = 5,
    /// Which partition hosts what: the first entry of a log.
    SetTopology(Topology) = 6,
    /// The clock has reached the partition's next deadline.
    Tick = 7,
    /// A component here has failed on the command that follows: from this entry on it takes no step until
    /// [`Request::ReleaseQuarantine`].
    Quarantine {
        /// Which.
        component: Component,
        /// What it said when it failed, and where.
        reason: String,
    } = 8,
    /// The leader ends in order: the last entry of its term. A [`Command::NewTerm`] after anything else
    /// is an unclean start.
    EndTerm = 9,
}

/// Consecutive messages of one channel.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Delivery {
    /// The sending partition.
    pub from: PartitionId,
    /// The number of the first message; a channel counts from 1.
    pub first: u64,
    /// The messages.
    pub messages: Vec<Message>,
}

/// Names a change of value from outside: each source counts its own from 1 without gaps. A number is
/// used up by its first command, also when that is rejected (except for the number itself); a
/// command that repeats the source's last number gets the first one's outcome again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct TreasuryReference {
    /// Who vouches for it: a wallet, an operator's desk.
    pub source: u32,
    /// That source's next number.
    pub number: u64,
}

/// What a client or an operator asks. The verb is the same in every layer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Request {
    /// A new order.
    PlaceOrder(PlaceOrder) = 1,
    /// Another price or quantity for an open order. Less quantity at the same price keeps the place
    /// in the queue; all else loses it and gives the order a new id.
    AmendOrder {
        /// The owner.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// The version of the market's definition that price and quantity mean.
        version: u32,
        /// The order.
        order: OrderId,
        /// New price, or the old one.
        price: Option<Price>,
        /// New total quantity, filled part included, or the old one.
        quantity: Option<Quantity>,
        /// Refuse it if the order would lose its place.
        keep_priority: bool,
    } = 2,
    /// Cancel by order id.
    CancelOrder {
        /// The owner.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// The order.
        order: OrderId,
    } = 3,
    /// Cancel by the client's id.
    CancelByClientId {
        /// The owner.
        account: AccountId,
        /// The id it was placed with.
        client_order_id: ClientOrderId,
    } = 4,
    /// Cancel all that the account placed in a market before this.
    CancelAll {
        /// The owner.
        account: AccountId,
        /// Where.
        market: MarketId,
    } = 5,
    /// Move funds between accounts.
    Transfer {
        /// Pays.
        from: AccountId,
        /// Receives; need not exist: then the funds go to its slot's suspense account.
        to: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Idempotency key of the payer.
        client_id: ClientOrderId,
    } = 6,
    /// Lock funds that are to leave the exchange.
    ReserveDebit {
        /// Pays.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Idempotency key, and the name of the pending debit.
        client_id: ClientOrderId,
    } = 7,
    /// A pending debit has left the exchange.
    SettleDebit {
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Who paid.
        account: AccountId,
        /// The name of the pending debit.
        client_id: ClientOrderId,
    } = 8,
    /// A pending debit will not leave: its funds are available again.
    ReleaseDebit {
        /// Who would have paid.
        account: AccountId,
        /// The name of the pending debit.
        client_id: ClientOrderId,
    } = 9,
    /// Value came from outside.
    Credit {
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Who asks, if a person does.
        operator: OperatorName,
        /// Receives; need not exist: then the funds go to its slot's suspense account.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    } = 10,
    /// Value leaves at once.
    Debit {
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Who asks, if a person does.
        operator: OperatorName,
        /// Pays.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    } = 11,
    /// Open an account.
    CreateAccount {
        /// Its id, above zero.
        account: AccountId,
        /// Its fee tier.
        fee_tier: u8,
    } = 12,
    /// Freeze or unfreeze an account.
    FreezeAccount {
        /// Which.
        account: AccountId,
        /// Whether it is to be frozen.
        frozen: bool,
    } = 13,
    /// Put an account into a fee tier, for orders placed from now on, or let its volume decide.
    SetAccountFeeTier {
        /// Which.
        account: AccountId,
        /// The tier, which no volume changes then; none: the one that the account's volume leads to.
        fee_tier: Option<u8>,
    } = 14,
    /// A new asset.
    DefineAsset(AssetDef) = 15,
    /// A new market.
    ListMarket(Box<MarketDef>) = 16,
    /// The rates of a fee tier, for orders placed from now on.
    SetFeeTier {
        /// The tier.
        tier: u8,
        /// Its rates.
        rates: FeeRates,
    } = 17,
    /// Continue, halt, or open an auction. Leaving an auction uncrosses it first.
    SetMarketState {
        /// Where.
        market: MarketId,
        /// The new state.
        state: MarketState,
    } = 18,
    /// All rules of a market, for what comes from now on.
    SetMarketRules {
        /// Which.
        market: MarketId,
        /// All of them.
        rules: Box<MarketRules>,
    } = 19,
    /// Put a market into a state at a time to come.
    PlanMarketState {
        /// Where.
        market: MarketId,
        /// When: one plan for each time.
        at: Timestamp,
        /// The state; none takes the plan back.
        state: Option<MarketState>,
    } = 20,
    /// Cancel one order and place another of the same account in the same market, with nothing of the
    /// account's in between. The answer is that of the placement.
    ReplaceOrder(Box<ReplaceOrder>) = 21,
    /// Cancel all orders of the account in a market when so much time has passed without another command
    /// of this kind: the dead man's switch.
    SetCountdown {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// In so many milliseconds; zero: never.
        after_ms: u32,
    } = 22,
    /// Orders that depend on each other, accepted or refused together.
    PlaceOrderList(Box<PlaceOrderList>) = 23,
    /// Cancel a list: all its orders, and what pends.
    CancelOrderList {
        /// The owner.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// The list: the id of its first order.
        list: OrderId,
    } = 24,
    /// Let a component go on that has failed. What waited for it comes first.
    ReleaseQuarantine {
        /// Which.
        component: Component,
    } = 25,
    /// Which volume leads to which fee tier, from now on. An empty schedule counts nothing.
    SetFeeSchedule(FeeSchedule) = 26,
    /// The rates of a fee tier in one market, for orders placed from now on.
    SetMarketFees {
        /// Where.
        market: MarketId,
        /// Which tier.
        tier: u8,
        /// Its rates there; none: the tier's own again.
        rates: Option<FeeRates>,
    } = 27,
    /// These are the reserves of an asset: no more of it may exist here without approval.
    AttestReserves {
        /// Who says so.
        operator: OperatorName,
        /// Of what.
        asset: AssetId,
        /// How much.
        ceiling: Amount,
        /// Hash of the document that shows it.
        evidence: [u8; 32],
    } = 28,
    /// All of what needs approval with an asset, besides its ceiling.
    SetCreditPolicy {
        /// Who asks.
        operator: OperatorName,
        /// Of what.
        asset: AssetId,
        /// All of it.
        policy: Box<CreditPolicy>,
    } = 29,
    /// Whether a source is an operator's desk or a machine.
    SetSourceKind {
        /// Who asks.
        operator: OperatorName,
        /// Which.
        source: u32,
        /// What it is from now on.
        kind: SourceKind,
    } = 30,
    /// Agree to a proposal. The answer is that of the act, or that a first operator has agreed.
    ApproveProposal {
        /// Who agrees.
        operator: OperatorName,
        /// Its number.
        proposal: u64,
    } = 31,
    /// End a proposal undone.
    RejectProposal {
        /// Who ends it.
        operator: OperatorName,
        /// Its number.
        proposal: u64,
    } = 32,
    /// Change tick, lot and bounds of a market at a time to come. What is open then is converted, or
    /// cancelled where it is no whole number of the new units.
    PlanRedefinition {
        /// Which.
        market: MarketId,
        /// When: one plan for each time.
        at: Timestamp,
        /// The new units and bounds; none takes the plan back.
        redefinition: Option<Box<Redefinition>>,
    } = 33,
    /// End a market for good at a time to come: what is open then is cancelled.
    PlanDelisting {
        /// Which.
        market: MarketId,
        /// When; another time replaces it, none takes the plan back.
        at: Option<Timestamp>,
    } = 34,
}

/// A cancel with a placement behind it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReplaceOrder {
    /// The order that is to go.
    pub cancel: OrderId,
    /// Whether the placement depends on the cancel: then the answer is why it failed.
    pub stop_on_failure: bool,
    /// The order that is to come.
    pub order: PlaceOrder,
}

/// The verb of a [`Request`], for answers and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of Request, documented there")]
pub enum RequestKind {
    PlaceOrder = 1,
    AmendOrder = 2,
    CancelOrder = 3,
    CancelByClientId = 4,
    CancelAll = 5,
    Transfer = 6,
    ReserveDebit = 7,
    SettleDebit = 8,
    ReleaseDebit = 9,
    Credit = 10,
    Debit = 11,
    CreateAccount = 12,
    FreezeAccount = 13,
    SetAccountFeeTier = 14,
    DefineAsset = 15,
    ListMarket = 16,
    SetFeeTier = 17,
    SetMarketState = 18,
    SetMarketRules = 19,
    PlanMarketState = 20,
    ReplaceOrder = 21,
    SetCountdown = 22,
    PlaceOrderList = 23,
    CancelOrderList = 24,
    ReleaseQuarantine = 25,
    SetFeeSchedule = 26,
    SetMarketFees = 27,
    AttestReserves = 28,
    SetCreditPolicy = 29,
    SetSourceKind = 30,
    ApproveProposal = 31,
    RejectProposal = 32,
    PlanRedefinition = 33,
    PlanDelisting = 34,
}

impl RequestKind {
    /// The name in `snake_case`, as metrics and streams show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PlaceOrder => "place_order",
            Self::AmendOrder => "amend_order",
            Self::CancelOrder => "cancel_order",
            Self::CancelByClientId => "cancel_by_client_id",
            Self::CancelAll => "cancel_all",
            Self::Transfer => "transfer",
            Self::ReserveDebit => "reserve_debit",
            Self::SettleDebit => "settle_debit",
            Self::ReleaseDebit => "release_debit",
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::CreateAccount => "create_account",
            Self::FreezeAccount => "freeze_account",
            Self::SetAccountFeeTier => "set_account_fee_tier",
            Self::DefineAsset => "define_asset",
            Self::ListMarket => "list_market",
            Self::SetFeeTier => "set_fee_tier",
            Self::SetMarketState => "set_market_state",
            Self::SetMarketRules => "set_market_rules",
            Self::PlanMarketState => "plan_market_state",
            Self::ReplaceOrder => "replace_order",
            Self::SetCountdown => "set_countdown",
            Self::PlaceOrderList => "place_order_list",
            Self::CancelOrderList => "cancel_order_list",
            Self::ReleaseQuarantine => "release_quarantine",
            Self::SetFeeSchedule => "set_fee_schedule",
            Self::SetMarketFees => "set_market_fees",
            Self::AttestReserves => "attest_reserves",
            Self::SetCreditPolicy => "set_credit_policy",
            Self::SetSourceKind => "set_source_kind",
            Self::ApproveProposal => "approve_proposal",
            Self::RejectProposal => "reject_proposal",
            Self::PlanRedefinition => "plan_redefinition",
            Self::PlanDelisting => "plan_delisting",
        }
    }
}

impl Request {
    /// The verb.
    #[must_use]
    pub fn kind(&self) -> RequestKind {
        match self {
            Self::PlaceOrder(_) => RequestKind::PlaceOrder,
            Self::AmendOrder { .. } => RequestKind::AmendOrder,
            Self::CancelOrder { .. } => RequestKind::CancelOrder,
            Self::CancelByClientId { .. } => RequestKind::CancelByClientId,
            Self::CancelAll { .. } => RequestKind::CancelAll,
            Self::Transfer { .. } => RequestKind::Transfer,
            Self::ReserveDebit { .. } => RequestKind::ReserveDebit,
            Self::SettleDebit { .. } => RequestKind::SettleDebit,
            Self::ReleaseDebit { .. } => RequestKind::ReleaseDebit,
            Self::Credit { .. } => RequestKind::Credit,
            Self::Debit { .. } => RequestKind::Debit,
            Self::CreateAccount { .. } => RequestKind::CreateAccount,
            Self::FreezeAccount { .. } => RequestKind::FreezeAccount,
            Self::SetAccountFeeTier { .. } => RequestKind::SetAccountFeeTier,
            Self::DefineAsset(_) => RequestKind::DefineAsset,
            Self::ListMarket(_) => RequestKind::ListMarket,
            Self::SetFeeTier { .. } => RequestKind::SetFeeTier,
            Self::SetMarketState { .. } => RequestKind::SetMarketState,
            Self::SetMarketRules { .. } => RequestKind::SetMarketRules,
            Self::PlanMarketState { .. } => RequestKind::PlanMarketState,
            Self::ReplaceOrder(_) => RequestKind::ReplaceOrder,
            Self::SetCountdown { .. } => RequestKind::SetCountdown,
            Self::PlaceOrderList(_) => RequestKind::PlaceOrderList,
            Self::CancelOrderList { .. } => RequestKind::CancelOrderList,
            Self::ReleaseQuarantine { .. } => RequestKind::ReleaseQuarantine,
            Self::SetFeeSchedule(_) => RequestKind::SetFeeSchedule,
            Self::SetMarketFees { .. } => RequestKind::SetMarketFees,
            Self::AttestReserves { .. } => RequestKind::AttestReserves,
            Self::SetCreditPolicy { .. } => RequestKind::SetCreditPolicy,
            Self::SetSourceKind { .. } => RequestKind::SetSourceKind,
            Self::ApproveProposal { .. } => RequestKind::ApproveProposal,
            Self::RejectProposal { .. } => RequestKind::RejectProposal,
            Self::PlanRedefinition { .. } => RequestKind::PlanRedefinition,
            Self::PlanDelisting { .. } => RequestKind::PlanDelisting,
        }
    }

    /// Whether this frees resources: such requests may use the queue's reserved slots.
    #[must_use]
    pub fn is_cancel(&self) -> bool {
        matches!(
            self,
            Self::CancelOrder { .. }
                | Self::CancelByClientId { .. }
                | Self::CancelAll { .. }
                | Self::CancelOrderList { .. }
        )
    }
}
