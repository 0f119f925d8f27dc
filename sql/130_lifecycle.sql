-- The state machine: which transitions there are, and the functions that take them.

CREATE TABLE tenancy.transition (
    from_state text NOT NULL,
    action     text NOT NULL,
    to_state   text NOT NULL,
    function   text NOT NULL,
    PRIMARY KEY (from_state, action)
);
COMMENT ON TABLE tenancy.transition IS
'Every legal transition: which action leads from which state to which. function is what an operator calls for it; activate happens by itself, when onboarding is complete.';
INSERT INTO tenancy.transition (from_state, action, to_state, function) VALUES
('provisioning', 'activate',        'active',    'tenancy.run_onboarding(tenant)'),
('provisioning', 'archive',         'archived',  'tenancy.archive(tenant, reason)'),
('active',       'set_read_only',   'read_only', 'tenancy.set_read_only(tenant, reason)'),
('active',       'suspend',         'suspended', 'tenancy.suspend(tenant, reason)'),
('read_only',    'resume',          'active',    'tenancy.resume(tenant)'),
('read_only',    'suspend',         'suspended', 'tenancy.suspend(tenant, reason)'),
('read_only',    'archive',         'archived',  'tenancy.archive(tenant, reason)'),
('suspended',    'resume',          'active',    'tenancy.resume(tenant)'),
('suspended',    'set_read_only',   'read_only', 'tenancy.set_read_only(tenant, reason)'),
('suspended',    'archive',         'archived',  'tenancy.archive(tenant, reason)'),
('archived',     'request_erasure', 'erasing',   'tenancy.request_erasure(tenant, reason, grace)'),
('erasing',      'cancel_erasure',  'archived',  'tenancy.cancel_erasure(tenant)'),
('erasing',      'finish_erasure',  'erased',    'CALL tenancy.erase(tenant)');

CREATE FUNCTION tenancy.check_reason(reason text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(btrim(check_reason.reason), '') = '' OR length(check_reason.reason) > 1000 THEN
        RAISE EXCEPTION 'a reason of 1 to 1000 characters is required'
            USING ERRCODE = '22023', HINT = 'Say why, for those who read the audit trail.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_reason(text) IS 'Raises 22023 unless the text says something in at most 1000 characters. Internal.';

CREATE FUNCTION tenancy.refuse_transition(refused tenancy.tenant, action text, why text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    legal text;
    calls text;
BEGIN
    SELECT string_agg(format('%s (to %s)', t.action, t.to_state), ', ' ORDER BY t.action),
           string_agg(t.function, ', ' ORDER BY t.action)
               FILTER (WHERE strpos(t.function, format('.%s(', refuse_transition.action)) = 0)
    INTO legal, calls
    FROM tenancy.transition AS t WHERE t.from_state = (refuse_transition.refused).state;
    RAISE EXCEPTION 'tenant "%" is %: % is not possible',
        (refuse_transition.refused).slug, (refuse_transition.refused).state, refuse_transition.action
        USING ERRCODE = 'TN010',
              DETAIL = coalesce(refuse_transition.why,
                  format('From %s the legal actions are: %s.', (refuse_transition.refused).state, coalesce(legal, 'none'))),
              HINT = coalesce('What can be called now: ' || calls || '.', 'An erased tenant stays erased: provision a new one.');
END
$$;
COMMENT ON FUNCTION tenancy.refuse_transition(tenancy.tenant, text, text) IS
'Raises TN010, naming the legal actions, or why this one is not. Internal.';

CREATE FUNCTION tenancy.apply_transition(
    locked tenancy.tenant, action text, reason text DEFAULT NULL, detail jsonb DEFAULT '{}')
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_state text := (apply_transition.locked).state;
    new_state text := (SELECT t.to_state FROM tenancy.transition AS t
                       WHERE t.from_state = old_state AND t.action = apply_transition.action);
BEGIN
    IF new_state IS NULL THEN
        PERFORM tenancy.refuse_transition(apply_transition.locked, apply_transition.action);
    END IF;
    UPDATE tenancy.tenant AS t
    SET state = new_state, previous_state = old_state, state_reason = apply_transition.reason,
        generation = t.generation + 1, changed_at = clock_timestamp()
    WHERE t.id = (apply_transition.locked).id;
    PERFORM tenancy.record_event((apply_transition.locked).id, apply_transition.action,
        apply_transition.detail || jsonb_build_object('from', old_state, 'to', new_state,
            'generation', (apply_transition.locked).generation + 1, 'reason', apply_transition.reason));
    PERFORM tenancy.notify_lifecycle((apply_transition.locked).id::text);
    RETURN (apply_transition.locked).generation + 1;
END
$$;
COMMENT ON FUNCTION tenancy.apply_transition(tenancy.tenant, text, text, jsonb) IS
'Takes a tenant whose row is locked through one transition: state, generation, audit event, notification. Returns the new generation. Error: TN010 not legal from its state. Internal.';

-- All public transitions: SECURITY DEFINER, since operators change the registry through functions alone.
CREATE FUNCTION tenancy.suspend(tenant text, reason text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_reason(suspend.reason);
    RETURN tenancy.apply_transition(
        tenancy.lock_tenant(suspend.tenant, suspend.expected_generation), 'suspend', suspend.reason);
END
$$;
COMMENT ON FUNCTION tenancy.suspend(text, text, bigint) IS
'Stops all work of a tenant: once this has committed no statement of it starts or goes on and no transaction of it commits. A statement that runs in that very moment may finish; CALL tenancy.drain() waits for it. Returns the new generation. Errors: TN004, TN010 illegal from the tenant''s state, TN016 not the expected generation, 22023 no reason, 42501.';

CREATE FUNCTION tenancy.resume(tenant text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    RETURN tenancy.apply_transition(tenancy.lock_tenant(resume.tenant, resume.expected_generation), 'resume');
END
$$;
COMMENT ON FUNCTION tenancy.resume(text, bigint) IS
'Brings a suspended or read-only tenant back to active. Returns the new generation. Errors: TN004, TN010, TN016, 42501.';

CREATE FUNCTION tenancy.set_read_only(tenant text, reason text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_reason(set_read_only.reason);
    RETURN tenancy.apply_transition(
        tenancy.lock_tenant(set_read_only.tenant, set_read_only.expected_generation),
        'set_read_only', set_read_only.reason);
END
$$;
COMMENT ON FUNCTION tenancy.set_read_only(text, text, bigint) IS
'Lets a tenant read but not write: every transaction of it is a read-only one from then on (25006). CALL tenancy.drain() waits for those that could still write. Returns the new generation. Errors: TN004, TN010, TN016, 22023 no reason, 42501.';

CREATE FUNCTION tenancy.archive(tenant text, reason text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_reason(archive.reason);
    RETURN tenancy.apply_transition(
        tenancy.lock_tenant(archive.tenant, archive.expected_generation), 'archive', archive.reason);
END
$$;
COMMENT ON FUNCTION tenancy.archive(text, text, bigint) IS
'Puts away a tenant that is suspended, read-only, or was never activated. Its rows stay, nobody works in it, and the only way on is erasure. Returns the new generation. Errors: TN004, TN010, TN016, 22023 no reason, 42501.';

CREATE FUNCTION tenancy.request_erasure(
    tenant text, reason text, grace interval DEFAULT '30 days', expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked  tenancy.tenant;
    reached bigint;
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_reason(request_erasure.reason);
    IF request_erasure.grace IS NULL OR request_erasure.grace < '0' OR request_erasure.grace > '10 years' THEN
        RAISE EXCEPTION 'grace must be between 0 and 10 years'
            USING ERRCODE = '22023', HINT = 'Write an interval, for example ''30 days''.';
    END IF;
    locked := tenancy.lock_tenant(request_erasure.tenant, request_erasure.expected_generation);
    reached := tenancy.apply_transition(locked, 'request_erasure', request_erasure.reason,
        jsonb_build_object('grace', request_erasure.grace));
    UPDATE tenancy.tenant AS t SET erase_after = clock_timestamp() + request_erasure.grace
    WHERE t.id = locked.id;
    RETURN reached;
END
$$;
COMMENT ON FUNCTION tenancy.request_erasure(text, text, interval, bigint) IS
'Announces that an archived tenant is to be erased. Nothing is deleted before grace is over and CALL tenancy.erase() is run; until then tenancy.cancel_erasure() takes it back. Returns the new generation. Errors: TN004, TN010, TN016, 22023 no reason or no such grace, 42501.';

CREATE FUNCTION tenancy.cancel_erasure(tenant text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked  tenancy.tenant;
    reached bigint;
BEGIN
    PERFORM tenancy.require_operator('admin');
    locked := tenancy.lock_tenant(cancel_erasure.tenant, cancel_erasure.expected_generation);
    IF locked.state = 'erasing' AND locked.erase_started_at IS NOT NULL THEN
        PERFORM tenancy.refuse_transition(locked, 'cancel_erasure',
            format('Its erasing began at %s; rows may be gone already.', locked.erase_started_at));
    END IF;
    reached := tenancy.apply_transition(locked, 'cancel_erasure');
    UPDATE tenancy.tenant AS t SET erase_after = NULL WHERE t.id = locked.id;
    RETURN reached;
END
$$;
COMMENT ON FUNCTION tenancy.cancel_erasure(text, bigint) IS
'Takes back a request for erasure before any row was deleted: the tenant is archived again. Returns the new generation. Errors: TN004, TN010 no request, or the erasing has begun, TN016, 42501.';
