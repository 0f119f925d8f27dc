-- tenancy.protect(): one call for each table.

-- The foreign key by which a table without tenant column finds its tenant.
CREATE FUNCTION tenancy.via_key(relation regclass, via name)
RETURNS TABLE (parent regclass, parent_column name, parent_kind text, join_condition text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    root regclass;
    child_owner oid := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = via_key.relation);
BEGIN
    SELECT k.confrelid::regclass, (
        SELECT string_agg(format('p.%I = c.%I', x.a, x.b), ' AND ')
        FROM unnest(tenancy.column_names(k.confrelid, k.confkey), tenancy.column_names(k.conrelid, k.conkey)) AS x(a, b))
    INTO parent, join_condition
    FROM pg_constraint AS k
    WHERE k.conrelid = via_key.relation AND k.contype = 'f' AND k.conparentid = 0
      AND via_key.via = ANY (tenancy.column_names(k.conrelid, k.conkey))
    ORDER BY cardinality(k.conkey), k.conname
    LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of "%" is no foreign key', via_key.via, via_key.relation
            USING ERRCODE = '42704', HINT = 'Name the column that refers to the protected parent table.';
    END IF;
    root := tenancy.protected_root(parent);
    SELECT p.tenant_column, p.key_kind INTO parent_column, parent_kind
    FROM tenancy.protected_table AS p WHERE p.relation = root;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the parent "%" of "%" is not protected', parent, via_key.relation
            USING ERRCODE = '55000', HINT = 'Protect the parent first.';
    END IF;
    IF NOT pg_has_role(child_owner, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = parent), 'USAGE') THEN
        RAISE EXCEPTION 'the owner of "%" does not own its parent "%"', via_key.relation, parent
            USING ERRCODE = '42501',
                  DETAIL = 'The tenants of the rows are read from the parent as the owner of the child.',
                  HINT = 'Give both tables one owner, or add and fill the tenant column yourself and protect without via.';
    END IF;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION tenancy.via_key(regclass, name) IS
'The protected parent a table refers to by column via, and how to join it as p to the child c. Internal.';

CREATE FUNCTION tenancy.tenant_column_command(relation regclass, tenant_column name, via name)
RETURNS text
LANGUAGE sql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('ALTER TABLE %s ADD COLUMN %I %s%s', tenancy.qualified_name(tenant_column_command.relation),
        tenant_column_command.tenant_column, format_type(a.atttypid, a.atttypmod),
        (SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
         FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
         WHERE c.oid = a.attcollation AND c.collname <> 'default'))
    FROM tenancy.via_key(tenant_column_command.relation, tenant_column_command.via) AS k
    JOIN pg_attribute AS a ON a.attrelid = k.parent AND a.attname = k.parent_column
$$;
COMMENT ON FUNCTION tenancy.tenant_column_command(regclass, name, name) IS
'The command that adds a tenant column of the parent''s type and collation to a child table. Internal.';

CREATE FUNCTION tenancy.fill_tenant_column(relation regclass, tenant_column name, via name,
                                           first_block bigint DEFAULT NULL, blocks integer DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- runs the UPDATE as the table's owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key record;
BEGIN
    PERFORM tenancy.require_table_rights(fill_tenant_column.relation);
    SELECT * INTO key FROM tenancy.via_key(fill_tenant_column.relation, fill_tenant_column.via);
    RETURN tenancy.run_as_owner(fill_tenant_column.relation, format(
        'UPDATE %1$s AS c SET %2$I = p.%3$I FROM %4$s AS p WHERE %5$s AND c.%2$I IS NULL%6$s',
        tenancy.qualified_name(fill_tenant_column.relation), fill_tenant_column.tenant_column, key.parent_column,
        tenancy.qualified_name(key.parent), key.join_condition,
        CASE WHEN fill_tenant_column.blocks IS NULL THEN ''
             ELSE format(' AND c.ctid >= ''(%s,0)''::tid AND c.ctid < ''(%s,0)''::tid', fill_tenant_column.first_block,
                         fill_tenant_column.first_block + fill_tenant_column.blocks) END),
        no_force => true);
END
$$;
COMMENT ON FUNCTION tenancy.fill_tenant_column(regclass, name, name, bigint, integer) IS
'Copies the tenant from the parent that via refers to into rows whose tenant column is NULL, in all of the table or in so many blocks from first_block on, and returns how many. The table''s triggers fire, as its owner. For its owner and operators of kind admin.';

CREATE FUNCTION tenancy.require_filled(relation regclass, tenant_column name)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    empty bigint;
BEGIN
    empty := tenancy.run_as_owner(require_filled.relation, format('SELECT count(*) FROM %s WHERE %I IS NULL',
        tenancy.qualified_name(require_filled.relation), require_filled.tenant_column), no_force => true);
    IF empty > 0 THEN
        RAISE EXCEPTION 'column "%" of "%" is NULL in % rows', require_filled.tenant_column, require_filled.relation, empty
            USING ERRCODE = '23502',
                  DETAIL = 'A protected row belongs to exactly one tenant.',
                  HINT = 'Fill the column, or delete these rows, or move them to a table of their own and use tenancy.share() for it.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.require_filled(regclass, name) IS
'Raises 23502 with the number of rows that have no tenant. Internal.';

CREATE FUNCTION tenancy.require_not_null(relation regclass, tenant_column name)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    helper boolean := EXISTS (SELECT FROM pg_constraint AS k
        WHERE k.conrelid = require_not_null.relation AND k.conname = 'tenancy_not_null' AND k.contype = 'c');
BEGIN
    IF EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = require_not_null.relation
               AND a.attname = require_not_null.tenant_column AND NOT a.attnotnull)
    THEN
        IF NOT helper THEN
            PERFORM tenancy.require_filled(require_not_null.relation, require_not_null.tenant_column);
        END IF;
        PERFORM tenancy.change_table(require_not_null.relation, require_not_null.relation,
            'ALTER TABLE ', format(' ALTER COLUMN %I SET NOT NULL', require_not_null.tenant_column),
            'ALTER TABLE ', format(' ALTER COLUMN %I DROP NOT NULL', require_not_null.tenant_column));
    END IF;
    IF helper THEN
        PERFORM tenancy.run_as_owner(require_not_null.relation, format('ALTER TABLE %s DROP CONSTRAINT tenancy_not_null',
            tenancy.qualified_name(require_not_null.relation)));
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.require_not_null(regclass, name) IS
'Makes the tenant column NOT NULL; the validated check tenancy_not_null that protect_plan() adds spares the scan. Internal.';

CREATE FUNCTION tenancy.add_fill_trigger(relation regclass, tenant_column name)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = add_fill_trigger.relation AND t.tgname = 'tenancy_fill_null') THEN
        PERFORM tenancy.change_table(add_fill_trigger.relation, add_fill_trigger.relation,
            'CREATE TRIGGER tenancy_fill_null BEFORE INSERT ON ',
            format(' FOR EACH ROW EXECUTE FUNCTION tenancy.fill_null_tenant(%L)', add_fill_trigger.tenant_column),
            'DROP TRIGGER IF EXISTS tenancy_fill_null ON ', '');
        PERFORM tenancy.run_as_owner(add_fill_trigger.relation, format('ALTER TABLE %s ENABLE ALWAYS TRIGGER tenancy_fill_null',
            tenancy.qualified_name(add_fill_trigger.relation)));
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.add_fill_trigger(regclass, name) IS
'Adds the trigger that replaces an explicit NULL tenant. Internal.';

CREATE FUNCTION tenancy.check_protect_options(harden_keys text, existing_policies text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF check_protect_options.harden_keys IS NULL OR check_protect_options.harden_keys NOT IN ('references', 'keys', 'off') THEN
        RAISE EXCEPTION 'harden_keys must be references, keys or off'
            USING ERRCODE = '22023', HINT = 'references changes foreign keys only, keys also natural unique keys.';
    END IF;
    IF check_protect_options.existing_policies IS NULL OR check_protect_options.existing_policies NOT IN ('refuse', 'keep', 'replace') THEN
        RAISE EXCEPTION 'existing_policies must be refuse, keep or replace' USING ERRCODE = '22023',
            HINT = 'keep leaves the table''s own policies in force within a tenant; replace drops them until unprotect.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_protect_options(text, text) IS 'Raises 22023 for options that do not exist. Internal.';

CREATE FUNCTION tenancy.require_moving_snapshot()
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'a table cannot be protected in a % transaction', upper(current_setting('transaction_isolation'))
            USING ERRCODE = '25001',
                  DETAIL = 'Its snapshot would hide a partition that was made meanwhile, which would stay unprotected.',
                  HINT = 'Begin with SET TRANSACTION ISOLATION LEVEL READ COMMITTED.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.require_moving_snapshot() IS
'Raises 25001 in a transaction that sees one moment only. Internal.';

-- Moving a table to a role that nobody logs in as takes an operator: its owner could name anybody.
CREATE FUNCTION tenancy.give_table(relation regclass, owner regrole)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member regclass;
    old_owner text;
    schema_name name := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                         WHERE c.oid = give_table.relation);
BEGIN
    -- The table's triggers run with the rights of its owner.
    IF NOT pg_has_role(tenancy.outer_role(), give_table.owner, 'MEMBER') THEN
        RAISE EXCEPTION 'permission denied to give a table to role "%"', give_table.owner
            USING ERRCODE = '42501', DETAIL = 'The code of the table would run with the rights of that role.',
                  HINT = 'Only its members can, and superusers.';
    END IF;
    IF (SELECT a.rolsuper FROM pg_roles AS a WHERE a.oid = give_table.owner) THEN
        RAISE EXCEPTION 'superuser "%" cannot be made the owner of a protected table', give_table.owner
            USING ERRCODE = '42501', DETAIL = 'The code of the table would run with the rights of a superuser.',
                  HINT = 'Create a role for it, without LOGIN.';
    END IF;
    IF NOT has_schema_privilege(give_table.owner, schema_name, 'USAGE') THEN
        RAISE EXCEPTION 'role "%" cannot own a table in schema "%"', give_table.owner, schema_name
            USING ERRCODE = '55000', DETAIL = 'Foreign keys are checked as the owner of the table, who needs USAGE on its schema.',
                  HINT = format('GRANT USAGE ON SCHEMA %I TO %s first.', schema_name, give_table.owner);
    END IF;
    FOR member, old_owner IN
        SELECT c.oid::regclass, quote_ident(pg_get_userbyid(c.relowner))
        FROM tenancy.table_tree(give_table.relation) AS t(id) JOIN pg_class AS c ON c.oid = t.id
        WHERE c.relowner <> give_table.owner::oid
    LOOP
        -- As superuser: no code of the table runs in a change of owner.
        EXECUTE format('ALTER TABLE %s OWNER TO %s', tenancy.qualified_name(member), quote_ident(pg_get_userbyid(give_table.owner)));
        UPDATE tenancy.protected_table AS p
        SET undo = jsonb_set(p.undo, '{owners}', coalesce(p.undo -> 'owners', '[]')
                   || jsonb_build_array(jsonb_build_object('on', tenancy.qualified_name(member), 'on_id', tenancy.relation_id(member), 'owner', old_owner)))
        WHERE p.relation = give_table.relation;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.give_table(regclass, regrole) IS
'Makes a role the owner of a table and its partitions; unprotect gives it back. Internal.';

CREATE FUNCTION tenancy.protect(
    relation regclass,
    tenant_column name DEFAULT 'tenant_id',
    via name DEFAULT NULL,
    harden_keys text DEFAULT 'references',
    fill_null boolean DEFAULT false,
    owner regrole DEFAULT NULL,
    existing_policies text DEFAULT 'refuse')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- reads the registry; what it does to the table it does as the owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text;
    child regclass;
    column_added boolean := false;
    nothing_slow boolean; -- a plan has prepared all
BEGIN
    PERFORM tenancy.require_table_rights(protect.relation);
    PERFORM tenancy.check_protect_options(protect.harden_keys, protect.existing_policies);
    PERFORM tenancy.require_moving_snapshot();
    IF protect.owner IS NOT NULL THEN
        PERFORM tenancy.require_operator('admin');
    END IF;
    PERFORM tenancy.check_protectable(protect.relation);
    PERFORM tenancy.check_attached_code(protect.relation, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = protect.relation));
    IF protect.owner IS NOT NULL THEN
        PERFORM tenancy.check_attached_code(protect.relation, protect.owner);
    END IF;
    nothing_slow := tenancy.index_led_by(protect.relation, protect.tenant_column) IS NOT NULL
        AND EXISTS (SELECT FROM pg_attribute AS a
                    WHERE a.attrelid = protect.relation AND a.attname = protect.tenant_column
                      AND (a.attnotnull OR EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = a.attrelid
                                                   AND k.conname = 'tenancy_not_null' AND k.convalidated)));
    IF nothing_slow THEN
        -- Before any lock: it reads as many index entries as there are tenants.
        PERFORM tenancy.report_unknown_tenants(protect.relation, protect.tenant_column,
                                               tenancy.key_kind_of(protect.relation, protect.tenant_column));
    END IF;
    -- The strongest lock at once where it is held for a moment: raising it later invites deadlocks with
    -- transactions that read first and then write.
    PERFORM tenancy.run_as_owner(protect.relation, format('LOCK TABLE %s IN %s MODE', tenancy.qualified_name(protect.relation),
        CASE WHEN nothing_slow THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END));
    IF EXISTS (SELECT FROM tenancy.protected_table AS p
               WHERE p.relation = protect.relation AND p.tenant_column <> protect.tenant_column)
    THEN
        RAISE EXCEPTION 'table "%" is protected by another column', protect.relation
            USING ERRCODE = '55000', HINT = 'Use tenancy.unprotect() first.';
    END IF;
    IF protect.via IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = protect.relation
                       AND a.attname = protect.tenant_column AND NOT a.attisdropped)
        THEN
            PERFORM tenancy.run_as_owner(protect.relation,
                tenancy.tenant_column_command(protect.relation, protect.tenant_column, protect.via));
            column_added := true;
        END IF;
    END IF;
    kind := tenancy.key_kind_of(protect.relation, protect.tenant_column);

    INSERT INTO tenancy.protected_table AS p (relation, tenant_column, key_kind, harden_keys, options)
    VALUES (protect.relation, protect.tenant_column, kind, protect.harden_keys,
            jsonb_strip_nulls(jsonb_build_object('via', protect.via, 'fill_null', protect.fill_null,
                'existing_policies', protect.existing_policies, 'installation', tenancy.installation())))
    ON CONFLICT ON CONSTRAINT protected_table_pkey DO UPDATE
    SET harden_keys = excluded.harden_keys, options = p.options || excluded.options;

    IF column_added OR (protect.via IS NOT NULL AND EXISTS (
        SELECT FROM pg_trigger AS t WHERE t.tgrelid = protect.relation AND t.tgname = 'tenancy_fill_via'))
    THEN
        PERFORM tenancy.change_table(protect.relation, protect.relation, NULL, NULL,
            'ALTER TABLE ', format(' DROP COLUMN %I', protect.tenant_column));
    END IF;
    IF protect.via IS NOT NULL THEN
        PERFORM tenancy.run_as_owner(protect.relation, format('DROP TRIGGER IF EXISTS tenancy_fill_via ON %s',
                                                              tenancy.qualified_name(protect.relation)))
        FROM pg_trigger AS t WHERE t.tgrelid = protect.relation AND t.tgname = 'tenancy_fill_via';
        IF EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = protect.relation
                   AND a.attname = protect.tenant_column AND NOT a.attnotnull)
           AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = protect.relation AND k.conname = 'tenancy_not_null')
        THEN
            PERFORM tenancy.fill_tenant_column(protect.relation, protect.tenant_column, protect.via);
        END IF;
    END IF;

    PERFORM tenancy.require_not_null(protect.relation, protect.tenant_column);
    IF protect.harden_keys <> 'off' THEN
        PERFORM tenancy.harden_foreign_keys(protect.relation);
    END IF;
    PERFORM tenancy.harden_unique_keys(p.relation)
    FROM tenancy.protected_table AS p
    WHERE p.harden_keys = 'keys'
      AND (p.relation = protect.relation OR EXISTS (
        SELECT FROM pg_constraint AS k WHERE k.contype = 'f' AND k.confrelid = p.relation AND k.conrelid = protect.relation));
    FOR child IN SELECT id FROM tenancy.table_tree(protect.relation) AS t(id) LOOP
        PERFORM tenancy.ensure_leading_index(child, protect.tenant_column);
    END LOOP;
    IF NOT nothing_slow THEN
        PERFORM tenancy.report_unknown_tenants(protect.relation, protect.tenant_column, kind);
    END IF;
    IF protect.fill_null THEN
        PERFORM tenancy.add_fill_trigger(protect.relation, protect.tenant_column);
    END IF;
    FOR child IN SELECT id FROM tenancy.table_tree(protect.relation) AS t(id) LOOP
        PERFORM tenancy.protect_member(protect.relation, child, protect.tenant_column, kind, protect.existing_policies);
    END LOOP;
    IF protect.owner IS NOT NULL THEN
        PERFORM tenancy.give_table(protect.relation, protect.owner);
    END IF;
    PERFORM tenancy.record_event(NULL, 'protect', jsonb_build_object(
        'table', tenancy.qualified_name(protect.relation), 'tenant_column', protect.tenant_column, 'harden_keys', protect.harden_keys));
END
$$;
COMMENT ON FUNCTION tenancy.protect(regclass, name, name, text, boolean, regrole, text) IS
'Puts a table, with its partitions, under tenant policies, all at once: for tables that are empty or offline; see protect_plan() for live ones. tenant_column is an existing column of type uuid (the tenant''s id), bigint, integer, text or varchar (its external id); with via, the foreign key column of a child table, it is added and filled from the protected parent. harden_keys: references makes foreign keys between protected tables include the tenant, keys also makes natural unique keys unique per tenant, off leaves keys alone. fill_null replaces an explicit NULL tenant on INSERT. owner moves the table to a role (operators only). existing_policies: refuse, keep or replace permissive policies the table has. Everything done to the table is done as its owner. Calling it again completes what is missing. Rows of tenants that are not registered stay, reachable once such a tenant is provisioned, and are reported by a notice. For the owner and operators of kind admin. Errors: 0A000 what cannot be protected, 23502 rows without tenant, 23503 references between tenants, 25001 the transaction''s snapshot is fixed, 42501, 55000.';

CREATE FUNCTION tenancy.protect_descendants(root regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held record;
    child record;
    shown record;
BEGIN
    SELECT r.* INTO held FROM tenancy.protection(protect_descendants.root) AS r;
    SELECT o.* INTO shown FROM tenancy.open_parents(protect_descendants.root) AS o LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" cannot be a child of protected table "%" and of unprotected table "%"', shown.child,
                protect_descendants.root, shown.parent
            USING ERRCODE = 'TN018', DETAIL = 'Queries on the unprotected one would read its rows without its policies.',
                  HINT = 'Protect the other parent first, or inherit from one table alone.';
    END IF;
    FOR child IN
        SELECT c.oid::regclass AS id, c.relkind
        FROM tenancy.table_tree(protect_descendants.root) AS t(id) JOIN pg_class AS c ON c.oid = t.id
        WHERE NOT (tenancy.protection(t.id)).complete
    LOOP
        IF child.relkind NOT IN ('r', 'p') THEN
            RAISE EXCEPTION '"%" cannot be a partition of protected table "%"', child.id, protect_descendants.root
                USING ERRCODE = 'TN018', DETAIL = 'A foreign table cannot have row security.',
                      HINT = 'Keep it apart, behind a view that only trusted roles may read.';
        END IF;
        IF EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = child.id AND a.attname = held.tenant_column AND NOT a.attnotnull) THEN
            PERFORM tenancy.run_as_owner(child.id, format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL',
                tenancy.qualified_name(child.id), held.tenant_column));
        END IF;
        PERFORM tenancy.harden_foreign_keys(child.id);
        PERFORM tenancy.ensure_leading_index(child.id, held.tenant_column);
        PERFORM tenancy.protect_member(coalesce(tenancy.protected_root(protect_descendants.root), protect_descendants.root),
                                       child.id, held.tenant_column, held.key_kind, 'keep');
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.protect_descendants(regclass) IS
'Protects partitions and children of a protected table that are not protected yet, in the command that makes or attaches them. Internal.';
