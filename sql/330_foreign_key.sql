-- Foreign keys between protected tables become composite: (tenant, reference) to (tenant, key), under
-- their old name. A key on the reference alone accepts another tenant's parent and tells whether it exists.

-- The keys to change: both ends protected, tenant columns not yet paired. The table itself counts as
-- protected in the way the other arguments say, so that protect_plan() can ask beforehand.
CREATE FUNCTION tenancy.foreign_keys_to_harden(relation regclass, tenant_column name, key_kind text, harden_keys text)
RETURNS TABLE (key_oid oid, child regclass, parent regclass, constraint_name name,
               child_columns name[], parent_columns name[], violation_query text,
               new_definition text, refused text)
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    WITH family AS (
        SELECT id FROM tenancy.table_tree(foreign_keys_to_harden.relation) AS t(id)
    ), held AS (
        SELECT p.relation, p.tenant_column, p.key_kind, p.harden_keys FROM tenancy.protected_table AS p
        WHERE p.relation <> foreign_keys_to_harden.relation
        UNION ALL
        SELECT foreign_keys_to_harden.relation, foreign_keys_to_harden.tenant_column,
               foreign_keys_to_harden.key_kind, foreign_keys_to_harden.harden_keys
    ), candidate AS (
        SELECT k.oid, k.conname, k.conrelid::regclass AS child, k.confrelid::regclass AS parent,
               k.confupdtype, k.confdeltype, k.confmatchtype, k.condeferrable, k.condeferred, k.convalidated,
               c.tenant_column AS child_tenant, p.tenant_column AS parent_tenant,
               c.key_kind AS child_kind, p.key_kind AS parent_kind,
               tenancy.column_names(k.conrelid, k.conkey) AS child_columns,
               tenancy.column_names(k.confrelid, k.confkey) AS parent_columns,
               tenancy.column_names(k.conrelid, coalesce(k.confdelsetcols, k.conkey)) AS set_columns,
               EXISTS (SELECT FROM pg_attribute AS a
                       WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND NOT a.attnotnull) AS nullable
        FROM pg_constraint AS k
        JOIN held AS c ON c.relation = CASE WHEN k.conrelid IN (SELECT id FROM family)
                                            THEN foreign_keys_to_harden.relation ELSE tenancy.protected_root(k.conrelid) END
        JOIN held AS p ON p.relation = CASE WHEN k.confrelid IN (SELECT id FROM family)
                                            THEN foreign_keys_to_harden.relation ELSE tenancy.protected_root(k.confrelid) END
        WHERE k.contype = 'f' AND k.conparentid = 0
          AND (k.conrelid IN (SELECT id FROM family) OR k.confrelid IN (SELECT id FROM family))
          AND c.harden_keys <> 'off' AND p.harden_keys <> 'off'
    )
    SELECT oid, child, parent, conname, child_tenant || child_columns, parent_tenant || parent_columns,
        format('SELECT c.* FROM %s AS c WHERE %s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)',
            tenancy.qualified_name(child),
            (SELECT string_agg(format('c.%I IS NOT NULL', name), ' AND ') FROM unnest(child_columns) AS n(name)),
            tenancy.qualified_name(parent),
            (SELECT string_agg(format('p.%I = c.%I', a, b), ' AND ')
             FROM unnest(parent_tenant || parent_columns, child_tenant || child_columns) AS n(a, b))),
        format('FOREIGN KEY (%s) REFERENCES %s (%s)%s%s%s%s',
            tenancy.column_list(child_tenant || child_columns), tenancy.qualified_name(parent),
            tenancy.column_list(parent_tenant || parent_columns),
            CASE confmatchtype WHEN 'f' THEN ' MATCH FULL' ELSE '' END,
            CASE confupdtype WHEN 'c' THEN ' ON UPDATE CASCADE' WHEN 'r' THEN ' ON UPDATE RESTRICT' ELSE '' END,
            CASE confdeltype WHEN 'c' THEN ' ON DELETE CASCADE' WHEN 'r' THEN ' ON DELETE RESTRICT'
                WHEN 'n' THEN format(' ON DELETE SET NULL (%s)', tenancy.column_list(set_columns))
                WHEN 'd' THEN format(' ON DELETE SET DEFAULT (%s)', tenancy.column_list(set_columns)) ELSE '' END,
            CASE WHEN condeferred THEN ' DEFERRABLE INITIALLY DEFERRED' WHEN condeferrable THEN ' DEFERRABLE' ELSE '' END
            || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END),
        CASE
            WHEN child_kind <> parent_kind THEN
                format('their tenant columns are of different kinds (%s and %s)', child_kind, parent_kind)
            WHEN confupdtype IN ('n', 'd') THEN
                'ON UPDATE SET NULL and SET DEFAULT take no list of columns and would change the tenant column too'
            WHEN confmatchtype = 'f' AND nullable THEN
                'MATCH FULL refuses a NULL reference beside a tenant that is never NULL'
        END
    FROM candidate
    WHERE NOT EXISTS (SELECT FROM unnest(child_columns, parent_columns) AS pair(a, b)
                      WHERE pair.a = child_tenant AND pair.b = parent_tenant)
    ORDER BY child, conname
$$;
COMMENT ON FUNCTION tenancy.foreign_keys_to_harden(regclass, name, text, text) IS
'Foreign keys from or to the table, both ends protected, that do not pair the tenant columns yet: what each becomes, a query for the rows that violate that, and why it cannot (refused). Internal.';

CREATE FUNCTION tenancy.prepared_key_name(constraint_name name)
RETURNS name
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$ SELECT (left(prepared_key_name.constraint_name, 55) || '_tenancy')::name $$;
COMMENT ON FUNCTION tenancy.prepared_key_name(name) IS
'The name under which protect_plan() adds and validates a composite key before protect() gives it the old name. Internal.';

-- The composite key replaces the old one; a prepared and validated one only changes its name.
CREATE FUNCTION tenancy.replace_foreign_key(child regclass, constraint_name name, new_definition text, violation_query text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    prepared name := tenancy.prepared_key_name(replace_foreign_key.constraint_name);
    is_prepared boolean := (SELECT k.convalidated FROM pg_constraint AS k
        WHERE k.conrelid = replace_foreign_key.child AND k.conname = prepared AND k.contype = 'f');
    table_name text := tenancy.qualified_name(replace_foreign_key.child);
BEGIN
    IF is_prepared THEN
        PERFORM tenancy.run_as_owner(replace_foreign_key.child, format(
            'ALTER TABLE %s DROP CONSTRAINT %I', table_name, replace_foreign_key.constraint_name));
        PERFORM tenancy.run_as_owner(replace_foreign_key.child, format(
            'ALTER TABLE %s RENAME CONSTRAINT %I TO %I', table_name, prepared, replace_foreign_key.constraint_name));
    ELSE
        PERFORM tenancy.run_as_owner(replace_foreign_key.child, format(
            'ALTER TABLE %s %sDROP CONSTRAINT %I, ADD CONSTRAINT %I %s', table_name,
            CASE WHEN is_prepared IS NULL THEN '' ELSE format('DROP CONSTRAINT %I, ', prepared) END,
            replace_foreign_key.constraint_name, replace_foreign_key.constraint_name, replace_foreign_key.new_definition));
    END IF;
EXCEPTION WHEN foreign_key_violation THEN
    RAISE EXCEPTION 'rows of "%" refer to rows of another tenant or to none (constraint "%")',
            replace_foreign_key.child, replace_foreign_key.constraint_name
        USING ERRCODE = '23503',
              HINT = format('Find them as a superuser or BYPASSRLS role with: %s. Correct them, or protect with harden_keys => ''off''.',
                            replace_foreign_key.violation_query);
END
$$;
COMMENT ON FUNCTION tenancy.replace_foreign_key(regclass, name, text, text) IS
'Gives a foreign key its new definition under its name, validated against all rows. Raises 23503 with a query that finds the violations. Internal.';

-- REFERENCES is revoked from all but the owner of a protected table; the owner of the child needs it while
-- the key is made.
CREATE FUNCTION tenancy.lend_references(child regclass, parent regclass, lend boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    child_owner oid := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = lend_references.child);
    parent_owner oid := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = lend_references.parent);
BEGIN
    IF NOT pg_has_role(child_owner, parent_owner, 'USAGE') THEN
        PERFORM tenancy.run_as_owner(lend_references.parent, format(
            CASE WHEN lend_references.lend THEN 'GRANT REFERENCES ON %s TO %I' ELSE 'REVOKE REFERENCES ON %s FROM %I' END,
            tenancy.qualified_name(lend_references.parent), pg_get_userbyid(child_owner)));
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.lend_references(regclass, regclass, boolean) IS
'Gives the owner of child the right to refer to parent, or takes it back. Internal.';

CREATE FUNCTION tenancy.refuse_foreign_key(constraint_name name, child regclass, parent regclass, refused text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF refuse_foreign_key.refused IS NOT NULL THEN
        RAISE EXCEPTION 'foreign key "%" of "%" cannot include the tenant', refuse_foreign_key.constraint_name, refuse_foreign_key.child
            USING ERRCODE = '0A000',
                  DETAIL = format('Between "%s" and "%s": %s.', refuse_foreign_key.child, refuse_foreign_key.parent, refuse_foreign_key.refused),
                  HINT = 'Change the key first, or protect the table with harden_keys => ''off'' and accept that the key tells of other tenants'' rows.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.refuse_foreign_key(name, regclass, regclass, text) IS
'Raises 0A000 with the reason why a foreign key cannot be made composite, when there is one. Internal.';

CREATE FUNCTION tenancy.harden_foreign_keys(relation regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key record;
    remark text;
BEGIN
    FOR key IN
        SELECT k.* FROM tenancy.protected_table AS p,
            tenancy.foreign_keys_to_harden(p.relation, p.tenant_column, p.key_kind, p.harden_keys) AS k
        WHERE p.relation = tenancy.protected_root(harden_foreign_keys.relation)
    LOOP
        PERFORM tenancy.refuse_foreign_key(key.constraint_name, key.child, key.parent, key.refused);
        PERFORM tenancy.ensure_unique_index(key.parent, key.parent_columns);
        remark := obj_description(key.key_oid, 'pg_constraint');
        UPDATE tenancy.protected_table AS p
        SET undo = jsonb_set(p.undo, '{foreign_keys}', coalesce(p.undo -> 'foreign_keys', '[]') || jsonb_build_array(
            jsonb_build_object('child', tenancy.qualified_name(key.child), 'parent', tenancy.qualified_name(key.parent),
                               'child_id', tenancy.relation_id(key.child), 'parent_id', tenancy.relation_id(key.parent),
                               'name', key.constraint_name, 'comment', remark,
                               'definition', pg_get_constraintdef(key.key_oid))))
        WHERE p.relation = tenancy.protected_root(key.child);
        PERFORM tenancy.lend_references(key.child, key.parent, true);
        PERFORM tenancy.replace_foreign_key(key.child, key.constraint_name, key.new_definition, key.violation_query);
        PERFORM tenancy.lend_references(key.child, key.parent, false);
        IF remark IS NOT NULL THEN
            PERFORM tenancy.run_as_owner(key.child, format('COMMENT ON CONSTRAINT %I ON %s IS %L',
                key.constraint_name, tenancy.qualified_name(key.child), remark));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.harden_foreign_keys(regclass) IS
'Makes the foreign keys between this table and other protected tables composite. Internal.';

-- Takes the composite keys of a table away, those it holds and those that point at it, and returns what they
-- were. They cannot come back before the keys they refer to have.
CREATE FUNCTION tenancy.drop_hardened_keys(relation regclass)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key record;
    dropped jsonb := '[]';
    family regclass[] := ARRAY(SELECT tenancy.table_tree(drop_hardened_keys.relation));
BEGIN
    FOR key IN
        SELECT p.relation AS holder, f.key, r.child, f.key ->> 'name' AS name
        FROM tenancy.protected_table AS p, jsonb_array_elements(p.undo -> 'foreign_keys') AS f(key),
            LATERAL (SELECT tenancy.recorded_relation(f.key ->> 'child', f.key ->> 'child_id') AS child,
                            tenancy.recorded_relation(f.key ->> 'parent', f.key ->> 'parent_id') AS parent) AS r
        WHERE r.child = ANY (family) OR r.parent = ANY (family)
    LOOP
        IF EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = key.child AND k.conname = key.name) THEN
            PERFORM tenancy.run_as_owner(key.child, format('ALTER TABLE %s DROP CONSTRAINT %I', tenancy.qualified_name(key.child), key.name));
            dropped := dropped || jsonb_build_array(key.key);
        END IF;
        UPDATE tenancy.protected_table AS p
        SET undo = jsonb_set(p.undo, '{foreign_keys}', (
            SELECT coalesce(jsonb_agg(f.e), '[]') FROM jsonb_array_elements(p.undo -> 'foreign_keys') AS f(e) WHERE f.e <> key.key))
        WHERE p.relation = key.holder;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION tenancy.drop_hardened_keys(regclass) IS
'Drops the composite foreign keys of and to the table and returns their former definitions. Internal.';

CREATE FUNCTION tenancy.restore_foreign_keys(keys jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key record;
BEGIN
    FOR key IN
        SELECT r.child, r.parent, k.e ->> 'name' AS name, k.e ->> 'comment' AS comment,
               replace(k.e ->> 'definition', format(' REFERENCES %s(', k.e ->> 'parent'),
                       format(' REFERENCES %s(', tenancy.qualified_name(r.parent))) AS definition
        FROM jsonb_array_elements(restore_foreign_keys.keys) AS k(e),
            LATERAL (SELECT tenancy.recorded_relation(k.e ->> 'child', k.e ->> 'child_id') AS child,
                            tenancy.recorded_relation(k.e ->> 'parent', k.e ->> 'parent_id') AS parent) AS r
    LOOP
        PERFORM tenancy.lend_references(key.child, key.parent, true);
        PERFORM tenancy.run_as_owner(key.child, format('ALTER TABLE %s ADD CONSTRAINT %I %s',
            tenancy.qualified_name(key.child), key.name, key.definition));
        PERFORM tenancy.lend_references(key.child, key.parent, false);
        IF key.comment IS NOT NULL THEN
            PERFORM tenancy.run_as_owner(key.child, format('COMMENT ON CONSTRAINT %I ON %s IS %L',
                key.name, tenancy.qualified_name(key.child), key.comment));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.restore_foreign_keys(jsonb) IS
'Makes foreign keys again as they were before the table was protected. Internal.';
