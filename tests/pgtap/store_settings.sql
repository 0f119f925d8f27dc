-- What a store is to hold of tenants with large settings: in pages and batches that PostgreSQL and the
-- daemon can hold. 210 tenants with 1.3 MB of settings are beyond what one jsonb value takes.
\ir helpers/operators.sql
\ir helpers/daemon.sql
SELECT plan(6);

CREATE TABLE test.page (nth integer, tenant_id uuid, size integer);
CREATE TABLE test.claim (tenant_id uuid, first text, has_second boolean, last integer, keys bigint);
GRANT ALL ON test.page, test.claim TO lc_sidecar;
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_tier('large') \g /dev/null
SELECT tenancy.define_setting('s' || n, '{}') FROM generate_series(1, 20) AS n \g /dev/null
SELECT tenancy.set_setting('tier:large', 's' || n, to_jsonb(repeat('x', 65000))) FROM generate_series(1, 20) AS n \g /dev/null
SELECT tenancy.define_store('docs', 'mongodb') \g /dev/null
SELECT count(tenancy.provision('t' || n, tier => 'large')) FROM generate_series(1, 210) AS n \g /dev/null
SELECT tenancy.provision('own', tier => 'large', settings => '{"s1": 1, "s2": null}'), tenancy.provision('small') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT id FROM tenancy.bind_instance('new') \g /dev/null

-- Pages.
INSERT INTO test.page SELECT 1, p.tenant_id, pg_column_size(p.settings) FROM tenancy.desired_page('docs', NULL, 210) AS p;
INSERT INTO test.page SELECT 2, p.tenant_id, pg_column_size(p.settings)
FROM tenancy.desired_page('docs', (SELECT max(g.tenant_id::text)::uuid FROM test.page AS g), 210) AS p;
SELECT ok(count(*) > 40 AND sum(p.size) BETWEEN 64 * 1024 * 1024 AND 66 * 1024 * 1024, 'page ' || p.nth || ' ends at 64 MB of settings')
FROM test.page AS p GROUP BY p.nth ORDER BY p.nth;
RESET SESSION AUTHORIZATION;
SELECT results_eq('SELECT p.tenant_id FROM test.page AS p ORDER BY p.nth, p.tenant_id',
    'SELECT t.id FROM tenancy.tenant AS t ORDER BY t.id LIMIT (SELECT count(*) FROM test.page)', 'a page begins where the one before has ended');
SELECT max(t.id::text) AS last_id FROM tenancy.tenant AS t \gset
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is_empty(format('SELECT p.tenant_id FROM tenancy.desired_page(%L, %L, 210) AS p', 'docs', :'last_id'), 'an empty one is the end');

-- Batches.
INSERT INTO test.claim SELECT c.tenant_id, left(c.settings ->> 's1', 1), c.settings ? 's2', length(c.settings ->> 's20'),
    (SELECT count(*) FROM jsonb_object_keys(c.settings)) FROM tenancy.claim_work('d1', 1, 'docs', 212, '1 minute') AS c;
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM test.claim), 212::bigint, 'claimed together');
SELECT results_eq($$SELECT test.slug(c.tenant_id) AS slug, c.first, c.has_second, c.last, c.keys FROM test.claim AS c
    WHERE test.slug(c.tenant_id) IN ('own', 'small', 't1') ORDER BY slug$$,
    $$VALUES ('own', '1', false, 65000, 19::bigint), ('small', NULL, false, NULL, 0), ('t1', 'x', true, 65000, 20)$$,
    'each with its own settings before those of its tier');
SELECT finish();
