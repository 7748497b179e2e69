-- Orders of a list: the list's id, which is that of its first order. None: the order was placed by itself.

ALTER TABLE orders ADD COLUMN list_id INTEGER;
