-- A protected table that was opened where no hook saw it gives an error to application roles and its owner,
-- not rows, until an admin has decided.
\ir helpers/isolation.sql
SELECT plan(58);
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.chat (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, title text);
INSERT INTO shop.chat VALUES (1, :'alpha', 'a'), (2, :'beta', 'b');
CREATE TABLE shop.event (id bigint, tenant_id uuid NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE shop.event_1 PARTITION OF shop.event FOR VALUES FROM (1) TO (10);
INSERT INTO shop.event VALUES (1, :'alpha'), (2, :'beta');
CREATE TABLE shop.parent (id bigint, tenant_id uuid NOT NULL, title text);
CREATE TABLE shop.message (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, chat_id bigint REFERENCES shop.chat);
CREATE TABLE shop.top (id bigint, tenant_id uuid NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE shop.middle PARTITION OF shop.top FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE TABLE shop.small PARTITION OF shop.middle FOR VALUES FROM (0) TO (10);
CREATE TABLE shop.box (id bigint, tenant_id uuid NOT NULL);
SELECT tenancy.protect('shop.chat'), tenancy.protect('shop.event'), tenancy.protect('shop.message', fill_null => true), tenancy.protect('shop.box') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.chat, shop.event, shop.event_1, shop.parent, shop.message, shop.middle TO iso_app;
GRANT ALL ON shop.top TO iso_app;
CREATE VIEW shop.chats AS SELECT * FROM shop.chat;
GRANT SELECT ON shop.chats TO iso_app;
RESET SESSION AUTHORIZATION;

-- The application, without a context, still gets nothing but that it has none.
CREATE FUNCTION test.keeps_rows(statement text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'iso_app', true);
    RETURN NEXT test.refused(statement, 'TN001', what);
    PERFORM set_config('role', 'none', true);
END
$$;

-- What a session that has read the table as it was is told once it is opened.
CREATE FUNCTION test.told(statement text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'iso_app', true);
    RETURN NEXT test.refused(statement, 'TN018', 'the application: ' || what);
    PERFORM set_config('role', 'iso_owner', true);
    RETURN NEXT test.refused(statement, 'TN018', 'the owner: ' || what);
    PERFORM set_config('role', 'none', true);
    RETURN NEXT lives_ok(statement, 'a superuser: ' || what);
END
$$;
SET tenancy.guard = off;
PREPARE read AS SELECT count(*) FROM shop.chat;
EXECUTE read \g /dev/null
BEGIN;
DROP POLICY tenancy_select ON shop.chat;
SELECT test.told('SELECT * FROM shop.chat', 'a policy is gone');
SELECT test.told('EXECUTE read', 'in a prepared statement');
ROLLBACK;
BEGIN;
ALTER TABLE shop.chat NO FORCE ROW LEVEL SECURITY;
SELECT test.told('SELECT * FROM shop.chats', 'FORCE is gone, through a view');
ROLLBACK;
BEGIN;
ALTER TABLE shop.chat DISABLE ROW LEVEL SECURITY;
SELECT test.told('SELECT * FROM shop.chat', 'row security is off');
SELECT test.told('DELETE FROM shop.chat WHERE false', 'DELETE');
SELECT test.told('DO $do$ BEGIN PERFORM FROM shop.chat; END $do$', 'in DO');
ROLLBACK;
BEGIN;
DELETE FROM pg_policy WHERE polrelid = 'shop.chat'::regclass;
SELECT test.told('SELECT * FROM shop.chat', 'the policies are gone from the catalog');
ROLLBACK;
BEGIN;
ALTER TABLE shop.event_1 DISABLE ROW LEVEL SECURITY;
SELECT test.told('SELECT * FROM shop.event_1', 'a partition');
ROLLBACK;
BEGIN;
ALTER EVENT TRIGGER tenancy_ddl_end DISABLE;
ALTER TABLE shop.chat INHERIT shop.parent;
SELECT test.told('SELECT count(*) FROM shop.parent', 'through an open parent');
GRANT TRUNCATE ON shop.parent TO iso_app;
SET LOCAL ROLE iso_app;
SELECT test.refused('TRUNCATE shop.parent', 'TN018', 'TRUNCATE, which empties its children');
SELECT lives_ok('TRUNCATE ONLY shop.parent', 'TRUNCATE of the parent alone');
RESET ROLE;
ROLLBACK;
-- A new row finds its partition when the statement runs.
PREPARE write AS INSERT INTO shop.top VALUES (1, :'beta');
EXECUTE write \g /dev/null
BEGIN;
ALTER EVENT TRIGGER tenancy_ddl_end DISABLE;
ALTER TABLE shop.middle ATTACH PARTITION shop.box FOR VALUES FROM (10) TO (20);
SELECT test.told('EXECUTE write', 'INSERT through the open parent of an open parent');
SELECT test.told(format('INSERT INTO shop.middle VALUES (2, %L)', :'beta'), 'INSERT through an open parent');
SET LOCAL ROLE iso_app;
SELECT test.refused('TRUNCATE shop.top', 'TN018', 'TRUNCATE');
RESET ROLE;
ALTER TABLE shop.middle DETACH PARTITION shop.box;
SET LOCAL ROLE iso_app;
SELECT lives_ok('EXECUTE write', 'a table like others once it is detached');
RESET ROLE;
ROLLBACK;
-- The triggers that are foreign keys.
BEGIN;
ALTER TABLE shop.message DISABLE TRIGGER ALL;
SELECT test.told(statement, 'no foreign key is checked: ' || statement)
FROM unnest(ARRAY['INSERT INTO shop.message (id) SELECT 2 WHERE false', 'UPDATE shop.message SET id = id WHERE false']) AS s(statement);
SELECT test.keeps_rows('SELECT count(*) FROM shop.message', 'nothing more is read');
ALTER TABLE shop.message ENABLE TRIGGER ALL;
SELECT test.keeps_rows('DELETE FROM shop.message', 'and all is well once they are on again');
ALTER TABLE shop.chat DISABLE TRIGGER ALL;
SELECT test.told('DELETE FROM shop.chat WHERE false', 'a key is not checked from its other side');
ROLLBACK;
-- What opens nothing, and is for check_isolation() to tell.
BEGIN;
CREATE POLICY own ON shop.chat USING (true);
CREATE RULE own AS ON DELETE TO shop.chat DO ALSO SELECT count(*) FROM shop.chat;
DROP TRIGGER tenancy_fill_null ON shop.message;
ALTER TABLE shop.chat OWNER TO iso_app;
SELECT test.keeps_rows('SELECT title FROM shop.chat', 'a permissive policy, a rule, another owner');
SELECT test.keeps_rows('DELETE FROM shop.chat', 'what the rule adds is bound as well');
SET LOCAL ROLE iso_app;
SELECT test.refused('INSERT INTO shop.message VALUES (3, NULL, 1)', 'TN001', 'without the trigger that fills it a NULL is one');
RESET ROLE;
ROLLBACK;

-- What an admin does about it.
ALTER TABLE shop.chat DISABLE ROW LEVEL SECURITY;
DROP POLICY tenancy_select ON shop.chat;
RESET tenancy.guard;
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok($$SELECT tenancy.protect('shop.chat')$$, 'protect() makes it whole, by its owner, too');
SET SESSION AUTHORIZATION iso_app;
SELECT throws_ok('SELECT * FROM shop.chat', 'TN001', NULL, 'and it is as it was');
RESET SESSION AUTHORIZATION;
SET tenancy.guard = off;
SET client_min_messages = error;
SELECT format('DROP POLICY %I ON shop.chat', polname) FROM pg_policy WHERE polrelid = 'shop.chat'::regclass \gexec
ALTER TABLE shop.chat DISABLE ROW LEVEL SECURITY;
RESET tenancy.guard;
SET SESSION AUTHORIZATION iso_app;
SELECT test.refused('SELECT * FROM shop.chat', 'TN018', 'whole protection gone');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION iso_admin;
SELECT results_eq('SELECT relation, action FROM tenancy.sync()', $$VALUES ('shop.chat'::regclass, 'no longer protected')$$, 'sync() takes it off the record');
SET SESSION AUTHORIZATION iso_app;
SELECT lives_ok('SELECT * FROM shop.chat', 'and it is a table like others, at once');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok($$SELECT tenancy.protect('shop.chat'), tenancy.unprotect('shop.event')$$, 'unprotect() leaves nothing to complain of');
SET SESSION AUTHORIZATION iso_app;
SELECT results_eq('SELECT count(*) FROM shop.event', 'VALUES (2::bigint)', 'as before');
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
