-- What ticks and lots of earlier versions of a market's definition meant. Prices and quantities of trades count
-- in the first of these units whose `through` is not below the trade's seq, or else in the present ones; those of
-- an order that has ended likewise, by its updated_seq. Open orders count in the present ones.
CREATE TABLE market_units (
    market INTEGER NOT NULL,
    version INTEGER NOT NULL,
    through INTEGER NOT NULL, -- the last entry of the market's partition that counts in them
    tick TEXT NOT NULL, -- decimal
    lot TEXT NOT NULL, -- decimal
    PRIMARY KEY (market, version)
) STRICT;

-- Markets that have ended.
CREATE TABLE delistings (
    market INTEGER PRIMARY KEY,
    time INTEGER NOT NULL
) STRICT;
