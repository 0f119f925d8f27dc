-- tenancy.protect_plan(): the same as protect() for a live table, as steps that hold strong locks for moments
-- only. Everything slow is done beforehand in a form that protect(), the last step, recognises.

-- CREATE INDEX CONCURRENTLY, for a partitioned table partition by partition.
CREATE FUNCTION tenancy.plan_index(relation regclass, columns name[], is_unique boolean)
RETURNS TABLE (sql text, lock text, in_transaction boolean, explanation text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member record;
    made name;
BEGIN
    FOR member IN
        SELECT c.oid::regclass AS id, c.relkind, n.nspname,
               (SELECT i.inhparent::regclass FROM pg_inherits AS i WHERE i.inhrelid = c.oid AND t.id <> plan_index.relation) AS parent
        FROM tenancy.table_tree(plan_index.relation) WITH ORDINALITY AS t(id, position)
        JOIN pg_class AS c ON c.oid = t.id JOIN pg_namespace AS n ON n.oid = c.relnamespace
        ORDER BY t.position
    LOOP
        made := tenancy.index_name(member.id, plan_index.columns, plan_index.is_unique);
        IF EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
                   WHERE i.indrelid = member.id AND x.relname = made AND NOT i.indisvalid AND member.relkind = 'r')
        THEN
            sql := format('DROP INDEX CONCURRENTLY %I.%I', member.nspname, made);
            lock := 'SHARE UPDATE EXCLUSIVE'; in_transaction := false;
            explanation := 'An earlier attempt to build this index was interrupted.';
            RETURN NEXT;
        END IF;
        sql := format('CREATE %sINDEX %s%I ON %s%s (%s)', CASE WHEN plan_index.is_unique THEN 'UNIQUE ' ELSE '' END,
            CASE WHEN member.relkind = 'r' THEN 'CONCURRENTLY ' ELSE '' END, made,
            CASE WHEN member.relkind = 'p' THEN 'ONLY ' ELSE '' END, tenancy.qualified_name(member.id),
            tenancy.column_list(plan_index.columns));
        lock := CASE WHEN member.relkind = 'r' THEN 'SHARE UPDATE EXCLUSIVE' ELSE 'SHARE, a moment' END;
        in_transaction := member.relkind = 'p';
        explanation := CASE WHEN plan_index.is_unique THEN 'Foreign keys that include the tenant refer to this key.'
                            ELSE 'Finds the rows of one tenant.' END;
        RETURN NEXT;
    END LOOP;
    FOR member IN
        SELECT c.oid::regclass AS id, n.nspname, i.inhparent::regclass AS parent, pn.nspname AS parent_schema
        FROM tenancy.table_tree(plan_index.relation) WITH ORDINALITY AS t(id, position)
        JOIN pg_inherits AS i ON i.inhrelid = t.id
        JOIN pg_class AS c ON c.oid = t.id AND c.relispartition JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_class AS p ON p.oid = i.inhparent JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
        WHERE t.id <> plan_index.relation
        ORDER BY t.position DESC
    LOOP
        sql := format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I',
            member.parent_schema, tenancy.index_name(member.parent, plan_index.columns, plan_index.is_unique),
            member.nspname, tenancy.index_name(member.id, plan_index.columns, plan_index.is_unique));
        lock := 'ACCESS EXCLUSIVE on the indexes, a moment'; in_transaction := true;
        explanation := 'The partition''s index becomes part of the table''s.';
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.plan_index(regclass, name[], boolean) IS
'The steps that build an index without blocking writers. Internal.';

CREATE FUNCTION tenancy.plan_column(relation regclass, tenant_column name, via name)
RETURNS TABLE (sql text, lock text, in_transaction boolean, explanation text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    table_name text := tenancy.qualified_name(plan_column.relation);
    present boolean := EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = plan_column.relation
                               AND a.attname = plan_column.tenant_column AND NOT a.attisdropped);
    is_nullable boolean := NOT coalesce((SELECT a.attnotnull FROM pg_attribute AS a WHERE a.attrelid = plan_column.relation
                                         AND a.attname = plan_column.tenant_column AND NOT a.attisdropped), false);
    helper boolean;
BEGIN
    IF NOT is_nullable THEN
        RETURN;
    END IF;
    IF plan_column.via IS NOT NULL AND NOT present THEN
        sql := tenancy.tenant_column_command(plan_column.relation, plan_column.tenant_column, plan_column.via);
        lock := 'ACCESS EXCLUSIVE, a moment'; in_transaction := true;
        explanation := 'The tenant column, of the parent''s type.';
        RETURN NEXT;
    END IF;
    IF plan_column.via IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = plan_column.relation AND t.tgname = 'tenancy_fill_via') THEN
            sql := format('CREATE TRIGGER tenancy_fill_via BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION tenancy.fill_null_tenant(%L, %L)',
                          table_name, plan_column.tenant_column, 'when there is a context');
            lock := 'SHARE ROW EXCLUSIVE, a moment'; in_transaction := true;
            explanation := 'New rows get their tenant from the context, where there is one.';
            RETURN NEXT;
        END IF;
        -- By blocks, each read once: a search for unfilled rows would read the filled ones again for each batch.
        IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = plan_column.relation AND c.relkind = 'r') THEN
            -- A literal: between dollar quotes a table's name could end them.
            sql := format('DO %L', format('BEGIN FOR block IN 0 .. pg_catalog.pg_relation_size(%1$L) / pg_catalog.current_setting(''block_size'')::bigint BY 100 LOOP '
                || 'PERFORM tenancy.fill_tenant_column(%1$L, %2$L, %3$L, block, 100); COMMIT; END LOOP; END',
                table_name, plan_column.tenant_column, plan_column.via));
            lock := 'ROW EXCLUSIVE, 100 blocks at a time'; in_transaction := false;
            explanation := 'Copies the tenant from the parent, a transaction for each batch. May be interrupted and repeated.';
        ELSE
            sql := format('SELECT tenancy.fill_tenant_column(%L, %L, %L)', table_name, plan_column.tenant_column, plan_column.via);
            lock := 'ROW EXCLUSIVE'; in_transaction := true;
            explanation := 'Copies the tenant from the parent, for all partitions at once.';
        END IF;
        RETURN NEXT;
    END IF;
    helper := EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = plan_column.relation AND k.conname = 'tenancy_not_null');
    in_transaction := true;
    IF NOT helper THEN
        sql := format('ALTER TABLE %s ADD CONSTRAINT tenancy_not_null CHECK (%I IS NOT NULL) NOT VALID', table_name, plan_column.tenant_column);
        lock := 'ACCESS EXCLUSIVE, a moment';
        explanation := 'From here on rows without tenant are refused.';
        RETURN NEXT;
    END IF;
    IF plan_column.via IS NOT NULL THEN
        sql := format('SELECT tenancy.fill_tenant_column(%L, %L, %L)', table_name, plan_column.tenant_column, plan_column.via);
        lock := 'ROW EXCLUSIVE';
        explanation := 'Rows that came without tenant before the check was there.';
        RETURN NEXT;
    END IF;
    sql := format('ALTER TABLE %s VALIDATE CONSTRAINT tenancy_not_null', table_name);
    lock := 'SHARE UPDATE EXCLUSIVE';
    explanation := 'Reads the table once; NOT NULL then needs no scan.';
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION tenancy.plan_column(regclass, name, name) IS
'The steps that add, fill and check the tenant column. Internal.';

CREATE FUNCTION tenancy.plan_keys(relation regclass, tenant_column name, key_kind text, harden_keys text)
RETURNS TABLE (sql text, lock text, in_transaction boolean, explanation text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key record;
    indexed text[] := '{}';
    leads boolean := tenancy.index_led_by(plan_keys.relation, plan_keys.tenant_column) IS NOT NULL;
BEGIN
    FOR key IN SELECT * FROM tenancy.foreign_keys_to_harden(plan_keys.relation, plan_keys.tenant_column, plan_keys.key_kind, plan_keys.harden_keys) LOOP
        PERFORM tenancy.refuse_foreign_key(key.constraint_name, key.child, key.parent, key.refused);
        IF tenancy.unique_index_on(key.parent, key.parent_columns) IS NULL
           AND format('%s %s', key.parent, key.parent_columns) <> ALL (indexed)
        THEN
            indexed := indexed || format('%s %s', key.parent, key.parent_columns);
            leads := leads OR key.parent = plan_keys.relation;
            RETURN QUERY SELECT p.* FROM tenancy.plan_index(key.parent, key.parent_columns, true) AS p;
        END IF;
    END LOOP;
    IF plan_keys.harden_keys = 'keys' AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = plan_keys.relation AND c.relkind = 'p') THEN
        FOR key IN SELECT * FROM tenancy.unique_keys_to_harden(plan_keys.relation, plan_keys.tenant_column) LOOP
            IF key.constraint_definition IS NOT NULL AND key.columns IS NOT NULL
               AND format('%s %s', plan_keys.relation, plan_keys.tenant_column || key.columns) <> ALL (indexed)
               AND tenancy.unique_index_on(plan_keys.relation, plan_keys.tenant_column || key.columns) IS NULL
            THEN
                leads := true;
                RETURN QUERY SELECT p.sql, p.lock, p.in_transaction, 'Takes the place of unique key ' || quote_ident(key.key_name) || '.'
                    FROM tenancy.plan_index(plan_keys.relation, plan_keys.tenant_column || key.columns, true) AS p;
            ELSIF key.constraint_definition IS NULL AND NOT EXISTS (
                SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                WHERE i.indrelid = key.owner_table AND c.relname = tenancy.prepared_key_name(key.key_name))
            THEN
                leads := true;
                sql := format('CREATE UNIQUE INDEX CONCURRENTLY %I ON %s USING btree (%I, %s',
                    tenancy.prepared_key_name(key.key_name), tenancy.qualified_name(key.owner_table), plan_keys.tenant_column,
                    tenancy.index_definition_rest(key.owner_table, key.key_name, key.index_definition));
                lock := 'SHARE UPDATE EXCLUSIVE'; in_transaction := false;
                explanation := 'Takes the place of unique index ' || quote_ident(key.key_name) || '.';
                RETURN NEXT;
            END IF;
        END LOOP;
    END IF;
    IF NOT leads THEN
        RETURN QUERY SELECT p.* FROM tenancy.plan_index(plan_keys.relation, ARRAY[plan_keys.tenant_column], false) AS p;
    END IF;
    FOR key IN SELECT * FROM tenancy.foreign_keys_to_harden(plan_keys.relation, plan_keys.tenant_column, plan_keys.key_kind, plan_keys.harden_keys) LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_class AS c WHERE c.oid = key.child AND c.relkind = 'p');
        IF NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = key.child AND k.conname = tenancy.prepared_key_name(key.constraint_name)) THEN
            sql := format('ALTER TABLE %s ADD CONSTRAINT %I %s%s', tenancy.qualified_name(key.child),
                tenancy.prepared_key_name(key.constraint_name), key.new_definition,
                CASE WHEN key.new_definition LIKE '% NOT VALID' THEN '' ELSE ' NOT VALID' END);
            lock := 'SHARE ROW EXCLUSIVE on both tables, a moment'; in_transaction := true;
            explanation := 'The foreign key with the tenant, enforced for new rows. It takes the old one''s name at the end.';
            RETURN NEXT;
        END IF;
        sql := format('ALTER TABLE %s VALIDATE CONSTRAINT %I', tenancy.qualified_name(key.child), tenancy.prepared_key_name(key.constraint_name));
        lock := 'SHARE UPDATE EXCLUSIVE, ROW SHARE on the parent'; in_transaction := true;
        explanation := format('Reads both tables. If it fails, find the rows with: %s', key.violation_query);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.plan_keys(regclass, name, text, text) IS
'The steps that build indexes and foreign keys beforehand. Internal.';

CREATE FUNCTION tenancy.protect_plan(
    relation regclass,
    tenant_column name DEFAULT 'tenant_id',
    via name DEFAULT NULL,
    harden_keys text DEFAULT 'references',
    fill_null boolean DEFAULT false,
    owner regrole DEFAULT NULL,
    existing_policies text DEFAULT 'refuse',
    format text DEFAULT 'sql')
RETURNS TABLE (step integer, sql text, lock text, in_transaction boolean, explanation text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER -- reads the record of protected tables
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text;
BEGIN
    PERFORM tenancy.require_table_rights(protect_plan.relation);
    PERFORM tenancy.check_protect_options(protect_plan.harden_keys, protect_plan.existing_policies);
    IF protect_plan.format IS DISTINCT FROM 'sql' THEN
        RAISE EXCEPTION 'plan format "%" does not exist', protect_plan.format USING ERRCODE = '22023',
            HINT = 'The format is sql: one statement for each step, for psql or the raw SQL of a migration framework.';
    END IF;
    PERFORM tenancy.check_protectable(protect_plan.relation);
    IF protect_plan.via IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = protect_plan.relation AND a.attname = protect_plan.tenant_column AND NOT a.attisdropped)
    THEN
        SELECT k.parent_kind INTO kind FROM tenancy.via_key(protect_plan.relation, protect_plan.via) AS k;
    ELSE
        kind := tenancy.key_kind_of(protect_plan.relation, protect_plan.tenant_column);
    END IF;
    RETURN QUERY
        WITH planned AS (
            SELECT 1 AS part, 'SET lock_timeout = ''2s'''::text AS sql, 'none'::text AS lock, true AS in_transaction,
                   'No step makes others queue behind it for longer. Repeat a step that fails with 55P03; plan again after an interruption.'::text AS explanation
            UNION ALL SELECT 2, p.* FROM tenancy.plan_column(protect_plan.relation, protect_plan.tenant_column, protect_plan.via) AS p
            UNION ALL SELECT 3, p.* FROM tenancy.plan_keys(protect_plan.relation, protect_plan.tenant_column, kind, protect_plan.harden_keys) AS p
            UNION ALL SELECT 4, pg_catalog.format(
                'SELECT tenancy.protect(%L, tenant_column => %L%s, harden_keys => %L%s%s, existing_policies => %L)',
                tenancy.qualified_name(protect_plan.relation), protect_plan.tenant_column,
                CASE WHEN protect_plan.via IS NOT NULL THEN ', via => ' || quote_literal(protect_plan.via) ELSE '' END,
                protect_plan.harden_keys,
                CASE WHEN protect_plan.fill_null THEN ', fill_null => true' ELSE '' END,
                CASE WHEN protect_plan.owner IS NOT NULL THEN ', owner => ' || quote_literal(protect_plan.owner::text) ELSE '' END,
                protect_plan.existing_policies),
                'ACCESS EXCLUSIVE, a moment', true,
                'Puts the prepared parts in place, row security last. From here on every query needs a context.'
            UNION ALL SELECT 5, 'RESET lock_timeout', 'none', true, 'As before.')
        SELECT (row_number() OVER ())::integer, p.sql, p.lock, p.in_transaction, p.explanation
        FROM (SELECT * FROM planned AS q WHERE q.sql IS NOT NULL) AS p;
END
$$;
COMMENT ON FUNCTION tenancy.protect_plan(regclass, name, name, text, boolean, regrole, text, text) IS
'The steps that protect a live table, as one SQL statement each, with the lock it takes and whether it may run inside a transaction: indexes are built concurrently, checks and foreign keys are added NOT VALID and validated, rows are filled in batches, and protect() comes last, finding nothing slow left to do. Run them in order, each by itself, as the table''s owner or a superuser. Planning again after an interruption leaves out what is done. Parameters as for protect(). Foreign keys of partitioned tables cannot be prepared and are validated inside protect(). Errors: as for protect().';
