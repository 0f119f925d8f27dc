-- What can be a tenant column, and which functions speak for its type.

CREATE FUNCTION tenancy.key_kind_of(relation regclass, tenant_column name)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    described record;
BEGIN
    SELECT a.atttypid, a.attgenerated, a.attidentity, c.collisdeterministic,
           format_type(a.atttypid, a.atttypmod) AS type_name
    INTO described
    FROM pg_attribute AS a LEFT JOIN pg_collation AS c ON c.oid = a.attcollation
    WHERE a.attrelid = key_kind_of.relation AND a.attname = key_kind_of.tenant_column
      AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', key_kind_of.tenant_column, key_kind_of.relation
            USING ERRCODE = '42703',
                  HINT = 'Name the column that holds the tenant with tenant_column, or use via for a child table that has none.';
    END IF;
    IF described.attgenerated <> '' OR described.attidentity <> '' THEN
        RAISE EXCEPTION 'tenant column "%" of "%" must not be generated', key_kind_of.tenant_column, key_kind_of.relation
            USING ERRCODE = '0A000', HINT = 'Its value comes from the context.';
    END IF;
    IF NOT coalesce(described.collisdeterministic, true) THEN
        RAISE EXCEPTION 'tenant column "%" of "%" has a non-deterministic collation', key_kind_of.tenant_column, key_kind_of.relation
            USING ERRCODE = '0A000',
                  DETAIL = 'Two tenants whose names differ would compare as equal.',
                  HINT = 'Give the column a deterministic collation, such as "C".';
    END IF;
    CASE described.atttypid
        WHEN 'uuid'::regtype THEN RETURN 'uuid';
        WHEN 'bigint'::regtype THEN RETURN 'bigint';
        WHEN 'integer'::regtype THEN RETURN 'integer';
        WHEN 'text'::regtype, 'varchar'::regtype THEN RETURN 'text';
        ELSE
            RAISE EXCEPTION 'tenant column "%" of "%" is of type %', key_kind_of.tenant_column, key_kind_of.relation, described.type_name
                USING ERRCODE = '0A000',
                      DETAIL = 'A tenant column is of type uuid, bigint, integer, text or varchar: other types compare different texts as equal.',
                      HINT = 'Change the type of the column first.';
    END CASE;
END
$$;
COMMENT ON FUNCTION tenancy.key_kind_of(regclass, name) IS
'How a tenant column names the tenant: uuid (the id), bigint, integer or text (the external id). Raises 42703 for a missing column, 0A000 for a type or collation that cannot tell tenants apart. Internal.';

CREATE FUNCTION tenancy.context_function(prefix text, key_kind text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('tenancy.%s_tenant_%s()', context_function.prefix,
        CASE context_function.key_kind
            WHEN 'uuid' THEN 'id' WHEN 'text' THEN 'external_id'
            WHEN 'bigint' THEN 'external_bigint' WHEN 'integer' THEN 'external_integer' END)
$$;
COMMENT ON FUNCTION tenancy.context_function(text, text) IS
'The call that gives the tenant of the context as a key of this kind; prefix is current or default. Internal.';

-- A query on a parent reads its children's rows by the parent's policies alone, also where a child has others.
CREATE FUNCTION tenancy.open_parents(relation regclass)
RETURNS TABLE (child regclass, parent regclass)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH family AS (SELECT id FROM tenancy.table_tree(open_parents.relation) AS t(id))
    SELECT i.inhrelid::regclass, i.inhparent::regclass
    FROM pg_inherits AS i JOIN family AS f ON f.id = i.inhrelid
    WHERE i.inhparent NOT IN (SELECT id FROM family) AND (tenancy.protection(i.inhparent)).tenant_column IS NULL
    ORDER BY i.inhrelid, i.inhseqno
$$;
COMMENT ON FUNCTION tenancy.open_parents(regclass) IS
'The unprotected parents, outside its own tree, of a table and of what is below it. Internal.';

-- What cannot be protected at all is refused before anything is changed.
CREATE FUNCTION tenancy.check_protectable(relation regclass)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member record;
    shown record;
BEGIN
    FOR member IN
        SELECT c.oid::regclass AS id, c.relkind, c.relpersistence, n.nspname
        FROM tenancy.table_tree(check_protectable.relation) AS t(id)
        JOIN pg_class AS c ON c.oid = t.id JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LOOP
        IF member.relkind NOT IN ('r', 'p') THEN
            RAISE EXCEPTION '"%" is not a table', member.id
                USING ERRCODE = '42809',
                      HINT = 'Row security protects tables and partitioned tables. Foreign tables cannot have it; a view needs security_invoker over protected tables.';
        END IF;
        IF member.relpersistence = 't' OR member.nspname IN ('pg_catalog', 'information_schema', 'tenancy') THEN
            RAISE EXCEPTION '"%" cannot be protected', member.id
                USING ERRCODE = '0A000', DETAIL = 'It is temporary or belongs to the system.',
                      HINT = 'Protect a permanent table of a schema of your own.';
        END IF;
    END LOOP;
    SELECT o.* INTO shown FROM tenancy.open_parents(check_protectable.relation) AS o LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is a child of unprotected table "%"', shown.child, shown.parent
            USING ERRCODE = '55000',
                  DETAIL = 'Queries on the parent would read the child''s rows without its policies.',
                  HINT = 'Protect the parent: its children are protected with it.';
    END IF;
    IF EXISTS (SELECT FROM tenancy.shared_table AS x WHERE x.relation = check_protectable.relation) THEN
        RAISE EXCEPTION '"%" is a shared table', check_protectable.relation
            USING ERRCODE = '55000', HINT = 'Use tenancy.unshare() first.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_protectable(regclass) IS
'Raises when the relation is no table (42809), belongs to the system (0A000), is a child of an unprotected parent or a shared table (55000). Internal.';

-- Work on a table runs with its owner's rights, and so does code attached to the table, whoever wrote it.
CREATE FUNCTION tenancy.foreign_code(relation regclass, owner oid)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH family AS (SELECT id FROM tenancy.table_tree(foreign_code.relation) AS t(id)),
    attached(class_id, id) AS (
        SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger AS t JOIN family AS f ON f.id = t.tgrelid WHERE NOT t.tgisinternal
        UNION ALL SELECT 'pg_constraint', k.oid FROM pg_constraint AS k JOIN family AS f ON f.id = k.conrelid
        UNION ALL SELECT 'pg_attrdef', d.oid FROM pg_attrdef AS d JOIN family AS f ON f.id = d.adrelid
        UNION ALL SELECT 'pg_rewrite', r.oid FROM pg_rewrite AS r JOIN family AS f ON f.id = r.ev_class
        UNION ALL SELECT 'pg_policy', p.oid FROM pg_policy AS p JOIN family AS f ON f.id = p.polrelid
        UNION ALL SELECT 'pg_class', i.indexrelid FROM pg_index AS i JOIN family AS f ON f.id = i.indrelid)
    SELECT string_agg(DISTINCT p.oid::regprocedure::text, ', ')
    FROM attached AS a
    JOIN pg_depend AS d ON d.classid = a.class_id AND d.objid = a.id AND d.refclassid = 'pg_proc'::regclass
    JOIN pg_proc AS p ON p.oid = d.refobjid
    JOIN pg_authid AS o ON o.oid = p.proowner
    WHERE p.proowner <> foreign_code.owner AND NOT o.rolsuper
$$;
COMMENT ON FUNCTION tenancy.foreign_code(regclass, oid) IS
'Functions in triggers, rules, checks, defaults, policies and indexes of the table and its partitions that belong neither to this owner nor to a superuser; NULL when there are none. Internal.';

CREATE FUNCTION tenancy.check_attached_code(relation regclass, owner oid)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    functions text := tenancy.foreign_code(check_attached_code.relation, check_attached_code.owner);
BEGIN
    IF functions IS NULL THEN
        RETURN;
    END IF;
    IF (SELECT a.rolsuper FROM pg_authid AS a WHERE a.oid = check_attached_code.owner) THEN
        RAISE EXCEPTION 'table "%" of a superuser runs functions of ordinary roles', check_attached_code.relation
            USING ERRCODE = '55000', DETAIL = format('They would run as superuser when tenants are erased: %s.', functions),
                  HINT = 'Give the table to an ordinary role, or the functions to the table''s owner.';
    END IF;
    RAISE WARNING 'table "%" runs functions that its owner % does not own: %', check_attached_code.relation,
            pg_get_userbyid(check_attached_code.owner), functions
        USING HINT = 'Whoever owns these functions has the rights of the table''s owner.';
END
$$;
COMMENT ON FUNCTION tenancy.check_attached_code(regclass, oid) IS
'Refuses (55000) a table of a superuser that carries functions of ordinary roles, and warns of functions that belong neither to the owner nor to a superuser. Internal.';
