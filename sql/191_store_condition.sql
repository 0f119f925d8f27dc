-- Conditions: what is to be known of a tenant in a store, in five yes-or-no statements.

CREATE FUNCTION tenancy.condition(before jsonb, type text, holds boolean, at timestamptz)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT pg_catalog.jsonb_build_object('status', $3, 'at',
        CASE WHEN ($1 OPERATOR(pg_catalog.#>) ARRAY[$2, 'status']) OPERATOR(pg_catalog.=) pg_catalog.to_jsonb($3)
             THEN $1 OPERATOR(pg_catalog.#>) ARRAY[$2, 'at'] ELSE pg_catalog.to_jsonb($4) END)
$$;
COMMENT ON FUNCTION tenancy.condition(jsonb, text, boolean, timestamptz) IS
'One condition as it is kept: status, and the time since when it is what it is, taken over from before when it is the same. Internal.';

CREATE FUNCTION tenancy.next_conditions(before jsonb, outcome text, wanted boolean, at timestamptz)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    failed boolean := next_conditions.outcome IN ('retry', 'parked');
BEGIN
    RETURN jsonb_build_object(
        'Ready', tenancy.condition(before, 'Ready', outcome = 'converged', at),
        'Progressing', tenancy.condition(before, 'Progressing', outcome IN ('pending', 'retry'), at),
        'Degraded', tenancy.condition(before, 'Degraded', failed, at),
        'Stalled', tenancy.condition(before, 'Stalled', outcome = 'parked', at),
        'Deleting', tenancy.condition(before, 'Deleting', NOT wanted AND outcome <> 'converged', at));
END
$$;
COMMENT ON FUNCTION tenancy.next_conditions(jsonb, text, boolean, timestamptz) IS
'The conditions of a tenant in a store after an outcome: converged, pending (something newer is to be done), retry, parked. Ready: the store shows what the tenant should be. Progressing: a daemon is at it. Degraded: the last attempt failed. Stalled: it will not be tried again by itself. Deleting: it is to be gone and its absence is not proven. Internal.';

CREATE VIEW tenancy.store_condition WITH (security_invoker = true, security_barrier = true) AS
SELECT s.tenant_id, t.slug, s.store, c.type, (c.held ->> 'status')::boolean AS status, s.reason, s.message,
       s.reported_generation AS generation, (c.held ->> 'at')::timestamptz AS at
FROM tenancy.tenant_store AS s
JOIN tenancy.tenant AS t ON t.id = s.tenant_id
CROSS JOIN LATERAL jsonb_each(s.conditions) AS c(type, held);
COMMENT ON VIEW tenancy.store_condition IS
'The conditions of each tenant in each store: Ready (the store shows what the tenant should be), Progressing (a daemon is at it), Degraded (the last attempt failed), Stalled (it is not tried again until somebody changes something or calls tenancy.retry_store()), Deleting (it is to be gone and that is not proven yet). generation is the tenant''s for which it was found; where tenancy.tenant has a higher one, newer work is under way. at: since when the status is what it is.';
