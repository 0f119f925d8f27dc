-- Rows whose tenant is not registered are never lost, but no context reaches them: protect() says so.

-- The keys are read as the owner of the table and looked up afterwards: code of the owner's that runs on the
-- way, as in an index, has nothing to ask which tenants there are.
CREATE FUNCTION tenancy.count_unknown_tenants(relation regclass, tenant_column name, key_kind text)
RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
    -- Jumps from key to key along the index that leads with the tenant column, when there is one.
    SELECT count(*) FROM tenancy.run_lookup(count_unknown_tenants.relation, format(
        'WITH RECURSIVE keys(key) AS (
             (SELECT %1$I FROM %2$s ORDER BY %1$I LIMIT 1)
             UNION ALL
             SELECT (SELECT t.%1$I FROM %2$s AS t WHERE t.%1$I > keys.key ORDER BY t.%1$I LIMIT 1)
             FROM keys WHERE keys.key IS NOT NULL)
         SELECT key::text FROM keys WHERE key IS NOT NULL AND $1',
        count_unknown_tenants.tenant_column, tenancy.qualified_name(count_unknown_tenants.relation)), true) AS found(key text)
    WHERE NOT CASE count_unknown_tenants.key_kind
        WHEN 'uuid' THEN EXISTS (SELECT FROM tenancy.tenant AS t WHERE t.id = found.key::uuid)
        ELSE EXISTS (SELECT FROM tenancy.tenant AS t WHERE t.external_id = found.key) END
$$;
COMMENT ON FUNCTION tenancy.count_unknown_tenants(regclass, name, text) IS
'How many different tenants a table has rows of that are not registered. Internal.';

CREATE FUNCTION tenancy.report_unknown_tenants(relation regclass, tenant_column name, key_kind text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown bigint;
BEGIN
    -- To operators alone: an owner could ask for one guessed key at a time whether such a tenant exists.
    IF NOT tenancy.is_operator('admin') THEN
        RETURN;
    END IF;
    unknown := tenancy.count_unknown_tenants(report_unknown_tenants.relation, report_unknown_tenants.tenant_column, report_unknown_tenants.key_kind);
    IF unknown > 0 THEN
        RAISE NOTICE 'table "%" has rows of tenants that are not registered (tenants: %)', report_unknown_tenants.relation, unknown
            USING HINT = 'They stay, and no context reaches them until tenancy.provision() has registered a tenant with that id or external id.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.report_unknown_tenants(regclass, name, text) IS
'Raises a notice when the table has rows of tenants that are not registered. Internal.';

CREATE FUNCTION tenancy.unknown_tenants(relation regclass)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- counts as the table's owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held record;
BEGIN
    PERFORM tenancy.require_operator('admin');
    SELECT r.* INTO held FROM tenancy.protection(unknown_tenants.relation) AS r;
    IF held.tenant_column IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN tenancy.count_unknown_tenants(unknown_tenants.relation, held.tenant_column, held.key_kind);
END
$$;
COMMENT ON FUNCTION tenancy.unknown_tenants(regclass) IS
'How many different tenants a protected table has rows of that are not registered; NULL for a table that is not protected. For operators of kind admin.';
