-- fires O18_copy_without_policy shop.backup
CREATE TABLE shop.backup AS SELECT * FROM shop.orders;
-- fires O18_copy_without_policy shop.backup
-- Without the tenant column nothing else finds it.
CREATE TABLE shop.backup AS SELECT id, customer_id, item, amount FROM shop.orders;
-- silent O18_copy_without_policy
CREATE TABLE shop.backup AS SELECT id, item FROM shop.orders;
CREATE TABLE shop.price (id uuid PRIMARY KEY, item text, amount numeric);
CREATE TABLE shop.list (id uuid, item text, amount numeric, currency text);
-- silent O18_copy_without_policy
CREATE TABLE shop.closed AS SELECT * FROM shop.orders;
ALTER TABLE shop.closed ENABLE ROW LEVEL SECURITY;
CREATE TABLE shop.checked (id uuid, item text, amount numeric CHECK (amount > 0));
CREATE TABLE shop.parted (id uuid, item text, amount numeric) PARTITION BY RANGE (amount);
CREATE TABLE shop.part PARTITION OF shop.parted DEFAULT;
CREATE TABLE shop.wide (tenant_id uuid NOT NULL, a1 int, a2 int, a3 int, a4 int, a5 int, a6 int);
ALTER TABLE shop.wide ENABLE ROW LEVEL SECURITY;
CREATE TABLE shop.narrow (a1 int, a2 int, a3 int);
-- silent O18_copy_without_policy (extension)
CREATE TABLE shop.backup AS SELECT * FROM shop.orders;
SELECT tenancy.exempt('shop.backup', 'for the auditors');
-- silent O18_copy_without_policy
-- Of a table that nobody protected.
CREATE TABLE shop.note (tenant_id uuid, a int, b int);
CREATE TABLE shop.copy AS SELECT a, b, 1 AS c FROM shop.note;
