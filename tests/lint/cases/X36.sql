-- fires X36_empty_setting tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant', true)::uuid);
-- silent X36_empty_setting
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);
