-- fires X34_settable_context lint_
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid);
-- silent X34_settable_context (extension)
CREATE TABLE shop.note (tenant_id name NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_user);
-- silent X34_settable_context (extension)
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY open ON shop.note USING (current_setting('app.on') = 'on');
