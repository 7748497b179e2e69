-- Orders with conditions. Ticks, lots and nanoseconds as everywhere; a column without a value: the order
-- has no such condition. The states of `orders.status` begin with `waiting` for one with a trigger.

ALTER TABLE orders ADD COLUMN trigger TEXT; -- rises, falls, trails
ALTER TABLE orders ADD COLUMN stop_price INTEGER; -- of rises and falls
ALTER TABLE orders ADD COLUMN trailing_basis_points INTEGER; -- of trails
ALTER TABLE orders ADD COLUMN activation_price INTEGER; -- of trails, or none: active at once
ALTER TABLE orders ADD COLUMN expires_at INTEGER;
ALTER TABLE orders ADD COLUMN visible_quantity INTEGER;
ALTER TABLE orders ADD COLUMN minimum_quantity INTEGER;
ALTER TABLE orders ADD COLUMN slide INTEGER NOT NULL DEFAULT 0;
