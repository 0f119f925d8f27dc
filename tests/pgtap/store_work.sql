-- The work of daemons: claims, leases, reports, conditions, erasing. Races: tests/isolation/test_store_work.py.
\ir helpers/operators.sql
\ir helpers/daemon.sql
SELECT plan(109);

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_tier('pro'), tenancy.define_setting('theme', '{"type": ["string", "null"]}', '"light"'), tenancy.define_setting('max', '{"type": "integer"}'),
       tenancy.define_setting('flag', '{}', 'true') \g /dev/null
SELECT tenancy.provision('acme', settings => '{"theme": "dark", "max": 3}'), tenancy.provision('beta', tier => 'pro', settings => '{"flag": null}'),
       tenancy.provision('gamma') \g /dev/null
SELECT tenancy.set_setting('tier:pro', 'max', '9') \g /dev/null
SELECT tenancy.define_store('docs', 'mongodb'), tenancy.define_store('cache', 'redis') \g /dev/null
RESET SESSION AUTHORIZATION;
UPDATE tenancy.tenant_store SET due_at = now() - interval '1 hour' + interval '1 second' * ascii(test.slug(tenant_id));

-- Nothing before the database is bound, or with another epoch.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION test.epoch_calls(epoch bigint) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format(c, epoch) FROM unnest(ARRAY[$c$tick_instance('d1', '1', %s)$c$, $c$report_store('d1', %s, 'docs', '{"reachable": true, "fenced": false}')$c$,
        $c$claim_work('d1', %s, 'docs', 1, '1 s')$c$, $c$report_work('d1', %s, 'docs', '[]')$c$, $c$request_repair('d1', %s, 'docs', '{}')$c$,
        $c$report_unknown('d1', %s, 'docs', 'x', '[]', true, 0, 0)$c$]) AS c
$$;
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.refused('SELECT tenancy.' || c, 'TN026', 'not bound: ' || c) FROM test.epoch_calls(1) AS c;
SELECT id FROM tenancy.bind_instance('new') \g /dev/null
SELECT test.refused('SELECT tenancy.' || c, 'TN026', 'another epoch: ' || c) FROM test.epoch_calls(2) AS c;
SELECT test.refused('SELECT tenancy.' || c, 'TN026', 'no epoch: ' || c) FROM (SELECT format('claim_work(%L, NULL, %L, 1, %L)', 'd', 'docs', '1 s')) AS x(c);

-- Bad input.
SELECT test.refused('SELECT tenancy.' || c, state, c) FROM (VALUES
    ($$claim_work('d', 1, 'nope', 1, '1 s')$$, 'TN027'), ($$claim_work('d', 1, NULL, 1, '1 s')$$, 'TN027'), ($$claim_work('', 1, 'docs', 1, '1 s')$$, '22023'),
    ($$claim_work(NULL, 1, 'docs', 1, '1 s')$$, '22023'), ($$claim_work(repeat('d', 129), 1, 'docs', 1, '1 s')$$, '22023'), ($$claim_work('d', 1, 'docs', 0, '1 s')$$, '22023'),
    ($$claim_work('d', 1, 'docs', 1001, '1 s')$$, '22023'), ($$claim_work('d', 1, 'docs', NULL, '1 s')$$, '22023'), ($$claim_work('d', 1, 'docs', 1, '0')$$, '22023'),
    ($$claim_work('d', 1, 'docs', 1, '2 hours')$$, '22023'), ($$claim_work('d', 1, 'docs', 1, NULL)$$, '22023'), ($$extend_leases('d', 'docs', '{1}', '-1 s')$$, '22023'),
    ($$extend_leases('', 'docs', '{1}', '1 s')$$, '22023'), ($$release_work('', 'docs', '{1}')$$, '22023'), ($$report_work('d', 1, 'nope', '[]')$$, 'TN027'),
    ($$report_work('d', 1, 'docs', '{}')$$, '22023'), ($$report_work('d', 1, 'docs', NULL)$$, '22023'), ($$report_work('d', 1, 'docs', '[1]')$$, '22023'),
    ($$report_work('d', 1, 'docs', '[{"tenant": "x"}]')$$, '22023'),
    ($$report_work('d', 1, 'docs', '[{"tenant": "00000000-0000-0000-0000-000000000000", "token": 1, "generation": 1, "store_generation": 1, "outcome": "won", "present": true}]')$$, '22023'),
    ($$report_work('d', 1, 'docs', '[{"tenant": "00000000-0000-0000-0000-000000000000", "token": 1, "generation": 1, "store_generation": 1, "outcome": "converged"}]')$$, '22023'),
    ($$desired_page('nope', NULL, 1)$$, 'TN027'), ($$desired_page('docs', NULL, 0)$$, '22023'), ($$desired_page('docs', NULL, 10001)$$, '22023')) AS bad(c, state);

-- A claim.
SELECT results_eq($$SELECT test.slug(tenant_id), state, present, generation, store_generation, reached_before, settings, attempts FROM tenancy.claim_work('d1', 1, 'docs', 2, '1 minute')$$,
    $$VALUES ('acme', 'active', true, 2::bigint, 1::bigint, false, '{"max": 3, "flag": true, "theme": "dark"}'::jsonb, 0),
             ('beta', 'active', true, 3, 1, false, '{"max": 9, "theme": "light"}', 0)$$, 'what each should be: its own settings, its tier''s, the defaults, no nulls');
SELECT is(test.named(test.claim('docs', daemon => 'd2')), 'gamma active 2', 'whom nobody has');
SELECT is(test.named(test.claim('docs')), NULL, 'all are in hands');
SELECT is(test.named(test.claim('cache')), 'acme active 2, beta active 3, gamma active 2', 'in this store');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(DISTINCT lease_token) FROM tenancy.tenant_store), 6::bigint, 'each lease has a token of its own');
SELECT lease_token AS acme FROM tenancy.tenant_store WHERE store = 'docs' AND tenant_id = tenancy.tenant_id('acme') \gset
SELECT lease_token AS beta FROM tenancy.tenant_store WHERE store = 'docs' AND tenant_id = tenancy.tenant_id('beta') \gset
SELECT lease_token AS gamma FROM tenancy.tenant_store WHERE store = 'docs' AND tenant_id = tenancy.tenant_id('gamma') \gset
SELECT id AS acme_id FROM tenancy.tenant WHERE slug = 'acme' \gset
SELECT id AS beta_id FROM tenancy.tenant WHERE slug = 'beta' \gset
SELECT id AS gamma_id FROM tenancy.tenant WHERE slug = 'gamma' \gset
SET SESSION AUTHORIZATION lc_sidecar;

-- Leases.
SELECT is(tenancy.extend_leases('d1', 'docs', ARRAY[:acme, :gamma, 4711], '1 hour'), ARRAY[:acme::bigint], 'one''s own lease is extended, another''s is not');
SELECT is(tenancy.extend_leases('d1', 'cache', ARRAY[:acme], '1 hour'), '{}', 'nor in another store');
SELECT is(tenancy.extend_leases('d1', 'docs', NULL, '1 hour'), '{}', 'nor none');
RESET SESSION AUTHORIZATION;
SELECT ok(lease_until > now() + interval '50 minutes' AND due_at = lease_until, 'until the new end') FROM tenancy.tenant_store WHERE lease_token = :acme;
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(tenancy.release_work('d1', 'docs', ARRAY[:beta, :gamma]), 1::bigint, 'one''s own lease is given back');
SELECT is(tenancy.extend_leases('d1', 'docs', ARRAY[:beta], '1 hour'), '{}', 'and is no lease any more');
SELECT is(test.named(test.claim('docs')), 'beta active 3', 'the tenant is due at once');
RESET SESSION AUTHORIZATION;
UPDATE tenancy.tenant_store SET lease_until = now() - interval '1 second', due_at = now() - interval '1 second' WHERE store = 'docs' AND tenant_id = :'beta_id';
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.named(test.claim('docs', daemon => 'd2')), 'beta active 3', 'and when a lease has run out');
SELECT is(tenancy.extend_leases('d2', 'docs', ARRAY[:gamma], '1 millisecond'), ARRAY[:gamma::bigint], 'a lease can be made shorter');
RESET SESSION AUTHORIZATION;
UPDATE tenancy.tenant_store SET lease_until = now() - interval '1 second', due_at = now() - interval '1 second' WHERE store = 'docs' AND tenant_id = :'gamma_id';
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(tenancy.extend_leases('d2', 'docs', ARRAY[:gamma], '1 hour'), '{}', 'one that is over is not extended');

-- Reports.
SELECT format('[{"tenant": "%s", "token": %s, "generation": 2, "store_generation": 1, "outcome": "converged", "present": true, "state": "active", "reason": "Converged"}]', :'acme_id', :acme) AS report \gset
SELECT results_eq(format('SELECT * FROM tenancy.report_work(%L, 1, %L, %L)', 'd2', 'docs', :'report'), format('VALUES (%s::bigint, false)', :acme), 'not by another daemon');
SELECT results_eq(format('SELECT * FROM tenancy.report_work(%L, 1, %L, %L)', 'd1', 'cache', :'report'), format('VALUES (%s::bigint, false)', :acme), 'not for another store');
SELECT results_eq(format('SELECT * FROM tenancy.report_work(%L, 1, %L, %L)', 'd1', 'docs', :'report'), format('VALUES (%s::bigint, true)', :acme), 'by whoever holds the lease');
SELECT results_eq(format('SELECT * FROM tenancy.report_work(%L, 1, %L, %L)', 'd1', 'docs', :'report'), format('VALUES (%s::bigint, false)', :acme), 'once');
SELECT results_eq($$SELECT * FROM tenancy.report_work('d1', 1, 'docs', '[{"tenant": "00000000-0000-0000-0000-000000000000", "token": 1, "generation": 1, "store_generation": 1, "outcome": "retry"}]')$$,
    'VALUES (1::bigint, false)', 'nothing about a tenant that is not there');
SELECT is(test.named(test.claim('docs')), 'gamma active 2, acme active 2', 'a lost lease is looked at again');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM tenancy.store_mark WHERE store = 'docs'), 0::bigint, 'no mark is left');
SELECT results_eq(format('SELECT observed_generation, observed_store_generation, observed_state, present, pending_since IS NOT NULL FROM tenancy.tenant_store WHERE store = %L AND tenant_id = %L', 'docs', :'acme_id'),
    $$VALUES (2::bigint, 1::bigint, 'active', true, true)$$, 'what was reported is kept');
SELECT test.expire() \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM tenancy.tenant_store WHERE due_at IS NULL AND pending_since IS NULL AND lease_token IS NULL AND observed_generation = desired_generation), 6::bigint, 'all is done');
SELECT is((SELECT count(*) FROM tenancy.store_condition WHERE status = (type = 'Ready') AND reason = 'Converged'), 30::bigint, 'everybody is ready, and nothing else');

-- What changes while it is worked on stays due.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.set_display_name('acme', 'x') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.claim('docs') AS claims \gset
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.suspend('acme', 'unpaid') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.named(test.claim('docs')), NULL, 'not claimed twice');
SELECT is(test.report('docs', :'claims'), 'true', 'what was done for the older generation is accepted');
RESET SESSION AUTHORIZATION;
SELECT results_eq($$SELECT type, status FROM tenancy.store_condition WHERE slug = 'acme' AND store = 'docs' AND status$$, $$VALUES ('Progressing', true)$$, 'but it is not ready');
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.set_display_name('beta', 'x') \g /dev/null
RESET SESSION AUTHORIZATION;
UPDATE tenancy.store_mark SET at = at - interval '1 hour' WHERE tenant_id = :'beta_id';
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.named(test.claim('docs', 1)), 'acme suspended 4', 'the suspension goes before what is due for longer');
SELECT is(test.named(test.claim('docs')), 'beta active 4', 'which follows');
RESET SESSION AUTHORIZATION;
SELECT test.expire() \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null

-- Failures.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.resume('acme') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs', '{"outcome": "retry", "retry_after_ms": 3600000, "reason": "WriteConcern", "message": "no majority"}'), 'acme active 5', 'it fails');
SELECT is(test.work('docs'), NULL, 'and is not due before its time');
RESET SESSION AUTHORIZATION;
SELECT results_eq($$SELECT type, status, reason, message FROM tenancy.store_condition WHERE slug = 'acme' AND store = 'docs' AND status ORDER BY type$$,
    $$VALUES ('Degraded', true, 'WriteConcern', 'no majority'), ('Progressing', true, 'WriteConcern', 'no majority')$$, 'degraded');
SELECT at AS before FROM tenancy.store_condition WHERE slug = 'acme' AND store = 'docs' AND type = 'Degraded' \gset
UPDATE tenancy.tenant_store SET due_at = now() WHERE due_at > now();
SET SESSION AUTHORIZATION lc_sidecar;
SELECT results_eq($$SELECT attempts FROM tenancy.claim_work('d1', 1, 'docs', 1, '1 minute')$$, 'VALUES (1)', 'failures are counted');
SELECT test.expire() \g /dev/null
SELECT is(test.work('docs', '{"outcome": "parked", "reason": "NamespaceLimit"}'), 'acme active 5', 'it is given up');
RESET SESSION AUTHORIZATION;
SELECT results_eq($$SELECT type FROM tenancy.store_condition WHERE slug = 'acme' AND store = 'docs' AND status ORDER BY type$$, $$VALUES ('Degraded'), ('Stalled')$$, 'stalled');
SELECT is((SELECT at FROM tenancy.store_condition WHERE slug = 'acme' AND store = 'docs' AND type = 'Degraded'), :'before', 'degraded since it first was');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(tenancy.request_repair('d1', 1, 'docs', ARRAY[:'beta_id']::uuid[]), 1::bigint, 'a repair');
SELECT is(test.work('docs', '{"drifted": true}'), 'beta active 4', 'is done');
SELECT is(tenancy.request_repair('d1', 1, 'docs', ARRAY[:'acme_id', :'acme_id']::uuid[]), 1::bigint, 'a repair is for those that are stalled, too');
SELECT is(tenancy.request_repair('d1', 1, 'docs', ARRAY[:'acme_id']::uuid[]), 0::bigint, 'once');
RESET SESSION AUTHORIZATION;
SELECT ok((SELECT NOT parked AND attempts > 1 FROM tenancy.tenant_store WHERE tenant_id = :'acme_id' AND store = 'docs'), 'which has its failures still');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs', '{"outcome": "parked", "reason": "NamespaceLimit"}'), 'acme active 5', 'fails again');
SELECT is(test.work('docs'), NULL, 'and waits for the next scan');
SET SESSION AUTHORIZATION lc_admin;
SELECT is((SELECT drift_count FROM tenancy.tenant_store WHERE tenant_id = :'beta_id' AND store = 'docs'), 1::bigint, 'drift is counted');
SELECT tenancy.set_display_name('acme', 'y') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT results_eq($$SELECT generation, attempts FROM tenancy.claim_work('d1', 1, 'docs', 1, '1 minute')$$, 'VALUES (6::bigint, 0)', 'a change is tried at once, and as if nothing had failed');
SELECT test.expire() \g /dev/null
SELECT test.settle('docs', 'cache') \g /dev/null

-- Names of any length: one that an index cannot hold would end every scan.
SET SESSION AUTHORIZATION lc_sidecar;
SELECT lives_ok(format($$SELECT tenancy.report_unknown('d1', 1, 'docs', 'long', %L, true, 3, 0)$$,
    (SELECT jsonb_agg(jsonb_build_object('name', n.start || x.long || n.last))
     FROM (SELECT string_agg(md5(i::text), '') AS long FROM generate_series(1, 1000) AS i) AS x,
          (VALUES ('a', '1'), ('a', '2'), ('b', '')) AS n(start, last))), 'long names are noted');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT format('%s %s', count(*), max(octet_length(name)) < 1000) FROM tenancy.unknown_object WHERE store = 'docs'), '3 t', 'in short, and told apart');
DELETE FROM tenancy.unknown_object WHERE store = 'docs';
SET SESSION AUTHORIZATION lc_sidecar;

-- Pages of what should be there.
SELECT results_eq($$SELECT test.slug(tenant_id), state, present, reached_before, settings -> 'max' FROM tenancy.desired_page('docs', NULL, 10) ORDER BY 1$$,
    $$VALUES ('acme', 'active', true, true, '3'::jsonb), ('beta', 'active', true, true, '9'), ('gamma', 'active', true, true, NULL)$$, 'a page of all');
SELECT is((SELECT array_agg(tenant_id) FROM (SELECT p.tenant_id FROM tenancy.desired_page('docs', NULL, 2) AS p UNION ALL
        SELECT p.tenant_id FROM tenancy.desired_page('docs', (SELECT max(tenant_id::text)::uuid FROM tenancy.desired_page('docs', NULL, 2)), 2) AS p) AS pages),
    (SELECT array_agg(id ORDER BY id) FROM unnest(ARRAY[:'acme_id', :'beta_id', :'gamma_id']::uuid[]) AS id), 'page by page, by id');

-- Erasing.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.suspend('acme', 'x'), tenancy.archive('acme', 'x'), tenancy.request_erasure('acme', 'x', '0') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs'), 'acme erasing 9', 'announced: still there');
RESET SESSION AUTHORIZATION;
UPDATE tenancy.tenant_store SET due_at = now() - interval '1 hour' WHERE tenant_id IN (:'acme_id', :'beta_id') AND store = 'docs'; -- as one that is tried again
SELECT is((SELECT erased_at FROM tenancy.tenant_store WHERE tenant_id = :'acme_id' AND store = 'docs'), NULL, 'and nothing is proven');
SET SESSION AUTHORIZATION lc_admin;
\set ON_ERROR_STOP 0
CALL tenancy.erase('acme', timeout => '1 ms');
SELECT test.said(:'SQLSTATE', 'TN025', 'both stores are waited for');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is((SELECT settings FROM tenancy.desired_page('docs', NULL, 10) WHERE test.slug(tenant_id) = 'acme'), '{}', 'no settings for who is to be gone');
SELECT is((SELECT string_agg(test.slug(tenant_id), ',') FROM tenancy.claim_work('d1', 1, 'docs', 9, '1 minute', erasing => false)), 'beta', 'who keeps tenants in step leaves it');
SELECT is((SELECT string_agg(test.slug(tenant_id), ',') FROM tenancy.claim_work('d1', 1, 'docs', 9, '1 minute', erasing => true)), 'acme', 'to whoever erases');
SELECT test.expire() \g /dev/null
SELECT is((SELECT string_agg(test.slug(tenant_id), ',') FROM tenancy.claim_work('d1', 1, 'docs', 9, '1 minute', erasing => true)), 'acme', 'again');
SELECT is(test.work('docs'), 'beta active 4', 'the other one is due still');
SELECT test.expire() \g /dev/null
SELECT is(test.work('docs', '{"outcome": "retry", "retry_after_ms": 0, "reason": "Unreachable"}'), 'acme erasing 10 gone', 'begun: to be gone');
RESET SESSION AUTHORIZATION;
SELECT results_eq($$SELECT type FROM tenancy.store_condition WHERE slug = 'acme' AND store = 'docs' AND status ORDER BY type$$, $$VALUES ('Degraded'), ('Deleting'), ('Progressing')$$, 'deleting');
SET SESSION AUTHORIZATION lc_sidecar;
RESET SESSION AUTHORIZATION;
UPDATE tenancy.tenant_store SET to_erase = false WHERE tenant_id = :'acme_id' AND store = 'docs';
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is((SELECT count(*) FROM tenancy.claim_work('d1', 1, 'docs', 9, '1 minute', erasing => false)), 0::bigint, 'a row that says otherwise than its tenant is not claimed as it says');
SELECT is((SELECT string_agg(test.slug(tenant_id), ',') FROM tenancy.claim_work('d1', 1, 'docs', 9, '1 minute', erasing => true)), 'acme', 'but as the tenant is');
SELECT test.expire() \g /dev/null
SELECT is(test.work('docs'), 'acme erasing 10 gone', 'gone');
RESET SESSION AUTHORIZATION;
SELECT results_eq($$SELECT type FROM tenancy.store_condition WHERE slug = 'acme' AND store = 'docs' AND status$$, $$VALUES ('Ready')$$, 'ready: as it should be');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event = 'store_erased' AND tenant_id = :'acme_id' AND detail ->> 'store' = 'docs'), 1::bigint, 'the proof is on record');
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.erase('acme', timeout => '1 ms');
SELECT test.said(:'SQLSTATE', 'TN025', 'the other store is waited for');
SELECT is((SELECT state FROM tenancy.tenant WHERE slug = 'acme'), 'erasing', 'so far it is partial');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('cache'), 'acme erasing 10 gone', 'gone there, too');
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.erase('acme', timeout => '1 ms');
SELECT test.said(:'SQLSTATE', '00000', 'erased');
\set ON_ERROR_STOP 1
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null
-- Somebody brings it back.
SELECT is(tenancy.request_repair('d1', 1, 'docs', ARRAY[:'acme_id']::uuid[]), 1::bigint, 'found again');
SELECT is(test.work('docs'), 'acme erased 11 gone', 'and erased again');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event = 'store_erased'), 2::bigint, 'the first proof of each store counts');
SELECT finish();
