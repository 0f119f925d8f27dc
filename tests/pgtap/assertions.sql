-- The assertions for users' own suites, tried on tables that are isolated and on tables that are not.
\ir helpers/isolation.sql
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.contact (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, tenant_id uuid NOT NULL, email text NOT NULL);
CREATE TABLE shop.chat (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL, contact_id uuid NOT NULL REFERENCES shop.contact,
    title varchar(3) NOT NULL, kind text NOT NULL CHECK (kind IN ('a', 'b')), tags text[] NOT NULL, seen timestamptz NOT NULL);
CREATE TABLE shop.bill (account bigint NOT NULL, amount numeric NOT NULL);
CREATE TABLE shop.event (tenant_id uuid NOT NULL, at date NOT NULL DEFAULT '2026-01-01') PARTITION BY RANGE (at);
CREATE TABLE shop.event_2026 PARTITION OF shop.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE shop.open (tenant_id uuid, note text);
SELECT tenancy.protect('shop.contact'), tenancy.protect('shop.chat'), tenancy.protect('shop.bill', 'account'), tenancy.protect('shop.event') \g /dev/null
RESET SESSION AUTHORIZATION;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
INSERT INTO shop.contact (tenant_id, email) VALUES (:'alpha', 'a@alpha') RETURNING id AS contact \gset
COMMIT;

SELECT plan(57);

-- tap_protected.
SELECT * FROM check_test(tenancy.tap_protected('shop.contact'), true, 'tap_protected', 'table shop.contact is protected', '');
SELECT * FROM check_test(tenancy.tap_protected('shop.open'), false, 'tap_protected', 'table shop.open is protected', 'shop.open is not protected');
SELECT is(tenancy.why_unprotected('shop.event'), NULL, 'partitions as well');

-- try_isolation: what passes.
SET SESSION AUTHORIZATION iso_owner;
SELECT is((SELECT count(*) FROM tenancy.try_isolation('shop.contact') WHERE passed), 7::bigint, 'every step passes');
SELECT is((SELECT count(*) FROM tenancy.try_isolation('shop.contact') WHERE NOT passed), 0::bigint, 'none fails');
SELECT is((SELECT string_agg(problem, ' ') FROM tenancy.try_isolation('shop.bill')), NULL, 'a tenant that is a number');
SELECT is((SELECT string_agg(step, ', ') FROM tenancy.try_isolation('shop.event') WHERE step ~ 'sees nothing' AND passed),
          'another tenant sees nothing in shop.event, another tenant sees nothing in shop.event_2026', 'each partition by its own name');
SELECT matches((SELECT problem FROM tenancy.try_isolation('shop.chat')), 'chat_kind_check.*give the values that the row needs', 'a row that cannot be made up');
SELECT test.refused($$SELECT tenancy.try_isolation('shop.contact', '{}', 'alpha')$$, '42501', 'an owner names no tenant');
SET SESSION AUTHORIZATION iso_admin;
SELECT is((SELECT string_agg(problem, ' ') FROM tenancy.try_isolation('shop.chat', format('{"kind": "b", "contact_id": "%s"}', :'contact')::jsonb, 'alpha')),
          NULL, 'with a sample, as a tenant that has what it refers to');
SELECT matches((SELECT problem FROM tenancy.try_isolation('shop.chat', format('{"kind": "b", "contact_id": "%s"}', :'contact')::jsonb)),
          'foreign key constraint[^;]*; the row it refers to must be that tenant''s: tenant => ''slug''', 'a new tenant has not');
SELECT is((SELECT format('%s %s', step, problem) FROM tenancy.try_isolation('shop.open')), 'the table is protected shop.open is not protected', 'an open table');
SELECT throws_ok($$SELECT tenancy.try_isolation('shop.contact', '{}', 'nobody')$$, 'TN004', NULL, 'a tenant that does not exist');
RESET SESSION AUTHORIZATION;

-- As a role.
CREATE TABLE shop.log (tenant_id uuid NOT NULL, text text);
GRANT SELECT, INSERT ON shop.log TO iso_app;
SELECT tenancy.protect('shop.log') \g /dev/null
SELECT count(*) AS tenants, (SELECT count(*) FROM tenancy.audit_event) AS events FROM tenancy.tenant \gset
SELECT is((SELECT problem FROM tenancy.try_isolation('shop.log')), 'none binds postgres; name the role of the application: role => ''...''', 'no policy binds a superuser');
SELECT is((SELECT string_agg(problem, ' ') FROM tenancy.try_isolation('shop.log', role => 'iso_app')), NULL, 'as the application');
SELECT matches((SELECT problem FROM tenancy.try_isolation('shop.log', role => 'iso_stranger')), 'permission denied for table log', 'who has to have rights');

-- Nothing stays.
SELECT is((SELECT count(*) FROM shop.contact), 1::bigint, 'no row');
SELECT is((SELECT count(*) FROM tenancy.tenant), :tenants::bigint, 'no tenant');
SELECT is((SELECT count(*) FROM tenancy.audit_event), :events::bigint, 'no event');

-- What fails: each hole alone. pgTAP counts in tables, so the outcome is kept and judged after the ROLLBACK.
SET tenancy.guard = off;
\set failed 'SELECT coalesce(string_agg(step, '', ''), ''nothing'') AS'
\set of 'FROM tenancy.try_isolation(''shop.contact'') WHERE NOT passed'
BEGIN;
ALTER TABLE shop.contact NO FORCE ROW LEVEL SECURITY;
:failed unforced :of \gset
SELECT tenancy.why_unprotected('shop.contact') AS why \gset
ROLLBACK;
BEGIN;
DROP POLICY tenancy_delete ON shop.contact;
DROP POLICY tenancy_rows ON shop.contact;
CREATE POLICY everything ON shop.contact USING (true) WITH CHECK (true);
:failed deleted :of \gset
ROLLBACK;
BEGIN;
DROP POLICY tenancy_insert ON shop.contact;
DROP POLICY tenancy_rows ON shop.contact;
CREATE POLICY everything ON shop.contact USING (true) WITH CHECK (true);
:failed planted :of \gset
ROLLBACK;
BEGIN;
DROP POLICY tenancy_update ON shop.contact;
CREATE POLICY changing ON shop.contact AS RESTRICTIVE FOR UPDATE USING (tenant_id = tenancy.current_tenant_id()) WITH CHECK (true);
DROP POLICY tenancy_rows ON shop.contact;
CREATE POLICY everything ON shop.contact USING (true) WITH CHECK (true);
:failed moved :of \gset
ROLLBACK;
BEGIN;
ALTER TABLE shop.event_2026 DISABLE ROW LEVEL SECURITY;
SELECT string_agg(step, ', ') AS partition FROM tenancy.try_isolation('shop.event') WHERE NOT passed \gset
ROLLBACK;
RESET tenancy.guard;
SELECT is(:'unforced'::text,
    'another tenant sees nothing in shop.contact, another tenant changes nothing, another tenant deletes nothing, another tenant writes no row of its, a row is not moved to another tenant',
    'the owner is not bound');
SELECT is(:'why'::text, 'shop.contact is protected in part: call tenancy.protect() again', 'and that is said');
SELECT is(:'deleted'::text, 'another tenant deletes nothing', 'a DELETE that reads no column is not held back by policies for SELECT');
SELECT is(:'planted'::text, 'another tenant writes no row of its', 'a row is planted');
SELECT is(:'moved'::text, 'a row is not moved to another tenant', 'a row is moved');
SELECT is(:'partition'::text, 'another tenant sees nothing in shop.event_2026', 'an open partition');

-- tap_isolated.
SELECT * FROM check_test(tenancy.tap_isolated('shop.contact'), true, 'tap_isolated', 'table shop.contact keeps tenants apart', '');
SELECT * FROM check_test(tenancy.tap_isolated('shop.open'), false, 'tap_isolated of an open table', 'table shop.open keeps tenants apart',
    'the table is protected: shop.open is not protected');

-- The code of a table's owner gets no rights but the owner's.
SET SESSION AUTHORIZATION iso_owner;
CREATE FUNCTION shop.strike() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN EXECUTE 'ALTER ROLE iso_owner SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE 'SET SESSION AUTHORIZATION postgres'; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE 'RESET ROLE'; EXECUTE 'ALTER ROLE iso_owner SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
    RAISE WARNING 'as %', current_user;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER strike BEFORE INSERT OR UPDATE OR DELETE ON shop.contact FOR EACH ROW EXECUTE FUNCTION shop.strike();
CREATE CONSTRAINT TRIGGER strike_later AFTER INSERT OR UPDATE OR DELETE ON shop.contact DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION shop.strike();
RESET SESSION AUTHORIZATION;
SET client_min_messages = error;
SELECT is((SELECT string_agg(problem, ' ') FROM tenancy.try_isolation('shop.contact')), NULL, 'hostile triggers run');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'iso_owner'), false, 'as the owner of the table, who is no superuser afterwards');
SELECT is(current_user::text, 'postgres', 'and we are who we were');
SET client_min_messages = warning;

-- Rights.
SET SESSION AUTHORIZATION iso_stranger;
SELECT test.refused($$SELECT tenancy.try_isolation('shop.contact')$$, '42501', 'not for a stranger');
SELECT throws_ok($$SELECT tenancy.tap_isolated('shop.contact')$$, '42501', NULL, 'nor with pgTAP');
SELECT throws_ok($$SELECT tenancy.tap_no_findings()$$, '42501', NULL, 'nor the linter');
SELECT throws_ok($$SELECT tenancy.make_trial_tenant('uuid')$$, '42501', NULL, 'nor anything internal');
SET SESSION AUTHORIZATION iso_owner;
SELECT test.refused($$SELECT tenancy.try_isolation('shop.contact', role => 'iso_app')$$, '42501', 'an owner does not work as somebody else');
SET SESSION AUTHORIZATION iso_admin;
SELECT is((SELECT count(*) FROM tenancy.try_isolation('shop.contact') WHERE passed), 7::bigint, 'an operator may');

-- tap_no_findings.
RESET SESSION AUTHORIZATION;
SELECT set_eq($$SELECT DISTINCT severity FROM tenancy.check_isolation()$$, ARRAY['error', 'warning', 'info'], 'there are findings of each kind');
SELECT * FROM check_test(tenancy.tap_no_findings('error'), false, 'tap_no_findings', 'the linter finds no error or worse',
    'error C09_unprotected_table: table shop.open has the tenant column tenant_id, and no row security');
DROP TABLE shop.open;
SELECT * FROM check_test(tenancy.tap_no_findings('error'), true, 'tap_no_findings of errors', 'the linter finds no error or worse', '');
SELECT * FROM check_test(tenancy.tap_no_findings(), false, 'tap_no_findings of warnings', 'the linter finds no warning or worse');
SELECT throws_ok($$SELECT tenancy.tap_no_findings('errors')$$, '22023', 'severity must be error, warning or info, not "errors"', 'a severity that there is not');
SELECT throws_ok($$SELECT tenancy.tap_no_findings('ERROR')$$, '22023', 'severity must be error, warning or info, not "ERROR"', 'nor in capitals');
SELECT throws_ok($$SELECT tenancy.tap_no_findings('')$$, '22023', 'severity must be error, warning or info, not ""', 'nor an empty one');
SELECT throws_ok($$SELECT tenancy.tap_no_findings(NULL)$$, '22023', 'severity must be error, warning or info, not NULL', 'nor none');
SELECT * FROM finish();
