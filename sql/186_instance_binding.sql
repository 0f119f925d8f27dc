-- What an installation becomes: new, the replacement of the one it is a copy of, or a clone of it.

CREATE FUNCTION tenancy.bind_clone()
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attached text;
BEGIN
    FOR attached IN SELECT s.name FROM tenancy.store AS s WHERE s.state = 'attached' ORDER BY s.name LOOP
        PERFORM tenancy.detach_store(attached);
    END LOOP;
    UPDATE tenancy.store AS s SET stamped_at = NULL;
    DELETE FROM tenancy.signing_key;
    DELETE FROM tenancy.token_revocation;
    DELETE FROM tenancy.daemon;
END
$$;
COMMENT ON FUNCTION tenancy.bind_clone() IS
'Takes away what a clone must not share with its original: the bindings to stores, the signing keys and their withdrawn tokens. Internal.';

CREATE FUNCTION tenancy.bind_replacement()
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned text;
BEGIN
    -- What was made after the backup is in the stores, and no tenant of this database explains it.
    FOR pruned IN
        SELECT s.name FROM tenancy.store AS s WHERE s.state = 'attached' AND s.unknown_objects = 'prune' ORDER BY s.name
    LOOP
        UPDATE tenancy.store AS s SET unknown_objects = 'report', generation = s.generation + 1 WHERE s.name = pruned;
        PERFORM tenancy.record_event(NULL, 'prune_withdrawn', jsonb_build_object('store', pruned));
        RAISE WARNING 'store "%" prunes no more: unknown_objects is report now', pruned
            USING HINT = 'What was made since the backup may lie there. Look at tenancy.unknown_object, then call tenancy.define_store() if it is to prune again.';
    END LOOP;
    -- Whatever was reported may be older or newer than what the stores show; leases are of daemons that are gone.
    UPDATE tenancy.store AS s SET settled = false, settle_horizon = NULL WHERE s.state = 'attached';
    INSERT INTO tenancy.store_mark (store, tenant_id, urgent, to_erase, fresh, token)
    SELECT s.store, s.tenant_id, false, NOT tenancy.is_wanted(t.state, t.erase_started_at), true, s.lease_token
    FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id;
    DELETE FROM tenancy.daemon;
END
$$;
COMMENT ON FUNCTION tenancy.bind_replacement() IS
'Has every tenant looked at again in every store, ends all leases, and has stores that prune only report. Internal.';

CREATE FUNCTION tenancy.bind_instance(role text, expected_epoch bigint DEFAULT NULL)
RETURNS TABLE (id uuid, epoch bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held tenancy.instance;
    live record;
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    IF bind_instance.role IS NULL OR bind_instance.role NOT IN ('new', 'replacement', 'clone') THEN
        RAISE EXCEPTION 'role of an instance must be new, replacement or clone' USING ERRCODE = '22023',
            HINT = 'new is the first binding; a copy is a replacement when its original is gone, else a clone.';
    -- The daemon's login makes a new instance, and nothing of one that is there.
    ELSIF bind_instance.role <> 'new' AND NOT tenancy.is_operator('admin') THEN
        RAISE EXCEPTION 'permission denied: only admins make an instance a replacement or a clone'
            USING ERRCODE = '42501',
                  HINT = 'Give tenancyd adopt the login of an operator of kind admin, with --conninfo or --service.';
    END IF;
    LOCK TABLE tenancy.instance IN SHARE ROW EXCLUSIVE MODE;
    SELECT i.* INTO held FROM tenancy.instance AS i;
    IF (bind_instance.role = 'new') <> (held.id IS NULL) THEN
        RAISE EXCEPTION 'the instance is % bound', CASE WHEN held.id IS NULL THEN 'not yet' ELSE 'already' END
            USING ERRCODE = '55000',
                  HINT = 'A database that is not bound becomes new; one that is bound becomes a replacement or a clone.';
    ELSIF bind_instance.expected_epoch <> coalesce(held.epoch, 0) THEN
        RAISE EXCEPTION 'the instance was bound by somebody else'
            USING ERRCODE = 'TN016', DETAIL = format('Its epoch is %s, not %s.', coalesce(held.epoch, 0), bind_instance.expected_epoch),
                  HINT = 'Read tenancy.instance_identity() again and decide again.';
    END IF;
    SELECT l.* INTO live FROM tenancy.live_identity() AS l;
    INSERT INTO tenancy.instance AS i (id, system_identifier, database_oid, timeline, bound_by)
    VALUES (gen_random_uuid(), live.system_identifier, live.database_oid, live.timeline,
            pg_get_userbyid(tenancy.outer_role()))
    ON CONFLICT ON CONSTRAINT instance_pkey DO UPDATE
    SET id = CASE bind_instance.role WHEN 'clone' THEN excluded.id ELSE i.id END,
        epoch = CASE bind_instance.role WHEN 'clone' THEN 1 ELSE i.epoch + 1 END,
        tick = CASE bind_instance.role WHEN 'clone' THEN 0 ELSE i.tick END,
        system_identifier = excluded.system_identifier, database_oid = excluded.database_oid,
        timeline = excluded.timeline, bound_at = clock_timestamp(), bound_by = excluded.bound_by
    RETURNING i.id, i.epoch INTO bind_instance.id, bind_instance.epoch;
    IF bind_instance.role = 'clone' THEN
        PERFORM tenancy.bind_clone();
    ELSIF bind_instance.role = 'replacement' THEN
        PERFORM tenancy.bind_replacement();
    END IF;
    PERFORM tenancy.record_event(NULL, 'bind_instance', jsonb_build_object('role', bind_instance.role,
        'instance', bind_instance.id, 'epoch', bind_instance.epoch, 'was', held.id));
    PERFORM tenancy.notify_lifecycle('*');
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION tenancy.bind_instance(text, bigint) IS
'Binds the identity of this installation to the server and database it is on, and returns id and epoch. new: makes the identity, once. replacement: this copy takes the place of its original, which must be gone for good: same id, next epoch, every tenant is looked at again in every store, and a store whose unknown_objects is prune only reports (a WARNING, the event prune_withdrawn) until tenancy.define_store() says prune again. clone: this copy lives beside its original: a new id, epoch 1, and every store is detached, and all signing keys and withdrawn tokens are removed. expected_epoch, when given, must be the present one (0 before the first binding). Audited. For admins; new also for sidecars. Errors: 22023 no such role, 55000 bound already or not yet, TN016 not the expected epoch, 42501.';
