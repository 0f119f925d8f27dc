-- Deleting and counting one tenant's rows, and the roles that work for all tenants.

-- Erasing goes by the record of protected tables. The catalog is the truth: a table restored by itself carries
-- its policies and is in no record, and the rows in it would neither be deleted nor counted.
CREATE FUNCTION tenancy.check_record()
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown text;
    gone text;
BEGIN
    SELECT string_agg(DISTINCT p.polrelid::regclass::text, ', ') INTO unknown FROM pg_policy AS p
    WHERE NOT p.polpermissive AND (tenancy.protection(p.polrelid)).tenant_column IS NOT NULL
      AND tenancy.protected_root(p.polrelid) IS NULL;
    SELECT string_agg(p.relation::text, ', ') INTO gone
    FROM tenancy.protected_table AS p JOIN pg_class AS c ON c.oid = p.relation
    WHERE (tenancy.protection(p.relation)).tenant_column IS NULL;
    IF unknown IS NOT NULL OR gone IS NOT NULL THEN
        RAISE EXCEPTION 'tenancy.protected_table does not say which tables are protected'
            USING ERRCODE = '55000',
                  DETAIL = concat_ws(' ', 'Protected and not recorded: ' || unknown || '.', 'Recorded and not protected: ' || gone || '.'),
                  HINT = 'Call tenancy.protect() again for what is to be protected, then tenancy.sync(), and delete the tenant''s rows yourself in what is not.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_record() IS
'Raises 55000 unless tenancy.protected_table holds the tables that are protected and no others. Internal.';

-- Tables in an order in which rows can be deleted: those that refer to others first. Tables on a circle of
-- foreign keys come last; deleting has to be repeated for them.
CREATE FUNCTION tenancy.erasure_order()
RETURNS TABLE (relation regclass, place integer, on_circle boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER -- reads the record
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    waiting regclass[];
    free regclass[];
    edges jsonb;
BEGIN
    SELECT array_agg(p.relation ORDER BY p.relation) INTO waiting
    FROM tenancy.protected_table AS p JOIN pg_class AS c ON c.oid = p.relation
    WHERE (tenancy.protection(p.relation)).tenant_column IS NOT NULL;
    place := 0;
    on_circle := false;
    WHILE cardinality(waiting) > 0 LOOP
        place := place + 1;
        SELECT array_agg(w.id) INTO free FROM unnest(waiting) AS w(id)
        WHERE NOT EXISTS (
            SELECT FROM pg_constraint AS k
            WHERE k.contype = 'f' AND tenancy.protected_root(k.confrelid) = w.id
              AND tenancy.protected_root(k.conrelid) <> w.id AND tenancy.protected_root(k.conrelid) = ANY (waiting));
        IF free IS NULL THEN
            on_circle := true;
            free := waiting;
        END IF;
        FOREACH relation IN ARRAY free LOOP
            RETURN NEXT;
        END LOOP;
        SELECT array_agg(w.id ORDER BY w.id) INTO waiting FROM unnest(waiting) AS w(id) WHERE w.id <> ALL (free);
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.erasure_order() IS
'The protected tables in the order in which a tenant''s rows can be deleted, referring tables first. on_circle marks tables that refer to each other in a circle: delete from them in turns until nothing is left. Internal.';

-- Row security does not hold for owners that are superusers or have BYPASSRLS, so every statement
-- below says itself which rows are meant.
CREATE FUNCTION tenancy.rows_of_context(relation regclass)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%I = %s', r.tenant_column, tenancy.context_function('current', r.key_kind))
    FROM tenancy.protection(rows_of_context.relation) AS r
    WHERE r.tenant_column IS NOT NULL
$$;
COMMENT ON FUNCTION tenancy.rows_of_context(regclass) IS
'The condition, as SQL, that a row of a protected table belongs to the tenant of the context; NULL when the table is not protected. Internal.';

CREATE FUNCTION tenancy.tenant_rows(tenant uuid, relation regclass)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT tenancy.has_key_for(tenant_rows.tenant, tenant_rows.relation) THEN
        RETURN 0;
    END IF;
    RETURN tenancy.run_as_owner(tenant_rows.relation,
        format('SELECT count(*) FROM %s WHERE %s', tenancy.qualified_name(tenant_rows.relation),
               tenancy.rows_of_context(tenant_rows.relation)), tenant_rows.tenant, no_force => true);
END
$$;
COMMENT ON FUNCTION tenancy.tenant_rows(uuid, regclass) IS
'Counts the rows of a tenant in a protected table with its partitions, as the table''s owner in the tenant''s context, those included that a policy of the owner''s own hides from it. Internal.';

-- A tenant without external id has no rows in tables keyed by it.
CREATE FUNCTION tenancy.has_key_for(tenant uuid, relation regclass)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE r.key_kind
        WHEN 'uuid' THEN true
        WHEN 'text' THEN t.external_id IS NOT NULL
        WHEN 'bigint' THEN t.external_id IS NOT NULL AND t.external_bigint IS NOT NULL
        WHEN 'integer' THEN t.external_bigint BETWEEN -2147483648 AND 2147483647
    END
    FROM tenancy.tenant AS t, tenancy.protection(has_key_for.relation) AS r
    WHERE t.id = has_key_for.tenant
$$;
COMMENT ON FUNCTION tenancy.has_key_for(uuid, regclass) IS
'Whether the tenant can have rows in a table of this kind of key. Internal.';

-- References between tables that refer to each other in a circle are cleared where they may be NULL.
CREATE FUNCTION tenancy.clear_references(tenant uuid, relation regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held record;
    assignments text;
BEGIN
    SELECT r.* INTO held FROM tenancy.protection(clear_references.relation) AS r;
    SELECT string_agg(DISTINCT format('%I = NULL', a.attname), ', ') INTO assignments
    FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.contype = 'f' AND k.conrelid = clear_references.relation
      AND (tenancy.protection(k.confrelid)).tenant_column IS NOT NULL
      AND NOT a.attnotnull AND a.attname <> held.tenant_column;
    IF assignments IS NOT NULL THEN
        PERFORM tenancy.run_as_owner(clear_references.relation, format('UPDATE %s SET %s WHERE %s',
            tenancy.qualified_name(clear_references.relation), assignments,
            tenancy.rows_of_context(clear_references.relation)), clear_references.tenant);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.clear_references(uuid, regclass) IS
'Sets the references of a tenant''s rows to other protected tables to NULL where the columns allow it. Internal.';

CREATE FUNCTION tenancy.erase_from_leaf(tenant uuid, leaf regclass, batch integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    table_name text := tenancy.qualified_name(erase_from_leaf.leaf);
    own_rows text := tenancy.rows_of_context(erase_from_leaf.leaf);
BEGIN
    IF own_rows IS NULL THEN
        RAISE EXCEPTION 'table % is not protected', erase_from_leaf.leaf
            USING ERRCODE = '55000', HINT = 'Run tenancy.sync() or tenancy.protect().';
    END IF;
    RETURN tenancy.run_as_owner(erase_from_leaf.leaf, format(
        'DELETE FROM ONLY %1$s WHERE %3$s AND ctid = ANY (ARRAY(SELECT ctid FROM ONLY %1$s WHERE %3$s LIMIT %2$s))',
        table_name, erase_from_leaf.batch, own_rows),
        erase_from_leaf.tenant);
EXCEPTION WHEN foreign_key_violation THEN
    -- Rows that refer to each other: all at once, and then without their references.
    BEGIN
        RETURN tenancy.run_as_owner(erase_from_leaf.leaf, format('DELETE FROM ONLY %s WHERE %s', table_name, own_rows), erase_from_leaf.tenant);
    EXCEPTION WHEN foreign_key_violation THEN
        PERFORM tenancy.clear_references(erase_from_leaf.tenant, erase_from_leaf.leaf);
        PERFORM tenancy.clear_references(erase_from_leaf.tenant, k.conrelid)
        FROM pg_constraint AS k
        WHERE k.contype = 'f' AND k.confrelid = erase_from_leaf.leaf AND (tenancy.protection(k.conrelid)).tenant_column IS NOT NULL;
        RETURN tenancy.run_as_owner(erase_from_leaf.leaf, format('DELETE FROM ONLY %s WHERE %s', table_name, own_rows), erase_from_leaf.tenant);
    END;
END
$$;
COMMENT ON FUNCTION tenancy.erase_from_leaf(uuid, regclass, integer) IS
'Deletes up to batch rows of a tenant from one table without its children. Internal.';

CREATE FUNCTION tenancy.erase_rows(tenant uuid, relation regclass, batch integer DEFAULT 10000)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    leaf regclass;
    deleted bigint := 0;
BEGIN
    IF NOT coalesce(tenancy.has_key_for(erase_rows.tenant, erase_rows.relation), false) THEN
        RETURN 0;
    END IF;
    FOR leaf IN
        SELECT c.oid::regclass FROM tenancy.table_tree(erase_rows.relation) AS t(id) JOIN pg_class AS c ON c.oid = t.id
        WHERE c.relkind = 'r'
    LOOP
        deleted := deleted + tenancy.erase_from_leaf(erase_rows.tenant, leaf, erase_rows.batch);
        EXIT WHEN deleted >= erase_rows.batch;
    END LOOP;
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION tenancy.erase_rows(uuid, regclass, integer) IS
'Deletes about batch rows of a tenant from a protected table with its partitions, as the owner in the tenant''s own context, and returns how many; 0 means that none can be deleted any more (compare tenant_rows). Rows that refer to each other are deleted together, so a batch can be larger. The table''s triggers fire. Internal.';

CREATE FUNCTION tenancy.register_bypass(role regrole, purpose text, until timestamptz DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the registry
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF coalesce(register_bypass.purpose, '') = '' THEN
        RAISE EXCEPTION 'a bypass role needs a purpose' USING ERRCODE = '22023',
            HINT = 'Say what it is for; ''backup'' lets pg_dump read without enter_all.';
    END IF;
    IF NOT (SELECT a.rolbypassrls FROM pg_authid AS a WHERE a.oid = register_bypass.role) THEN
        RAISE EXCEPTION 'role "%" does not have BYPASSRLS', register_bypass.role
            USING ERRCODE = '55000', HINT = 'Have a superuser run ALTER ROLE ... BYPASSRLS first, for a role that applications do not log in as.';
    END IF;
    IF register_bypass.until <= now() THEN
        RAISE EXCEPTION 'until must be in the future' USING ERRCODE = '22023', HINT = 'Leave it out for a role without end.';
    END IF;
    INSERT INTO tenancy.bypass_role AS b (role_oid, role_name, purpose, valid_until)
    VALUES (register_bypass.role, pg_get_userbyid(register_bypass.role), register_bypass.purpose, register_bypass.until)
    ON CONFLICT ON CONSTRAINT bypass_role_pkey DO UPDATE
    SET role_name = excluded.role_name, purpose = excluded.purpose, valid_until = excluded.valid_until,
        registered_by = pg_get_userbyid(tenancy.outer_role()), registered_at = now();
    UPDATE tenancy.bypass_role AS b SET registered_by = pg_get_userbyid(tenancy.outer_role())
    WHERE b.role_oid = register_bypass.role;
    PERFORM tenancy.record_event(NULL, 'register_bypass', jsonb_build_object(
        'role', pg_get_userbyid(register_bypass.role), 'purpose', register_bypass.purpose, 'until', register_bypass.until));
END
$$;
COMMENT ON FUNCTION tenancy.register_bypass(regrole, text, timestamptz) IS
'Lets a role that has BYPASSRLS work on all tenants'' rows, after SELECT tenancy.enter_all(reason) in its transaction, until a time. The purpose ''backup'' spares enter_all, for pg_dump. For operators of kind admin. Errors: 55000 a role without BYPASSRLS, 22023.';

CREATE FUNCTION tenancy.unregister_bypass(role regrole)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the registry
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    DELETE FROM tenancy.bypass_role AS b WHERE b.role_oid = unregister_bypass.role;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role "%" is not registered', unregister_bypass.role
            USING ERRCODE = '55000', HINT = 'tenancy.bypass_role lists the registered ones.';
    END IF;
    PERFORM tenancy.record_event(NULL, 'unregister_bypass', jsonb_build_object('role', pg_get_userbyid(unregister_bypass.role)));
END
$$;
COMMENT ON FUNCTION tenancy.unregister_bypass(regrole) IS
'Takes back register_bypass(), at once. For operators of kind admin. Error: 55000 when it was not registered.';
