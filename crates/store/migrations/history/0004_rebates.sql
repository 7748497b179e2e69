-- A maker's rebate, in atoms of what the maker paid: base if the buyer took, quote if the seller did. The maker's
-- fee is zero then. In `ledger_entries` it is an entry of the kind `rebate`.

ALTER TABLE trades ADD COLUMN maker_rebate TEXT NOT NULL DEFAULT '0';
