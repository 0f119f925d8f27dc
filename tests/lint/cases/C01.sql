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
