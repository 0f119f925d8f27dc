-- Stores: what can be defined, who follows, what is forgotten, and what waits for them.
\ir helpers/operators.sql
\ir helpers/daemon.sql
SELECT plan(82);

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('old'), tenancy.provision('asked'), tenancy.provision('gone') \g /dev/null
SELECT tenancy.suspend(s, 'x'), tenancy.archive(s, 'x'), tenancy.request_erasure(s, 'x', '0') FROM unnest(ARRAY['asked', 'gone']) AS s \g /dev/null
CALL tenancy.erase('gone');

-- What a store may be.
SELECT test.refused(format('SELECT tenancy.define_store(%s)', a), state, 'no store: ' || a)
FROM (VALUES ($$NULL, 'redis'$$, 'TN028'), ($$'Cache', 'redis'$$, 'TN028'), ($$'', 'redis'$$, 'TN028'), ($$repeat('a', 32), 'redis'$$, 'TN028'),
    ($$'s', 'webhook'$$, 'TN028'), ($$'s', NULL$$, 'TN028'), ($$'s', 'redis', '{suspend,everything}'$$, 'TN028'), ($$'s', 'redis', NULL$$, 'TN028'),
    ($$'s', 'redis', '{NULL}'$$, 'TN028'), ($$'s', 'redis', unknown_objects => 'delete'$$, 'TN028'), ($$'s', 'redis', unknown_objects => NULL$$, 'TN028'),
    ($$'s', 'redis', on_missing_stamp => 'ignore'$$, 'TN028'), ($$'s', 'redis', layout => 'x'$$, 'TN028'), ($$'s', 'redis', users => 'x'$$, 'TN028'),
    ($$'s', 'redis', layout => 'shared'$$, '0A000'), ($$'s', 'redis', users => 'managed'$$, '0A000'),
    ($$'s', 'redis', options => '[]'$$, 'TN028'), ($$'s', 'redis', options => NULL$$, 'TN028'), ($$'s', 'redis', options => '{"max_namespaces": 5}'$$, 'TN028'),
    ($$'s', 'mongodb', options => '{"max_namespaces": 0}'$$, 'TN028'), ($$'s', 'mongodb', options => '{"max_namespaces": "5"}'$$, 'TN028'),
    ($$'s', 'mongodb', options => '{"max_namespaces": 1.5}'$$, 'TN028'), ($$'s', 'mongodb', options => '{"replicas": 5}'$$, 'TN028')) AS bad(a, state);
SELECT throws_ok($$SELECT tenancy.define_store('s', 'mongodb', options => '{"a/b": 5}')$$, 'TN028', 'the store''s options is not valid at "/a~1b"', 'a bad option is named by its pointer');

SELECT lives_ok($$SELECT tenancy.define_store('docs', 'mongodb', options => '{"max_namespaces": 100}')$$, 'a store');
SELECT lives_ok($$SELECT tenancy.define_store('cache', 'redis', '{suspend}', description => 'sessions')$$, 'another one');
SELECT results_eq($$SELECT name COLLATE "default", kind, required_for, unknown_objects, on_missing_stamp, layout, users, generation, state FROM tenancy.store ORDER BY 1$$,
    $$VALUES ('cache', 'redis', '{suspend}'::text[], 'report', 'observe', 'database', 'external', 1::bigint, 'attached'),
             ('docs', 'mongodb', '{erase,provision,suspend}', 'report', 'observe', 'database', 'external', 1, 'attached')$$, 'as defined');
SELECT results_eq($$SELECT test.slug(tenant_id), desired_generation, observed_generation, due_at <= now() + interval '1 minute', present FROM tenancy.tenant_store WHERE store = 'docs' ORDER BY 1$$,
    $$VALUES ('asked', 5::bigint, 0::bigint, true, false), ('old', 2, 0, true, false)$$, 'it follows every tenant that is not erased');
SELECT results_eq($$SELECT type, status, reason, generation FROM tenancy.store_condition WHERE slug = 'old' AND store = 'docs' ORDER BY type$$,
    $$VALUES ('Degraded', false, 'Pending', 0::bigint), ('Deleting', false, 'Pending', 0), ('Progressing', true, 'Pending', 0), ('Ready', false, 'Pending', 0),
             ('Stalled', false, 'Pending', 0)$$, 'with five conditions');
SELECT test.refused($$SELECT tenancy.define_store('docs', 'redis')$$, 'TN028', 'its kind is for ever');
SELECT test.refused($$SELECT tenancy.define_store('s', 'redis', on_missing_stamp => 'stamp')$$, 'TN028', 'an empty server proves no erasing');
SELECT test.refused($$SELECT tenancy.define_store('docs', 'mongodb', on_missing_stamp => 'stamp')$$, 'TN028', 'nor does that of a store that is required for it already');
BEGIN;
SELECT lives_ok($$SELECT tenancy.define_store('cache', 'redis', '{suspend}', on_missing_stamp => 'stamp')$$, 'where no erasing waits for it, it may be stamped');
SELECT test.refused($$SELECT tenancy.define_store('cache', 'redis', '{erase}', on_missing_stamp => 'stamp')$$, 'TN028', 'but not be required later');
ROLLBACK;

-- Changing it.
RESET SESSION AUTHORIZATION;
SELECT id FROM tenancy.bind_instance('new') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs'), 'old active 2, asked erasing 5', 'both are claimed, the longest due first');
SELECT is(test.work('docs'), NULL, 'and done');
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_store('docs', 'mongodb', options => '{"max_namespaces": 100}', description => 'other words') \g /dev/null
SELECT is((SELECT generation FROM tenancy.store WHERE name = 'docs'), 1::bigint, 'other words are nothing to follow');
SELECT is((SELECT count(*) FROM tenancy.store_mark), 0::bigint, 'nobody is marked');
SELECT tenancy.define_store('docs', 'mongodb', unknown_objects => 'prune') \g /dev/null
SELECT is((SELECT generation FROM tenancy.store WHERE name = 'docs'), 2::bigint, 'another policy is');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT matches(test.named(test.claim('docs')), 'old active 2', 'everybody is looked at again');
SELECT is((SELECT string_agg(name || ' ' || unknown_objects || ' ' || generation, ', ') FROM tenancy.daemon_stores()), 'cache report 1, docs prune 2', 'daemons are told');
RESET SESSION AUTHORIZATION;
SELECT test.expire() \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null

-- Settings' definitions are followed too, since stores show the defaults.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_setting('theme', '{"type": ["string", "null"]}', '"light"') \g /dev/null
SELECT is((SELECT array_agg(generation ORDER BY name) FROM tenancy.store), '{2,3}', 'a defined setting is followed by every store');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is((SELECT settings FROM tenancy.claim_work('d1', 1, 'cache', 1, '1 minute')), '{"theme": "light"}', 'its default is there');
SELECT test.expire() \g /dev/null
SELECT test.settle('docs', 'cache') \g /dev/null

-- A new tenant, and who waits for whom.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('acme') \g /dev/null
SELECT results_eq($$SELECT step, position, kind, state FROM tenancy.onboarding_progress WHERE slug = 'acme'$$, $$VALUES ('store:docs', 0, 'store', 'provisioning')$$,
    'it waits for the store that is required for provisioning');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('cache'), 'acme provisioning 1', 'the other store has it');
SELECT is((SELECT state FROM tenancy.run_onboarding('acme')), 'provisioning', 'which is not enough');
SELECT is(test.work('docs', '{"outcome": "retry", "retry_after_ms": 0, "reason": "Full"}'), 'acme provisioning 1', 'the store fails');
SELECT is((SELECT state FROM tenancy.run_onboarding('acme')), 'provisioning', 'which is not enough either');
SELECT is(test.work('docs'), 'acme provisioning 1', 'the store has it');
SET SESSION AUTHORIZATION lc_admin;
SELECT results_eq($$SELECT state, progress FROM tenancy.onboarding_progress WHERE slug = 'acme'$$, $$VALUES ('active', 'done')$$, 'it is active');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs'), 'acme active 2', 'and the store is told');
-- A checklist with a place for the store; steps that wait for a person before it.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_tier('pro'), tenancy.define_onboarding_step('pro', 1, 'call', 'manual'), tenancy.define_onboarding_step('pro', 2, 'documents', 'store', store => 'docs') \g /dev/null
SELECT tenancy.define_onboarding_step('pro', 3, 'elsewhere', 'store', store => 'nowhere'), tenancy.provision('big', tier => 'pro') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null
SELECT is((SELECT string_agg(step || ' ' || progress, ', ' ORDER BY position) FROM tenancy.run_onboarding('big')), 'call waiting, documents pending, elsewhere pending', 'the store is ready, the person is not');
SELECT is(tenancy.complete_onboarding_step('big', 'call'), 'provisioning', 'the person is');
SELECT is((SELECT string_agg(step || ' ' || progress, ', ' ORDER BY position) FROM tenancy.run_onboarding('big')), 'call done, documents done, elsewhere waiting', 'the store''s step is done by itself; a name that is no store waits');
SELECT is(tenancy.complete_onboarding_step('big', 'elsewhere'), 'active', 'for somebody');
SELECT test.settle('docs', 'cache') \g /dev/null

-- Trying again.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.set_display_name('old', 'x'), tenancy.set_display_name('acme', 'x') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs', '{"outcome": "parked", "reason": "NamespaceLimit", "message": "full"}'), 'old active 3, acme active 3', 'two are given up');
SELECT is(test.work('docs'), NULL, 'and not tried again');
SET SESSION AUTHORIZATION lc_admin;
SELECT is(tenancy.retry_store('docs', 'acme'), 1::bigint, 'one is to be tried again');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs'), 'acme active 3', 'and is');
SET SESSION AUTHORIZATION lc_admin;
SELECT is(tenancy.retry_store('docs'), 1::bigint, 'all that are stalled');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(test.work('docs'), 'old active 3', 'and nobody else');
SET SESSION AUTHORIZATION lc_admin;
SELECT is(tenancy.retry_store('docs', everything => true), 4::bigint, 'everybody');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(jsonb_array_length(test.claim('docs')), 4, 'is looked at');
SET SESSION AUTHORIZATION lc_admin;
SELECT test.refused($$SELECT tenancy.retry_store('nope')$$, 'TN027', 'no such store');
SELECT test.refused($$SELECT tenancy.retry_store('docs', 'nope')$$, 'TN004', 'no such tenant');

-- Forgetting.
SELECT tenancy.provision('late') \g /dev/null
SELECT test.refused($$SELECT tenancy.forget_store('nope', 'x')$$, 'TN027', 'no such store');
SELECT test.refused($$SELECT tenancy.forget_store('docs', ' ')$$, '22023', 'not without a reason');
SELECT is(tenancy.forget_store('docs', 'burnt down'), 5::bigint, 'forgotten: five were not proven gone');
SELECT is((SELECT state FROM tenancy.tenant WHERE slug = 'late'), 'active', 'nobody waits for it any more');
SELECT results_eq($$SELECT event, test.slug(tenant_id), detail ->> 'store', detail ->> 'tenants' FROM tenancy.audit_event WHERE event IN ('forget_store', 'erasure_unproven') ORDER BY 1$$,
    $$VALUES ('erasure_unproven', 'asked', 'docs', NULL), ('forget_store', NULL, 'docs', '5')$$, 'on record, also with the tenant to be erased');
SELECT is((SELECT count(*) FROM tenancy.tenant_store WHERE store = 'docs') + (SELECT count(*) FROM tenancy.store_mark WHERE store = 'docs'), 0::bigint, 'nothing is known of it');
SELECT test.refused($$SELECT tenancy.forget_store('docs', 'x')$$, 'TN027', 'forgotten once');
SELECT test.refused($$SELECT tenancy.define_store('docs', 'redis')$$, 'TN028', 'its name stays of its kind');
SELECT lives_ok($$SELECT tenancy.define_store('docs', 'mongodb')$$, 'it can be attached again');
SELECT results_eq($$SELECT t.state = 'erased', count(*), bool_and((s.conditions #>> '{Deleting,status}')::boolean = (t.state = 'erased'))
    FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id
    WHERE s.store = 'docs' AND s.observed_generation = 0 AND s.due_at IS NOT NULL GROUP BY 1 ORDER BY 1$$,
    'VALUES (false, 5::bigint, true), (true, 1, true)', 'and begins from nothing: who is erased may still lie there');

-- Who is erased later may still lie in a store that was forgotten; who was made later was never in it.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_store('lost', 'redis', '{}') \g /dev/null
SELECT tenancy.provision('before') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('lost') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.forget_store('lost', 'stolen') \g /dev/null
SELECT tenancy.provision('after') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event = 'erasure_unproven' AND detail ->> 'store' = 'lost' AND test.slug(tenant_id) IN ('before', 'after')), 0::bigint, 'neither is being erased');
UPDATE tenancy.store SET required_for = '{}' WHERE name <> 'lost';
UPDATE tenancy.tenant_store SET message = 'dup key: { email: "ann@example.com" }' WHERE test.slug(tenant_id) = 'before';
UPDATE tenancy.tenant SET state = 'active' WHERE slug IN ('before', 'after');
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.suspend(s, 'x'), tenancy.archive(s, 'x'), tenancy.request_erasure(s, 'x', '0') FROM unnest(ARRAY['before', 'after']) AS s \g /dev/null
CALL tenancy.erase('before');
CALL tenancy.erase('after');
SELECT is((SELECT string_agg(test.slug(tenant_id), ',') FROM tenancy.audit_event WHERE event = 'erasure_unproven' AND detail ->> 'store' = 'lost' AND test.slug(tenant_id) IN ('before', 'after')), 'before', 'who was there when it was forgotten');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event = 'erasure_unproven' AND test.slug(tenant_id) = 'gone' AND detail ->> 'store' = 'lost'), 0::bigint, 'not who was erased before it was attached');
RESET SESSION AUTHORIZATION;
SELECT results_eq($$SELECT DISTINCT message FROM tenancy.tenant_store WHERE test.slug(tenant_id) = 'before'$$, $$VALUES ('')$$, 'what stores said of who is erased is gone');
UPDATE tenancy.store SET required_for = '{erase}' WHERE name = 'docs';

-- Erasing waits for those that are required.
SET SESSION AUTHORIZATION lc_admin;
\set ON_ERROR_STOP 0
CALL tenancy.erase('asked', timeout => '10 ms');
SELECT test.said(:'SQLSTATE', 'TN025', 'the store has not proven it');
\set ON_ERROR_STOP 1
SELECT test.refused($$SELECT tenancy.finish_erasure(tenancy.tenant_id('asked'))$$, 'TN025', 'nor can it be finished otherwise');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT matches(test.named(test.claim('docs')), '^asked erasing 6 gone', 'it is urgent');
RESET SESSION AUTHORIZATION;
SELECT finish();
