-- fires C01_row_security_off shop.orders
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
-- silent C01_row_security_off
CREATE TABLE shop.plain (id integer);
-- fires C01_protection_gone shop.orders (extension)
DROP POLICY tenancy_select ON shop.orders;
DROP POLICY tenancy_insert ON shop.orders;
DROP POLICY tenancy_update ON shop.orders;
DROP POLICY tenancy_delete ON shop.orders;
-- silent C01_protection_gone (extension)
CREATE TABLE shop.note (tenant_id uuid);
-- fires C01_protection_unrecorded shop.orders (extension)
DELETE FROM tenancy.protected_table WHERE relation = 'shop.orders'::regclass;
-- silent C01_protection_unrecorded (extension)
SELECT tenancy.unprotect('shop.orders');
-- silent C01_row_security_off
CREATE TABLE shop.note (tenant_id uuid); -- nobody meant to protect it: C09
ALTER TABLE shop.events_old DISABLE ROW LEVEL SECURITY; -- O16
-- silent C01_protection_unrecorded (extension)
-- A partition is its table's.
CREATE TABLE shop.events_new PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO (maxvalue);
-- silent C01_protection_unrecorded (extension)
CREATE TABLE shop.note (tenant_id uuid NOT NULL);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.note AS RESTRICTIVE FOR SELECT USING (tenant_id = tenancy.current_tenant_id());
