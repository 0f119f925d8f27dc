-- setting(): what an application reads of its tenant's settings. The results are kept aside and
-- looked at in a session of their own: entering a tenant clears what pgTAP keeps in temporary tables.
\ir helpers/operators.sql
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_setting('users.max', '{"type": "integer"}', '20'), tenancy.define_setting('theme', '{}'),
       tenancy.define_tier('gold'), tenancy.provision('acme', tier => 'gold', settings => '{"theme": "dark"}'),
       tenancy.provision('plain'), tenancy.set_setting('tier:gold', 'users.max', '7') \g /dev/null
RESET SESSION AUTHORIZATION;
INSERT INTO tenancy.access_grant (role_oid, role_name, tenant_id, mode, reason) VALUES ('lc_app'::regrole, 'lc_app', NULL, 'read_write', 'test');
SET SESSION AUTHORIZATION lc_app;
BEGIN;
SELECT tenancy.enter('acme') \g /dev/null
SELECT tenancy.setting('users.max') AS mine, tenancy.setting('theme') AS theme \gset
COMMIT;
BEGIN;
SELECT tenancy.enter('plain') \g /dev/null
SELECT tenancy.setting('users.max') AS others, tenancy.setting('theme') IS NULL AS nothing \gset
COMMIT;
\set ON_ERROR_STOP 0
SELECT tenancy.setting('users.max');
\set without_context :SQLSTATE
BEGIN;
SELECT tenancy.enter('acme') \g /dev/null
SELECT tenancy.setting('nope');
\set unknown :SQLSTATE
ROLLBACK;
SELECT * FROM tenancy.setting_value;
\set reads_table :SQLSTATE
SELECT tenancy.set_setting('acme', 'theme', '"x"');
\set writes :SQLSTATE
\set ON_ERROR_STOP 1
\connect
SELECT plan(8);
SELECT is(:'mine'::jsonb, '7', 'an application reads its tenant''s value');
SELECT is(:'theme'::jsonb, '"dark"', 'and another one');
SELECT is(:'others'::jsonb, '20', 'another tenant has the default');
SELECT ok(:'nothing', 'without a default it is NULL');
SELECT test.said(:'without_context', 'TN001', 'without a context there is none');
SELECT test.said(:'unknown', 'TN015', 'an undefined one');
SELECT test.said(:'reads_table', '42501', 'an application does not read the table');
SELECT test.said(:'writes', '42501', 'nor writes settings');

SELECT finish();
