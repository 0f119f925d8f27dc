-- fires C09_unprotected_table shop.note
CREATE TABLE shop.note (tenant_id uuid, text text);
-- silent C09_unprotected_table
CREATE TABLE shop.note (account uuid, text text);
-- silent C09_unprotected_table (extension)
CREATE TABLE shop.note (tenant_id uuid, text text);
SELECT tenancy.exempt('shop.note', 'workers claim jobs of all tenants');
-- fires C09_child_without_tenant shop.line
CREATE TABLE shop.line (order_id uuid NOT NULL REFERENCES shop.orders, item text);
ALTER TABLE shop.line OWNER TO lint_owner;
-- silent C09_child_without_tenant
CREATE TABLE shop.city (name text, country text REFERENCES shop.country);
-- fires C09_default_privileges for role lint_owner
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner IN SCHEMA shop GRANT SELECT ON TABLES TO PUBLIC;
-- fires C09_default_privileges for role lint_owner
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner GRANT ALL ON TABLES TO lint_app;
-- silent C09_default_privileges
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lint_app;
-- silent C09_unprotected_table
-- Partitions are their table's: O16.
ALTER TABLE shop.events DISABLE ROW LEVEL SECURITY;
ALTER TABLE shop.events_old DISABLE ROW LEVEL SECURITY;
-- silent C09_child_without_tenant
-- It has policies of its own, or the tenant; partitions are their table's.
CREATE TABLE shop.line (order_id uuid NOT NULL REFERENCES shop.orders, item text);
ALTER TABLE shop.line ENABLE ROW LEVEL SECURITY;
CREATE TABLE shop.note (order_id uuid NOT NULL REFERENCES shop.orders, tenant_id uuid);
CREATE TABLE shop.parted (order_id uuid, at date) PARTITION BY RANGE (at);
CREATE TABLE shop.part PARTITION OF shop.parted (FOREIGN KEY (order_id) REFERENCES shop.orders) DEFAULT;
-- silent C09_child_without_tenant (extension)
CREATE TABLE shop.line (order_id uuid NOT NULL REFERENCES shop.orders, item text);
SELECT tenancy.exempt('shop.line', 'a queue');
-- silent C09_default_privileges
CREATE ROLE lint_root SUPERUSER;
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner GRANT ALL ON TABLES TO lint_root;
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner GRANT USAGE ON SEQUENCES TO PUBLIC;
