-- fires C05_permissive_opens support on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY support ON shop.note FOR SELECT USING (true);
-- fires C05_permissive_opens support on shop.note
-- The restrictive policy is not for the role that the permissive one is for.
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY narrow ON shop.note AS RESTRICTIVE TO lint_app USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY support ON shop.note FOR SELECT TO lint_reader USING (text <> '');
-- silent C05_permissive_opens
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY other ON shop.note USING (tenant_id = current_setting('app.other')::uuid);
CREATE POLICY nothing ON shop.note FOR SELECT USING (false);
-- silent C05_permissive_opens
-- A restrictive policy for all narrows it.
CREATE POLICY support ON shop.orders FOR SELECT USING (true);
-- fires C05_permissive_beside support on shop.orders
CREATE POLICY support ON shop.orders FOR SELECT USING (true);
-- silent C05_permissive_beside
CREATE POLICY support ON shop.orders FOR SELECT USING (tenant_id = current_setting('app.tenant')::uuid AND item <> '');
-- silent C05_permissive_beside
CREATE POLICY nothing ON shop.orders FOR SELECT USING (false);
CREATE POLICY form ON shop.orders FOR INSERT WITH CHECK (true);
CREATE POLICY narrow ON shop.orders AS RESTRICTIVE FOR SELECT USING (item <> '');
