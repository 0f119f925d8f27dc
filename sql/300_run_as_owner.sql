-- Work on users' tables as their owners, and what the catalog says about protection. The C
-- functions are in pg_extension/src/isolation.

CREATE FUNCTION tenancy.run_as_owner(relation regclass, command text, tenant uuid DEFAULT NULL, no_force boolean DEFAULT false)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tenancy_run_as_owner';
COMMENT ON FUNCTION tenancy.run_as_owner(regclass, text, uuid, boolean) IS
'Runs SQL as the owner of the relation in a security-restricted operation, with search_path pg_catalog, pg_temp, and returns the rows processed (of a query with one bigint as result: that number). With tenant it runs in the context of that tenant, whatever its state; with no_force the owner sees all rows. Constraints are IMMEDIATE afterwards. Internal: no role may call it.';

CREATE FUNCTION tenancy.run_as_role(role oid, command text, tenant uuid)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT
AS 'MODULE_PATHNAME', 'tenancy_run_as_role';
COMMENT ON FUNCTION tenancy.run_as_role(oid, text, uuid) IS
'As tenancy.run_as_owner(), as a role and in the context of a tenant, whatever its state. Internal: no role may call it.';

CREATE FUNCTION tenancy.run_function_as_owner(function regprocedure, tenant uuid)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT
AS 'MODULE_PATHNAME', 'tenancy_run_function_as_owner';
COMMENT ON FUNCTION tenancy.run_function_as_owner(regprocedure, uuid) IS
'Calls a user''s function, which takes nothing or the tenant''s id, as its owner in a security-restricted operation and in the context of the tenant, whatever its state. Internal: no role may call it.';

CREATE FUNCTION tenancy.internal_ddl_runs()
RETURNS boolean
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tenancy_internal_ddl_runs';
COMMENT ON FUNCTION tenancy.internal_ddl_runs() IS
'Whether a DDL command of the extension''s own runs now, which the DDL rules let pass. Internal.';

CREATE FUNCTION tenancy.protection(relation regclass, OUT tenant_column name, OUT key_kind text, OUT complete boolean, OUT shared boolean)
LANGUAGE c STABLE PARALLEL SAFE STRICT
AS 'MODULE_PATHNAME', 'tenancy_protection';
COMMENT ON FUNCTION tenancy.protection(regclass) IS
'What the catalog says: the tenant column that a restrictive policy of the relation compares with the context (NULL: not protected), how it names the tenant (uuid, text, bigint, integer), whether all of protect() is in place, and whether share() was called for it.';

CREATE FUNCTION tenancy.fill_null_tenant()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tenancy_fill_null_tenant';
COMMENT ON FUNCTION tenancy.fill_null_tenant() IS
'Trigger, BEFORE INSERT for each row, argument: the tenant column. Replaces an explicit NULL by the tenant of the context, for ORMs that insert every column; with any second argument only when there is a context.';

CREATE FUNCTION tenancy.qualified_name(relation regclass)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = qualified_name.relation
$$;
COMMENT ON FUNCTION tenancy.qualified_name(regclass) IS
'The relation''s name with its schema, quoted, whatever the search_path. Internal.';

CREATE FUNCTION tenancy.require_own_account()
RETURNS void
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tenancy_require_own_account';
COMMENT ON FUNCTION tenancy.require_own_account() IS
'Raises 42501 in a security-restricted operation: there, code of a table''s owner runs for somebody else, whose rights are not for it to use. Internal.';

CREATE FUNCTION tenancy.require_table_rights(relation regclass)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    table_owner oid := (SELECT relowner FROM pg_class WHERE oid = require_table_rights.relation);
BEGIN
    PERFORM tenancy.require_own_account();
    IF table_owner IS NULL THEN
        RAISE EXCEPTION 'relation with OID % does not exist', require_table_rights.relation::oid
            USING ERRCODE = '42P01', HINT = 'Name an existing table.';
    END IF;
    IF NOT pg_has_role(tenancy.outer_role(), table_owner, 'USAGE') THEN
        PERFORM tenancy.require_operator('admin');
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.require_table_rights(regclass) IS
'Raises 42501 unless the caller owns the table or is an operator of kind admin. Internal.';

-- The relation and everything below it: partitions and inheritance children, parents first.
CREATE FUNCTION tenancy.table_tree(relation regclass)
RETURNS SETOF regclass
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE tree(id, depth) AS (
        SELECT table_tree.relation::oid, 0
        UNION
        SELECT i.inhrelid, tree.depth + 1
        FROM pg_inherits AS i JOIN tree ON i.inhparent = tree.id
    )
    SELECT id::regclass FROM tree GROUP BY id ORDER BY min(depth), id
$$;
COMMENT ON FUNCTION tenancy.table_tree(regclass) IS
'The table with all its partitions and inheritance children, parents first. Internal.';

-- The protected table that a relation is or belongs to as a partition.
CREATE FUNCTION tenancy.protected_root(relation regclass)
RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE ancestry(id, depth) AS (
        SELECT protected_root.relation::oid, 0
        UNION
        SELECT i.inhparent, ancestry.depth + 1
        FROM pg_inherits AS i JOIN ancestry ON i.inhrelid = ancestry.id
    )
    SELECT p.relation
    FROM ancestry AS a JOIN tenancy.protected_table AS p ON p.relation = a.id::regclass
    ORDER BY a.depth DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION tenancy.protected_root(regclass) IS
'The row of tenancy.protected_table that stands for the relation: its own or that of the table it is a partition of; NULL for an unprotected one. Internal.';

-- Which cluster, database and installation of the extension a row was written in: after a restore, also
-- into the same database, it differs.
CREATE FUNCTION tenancy.installation()
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s/%s/%s', (SELECT system_identifier FROM pg_control_system()),
                  (SELECT oid FROM pg_database WHERE datname = current_database()),
                  (SELECT oid FROM pg_extension WHERE extname = 'tenancy'))
$$;
COMMENT ON FUNCTION tenancy.installation() IS
'Names this installation: cluster, database and extension; differs in a copy and after a restore. Internal.';

-- A relation in the record of what to undo: its name survives a dump and restore, its OID a renaming.
CREATE FUNCTION tenancy.relation_id(relation regclass)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenancy.installation() || ':' || relation_id.relation::oid $$;
COMMENT ON FUNCTION tenancy.relation_id(regclass) IS
'The OID of a relation with the database it is valid in. Internal.';

CREATE FUNCTION tenancy.recorded_relation(name text, id text)
RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT c.oid::regclass FROM pg_class AS c
         WHERE split_part(recorded_relation.id, ':', 1) = tenancy.installation()
           AND c.oid = split_part(recorded_relation.id, ':', 2)::oid),
        to_regclass(recorded_relation.name))
$$;
COMMENT ON FUNCTION tenancy.recorded_relation(text, text) IS
'The relation that was recorded by name and relation_id(); NULL when it is gone. Internal.';

-- Every change to a user's table is made here, together with the record of how to undo it. A
-- command is before || name of target || after; without after it is before alone.
CREATE FUNCTION tenancy.change_table(
    relation regclass, target regclass, before text, after text,
    undo_before text, undo_after text, no_force boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF change_table.before IS NOT NULL THEN
        PERFORM tenancy.run_as_owner(
            change_table.target,
            change_table.before || coalesce(tenancy.qualified_name(change_table.target) || change_table.after, ''),
            no_force => change_table.no_force);
    END IF;
    IF change_table.undo_before IS NULL THEN
        RETURN;
    END IF;
    UPDATE tenancy.protected_table AS p
    SET undo = jsonb_set(p.undo, '{steps}', coalesce(p.undo -> 'steps', '[]') || jsonb_build_array(
        jsonb_strip_nulls(jsonb_build_object(
            'on', CASE WHEN change_table.target <> change_table.relation
                       THEN tenancy.qualified_name(change_table.target) END,
            'on_id', CASE WHEN change_table.target <> change_table.relation
                          THEN tenancy.relation_id(change_table.target) END,
            'before', change_table.undo_before,
            'after', change_table.undo_after))))
    WHERE p.relation = change_table.relation;
END
$$;
COMMENT ON FUNCTION tenancy.change_table(regclass, regclass, text, text, text, text, boolean) IS
'Runs a command on target as its owner and records its inverse in the undo of relation, for unprotect. Internal.';
