-- Scheduled transitions: what is due happens once, what cannot happen is failed and holds up nobody.
\ir helpers/operators.sql
SELECT plan(36);
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision(slug) FROM unnest(ARRAY['a', 'b', 'c', 'd']) AS slug \g /dev/null

SELECT test.refused(format('SELECT tenancy.schedule(%L, %L, %L)', 'a', action, at), 'TN024', format('no schedule: %s at %s', action, at))
FROM (VALUES ('explode', 'tomorrow'), (NULL, 'tomorrow'), ('activate', 'tomorrow'), ('finish_erasure', 'tomorrow'),
    ('suspend', 'yesterday'), ('suspend', 'now'), ('suspend', 'infinity'), ('suspend', NULL)) AS bad(action, at);
SELECT test.refused($$SELECT tenancy.schedule('nope', 'suspend', 'tomorrow')$$, 'TN004', 'a schedule of no tenant');
SELECT test.refused($$SELECT tenancy.schedule('a', 'suspend', 'tomorrow', '')$$, '22023', 'a schedule without a reason');

SELECT tenancy.schedule('a', 'suspend', clock_timestamp() + interval '1 hour', 'trial ended') AS a,
       tenancy.schedule('b', 'archive', clock_timestamp() + interval '1 hour', 'never legal') AS b,
       tenancy.schedule('c', 'set_read_only', clock_timestamp() + interval '1 hour') AS c,
       tenancy.schedule('d', 'suspend', clock_timestamp() + interval '2 hours') AS d \gset
SELECT is_empty('SELECT * FROM tenancy.run_schedule()', 'nothing is due yet');
-- An hour passes.
RESET SESSION AUTHORIZATION;
UPDATE tenancy.scheduled_action SET due_at = due_at - interval '61 minutes';

SET SESSION AUTHORIZATION lc_sidecar;
SELECT results_eq(
    'SELECT id, action, outcome, left(error, 5) FROM tenancy.run_schedule()',
    format($$VALUES (%s::bigint, 'suspend', 'done', NULL), (%s, 'archive', 'failed', 'TN010'), (%s, 'set_read_only', 'done', NULL)$$, :a, :b, :c),
    'what is due happens, one that is illegal holds up no other');
SELECT is_empty('SELECT * FROM tenancy.run_schedule()', 'and happens once');
SET SESSION AUTHORIZATION lc_admin;
SELECT results_eq('SELECT slug COLLATE "default", state, state_reason FROM tenancy.tenant ORDER BY 1',
    $$VALUES ('a', 'suspended', 'trial ended'), ('b', 'active', NULL), ('c', 'read_only', 'scheduled'), ('d', 'active', NULL)$$, 'the tenants are where they should be');
SELECT results_eq('SELECT outcome, attempts, finished_at IS NOT NULL FROM tenancy.scheduled_action ORDER BY id',
    $$VALUES ('done', 1, true), ('failed', 1, true), ('done', 1, true), ('pending', 0, false)$$, 'and the schedule says so');
SELECT is((SELECT detail - 'reason' FROM tenancy.audit_event WHERE event = 'suspend'),
    jsonb_build_object('from', 'active', 'to', 'suspended', 'generation', 3, 'schedule', :a, 'scheduled_by', 'lc_admin'), 'the trail names the schedule');
SELECT is((SELECT actor_role FROM tenancy.audit_event WHERE event = 'suspend'), 'lc_sidecar', 'and who ran it');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event = 'schedule_failed'), 1::bigint, 'a failure is in the trail');

SELECT lives_ok(format('SELECT tenancy.cancel_schedule(%s)', :d), 'a pending one is cancelled');
SELECT test.refused(format('SELECT tenancy.cancel_schedule(%s)', id), '42704', 'nothing pending under ' || id)
FROM unnest(ARRAY[:'a', :'d', '4711', 'NULL']) AS id;
RESET SESSION AUTHORIZATION;
UPDATE tenancy.scheduled_action SET due_at = due_at - interval '1 day';
SET SESSION AUTHORIZATION lc_admin;
SELECT is_empty('SELECT * FROM tenancy.run_schedule()', 'a cancelled one does not happen');

-- A passing fault is tried again, later each time, five times at most.
SELECT tenancy.schedule('b', 'suspend', clock_timestamp() + interval '1 second') AS e \gset
RESET SESSION AUTHORIZATION;
UPDATE tenancy.scheduled_action SET due_at = now() - interval '1 hour' WHERE id = :e;
CREATE FUNCTION test.fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk on fire'; END $$;
CREATE TRIGGER fault BEFORE UPDATE ON tenancy.tenant FOR EACH ROW EXECUTE FUNCTION test.fault();
SET SESSION AUTHORIZATION lc_admin;
SELECT results_eq('SELECT outcome, error FROM tenancy.run_schedule()', $$VALUES ('pending', 'P0001: disk on fire')$$, 'a fault leaves it pending: ' || n)
FROM generate_series(1, 4) AS n;
SELECT results_eq('SELECT outcome FROM tenancy.run_schedule()', $$VALUES ('failed')$$, 'the fifth time it is failed');
RESET SESSION AUTHORIZATION;
UPDATE tenancy.scheduled_action SET outcome = 'pending', attempts = 1, due_at = now() WHERE id = :e;
DROP TRIGGER fault ON tenancy.tenant;
SET SESSION AUTHORIZATION lc_admin;
SELECT is_empty('SELECT * FROM tenancy.run_schedule()', 'after a fault it waits a minute');

-- request_erasure by schedule has the default grace.
SELECT tenancy.suspend('b', 'x'), tenancy.archive('b', 'x') \g /dev/null
SELECT tenancy.cancel_schedule(:e) \g /dev/null
SELECT tenancy.schedule('b', 'request_erasure', clock_timestamp() + interval '1 second') AS f \gset
RESET SESSION AUTHORIZATION;
UPDATE tenancy.scheduled_action SET due_at = now() WHERE id = :f;
SET SESSION AUTHORIZATION lc_admin;
SELECT results_eq('SELECT outcome FROM tenancy.run_schedule()', $$VALUES ('done')$$, 'an erasure is requested by schedule');
SELECT ok(erase_after > now() + interval '29 days', 'with a grace of 30 days') FROM tenancy.tenant WHERE slug = 'b';
SELECT test.refused($$SELECT tenancy.schedule('b', 'suspend', 'tomorrow')$$, 'TN010', 'nothing is scheduled for a tenant being erased');
SELECT test.refused(format('SELECT * FROM tenancy.run_schedule(%s)', n), '22023', 'max_actions ' || n) FROM unnest(ARRAY['0', '-1', 'NULL']) AS n;

SELECT finish();
