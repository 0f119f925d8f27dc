-- fires O18_copy_without_policy shop.backup
CREATE TABLE shop.backup AS SELECT * FROM shop.orders;
-- fires O18_copy_without_policy shop.backup
-- Without the tenant column nothing else finds it.
CREATE TABLE shop.backup AS SELECT id, customer_id, item, amount FROM shop.orders;
-- silent O18_copy_without_policy
CREATE TABLE shop.backup AS SELECT id, item FROM shop.orders;
CREATE TABLE shop.price (id uuid PRIMARY KEY, item text, amount numeric);
CREATE TABLE shop.list (id uuid, item text, amount numeric, currency text);
