-- Finding the tenant before there is a context: logins, API keys, webhooks.

CREATE FUNCTION tenancy.run_lookup(relation regclass, query text, VARIADIC "values" "any") RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_run_lookup';
COMMENT ON FUNCTION tenancy.run_lookup(regclass, text, "any") IS
'Runs one query over all rows of a table as its owner, in a security-restricted operation. Internal: called by functions that tenancy.allow_lookup made, and to count unknown tenants.';

-- SECURITY DEFINER: the function it makes has to belong to the owner of the extension, who alone may
-- call run_lookup.
CREATE FUNCTION tenancy.allow_lookup(relation regclass, columns name[], grantee regrole DEFAULT NULL) RETURNS regprocedure
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record;
    designator text;
    key_columns name[];
    signature text;
    body text;
    made regprocedure;
BEGIN
    PERFORM tenancy.require_operator('admin');
    SELECT c.relname, n.nspname, p.tenant_column, p.key_kind INTO target
      FROM tenancy.protected_table p JOIN pg_class c ON c.oid = p.relation JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE p.relation = allow_lookup.relation;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('table %s is not protected', allow_lookup.relation),
            HINT = 'Lookups are for tables under tenancy.protect(); other tables are read directly.';
    END IF;
    IF coalesce(cardinality(allow_lookup.columns), 0) = 0 OR EXISTS (
        SELECT FROM unnest(allow_lookup.columns) AS wanted(name)
         WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = allow_lookup.relation
                              AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped)) THEN
        RAISE EXCEPTION USING ERRCODE = '42703', MESSAGE = format('table %s does not have all of these columns', allow_lookup.relation),
            HINT = 'Name the columns whose exact values the caller knows, such as ARRAY[''key_hash''].';
    END IF;
    SELECT array_agg(a.attname ORDER BY k.place) INTO key_columns
      FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = allow_lookup.relation AND i.indisprimary AND a.attname <> target.tenant_column;

    designator := CASE target.key_kind WHEN 'uuid' THEN format('t.%I::text', target.tenant_column)
                  ELSE format('''external:'' || t.%I::text', target.tenant_column) END;
    body := format('SELECT %s AS tenant%s FROM ONLY %I.%I AS t WHERE %s',
        designator,
        (SELECT string_agg(format(', t.%I', name), '' ORDER BY place) FROM unnest(key_columns) WITH ORDINALITY AS k(name, place)),
        target.nspname, target.relname,
        (SELECT string_agg(format('t.%I OPERATOR(pg_catalog.=) $%s', name, place), ' AND ' ORDER BY place)
           FROM unnest(allow_lookup.columns) WITH ORDINALITY AS c(name, place)));
    IF (SELECT relkind FROM pg_class WHERE oid = allow_lookup.relation) = 'p' THEN
        body := replace(body, 'FROM ONLY ', 'FROM ');
    END IF;
    SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, NULL)), ', ' ORDER BY c.place) INTO signature
      FROM unnest(allow_lookup.columns) WITH ORDINALITY AS c(name, place)
      JOIN pg_attribute a ON a.attrelid = allow_lookup.relation AND a.attname = c.name;

    EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS TABLE (%s) LANGUAGE sql STABLE STRICT PARALLEL UNSAFE '
                   'SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS %L',
        target.nspname,
        left('lookup_' || target.relname || '_by_' || array_to_string(allow_lookup.columns, '_'), 63),
        signature,
        'found_tenant text' || coalesce((SELECT string_agg(format(', %I %s', 'found_' || a.attname, format_type(a.atttypid, a.atttypmod)), '' ORDER BY k.place)
            FROM unnest(key_columns) WITH ORDINALITY AS k(name, place)
            JOIN pg_attribute a ON a.attrelid = allow_lookup.relation AND a.attname = k.name), ''),
        format('SELECT * FROM tenancy.run_lookup(%L::regclass, %L%s) AS found(found_tenant text%s)',
            format('%I.%I', target.nspname, target.relname), body,
            (SELECT string_agg(format(', $%s', place), '' ORDER BY place) FROM generate_series(1, cardinality(allow_lookup.columns)) AS place),
            coalesce((SELECT string_agg(format(', %I %s', 'found_' || a.attname, format_type(a.atttypid, a.atttypmod)), '' ORDER BY k.place)
               FROM unnest(key_columns) WITH ORDINALITY AS k(name, place)
               JOIN pg_attribute a ON a.attrelid = allow_lookup.relation AND a.attname = k.name), '')));
    -- By its arguments too: others may have made functions of the same name.
    made := format('%I.%I(%s)', target.nspname,
        left('lookup_' || target.relname || '_by_' || array_to_string(allow_lookup.columns, '_'), 63),
        (SELECT string_agg(format_type(a.atttypid, NULL), ', ' ORDER BY c.place)
           FROM unnest(allow_lookup.columns) WITH ORDINALITY AS c(name, place)
           JOIN pg_attribute a ON a.attrelid = allow_lookup.relation AND a.attname = c.name))::regprocedure;
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
    IF allow_lookup.grantee IS NOT NULL THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', made, allow_lookup.grantee);
    END IF;
    PERFORM tenancy.record_event(NULL, 'allow_lookup', jsonb_build_object(
        'relation', allow_lookup.relation::text, 'columns', to_jsonb(allow_lookup.columns), 'role', allow_lookup.grantee::text));
    RETURN made;
END
$$;
COMMENT ON FUNCTION tenancy.allow_lookup(regclass, name[], regrole) IS
'Makes a function lookup_<table>_by_<columns>(values) beside a protected table, which returns the tenant (found_tenant, as tenancy.enter takes it) and the primary key of the rows whose columns equal the values, for use before there is a context, and lets grantee call it. It tells whether such a row exists in any tenant: choose columns whose values nobody guesses. Drop the function to withdraw it. PostgreSQL counts the calls in pg_stat_user_functions where track_functions is all. Errors: 42501, 55000 for a table that is not protected, 42703, 42723 when it exists.';
