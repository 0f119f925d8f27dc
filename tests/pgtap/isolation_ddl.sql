-- DDL that would open a protected table is refused, by hook and, behind it, by event trigger, to owner and
-- superuser alike; what does not open it goes on working.
\ir helpers/isolation.sql
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.chat (id bigserial PRIMARY KEY, tenant_id uuid NOT NULL, title text);
CREATE TABLE shop.other (id bigserial PRIMARY KEY, tenant_id uuid);
CREATE TABLE shop.country (id text PRIMARY KEY);
SELECT tenancy.protect('shop.chat', fill_null => true), tenancy.share('shop.country') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT plan(66);
CREATE TABLE test.refusal (command text);
GRANT SELECT ON test.refusal TO iso_owner;
INSERT INTO test.refusal VALUES
    ('ALTER TABLE shop.chat DISABLE ROW LEVEL SECURITY'),
    ('ALTER TABLE shop.chat NO FORCE ROW LEVEL SECURITY'),
    ('ALTER TABLE shop.chat ADD x int, NO FORCE ROW LEVEL SECURITY'),
    ('DROP POLICY tenancy_select ON shop.chat'),
    ('DROP POLICY IF EXISTS tenancy_rows ON shop.chat CASCADE'),
    ('ALTER POLICY tenancy_select ON shop.chat USING (true)'),
    ('ALTER POLICY tenancy_select ON shop.chat TO iso_app'),
    ('ALTER POLICY tenancy_select ON shop.chat RENAME TO mine'),
    ('ALTER TABLE shop.chat DROP COLUMN tenant_id'),
    ('ALTER TABLE shop.chat DROP COLUMN tenant_id CASCADE'),
    ('ALTER TABLE shop.chat RENAME COLUMN tenant_id TO x'),
    ('ALTER TYPE shop.chat RENAME ATTRIBUTE tenant_id TO x'),
    ('ALTER TABLE shop.chat ALTER COLUMN tenant_id TYPE text'),
    ('ALTER TABLE shop.chat ALTER COLUMN tenant_id DROP NOT NULL'),
    ('ALTER TABLE shop.chat DISABLE TRIGGER tenancy_fill_null'),
    ('ALTER TABLE shop.chat DISABLE TRIGGER USER'),
    ('ALTER TABLE shop.chat ENABLE TRIGGER tenancy_fill_null'),
    ('ALTER TRIGGER tenancy_fill_null ON shop.chat RENAME TO x'),
    ('DROP TRIGGER tenancy_fill_null ON shop.chat'),
    ('GRANT TRUNCATE ON shop.chat TO iso_app'),
    ('GRANT REFERENCES (id) ON shop.chat TO iso_app'),
    ('GRANT TRIGGER ON shop.chat TO PUBLIC'),
    ('GRANT ALL ON shop.chat TO iso_app'),
    ('GRANT ALL ON ALL TABLES IN SCHEMA shop TO iso_app'),
    ('GRANT SELECT ON SEQUENCE shop.chat_id_seq TO iso_app'),
    ('GRANT UPDATE ON shop.chat_id_seq TO iso_app'),
    ('GRANT ALL ON ALL SEQUENCES IN SCHEMA shop TO iso_app'),
    ('GRANT INSERT ON shop.country TO iso_app');
SET SESSION AUTHORIZATION iso_owner;
SELECT test.refused(command, 'TN018', 'the owner: ' || command) FROM test.refusal;
RESET SESSION AUTHORIZATION;
SELECT test.refused(command, 'TN018', 'a superuser: ' || command) FROM test.refusal
WHERE command !~ 'GRANT|TRIGGER';
SELECT test.refused(command, 'TN018', 'a superuser: ' || command)
FROM unnest(ARRAY['DROP EXTENSION tenancy', 'DROP EXTENSION tenancy CASCADE', 'DROP SCHEMA tenancy CASCADE',
    'ALTER EXTENSION tenancy DROP FUNCTION tenancy.current_tenant_id()',
    'ALTER EVENT TRIGGER tenancy_ddl_drop DISABLE']) AS command
WHERE command <> 'DROP SCHEMA tenancy CASCADE';
SELECT throws_ok('DROP SCHEMA tenancy CASCADE', '2BP01', NULL, 'the schema belongs to the extension');
SELECT ok((tenancy.protection('shop.chat')).complete, 'the table is still protected');

-- The second line alone: what a hook did not see.
SET session_replication_role = replica;
SELECT test.refused('DROP POLICY tenancy_select ON shop.chat', 'TN018', 'session_replication_role does not help');
RESET session_replication_role;

-- What does not open anything.
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok(command, command) FROM unnest(ARRAY[
    'CREATE POLICY more ON shop.chat AS RESTRICTIVE USING (id > 0)',
    'DROP POLICY more ON shop.chat',
    'CREATE POLICY opening ON shop.chat USING (true)',
    'ALTER TABLE shop.chat ADD COLUMN note text DEFAULT ''x''',
    'ALTER TABLE shop.chat ALTER title TYPE varchar(100), DROP COLUMN note',
    'GRANT SELECT, INSERT, UPDATE, DELETE ON shop.chat TO iso_app',
    'GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO iso_app',
    'GRANT ALL ON shop.chat TO iso_owner',
    'CREATE INDEX ON shop.chat (title)',
    'ALTER TABLE shop.chat RENAME TO chat2',
    'ALTER TABLE shop.chat2 RENAME TO chat',
    'CREATE TABLE shop.copy (LIKE shop.chat INCLUDING ALL)',
    'DROP TABLE shop.copy']) AS command;
\set ON_ERROR_STOP 1
RESET SESSION AUTHORIZATION;
SET tenancy.guard = off;
BEGIN;
SELECT lives_ok('ALTER TABLE shop.chat DISABLE ROW LEVEL SECURITY', 'a superuser may, with tenancy.guard off');
ROLLBACK;
RESET tenancy.guard;
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok('DROP TABLE shop.chat', 'a protected table may be dropped');
RESET SESSION AUTHORIZATION;
SELECT is_empty($$SELECT relation FROM tenancy.protected_table$$, 'and is forgotten');
SELECT lives_ok('DROP EXTENSION tenancy CASCADE', 'now the extension may go');
SELECT * FROM finish();
