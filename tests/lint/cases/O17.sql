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
-- fires O17_dblink
CREATE EXTENSION dblink;
-- silent O17_dblink
CREATE EXTENSION dblink;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
