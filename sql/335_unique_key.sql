-- Natural unique keys, level 'keys': a key over all tenants tells a tenant which values others have. It
-- becomes a key within the tenant. Surrogate primary keys stay.

CREATE FUNCTION tenancy.unique_keys_to_harden(relation regclass, tenant_column name)
RETURNS TABLE (index_oid oid, owner_table regclass, key_name name, constraint_definition text, index_definition text,
               columns name[], is_replica_identity boolean, still_referenced boolean, refused text)
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT i.indexrelid, i.indrelid::regclass, coalesce(k.conname, x.relname),
        pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid),
        CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL AND NOT coalesce(k.condeferrable, false)
                  AND i.indnkeyatts = i.indnatts AND NOT i.indnullsnotdistinct AND x.reloptions IS NULL
             THEN tenancy.column_names(i.indrelid, (i.indkey::smallint[])[0:i.indnkeyatts - 1]) END,
        i.indisreplident,
        EXISTS (SELECT FROM pg_constraint AS f WHERE f.contype = 'f' AND f.conindid = i.indexrelid),
        CASE WHEN i.indisexclusion THEN 'an exclusion constraint is not rewritten' END
    FROM tenancy.table_tree(unique_keys_to_harden.relation) AS t(id)
    JOIN pg_index AS i ON i.indrelid = t.id
    JOIN pg_class AS x ON x.oid = i.indexrelid
    LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attname = unique_keys_to_harden.tenant_column
    WHERE (i.indisunique OR i.indisexclusion) AND i.indisvalid
      AND NOT a.attnum = ANY (i.indkey::smallint[])
      AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid)
      AND NOT (i.indisprimary AND i.indnkeyatts = 1 AND (
          SELECT p.atttypid IN ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype)
          FROM pg_attribute AS p WHERE p.attrelid = i.indrelid AND p.attnum = i.indkey[0]))
    ORDER BY i.indexrelid
$$;
COMMENT ON FUNCTION tenancy.unique_keys_to_harden(regclass, name) IS
'Unique keys of the table without the tenant column, surrogate primary keys (one number or uuid) excepted. Internal.';

CREATE FUNCTION tenancy.harden_unique_constraint(root regclass, owner_table regclass, key_name name, definition text,
                                                 tenant_column name, columns name[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bracket integer := strpos(harden_unique_constraint.definition, '(');
    made_for_keys regclass := tenancy.unique_index_on(harden_unique_constraint.owner_table,
        harden_unique_constraint.tenant_column || harden_unique_constraint.columns);
    new_definition text := overlay(harden_unique_constraint.definition
        PLACING '(' || quote_ident(harden_unique_constraint.tenant_column) || ', ' FROM bracket FOR 1);
BEGIN
    -- A unique index that foreign keys already refer to takes the constraint's place as it is.
    IF made_for_keys IS NOT NULL
       AND (SELECT c.relkind FROM pg_class AS c WHERE c.oid = harden_unique_constraint.owner_table) = 'r'
       AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = made_for_keys AND k.contype IN ('p', 'u'))
    THEN
        new_definition := format('%s USING INDEX %I',
            CASE WHEN harden_unique_constraint.definition LIKE 'PRIMARY KEY%' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
            (SELECT c.relname FROM pg_class AS c WHERE c.oid = made_for_keys));
    END IF;
    PERFORM tenancy.change_table(
        harden_unique_constraint.root, harden_unique_constraint.owner_table, 'ALTER TABLE ',
        format(' DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', harden_unique_constraint.key_name,
               harden_unique_constraint.key_name, new_definition),
        'ALTER TABLE ',
        format(' DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', harden_unique_constraint.key_name,
               harden_unique_constraint.key_name, harden_unique_constraint.definition));
END
$$;
COMMENT ON FUNCTION tenancy.harden_unique_constraint(regclass, regclass, name, text, name, name[]) IS
'Puts the tenant column in front of a unique constraint, under its name. Internal.';

CREATE FUNCTION tenancy.index_definition_rest(owner_table regclass, key_name name, definition text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    start text := format('CREATE UNIQUE INDEX %I ON %s USING btree (', index_definition_rest.key_name,
                         tenancy.qualified_name(index_definition_rest.owner_table));
BEGIN
    IF NOT starts_with(index_definition_rest.definition, start) THEN
        RAISE EXCEPTION 'unique index "%" cannot include the tenant', index_definition_rest.key_name
            USING ERRCODE = '0A000', HINT = 'Put the tenant column first in the index yourself, or use harden_keys => ''references''.';
    END IF;
    RETURN substr(index_definition_rest.definition, length(start) + 1);
END
$$;
COMMENT ON FUNCTION tenancy.index_definition_rest(regclass, name, text) IS
'What follows the first bracket in the definition of a unique B-tree index: its columns and all else. Raises 0A000 for a definition of another form. Internal.';

CREATE FUNCTION tenancy.harden_unique_index(root regclass, owner_table regclass, key_name name, definition text, tenant_column name)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name name := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                         WHERE c.oid = harden_unique_index.owner_table);
    is_partitioned boolean := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = harden_unique_index.owner_table);
    old_definition text := CASE WHEN is_partitioned
        THEN replace(harden_unique_index.definition, ' ON ONLY ', ' ON ') ELSE harden_unique_index.definition END;
    columns text := tenancy.index_definition_rest(harden_unique_index.owner_table, harden_unique_index.key_name, old_definition);
BEGIN
    PERFORM tenancy.change_table(harden_unique_index.root, harden_unique_index.owner_table,
        CASE WHEN EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                          WHERE i.indrelid = harden_unique_index.owner_table AND i.indisvalid
                            AND c.relname = tenancy.prepared_key_name(harden_unique_index.key_name))
        THEN format('DROP INDEX %1$I.%2$I; ALTER INDEX %1$I.%3$I RENAME TO %2$I', schema_name, harden_unique_index.key_name,
                    tenancy.prepared_key_name(harden_unique_index.key_name))
        ELSE format('DROP INDEX %1$I.%2$I; CREATE UNIQUE INDEX %2$I ON %3$s USING btree (%4$I, %5$s', schema_name,
                    harden_unique_index.key_name, tenancy.qualified_name(harden_unique_index.owner_table),
                    harden_unique_index.tenant_column, columns) END, NULL,
        format('DROP INDEX %I.%I; %s', schema_name, harden_unique_index.key_name, old_definition), NULL);
END
$$;
COMMENT ON FUNCTION tenancy.harden_unique_index(regclass, regclass, name, text, name) IS
'Puts the tenant column in front of a unique index that is no constraint, under its name. Internal.';

CREATE FUNCTION tenancy.harden_unique_keys(relation regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key record;
    tenant_column name := (SELECT p.tenant_column FROM tenancy.protected_table AS p WHERE p.relation = harden_unique_keys.relation);
BEGIN
    FOR key IN SELECT * FROM tenancy.unique_keys_to_harden(harden_unique_keys.relation, tenant_column) LOOP
        IF key.refused IS NOT NULL THEN
            RAISE EXCEPTION 'constraint "%" of "%" cannot include the tenant', key.key_name, key.owner_table
                USING ERRCODE = '0A000', DETAIL = format('In "%s": %s.', key.owner_table, key.refused),
                      HINT = 'Add the tenant column WITH = to it yourself (extension btree_gist), or use harden_keys => ''references''.';
        END IF;
        IF key.still_referenced THEN
            RAISE NOTICE 'unique key "%" of "%" stays as it is: a foreign key of an unprotected table refers to it', key.key_name, key.owner_table
                USING HINT = 'Protect that table, then call tenancy.protect() for this one again.';
            CONTINUE;
        END IF;
        IF key.is_replica_identity THEN
            PERFORM tenancy.change_table(harden_unique_keys.relation, key.owner_table, NULL, NULL,
                'ALTER TABLE ', format(' REPLICA IDENTITY USING INDEX %I', key.key_name));
        END IF;
        IF key.constraint_definition IS NOT NULL THEN
            PERFORM tenancy.harden_unique_constraint(harden_unique_keys.relation, key.owner_table, key.key_name,
                key.constraint_definition, tenant_column, key.columns);
        ELSE
            PERFORM tenancy.harden_unique_index(harden_unique_keys.relation, key.owner_table, key.key_name,
                key.index_definition, tenant_column);
        END IF;
        IF key.is_replica_identity THEN
            PERFORM tenancy.run_as_owner(key.owner_table, format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I',
                tenancy.qualified_name(key.owner_table), key.key_name));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.harden_unique_keys(regclass) IS
'Level keys: makes natural unique keys of the table unique within each tenant. Internal.';
