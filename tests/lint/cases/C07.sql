-- fires C07_tenant_nullable shop.orders.tenant_id
ALTER TABLE shop.orders ALTER COLUMN tenant_id DROP NOT NULL;
-- silent C07_tenant_nullable
CREATE TABLE shop.note (account uuid);
-- fires C07_tenant_equality shop.note.tenant_id
CREATE COLLATION shop.folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE shop.note (tenant_id text COLLATE shop.folded NOT NULL, text text);
-- fires C07_tenant_equality shop.note.tenant_id
CREATE TABLE shop.note (tenant_id char(8) NOT NULL, text text);
-- silent C07_tenant_equality
CREATE TABLE shop.note (tenant_id varchar(8) COLLATE "C" NOT NULL, text text);
-- fires C07_write_not_confined tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid) WITH CHECK (true);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C07_write_not_confined form on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note FOR SELECT USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY form ON shop.note FOR INSERT WITH CHECK (text <> '');
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C07_write_not_confined
-- Without WITH CHECK, USING is checked.
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY change ON shop.note FOR UPDATE USING (tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C07_write_not_confined
CREATE POLICY form ON shop.orders FOR INSERT WITH CHECK (true);
-- silent C07_tenant_nullable
CREATE TABLE shop.note (tenant_id uuid); -- nobody meant to protect it: C09
-- silent C07_tenant_equality
CREATE COLLATION shop.strict (provider = icu, locale = 'und');
CREATE TABLE shop.note (tenant_id text COLLATE shop.strict NOT NULL, text text);
-- silent C07_write_not_confined
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY narrow ON shop.note AS RESTRICTIVE FOR INSERT WITH CHECK (text <> '');
CREATE POLICY form ON shop.note FOR INSERT WITH CHECK (tenant_id = current_setting('app.tenant')::uuid OR true); -- C06
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
