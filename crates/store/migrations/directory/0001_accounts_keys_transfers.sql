-- What the log does not know: names of accounts, keys of the API, the outbox of external transfers.
-- This file is precious: unlike the history, it cannot be built again from the log.

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL -- nanoseconds since the Unix epoch, as all times here
) STRICT;

CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('hmac', 'ed25519')),
    account INTEGER REFERENCES accounts (id), -- none: a key of operators
    may_read INTEGER NOT NULL,
    may_trade INTEGER NOT NULL,
    may_withdraw INTEGER NOT NULL,
    is_admin INTEGER NOT NULL,
    -- hmac: nonce and ciphertext (XChaCha20-Poly1305 under secret.key, bound to key_id);
    -- ed25519: the public key as it is.
    credential BLOB NOT NULL,
    last4 TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_account ON api_keys (account);

-- A row is written before its command is submitted. A source's numbers have no gaps.
CREATE TABLE external_transfers (
    source INTEGER NOT NULL,
    number INTEGER NOT NULL,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('credit', 'debit', 'settle')),
    account INTEGER NOT NULL,
    asset INTEGER, -- none for a settlement: the pending debit knows
    amount TEXT, -- decimal integer, atoms; none for a settlement
    client_id TEXT, -- the pending debit's name, only for a settlement
    status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'rejected')),
    code INTEGER, -- the reject code's number
    partition INTEGER, -- the entry that answered
    seq INTEGER,
    PRIMARY KEY (source, number),
    UNIQUE (source, reference)
) STRICT, WITHOUT ROWID;

CREATE INDEX external_transfers_pending ON external_transfers (source, number)
    WHERE status = 'pending';
