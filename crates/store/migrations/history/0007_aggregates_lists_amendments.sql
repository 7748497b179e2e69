-- What the Binance dialect asks for: aggregate trades, order lists that have ended, amendments.

-- All trades of one taker at one price in a row are one aggregate; they are numbered by market from 1. Of an
-- auction, where nobody takes, each trade is one.
ALTER TABLE trades ADD COLUMN aggregate INTEGER NOT NULL DEFAULT 0;

UPDATE trades SET aggregate = numbered.aggregate
FROM (
    SELECT id, sum(begins) OVER (PARTITION BY market ORDER BY trade_id) AS aggregate
    FROM (
        SELECT id, market, trade_id,
            CASE
                WHEN aggressor IS NOT NULL
                    AND seq = lag(seq) OVER in_market
                    AND price = lag(price) OVER in_market
                    AND iif(aggressor = 'buy', buy_order, sell_order)
                        = lag(iif(aggressor = 'buy', buy_order, sell_order)) OVER in_market
                    AND aggressor IS lag(aggressor) OVER in_market
                THEN 0
                ELSE 1
            END AS begins
        FROM trades
        WINDOW in_market AS (PARTITION BY market ORDER BY trade_id)
    )
) AS numbered
WHERE trades.id = numbered.id;

CREATE TABLE order_lists (
    id INTEGER PRIMARY KEY,
    market INTEGER NOT NULL,
    list_id INTEGER NOT NULL, -- the id of its first order
    account INTEGER NOT NULL,
    client_order_id TEXT,
    kind TEXT NOT NULL, -- oco, oto, otoco
    placed_at INTEGER NOT NULL,
    ended_at INTEGER, -- none while it executes
    partition INTEGER NOT NULL,
    UNIQUE (market, list_id)
) STRICT;

CREATE INDEX order_lists_by_account ON order_lists (account);
CREATE INDEX orders_by_list ON orders (market, list_id) WHERE list_id IS NOT NULL;

-- Less quantity at the same price: the order kept its id and its place.
CREATE TABLE amendments (
    id INTEGER PRIMARY KEY,
    market INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    old_quantity INTEGER NOT NULL, -- total, in lots
    new_quantity INTEGER NOT NULL,
    time INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_index INTEGER NOT NULL
) STRICT;

CREATE INDEX amendments_by_order ON amendments (market, order_id);
