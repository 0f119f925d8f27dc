-- What is said of stores: health, scans, alarms, the report for people; waiting for stores.
\ir helpers/operators.sql
\ir helpers/daemon.sql
SELECT plan(80);

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('acme'), tenancy.provision('beta'), tenancy.define_store('docs', 'mongodb'), tenancy.define_store('cache', 'redis', '{}') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT id FROM tenancy.bind_instance('new') \g /dev/null
SELECT tenancy.tick_instance('d1', '1', 1) \g /dev/null
SELECT test.settle('docs', 'cache') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT is_empty('SELECT * FROM tenancy.store_alarm', 'nothing to look at');
-- As if all had been so for a while.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION test.later() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE tenancy.tenant SET changed_at = changed_at - interval '1 minute', created_at = created_at - interval '1 minute', erase_started_at = erase_started_at - interval '1 minute';
    UPDATE tenancy.tenant_store SET pending_since = pending_since - interval '1 minute';
$$;
CREATE FUNCTION test.alarms() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', a.store, test.slug(a.tenant_id), a.alarm), ', ' ORDER BY a.store, a.alarm, test.slug(a.tenant_id)) FROM tenancy.store_alarm AS a
$$;

-- Suspensions.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.suspend('acme', 'x'), tenancy.set_read_only('beta', 'x') \g /dev/null
SELECT is(test.alarms(), NULL, 'a suspension has ten seconds');
SELECT test.later() \g /dev/null
SELECT is(test.alarms(), 'docs acme suspension_not_reached, docs beta suspension_not_reached', 'then it is an alarm, where the store is required for it');
SELECT is(message, 'the tenant is suspended, the store shows it as active', 'which says how it is') FROM tenancy.store_alarm WHERE tenant_id = tenancy.tenant_id('acme');
SELECT tenancy.set_display_name('acme', 'x') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.work('docs', '{"outcome": "retry", "retry_after_ms": 0, "reason": "Unreachable"}') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT test.later() \g /dev/null
SELECT is(test.alarms(), 'docs acme suspension_not_reached, docs beta suspension_not_reached', 'a failed attempt does not end it');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.work('docs', '{"outcome": "retry", "retry_after_ms": 0, "reason": "Refused", "state": "suspended"}') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT is(test.alarms(), NULL, 'one that showed the state before it failed does');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT is(test.alarms(), NULL, 'reached');
SELECT tenancy.resume('acme') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.work('docs', '{"outcome": "retry", "retry_after_ms": 0, "reason": "TimedOut"}') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.suspend('acme', 'x') \g /dev/null
SELECT test.later() \g /dev/null
SELECT is(test.alarms(), 'docs acme suspension_not_reached', 'a daemon that was to resume the tenant may have, whatever it told');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.archive('acme', 'x') \g /dev/null
SELECT test.later() \g /dev/null
SELECT is(test.alarms(), NULL, 'archived: cut off already');
RESET SESSION AUTHORIZATION;
BEGIN;
UPDATE tenancy.tenant_store SET observed_state = 'provisioning' WHERE tenant_id = tenancy.tenant_id('beta') AND store = 'docs';
SELECT is(test.alarms(), 'docs beta suspension_not_reached', 'what a new tenant shows may be writable by now');
ROLLBACK;
SET SESSION AUTHORIZATION lc_admin;

-- Provisioning, erasing, stalled.
SELECT tenancy.provision('new'), tenancy.request_erasure('acme', 'x', '0') \g /dev/null
\set ON_ERROR_STOP 0
CALL tenancy.erase('acme', timeout => '1 ms');
\set ON_ERROR_STOP 1
SELECT test.later() \g /dev/null
SELECT is(test.alarms(), 'docs acme erasure_not_reached, docs new provisioning_not_reached', 'a new tenant waits, and one that is to be gone');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('docs', 'cache') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.erase('acme');
SELECT tenancy.set_display_name('new', 'x') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.work('docs') \g /dev/null
SELECT test.settle('docs') \g /dev/null
SELECT is(test.work('cache', '{"outcome": "parked", "reason": "Full", "message": "no room"}'), 'new active 3, acme erased 10 gone', 'the other store gives all up');
SET SESSION AUTHORIZATION lc_admin;
SELECT is(test.alarms(), 'cache acme tenant_stalled, cache new tenant_stalled', 'stalled');
SELECT is((SELECT DISTINCT message FROM tenancy.store_alarm), 'Full: no room', 'with the reason');
\set ON_ERROR_STOP 0
CALL tenancy.await_stores('acme', '20 ms');
\set ON_ERROR_STOP 1
SELECT test.said(:'SQLSTATE', 'TN025', 'a look that failed after the proof leaves nothing proven');
SELECT tenancy.retry_store('cache') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('cache', 'docs') \g /dev/null
SELECT results_eq('SELECT store, due, seconds FROM tenancy.store_lag()', $$VALUES ('cache', 0::bigint, 0::double precision), ('docs', 0, 0)$$, 'nothing is behind');

-- Health.
SELECT test.refused(format('SELECT tenancy.report_store(%L, 1, %L, %s)', 'd1', store, health), state, 'no health: ' || health)
FROM (VALUES ('docs', 'NULL', '22023'), ('docs', $$'[]'$$, '22023'), ('docs', $$'{"reachable": true}'$$, '22023'), ('docs', $$'{"reachable": "yes", "fenced": false}'$$, '22023'),
    ('nope', $$'{"reachable": true, "fenced": false}'$$, 'TN027')) AS bad(store, health, state);
SELECT lives_ok($$SELECT tenancy.report_store('d1', 1, 'docs', '{"reachable": true, "fenced": false, "reason": "Ready", "capabilities": {"version": "8"}}')$$, 'healthy');
SELECT is((SELECT stamped FROM tenancy.daemon_stores() WHERE name = 'docs'), false, 'not stamped yet');
SELECT lives_ok($$SELECT tenancy.report_store('d1', 1, 'docs', '{"reachable": true, "fenced": false, "reason": "Ready", "stamped": true, "capabilities": null}')$$, 'stamped');
SELECT is((SELECT stamped FROM tenancy.daemon_stores() WHERE name = 'docs'), true, 'daemons know');
SET SESSION AUTHORIZATION lc_auditor;
SELECT results_eq($$SELECT reachable, fenced, reason, capabilities, probed_at IS NOT NULL, changed_at < reported_at, reported_by FROM tenancy.store_status$$,
    $$VALUES (true, false, 'Ready', '{"version": "8"}'::jsonb, true, true, 'd1')$$, 'what it can do is kept');
SELECT is(test.alarms(), NULL, 'nothing to look at');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT tenancy.report_store('d1', 1, 'docs', '{"reachable": false, "fenced": false, "reason": "Refused"}'),
    tenancy.report_store('d1', 1, 'cache', '{"reachable": true, "fenced": true, "reason": "StampMismatch", "message": "of another instance"}') \g /dev/null
SET SESSION AUTHORIZATION lc_auditor;
SELECT is(test.alarms(), 'cache store_fenced, docs store_unreachable', 'neither answers for itself');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT tenancy.report_store('d1', 1, 'docs', '{"reachable": true, "fenced": false, "reason": "CapabilityMissing", "message": "the server lacks: transactions"}') \g /dev/null
SET SESSION AUTHORIZATION lc_auditor;
SELECT is(test.alarms(), 'cache store_fenced, docs store_not_ready', 'nor does one that answers and cannot do what is needed');
SELECT is((SELECT message FROM tenancy.store_alarm WHERE store = 'docs'), 'CapabilityMissing: the server lacks: transactions', 'which is said');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT tenancy.report_store('d1', 1, s, '{"reachable": true, "fenced": false, "reason": "Ready"}') FROM unnest(ARRAY['docs', 'cache']) AS s \g /dev/null

-- Scans.
SELECT test.refused(format('SELECT tenancy.report_unknown(%L, 1, %L, %s, true, 0, 0)', 'd1', store, a), state, 'no scan: ' || a)
FROM (VALUES ('nope', $$'s', '[]'$$, 'TN027'), ('docs', $$NULL, '[]'$$, '22023'), ('docs', $$'', '[]'$$, '22023'), ('docs', $$'s', NULL$$, '22023'), ('docs', $$'s', '{}'$$, '22023'),
    ('docs', $$'s', '[{"reason": "X"}]'$$, '22023'), ('docs', $$'s', '[{"name": "x", "resolution": "eaten"}]'$$, '22023'), ('docs', $$'s', '["x"]'$$, '22023')) AS bad(store, a, state);
SELECT lives_ok($$SELECT tenancy.report_unknown('d1', 1, 'docs', 'first', '[{"name": "t_1", "tenant": "00000000-0000-0000-0000-000000000001", "reason": "UnknownTenant", "detail": {"size": 5}, "resolution": "reported"}, {"name": "t_2", "instance": "00000000-0000-0000-0000-000000000002", "reason": "ForeignInstance"}]', false, 0, 0)$$, 'a scan finds something');
SELECT lives_ok($$SELECT tenancy.report_unknown('d1', 1, 'docs', 'first', '[{"name": "t_3", "reason": "NoMarker", "resolution": "pruned"}]', true, 3, 1)$$, 'and ends');
SET SESSION AUTHORIZATION lc_auditor;
SELECT results_eq($$SELECT name COLLATE "default", reason, resolution, detail FROM tenancy.unknown_object ORDER BY name$$,
    $$VALUES ('t_1', 'UnknownTenant', 'reported', '{"size": 5}'::jsonb), ('t_2', 'ForeignInstance', 'reported', '{}'), ('t_3', 'NoMarker', 'pruned', '{}')$$, 'what it found is kept');
SELECT results_eq($$SELECT scan_tenants, scan_differing, scan_unknown, scan_finished_at IS NOT NULL FROM tenancy.store_status WHERE store = 'docs'$$, 'VALUES (3::bigint, 1::bigint, 3::bigint, true)', 'with its counts');
SELECT is(test.alarms(), 'docs unknown_objects', 'somebody should look');
SELECT is((SELECT message FROM tenancy.store_alarm), '2 objects that no tenant explains', 'at two of them');
SELECT is((SELECT string_agg(event || ' ' || (detail ->> 'object'), ',') FROM tenancy.audit_event WHERE event ~ 'unknown_object'), 'unknown_object_pruned t_3', 'what was removed is on record');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT tenancy.report_unknown('d1', 1, 'docs', 'second', '[{"name": "t_2", "reason": "ForeignInstance"}]', true, 3, 0) \g /dev/null
SET SESSION AUTHORIZATION lc_auditor;
SELECT results_eq($$SELECT name COLLATE "default", first_seen < last_seen FROM tenancy.unknown_object$$, $$VALUES ('t_2', true)$$, 'what is not found again is off the list');

-- The report.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.set_display_name('beta', 'y') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT results_eq($$SELECT s ->> 'name', s -> 'tenants', s -> 'converged', s -> 'due', s -> 'leased', s -> 'stalled', s -> 'rollout', s -> 'unknown_objects', (s ->> 'oldest_due_seconds')::numeric > 0
    FROM jsonb_array_elements(tenancy.status_report() -> 'stores') AS s$$,
    $$VALUES ('cache', '3'::jsonb, '2'::jsonb, '1'::jsonb, '0'::jsonb, '0'::jsonb, '{"of": 2, "reached": 2}'::jsonb, '0'::jsonb, true), ('docs', '3', '2', '1', '0', '0', '{"of": 2, "reached": 2}', '1', true)$$, 'counts, from the moment of the change');
SELECT results_eq('SELECT store, due, seconds > 0 FROM tenancy.store_lag()', $$VALUES ('cache', 1::bigint, true), ('docs', 1, true)$$, 'and for metrics');
SELECT is((SELECT s ->> 'reported_by' FROM jsonb_array_elements(tenancy.status_report() -> 'stores') AS s WHERE s ->> 'name' = 'docs'), 'd1', 'who said so');
SELECT is((SELECT tenancy.status_report() #>> '{daemons,0,silent}'), 'false', 'who is still heard of');
SELECT is((SELECT tenancy.status_report() #>> '{alarms,0,alarm}'), 'unknown_objects', 'alarms');
SELECT is((SELECT tenancy.status_report() -> 'alarm_count'), '1', 'and how many there are');
SELECT is((SELECT tenancy.status_report() #>> '{daemons,0,name}'), 'd1', 'daemons');
SELECT is((SELECT tenancy.status_report() #>> '{instance,epoch}'), '1', 'the instance');
SET SESSION AUTHORIZATION lc_auditor;
SELECT lives_ok('SELECT tenancy.status_report()', 'an auditor may read it');
RESET SESSION AUTHORIZATION;
UPDATE tenancy.store_mark SET at = at - interval '1 minute' WHERE store = 'docs';
SET SESSION AUTHORIZATION lc_auditor;
SELECT results_eq('SELECT store, seconds > 60, seconds < 1000 FROM tenancy.store_lag()', $$VALUES ('cache', false, true), ('docs', true, true)$$, 'the age of the oldest change');

-- No scan comes to an end: what it would find is not known, and nothing else says so.
RESET SESSION AUTHORIZATION;
UPDATE tenancy.store SET defined_at = now() - interval '25 hours';
UPDATE tenancy.store_status SET scan_finished_at = now() - interval '23 hours';
SELECT is((SELECT string_agg(store, ' ') FROM tenancy.store_alarm WHERE alarm = 'scan_overdue' AND store = 'docs'), NULL, 'scanned within a day');
UPDATE tenancy.store_status SET scan_finished_at = now() - interval '25 hours';
SELECT is((SELECT string_agg(store, ' ' ORDER BY store) FROM tenancy.store_alarm WHERE alarm = 'scan_overdue'), 'cache docs', 'not for longer than a day');
UPDATE tenancy.store SET defined_at = now();
SELECT is((SELECT count(*) FROM tenancy.store_alarm WHERE alarm = 'scan_overdue'), 0::bigint, 'of a store that is new');

-- No daemon.
RESET SESSION AUTHORIZATION;
UPDATE tenancy.daemon SET seen_at = now() - interval '2 minutes';
UPDATE tenancy.store SET defined_at = now() - interval '2 minutes';
DELETE FROM tenancy.unknown_object;
SET SESSION AUTHORIZATION lc_admin;
SELECT is(test.alarms(), 'no_daemon', 'nobody works');

-- Waiting.
\set ON_ERROR_STOP 0
CALL tenancy.await_stores('beta', '20 ms');
SELECT test.said(:'SQLSTATE', 'TN025', 'stores that are behind');
\set said :LAST_ERROR_MESSAGE
SELECT is(:'said'::text, 'stores have not reached tenant "beta"', 'are told of');
CALL tenancy.await_stores('nope', '20 ms');
SELECT test.said(:'SQLSTATE', 'TN004', 'no tenant');
CALL tenancy.await_stores('beta', '-1 ms');
SELECT test.said(:'SQLSTATE', '22023', 'no time');
BEGIN;
CALL tenancy.await_stores('beta', '20 ms');
\set in_block :SQLSTATE
ROLLBACK;
SELECT test.said(:'in_block', '25001', 'not inside a transaction block');
SET SESSION AUTHORIZATION lc_auditor;
CALL tenancy.await_stores('beta', '20 ms');
SELECT test.said(:'SQLSTATE', '42501', 'not by an auditor');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.settle('cache', 'docs') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.await_stores('beta', '20 ms');
SELECT test.said(:'SQLSTATE', '00000', 'reached');
CALL tenancy.await_stores('acme', NULL);
SELECT test.said(:'SQLSTATE', '00000', 'so is one that is gone');

-- Nobody else reads.
SET SESSION AUTHORIZATION lc_app;
SELECT throws_ok('SELECT * FROM tenancy.' || t, '42501', NULL, 'an application does not read ' || t)
FROM unnest(ARRAY['instance', 'daemon', 'store', 'store_collection', 'tenant_store', 'store_mark', 'store_status', 'unknown_object', 'store_condition', 'store_alarm']) AS t;
SET SESSION AUTHORIZATION lc_sidecar;
SELECT throws_ok('SELECT * FROM tenancy.tenant_store', '42501', NULL, 'nor does a sidecar');
SELECT throws_ok($$SELECT nextval('tenancy.store_lease_seq')$$, '42501', NULL, 'nor take a lease''s number');
SELECT finish();
