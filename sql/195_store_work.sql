-- What a daemon does for tenants that are due: claims them, does remote work without any transaction
-- open, and reports. All of it skips rows that somebody else holds, and waits for none.
-- Plans kept from when the tables were tiny would go on reading all of them: so they are made without
-- sequential scans. What has no index is read so all the same, at a price in the plan that would start
-- the JIT compiler.

CREATE FUNCTION tenancy.check_work(daemon text, epoch bigint, store text)
RETURNS tenancy.store
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    PERFORM tenancy.check_daemon_name(check_work.daemon);
    PERFORM tenancy.check_instance(check_work.epoch);
    RETURN tenancy.find_store(check_work.store);
END
$$;
COMMENT ON FUNCTION tenancy.check_work(text, bigint, text) IS
'What every call of a daemon begins with; returns the store. Errors: 42501, 22023 no name, TN026 not the instance or not its epoch, TN027 no such store. Internal.';

CREATE FUNCTION tenancy.check_most(most integer, highest integer)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF check_most.most IS NULL OR check_most.most NOT BETWEEN 1 AND check_most.highest THEN
        RAISE EXCEPTION 'most must be between 1 and %', check_most.highest USING ERRCODE = '22023',
            HINT = 'Call again for what is left.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_most(integer, integer) IS 'Raises 22023 unless 1 <= most <= highest. Internal.';

CREATE FUNCTION tenancy.check_lease(lease interval)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF check_lease.lease IS NULL OR check_lease.lease NOT BETWEEN '1 millisecond' AND '1 hour' THEN
        RAISE EXCEPTION 'lease must be between 1 millisecond and 1 hour' USING ERRCODE = '22023',
            HINT = 'Claim for a short time, and call tenancy.extend_leases() while the work goes on.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_lease(interval) IS 'Raises 22023 unless a lease can last so long. Internal.';

CREATE FUNCTION tenancy.tier_settings(tiers text[])
RETURNS TABLE (tier text, settings jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off -- plans kept from when there were few values would go on reading all of them
SET jit = off
AS $$
    WITH defaults AS MATERIALIZED (
        SELECT coalesce(jsonb_object_agg(d.key, d.default_value), '{}') AS given
        FROM tenancy.setting_definition AS d WHERE d.default_value IS NOT NULL AND NOT d.secret
    )
    SELECT t.tier, (SELECT d.given FROM defaults AS d)
        || coalesce((SELECT jsonb_object_agg(v.key, v.value) FROM tenancy.setting_value AS v
                     JOIN tenancy.setting_definition AS d ON d.key = v.key AND NOT d.secret
                     WHERE v.tier = t.tier), '{}')
    FROM (SELECT DISTINCT u.tier FROM unnest($1) AS u(tier)) AS t
$$;
COMMENT ON FUNCTION tenancy.tier_settings(text[]) IS
'What tenants of each of these tiers have where they have set nothing themselves, as an object: the tier''s value before the default, JSON''s null among them. Internal.';

-- In FROM it becomes part of the query, so it names every schema and has no SET.
CREATE FUNCTION tenancy.store_settings(tenant uuid, wider jsonb)
RETURNS TABLE (settings jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT coalesce(pg_catalog.jsonb_object_agg(e.key, e.value) FILTER (WHERE e.value OPERATOR(pg_catalog.<>) 'null'), '{}')
    FROM pg_catalog.jsonb_each($2 OPERATOR(pg_catalog.||) coalesce(
        (SELECT pg_catalog.jsonb_object_agg(v.key, v.value) FROM tenancy.setting_value AS v
         JOIN tenancy.setting_definition AS d ON d.key OPERATOR(pg_catalog.=) v.key AND NOT d.secret
         WHERE v.tenant_id OPERATOR(pg_catalog.=) $1), '{}')) AS e
$$;
COMMENT ON FUNCTION tenancy.store_settings(uuid, jsonb) IS
'The settings that count for a tenant, as an object: its own before the wider ones, those of its tier (tenancy.tier_settings()); those without a value, or with JSON''s null, left out. Empty where wider is NULL. Internal.';

CREATE FUNCTION tenancy.absorb_marks(store text, erasing boolean, most integer)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    -- The mark of a tenant that is leased waits for the report, which looks at the tenant anyway.
    WITH picked AS MATERIALIZED (
        SELECT m.ctid AS place, m.tenant_id, m.urgent, m.fresh, m.at
        FROM tenancy.store_mark AS m
        JOIN tenancy.tenant_store AS s ON s.tenant_id = m.tenant_id AND s.store = m.store
        WHERE m.store = absorb_marks.store AND m.to_erase = absorb_marks.erasing
          AND (s.lease_until IS NULL OR s.lease_until <= clock_timestamp() OR s.lease_token = m.token)
        ORDER BY m.urgent DESC, m.at LIMIT absorb_marks.most
        FOR UPDATE OF m SKIP LOCKED FOR NO KEY UPDATE OF s SKIP LOCKED
    ), gone AS (
        DELETE FROM tenancy.store_mark AS m WHERE m.ctid = ANY (ARRAY(SELECT p.place FROM picked AS p))
    ), together AS (
        SELECT p.tenant_id, bool_or(p.urgent) AS urgent, bool_or(p.fresh) AS fresh, min(p.at) AS at
        FROM picked AS p GROUP BY p.tenant_id
    )
    UPDATE tenancy.tenant_store AS s
    SET due_at = CASE WHEN s.parked AND NOT g.fresh THEN NULL ELSE least(s.due_at, g.at) END,
        urgent = s.urgent OR g.urgent, to_erase = s.to_erase OR absorb_marks.erasing, pending_since = coalesce(s.pending_since, g.at),
        parked = s.parked AND NOT g.fresh, attempts = CASE WHEN g.fresh THEN 0 ELSE s.attempts END,
        -- Of one that ran out, too: a late report may have looked at the tenant before it changed.
        lease_holder = NULL, lease_token = NULL, lease_until = NULL
    FROM together AS g WHERE s.store = absorb_marks.store AND s.tenant_id = g.tenant_id;
END
$$;
COMMENT ON FUNCTION tenancy.absorb_marks(text, boolean, integer) IS
'Takes at most so many marks over into tenancy.tenant_store, of those that are to be gone or of the others, urgent and old ones first. Internal.';

CREATE FUNCTION tenancy.pick_due(store text, erasing boolean, urgent boolean, most integer)
RETURNS uuid[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
SET enable_sort = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    moment timestamptz := clock_timestamp(); -- itself it would be no condition of the index
    picked uuid[];
BEGIN
    LOOP
        picked := ARRAY(
            SELECT s.tenant_id FROM tenancy.tenant_store AS s
            WHERE s.store = pick_due.store AND s.to_erase = pick_due.erasing AND s.urgent = pick_due.urgent
              AND s.due_at <= moment
            ORDER BY s.due_at LIMIT pick_due.most FOR NO KEY UPDATE SKIP LOCKED);
        -- One that began to be erased since it became due, or while its store was being attached, goes to the others.
        UPDATE tenancy.tenant_store AS s SET to_erase = NOT s.to_erase
        FROM unnest(picked) AS p(id) JOIN tenancy.tenant AS t ON t.id = p.id
        WHERE s.tenant_id = p.id AND s.store = pick_due.store
          AND s.to_erase = tenancy.is_wanted(t.state, t.erase_started_at);
        EXIT WHEN NOT FOUND;
    END LOOP;
    RETURN picked;
END
$$;
COMMENT ON FUNCTION tenancy.pick_due(text, boolean, boolean, integer) IS
'Locks tenants that are due in a store, those that are to be gone or the others, longest due first; a row that is of the other kind by now is made so. Internal.';

CREATE FUNCTION tenancy.claim_work(daemon text, epoch bigint, store text, most integer, lease interval,
    erasing boolean DEFAULT NULL)
RETURNS TABLE (tenant_id uuid, state text, present boolean, generation bigint, store_generation bigint,
    reached_before boolean, settings jsonb, token bigint, attempts integer)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    found  tenancy.store := tenancy.check_work(claim_work.daemon, claim_work.epoch, claim_work.store);
    picked uuid[] := '{}';
    kind   record;
    until  timestamptz;
BEGIN
    PERFORM tenancy.check_most(claim_work.most, 1000);
    PERFORM tenancy.check_lease(claim_work.lease);
    -- Whoever settles sees the marks it makes: those that erase are told by those that do not.
    IF NOT found.settled AND claim_work.erasing IS NOT TRUE THEN
        PERFORM tenancy.settle_store(found.name);
    END IF;
    PERFORM tenancy.absorb_marks(found.name, e.erasing, claim_work.most)
    FROM (VALUES (false), (true)) AS e(erasing) WHERE e.erasing = coalesce(claim_work.erasing, e.erasing);
    FOR kind IN
        SELECT e.erasing, u.urgent FROM (VALUES (false), (true)) AS e(erasing), (VALUES (false), (true)) AS u(urgent)
        WHERE e.erasing = coalesce(claim_work.erasing, e.erasing) ORDER BY u.urgent DESC, e.erasing
    LOOP
        EXIT WHEN cardinality(picked) = claim_work.most;
        picked := picked || tenancy.pick_due(found.name, kind.erasing, kind.urgent, claim_work.most - cardinality(picked));
    END LOOP;
    IF picked = '{}' THEN
        RETURN;
    END IF;
    until := clock_timestamp() + claim_work.lease;
    RETURN QUERY
        WITH claimed AS (
            UPDATE tenancy.tenant_store AS s
            SET lease_holder = claim_work.daemon, lease_token = nextval('tenancy.store_lease_seq'),
                lease_until = until, due_at = until,
                desired_generation = t.generation,
                -- From now on the store may show what takes less away, whether or not that is reported.
                observed_state = CASE
                    WHEN t.state IN ('provisioning', 'active') AND s.observed_state NOT IN ('provisioning', 'active')
                        OR t.state = 'read_only' AND s.observed_state IN ('suspended', 'archived') THEN t.state
                    ELSE s.observed_state END
            FROM unnest(picked) WITH ORDINALITY AS p(id, place) JOIN tenancy.tenant AS t ON t.id = p.id
            WHERE s.tenant_id = p.id AND s.store = found.name
              AND tenancy.is_wanted(t.state, t.erase_started_at) IS DISTINCT FROM claim_work.erasing
            RETURNING p.place, t.id, t.state, tenancy.is_wanted(t.state, t.erase_started_at) AS wanted, t.generation,
                s.observed_generation > 0 AND s.present AS reached, s.lease_token, s.attempts, t.tier
        ), wide AS MATERIALIZED (
            SELECT w.tier, w.settings FROM tenancy.tier_settings(ARRAY(SELECT c.tier FROM claimed AS c WHERE c.wanted)) AS w
        )
        SELECT c.id, c.state, c.wanted, c.generation, found.generation, c.reached, g.settings, c.lease_token, c.attempts
        FROM claimed AS c LEFT JOIN wide AS w ON w.tier = c.tier AND c.wanted
        CROSS JOIN LATERAL tenancy.store_settings(c.id, w.settings) AS g ORDER BY c.place;
END
$$;
COMMENT ON FUNCTION tenancy.claim_work(text, bigint, text, integer, interval, boolean) IS
'Leases to the daemon at most so many (1 to 1000) of the tenants that are due in a store, and returns what each should be there: urgent ones first, of these and of the others those that are to be there first, then the longest due. erasing: only those that are to be gone (true), only the others (false), or all; so that whoever keeps tenants in step need not wait for an erasure. present false: it is to be gone, and proven gone. reached_before: the store has shown it as present once. settings: those that count, empty where it is not to be present. token names the lease; attempts counts the failures in a row so far. Whom another daemon holds is not among them, and nobody is waited for. For admins and sidecars. Errors: TN026 not the instance or not its epoch, TN027 no such store, 22023, 42501.';

CREATE FUNCTION tenancy.extend_leases(daemon text, store text, tokens bigint[], lease interval)
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    still  bigint[];
    moment timestamptz := clock_timestamp();
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    PERFORM tenancy.check_daemon_name(extend_leases.daemon);
    PERFORM tenancy.check_lease(extend_leases.lease);
    WITH held AS MATERIALIZED (
        SELECT s.tenant_id, s.store FROM tenancy.tenant_store AS s
        WHERE s.lease_token = ANY (extend_leases.tokens) AND s.store = extend_leases.store
          AND s.lease_holder = extend_leases.daemon AND s.lease_until > moment
        FOR NO KEY UPDATE SKIP LOCKED
    ), extended AS (
        UPDATE tenancy.tenant_store AS s
        SET lease_until = moment + extend_leases.lease, due_at = moment + extend_leases.lease
        FROM held AS h WHERE s.tenant_id = h.tenant_id AND s.store = h.store
        RETURNING s.lease_token
    )
    SELECT coalesce(array_agg(e.lease_token ORDER BY e.lease_token), '{}') INTO still FROM extended AS e;
    RETURN still;
END
$$;
COMMENT ON FUNCTION tenancy.extend_leases(text, text, bigint[], interval) IS
'Makes leases last from now on once more so long, and returns the tokens of those; one that is not among them is lost: stop working for its tenant. For admins and sidecars. Errors: 22023, 42501.';

CREATE FUNCTION tenancy.release_work(daemon text, store text, tokens bigint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    released bigint;
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    PERFORM tenancy.check_daemon_name(release_work.daemon);
    WITH held AS MATERIALIZED (
        SELECT s.tenant_id, s.store FROM tenancy.tenant_store AS s
        WHERE s.lease_token = ANY (release_work.tokens) AND s.store = release_work.store
          AND s.lease_holder = release_work.daemon
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE tenancy.tenant_store AS s
    SET lease_holder = NULL, lease_token = NULL, lease_until = NULL, due_at = clock_timestamp()
    FROM held AS h WHERE s.tenant_id = h.tenant_id AND s.store = h.store;
    GET DIAGNOSTICS released = ROW_COUNT;
    RETURN released;
END
$$;
COMMENT ON FUNCTION tenancy.release_work(text, text, bigint[]) IS
'Gives leases back unused: the tenants are due at once, for anybody, and no attempt is counted. Returns how many were still held. For admins and sidecars. Errors: 22023, 42501.';
