-- What daemons ask and say about whole stores: the definitions, their health, and what scans find.

CREATE FUNCTION tenancy.daemon_stores()
RETURNS TABLE (name text, kind text, required_for text[], unknown_objects text, on_missing_stamp text, options jsonb,
    generation bigint, collections jsonb, stamped boolean)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    RETURN QUERY
        SELECT s.name, s.kind, s.required_for, s.unknown_objects, s.on_missing_stamp, s.options, s.generation,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'validator', c.validator, 'indexes', c.indexes)
                                          ORDER BY c.name), '[]')
                FROM tenancy.store_collection AS c WHERE c.store = s.name),
               s.stamped_at IS NOT NULL
        FROM tenancy.store AS s WHERE s.state = 'attached' ORDER BY s.name;
END
$$;
COMMENT ON FUNCTION tenancy.daemon_stores() IS
'The attached stores with their collections, for tenancyd. generation changes whenever any of it does. stamped: this instance''s stamp was written to it once (tenancy.report_store()). For admins and sidecars. Error: 42501.';

CREATE FUNCTION tenancy.report_store(daemon text, epoch bigint, store text, health jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    h jsonb := report_store.health;
BEGIN
    PERFORM tenancy.check_work(report_store.daemon, report_store.epoch, report_store.store);
    IF jsonb_typeof(h -> 'reachable') IS DISTINCT FROM 'boolean' OR jsonb_typeof(h -> 'fenced') IS DISTINCT FROM 'boolean' THEN
        RAISE EXCEPTION 'health is not of its form' USING ERRCODE = '22023',
            HINT = 'An object with reachable, fenced, reason, message and, when probed, capabilities; stamped once the stamp is written.';
    END IF;
    INSERT INTO tenancy.store_status AS s (store, reachable, fenced, reason, message, capabilities, probed_at, reported_by)
    VALUES (report_store.store, (h ->> 'reachable')::boolean, (h ->> 'fenced')::boolean, left(coalesce(h ->> 'reason', ''), 100),
            left(coalesce(h ->> 'message', ''), 1000), nullif(h -> 'capabilities', 'null'),
            CASE WHEN nullif(h -> 'capabilities', 'null') IS NOT NULL THEN clock_timestamp() END, report_store.daemon)
    ON CONFLICT ON CONSTRAINT store_status_pkey DO UPDATE
    SET reachable = excluded.reachable, fenced = excluded.fenced, reason = excluded.reason, message = excluded.message,
        capabilities = coalesce(excluded.capabilities, s.capabilities), probed_at = coalesce(excluded.probed_at, s.probed_at),
        changed_at = CASE WHEN (s.reachable, s.fenced, s.reason) = (excluded.reachable, excluded.fenced, excluded.reason)
                          THEN s.changed_at ELSE excluded.changed_at END,
        reported_at = excluded.reported_at, reported_by = excluded.reported_by;
    IF h -> 'stamped' = 'true' THEN
        UPDATE tenancy.store AS s SET stamped_at = clock_timestamp()
        WHERE s.name = report_store.store AND s.stamped_at IS NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.report_store(text, bigint, text, jsonb) IS
'Notes how a store is: health is an object with reachable, fenced, reason (one CamelCase word), message, when it was probed anew capabilities, and stamped true once this instance''s stamp was written. For admins and sidecars. Errors: TN026, TN027, 22023, 42501.';

CREATE FUNCTION tenancy.desired_page(store text, after uuid, most integer)
RETURNS TABLE (tenant_id uuid, state text, present boolean, generation bigint, store_generation bigint,
    reached_before boolean, settings jsonb)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    most_bytes CONSTANT bigint := 64 * 1024 * 1024;
    in_store   tenancy.store;
    paged      uuid[];
    tenants    CURSOR FOR
        WITH page AS MATERIALIZED (
            SELECT p.place, t.id, t.state, t.tier, tenancy.is_wanted(t.state, t.erase_started_at) AS wanted, t.generation,
                   s.observed_generation > 0 AND s.present AS reached
            FROM unnest(paged) WITH ORDINALITY AS p(id, place)
            JOIN tenancy.tenant AS t ON t.id = p.id
            JOIN tenancy.tenant_store AS s ON s.tenant_id = p.id AND s.store = in_store.name
        ), wide AS MATERIALIZED (
            SELECT w.tier, w.settings FROM tenancy.tier_settings(ARRAY(SELECT p.tier FROM page AS p WHERE p.wanted)) AS w
        )
        SELECT p.id, p.state, p.wanted, p.generation, in_store.generation, p.reached, g.settings
        -- In order before the settings are there: these are made as they are fetched.
        FROM (SELECT f.* FROM page AS f ORDER BY f.place) AS p LEFT JOIN wide AS w ON w.tier = p.tier AND p.wanted
        CROSS JOIN LATERAL tenancy.store_settings(p.id, w.settings) AS g ORDER BY p.place;
    taken      bigint := 0;
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    in_store := tenancy.find_store(desired_page.store);
    PERFORM tenancy.check_most(desired_page.most, 10000);
    paged := ARRAY(
        SELECT s.tenant_id FROM tenancy.tenant_store AS s
        WHERE s.tenant_id > coalesce(desired_page.after, '00000000-0000-0000-0000-000000000000') AND s.store = in_store.name
        ORDER BY s.tenant_id LIMIT desired_page.most);
    OPEN tenants;
    WHILE taken < most_bytes LOOP
        FETCH tenants INTO tenant_id, state, present, generation, store_generation, reached_before, settings;
        EXIT WHEN NOT FOUND;
        RETURN NEXT;
        taken := taken + pg_column_size(settings);
    END LOOP;
    CLOSE tenants;
END
$$;
COMMENT ON FUNCTION tenancy.desired_page(text, uuid, integer) IS
'What a store should hold, page by page (1 to 10000 tenants): those with an id after the given one, by id; NULL begins. A page of fewer is not the last: it ends, too, once its settings come to 64 MB; an empty one is the end. Erased tenants, which are to stay gone, are among them. Columns as of tenancy.claim_work(). For admins and sidecars. Errors: TN027, 22023, 42501.';

CREATE FUNCTION tenancy.request_repair(daemon text, epoch bigint, store text, tenants uuid[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    marked bigint;
BEGIN
    PERFORM tenancy.check_work(request_repair.daemon, request_repair.epoch, request_repair.store);
    WITH free AS MATERIALIZED (
        SELECT s.tenant_id FROM tenancy.tenant_store AS s
        WHERE s.tenant_id = ANY (request_repair.tenants) AND s.store = request_repair.store
          AND s.due_at IS NULL
        FOR NO KEY UPDATE SKIP LOCKED
    )
    -- A stalled one keeps its attempts: where it fails again it stalls again, until the next scan.
    UPDATE tenancy.tenant_store AS s
    SET due_at = clock_timestamp(), pending_since = coalesce(s.pending_since, clock_timestamp()), parked = false
    FROM free AS f WHERE s.tenant_id = f.tenant_id AND s.store = request_repair.store;
    GET DIAGNOSTICS marked = ROW_COUNT;
    RETURN marked;
END
$$;
COMMENT ON FUNCTION tenancy.request_repair(text, bigint, text, uuid[]) IS
'Marks tenants as due because the store differs from what they should be; those that are due or leased anyway stay as they are. One that is stalled is tried once more, for what it lost may be mended though what stalls it is not. Returns how many were marked. For admins and sidecars. Errors: TN026, TN027, 22023, 42501.';

CREATE FUNCTION tenancy.bounded_name(name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN octet_length($1) <= 1000 THEN $1
        ELSE left($1, 200) || '...sha256:' || encode(sha256(convert_to($1, 'UTF8')), 'hex') END
$$;
COMMENT ON FUNCTION tenancy.bounded_name(text) IS
'The name of an object in a store, as an index can hold it: of one beyond 1000 bytes its beginning and its SHA-256. Internal.';

CREATE FUNCTION tenancy.note_unknown(store text, scan text, objects jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO tenancy.unknown_object AS u (store, name, tenant_id, instance_id, reason, detail, resolution, scan)
    SELECT DISTINCT ON (tenancy.bounded_name(o.name)) note_unknown.store, tenancy.bounded_name(o.name), o.tenant, o.instance, left(coalesce(o.reason, ''), 100),
           coalesce(o.detail, '{}'), coalesce(o.resolution, 'reported'), note_unknown.scan
    FROM jsonb_to_recordset(note_unknown.objects) AS o(name text, tenant uuid, instance uuid, detail jsonb, reason text, resolution text)
    ORDER BY tenancy.bounded_name(o.name)
    ON CONFLICT ON CONSTRAINT unknown_object_pkey DO UPDATE
    SET tenant_id = excluded.tenant_id, instance_id = excluded.instance_id, reason = excluded.reason,
        detail = excluded.detail, resolution = excluded.resolution, last_seen = excluded.last_seen, scan = excluded.scan;
    INSERT INTO tenancy.audit_event (tenant_id, event, actor_role, detail)
    SELECT o.tenant, 'unknown_object_' || o.resolution, pg_get_userbyid(tenancy.outer_role()),
           jsonb_build_object('store', note_unknown.store, 'object', tenancy.bounded_name(o.name))
    FROM jsonb_to_recordset(note_unknown.objects) AS o(name text, tenant uuid, resolution text)
    WHERE o.resolution IN ('adopted', 'pruned');
END
$$;
COMMENT ON FUNCTION tenancy.note_unknown(text, text, jsonb) IS
'Keeps what a scan found that no tenant explains, by its name (a long one: see tenancy.bounded_name()); what was adopted or pruned is in the audit trail too. Internal.';

CREATE FUNCTION tenancy.report_unknown(
    daemon text, epoch bigint, store text, scan text, objects jsonb, complete boolean, tenants bigint, differing bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.check_work(report_unknown.daemon, report_unknown.epoch, report_unknown.store);
    IF coalesce(report_unknown.scan, '') = '' OR jsonb_typeof(report_unknown.objects) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'report of a scan is not of its form' USING ERRCODE = '22023',
            HINT = 'Name the scan; objects is an array of {name, tenant, instance, detail, reason, resolution}.';
    ELSIF EXISTS (SELECT FROM jsonb_array_elements(report_unknown.objects) AS e
                  WHERE (jsonb_typeof(e -> 'name') = 'string'
                         AND coalesce(e ->> 'resolution', 'reported') IN ('reported', 'adopted', 'pruned')) IS NOT TRUE) THEN
        RAISE EXCEPTION 'unknown object is not of its form' USING ERRCODE = '22023',
            HINT = 'It has a name, and its resolution is reported, adopted or pruned.';
    END IF;
    PERFORM tenancy.note_unknown(report_unknown.store, report_unknown.scan, report_unknown.objects);
    IF report_unknown.complete THEN
        DELETE FROM tenancy.unknown_object AS u WHERE u.store = report_unknown.store AND u.scan <> report_unknown.scan;
        UPDATE tenancy.store_status AS s
        SET scan_finished_at = clock_timestamp(), scan_tenants = report_unknown.tenants,
            scan_differing = report_unknown.differing,
            scan_unknown = (SELECT count(*) FROM tenancy.unknown_object AS u WHERE u.store = report_unknown.store)
        WHERE s.store = report_unknown.store;
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.report_unknown(text, bigint, text, text, jsonb, boolean, bigint, bigint) IS
'Notes what a scan of a store, named by a text of its own, found that no tenant explains: objects is an array of name, tenant and instance (as name and marker say, where they do), detail, reason, resolution (reported, adopted, pruned). The last call of a scan is complete: what was known before and not found again is off the list, and the scan''s counts of tenants compared and differing are kept in tenancy.store_status. For admins and sidecars. Errors: TN026, TN027, 22023, 42501.';
