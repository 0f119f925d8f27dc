-- Drain: after it, no transaction is left that can still write for the tenant.

CREATE FUNCTION tenancy.require_top_level(command text) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_require_top_level';
COMMENT ON FUNCTION tenancy.require_top_level(text) IS
'Raises 25001, naming the command, where the calling procedure could not commit. A step of the procedures.';

-- SECURITY DEFINER: the wait looks at other roles' transactions, and may cancel them.
CREATE FUNCTION tenancy.await_writers(tenant uuid, cancel boolean, wait_limit interval, any_writer boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    -- Milliseconds; 0 means no limit to the C function.
    RETURN tenancy.wait_for_tenant_writers(await_writers.tenant, await_writers.cancel,
        CASE WHEN await_writers.wait_limit IS NULL THEN 0
             ELSE greatest(1, least(ceil(extract(epoch FROM await_writers.wait_limit) * 1000), 2147483647))::integer END,
        await_writers.any_writer);
END
$$;
COMMENT ON FUNCTION tenancy.await_writers(uuid, boolean, interval, boolean) IS
'Waits until the transactions that run now and can still write for the tenant have ended, prepared ones included, and returns how many there were; with cancel it ends those in the tenant''s context or in that of all tenants; with any_writer it waits for those too that are not confined to another tenant, as a superuser''s. Those that wait here do not wait for each other, so this transaction cannot commit if it writes afterwards (25006), unless it has written before. NULL as the limit waits without one. Errors: TN023 some are left at the end of the limit, 42501. A step of tenancy.drain() and tenancy.erase(): called by itself it may find the change of state still uncommitted.';

-- SECURITY DEFINER: reads the registry for the invoker of the procedure.
CREATE FUNCTION tenancy.check_drainable(tenant text, mode text, wait_limit interval)
RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found tenancy.tenant;
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF check_drainable.mode IS NULL OR check_drainable.mode NOT IN ('cancel', 'wait') THEN
        RAISE EXCEPTION 'mode of drain must be cancel or wait' USING ERRCODE = '22023',
            HINT = 'cancel ends the open transactions of the tenant; wait lets them finish.';
    END IF;
    IF check_drainable.wait_limit < '0' THEN
        RAISE EXCEPTION 'timeout must not be negative' USING ERRCODE = '22023',
            HINT = 'Give an interval, or NULL to wait without limit.';
    END IF;
    SELECT t.* INTO found FROM tenancy.tenant AS t WHERE t.id = tenancy.tenant_id(check_drainable.tenant);
    IF found.state = 'active' THEN
        PERFORM tenancy.refuse_transition(found, 'drain',
            'New transactions of an active tenant begin all the time: draining would never end.');
    END IF;
    RETURN found.id;
END
$$;
COMMENT ON FUNCTION tenancy.check_drainable(text, text, interval) IS
'The id of a tenant that may be drained. Errors: TN004, TN010 it is active, 22023 bad mode or timeout, 42501. A step of tenancy.drain().';

-- A procedure that commits can be neither SECURITY DEFINER nor have a SET clause: so every name in it is qualified.
CREATE PROCEDURE tenancy.drain(tenant text, mode text DEFAULT 'cancel', timeout interval DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
    drained pg_catalog.uuid;
    waited  bigint;
BEGIN
    PERFORM tenancy.require_top_level('CALL tenancy.drain()');
    drained := tenancy.check_drainable(drain.tenant, drain.mode, drain.timeout);
    COMMIT;
    waited := tenancy.await_writers(drained, drain.mode OPERATOR(pg_catalog.=) 'cancel', drain.timeout);
    COMMIT;
    RAISE NOTICE 'tenant % is drained: waited for % transactions', drain.tenant, waited;
END
$$;
COMMENT ON PROCEDURE tenancy.drain(text, text, interval) IS
'Returns when no transaction is left that can still write for the tenant, prepared ones included; the tenant must not be active. mode cancel ends the transactions, mode wait lets them finish; a session that goes on to its next transaction in that moment may lose that one; timeout bounds the wait (NULL: no limit). Without shared_preload_libraries nobody knows whose a transaction is: then every one of the database is waited for and none is ended. Not inside a transaction block, where the change of state before it may not be visible to others yet (25001). Errors: TN004, TN010 the tenant is active, TN023 not drained in time, 22023, 25001, 42501.';
