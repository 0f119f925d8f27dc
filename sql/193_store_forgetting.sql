-- Forgetting a store that is gone for good, and trying again what has failed.

CREATE FUNCTION tenancy.skip_store_steps(store text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    waiting uuid;
BEGIN
    -- By id, as all that lock several tenants: so none of them waits for another in a circle.
    FOR waiting IN
        SELECT DISTINCT o.tenant_id FROM tenancy.tenant_onboarding AS o JOIN tenancy.tenant AS t ON t.id = o.tenant_id
        WHERE o.store = skip_store_steps.store AND o.kind = 'store' AND o.finished_at IS NULL AND t.state = 'provisioning'
        ORDER BY o.tenant_id
    LOOP
        PERFORM tenancy.advance_onboarding(t) FROM (
            SELECT l.* FROM tenancy.tenant AS l WHERE l.id = waiting FOR NO KEY UPDATE) AS t;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.skip_store_steps(text) IS
'Goes on with the onboarding of tenants that waited for a store which is forgotten. Internal.';

CREATE FUNCTION tenancy.detach_store(name text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    still bigint;
BEGIN
    -- Who provisions a tenant has a lock against this one: there is none that waits for the store unseen.
    PERFORM FROM tenancy.store AS s WHERE s.name = detach_store.name FOR UPDATE;
    UPDATE tenancy.store AS s SET state = 'forgotten', forgotten_at = clock_timestamp() WHERE s.name = detach_store.name;
    INSERT INTO tenancy.audit_event (tenant_id, event, actor_role, detail)
    SELECT s.tenant_id, 'erasure_unproven', pg_get_userbyid(tenancy.outer_role()), jsonb_build_object('store', s.store)
    FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id
    WHERE s.store = detach_store.name AND t.state IN ('erasing', 'erased') AND s.erased_at IS NULL
    ORDER BY s.tenant_id;
    SELECT count(*) INTO still FROM tenancy.tenant_store AS s
    WHERE s.store = detach_store.name AND s.erased_at IS NULL;
    DELETE FROM tenancy.tenant_store AS s WHERE s.store = detach_store.name;
    DELETE FROM tenancy.store_mark AS m WHERE m.store = detach_store.name;
    DELETE FROM tenancy.store_status AS s WHERE s.store = detach_store.name;
    DELETE FROM tenancy.unknown_object AS u WHERE u.store = detach_store.name;
    PERFORM tenancy.skip_store_steps(detach_store.name);
    RETURN still;
END
$$;
COMMENT ON FUNCTION tenancy.detach_store(text) IS
'Forgets all that is known of a store and returns how many tenants were not proven to be gone from it. Internal.';

CREATE FUNCTION tenancy.record_unproven(erased tenancy.tenant)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Who was made after a store was last forgotten was never in it. created_at is of the beginning of its
    -- transaction, so at most one that was made at the same moment is named in vain.
    INSERT INTO tenancy.audit_event (tenant_id, event, actor_role, detail)
    SELECT (record_unproven.erased).id, 'erasure_unproven', pg_get_userbyid(tenancy.outer_role()), jsonb_build_object('store', s.name)
    FROM tenancy.store AS s
    WHERE s.state = 'forgotten' AND (s.forgotten_at IS NULL OR s.forgotten_at >= (record_unproven.erased).created_at)
      AND NOT EXISTS (
          SELECT FROM tenancy.audit_event AS e
          WHERE e.tenant_id = (record_unproven.erased).id AND e.event IN ('erasure_unproven', 'store_erased') AND e.detail ->> 'store' = s.name)
    ORDER BY s.name;
END
$$;
COMMENT ON FUNCTION tenancy.record_unproven(tenancy.tenant) IS
'Writes into the trail of a tenant that is erased which forgotten stores may still hold it. Internal.';

CREATE FUNCTION tenancy.forget_store(name text, reason text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    still bigint;
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_reason(forget_store.reason);
    PERFORM tenancy.lock_store(forget_store.name);
    still := tenancy.detach_store(forget_store.name);
    PERFORM tenancy.record_event(NULL, 'forget_store', jsonb_build_object('store', forget_store.name,
        'tenants', still, 'reason', forget_store.reason));
    PERFORM tenancy.notify_lifecycle('*');
    RETURN still;
END
$$;
COMMENT ON FUNCTION tenancy.forget_store(text, text) IS
'Gives up a store that is gone for good: no daemon looks at it again, nothing waits for it, onboarding steps that waited for it are skipped. Nothing in the store itself is touched. Returns for how many tenants its being empty was not proven; each of those that is being erased, or is erased, gets the event erasure_unproven in its trail, and each that is erased later. Its name stays of its kind; tenancy.define_store() attaches it again, from nothing. Errors: TN027 no such store, 22023 no reason, 42501.';

CREATE FUNCTION tenancy.retry_store(store text, tenant text DEFAULT NULL, everything boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one    uuid;
    marked bigint;
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.find_store(retry_store.store);
    IF retry_store.tenant IS NOT NULL THEN
        one := tenancy.tenant_id(retry_store.tenant);
    END IF;
    INSERT INTO tenancy.store_mark (store, tenant_id, urgent, to_erase, fresh)
    SELECT s.store, s.tenant_id, s.urgent, NOT tenancy.is_wanted(t.state, t.erase_started_at), true
    FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id
    WHERE s.store = retry_store.store AND (one IS NULL OR s.tenant_id = one)
      AND (coalesce(retry_store.everything, false) OR one IS NOT NULL OR s.parked);
    GET DIAGNOSTICS marked = ROW_COUNT;
    PERFORM tenancy.record_event(one, 'retry_store', jsonb_build_object('store', retry_store.store,
        'everything', coalesce(retry_store.everything, false), 'tenants', marked));
    PERFORM tenancy.notify_lifecycle(coalesce(one::text, '*'));
    RETURN marked;
END
$$;
COMMENT ON FUNCTION tenancy.retry_store(text, text, boolean) IS
'Has a store look again at the tenants that are stalled in it, as if they had never failed; with tenant at that one, stalled or not; with everything at all. Returns how many. Errors: TN027 no such store, TN004 no such tenant, 42501.';
