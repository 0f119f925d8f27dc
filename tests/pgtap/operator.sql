-- Who may do what: membership in the cluster's role and a row of this database together; and the
-- catalog of the lifecycle's functions: rights, search_path, comments.
\ir helpers/operators.sql
CREATE ROLE lc_team;
CREATE ROLE lc_inherits LOGIN;
GRANT tenancy_admin TO lc_team;
GRANT lc_team TO lc_inherits;
CREATE ROLE lc_inherits_further LOGIN;
GRANT lc_inherits TO lc_inherits_further;
CREATE ROLE lc_row_only LOGIN;
SELECT tenancy.add_operator('lc_row_only', 'admin');
-- Anybody may call these here, so that it is the guards inside that are tested.
SELECT plan(302);
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA tenancy TO lc_row_only, lc_auditor, lc_sidecar, lc_app;

CREATE FUNCTION test.calls(OUT kind text, OUT call text) RETURNS SETOF record LANGUAGE sql AS $$
    VALUES ('admin', $c$provision('x')$c$), ('admin', $c$set_display_name('acme', 'x')$c$), ('admin', $c$add_alias('acme', 'k', 'v')$c$),
        ('admin', $c$remove_alias('acme', 'k', 'v')$c$), ('admin', $c$define_tier('t')$c$), ('admin', $c$remove_tier('t')$c$),
        ('admin', $c$set_tier('acme', 't')$c$), ('admin', $c$suspend('acme', 'x')$c$), ('admin', $c$resume('acme')$c$),
        ('admin', $c$set_read_only('acme', 'x')$c$), ('admin', $c$archive('acme', 'x')$c$), ('admin', $c$request_erasure('acme', 'x')$c$),
        ('admin', $c$cancel_erasure('acme')$c$), ('admin', $c$schedule('acme', 'suspend', 'tomorrow')$c$), ('admin', $c$cancel_schedule(1)$c$),
        ('admin', $c$define_onboarding_step('standard', 1, 'a', 'manual')$c$), ('admin', $c$remove_onboarding_step('standard', 'a')$c$),
        ('admin', $c$skip_onboarding_step('acme', 'a', 'x')$c$), ('admin', $c$define_setting('a', '{}')$c$), ('admin', $c$remove_setting('a')$c$),
        ('admin', $c$set_setting('acme', 'a', '1')$c$), ('admin', $c$unset_setting('acme', 'a')$c$),
        ('admin', $c$add_operator('lc_app', 'admin')$c$), ('admin', $c$remove_operator('lc_admin', 'admin')$c$),
        ('admin', $c$check_drainable('acme', 'wait', NULL)$c$), ('admin', $c$await_writers(gen_random_uuid(), false, NULL)$c$),
        ('admin', $c$begin_erasure('acme', 1)$c$), ('admin', $c$erase_batch(gen_random_uuid(), 'pg_class', 1)$c$),
        ('admin', $c$erasure_tables(gen_random_uuid())$c$), ('admin', $c$finish_erasure(gen_random_uuid())$c$),
        ('admin', $c$define_store('s', 'redis')$c$), ('admin', $c$forget_store('s', 'x')$c$), ('admin', $c$retry_store('s')$c$),
        ('admin', $c$define_collection('s', 'c')$c$), ('admin', $c$remove_collection('s', 'c')$c$),
        ('admin', $c$check_awaited('acme', NULL)$c$), ('admin', $c$stores_reached(gen_random_uuid(), NULL)$c$),
        ('sidecar', $c$bind_instance('new')$c$), ('sidecar', $c$tick_instance('d', '1', 1)$c$), ('sidecar', $c$daemon_stores()$c$),
        ('sidecar', $c$require_instance(NULL)$c$), ('sidecar', $c$report_store('d', 1, 's', '{}')$c$), ('sidecar', $c$claim_work('d', 1, 's', 1, '1 s')$c$),
        ('sidecar', $c$extend_leases('d', 's', '{1}', '1 s')$c$), ('sidecar', $c$release_work('d', 's', '{1}')$c$),
        ('sidecar', $c$report_work('d', 1, 's', '[]')$c$), ('sidecar', $c$desired_page('s', NULL, 1)$c$),
        ('sidecar', $c$request_repair('d', 1, 's', '{}')$c$), ('sidecar', $c$report_unknown('d', 1, 's', 'x', '[]', true, 0, 0)$c$),
        ('any', $c$instance_identity()$c$), ('any', $c$status_report()$c$), ('any', $c$store_lag()$c$),
        ('sidecar', $c$run_schedule()$c$), ('sidecar', $c$run_onboarding('acme')$c$), ('sidecar', $c$complete_onboarding_step('acme', 'a')$c$),
        ('any', $c$tenant_id('acme')$c$), ('any', $c$tenant_settings('acme')$c$)
$$;
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('acme') \g /dev/null

SET SESSION AUTHORIZATION lc_row_only;
SELECT test.refused('SELECT tenancy.' || call, '42501', 'a row without membership: ' || call) FROM test.calls();
SET SESSION AUTHORIZATION lc_app;
SELECT test.refused('SELECT tenancy.' || call, '42501', 'an application: ' || call) FROM test.calls();
SET SESSION AUTHORIZATION lc_elsewhere;
SELECT test.refused('SELECT tenancy.' || call, '42501', 'an admin of another database: ' || call) FROM test.calls();
SET SESSION AUTHORIZATION lc_auditor;
SELECT test.refused('SELECT tenancy.' || call, '42501', 'an auditor: ' || call) FROM test.calls() WHERE kind <> 'any';
SET SESSION AUTHORIZATION lc_sidecar;
SELECT test.refused('SELECT tenancy.' || call, '42501', 'a sidecar: ' || call) FROM test.calls() WHERE kind = 'admin';

-- A definer's right is not the caller's: only the outer role counts.
SET SESSION AUTHORIZATION lc_admin;
SELECT is(tenancy.is_operator('admin'), true, 'an admin is one');
SELECT is(tenancy.is_operator('auditor', 'sidecar'), false, 'and nothing else');
RESET SESSION AUTHORIZATION;
CREATE FUNCTION test.lent() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT tenancy.suspend('acme', 'lent') $$;
ALTER FUNCTION test.lent() OWNER TO lc_admin;
SET SESSION AUTHORIZATION lc_app;
SELECT throws_ok('SELECT test.lent()', '42501', NULL, 'SECURITY DEFINER of an admin lends nothing');

-- Nor is a superuser's who refreshes what an admin of another database left here.
RESET SESSION AUTHORIZATION;
CREATE SCHEMA elsewhere AUTHORIZATION lc_elsewhere;
SET SESSION AUTHORIZATION lc_elsewhere;
CREATE MATERIALIZED VIEW elsewhere.settings AS SELECT * FROM tenancy.tenant_settings('acme') WITH NO DATA;
CREATE MATERIALIZED VIEW elsewhere.suspended AS SELECT tenancy.suspend('acme', 'lent') WITH NO DATA;
RESET SESSION AUTHORIZATION;
SELECT throws_ok('REFRESH MATERIALIZED VIEW elsewhere.settings', '42501', NULL, 'not what every operator may do');
SELECT throws_ok('REFRESH MATERIALIZED VIEW elsewhere.suspended', '42501', NULL, 'nor what admins may');

-- Through a role, and no longer.
SET SESSION AUTHORIZATION lc_inherits;
SELECT throws_ok($$SELECT tenancy.provision('team')$$, '42501', NULL, 'membership through a role needs the role''s row');
SET SESSION AUTHORIZATION lc_admin;
SELECT lives_ok($$SELECT tenancy.add_operator('lc_team', 'admin')$$, 'an admin makes a role an operator');
SET SESSION AUTHORIZATION lc_inherits;
SELECT lives_ok($$SELECT tenancy.provision('team')$$, 'now it counts for the role''s members');
SET SESSION AUTHORIZATION lc_inherits_further;
SELECT is(tenancy.is_operator('admin'), true, 'and for members of members, to whom it is said so');
SELECT lives_ok($$SELECT tenancy.provision('further')$$, 'wherever an admin is asked for');
SELECT lives_ok($$SELECT tenancy.tenant_id('further')$$, 'or any operator');
SET SESSION AUTHORIZATION lc_admin;
SELECT lives_ok($$SELECT tenancy.remove_operator('lc_team', 'admin')$$, 'taken away');
SET SESSION AUTHORIZATION lc_inherits;
SELECT throws_ok($$SELECT tenancy.provision('team2')$$, '42501', NULL, 'it counts no more');
SET SESSION AUTHORIZATION lc_admin;
SELECT test.refused($$SELECT tenancy.remove_operator('lc_team', 'admin')$$, '42704', 'taken away once');
SELECT test.refused(format('SELECT tenancy.add_operator(%s)', a), state, 'no operator: ' || a)
FROM (VALUES ($$'lc_app', 'king'$$, '22023'), ($$'lc_app', NULL$$, '22023'), ($$'-', 'admin'$$, '42704'), ($$NULL, 'admin'$$, '42704')) AS bad(a, state);
SELECT throws_ok($$SELECT tenancy.add_operator('lc_nobody', 'admin')$$, '42704', NULL, 'a role that does not exist');

-- Reading.
SELECT lives_ok('SELECT * FROM tenancy.' || t, 'an admin reads ' || t) FROM unnest(ARRAY['tenant', 'audit_event', 'onboarding_progress']) AS t;
SELECT throws_ok(format('DELETE FROM tenancy.%I', t), '42501', NULL, 'an admin does not write ' || t) FROM unnest(ARRAY['tenant', 'audit_event', 'operator']) AS t;
SET SESSION AUTHORIZATION lc_auditor;
SELECT lives_ok('SELECT * FROM tenancy.' || t, 'an auditor reads ' || t) FROM unnest(ARRAY['tenant', 'audit_event', 'onboarding_progress']) AS t;
SET SESSION AUTHORIZATION lc_app;
SELECT throws_ok('SELECT * FROM tenancy.' || t, '42501', NULL, 'an application does not read ' || t) FROM unnest(ARRAY['tenant', 'audit_event', 'onboarding_progress', 'tenant_alias']) AS t;
SELECT lives_ok('SELECT * FROM tenancy.' || t, 'everybody reads ' || t) FROM unnest(ARRAY['transition', 'error_code']) AS t;

-- The trail is kept, also from superusers.
RESET SESSION AUTHORIZATION;
SELECT test.refused($$DELETE FROM tenancy.audit_event$$, '55000', 'events are not deleted');
SELECT test.refused($$UPDATE tenancy.audit_event SET detail = '{}'$$, '55000', 'events are not changed');
SELECT test.refused($$UPDATE tenancy.audit_event SET detail = detail - 'reason'$$, '55000', 'not even their reasons, of a tenant that lives');
SELECT test.refused($$TRUNCATE tenancy.audit_event$$, '55000', 'events are not truncated');

-- The catalog of SQL and PL/pgSQL routines of the schema.
CREATE VIEW test.routine AS
SELECT p.oid, p.oid::regprocedure AS name, p.prokind, p.prosecdef, p.proconfig, l.lanname FROM pg_proc AS p
JOIN pg_language AS l ON l.oid = p.prolang WHERE p.pronamespace = 'tenancy'::regnamespace AND l.lanname IN ('sql', 'plpgsql');
SELECT is_empty($$SELECT name FROM test.routine
    WHERE prokind = 'f' AND name NOT IN ('tenancy.is_wanted(text, timestamptz)'::regprocedure, -- three that are to be inlined
        'tenancy.condition(jsonb, text, boolean, timestamptz)'::regprocedure, 'tenancy.store_settings(uuid, jsonb)'::regprocedure)
      AND name::text NOT LIKE 'tenancy.tap\_%' -- they call pgTAP along the caller's path
      AND ('search_path=pg_catalog, pg_temp' = ANY (proconfig)) IS NOT TRUE$$,
    'every function pins its search_path; procedures that commit, and what calls pgTAP, qualify their names instead');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'tenancy'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL$$,
    'every routine has a comment');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = 'tenancy'::regnamespace AND c.relkind IN ('r', 'v')
    AND obj_description(c.oid, 'pg_class') IS NULL$$, 'every table has a comment');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'tenancy'::regnamespace AND c.relkind = 'r' AND a.atttypid IN ('regproc'::regtype, 'regprocedure'::regtype, 'regoper'::regtype, 'regnamespace'::regtype)$$,
    'no column keeps pg_upgrade from working');
SELECT finish();
