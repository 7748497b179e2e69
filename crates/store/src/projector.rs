//! Projects events into the history: exactly once, since the cursor moves in the same transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior, params};
use types::{
    AccountId, Amount, AssetId, Conversion, Decimal, EntryEvents, Event, EventBatch, MarketDef,
    MarketId, MarketState, OrderId, PartitionId, Seq, Side, Trade, TradeSide,
};

use crate::aggregate::Aggregate;
use crate::database::Database;
use crate::error::{Result, StoreError};
use crate::known_orders::KnownOrders;
use crate::order_row::{self, Moment, Order, Placement, side_word};
use crate::store::sql_integer;
use crate::{list_rows, treasury_rows};

const INSERT_TRADE: &str = "INSERT INTO trades (market, trade_id, price, quantity, base_amount, \
    quote_amount, aggressor, buyer, buy_order, buyer_fee, seller, sell_order, seller_fee, \
    maker_rebate, time, partition, seq, event_index, aggregate) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";

const INSERT_ENTRY: &str = "INSERT INTO ledger_entries (account, asset, delta, kind, reference, \
    suspense, time, partition, seq, event_index) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Writes the history. See [`crate::Store::projector`].
pub struct Projector {
    database: Arc<Database>,
    known: KnownOrders,
}

/// What a call has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Projected {
    /// Entries of logs, those without events too.
    pub entries: u64,
    /// Rows inserted or updated.
    pub rows: u64,
}

impl Projector {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database, known: KnownOrders::default() }
    }

    /// Projects the entries that are not in yet, of one or several partitions, in one transaction:
    /// many batches in one call are faster than many calls. On an error nothing of the call is in.
    ///
    /// # Errors
    /// [`StoreError::Gap`]; [`StoreError::UnknownMarket`] when trades came before the listing of
    /// their market in the registry's partition (feed that one, and repeat); or when the database
    /// fails.
    pub fn apply(&mut self, batches: &[Arc<EventBatch>]) -> Result<Projected> {
        let mut writer = self.database.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Taken out, so that nothing is known after an error.
        let known = std::mem::take(&mut self.known);
        let (projected, known) = Projection::begin(&transaction, known)?.run(batches)?;
        transaction.commit()?;
        self.known = known;
        Ok(projected)
    }

    /// Where the history ends. As [`crate::Store::cursor`].
    ///
    /// # Errors
    /// When the database fails.
    pub fn cursor(&self, partition: PartitionId) -> Result<Seq> {
        let cursors = load_cursors(&self.database.writer())?;
        Ok(cursors.get(&partition).copied().unwrap_or_default())
    }
}

/// One transaction's work.
struct Projection<'t> {
    transaction: &'t Transaction<'t>,
    insert_trade: CachedStatement<'t>,
    insert_entry: CachedStatement<'t>,
    select_order: CachedStatement<'t>,
    cursors: BTreeMap<PartitionId, Seq>,
    /// Orders that it has not touched.
    known: KnownOrders,
    /// Base and quote by market.
    markets: HashMap<MarketId, (AssetId, AssetId)>,
    /// Orders that this transaction touched, in the order in which it met them.
    #[expect(clippy::vec_box, reason = "they go on to those that are known, and are large")]
    orders: Vec<Box<Order>>,
    order_at: HashMap<(MarketId, OrderId), usize>,
    /// The lists of orders that the entry is about to place.
    lists: HashMap<(MarketId, OrderId), OrderId>,
    /// The last aggregate of each market that this transaction met.
    aggregates: HashMap<MarketId, Aggregate>,
    /// Orders by quote that traded in the entry.
    spent: Vec<(MarketId, OrderId)>,
    projected: Projected,
}

/// Names an event.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) partition: PartitionId,
    pub(crate) index: u32,
    pub(crate) moment: Moment,
}

/// A change of a balance.
struct Posting<'a> {
    account: AccountId,
    asset: AssetId,
    amount: Amount,
    kind: &'static str,
    reference: &'a str,
    suspense: bool,
}

impl<'t> Projection<'t> {
    fn begin(transaction: &'t Transaction<'t>, known: KnownOrders) -> Result<Self> {
        let cursors = load_cursors(transaction)?;
        Ok(Self {
            transaction,
            insert_trade: transaction.prepare_cached(INSERT_TRADE)?,
            insert_entry: transaction.prepare_cached(INSERT_ENTRY)?,
            select_order: transaction.prepare_cached(order_row::SELECT)?,
            known: known.at(&cursors),
            cursors,
            markets: load_markets(transaction)?,
            orders: Vec::new(),
            order_at: HashMap::new(),
            lists: HashMap::new(),
            aggregates: HashMap::new(),
            spent: Vec::new(),
            projected: Projected::default(),
        })
    }

    fn run(mut self, batches: &[Arc<EventBatch>]) -> Result<(Projected, KnownOrders)> {
        // Another partition's trades may stand before the listing of their market.
        self.list_markets(batches)?;
        for batch in batches {
            let partition = batch.partition;
            let cursor = self.cursors.get(&partition).copied().unwrap_or_default();
            let (Some(found), Some(last)) = (batch.first_seq(), batch.last_seq()) else {
                continue;
            };
            if found > cursor.next() {
                return Err(StoreError::Gap { partition, expected: cursor.next(), found });
            }
            for entry in batch.iter_after(cursor) {
                self.entry(partition, &entry)?;
            }
            self.cursors.insert(partition, last.max(cursor));
        }
        self.finish()
    }

    fn list_markets(&mut self, batches: &[Arc<EventBatch>]) -> Result<()> {
        let entries = batches.iter().flat_map(|batch| batch.iter());
        for event in entries.flat_map(|entry| entry.events) {
            if let Event::MarketListed { market, .. } = event {
                self.list_market(market)?;
            }
        }
        Ok(())
    }

    fn list_market(&mut self, def: &MarketDef) -> Result<()> {
        self.markets.insert(def.id, (def.base, def.quote));
        self.transaction.execute(
            "INSERT OR REPLACE INTO markets (market, base, quote) VALUES (?1, ?2, ?3)",
            [def.id.0, def.base.0, def.quote.0],
        )?;
        Ok(())
    }

    fn entry(&mut self, partition: PartitionId, entry: &EntryEvents<'_>) -> Result<()> {
        let moment = Moment { seq: entry.seq, time: entry.time };
        for (index, event) in (0..).zip(entry.events) {
            self.event(Stamp { partition, index, moment }, event)?;
        }
        for (market, order) in std::mem::take(&mut self.spent) {
            self.order(Stamp { partition, index: 0, moment }, market, order)?.end_spent(moment);
        }
        self.projected.entries += 1;
        Ok(())
    }

    fn event(&mut self, at: Stamp, event: &Event) -> Result<()> {
        let moment = at.moment;
        match *event {
            Event::OrderPlaced {
                market,
                order,
                account,
                client_order_id,
                side,
                spec,
                ref conditions,
                ..
            } => {
                let list = self.lists.remove(&(market, order));
                let conditions = **conditions;
                let placement = Placement {
                    market,
                    order,
                    account,
                    client_order_id,
                    side,
                    spec,
                    conditions,
                    list,
                };
                self.keep(market, order, Box::new(Order::placed(moment, &placement)));
            }
            Event::OrderListPlaced(ref placed) => {
                self.note_list(placed.market, placed.list, &placed.orders);
                self.projected.rows += list_rows::begin(self.transaction, at, placed)?;
            }
            Event::OrderListEnded { market, list, .. } => {
                self.projected.rows += list_rows::end(self.transaction, at, market, list)?;
            }
            Event::OrderListAdvanced { market, list, ref orders, .. } => {
                self.note_list(market, list, orders);
            }
            Event::OrderTriggered { market, order, .. } => {
                self.order(at, market, order)?.trigger(moment);
            }
            Event::Trade(ref trade) => self.trade(at, trade)?,
            Event::OrderRested { market, order, quantity, hidden, .. } => {
                self.order(at, market, order)?.rest(moment, quantity + hidden);
            }
            Event::OrderCancelled { market, order, remaining, cause, .. } => {
                self.order(at, market, order)?.cancel(moment, remaining, cause);
            }
            Event::OrderReduced { reply, market, order, remaining, .. } => {
                let state = self.order(at, market, order)?;
                let before = state.total();
                state.reduce(moment, remaining);
                let after = state.total();
                if !reply.is_nobody() {
                    let quantities = (before, after);
                    let amended = list_rows::amend(self.transaction, at, market, order, quantities);
                    self.projected.rows += amended?;
                }
            }
            Event::OrderDecremented { market, order, remaining, .. } => {
                self.order(at, market, order)?.reduce(moment, remaining);
            }
            Event::OrderReplaced { market, old_order, order, price, quantity, .. } => {
                let old = self.order(at, market, old_order)?;
                let new = old.replace(moment, order, price, quantity);
                self.keep(market, order, Box::new(new));
            }
            Event::Credited { reference, account, asset, amount, suspense, .. } => {
                let reference = format!("{}:{}", reference.source, reference.number);
                let reference = reference.as_str();
                let kind = "credit";
                let posting = Posting { account, asset, amount, kind, reference, suspense };
                self.gain(at, &posting)?;
            }
            Event::Debited { reference, account, asset, amount, .. } => {
                let reference = format!("{}:{}", reference.source, reference.number);
                let (reference, suspense) = (reference.as_str(), false);
                let kind = "debit";
                let posting = Posting { account, asset, amount, kind, reference, suspense };
                self.lose(at, &posting)?;
            }
            Event::TransferredOut { account, to, asset, amount, .. } => {
                let reference = to.to_string();
                let (reference, suspense) = (reference.as_str(), false);
                let kind = "transfer_out";
                let posting = Posting { account, asset, amount, kind, reference, suspense };
                self.lose(at, &posting)?;
            }
            Event::TransferredIn { account, from, asset, amount, suspense } => {
                let reference = from.to_string();
                let reference = reference.as_str();
                let kind = "transfer_in";
                let posting = Posting { account, asset, amount, kind, reference, suspense };
                self.gain(at, &posting)?;
            }
            Event::ProposalMade { .. }
            | Event::ProposalDecided { .. }
            | Event::ReservesAttested { .. }
            | Event::CreditPolicySet { .. }
            | Event::SourceKindSet { .. } => {
                self.projected.rows += treasury_rows::project(self.transaction, at, event)?;
            }
            Event::MarketRedefined { ref market, old_tick, old_lot } => {
                self.redefine(at, market, (old_tick, old_lot))?;
            }
            Event::MarketStateChanged { market, state: MarketState::Delisted, .. } => {
                self.transaction.execute(
                    "INSERT OR REPLACE INTO delistings (market, time) VALUES (?1, ?2)",
                    params![market.0, sql_integer(moment.time.0, "a time")?],
                )?;
            }
            // Listed before the first batch; the others change neither orders nor total balances.
            Event::MarketListed { .. }
            | Event::OrderRefilled { .. }
            | Event::Rejected { .. }
            | Event::Repeated { .. }
            | Event::CancelAllAccepted { .. }
            | Event::BalanceChanged { .. }
            | Event::DebitReserved { .. }
            | Event::DebitReleased { .. }
            | Event::AccountCreated { .. }
            | Event::AccountFrozen { .. }
            | Event::AccountFeeTierSet { .. }
            | Event::AssetDefined { .. }
            | Event::FeeTierSet { .. }
            | Event::MarketStateChanged { .. }
            | Event::AuctionUncrossed { .. }
            | Event::MarketRulesSet { .. }
            | Event::MarketStatePlanned { .. }
            | Event::TradingInterrupted { .. }
            | Event::Quarantined { .. }
            | Event::QuarantineReleased { .. }
            | Event::FeeScheduleSet { .. }
            | Event::MarketFeesSet { .. }
            | Event::FeeTierChanged { .. }
            | Event::VolumeChanged { .. }
            | Event::ApprovalAwaited { .. }
            | Event::MarketReopening { .. }
            | Event::RedefinitionPlanned { .. }
            | Event::DelistingPlanned { .. }
            | Event::CountdownSet { .. } => {}
        }
        Ok(())
    }

    /// Their placements follow in the same entry.
    fn note_list(&mut self, market: MarketId, list: OrderId, orders: &[OrderId]) {
        self.lists.extend(orders.iter().map(|&order| ((market, order), list)));
    }

    fn trade(&mut self, at: Stamp, trade: &Trade) -> Result<()> {
        let aggregate = self.aggregate_of(at, trade)?;
        self.insert_trade.execute(params![
            trade.market.0,
            sql_integer(trade.trade.0, "a trade id")?,
            sql_integer(trade.price.get(), "a price")?,
            sql_integer(trade.quantity.get(), "a quantity")?,
            trade.base_amount.to_string(),
            trade.quote_amount.to_string(),
            trade.aggressor.map(side_word),
            trade.buyer.account.0,
            sql_integer(trade.buyer.order.0, "an order id")?,
            trade.buyer.fee.total().to_string(),
            trade.seller.account.0,
            sql_integer(trade.seller.order.0, "an order id")?,
            trade.seller.fee.total().to_string(),
            (trade.buyer.fee.rebate() + trade.seller.fee.rebate()).to_string(),
            sql_integer(at.moment.time.0, "a time")?,
            at.partition.0,
            sql_integer(at.moment.seq.0, "a seq")?,
            at.index,
            sql_integer(aggregate, "an aggregate")?,
        ])?;
        self.projected.rows += 1;
        let assets = self.markets.get(&trade.market).copied();
        let (base, quote) = assets.ok_or(StoreError::UnknownMarket(trade.market))?;
        let (base, quote) = ((base, trade.base_amount), (quote, trade.quote_amount));
        let reference = format!("{}:{}", trade.market, trade.trade);
        self.side(at, trade, Side::Buy, quote, base, &reference)?;
        self.side(at, trade, Side::Sell, base, quote, &reference)
    }

    /// The number of the aggregate that a trade belongs to.
    fn aggregate_of(&mut self, at: Stamp, trade: &Trade) -> Result<u64> {
        let last = match self.aggregates.get(&trade.market) {
            Some(known) => *known,
            None => Aggregate::last_of(self.transaction, trade.market)?,
        };
        let this = last.with(at.moment.seq, trade);
        self.aggregates.insert(trade.market, this);
        Ok(this.number)
    }

    /// One side of a trade: its order, and its postings: what is paid and received, and a fee or a rebate.
    fn side(
        &mut self,
        at: Stamp,
        trade: &Trade,
        side: Side,
        paid: (AssetId, Amount),
        received: (AssetId, Amount),
        reference: &str,
    ) -> Result<()> {
        let party: &TradeSide = match side {
            Side::Buy => &trade.buyer,
            Side::Sell => &trade.seller,
        };
        let fee = party.fee.total();
        let order = self.order(at, trade.market, party.order)?;
        order.fill(at.moment, trade.quantity, trade.quote_amount, fee, party.remaining);
        if order.is_by_quote() {
            self.spent.push((trade.market, party.order));
        }
        let posting = |(asset, amount), kind| Posting {
            account: party.account,
            asset,
            amount,
            kind,
            reference,
            suspense: false,
        };
        self.lose(at, &posting(paid, "trade"))?;
        self.gain(at, &posting(received, "trade"))?;
        if !fee.is_zero() {
            self.lose(at, &posting((received.0, fee), "fee"))?;
        }
        let rebate = party.fee.rebate();
        if !rebate.is_zero() {
            self.gain(at, &posting((paid.0, rebate), "rebate"))?;
        }
        Ok(())
    }

    fn gain(&mut self, at: Stamp, posting: &Posting<'_>) -> Result<()> {
        self.post(at, posting, posting.amount.to_string())
    }

    fn lose(&mut self, at: Stamp, posting: &Posting<'_>) -> Result<()> {
        self.post(at, posting, format!("-{}", posting.amount))
    }

    fn post(&mut self, at: Stamp, posting: &Posting<'_>, delta: String) -> Result<()> {
        self.insert_entry.execute(params![
            posting.account.0,
            posting.asset.0,
            delta,
            posting.kind,
            posting.reference,
            posting.suspense,
            sql_integer(at.moment.time.0, "a time")?,
            at.partition.0,
            sql_integer(at.moment.seq.0, "a seq")?,
            at.index,
        ])?;
        self.projected.rows += 1;
        Ok(())
    }

    /// Open orders of the market count in other units from now on; the rows of what has ended stay, and a row
    /// of `market_units` says what they meant.
    fn redefine(&mut self, at: Stamp, def: &MarketDef, old: (Decimal, Decimal)) -> Result<()> {
        let invalid = StoreError::UnknownMarket(def.id);
        let conversion = Conversion::between(old, (def.tick, def.lot)).ok_or(invalid)?;
        for order in self.open_orders(def.id)? {
            self.order(at, def.id, order)?.convert(&conversion);
        }
        let through = sql_integer(at.moment.seq.0, "a seq")?;
        self.transaction.execute(
            "INSERT OR REPLACE INTO market_units (market, version, through, tick, lot) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![def.id.0, def.version - 1, through, old.0.to_string(), old.1.to_string()],
        )?;
        Ok(())
    }

    /// Those in the database and those that this transaction has met.
    fn open_orders(&self, market: MarketId) -> Result<BTreeSet<OrderId>> {
        let mut select = self.transaction.prepare_cached(order_row::SELECT_OPEN)?;
        let id = |row: &rusqlite::Row<'_>| Ok(OrderId(row.get::<_, i64>(0)? as u64));
        let mut open: BTreeSet<_> = select.query_map([market.0], id)?.collect::<Result<_, _>>()?;
        let met = self.order_at.iter().filter(|((of, _), _)| *of == market);
        for (&(_, order), &place) in met {
            if self.orders[place].is_open() {
                open.insert(order)
            } else {
                open.remove(&order)
            };
        }
        Ok(open)
    }

    fn keep(&mut self, market: MarketId, order: OrderId, state: Box<Order>) {
        self.order_at.insert((market, order), self.orders.len());
        self.orders.push(state);
    }

    /// An order as it stands, loaded if neither this transaction nor those before it have met it.
    fn order(&mut self, at: Stamp, market: MarketId, order: OrderId) -> Result<&mut Order> {
        if !self.order_at.contains_key(&(market, order)) {
            let state = match self.known.take((market, order)) {
                Some(known) => known,
                None => Box::new(self.load(at, market, order)?),
            };
            self.keep(market, order, state);
        }
        let place = self.order_at[&(market, order)];
        Ok(&mut self.orders[place])
    }

    fn load(&mut self, at: Stamp, market: MarketId, order: OrderId) -> Result<Order> {
        let id = sql_integer(order.0, "an order id")?;
        let mut rows = self.select_order.query(params![market.0, id])?;
        let Some(row) = rows.next()? else {
            let (partition, seq) = (at.partition, at.moment.seq);
            return Err(StoreError::UnknownOrder { partition, seq, market, order });
        };
        Order::loaded(row)
    }

    /// Writes the touched orders and the cursors.
    fn finish(mut self) -> Result<(Projected, KnownOrders)> {
        let mut insert = self.transaction.prepare_cached(order_row::INSERT)?;
        let mut update = self.transaction.prepare_cached(order_row::UPDATE)?;
        let mut convert = self.transaction.prepare_cached(order_row::UPDATE_UNITS)?;
        for mut order in self.orders {
            order.write_units(&mut convert)?;
            self.projected.rows += order.write(&mut insert, &mut update)?;
            if order.is_open() {
                self.known.keep(order.key(), order);
            }
        }
        let mut move_cursor = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO projection_cursor (partition, seq) VALUES (?1, ?2)",
        )?;
        for (partition, seq) in &self.cursors {
            move_cursor.execute(params![partition.0, sql_integer(seq.0, "a seq")?])?;
        }
        self.known.move_to(self.cursors);
        Ok((self.projected, self.known))
    }
}

fn load_cursors(connection: &Connection) -> Result<BTreeMap<PartitionId, Seq>> {
    let mut statement =
        connection.prepare_cached("SELECT partition, seq FROM projection_cursor")?;
    let cursor =
        |row: &rusqlite::Row<'_>| Ok((PartitionId(row.get(0)?), Seq(row.get::<_, i64>(1)? as u64)));
    Ok(statement.query_map([], cursor)?.collect::<Result<_, _>>()?)
}

fn load_markets(connection: &Connection) -> Result<HashMap<MarketId, (AssetId, AssetId)>> {
    let mut statement = connection.prepare_cached("SELECT market, base, quote FROM markets")?;
    let market = |row: &rusqlite::Row<'_>| {
        Ok((MarketId(row.get(0)?), (AssetId(row.get(1)?), AssetId(row.get(2)?))))
    };
    Ok(statement.query_map([], market)?.collect::<Result<_, _>>()?)
}
