-- Onboarding: an ordered checklist for each tier, copied to a tenant when it is provisioned, and
-- the tenant's progress along it. When all of it is done the tenant becomes active.

CREATE TABLE tenancy.onboarding_step (
    tier        text NOT NULL REFERENCES tenancy.tier,
    name        text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    position    integer NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('sql', 'store', 'manual')),
    -- A text, since pg_upgrade refuses tables with regprocedure columns.
    function    text CHECK ((function IS NOT NULL) = (kind = 'sql')),
    store       text CHECK ((store IS NOT NULL) = (kind = 'store')),
    description text NOT NULL DEFAULT '',
    PRIMARY KEY (tier, name),
    CONSTRAINT onboarding_step_position_key UNIQUE (tier, position) DEFERRABLE
);
COMMENT ON TABLE tenancy.onboarding_step IS
'The checklists: what has to be done, in which order, before a tenant of the tier is active. kind sql calls function(tenant uuid) as the function''s owner; store waits until the attached store of that name has the tenant (or, where none is attached, until somebody calls tenancy.complete_onboarding_step()); manual waits for a person to call tenancy.complete_onboarding_step().';

CREATE TABLE tenancy.tenant_onboarding (
    tenant_id   uuid NOT NULL REFERENCES tenancy.tenant,
    step        text NOT NULL,
    position    integer NOT NULL,
    kind        text NOT NULL,
    function    text,
    store       text,
    progress    text NOT NULL DEFAULT 'pending'
        CHECK (progress IN ('pending', 'waiting', 'failed', 'done', 'skipped')),
    attempts    integer NOT NULL DEFAULT 0,
    last_error  text,
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, step)
);
COMMENT ON TABLE tenancy.tenant_onboarding IS
'Each tenant''s copy of the checklist it was provisioned with, and how far it has come.';

CREATE VIEW tenancy.onboarding_progress WITH (security_invoker = true, security_barrier = true) AS
SELECT o.tenant_id, t.slug, t.state, o.position, o.step, o.kind, o.progress, o.attempts, o.last_error, o.finished_at,
       o.position OPERATOR(pg_catalog.=) min(o.position) FILTER (WHERE o.finished_at IS NULL)
           OVER (PARTITION BY o.tenant_id) AS is_next
FROM tenancy.tenant_onboarding AS o JOIN tenancy.tenant AS t ON t.id OPERATOR(pg_catalog.=) o.tenant_id;
COMMENT ON VIEW tenancy.onboarding_progress IS
'How far each tenant has come in its onboarding, a row for each step; is_next marks the one that is due.';

CREATE FUNCTION tenancy.define_onboarding_step(
    tier text, "position" integer, name text, kind text,
    function regprocedure DEFAULT NULL, store text DEFAULT NULL, description text DEFAULT '')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong text;
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_tier(define_onboarding_step.tier);
    wrong := CASE
        WHEN define_onboarding_step.name IS NULL OR define_onboarding_step.name !~ '^[a-z][a-z0-9_]{0,62}$' THEN
            'The name of a step is [a-z][a-z0-9_]{0,62}.'
        WHEN define_onboarding_step.position IS NULL THEN 'A step needs a position.'
        WHEN coalesce(define_onboarding_step.kind, '') NOT IN ('sql', 'store', 'manual') THEN
            'The kind of a step is sql, store or manual.'
        WHEN (define_onboarding_step.kind = 'sql') <> (define_onboarding_step.function IS NOT NULL) THEN
            'A step of kind sql, and only such a one, names a function.'
        WHEN (define_onboarding_step.kind = 'store') <> (define_onboarding_step.store IS NOT NULL) THEN
            'A step of kind store, and only such a one, names a store.'
        WHEN define_onboarding_step.function IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_proc AS p WHERE p.oid = define_onboarding_step.function
              AND p.prokind = 'f' AND p.proargtypes::text = 'uuid'::regtype::oid::text) THEN
            'The function of a step takes the tenant''s id: function(uuid).'
        -- It is called as its owner.
        WHEN define_onboarding_step.function IS NOT NULL
             AND (NOT has_function_privilege(tenancy.outer_role(), define_onboarding_step.function, 'EXECUTE')
                  OR (SELECT o.rolsuper AND NOT me.rolsuper FROM pg_proc AS p JOIN pg_roles AS o ON o.oid = p.proowner
                      JOIN pg_roles AS me ON me.oid = tenancy.outer_role() WHERE p.oid = define_onboarding_step.function)) THEN
            'The function is one that you may not call, or that a superuser owns.'
        WHEN EXISTS (SELECT FROM tenancy.onboarding_step AS s
                     WHERE s.tier = define_onboarding_step.tier AND s.position = define_onboarding_step.position
                       AND s.name <> define_onboarding_step.name) THEN
            'Another step of the tier has this position.'
    END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'onboarding step % is not valid',
            coalesce(quote_literal(left(define_onboarding_step.name, 80)), 'NULL')
            USING ERRCODE = '22023', DETAIL = wrong,
                  HINT = 'For example define_onboarding_step(''standard'', 10, ''seed'', ''sql'', ''app.seed_tenant(uuid)'').';
    END IF;
    INSERT INTO tenancy.onboarding_step AS s (tier, name, position, kind, function, store, description)
    VALUES (define_onboarding_step.tier, define_onboarding_step.name, define_onboarding_step.position,
            define_onboarding_step.kind, define_onboarding_step.function::text, define_onboarding_step.store,
            coalesce(define_onboarding_step.description, ''))
    ON CONFLICT ON CONSTRAINT onboarding_step_pkey DO UPDATE
    SET position = excluded.position, kind = excluded.kind, function = excluded.function,
        store = excluded.store, description = excluded.description;
    PERFORM tenancy.record_event(NULL, 'define_onboarding_step', jsonb_build_object(
        'tier', define_onboarding_step.tier, 'step', define_onboarding_step.name, 'kind', define_onboarding_step.kind,
        'function', define_onboarding_step.function::text, 'store', define_onboarding_step.store));
END
$$;
COMMENT ON FUNCTION tenancy.define_onboarding_step(text, integer, text, text, regprocedure, text, text) IS
'Adds a step to the checklist of a tier, or changes it; tenants that are provisioned already keep theirs. kind sql: function(uuid) is called with the tenant''s id, as the function''s owner; it must bear being called again. What follows a store''s step runs as part of tenancyd''s report, within its postgres.statement_timeout (15 s unless configured), and is not reached when it takes longer: do what takes long elsewhere. kind store: waits until the attached store of that name has the tenant; where none of that name is attached, and for kind manual: for tenancy.complete_onboarding_step(). Errors: 42704 no such tier, 22023 a step that cannot be, 42501.';

CREATE FUNCTION tenancy.remove_onboarding_step(tier text, name text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    DELETE FROM tenancy.onboarding_step AS s
    WHERE s.tier = remove_onboarding_step.tier AND s.name = remove_onboarding_step.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tier % has no onboarding step %', coalesce(quote_literal(remove_onboarding_step.tier), 'NULL'),
            coalesce(quote_literal(left(remove_onboarding_step.name, 80)), 'NULL')
            USING ERRCODE = '42704', HINT = 'tenancy.onboarding_step lists them.';
    END IF;
    PERFORM tenancy.record_event(NULL, 'remove_onboarding_step', jsonb_build_object(
        'tier', remove_onboarding_step.tier, 'step', remove_onboarding_step.name));
END
$$;
COMMENT ON FUNCTION tenancy.remove_onboarding_step(text, text) IS
'Takes a step out of the checklist of a tier; tenants that are provisioned already keep theirs. Errors: 42704 no such step, 42501.';

CREATE FUNCTION tenancy.activate_when_complete(tenant uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    IF EXISTS (SELECT FROM tenancy.tenant_onboarding AS o
               WHERE o.tenant_id = activate_when_complete.tenant AND o.finished_at IS NULL) THEN
        RETURN false;
    END IF;
    SELECT t.* INTO STRICT locked FROM tenancy.tenant AS t
    WHERE t.id = activate_when_complete.tenant FOR NO KEY UPDATE;
    IF locked.state = 'provisioning' THEN
        PERFORM tenancy.apply_transition(locked, 'activate');
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION tenancy.activate_when_complete(uuid) IS
'Makes a provisioning tenant active when every step of its checklist is done or skipped; tells whether they are. Internal.';

-- Runs one SQL step in a subtransaction: its failure undoes the step and is recorded.
CREATE FUNCTION tenancy.try_onboarding_function(function text, tenant uuid)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.run_function_as_owner(try_onboarding_function.function::regprocedure, try_onboarding_function.tenant);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
COMMENT ON FUNCTION tenancy.try_onboarding_function(text, uuid) IS
'Calls the function of an onboarding step as its owner. Returns NULL, or SQLSTATE and message of its failure, which is undone. Internal.';

CREATE FUNCTION tenancy.advance_onboarding(locked tenancy.tenant)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    due    record;
    fate   text;
    failed text;
BEGIN
    IF (advance_onboarding.locked).state <> 'provisioning' THEN
        RETURN;
    END IF;
    FOR due IN
        SELECT o.* FROM tenancy.tenant_onboarding AS o
        WHERE o.tenant_id = (advance_onboarding.locked).id AND o.finished_at IS NULL ORDER BY o.position, o.step
    LOOP
        IF due.kind <> 'sql' THEN
            fate := CASE due.kind WHEN 'store' THEN tenancy.store_step_fate(due.tenant_id, due.store) ELSE 'waiting' END;
            UPDATE tenancy.tenant_onboarding AS o
            SET progress = fate, finished_at = CASE WHEN fate <> 'waiting' THEN clock_timestamp() END
            WHERE o.tenant_id = due.tenant_id AND o.step = due.step;
            EXIT WHEN fate = 'waiting';
            PERFORM tenancy.record_event(due.tenant_id, 'onboarding_step',
                jsonb_build_object('step', due.step, 'progress', fate));
            CONTINUE;
        END IF;
        failed := tenancy.try_onboarding_function(due.function, due.tenant_id);
        UPDATE tenancy.tenant_onboarding AS o
        SET progress = CASE WHEN failed IS NULL THEN 'done' ELSE 'failed' END, attempts = o.attempts + 1,
            last_error = failed, finished_at = CASE WHEN failed IS NULL THEN clock_timestamp() END
        WHERE o.tenant_id = due.tenant_id AND o.step = due.step;
        PERFORM tenancy.record_event(due.tenant_id, 'onboarding_step', jsonb_build_object(
            'step', due.step, 'progress', CASE WHEN failed IS NULL THEN 'done' ELSE 'failed' END, 'error', left(failed, 5)));
        EXIT WHEN failed IS NOT NULL;
    END LOOP;
    PERFORM tenancy.activate_when_complete((advance_onboarding.locked).id);
END
$$;
COMMENT ON FUNCTION tenancy.advance_onboarding(tenancy.tenant) IS
'Does the SQL steps that are due, in order, and finishes those whose store has the tenant or is forgotten, up to the first step that waits or fails; then activates the tenant if all are done. Internal.';
