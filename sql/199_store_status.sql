-- What a person should look at.

CREATE VIEW tenancy.store_alarm WITH (security_invoker = true, security_barrier = true) AS
WITH pair AS (
    SELECT d.name AS store, d.required_for, t.id, t.state, t.created_at, t.erase_started_at, s.present, s.observed_generation,
           s.observed_state, s.parked, s.erased_at, s.pending_since, s.attempts, s.changed_at, s.reason, s.message,
           least(t.changed_at, coalesce(s.pending_since, t.changed_at)) AS behind_since,
           tenancy.is_wanted(t.state, t.erase_started_at) AS wanted
    FROM tenancy.store AS d JOIN tenancy.tenant_store AS s ON s.store = d.name JOIN tenancy.tenant AS t ON t.id = s.tenant_id
    -- None of the alarms is about the others, which are nearly all of them.
    WHERE d.state = 'attached' AND (s.parked OR s.observed_state IS DISTINCT FROM t.state
                                    OR NOT tenancy.is_wanted(t.state, t.erase_started_at))
), found AS (
    SELECT p.store, p.id AS tenant_id, 'suspension_not_reached' AS alarm, p.behind_since AS since,
           format('the tenant is %s, the store shows it as %s', p.state, p.observed_state) AS message
    FROM pair AS p
    WHERE 'suspend' = ANY (p.required_for) AND p.present
      AND ((p.state IN ('suspended', 'archived', 'erasing', 'erased') AND p.observed_state IN ('provisioning', 'active', 'read_only'))
           OR (p.state = 'read_only' AND p.observed_state IN ('provisioning', 'active')))
    UNION ALL
    SELECT p.store, p.id, 'provisioning_not_reached', p.created_at, 'the tenant waits for the store to be active'
    FROM pair AS p WHERE 'provision' = ANY (p.required_for) AND p.state = 'provisioning' AND p.observed_generation = 0
    UNION ALL
    SELECT p.store, p.id, 'erasure_not_reached', coalesce(p.pending_since, p.erase_started_at, p.changed_at),
           'the tenant is to be gone, and its absence from the store is not proven'
    FROM pair AS p
    WHERE 'erase' = ANY (p.required_for) AND NOT p.wanted AND (p.erased_at IS NULL OR p.present OR p.attempts > 0)
    UNION ALL
    SELECT p.store, p.id, 'tenant_stalled', p.changed_at, concat_ws(': ', nullif(p.reason, ''), nullif(p.message, ''))
    FROM pair AS p WHERE p.parked
)
SELECT f.store, f.tenant_id, f.alarm, f.since, f.message FROM found AS f
WHERE f.alarm = 'tenant_stalled' OR f.since < clock_timestamp() - interval '10 seconds'
UNION ALL
SELECT s.store, NULL, CASE WHEN s.fenced THEN 'store_fenced' WHEN NOT s.reachable THEN 'store_unreachable' ELSE 'store_not_ready' END,
       s.changed_at, concat_ws(': ', nullif(s.reason, ''), nullif(s.message, ''))
FROM tenancy.store_status AS s WHERE s.fenced OR NOT s.reachable OR s.reason <> 'Ready'
UNION ALL
SELECT u.store, NULL, 'unknown_objects', min(u.first_seen), format('%s objects that no tenant explains', count(*))
FROM tenancy.unknown_object AS u WHERE u.resolution = 'reported' GROUP BY u.store
UNION ALL
SELECT d.name, NULL, 'scan_overdue', greatest(h.scan_finished_at, d.defined_at), 'no scan of the store has finished for 24 hours'
FROM tenancy.store AS d LEFT JOIN tenancy.store_status AS h ON h.store = d.name
WHERE d.state = 'attached' AND greatest(h.scan_finished_at, d.defined_at) < clock_timestamp() - interval '24 hours'
UNION ALL
SELECT NULL, NULL, 'no_daemon', coalesce(max(d.seen_at), (SELECT min(s.defined_at) FROM tenancy.store AS s WHERE s.state = 'attached')),
       'no tenancyd has been heard of for a minute'
FROM tenancy.daemon AS d
HAVING EXISTS (SELECT FROM tenancy.store AS s WHERE s.state = 'attached' AND s.defined_at < clock_timestamp() - interval '1 minute')
   AND coalesce(max(d.seen_at) < clock_timestamp() - interval '1 minute', true);
COMMENT ON VIEW tenancy.store_alarm IS
'What a person should look at, since when: suspension_not_reached, provisioning_not_reached, erasure_not_reached (a store required for it is behind for more than 10 seconds), tenant_stalled (it is not tried again by itself), store_unreachable, store_fenced (only observed), store_not_ready (it answers, and nothing is done there; CapabilityMissing for one), unknown_objects, scan_overdue (no scan has finished for 24 hours), no_daemon (store NULL).';

CREATE FUNCTION tenancy.store_report()
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'name', d.name, 'kind', d.kind, 'required_for', d.required_for, 'generation', d.generation, 'state', d.state,
        'stamped_at', d.stamped_at, 'reachable', h.reachable, 'fenced', h.fenced, 'reason', h.reason, 'message', h.message,
        'capabilities', h.capabilities, 'changed_at', h.changed_at, 'reported_at', h.reported_at, 'reported_by', h.reported_by,
        'tenants', coalesce(c.tenants, 0), 'converged', coalesce(c.converged, 0), 'due', coalesce(c.due, 0),
        'leased', coalesce(c.leased, 0), 'retrying', coalesce(c.retrying, 0), 'stalled', coalesce(c.stalled, 0),
        'drift', coalesce(c.drift, 0), 'oldest_due_seconds', c.oldest_due_seconds,
        'rollout', jsonb_build_object('reached', coalesce(c.rolled_out, 0), 'of', coalesce(c.wanted, 0)),
        'unknown_objects', (SELECT count(*) FROM tenancy.unknown_object AS u WHERE u.store = d.name AND u.resolution = 'reported'),
        'scan', jsonb_build_object('finished_at', h.scan_finished_at, 'tenants', h.scan_tenants,
            'differing', h.scan_differing, 'unknown', h.scan_unknown)) ORDER BY d.name), '[]')
    FROM tenancy.store AS d LEFT JOIN tenancy.store_status AS h ON h.store = d.name
    LEFT JOIN (
        SELECT p.store, count(*) AS tenants, count(*) FILTER (WHERE p.converged) AS converged,
               count(*) FILTER (WHERE NOT p.converged AND NOT p.parked) AS due,
               count(*) FILTER (WHERE p.leased) AS leased, count(*) FILTER (WHERE p.attempts > 0 AND NOT p.parked) AS retrying,
               count(*) FILTER (WHERE p.parked) AS stalled, sum(p.drift_count)::bigint AS drift,
               count(*) FILTER (WHERE p.wanted) AS wanted, count(*) FILTER (WHERE p.wanted AND p.rolled_out) AS rolled_out,
               round(extract(epoch FROM clock_timestamp() - min(coalesce(p.pending_since, p.changed_at))
                   FILTER (WHERE NOT p.converged AND NOT p.parked))::numeric, 3) AS oldest_due_seconds
        FROM (
            SELECT s.store, s.parked, s.attempts, s.drift_count, s.pending_since, t.changed_at,
                   tenancy.is_wanted(t.state, t.erase_started_at) AS wanted,
                   s.observed_store_generation >= d.generation AS rolled_out,
                   coalesce(s.lease_until > clock_timestamp(), false) AS leased,
                   s.due_at IS NULL AND NOT s.parked AND s.observed_generation >= t.generation
                       AND (s.observed_store_generation >= d.generation OR t.state = 'erased') AS converged
            FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id
            JOIN tenancy.store AS d ON d.name = s.store
        ) AS p GROUP BY p.store
    ) AS c ON c.store = d.name
$$;
COMMENT ON FUNCTION tenancy.store_report() IS 'The stores, each with its counts, for tenancy.status_report(). Internal.';

CREATE FUNCTION tenancy.alarm_report()
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
    WITH found AS MATERIALIZED (SELECT s.* FROM tenancy.store_alarm AS s)
    SELECT jsonb_build_object(
        'alarm_count', (SELECT count(*) FROM found AS f),
        'alarms', (SELECT coalesce(jsonb_agg(jsonb_build_object('store', a.store, 'tenant', a.tenant_id, 'slug', t.slug,
                       'alarm', a.alarm, 'since', a.since, 'message', a.message) ORDER BY a.since), '[]')
                   FROM (SELECT f.* FROM found AS f ORDER BY f.since LIMIT 100) AS a
                   LEFT JOIN tenancy.tenant AS t ON t.id = a.tenant_id))
$$;
COMMENT ON FUNCTION tenancy.alarm_report() IS 'The oldest 100 alarms and how many there are, for tenancy.status_report(). Internal.';

-- SECURITY DEFINER: reads for operators of every kind, of whom the sidecar may not.
CREATE FUNCTION tenancy.status_report()
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'auditor', 'sidecar');
    RETURN jsonb_build_object(
        'instance', (SELECT to_jsonb(i) FROM tenancy.instance_identity() AS i),
        'daemons', (SELECT coalesce(jsonb_agg(to_jsonb(d) || jsonb_build_object('silent',
                        d.seen_at < clock_timestamp() - interval '1 minute') ORDER BY d.name), '[]') FROM tenancy.daemon AS d),
        'stores', tenancy.store_report()) || tenancy.alarm_report();
END
$$;
COMMENT ON FUNCTION tenancy.status_report() IS
'For tenancyd status: instance, daemons (silent: not heard of for a minute), stores (how many tenants are converged, due, leased, retrying, stalled; the age of the oldest that is due in seconds; rollout: how many of how many follow the present definition), the oldest 100 alarms, and how many there are in all (alarm_count). For operators of every kind. Error: 42501.';

-- For metrics, so it is asked again and again: it reads only who is due, by its indexes, and no tenant.
CREATE FUNCTION tenancy.store_lag()
RETURNS TABLE (store text, due bigint, seconds double precision)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'auditor', 'sidecar');
    RETURN QUERY
        SELECT d.name, w.due, coalesce(greatest(extract(epoch FROM clock_timestamp() - w.since), 0), 0)::double precision
        FROM tenancy.store AS d CROSS JOIN LATERAL (
            SELECT count(DISTINCT b.tenant_id) AS due, min(b.since) AS since
            FROM (SELECT s.tenant_id, coalesce(s.pending_since, s.changed_at) AS since
                  FROM tenancy.tenant_store AS s WHERE s.store = d.name AND s.due_at IS NOT NULL
                  UNION ALL
                  SELECT m.tenant_id, m.at FROM tenancy.store_mark AS m WHERE m.store = d.name) AS b
        ) AS w
        WHERE d.state = 'attached' ORDER BY d.name;
END
$$;
COMMENT ON FUNCTION tenancy.store_lag() IS
'How far each attached store is behind: how many tenants wait for it, are worked on or tried again (due), and the age in seconds of the oldest change among them, 0 when there is none. Those that are stalled are not among them. For operators of every kind. Error: 42501.';
