-- fires P31_no_tenant_index shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON shop.note (text, tenant_id);
CREATE INDEX ON shop.note (tenant_id) WHERE text <> '';
-- silent P31_no_tenant_index
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON shop.note (tenant_id, text);
