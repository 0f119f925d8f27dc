-- The second line behind the hooks (src/isolation/ddl.cpp): event triggers that fire always, also under
-- session_replication_role = replica.

CREATE FUNCTION tenancy.guard_is_off()
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenancy.internal_ddl_runs() OR coalesce(current_setting('tenancy.guard', true), 'strict') = 'off' $$;
COMMENT ON FUNCTION tenancy.guard_is_off() IS
'Whether the DDL rules let everything pass now: the extension works itself, or a superuser has set tenancy.guard to off. Internal.';

CREATE FUNCTION tenancy.adds_children(command pg_ddl_command)
RETURNS boolean
LANGUAGE c STABLE PARALLEL UNSAFE STRICT
AS 'MODULE_PATHNAME', 'tenancy_adds_children';
COMMENT ON FUNCTION tenancy.adds_children(pg_ddl_command) IS
'Whether a command of pg_event_trigger_ddl_commands() makes a partition or child of a table, or attaches one. Internal.';

CREATE FUNCTION tenancy.removes_children(command pg_ddl_command)
RETURNS boolean
LANGUAGE c STABLE PARALLEL UNSAFE STRICT
AS 'MODULE_PATHNAME', 'tenancy_removes_children';
COMMENT ON FUNCTION tenancy.removes_children(pg_ddl_command) IS
'Whether a command of pg_event_trigger_ddl_commands() takes a partition or child away from its table. Internal.';

CREATE FUNCTION tenancy.check_ddl_end()
RETURNS event_trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- protects new partitions as their owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed record;
    parent regclass;
BEGIN
    IF tenancy.internal_ddl_runs() THEN
        RETURN;
    END IF;
    FOR changed IN
        SELECT DISTINCT c.objid::regclass AS id, c.command_tag, c.in_extension,
               tenancy.adds_children(c.command) AS adds_children, tenancy.removes_children(c.command) AS removes_children
        FROM pg_event_trigger_ddl_commands() AS c
        WHERE c.classid = 'pg_class'::regclass AND c.object_type IN ('table', 'foreign table')
    LOOP
        IF NOT changed.adds_children THEN
            NULL;
        ELSIF (tenancy.protection(changed.id)).tenant_column IS NOT NULL THEN
            PERFORM tenancy.protect_descendants(changed.id);
        ELSE
            FOR parent IN SELECT i.inhparent FROM pg_inherits AS i
                          WHERE i.inhrelid = changed.id AND (tenancy.protection(i.inhparent)).tenant_column IS NOT NULL LOOP
                PERFORM tenancy.protect_descendants(parent);
            END LOOP;
        END IF;
        IF changed.removes_children THEN
            PERFORM tenancy.adopt_detached(changed.id);
        END IF;
        IF (tenancy.protection(changed.id)).complete THEN
            PERFORM tenancy.notice_simple_keys(changed.id);
        END IF;
        -- What the hooks may have missed.
        IF NOT tenancy.guard_is_off() AND EXISTS (
            SELECT FROM tenancy.protected_table AS p
            WHERE p.relation = tenancy.protected_root(changed.id) AND p.options ->> 'installation' = tenancy.installation())
           AND NOT (tenancy.protection(changed.id)).complete
        THEN
            RAISE EXCEPTION 'the command would open protected table "%"', changed.id
                USING ERRCODE = 'TN018', HINT = 'Use tenancy.unprotect() on the table first.';
        END IF;
        IF changed.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') AND NOT changed.in_extension THEN
            PERFORM tenancy.notice_unprotected(changed.id);
        END IF;
    END LOOP;
    PERFORM tenancy.revoke_on_new_sequences();
END
$$;
COMMENT ON FUNCTION tenancy.check_ddl_end() IS
'Event trigger: protects partitions and children of protected tables in the command that makes or attaches them, and refuses (TN018) a command after which a protected table is no longer protected.';

-- A detached partition stays protected and becomes a table of its own in the record, so that erasing a tenant
-- finds its rows. It takes along what unprotect has to undo on it.
CREATE FUNCTION tenancy.adopt_detached(parent regclass)
RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tenancy.protected_table (relation, tenant_column, key_kind, harden_keys, options, undo)
    SELECT p.polrelid::regclass, r.tenant_column, r.key_kind, root.harden_keys, root.options,
           jsonb_build_object('steps', coalesce((
               SELECT jsonb_agg(s.e - 'on' - 'on_id' ORDER BY s.position)
               FROM jsonb_array_elements(root.undo -> 'steps') WITH ORDINALITY AS s(e, position)
               WHERE s.e ? 'on' AND tenancy.recorded_relation(s.e ->> 'on', s.e ->> 'on_id') = p.polrelid::regclass), '[]'))
    FROM pg_class AS c
    JOIN tenancy.protected_table AS root ON root.relation = tenancy.protected_root(c.oid)
    CROSS JOIN pg_policy AS p
    CROSS JOIN LATERAL tenancy.protection(p.polrelid) AS r
    WHERE c.oid = adopt_detached.parent AND c.relkind = 'p' AND p.polname = 'tenancy_select'
      AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = p.polrelid)
      AND NOT EXISTS (SELECT FROM tenancy.protected_table AS q WHERE q.relation = p.polrelid::regclass)
      AND r.tenant_column IS NOT NULL;
    -- A child that left by NO INHERIT: the command names it, and its former parent no longer does.
    INSERT INTO tenancy.protected_table (relation, tenant_column, key_kind, harden_keys, options)
    SELECT c.oid::regclass, r.tenant_column, r.key_kind, 'references',
           jsonb_build_object('found_by', 'detach', 'installation', tenancy.installation())
    FROM pg_class AS c CROSS JOIN LATERAL tenancy.protection(c.oid) AS r
    WHERE c.oid = adopt_detached.parent AND r.complete AND tenancy.protected_root(c.oid) IS NULL
$$;
COMMENT ON FUNCTION tenancy.adopt_detached(regclass) IS
'Records partitions that were detached from a protected table as protected tables. Internal.';

-- Default privileges give rights on a sequence that a new column brings along, or that is given to one.
CREATE FUNCTION tenancy.revoke_on_new_sequences()
RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT tenancy.revoke_sequence_privileges(tenancy.protected_root(t.id), t.id)
    FROM (SELECT DISTINCT d.refobjid::regclass AS id
          FROM pg_event_trigger_ddl_commands() AS c
          JOIN pg_depend AS d ON d.classid = c.classid AND d.objid = c.objid
          WHERE c.classid = 'pg_class'::regclass AND c.object_type = 'sequence'
            AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) AS t
    WHERE tenancy.protected_root(t.id) IS NOT NULL
$$;
COMMENT ON FUNCTION tenancy.revoke_on_new_sequences() IS
'Revokes what row security does not cover on sequences that the command gave to a protected table. For the event trigger. Internal.';

CREATE FUNCTION tenancy.notice_unprotected(relation regclass)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    column_name name;
BEGIN
    SELECT a.attname INTO column_name
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.oid = notice_unprotected.relation AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
      AND (tenancy.protection(c.oid)).tenant_column IS NULL
      AND a.attname IN (SELECT p.tenant_column FROM tenancy.protected_table AS p)
    LIMIT 1;
    IF FOUND THEN
        RAISE NOTICE 'table "%" has a column "%" like protected tables and is not protected', notice_unprotected.relation, column_name
            USING HINT = format('SELECT tenancy.protect(%L, %L), or tenancy.exempt() with a reason.', notice_unprotected.relation, column_name);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.notice_unprotected(regclass) IS
'A notice for a new table that has a tenant column and no protection. Internal.';

CREATE FUNCTION tenancy.notice_simple_keys(relation regclass)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key record;
BEGIN
    FOR key IN
        SELECT k.* FROM tenancy.protected_table AS p,
            tenancy.foreign_keys_to_harden(p.relation, p.tenant_column, p.key_kind, p.harden_keys) AS k
        WHERE p.relation = tenancy.protected_root(notice_simple_keys.relation)
          AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = k.child
                          AND c.conname = tenancy.prepared_key_name(k.constraint_name)) -- a plan is at work
    LOOP
        RAISE NOTICE 'foreign key "%" of "%" accepts parents of other tenants', key.constraint_name, key.child
            USING HINT = format('SELECT tenancy.protect(%L, ...) again makes it include the tenant.', notice_simple_keys.relation);
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.notice_simple_keys(regclass) IS
'A notice for each foreign key between protected tables that was added without the tenant. Internal.';

CREATE FUNCTION tenancy.check_ddl_drop()
RETURNS event_trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- keeps the records
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dropped record;
BEGIN
    IF NOT tenancy.guard_is_off() THEN
        FOR dropped IN
            SELECT d.object_type, d.address_names[3] AS member, t.id
            FROM pg_event_trigger_dropped_objects() AS d
            CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])) AS id) AS t
            WHERE d.object_type IN ('policy', 'trigger') AND t.id IS NOT NULL
              AND NOT EXISTS (SELECT FROM pg_event_trigger_dropped_objects() AS o
                              WHERE o.classid = 'pg_class'::regclass AND o.objsubid = 0 AND o.objid = t.id)
        LOOP
            CONTINUE WHEN NOT CASE dropped.object_type
                WHEN 'policy' THEN tenancy.is_own_policy(dropped.member) ELSE dropped.member LIKE 'tenancy\_%' END;
            IF tenancy.protected_root(dropped.id) IS NOT NULL OR (tenancy.protection(dropped.id)).tenant_column IS NOT NULL THEN
                RAISE EXCEPTION 'the command would drop % "%" of protected table "%"', dropped.object_type, dropped.member, dropped.id
                    USING ERRCODE = 'TN018', HINT = 'Use tenancy.unprotect() on the table first.';
            END IF;
        END LOOP;
    END IF;
    IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() AS d WHERE d.object_type = 'table') THEN
        PERFORM tenancy.forget_dropped_tables();
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_ddl_drop() IS
'Event trigger: refuses (TN018) to drop a policy or trigger of a protected table that itself stays, also by CASCADE, and forgets tables that are gone.';

CREATE EVENT TRIGGER tenancy_ddl_end ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'CREATE FOREIGN TABLE',
                 'ALTER FOREIGN TABLE', 'ALTER POLICY', 'CREATE POLICY', 'CREATE SCHEMA', 'CREATE SEQUENCE', 'ALTER SEQUENCE')
    EXECUTE FUNCTION tenancy.check_ddl_end();
ALTER EVENT TRIGGER tenancy_ddl_end ENABLE ALWAYS;
CREATE EVENT TRIGGER tenancy_ddl_drop ON sql_drop EXECUTE FUNCTION tenancy.check_ddl_drop();
ALTER EVENT TRIGGER tenancy_ddl_drop ENABLE ALWAYS;
