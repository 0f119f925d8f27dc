-- What policies, defaults and applications ask of the context, and test mode. The context is set and
-- left outside of the assertions: pgTAP writes tables of its own.
\set QUIET 1
SET client_min_messages = warning;
SET tenancy.test_mode = on; -- or entering would clear what pgTAP keeps in temporary tables
CREATE ROLE ctx_owner LOGIN;
CREATE ROLE ctx_app LOGIN;
SELECT tenancy.provision('alpha', external_id => '42') AS alpha,
       tenancy.provision('beta', external_id => 'acct_b') AS beta,
       tenancy.provision('gamma', external_id => '9000000000') AS gamma,
       tenancy.provision('delta') AS delta \gset
SELECT tenancy.grant_access('ctx_app', '*', reason => 'test') \g /dev/null
CREATE SCHEMA shop AUTHORIZATION ctx_owner;
GRANT USAGE ON SCHEMA shop TO ctx_app;
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;
CREATE FUNCTION test.state(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    advice text;
BEGIN
    EXECUTE command;
    RETURN 'passed';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS advice = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || CASE WHEN advice = '' AND SQLSTATE LIKE 'TN%' THEN ' without a hint' ELSE '' END;
END
$$;

SELECT plan(37);
SET SESSION AUTHORIZATION ctx_app;

-- Without a context.
SELECT is(test.state(format('SELECT tenancy.%I()', name)), 'TN001', name || ' without a context')
FROM unnest(ARRAY['current_tenant_id', 'current_tenant_external_id', 'current_tenant_external_bigint',
    'current_tenant_external_integer', 'default_tenant_id', 'default_tenant_external_id',
    'default_tenant_external_bigint', 'default_tenant_external_integer']) AS name;
SELECT is(tenancy.current_tenant(), NULL, 'current_tenant without a context');
SELECT is(tenancy.current_actor(), NULL, 'current_actor without a context');
SELECT is((SELECT c.slug FROM tenancy.context() AS c), NULL, 'context() without a context');

-- In one.
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
SELECT tenancy.current_tenant_id() AS id, tenancy.current_tenant() AS slug, tenancy.current_tenant_external_id() AS text,
       tenancy.current_tenant_external_bigint() AS bigint, tenancy.current_tenant_external_integer() AS integer,
       tenancy.default_tenant_id() AS d_id, tenancy.default_tenant_external_id() AS d_text,
       tenancy.default_tenant_external_bigint() AS d_bigint, tenancy.default_tenant_external_integer() AS d_integer,
       pg_typeof(tenancy.current_tenant_external_integer()) AS type \gset in_
SELECT mode, authority, coalesce(actor, '-') AS actor, coalesce(expires_at::text, '-') AS expires FROM tenancy.context() \gset in_
COMMIT;
SELECT is(:'in_id'::text, :'alpha', 'current_tenant_id');
SELECT is(:'in_slug'::text, 'alpha', 'current_tenant');
SELECT is(ARRAY[:'in_text', :'in_bigint', :'in_integer', :'in_type'], ARRAY['42', '42', '42', 'integer'], 'the external id as text, bigint, integer');
SELECT is(ARRAY[:'in_d_id', :'in_d_text', :'in_d_bigint', :'in_d_integer'], ARRAY[:'alpha', '42', '42', '42'], 'the defaults are the same');
SELECT is(ARRAY[:'in_mode', :'in_authority', :'in_actor', :'in_expires'], ARRAY['read_write', 'grant', '-', '-'], 'context()');

-- Tenants whose external id does not fit the type, or who have none.
BEGIN;
SELECT tenancy.enter('beta') \g /dev/null
SELECT test.state('SELECT tenancy.current_tenant_external_bigint()') AS bigint, tenancy.current_tenant_external_id() AS text \gset beta_
COMMIT;
SELECT is(ARRAY[:'beta_bigint', :'beta_text'], ARRAY['22023', 'acct_b'], 'a text is no bigint');
BEGIN;
SELECT tenancy.enter('gamma') \g /dev/null
SELECT test.state('SELECT tenancy.current_tenant_external_integer()') AS integer, tenancy.current_tenant_external_bigint() AS bigint \gset gamma_
COMMIT;
SELECT is(ARRAY[:'gamma_integer', :'gamma_bigint'], ARRAY['22023', '9000000000'], 'a bigint out of the range of integer');
BEGIN;
SELECT tenancy.enter('delta') \g /dev/null
SELECT test.state('SELECT tenancy.current_tenant_external_id()') AS text, tenancy.current_tenant() AS slug \gset delta_
COMMIT;
SELECT is(ARRAY[:'delta_text', :'delta_slug'], ARRAY['22023', 'delta'], 'no external id at all');

-- resolve(): only for roles to which it was granted.
SELECT is(test.state($$SELECT tenancy.resolve('slug', 'alpha')$$), '42501', 'resolve() takes a grant');
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION tenancy.resolve(text, text) TO ctx_app;
SELECT tenancy.add_alias('alpha', 'host', 'alpha.example.com') \g /dev/null
SET SESSION AUTHORIZATION ctx_app;
SELECT is(ARRAY[tenancy.resolve('slug', 'alpha'), tenancy.resolve('external', '42'), tenancy.resolve('host', 'Alpha.example.com.')],
    ARRAY[:'alpha', :'alpha', :'alpha']::uuid[], 'resolve() by slug, external id and host, before any context');
SELECT is(tenancy.resolve('host', 'beta.example.com'), NULL, 'resolve() of an unknown name');

-- Defaults in rewrites.
SET SESSION AUTHORIZATION ctx_owner;
CREATE TABLE shop.item (id integer, name text);
CREATE TABLE shop.bare (id integer);
INSERT INTO shop.item VALUES (1, 'one');
RESET SESSION AUTHORIZATION;
SELECT tenancy.grant_access('ctx_owner', '*', reason => 'test') \g /dev/null
SET SESSION AUTHORIZATION ctx_owner;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
SELECT test.state('ALTER TABLE shop.item ADD COLUMN t uuid DEFAULT tenancy.default_tenant_id()') AS fast,
       test.state('ALTER TABLE shop.item ADD COLUMN t uuid DEFAULT coalesce(tenancy.default_tenant_id(), gen_random_uuid())') AS rewrite,
       test.state('ALTER TABLE shop.item ADD COLUMN t uuid NOT NULL DEFAULT tenancy.default_tenant_id()') AS not_null,
       test.state('ALTER TABLE shop.item ADD COLUMN t uuid DEFAULT tenancy.current_tenant_id()') AS policy_fast,
       test.state('ALTER TABLE shop.item ADD COLUMN t uuid DEFAULT coalesce(tenancy.current_tenant_id(), gen_random_uuid())') AS policy_rewrite,
       test.state('ALTER TABLE shop.item ADD COLUMN t text DEFAULT tenancy.default_tenant_external_id()') AS text,
       test.state('ALTER TABLE shop.item ADD COLUMN t bigint DEFAULT tenancy.default_tenant_external_bigint()') AS bigint,
       test.state('ALTER TABLE shop.item ADD COLUMN t integer DEFAULT tenancy.default_tenant_external_integer()') AS integer,
       test.state('ALTER TABLE shop.item ADD COLUMN t uuid DEFAULT tenancy.default_tenant_id(), ALTER id TYPE bigint') AS with_type \gset rw_
ALTER TABLE shop.item ADD COLUMN t uuid;
ALTER TABLE shop.item ALTER COLUMN t SET DEFAULT tenancy.default_tenant_id();
INSERT INTO shop.item (id) VALUES (2);
SELECT count(*) FILTER (WHERE t IS NULL) AS without, count(*) FILTER (WHERE t = :'alpha') AS with FROM shop.item \gset rows_
COMMIT;
SELECT test.state('ALTER TABLE shop.item ADD COLUMN u uuid DEFAULT tenancy.default_tenant_id()') AS outside \gset rw_
SELECT is(:'rw_fast'::text, 'TN019', 'ADD COLUMN with a default, without a rewrite');
SELECT is(:'rw_policy_fast'::text, 'TN019', 'the function of the policies is no default either');
SELECT is(:'rw_policy_rewrite'::text, 'TN019', 'nor in a rewrite');
SELECT is(:'rw_rewrite'::text, 'TN019', 'ADD COLUMN with a default, with a rewrite');
SELECT is(:'rw_not_null'::text, 'TN019', 'ADD COLUMN NOT NULL with a default');
SELECT is(ARRAY[:'rw_text', :'rw_bigint', :'rw_integer'], ARRAY['TN019', 'TN019', 'TN019'], 'the other types of keys');
SELECT is(:'rw_with_type'::text, 'TN019', 'a rewrite for another reason in the same command');
SELECT is(:'rw_outside'::text, 'TN019', 'ADD COLUMN without a context');
SELECT is(ARRAY[:rows_without, :rows_with], ARRAY[1, 1], 'a default set last holds for new rows only');

-- Test mode.
SET SESSION AUTHORIZATION ctx_app;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
RESET SESSION AUTHORIZATION;
SET tenancy.test_mode = off;
SET SESSION AUTHORIZATION ctx_app;
SAVEPOINT s;
\set ON_ERROR_STOP 0
SELECT tenancy.switch('beta') \g /dev/null
\set switch_state :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
\set ON_ERROR_STOP 1
SELECT tenancy.current_tenant() AS slug \gset plain_
COMMIT;
SELECT is(ARRAY[:'switch_state', :'plain_slug'], ARRAY['55000', 'alpha'], 'switch() outside of test mode is refused');
SELECT is(test.state('SET tenancy.test_mode = on'), '42501', 'an application cannot set test mode');
RESET SESSION AUTHORIZATION;
SET tenancy.test_mode = on;
SET SESSION AUTHORIZATION ctx_app;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
SELECT tenancy.switch('beta') \g /dev/null
SELECT tenancy.current_tenant() AS first \gset switched_
SELECT tenancy.switch('gamma') \g /dev/null
SELECT tenancy.current_tenant() AS second, test.state($$SELECT tenancy.switch('alpha')$$) AS inside \gset switched_
COMMIT;
SELECT is(ARRAY[:'switched_first', :'switched_second'], ARRAY['beta', 'gamma'], 'switch() between statements in test mode');
SELECT is(:'switched_inside'::text, 'TN009', 'switch() keeps the entry rule');
SELECT is(tenancy.current_tenant(), NULL, 'the switched context ends with the transaction');
BEGIN;
SELECT tenancy.switch('alpha') \g /dev/null
SELECT tenancy.current_tenant() AS slug \gset first_
COMMIT;
SELECT is(:'first_slug'::text, 'alpha', 'switch() as the first in a transaction');
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
