-- A projection of the events: it can be deleted and is then built again from them.
-- Prices are ticks and quantities lots (INTEGER, below 2^63); amounts are atoms as decimal integers in
-- TEXT, since they may exceed 64 bits and SUM() over them would round. Times are nanoseconds since the
-- Unix epoch. `id` columns rise in the order of projection and serve paging only.

CREATE TABLE projection_cursor (
    partition INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL -- the last entry whose events are in
) STRICT;

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    market INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    account INTEGER NOT NULL,
    client_order_id TEXT,
    side TEXT NOT NULL, -- buy, sell
    kind TEXT NOT NULL, -- limit, market, market_by_quote
    time_in_force TEXT, -- gtc, ioc, fok; none for market orders
    post_only INTEGER NOT NULL,
    price INTEGER, -- none for market orders
    quantity INTEGER, -- none by quote
    quote_quantity TEXT, -- only by quote
    filled INTEGER NOT NULL,
    quote_filled TEXT NOT NULL,
    fee TEXT NOT NULL, -- in what the order receives: base for a buy, quote for a sell
    status TEXT NOT NULL, -- open, partially_filled, filled, cancelled
    cause TEXT, -- of a cancellation
    replaces INTEGER, -- the order that an amendment ended in favour of this one
    placed_seq INTEGER NOT NULL,
    placed_at INTEGER NOT NULL,
    updated_seq INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (market, order_id)
) STRICT;

CREATE INDEX orders_by_account ON orders (account);
CREATE INDEX orders_by_client_id ON orders (account, client_order_id)
    WHERE client_order_id IS NOT NULL;

CREATE TABLE trades (
    id INTEGER PRIMARY KEY,
    market INTEGER NOT NULL,
    trade_id INTEGER NOT NULL,
    price INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    base_amount TEXT NOT NULL,
    quote_amount TEXT NOT NULL,
    aggressor TEXT, -- buy, sell, or none in an auction
    buyer INTEGER NOT NULL,
    buy_order INTEGER NOT NULL,
    buyer_fee TEXT NOT NULL, -- base atoms
    seller INTEGER NOT NULL,
    sell_order INTEGER NOT NULL,
    seller_fee TEXT NOT NULL, -- quote atoms
    time INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_index INTEGER NOT NULL,
    UNIQUE (market, trade_id)
) STRICT;

CREATE INDEX trades_by_buyer ON trades (buyer);
CREATE INDEX trades_by_seller ON trades (seller);

-- Each trade from both sides.
CREATE VIEW fills AS
SELECT id * 2 AS id, buyer AS account, 'buy' AS side, buy_order AS order_id, buyer_fee AS fee,
    market, trade_id, price, quantity, base_amount, quote_amount, aggressor, time, partition, seq,
    event_index
FROM trades
UNION ALL
SELECT id * 2 + 1, seller, 'sell', sell_order, seller_fee,
    market, trade_id, price, quantity, base_amount, quote_amount, aggressor, time, partition, seq,
    event_index
FROM trades;

-- Changes of an account's total balance (available and held together) of an asset.
CREATE TABLE ledger_entries (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    asset INTEGER NOT NULL,
    delta TEXT NOT NULL, -- signed
    kind TEXT NOT NULL, -- credit, debit, transfer_in, transfer_out, trade, fee
    reference TEXT NOT NULL, -- by kind: source:number, the other account, or market:trade
    suspense INTEGER NOT NULL, -- 1: the account did not exist, its slot's suspense account has it
    time INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_index INTEGER NOT NULL
) STRICT;

CREATE INDEX ledger_entries_by_account ON ledger_entries (account);

-- Base and quote of each market, for the entries of its trades.
CREATE TABLE markets (
    market INTEGER PRIMARY KEY,
    base INTEGER NOT NULL,
    quote INTEGER NOT NULL
) STRICT;
