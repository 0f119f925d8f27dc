-- fires C47_replica_role lint_app
ALTER ROLE lint_app SET session_replication_role = replica;
-- silent C47_replica_role
ALTER ROLE lint_app SET work_mem = '8MB';
-- fires C47_parameter_privilege session_replication_role
GRANT SET ON PARAMETER session_replication_role TO lint_app;
-- silent C47_parameter_privilege
GRANT SET ON PARAMETER log_min_duration_statement TO lint_app;
-- fires C47_event_trigger_off tenancy_ddl_end (extension)
ALTER EVENT TRIGGER tenancy_ddl_end ENABLE;
-- silent C47_event_trigger_off (extension)
CREATE FUNCTION shop.note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION shop.note();
-- fires C47_trigger_off registry_changed on tenancy.access_grant (extension)
ALTER TABLE tenancy.access_grant DISABLE TRIGGER registry_changed;
-- silent C47_trigger_off (extension)
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
-- silent C47_replica_role
ALTER ROLE lint_app SET session_replication_role = origin;
-- silent C47_parameter_privilege
CREATE ROLE lint_root SUPERUSER;
GRANT SET ON PARAMETER session_replication_role TO lint_root;
-- silent C47_trigger_off (extension)
-- An ordinary trigger may follow session_replication_role, and so may those of PostgreSQL.
CREATE FUNCTION tenancy.other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER other BEFORE INSERT ON shop.country FOR EACH ROW EXECUTE FUNCTION tenancy.other();
