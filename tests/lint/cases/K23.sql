-- fires K23_global_key shop.customers_email_key
ALTER TABLE shop.customers ADD UNIQUE (email);
-- fires K23_global_key shop.customers_lower_idx
CREATE UNIQUE INDEX ON shop.customers (lower(email));
-- silent K23_global_key
ALTER TABLE shop.customers ADD UNIQUE (tenant_id, email);
-- fires K23_numbered_key shop.note_pkey
CREATE TABLE shop.note (id bigint PRIMARY KEY, tenant_id uuid);
-- silent K23_numbered_key
CREATE TABLE shop.note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid);
-- silent K23_numbered_key
CREATE TABLE shop.note (id bigint, tenant_id uuid, code text UNIQUE, PRIMARY KEY (tenant_id, id));
CREATE TABLE shop.other (id uuid PRIMARY KEY, tenant_id uuid);
-- silent K23_global_key
CREATE TABLE shop.note (id bigint PRIMARY KEY, tenant_id uuid, link uuid UNIQUE); -- a number: K23_numbered_key; not to be guessed
