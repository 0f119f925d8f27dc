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
-- fires C09_default_privileges
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner IN SCHEMA shop GRANT SELECT ON TABLES TO PUBLIC;
-- fires C09_default_privileges
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner GRANT ALL ON TABLES TO lint_app;
-- silent C09_default_privileges
ALTER DEFAULT PRIVILEGES FOR ROLE lint_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lint_app;
