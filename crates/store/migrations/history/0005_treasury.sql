-- What guards the treasury: who attested and set what, and what waited for a second operator.
-- Columns of an act: reference, account, asset and amount of a credit or debit; asset, amount (the ceiling)
-- and evidence of an attestation; asset and the policy's parts; source and its kind.

CREATE TABLE proposals (
    number INTEGER PRIMARY KEY,
    act TEXT NOT NULL, -- credit, debit, attest_reserves, set_credit_policy, set_source_kind
    concerns TEXT NOT NULL, -- why it waited: ceiling, large_credit, hourly_credit, manual, loosening
    proposed_by TEXT, -- an operator; none if only a machine asked
    endorsed_by TEXT, -- the first of two operators, where a machine asked
    decided_by TEXT, -- the operator who approved or rejected it
    status TEXT NOT NULL, -- awaiting_approval, approved, rejected, expired
    reference TEXT, -- source:number
    account INTEGER,
    asset INTEGER,
    amount TEXT,
    evidence TEXT, -- hexadecimal
    large_credit TEXT,
    hourly_credit TEXT,
    manual_needs_approval INTEGER,
    expiry_hours INTEGER,
    source INTEGER,
    source_kind TEXT, -- manual, machine
    proposed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    partition INTEGER NOT NULL, -- the entry that proposed it
    seq INTEGER NOT NULL,
    event_index INTEGER NOT NULL
) STRICT;

-- Each change that took effect. One that two operators made names the first; its proposal names both.
CREATE TABLE treasury_changes (
    id INTEGER PRIMARY KEY,
    act TEXT NOT NULL, -- attest_reserves, set_credit_policy, set_source_kind
    operator TEXT NOT NULL,
    asset INTEGER,
    amount TEXT,
    evidence TEXT,
    large_credit TEXT,
    hourly_credit TEXT,
    manual_needs_approval INTEGER,
    expiry_hours INTEGER,
    source INTEGER,
    source_kind TEXT,
    time INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_index INTEGER NOT NULL
) STRICT;
