-- The audit trail: the one function that writes to it, and what keeps written events as they are.

CREATE FUNCTION tenancy.record_event(tenant uuid, event text, detail jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO tenancy.audit_event (tenant_id, event, actor_role, detail)
    VALUES (record_event.tenant, record_event.event, pg_get_userbyid(tenancy.outer_role()),
            coalesce(jsonb_strip_nulls(record_event.detail), '{}'));
END
$$;
COMMENT ON FUNCTION tenancy.record_event(uuid, text, jsonb) IS
'Writes one audit event, in the transaction of what it tells of. event is the name of the function that was called, where one was. actor_role is the outer role: SET ROLE counts, SECURITY DEFINER does not. Internal: no role may call it. Details hold names of things, never a setting''s value, an alias''s value or a display name, so that erasing a tenant leaves no personal data here; its free-text reasons are taken out by the erasing.';

-- A reason may be taken out of the events of a tenant whose erasing runs; nothing else ever changes.
CREATE FUNCTION tenancy.keep_audit_event()
RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.detail = OLD.detail - 'reason'
           AND to_jsonb(NEW) - 'detail' = to_jsonb(OLD) - 'detail'
           AND EXISTS (SELECT FROM tenancy.tenant AS t
                       WHERE t.id = OLD.tenant_id AND t.state IN ('erasing', 'erased'))
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit events cannot be changed or removed'
        USING ERRCODE = '55000',
              HINT = 'Record a further event instead.';
END
$$;
COMMENT ON FUNCTION tenancy.keep_audit_event() IS
'Trigger: refuses to change, remove or truncate audit events (55000), also for superusers who slip. Erasing a tenant may take the key "reason" out of its events'' detail.';

CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON tenancy.audit_event
    FOR EACH ROW EXECUTE FUNCTION tenancy.keep_audit_event();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON tenancy.audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION tenancy.keep_audit_event();
ALTER TABLE tenancy.audit_event ENABLE ALWAYS TRIGGER keep_rows;
ALTER TABLE tenancy.audit_event ENABLE ALWAYS TRIGGER keep_table;

-- A notification only wakes listeners up; who misses one polls. A full queue would make the commit
-- of a suspension fail, so nothing is sent once it is half full.
CREATE FUNCTION tenancy.notify_lifecycle(payload text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('tenancy_lifecycle', notify_lifecycle.payload);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.notify_lifecycle(text) IS
'Notifies the channel tenancy_lifecycle; the payload is a tenant''s id, or * when many changed. Sends nothing while the server''s notification queue is half full or more, so that no change of state fails for it: listeners poll the generation too. Internal.';
