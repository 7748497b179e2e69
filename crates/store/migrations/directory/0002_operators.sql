-- Each admin key belongs to an operator: a person under a name that the log knows. Whoever had an admin
-- key before could make others, so that they all count as one.
ALTER TABLE api_keys ADD COLUMN operator TEXT;
UPDATE api_keys SET operator = 'operator-1' WHERE is_admin;

-- A transfer may wait for a second operator, and is asked again by the operator who began it.
CREATE TABLE transfers_with_approval (
    source INTEGER NOT NULL,
    number INTEGER NOT NULL,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('credit', 'debit', 'settle')),
    account INTEGER NOT NULL,
    asset INTEGER, -- none for a settlement: the pending debit knows
    amount TEXT, -- decimal integer, atoms; none for a settlement
    client_id TEXT, -- the pending debit's name, only for a settlement
    operator TEXT, -- who began it
    status TEXT NOT NULL CHECK (status IN ('pending', 'awaiting_approval', 'done', 'rejected')),
    code INTEGER, -- the reject code's number
    proposal INTEGER, -- of one that needed approval
    partition INTEGER, -- the entry that answered
    seq INTEGER,
    PRIMARY KEY (source, number),
    UNIQUE (source, reference)
) STRICT, WITHOUT ROWID;

INSERT INTO transfers_with_approval
    (source, number, reference, kind, account, asset, amount, client_id, status, code, partition, seq)
SELECT source, number, reference, kind, account, asset, amount, client_id, status, code, partition, seq
FROM external_transfers;

DROP TABLE external_transfers;
ALTER TABLE transfers_with_approval RENAME TO external_transfers;

CREATE INDEX external_transfers_pending ON external_transfers (source, number)
    WHERE status = 'pending';
