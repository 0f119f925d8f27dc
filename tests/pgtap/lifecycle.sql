-- The state machine: every legal transition is taken, every other one refused, each counted and
-- recorded; drain. Notifications and races: tests/isolation/test_lifecycle.py.
\ir helpers/operators.sql
SELECT plan(162);

-- A tenant in any state, made the legal way.
CREATE FUNCTION test.tenant_in(slug text, state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tenancy.provision(slug, tier => CASE tenant_in.state WHEN 'provisioning' THEN 'checked' ELSE 'standard' END);
    IF tenant_in.state NOT IN ('provisioning', 'active', 'read_only') THEN
        PERFORM tenancy.suspend(slug, 'test');
    END IF;
    IF tenant_in.state = 'read_only' THEN
        PERFORM tenancy.set_read_only(slug, 'test');
    END IF;
    IF tenant_in.state IN ('archived', 'erasing', 'erased') THEN
        PERFORM tenancy.archive(slug, 'test');
    END IF;
    IF tenant_in.state IN ('erasing', 'erased') THEN
        PERFORM tenancy.request_erasure(slug, 'test', '0');
    END IF;
    IF tenant_in.state = 'erased' THEN
        PERFORM tenancy.finish_erasure(tenancy.begin_erasure(slug, 1));
    END IF;
END
$$;
CREATE TABLE test.cell AS
SELECT state, action, format(call, slug) AS command, slug, reached FROM (
    SELECT s.state, a.action, a.call, replace(s.state, '_', '-') || '-' || row_number() OVER () AS slug, l.reached
    FROM unnest(ARRAY['provisioning', 'active', 'read_only', 'suspended', 'archived', 'erasing', 'erased']) AS s(state)
    CROSS JOIN (VALUES
        ('suspend', $c$tenancy.suspend('%s', 'why')$c$), ('resume', $c$tenancy.resume('%s')$c$),
        ('set_read_only', $c$tenancy.set_read_only('%s', 'why')$c$), ('archive', $c$tenancy.archive('%s', 'why')$c$),
        ('request_erasure', $c$tenancy.request_erasure('%s', 'why')$c$), ('cancel_erasure', $c$tenancy.cancel_erasure('%s')$c$)
    ) AS a(action, call)
    LEFT JOIN (VALUES
        ('provisioning', 'archive', 'archived'), ('active', 'set_read_only', 'read_only'), ('active', 'suspend', 'suspended'),
        ('read_only', 'resume', 'active'), ('read_only', 'suspend', 'suspended'), ('read_only', 'archive', 'archived'),
        ('suspended', 'resume', 'active'), ('suspended', 'set_read_only', 'read_only'), ('suspended', 'archive', 'archived'),
        ('archived', 'request_erasure', 'erasing'), ('erasing', 'cancel_erasure', 'archived')
    ) AS l(state, action, reached) USING (state, action)) AS matrix;
GRANT SELECT ON test.cell TO PUBLIC;

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_tier('checked'), tenancy.define_onboarding_step('checked', 1, 'look', 'manual') \g /dev/null
SELECT test.tenant_in(slug, state) FROM test.cell \g /dev/null
SELECT is(t.state, c.state, 'made: ' || c.slug) FROM test.cell AS c JOIN tenancy.tenant AS t USING (slug);

-- Not legal: refused, naming what is.
SELECT test.refused('SELECT ' || command, 'TN010', format('from %s no %s', state, action)) FROM test.cell WHERE reached IS NULL;
SELECT throws_like($$SELECT tenancy.archive((SELECT slug FROM tenancy.tenant WHERE state = 'active' LIMIT 1), 'why')$$,
    '%is active: archive is not possible', 'the message names state and action');
CREATE FUNCTION pg_temp.detail_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    EXECUTE command;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
    RETURN told;
END
$$;
SELECT is(pg_temp.detail_of('SELECT ' || command),
    'From active the legal actions are: set_read_only (to read_only), suspend (to suspended).', 'the detail names the legal ones')
FROM test.cell WHERE state = 'active' AND action = 'archive';

-- Legal: state, generation, trail. (The loop runs each and remembers what it returned.)
CREATE TEMP TABLE before AS SELECT slug, generation FROM tenancy.tenant;
CREATE TEMP TABLE answer (slug text, generation bigint);
SELECT format('INSERT INTO answer SELECT %L, %s', slug, command) FROM test.cell WHERE reached IS NOT NULL \gexec
SELECT is(t.state, c.reached, format('from %s %s leads to %s', c.state, c.action, c.reached))
FROM test.cell AS c JOIN tenancy.tenant AS t USING (slug) WHERE c.reached IS NOT NULL;
SELECT is(ARRAY[a.generation, t.generation], ARRAY[b.generation + 1, b.generation + 1], 'counted and returned: ' || c.action || ' of ' || c.slug)
FROM test.cell AS c JOIN tenancy.tenant AS t USING (slug) JOIN before AS b USING (slug) JOIN answer AS a USING (slug);
SELECT is(count(*), 1::bigint, 'recorded: ' || c.action || ' of ' || c.slug)
FROM test.cell AS c JOIN tenancy.tenant AS t USING (slug)
JOIN tenancy.audit_event AS e ON e.tenant_id = t.id AND e.event = c.action AND e.detail ->> 'to' = c.reached
    AND e.detail ->> 'from' = c.state AND (e.detail ->> 'generation')::bigint = t.generation
    AND e.actor_role = 'lc_admin' AND e.session_role = 'lc_admin'
WHERE c.reached IS NOT NULL AND c.action <> 'resume' GROUP BY c.action, c.slug;
SELECT is(t.state_reason, 'why', 'the reason is kept: ' || slug) FROM tenancy.tenant AS t JOIN test.cell AS c USING (slug)
WHERE c.reached IN ('suspended', 'read_only', 'erasing');

-- The table of transitions is what is documented.
SELECT is((SELECT count(*) FROM tenancy.transition), 13::bigint, 'no transition more');
SELECT is((SELECT string_agg(to_state, ',') FROM tenancy.transition WHERE from_state = 'erased'), NULL, 'nothing leads from erased');

-- Bad input.
SELECT tenancy.provision('bad') \g /dev/null
SELECT test.refused(format('SELECT tenancy.%s(%L, %L)', f, 'bad', reason), '22023', f || ' without a reason')
FROM unnest(ARRAY['suspend', 'set_read_only', 'archive', 'request_erasure']) AS f, unnest(ARRAY[NULL, '', '  ', repeat('x', 1001)]) AS reason;
SELECT test.refused(format('SELECT tenancy.%s', call), 'TN004', 'unknown tenant: ' || call)
FROM unnest(ARRAY[$c$suspend('nope', 'x')$c$, $c$resume('nope')$c$, $c$set_read_only('nope', 'x')$c$, $c$archive('nope', 'x')$c$,
    $c$request_erasure('nope', 'x')$c$, $c$cancel_erasure('nope')$c$, $c$set_display_name('nope', 'x')$c$, $c$suspend(NULL, 'x')$c$]) AS call;
SELECT test.refused(format('SELECT tenancy.%s', call), 'TN016', 'another generation: ' || call)
FROM unnest(ARRAY[$c$suspend('bad', 'x', 1)$c$, $c$resume('bad', 1)$c$, $c$set_read_only('bad', 'x', 3)$c$, $c$archive('bad', 'x', 0)$c$,
    $c$request_erasure('bad', 'x', '1 day', -1)$c$, $c$cancel_erasure('bad', 9)$c$, $c$set_display_name('bad', 'x', 9)$c$]) AS call;
SELECT is(tenancy.suspend('bad', 'x', 2), 3::bigint, 'the expected generation passes');
SELECT tenancy.archive('bad', 'x') \g /dev/null
SELECT test.refused(format('SELECT tenancy.request_erasure(%L, %L, %L)', 'bad', 'x', grace), '22023', 'grace: ' || coalesce(grace, 'NULL'))
FROM unnest(ARRAY[NULL, '-1 second', '11 years']) AS grace;
SELECT tenancy.request_erasure('bad', 'x', '1 hour') \g /dev/null
SELECT ok(erase_after BETWEEN now() + interval '59 minutes' AND now() + interval '61 minutes', 'grace is kept') FROM tenancy.tenant WHERE slug = 'bad';
SELECT test.refused($$SELECT tenancy.add_alias('bad', 'k', 'v')$$, 'TN010', 'nothing is added to a tenant being erased');
SELECT tenancy.cancel_erasure('bad') \g /dev/null
SELECT is((SELECT erase_after FROM tenancy.tenant WHERE slug = 'bad'), NULL, 'cancelled: no end of grace');

-- Display names.
SELECT tenancy.provision('named', 'Old') \g /dev/null
SELECT is(tenancy.set_display_name('named', 'New'), 3::bigint, 'a display name counts as a change');
SELECT is((SELECT display_name FROM tenancy.tenant WHERE slug = 'named'), 'New', 'and is kept');

-- Drain: never of an active tenant, never inside a transaction, and only with an admin's right.
SELECT tenancy.suspend('named', 'test') \g /dev/null
\set ON_ERROR_STOP 0
CALL tenancy.drain('named', 'cancel', '10 seconds');
SELECT test.said(:'SQLSTATE', '00000', 'drain of a suspended tenant');
BEGIN;
CALL tenancy.drain('named');
\set in_block :SQLSTATE
ROLLBACK;
SELECT test.said(:'in_block', '25001', 'drain inside a transaction block');
DO $$ BEGIN CALL tenancy.drain('named'); END $$;
SELECT test.said(:'SQLSTATE', '00000', 'drain from a DO block of its own commits as well');
SELECT tenancy.resume('named') \g /dev/null
CALL tenancy.drain('named');
SELECT test.said(:'SQLSTATE', 'TN010', 'drain of an active tenant');
CALL tenancy.drain('named', 'kill');
SELECT test.said(:'SQLSTATE', '22023', 'drain in no such mode');
CALL tenancy.drain('named', 'wait', '-1 second');
SELECT test.said(:'SQLSTATE', '22023', 'drain with a negative timeout');
CALL tenancy.drain('nope');
SELECT test.said(:'SQLSTATE', 'TN004', 'drain of no tenant');
SET SESSION AUTHORIZATION lc_auditor;
CALL tenancy.drain('named');
SELECT test.said(:'SQLSTATE', '42501', 'drain by an auditor');
SET SESSION AUTHORIZATION lc_elsewhere;
CALL tenancy.drain('named');
SELECT test.said(:'SQLSTATE', '42501', 'drain by an admin of another database');
\set ON_ERROR_STOP 1

SELECT finish();
