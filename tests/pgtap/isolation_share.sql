-- Tables that are not protected (shared, exempt), the record rebuilt from the catalog, and bypass roles.
\ir helpers/isolation.sql
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.country (id text PRIMARY KEY);
CREATE TABLE shop.queue (id bigint PRIMARY KEY, tenant_id uuid);
CREATE TABLE shop.chat (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE TABLE shop.note (id bigint PRIMARY KEY, account bigint NOT NULL);
GRANT ALL ON shop.country TO iso_app;
INSERT INTO shop.country VALUES ('de');
SELECT tenancy.share('shop.country', 'ISO 3166'), tenancy.protect('shop.chat'), tenancy.protect('shop.note', 'account') \g /dev/null
INSERT INTO shop.country VALUES ('fr');
SET SESSION AUTHORIZATION iso_app;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
SELECT count(*) AS countries FROM shop.country \gset
\set ON_ERROR_STOP 0
INSERT INTO shop.country VALUES ('xx');
\set wrote :SQLSTATE
\set ON_ERROR_STOP 1
ROLLBACK;
RESET SESSION AUTHORIZATION;

SELECT plan(34);
SELECT is(:countries, 2, 'every tenant reads a shared table, its owner writes it');
SELECT is(:'wrote'::text, '42501', 'a tenant does not');
SET SESSION AUTHORIZATION iso_owner;
SELECT test.refused($$SELECT tenancy.protect('shop.country', 'id')$$, '55000', 'a shared table is not protected as well');
SELECT test.refused($$SELECT tenancy.share('shop.chat')$$, '55000', 'nor a protected one shared');
SELECT test.refused($$SELECT tenancy.exempt('shop.chat', 'why not')$$, '55000', 'or exempt');
SELECT test.refused($$SELECT tenancy.exempt('shop.queue', '')$$, '22023', 'an exemption has a reason');
SELECT lives_ok($$SELECT tenancy.exempt('shop.queue', 'workers claim jobs of all tenants')$$, 'exempt');
SELECT lives_ok($$SELECT tenancy.unexempt('shop.queue')$$, 'and no longer');
SELECT lives_ok($$SELECT tenancy.exempt('shop.queue', 'workers claim jobs of all tenants')$$, 'exempt again');
SELECT test.refused($$SELECT tenancy.unshare('shop.chat')$$, '55000', 'what is not shared');
SET SESSION AUTHORIZATION iso_stranger;
SELECT test.refused(call, '42501', 'not for a stranger: ' || call) FROM unnest(ARRAY['SELECT tenancy.share(''shop.queue'')',
    'SELECT tenancy.unshare(''shop.country'')', 'SELECT tenancy.exempt(''shop.queue'', ''x'')', 'SELECT tenancy.unprotect(''shop.chat'')',
    'SELECT tenancy.protect_plan(''shop.queue'')', 'SELECT tenancy.fill_tenant_column(''shop.queue'', ''tenant_id'', ''id'')']) AS call;
SELECT throws_ok($$SELECT tenancy.sync()$$, '42501', NULL, 'nor sync');
SELECT throws_ok($$SELECT tenancy.run_as_owner('shop.chat', 'DELETE FROM shop.chat')$$, '42501', NULL, 'nor anything internal');

-- The record is lost, as after a restore of the schema alone.
RESET SESSION AUTHORIZATION;
DELETE FROM tenancy.protected_table;
DELETE FROM tenancy.shared_table;
INSERT INTO tenancy.protected_table (relation, tenant_column, key_kind, harden_keys) VALUES ('shop.queue', 'tenant_id', 'uuid', 'off');
SET SESSION AUTHORIZATION iso_admin;
SELECT set_eq($$SELECT relation::text, action FROM tenancy.sync()$$, $$VALUES ('shop.queue', 'no longer protected'), ('shop.chat', 'protected'), ('shop.note', 'protected'), ('shop.country', 'shared')$$, 'sync rebuilds the record from the catalog');
SELECT is_empty($$SELECT * FROM tenancy.sync()$$, 'once');
RESET SESSION AUTHORIZATION;
SELECT set_eq($$SELECT relation::text, tenant_column::text, key_kind FROM tenancy.protected_table$$, $$VALUES ('shop.chat', 'tenant_id', 'uuid'), ('shop.note', 'account', 'bigint')$$, 'columns and kinds included');
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok($$SELECT tenancy.unprotect('shop.chat')$$, 'what sync found can be unprotected');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT format('%s %s', relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid)) FROM pg_class AS c WHERE oid = 'shop.chat'::regclass), 'f 0', 'and is open then');
SELECT is(tenancy.unknown_tenants('shop.note'), 0::bigint, 'no row of an unknown tenant');
INSERT INTO shop.note VALUES (1, 1), (2, 77), (3, 77), (4, 78);
SELECT is(tenancy.unknown_tenants('shop.note'), 2::bigint, 'two unknown tenants');
SELECT is(tenancy.unknown_tenants('shop.country'), NULL, 'none can be told of a table that is not protected');

-- Bypass roles.
CREATE ROLE iso_plain;
CREATE ROLE iso_backup BYPASSRLS;
SET SESSION AUTHORIZATION iso_admin;
SELECT test.refused($$SELECT tenancy.register_bypass('iso_plain', 'backup')$$, '55000', 'a role without BYPASSRLS');
SELECT test.refused($$SELECT tenancy.register_bypass('iso_backup', '')$$, '22023', 'no purpose');
SELECT test.refused($$SELECT tenancy.register_bypass('iso_backup', 'backup', now() - interval '1 day')$$, '22023', 'a time that is past');
SELECT lives_ok($$SELECT tenancy.register_bypass('iso_backup', 'backup', now() + interval '1 day')$$, 'registered');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT format('%s %s', role_name, registered_by) FROM tenancy.bypass_role WHERE role_oid = 'iso_backup'::regrole), 'iso_backup iso_admin', 'by whom is known');
SET SESSION AUTHORIZATION iso_admin;
SELECT lives_ok($$SELECT tenancy.unregister_bypass('iso_backup')$$, 'unregistered');
SELECT test.refused($$SELECT tenancy.unregister_bypass('iso_backup')$$, '55000', 'once');
SET SESSION AUTHORIZATION iso_owner;
SELECT throws_ok($$SELECT tenancy.register_bypass('iso_backup', 'backup')$$, '42501', NULL, 'not for anybody else');
SELECT * FROM finish();
