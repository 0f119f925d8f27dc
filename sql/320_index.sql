-- Indexes that protect() needs. Names are predictable, so that an index which protect_plan() made
-- beforehand is known as ours.

CREATE FUNCTION tenancy.index_name(relation regclass, columns name[], is_unique boolean)
RETURNS name
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT (left(c.relname || '_' || array_to_string(index_name.columns, '_'), 47) || '_'
            || left(md5(c.relname || ' ' || index_name.columns::text), 6)
            || CASE WHEN index_name.is_unique THEN '_tkey' ELSE '_tidx' END)::name
    FROM pg_class AS c WHERE c.oid = index_name.relation
$$;
COMMENT ON FUNCTION tenancy.index_name(regclass, name[], boolean) IS
'The name protect() gives to an index on these columns. Internal.';

CREATE FUNCTION tenancy.column_names(relation oid, numbers smallint[])
RETURNS name[]
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(a.attname ORDER BY k.position)
    FROM unnest(column_names.numbers) WITH ORDINALITY AS k(number, position)
    JOIN pg_attribute AS a ON a.attrelid = column_names.relation AND a.attnum = k.number
$$;
COMMENT ON FUNCTION tenancy.column_names(oid, smallint[]) IS 'Names of columns by number, in that order. Internal.';

CREATE FUNCTION tenancy.column_list(columns name[])
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(quote_ident(name), ', ' ORDER BY position)
    FROM unnest(column_list.columns) WITH ORDINALITY AS c(name, position)
$$;
COMMENT ON FUNCTION tenancy.column_list(name[]) IS 'Column names, quoted and separated by commas. Internal.';

-- A valid unique index on exactly these columns, which a foreign key can refer to.
CREATE FUNCTION tenancy.unique_index_on(relation regclass, columns name[])
RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT i.indexrelid::regclass
    FROM pg_index AS i
    WHERE i.indrelid = unique_index_on.relation AND i.indisunique AND i.indisvalid AND i.indimmediate
      AND i.indpred IS NULL AND i.indexprs IS NULL
      AND i.indnkeyatts = cardinality(unique_index_on.columns)
      AND tenancy.column_names(i.indrelid, (i.indkey::smallint[])[0:i.indnkeyatts - 1]) @> unique_index_on.columns
    ORDER BY i.indisprimary DESC, i.indexrelid
    LIMIT 1
$$;
COMMENT ON FUNCTION tenancy.unique_index_on(regclass, name[]) IS
'A unique index on exactly these columns in any order, without predicate; NULL when there is none. Internal.';

CREATE FUNCTION tenancy.index_led_by(relation regclass, tenant_column name)
RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT i.indexrelid::regclass
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_am AS m ON m.oid = c.relam
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = index_led_by.relation AND i.indisvalid AND i.indpred IS NULL
      AND m.amname = 'btree' AND a.attname = index_led_by.tenant_column
    ORDER BY i.indexrelid
    LIMIT 1
$$;
COMMENT ON FUNCTION tenancy.index_led_by(regclass, name) IS
'A B-tree index whose first column is the tenant column; NULL when there is none. Internal.';

CREATE FUNCTION tenancy.ensure_unique_index(relation regclass, columns name[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name name := tenancy.index_name(ensure_unique_index.relation, ensure_unique_index.columns, true);
    present regclass := tenancy.unique_index_on(ensure_unique_index.relation, ensure_unique_index.columns);
    made boolean := present IS NULL;
BEGIN
    IF NOT made AND (SELECT c.relname FROM pg_class AS c WHERE c.oid = present) <> name THEN
        RETURN;
    END IF;
    PERFORM tenancy.change_table(
        tenancy.protected_root(ensure_unique_index.relation), ensure_unique_index.relation,
        CASE WHEN made THEN format('CREATE UNIQUE INDEX %I ON ', name) END,
        format(' (%s)', tenancy.column_list(ensure_unique_index.columns)),
        format('DROP INDEX IF EXISTS %I.%I', n.nspname, name), NULL)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = ensure_unique_index.relation
      AND NOT EXISTS (
        SELECT FROM tenancy.protected_table AS p, jsonb_array_elements(p.undo -> 'steps') AS s
        WHERE p.relation = tenancy.protected_root(ensure_unique_index.relation)
          AND s ->> 'before' = format('DROP INDEX IF EXISTS %I.%I', n.nspname, name));
    -- The index that protect() made for the tenant column alone has nothing left to do.
    PERFORM tenancy.run_as_owner(i.indrelid::regclass, 'DROP INDEX ' || tenancy.qualified_name(i.indexrelid))
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = ensure_unique_index.relation
      AND c.relname = tenancy.index_name(ensure_unique_index.relation, ensure_unique_index.columns[1:1], false)
      AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid);
END
$$;
COMMENT ON FUNCTION tenancy.ensure_unique_index(regclass, name[]) IS
'Makes a unique index on the columns unless there is one, to be dropped by unprotect. Internal.';

CREATE FUNCTION tenancy.ensure_leading_index(relation regclass, tenant_column name)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name name := tenancy.index_name(ensure_leading_index.relation, ARRAY[ensure_leading_index.tenant_column], false);
    present regclass := tenancy.index_led_by(ensure_leading_index.relation, ensure_leading_index.tenant_column);
    drop_it text := format('DROP INDEX IF EXISTS %I.%I',
        (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = ensure_leading_index.relation), name);
BEGIN
    IF present IS NULL THEN
        PERFORM tenancy.change_table(
            tenancy.protected_root(ensure_leading_index.relation), ensure_leading_index.relation,
            format('CREATE INDEX %I ON ', name), format(' (%I)', ensure_leading_index.tenant_column), drop_it, NULL);
    ELSIF (SELECT c.relname FROM pg_class AS c WHERE c.oid = present) = name
          AND NOT EXISTS (
            SELECT FROM tenancy.protected_table AS p, jsonb_array_elements(p.undo -> 'steps') AS s
            WHERE p.relation = tenancy.protected_root(ensure_leading_index.relation) AND s ->> 'before' = drop_it)
    THEN
        PERFORM tenancy.change_table(tenancy.protected_root(ensure_leading_index.relation),
                                     ensure_leading_index.relation, NULL, NULL, drop_it, NULL);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.ensure_leading_index(regclass, name) IS
'Makes an index on the tenant column unless one leads with it, to be dropped by unprotect. Internal.';
