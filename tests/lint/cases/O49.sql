-- fires O49_open_parent shop.orders (by hand)
CREATE TABLE shop.everything (id uuid, tenant_id uuid);
ALTER TABLE shop.orders INHERIT shop.everything;
-- fires O49_open_parent shop.orders (extension)
ALTER EVENT TRIGGER tenancy_ddl_end DISABLE; -- or it is refused
CREATE TABLE shop.everything (id uuid, tenant_id uuid);
ALTER TABLE shop.orders INHERIT shop.everything;
-- silent O49_open_parent
CREATE TABLE shop.everything (id uuid);
CREATE TABLE shop.some () INHERITS (shop.everything);
