-- What operators and the sidecar do to bring one tenant's onboarding on.

CREATE FUNCTION tenancy.run_onboarding(tenant text)
RETURNS SETOF tenancy.onboarding_progress
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    locked := tenancy.lock_tenant(run_onboarding.tenant);
    PERFORM tenancy.advance_onboarding(locked);
    RETURN QUERY SELECT p.* FROM tenancy.onboarding_progress AS p WHERE p.tenant_id = locked.id ORDER BY p.position;
END
$$;
COMMENT ON FUNCTION tenancy.run_onboarding(text) IS
'Goes on with a tenant''s onboarding: does the SQL steps that are due, in order, up to the first that waits for somebody or fails, and makes the tenant active when all are done. A step that failed is undone, recorded, and tried again by the next call; a step that is done is never done twice. Returns the tenant''s progress. For admins and sidecars. Errors: TN004, 42501.';

CREATE FUNCTION tenancy.finish_onboarding_step(tenant text, step text, progress text, detail jsonb)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked  tenancy.tenant := tenancy.lock_tenant(finish_onboarding_step.tenant);
    the_row tenancy.tenant_onboarding;
    earlier text;
BEGIN
    SELECT o.* INTO the_row FROM tenancy.tenant_onboarding AS o
    WHERE o.tenant_id = locked.id AND o.step = finish_onboarding_step.step;
    IF the_row.step IS NULL THEN
        RAISE EXCEPTION 'tenant "%" has no onboarding step %', locked.slug,
            coalesce(quote_literal(left(finish_onboarding_step.step, 80)), 'NULL')
            USING ERRCODE = '42704', HINT = 'tenancy.onboarding_progress lists them.';
    END IF;
    IF the_row.finished_at IS NOT NULL THEN
        RETURN locked.state;
    END IF;
    IF locked.state <> 'provisioning' THEN
        PERFORM tenancy.refuse_transition(locked, 'onboarding', 'Only a tenant in state provisioning is onboarded.');
    END IF;
    SELECT string_agg(o.step, ', ' ORDER BY o.position) INTO earlier FROM tenancy.tenant_onboarding AS o
    WHERE o.tenant_id = locked.id AND o.position < the_row.position AND o.finished_at IS NULL;
    IF earlier IS NOT NULL OR (the_row.kind = 'sql' AND finish_onboarding_step.progress = 'done') THEN
        RAISE EXCEPTION 'onboarding step "%" cannot be completed now', the_row.step
            USING ERRCODE = 'TN017',
                  DETAIL = coalesce('These come first: ' || earlier || '.', 'Its function has not succeeded.'),
                  HINT = 'Call tenancy.run_onboarding(), or tenancy.skip_onboarding_step() for what is not to be done.';
    END IF;
    UPDATE tenancy.tenant_onboarding AS o
    SET progress = finish_onboarding_step.progress, last_error = NULL, finished_at = clock_timestamp()
    WHERE o.tenant_id = locked.id AND o.step = the_row.step;
    PERFORM tenancy.record_event(locked.id, 'onboarding_step', finish_onboarding_step.detail
        || jsonb_build_object('step', the_row.step, 'progress', finish_onboarding_step.progress));
    PERFORM tenancy.advance_onboarding(locked);
    RETURN (SELECT t.state FROM tenancy.tenant AS t WHERE t.id = locked.id);
END
$$;
COMMENT ON FUNCTION tenancy.finish_onboarding_step(text, text, text, jsonb) IS
'Marks a step as done or skipped and goes on; one that is finished already stays as it is. Internal.';

CREATE FUNCTION tenancy.complete_onboarding_step(tenant text, step text)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    RETURN tenancy.finish_onboarding_step(complete_onboarding_step.tenant, complete_onboarding_step.step, 'done', '{}');
END
$$;
COMMENT ON FUNCTION tenancy.complete_onboarding_step(text, text) IS
'Says that a manual step, or a store''s, is done, and goes on with the onboarding. Saying it again changes nothing. Returns the tenant''s state. For admins and sidecars. Errors: TN004, 42704 no such step, TN017 earlier steps are not done, or the step is SQL and has not succeeded, TN010 the tenant is not provisioning, 42501.';

CREATE FUNCTION tenancy.skip_onboarding_step(tenant text, step text, reason text)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_reason(skip_onboarding_step.reason);
    RETURN tenancy.finish_onboarding_step(skip_onboarding_step.tenant, skip_onboarding_step.step, 'skipped',
        jsonb_build_object('reason', skip_onboarding_step.reason));
END
$$;
COMMENT ON FUNCTION tenancy.skip_onboarding_step(text, text, text) IS
'Leaves out the step that is due for one tenant, with a reason, and goes on. Returns the tenant''s state. Errors: TN004, 42704 no such step, TN017 earlier steps are not done, TN010 the tenant is not provisioning, 22023 no reason, 42501.';
