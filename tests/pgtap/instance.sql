-- The identity of an installation: bound once, lost by a copy, taken over or made anew.
\ir helpers/operators.sql
\ir helpers/daemon.sql
SELECT plan(45);

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('acme'), tenancy.define_store('cache', 'redis') \g /dev/null
SELECT tenancy.provision('waiting') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT results_eq($$SELECT bound, id, live_system_identifier ~ '^[0-9]+$', live_timeline, in_recovery FROM tenancy.instance_identity()$$, $$VALUES (false, NULL::uuid, true, 1, false)$$, 'not bound at first');
SET SESSION AUTHORIZATION lc_admin;
SELECT test.refused('SELECT tenancy.bind_instance(' || a || ')', state, 'not bound, no: ' || a)
FROM (VALUES ($$'replacement'$$, '55000'), ($$'clone'$$, '55000'), ($$'main'$$, '22023'), ('NULL', '22023'), ($$'new', 1$$, 'TN016')) AS bad(a, state);
SET SESSION AUTHORIZATION lc_sidecar;
SELECT results_eq($$SELECT epoch FROM tenancy.bind_instance('new', 0)$$, 'VALUES (1::bigint)', 'bound');
SELECT results_eq($$SELECT bound, epoch, tick, bound_system_identifier = live_system_identifier, bound_database_oid = live_database_oid, bound_timeline = live_timeline
    FROM tenancy.instance_identity()$$, 'VALUES (true, 1::bigint, 0::bigint, true, true, true)', 'to this server and database');
SET SESSION AUTHORIZATION lc_admin;
SELECT test.refused('SELECT tenancy.bind_instance(' || a || ')', state, 'bound, no: ' || a)
FROM (VALUES ($$'new'$$, '55000'), ($$'new', 1$$, '55000'), ($$'replacement', 2$$, 'TN016'), ($$'clone', 0$$, 'TN016')) AS bad(a, state);

-- Heartbeats.
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is(tenancy.tick_instance('d1', '1.0', 1), 1::bigint, 'a tick');
SELECT is(tenancy.tick_instance('d2', '1.0', 1), 2::bigint, 'whoever it is from');
SELECT is(tenancy.tick_instance('d1', '1.1', 1), 3::bigint, 'counts');
SELECT test.refused($$SELECT tenancy.tick_instance('d1', '1', 2)$$, 'TN026', 'not of another epoch');
SELECT test.refused($$SELECT tenancy.tick_instance('', '1', 1)$$, '22023', 'nor from nobody');
RESET SESSION AUTHORIZATION;
UPDATE tenancy.daemon SET seen_at = now() - interval '2 days', started_at = now() - interval '3 days' WHERE name = 'd2';
UPDATE tenancy.daemon SET seen_at = now() - interval '2 minutes', started_at = now() - interval '3 days' WHERE name = 'd1';
SET SESSION AUTHORIZATION lc_sidecar;
SELECT tenancy.tick_instance('d1', '1.1', 1) \g /dev/null
SET SESSION AUTHORIZATION lc_auditor;
SELECT results_eq($$SELECT name, version, started_at > now() - interval '1 minute' FROM tenancy.daemon$$, $$VALUES ('d1', '1.1', true)$$, 'who was silent for a day is off the list, for a minute has begun anew');

-- A copy: the row is as it was, the server or the database is another one.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION test.moved(change text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    state text := 'accepted';
BEGIN
    EXECUTE 'UPDATE tenancy.instance SET ' || change;
    BEGIN
        IF change LIKE 'epoch%' THEN
            PERFORM tenancy.claim_work('d1', 1, 'cache', 1, '1 ms');
        ELSE
            PERFORM tenancy.require_instance(i.id) FROM tenancy.instance AS i;
            BEGIN
                PERFORM tenancy.claim_work('d1', 1, 'cache', 1, '1 ms');
            EXCEPTION WHEN SQLSTATE 'TN026' THEN
                RAISE EXCEPTION 'a session that may begin, and may not claim';
            END;
        END IF;
    EXCEPTION WHEN SQLSTATE 'TN026' THEN
        state := SQLSTATE;
    END;
    RAISE EXCEPTION USING ERRCODE = 'TN000', MESSAGE = state;
EXCEPTION WHEN SQLSTATE 'TN000' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(test.moved(change), said, change) FROM (VALUES ('tick = 9', 'accepted'), ('system_identifier = system_identifier + 1', 'TN026'),
    ('database_oid = 1', 'TN026'), ('timeline = timeline + 1', 'TN026'), ('epoch = epoch + 1', 'TN026')) AS m(change, said);

-- What a session of a daemon begins with.
SET SESSION AUTHORIZATION lc_sidecar;
SELECT lives_ok(format('SELECT tenancy.require_instance(%L)', (SELECT id FROM tenancy.instance_identity())), 'this database is the instance');
SELECT test.refused(format('SELECT tenancy.require_instance(%L)', i), 'TN026', 'and no other: ' || coalesce(i, 'NULL'))
FROM (VALUES ('01890000-0000-7000-8000-000000000000'), (NULL)) AS x(i);

-- A replacement looks at everything again, and deletes nothing that it does not know.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_store('cache', 'redis', unknown_objects => 'prune') \g /dev/null
SELECT generation AS generation FROM tenancy.store \gset
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.work('cache') \g /dev/null
SELECT test.claim('cache') AS claims \gset
SELECT id AS original FROM tenancy.instance_identity() \gset
SELECT test.refused('SELECT tenancy.bind_instance(' || a || ')', '42501', 'the daemon decides nothing: ' || a)
FROM (VALUES ($$'replacement'$$), ($$'clone'$$)) AS bad(a);
SET SESSION AUTHORIZATION lc_admin;
SELECT results_eq($$SELECT id, epoch FROM tenancy.bind_instance('replacement', 1)$$, format('VALUES (%L::uuid, 2::bigint)', :'original'), 'a replacement: the same id, the next epoch');
SELECT results_eq('SELECT unknown_objects, generation FROM tenancy.daemon_stores()', format('VALUES (%L, %s::bigint)', 'report', :generation + 1), 'what pruned only reports');
SELECT is((SELECT tick FROM tenancy.instance_identity()), 4::bigint, 'the tick goes on');
SELECT test.refused(format('SELECT tenancy.report_work(%L, 1, %L, %L)', 'd1', 'cache', '[]'), 'TN026', 'the daemon of before is out');
SELECT is((SELECT string_agg(test.slug(tenant_id), ',' ORDER BY test.slug(tenant_id)) FROM tenancy.claim_work('d3', 2, 'cache', 64, '1 minute')), 'acme,waiting', 'everybody is looked at again, also whom it held');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM tenancy.store_mark), 0::bigint, 'all marks are taken over');
SELECT is((SELECT string_agg(detail ->> 'store', ',') FROM tenancy.audit_event WHERE event = 'prune_withdrawn'), 'cache', 'that nothing is pruned is on record');
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_store('cache', 'redis', unknown_objects => 'prune') \g /dev/null
SELECT is((SELECT unknown_objects FROM tenancy.store), 'prune', 'until it is said again');

-- A clone shares nothing with its original.
SELECT tenancy.add_signing_key('https://issuer', 'k1', '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'app', ARRAY['*']) \g /dev/null
SELECT tenancy.revoke_token('https://issuer', 'j1', now() + interval '1 hour') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('third') \g /dev/null
SELECT is((SELECT state FROM tenancy.tenant WHERE slug = 'third'), 'provisioning', 'one waits for the store');
SET SESSION AUTHORIZATION lc_sidecar;
SET SESSION AUTHORIZATION lc_admin;
SELECT is((SELECT epoch FROM tenancy.bind_instance('clone')), 1::bigint, 'a clone begins anew');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT isnt((SELECT id FROM tenancy.instance_identity()), :'original'::uuid, 'under an id of its own');
SELECT is((SELECT tick FROM tenancy.instance_identity()), 0::bigint, 'and a tick');
SELECT is((SELECT count(*) FROM tenancy.daemon_stores()), 0::bigint, 'it has no stores');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM tenancy.signing_key) + (SELECT count(*) FROM tenancy.token_revocation) + (SELECT count(*) FROM tenancy.tenant_store)
    + (SELECT count(*) FROM tenancy.store_mark) + (SELECT count(*) FROM tenancy.daemon), 0::bigint, 'no keys, no rows');
SELECT is((SELECT state FROM tenancy.tenant WHERE slug = 'third'), 'active', 'nobody waits for a store');
SELECT is((SELECT string_agg(detail ->> 'role', ',' ORDER BY seq) FROM tenancy.audit_event WHERE event = 'bind_instance'), 'new,replacement,clone', 'on record');
SELECT throws_ok('INSERT INTO tenancy.instance SELECT NOT singleton, gen_random_uuid(), 1, 0, 1, 1, 1, now(), current_user FROM tenancy.instance', '23514', NULL, 'there is one at most');
SELECT finish();
