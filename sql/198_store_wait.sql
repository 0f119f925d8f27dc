-- Waiting until the stores have followed.

CREATE FUNCTION tenancy.stores_behind(tenant uuid, purpose text DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%s (%s)', d.name, coalesce(
               CASE WHEN h.fenced OR NOT h.reachable THEN concat_ws(': ', nullif(h.reason, ''), nullif(h.message, '')) END,
               CASE WHEN s.attempts > 0 OR s.parked THEN concat_ws(': ', nullif(s.reason, ''), nullif(s.message, '')) END,
               'Pending')), ', ' ORDER BY d.name)
    FROM tenancy.tenant AS t CROSS JOIN tenancy.store AS d
    LEFT JOIN tenancy.tenant_store AS s ON s.tenant_id = t.id AND s.store = d.name
    LEFT JOIN tenancy.store_status AS h ON h.store = d.name
    WHERE t.id = $1 AND d.state = 'attached' AND ($2 IS NULL OR $2 = ANY (d.required_for))
      AND CASE WHEN tenancy.is_wanted(t.state, t.erase_started_at)
               THEN (s.present AND s.observed_generation >= t.generation AND s.observed_store_generation >= d.generation)
               ELSE (t.state = 'erased' AND s.tenant_id IS NULL)
                    OR (s.erased_at IS NOT NULL AND NOT s.present AND s.attempts = 0) END IS NOT TRUE
$$;
COMMENT ON FUNCTION tenancy.stores_behind(uuid, text) IS
'The attached stores (those required for the purpose, when given) that do not show the tenant as it should be by now, each with its reason; NULL when all do. Internal.';

CREATE FUNCTION tenancy.check_stores(tenant uuid, purpose text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    behind text := tenancy.stores_behind(check_stores.tenant, check_stores.purpose);
BEGIN
    IF behind IS NOT NULL THEN
        RAISE EXCEPTION 'stores have not reached tenant "%"', (SELECT t.slug FROM tenancy.tenant AS t WHERE t.id = check_stores.tenant)
            USING ERRCODE = 'TN025', DETAIL = format('Behind are: %s.', behind),
                  HINT = 'See that tenancyd runs and what tenancy.store_alarm says, then call again; tenancy.forget_store() gives up a store that is gone for good.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_stores(uuid, text) IS
'Raises TN025, naming the stores that are behind, unless there are none. Internal.';

-- SECURITY DEFINER: reads the registry for the invoker of the procedure.
CREATE FUNCTION tenancy.stores_reached(tenant uuid, until timestamptz, purpose text DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF stores_reached.until <= clock_timestamp() THEN
        PERFORM tenancy.check_stores(stores_reached.tenant, stores_reached.purpose);
        RETURN true;
    END IF;
    RETURN tenancy.stores_behind(stores_reached.tenant, stores_reached.purpose) IS NULL;
END
$$;
COMMENT ON FUNCTION tenancy.stores_reached(uuid, timestamptz, text) IS
'Whether the stores show the tenant as it should be; once the time is over TN025 instead of false; 42501. A step of the procedures.';

CREATE FUNCTION tenancy.check_awaited(tenant text, wait_limit interval)
RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF check_awaited.wait_limit < '0' THEN
        RAISE EXCEPTION 'timeout must not be negative' USING ERRCODE = '22023',
            HINT = 'Give an interval, or NULL to wait without limit.';
    END IF;
    RETURN tenancy.tenant_id(check_awaited.tenant);
END
$$;
COMMENT ON FUNCTION tenancy.check_awaited(text, interval) IS
'The id of a tenant whose stores can be waited for. Errors: TN004, 22023 bad timeout, 42501. A step of the procedures.';

-- A procedure that commits can be neither SECURITY DEFINER nor have a SET clause: so every name in it is qualified.
CREATE PROCEDURE tenancy.await_stores(tenant text, timeout interval DEFAULT '1 minute')
LANGUAGE plpgsql
AS $$
DECLARE
    awaited pg_catalog.uuid;
    until   pg_catalog.timestamptz := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) await_stores.timeout;
    pause   pg_catalog.float8 := 0.005;
BEGIN
    PERFORM tenancy.require_top_level('CALL tenancy.await_stores()');
    awaited := tenancy.check_awaited(await_stores.tenant, await_stores.timeout);
    COMMIT;
    WHILE NOT tenancy.stores_reached(awaited, until) LOOP
        COMMIT; -- what is waited for must not be held up by this snapshot
        PERFORM pg_catalog.pg_sleep(pause);
        pause := LEAST(pause OPERATOR(pg_catalog.*) 1.5::pg_catalog.float8, 0.1::pg_catalog.float8);
    END LOOP;
    COMMIT;
END
$$;
COMMENT ON PROCEDURE tenancy.await_stores(text, interval) IS
'Returns when every attached store shows the tenant as it should be by now, or proves it gone once its erasing has begun. timeout bounds the wait (NULL: no limit). Not inside a transaction block (25001): what the stores are to follow has to be committed. Errors: TN004, TN025 stores are behind at the end, each named with its reason, 22023, 25001, 42501.';
