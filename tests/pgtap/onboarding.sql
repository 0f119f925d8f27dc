-- Onboarding: an ordered checklist, done step by step, resumed after a failure, never twice.
\ir helpers/operators.sql
SELECT plan(44);

CREATE ROLE lc_owner;
CREATE SCHEMA app AUTHORIZATION lc_owner;
SET ROLE lc_owner;
CREATE TABLE app.call (tenant uuid, as_role name, step text);
CREATE TABLE app.switch (broken boolean);
INSERT INTO app.switch VALUES (true);
CREATE FUNCTION app.seed(uuid) RETURNS void LANGUAGE sql AS $$ INSERT INTO app.call VALUES ($1, current_user, 'seed') $$;
CREATE FUNCTION app.fragile(uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO app.call VALUES ($1, current_user, 'fragile');
    IF (SELECT broken FROM app.switch) THEN
        RAISE EXCEPTION 'no disk';
    END IF;
END
$$;
CREATE FUNCTION app.two(uuid, text) RETURNS void LANGUAGE sql AS 'SELECT';
GRANT USAGE ON SCHEMA app TO PUBLIC;
RESET ROLE;

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_tier('pro') \g /dev/null

-- What a step may be.
SELECT test.refused(format('SELECT tenancy.define_onboarding_step(%s)', arguments), state, 'no step: ' || arguments)
FROM (VALUES ($$'nope', 1, 'a', 'manual'$$, '42704'), ($$'pro', 1, 'A b', 'manual'$$, '22023'), ($$'pro', 1, NULL, 'manual'$$, '22023'),
    ($$'pro', NULL, 'a', 'manual'$$, '22023'), ($$'pro', 1, 'a', 'shell'$$, '22023'), ($$'pro', 1, 'a', NULL$$, '22023'),
    ($$'pro', 1, 'a', 'sql'$$, '22023'), ($$'pro', 1, 'a', 'manual', 'app.seed(uuid)'$$, '22023'),
    ($$'pro', 1, 'a', 'store'$$, '22023'), ($$'pro', 1, 'a', 'manual', store => 's'$$, '22023'),
    ($$'pro', 1, 'a', 'sql', 'app.two(uuid,text)'$$, '22023'), ($$'pro', 1, 'a', 'sql', 'pg_catalog.sum(integer)'$$, '22023')) AS bad(arguments, state);
SELECT lives_ok($$SELECT tenancy.define_onboarding_step('pro', 10, 'seed', 'sql', 'app.seed(uuid)')$$, 'a step that calls a function');
SELECT lives_ok($$SELECT tenancy.define_onboarding_step('pro', 20, 'fragile', 'sql', 'app.fragile(uuid)')$$, 'another one');
SELECT lives_ok($$SELECT tenancy.define_onboarding_step('pro', 30, 'documents', 'store', store => 'mongo')$$, 'a step that waits for a store');
SELECT lives_ok($$SELECT tenancy.define_onboarding_step('pro', 5, 'contract', 'manual', description => 'signed?')$$, 'a step for a person, put first');
SELECT lives_ok($$SELECT tenancy.define_onboarding_step('pro', 40, 'call', 'manual')$$, 'a step for a person');
SELECT test.refused($$SELECT tenancy.define_onboarding_step('pro', 40, 'other', 'manual')$$, '22023', 'a position is taken once');
SELECT lives_ok($$SELECT tenancy.define_onboarding_step('pro', 40, 'call', 'manual', description => 'by phone')$$, 'a step can be changed');
SELECT lives_ok($$SELECT tenancy.define_onboarding_step('pro', 50, 'late', 'manual')$$, 'one more');
SELECT lives_ok($$SELECT tenancy.remove_onboarding_step('pro', 'late')$$, 'and out again');
SELECT test.refused($$SELECT tenancy.remove_onboarding_step('pro', 'late')$$, '42704', 'a step that is not there');

-- Along the checklist.
CREATE FUNCTION pg_temp.progress(text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(step || ' ' || progress || CASE WHEN is_next THEN '*' ELSE '' END, ', ' ORDER BY position)
        || ': ' || min(state) FROM tenancy.onboarding_progress WHERE slug = $1
$$;
SELECT tenancy.provision('acme', tier => 'pro') \g /dev/null
SELECT is(pg_temp.progress('acme'), 'contract pending*, seed pending, fragile pending, documents pending, call pending: provisioning', 'provisioned, nothing done');
SELECT tenancy.run_onboarding('acme') \g /dev/null
SELECT is(pg_temp.progress('acme'), 'contract waiting*, seed pending, fragile pending, documents pending, call pending: provisioning', 'the first step waits for a person');
SELECT test.refused($$SELECT tenancy.complete_onboarding_step('acme', 'call')$$, 'TN017', 'steps are done in order');
SELECT test.refused($$SELECT tenancy.skip_onboarding_step('acme', 'call', 'why not')$$, 'TN017', 'and skipped in order');
SELECT test.refused($$SELECT tenancy.complete_onboarding_step('acme', 'nope')$$, '42704', 'a step that is not there');
SELECT test.refused($$SELECT tenancy.complete_onboarding_step('nope', 'call')$$, 'TN004', 'a tenant that is not there');
SELECT test.refused($$SELECT tenancy.skip_onboarding_step('acme', 'contract', ' ')$$, '22023', 'skipping needs a reason');
SELECT is(tenancy.complete_onboarding_step('acme', 'contract'), 'provisioning', 'the person is done');
SELECT is(pg_temp.progress('acme'), 'contract done, seed done, fragile failed*, documents pending, call pending: provisioning', 'SQL steps follow, up to one that fails');
SELECT is((SELECT last_error FROM tenancy.onboarding_progress WHERE step = 'fragile'), 'P0001: no disk', 'its error is kept');
SELECT test.refused($$SELECT tenancy.complete_onboarding_step('acme', 'fragile')$$, 'TN017', 'a failed SQL step is not called done');
RESET SESSION AUTHORIZATION;
SELECT results_eq('SELECT as_role::text COLLATE "default", step FROM app.call', $$VALUES ('lc_owner', 'seed')$$, 'functions ran as their owner; the failed one is undone');
UPDATE app.switch SET broken = false;
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is((SELECT string_agg(progress, ',' ORDER BY position) FROM tenancy.run_onboarding('acme')), 'done,done,done,waiting,pending', 'the sidecar resumes it');
SELECT is(tenancy.complete_onboarding_step('acme', 'documents'), 'provisioning', 'and reports the store');
SET SESSION AUTHORIZATION lc_admin;
SELECT is(tenancy.skip_onboarding_step('acme', 'call', 'they said no'), 'active', 'the last step is skipped: active');
SELECT is(pg_temp.progress('acme'), 'contract done, seed done, fragile done, documents done, call skipped: active', 'the whole list');
SELECT is((SELECT generation FROM tenancy.tenant WHERE slug = 'acme'), 2::bigint, 'one transition');
SELECT is(tenancy.complete_onboarding_step('acme', 'contract'), 'active', 'completing again changes nothing');
SELECT tenancy.run_onboarding('acme') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT is((SELECT string_agg(step, ',' ORDER BY step) FROM app.call), 'fragile,seed', 'no step is done twice');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event = 'onboarding_step'), 6::bigint, 'each step is in the trail');

-- The copy of a tenant does not change with the list.
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('second', tier => 'pro') \g /dev/null
SELECT tenancy.remove_onboarding_step('pro', 'call') \g /dev/null
SELECT is((SELECT count(*) FROM tenancy.onboarding_progress WHERE slug = 'second'), 5::bigint, 'a provisioned tenant keeps its list');
SELECT tenancy.archive('second', 'gave up') \g /dev/null
SELECT test.refused($$SELECT tenancy.complete_onboarding_step('second', 'contract')$$, 'TN010', 'an archived tenant is not onboarded');

SELECT finish();
