-- fires O17_foreign_table shop.remote
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db2.example');
CREATE FOREIGN TABLE shop.remote (tenant_id uuid, item text) SERVER elsewhere;
GRANT SELECT ON shop.remote TO lint_app;
-- silent O17_foreign_table
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db2.example');
CREATE FOREIGN TABLE shop.remote (tenant_id uuid, item text) SERVER elsewhere;
-- fires O17_loopback_server loopback
CREATE EXTENSION postgres_fdw;
CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1');
-- silent O17_loopback_server
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db2.example');
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost', dbname 'warehouse');
-- fires O17_mapping_for_all elsewhere
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db2.example');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'report');
-- silent O17_mapping_for_all
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db2.example');
CREATE USER MAPPING FOR lint_owner SERVER elsewhere OPTIONS (user 'report');
-- fires O17_dblink public.dblink
CREATE EXTENSION dblink;
-- silent O17_dblink
CREATE EXTENSION dblink;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
-- silent O17_foreign_table (extension)
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db2.example');
CREATE FOREIGN TABLE shop.remote (tenant_id uuid, item text) SERVER elsewhere;
GRANT SELECT ON shop.remote TO lint_app;
INSERT INTO tenancy.exempt_table (relation, reason) VALUES ('shop.remote', 'a catalogue for all');
-- silent O17_loopback_server
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE EXTENSION postgres_fdw;
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost', port '1');
-- silent O17_dblink
CREATE EXTENSION dblink;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
CREATE ROLE lint_root SUPERUSER;
GRANT EXECUTE ON FUNCTION dblink(text, text) TO lint_root;
GRANT EXECUTE ON FUNCTION dblink_fdw_validator TO lint_app;
CREATE FUNCTION shop.dblink_exec(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
-- fires O17_foreign_table shop.remote
-- One column is enough.
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db2.example');
CREATE FOREIGN TABLE shop.remote (tenant_id uuid, item text) SERVER elsewhere;
GRANT SELECT (item) ON shop.remote TO lint_app;
