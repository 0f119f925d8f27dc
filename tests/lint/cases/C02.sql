-- fires C02_owner_without_force shop.orders
ALTER TABLE shop.orders NO FORCE ROW LEVEL SECURITY;
-- silent C02_owner_without_force
CREATE TABLE shop.note (id integer);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY; -- nobody's rows
-- silent C02_owner_without_force
CREATE TABLE shop.note (tenant_id uuid);
