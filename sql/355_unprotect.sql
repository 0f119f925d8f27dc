-- tenancy.unprotect(): puts back what protect() found.

CREATE FUNCTION tenancy.undo_steps(relation regclass, steps jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    step jsonb;
    target regclass;
BEGIN
    FOR step IN
        SELECT s.e FROM jsonb_array_elements(undo_steps.steps) WITH ORDINALITY AS s(e, position) ORDER BY s.position DESC
    LOOP
        target := CASE WHEN step ? 'on' THEN tenancy.recorded_relation(step ->> 'on', step ->> 'on_id') ELSE undo_steps.relation END;
        IF target IS NOT NULL THEN
            PERFORM tenancy.run_as_owner(target, (step ->> 'before')
                || coalesce(tenancy.qualified_name(target) || (step ->> 'after'), ''));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.undo_steps(regclass, jsonb) IS
'Runs the recorded inverse commands, last first, as the owners of their tables. Internal.';

-- A table that sync() found protected has no record of what it was: its policies go, its keys stay.
CREATE FUNCTION tenancy.strip_policies(relation regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member regclass;
BEGIN
    FOR member IN SELECT id FROM tenancy.table_tree(strip_policies.relation) AS t(id) LOOP
        PERFORM tenancy.run_as_owner(member, format('DROP POLICY %I ON %s', p.polname, tenancy.qualified_name(member)))
        FROM pg_policy AS p WHERE p.polrelid = member AND tenancy.is_own_policy(p.polname);
        PERFORM tenancy.run_as_owner(member, format('DROP TRIGGER %I ON %s', t.tgname, tenancy.qualified_name(member)))
        FROM pg_trigger AS t WHERE t.tgrelid = member AND t.tgname LIKE 'tenancy\_%' AND t.tgparentid = 0;
        IF NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = member) THEN
            PERFORM tenancy.run_as_owner(member, format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY',
                                                        tenancy.qualified_name(member)));
        END IF;
        PERFORM tenancy.run_as_owner(member, format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT',
                                                    tenancy.qualified_name(member), a.attname))
        FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = member AND strpos(pg_get_expr(d.adbin, d.adrelid), 'tenancy.default_tenant_') > 0;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.strip_policies(regclass) IS
'Takes policies, triggers, row security and default of this extension from a table and its partitions. Internal.';

CREATE FUNCTION tenancy.unprotect(relation regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- reads the record of what to undo; undoes it as the owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held tenancy.protected_table;
    former jsonb;
    target regclass;
    foreign_keys jsonb;
BEGIN
    PERFORM tenancy.require_table_rights(unprotect.relation);
    SELECT p.* INTO held FROM tenancy.protected_table AS p WHERE p.relation = unprotect.relation FOR UPDATE;
    IF NOT FOUND AND (tenancy.protection(unprotect.relation)).tenant_column IS NULL THEN
        RAISE EXCEPTION 'table "%" is not protected', unprotect.relation
            USING ERRCODE = '55000', HINT = 'tenancy.protected_table lists the protected ones.';
    END IF;
    IF EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = unprotect.relation
               AND (tenancy.protection(i.inhparent)).tenant_column IS NOT NULL)
    THEN
        RAISE EXCEPTION 'table "%" belongs to a protected table', unprotect.relation
            USING ERRCODE = '55000', HINT = 'Detach it first, or unprotect the parent.';
    END IF;
    PERFORM tenancy.run_as_owner(unprotect.relation, format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE',
                                                            tenancy.qualified_name(unprotect.relation)));
    FOR former IN SELECT o.e FROM jsonb_array_elements(held.undo -> 'owners') AS o(e) LOOP
        target := tenancy.recorded_relation(former ->> 'on', former ->> 'on_id');
        IF target IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %s OWNER TO %s', tenancy.qualified_name(target), former ->> 'owner');
        END IF;
    END LOOP;
    foreign_keys := tenancy.drop_hardened_keys(unprotect.relation);
    SELECT p.* INTO held FROM tenancy.protected_table AS p WHERE p.relation = unprotect.relation;
    PERFORM tenancy.undo_steps(unprotect.relation, held.undo -> 'steps');
    PERFORM tenancy.restore_foreign_keys(foreign_keys);
    IF (tenancy.protection(unprotect.relation)).tenant_column IS NOT NULL THEN
        PERFORM tenancy.strip_policies(unprotect.relation);
    END IF;
    DELETE FROM tenancy.protected_table AS p WHERE p.relation = unprotect.relation;
    PERFORM tenancy.record_event(NULL, 'unprotect', jsonb_build_object('table', tenancy.qualified_name(unprotect.relation)));
END
$$;
COMMENT ON FUNCTION tenancy.unprotect(regclass) IS
'Undoes protect(): policies, row security, keys, default, rights, owner, and what it made (index, trigger, the column of via) go back to what they were. All rows are then open to whoever has rights on the table. For the owner and operators of kind admin.';
