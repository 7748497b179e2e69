-- Public keys for RSA signatures: the table says which kinds there are.
CREATE TABLE api_keys_of_three_kinds (
    key_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('hmac', 'ed25519', 'rsa')),
    account INTEGER REFERENCES accounts (id), -- none: a key of operators
    may_read INTEGER NOT NULL,
    may_trade INTEGER NOT NULL,
    may_withdraw INTEGER NOT NULL,
    is_admin INTEGER NOT NULL,
    -- hmac: nonce and ciphertext (XChaCha20-Poly1305 under secret.key, bound to key_id);
    -- ed25519: the public key as it is; rsa: the public key as DER (PKCS#1).
    credential BLOB NOT NULL,
    last4 TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    operator TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO api_keys_of_three_kinds
    (key_id, kind, account, may_read, may_trade, may_withdraw, is_admin, credential, last4, label,
    created_at, revoked_at, operator)
SELECT key_id, kind, account, may_read, may_trade, may_withdraw, is_admin, credential, last4, label,
    created_at, revoked_at, operator
FROM api_keys;

DROP TABLE api_keys;
ALTER TABLE api_keys_of_three_kinds RENAME TO api_keys;
CREATE INDEX api_keys_by_account ON api_keys (account);
