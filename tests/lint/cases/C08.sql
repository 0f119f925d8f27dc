-- fires C08_command_not_confined members on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY reading ON shop.note AS RESTRICTIVE FOR SELECT USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY members ON shop.note USING (true);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C08_command_not_confined
-- A command without any policy is refused.
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY reading ON shop.note FOR SELECT USING (tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C08_nothing_permitted shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY reading ON shop.note AS RESTRICTIVE USING (tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C08_nothing_permitted
CREATE TABLE shop.note (account uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C08_command_not_confined
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY reading ON shop.note FOR SELECT USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY narrow ON shop.note AS RESTRICTIVE FOR DELETE USING (text <> '');
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C08_nothing_permitted
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
