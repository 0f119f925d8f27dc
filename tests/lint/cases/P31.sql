-- fires P31_no_tenant_index shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON shop.note (text, tenant_id);
CREATE INDEX ON shop.note (tenant_id) WHERE text <> '';
-- silent P31_no_tenant_index
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON shop.note (tenant_id, text);
-- silent P31_no_tenant_index
CREATE TABLE shop.open (tenant_id uuid); -- C09
CREATE TABLE shop.log (tenant_id uuid NOT NULL, at date) PARTITION BY RANGE (at);
CREATE TABLE shop.log_1 PARTITION OF shop.log DEFAULT;
CREATE INDEX ON shop.log_1 (tenant_id);
ALTER TABLE shop.log ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.log_1 ENABLE ROW LEVEL SECURITY;
-- fires P31_no_tenant_index shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON shop.note USING brin (tenant_id);
