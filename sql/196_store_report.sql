-- What became of claimed tenants.

CREATE FUNCTION tenancy.record_proofs(store text, tenants uuid[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO tenancy.audit_event (tenant_id, event, actor_role, detail)
    SELECT p.id, 'store_erased', pg_get_userbyid(tenancy.outer_role()), jsonb_build_object('store', record_proofs.store)
    FROM unnest(record_proofs.tenants) AS p(id);
END
$$;
COMMENT ON FUNCTION tenancy.record_proofs(text, uuid[]) IS
'Writes into the trail of each tenant that a store has proven it gone. Internal.';

-- Runs in a subtransaction: one tenant's checklist must not undo the reports of the others.
CREATE FUNCTION tenancy.try_onboarding(tenant uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    SELECT t.* INTO locked FROM tenancy.tenant AS t WHERE t.id = try_onboarding.tenant FOR NO KEY UPDATE SKIP LOCKED;
    IF locked.id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM tenancy.advance_onboarding(locked);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'onboarding of tenant % did not go on: %', try_onboarding.tenant, SQLERRM USING ERRCODE = SQLSTATE;
    RETURN false;
END
$$;
COMMENT ON FUNCTION tenancy.try_onboarding(uuid) IS
'Goes on with a tenant''s onboarding unless somebody else holds the tenant, and tells whether it could. Internal.';

CREATE FUNCTION tenancy.onboard_converged(store text, tenants uuid[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    waiting uuid;
BEGIN
    FOR waiting IN
        SELECT o.tenant_id FROM tenancy.tenant_onboarding AS o
        WHERE o.tenant_id = ANY (onboard_converged.tenants) AND o.kind = 'store'
          AND o.store = onboard_converged.store AND o.finished_at IS NULL ORDER BY o.tenant_id
    LOOP
        IF NOT tenancy.try_onboarding(waiting) THEN
            UPDATE tenancy.tenant_store AS s SET due_at = clock_timestamp() + interval '1 second'
            WHERE s.tenant_id = waiting AND s.store = onboard_converged.store;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.onboard_converged(text, uuid[]) IS
'Goes on with the onboarding of those that waited for this store; whom somebody else holds is looked at again a second later. Internal.';

-- Level-triggered: asked whenever the step is due, whatever the store reported when.
CREATE FUNCTION tenancy.store_step_fate(tenant uuid, store text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN d.state = 'forgotten' THEN 'skipped'
        WHEN s.present AND s.observed_generation >= t.generation THEN 'done'
        ELSE 'waiting' END
    FROM tenancy.tenant AS t
    LEFT JOIN tenancy.store AS d ON d.name = $2
    LEFT JOIN tenancy.tenant_store AS s ON s.tenant_id = t.id AND s.store = d.name
    WHERE t.id = $1
$$;
COMMENT ON FUNCTION tenancy.store_step_fate(uuid, text) IS
'What becomes of an onboarding step that waits for a store: done when the store shows the tenant as it should be, skipped when the store is forgotten, else waiting. Internal.';

CREATE FUNCTION tenancy.report_work(daemon text, epoch bigint, store text, results jsonb)
RETURNS TABLE (token bigint, accepted boolean)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    found    tenancy.store := tenancy.check_work(report_work.daemon, report_work.epoch, report_work.store);
    moment   timestamptz := clock_timestamp();
    taken    bigint[];
    proven   uuid[];
    arrived  uuid[];
BEGIN
    PERFORM tenancy.check_results(report_work.results);
    WITH held AS MATERIALIZED (
        SELECT s.tenant_id, s.attempts, s.erased_at, t.state, t.generation AS latest,
               tenancy.is_wanted(t.state, t.erase_started_at) AS wanted,
               t.generation > g.generation OR found.generation > g.store_generation AS behind,
               g.token, g.generation, g.store_generation, g.outcome, g.present AND g.outcome = 'converged' AS present,
               coalesce(g.drifted, false) AS drifted, nullif(g.state, '') AS shown, left(coalesce(g.reason, ''), 100) AS reason,
               left(coalesce(g.message, ''), 1000) AS message, coalesce(g.retry_after_ms, 0) AS retry_after_ms
        FROM jsonb_to_recordset(report_work.results) AS g(tenant uuid, token bigint, generation bigint,
            store_generation bigint, outcome text, present boolean, drifted boolean, state text, reason text,
            message text, retry_after_ms double precision)
        JOIN tenancy.tenant_store AS s ON s.tenant_id = g.tenant AND s.store = found.name
        JOIN tenancy.tenant AS t ON t.id = s.tenant_id
        WHERE s.lease_token = g.token AND s.lease_holder = report_work.daemon
        FOR NO KEY UPDATE OF s SKIP LOCKED
    ), fate AS MATERIALIZED (
        SELECT h.*, CASE WHEN h.behind AND h.outcome <> 'retry' THEN 'pending' ELSE h.outcome END AS becomes,
               NOT h.behind AND h.outcome = 'converged' AND NOT h.present AND NOT h.wanted AS proves
        FROM held AS h
    ), written AS (
        UPDATE tenancy.tenant_store AS s
        SET desired_generation = f.latest,
            observed_generation = CASE f.outcome WHEN 'converged' THEN f.generation ELSE s.observed_generation END,
            observed_store_generation = CASE f.outcome WHEN 'converged' THEN f.store_generation ELSE s.observed_store_generation END,
            observed_state = CASE f.outcome WHEN 'converged' THEN f.shown ELSE coalesce(f.shown, s.observed_state) END,
            present = CASE f.outcome WHEN 'converged' THEN f.present ELSE s.present END,
            due_at = CASE WHEN f.behind THEN moment WHEN f.outcome = 'retry' THEN moment + f.retry_after_ms * interval '1 ms' END,
            urgent = s.urgent AND (f.behind OR f.outcome <> 'converged'), to_erase = NOT f.wanted,
            pending_since = CASE WHEN f.becomes <> 'converged' THEN coalesce(s.pending_since, moment) END,
            lease_holder = NULL, lease_token = NULL, lease_until = NULL,
            attempts = CASE WHEN f.behind OR f.outcome = 'converged' THEN 0 ELSE s.attempts + 1 END,
            parked = f.becomes = 'parked', reason = f.reason, message = f.message,
            drift_count = s.drift_count + f.drifted::integer,
            erased_at = CASE WHEN f.proves THEN coalesce(s.erased_at, moment) WHEN f.wanted THEN NULL ELSE s.erased_at END,
            changed_at = moment,
            reported_generation = f.generation,
            conditions = tenancy.next_conditions(s.conditions, f.becomes, f.wanted, moment)
        FROM fate AS f WHERE s.tenant_id = f.tenant_id AND s.store = found.name
        RETURNING s.tenant_id, f.token, f.proves AND f.erased_at IS NULL AS first_proof,
            f.becomes = 'converged' AND f.present AND f.state = 'provisioning' AS arrives
    )
    SELECT coalesce(array_agg(w.token), '{}'), array_agg(w.tenant_id) FILTER (WHERE w.first_proof),
           array_agg(w.tenant_id) FILTER (WHERE w.arrives)
    INTO taken, proven, arrived FROM written AS w;
    -- Whose lease is lost is looked at again: what was done by then may have overtaken somebody else's work.
    INSERT INTO tenancy.store_mark (store, tenant_id, urgent, to_erase, fresh, token)
    SELECT s.store, s.tenant_id, s.urgent, NOT tenancy.is_wanted(t.state, t.erase_started_at), false, g.token
    FROM jsonb_to_recordset(report_work.results) AS g(tenant uuid, token bigint)
    JOIN tenancy.tenant_store AS s ON s.tenant_id = g.tenant AND s.store = found.name
    JOIN tenancy.tenant AS t ON t.id = s.tenant_id
    WHERE g.token <> ALL (taken);
    IF proven IS NOT NULL THEN
        PERFORM tenancy.record_proofs(found.name, proven);
    END IF;
    IF arrived IS NOT NULL THEN
        PERFORM tenancy.onboard_converged(found.name, arrived);
    END IF;
    RETURN QUERY SELECT g.token, g.token = ANY (taken)
        FROM jsonb_to_recordset(report_work.results) AS g(token bigint);
END
$$;
COMMENT ON FUNCTION tenancy.report_work(text, bigint, text, jsonb) IS
'Ends leases with what became of the tenants, and returns for each token whether it was accepted: not where the lease was lost or the row is in other hands, and then the tenant is looked at again. results is an array of at most 1000 objects: tenant, token, generation and store_generation as claimed, outcome (converged; retry, after retry_after_ms; parked, until something changes or tenancy.retry_store()), present (whether the store has the tenant now), state (that it shows; left out where a failure leaves that unknown), drifted, reason (one CamelCase word), message. A tenant that changed meanwhile stays due. The first proof that a tenant to be erased is gone is the event store_erased; a new tenant that waited for this store goes on with its onboarding, whose SQL steps then run here. For admins and sidecars. Errors: TN026, TN027, 22023 results not of this form, 42501.';

CREATE FUNCTION tenancy.check_results(results jsonb)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(check_results.results) IS DISTINCT FROM 'array' OR EXISTS (
        SELECT FROM jsonb_array_elements(check_results.results) AS e
        WHERE (jsonb_typeof(e) = 'object' AND jsonb_typeof(e -> 'tenant') = 'string'
           AND jsonb_typeof(e -> 'token') = 'number' AND jsonb_typeof(e -> 'generation') = 'number'
           AND jsonb_typeof(e -> 'store_generation') = 'number'
           AND e ->> 'outcome' IN ('converged', 'retry', 'parked')
           AND (e ->> 'outcome' <> 'converged' OR jsonb_typeof(e -> 'present') = 'boolean')) IS NOT TRUE)
       OR jsonb_array_length(check_results.results) > 1000
    THEN
        RAISE EXCEPTION 'results are not of their form' USING ERRCODE = '22023',
            HINT = 'An array of at most 1000 objects with tenant, token, generation, store_generation, outcome (converged, retry, parked) and present.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_results(jsonb) IS 'Raises 22023 unless this can be reported. Internal.';
