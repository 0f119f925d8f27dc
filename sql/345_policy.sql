-- The policies of a protected table: one restrictive policy per command confines everybody to the rows of the
-- context's tenant, one permissive policy with the same predicate opens those rows. PostgreSQL merges equal ones.

CREATE FUNCTION tenancy.policy_definition(policy_oid oid)
RETURNS TABLE (policy_name name, before text, after text)
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.polname, format('CREATE POLICY %I ON ', p.polname),
        format(' AS %s FOR %s TO %s%s%s',
            CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
            (SELECT string_agg(CASE WHEN r.id = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.id)) END, ', ')
             FROM unnest(p.polroles) AS r(id)),
            ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
            ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_policy AS p WHERE p.oid = policy_definition.policy_oid
$$;
COMMENT ON FUNCTION tenancy.policy_definition(oid) IS 'The commands that make a policy again. Internal.';

CREATE FUNCTION tenancy.is_own_policy(policy_name name)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT is_own_policy.policy_name IN ('tenancy_select', 'tenancy_insert', 'tenancy_update', 'tenancy_delete',
                                         'tenancy_rows', 'tenancy_shared')
$$;
COMMENT ON FUNCTION tenancy.is_own_policy(name) IS 'Whether protect() or share() gives this name to policies. Internal.';

-- Permissive policies of the table's own would be widened by the permissive policy that protect() adds, or
-- fail without the setting they read: somebody has to decide.
CREATE FUNCTION tenancy.settle_existing_policies(root regclass, target regclass, existing_policies text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    policy record;
    found_any boolean := false;
BEGIN
    FOR policy IN
        SELECT d.* FROM pg_policy AS p, tenancy.policy_definition(p.oid) AS d
        WHERE p.polrelid = settle_existing_policies.target AND p.polpermissive AND NOT tenancy.is_own_policy(p.polname)
        ORDER BY p.polname
    LOOP
        found_any := true;
        IF settle_existing_policies.existing_policies = 'refuse' THEN
            RAISE EXCEPTION 'table "%" has a permissive policy of its own, "%"', settle_existing_policies.target, policy.policy_name
                USING ERRCODE = '55000',
                      HINT = 'Use existing_policies => ''keep'' (they go on deciding which rows of a tenant a role sees) or ''replace'' (they are dropped; unprotect restores them).';
        ELSIF settle_existing_policies.existing_policies = 'replace' THEN
            PERFORM tenancy.change_table(settle_existing_policies.root, settle_existing_policies.target,
                format('DROP POLICY %I ON ', policy.policy_name), '', policy.before, policy.after);
        END IF;
    END LOOP;
    RETURN found_any AND settle_existing_policies.existing_policies = 'keep';
END
$$;
COMMENT ON FUNCTION tenancy.settle_existing_policies(regclass, regclass, text) IS
'Deals with permissive policies the table has: refuses them (55000), drops them, or returns true when they stay and decide alone within a tenant. Internal.';

CREATE FUNCTION tenancy.create_policies(root regclass, target regclass, tenant_column name, key_kind text, with_permissive boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    predicate text := format('(%I = %s)', create_policies.tenant_column,
                             tenancy.context_function('current', create_policies.key_kind));
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('tenancy_select', 'RESTRICTIVE FOR SELECT TO PUBLIC USING %1$s'),
            ('tenancy_insert', 'RESTRICTIVE FOR INSERT TO PUBLIC WITH CHECK %1$s'),
            ('tenancy_update', 'RESTRICTIVE FOR UPDATE TO PUBLIC USING %1$s WITH CHECK %1$s'),
            ('tenancy_delete', 'RESTRICTIVE FOR DELETE TO PUBLIC USING %1$s'),
            ('tenancy_rows', 'PERMISSIVE FOR ALL TO PUBLIC USING %1$s WITH CHECK %1$s')) AS v(name, definition)
        WHERE (create_policies.with_permissive OR v.name <> 'tenancy_rows')
          AND NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = create_policies.target AND p.polname = v.name)
    LOOP
        PERFORM tenancy.change_table(create_policies.root, create_policies.target,
            format('CREATE POLICY %I ON ', wanted.name), ' AS ' || format(wanted.definition, predicate),
            format('DROP POLICY IF EXISTS %I ON ', wanted.name), '');
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.create_policies(regclass, regclass, name, text, boolean) IS
'Creates the policies of a protected table that are missing. Internal.';

CREATE FUNCTION tenancy.enable_row_security(root regclass, target regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    flags record;
BEGIN
    SELECT c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced INTO flags
    FROM pg_class AS c WHERE c.oid = enable_row_security.target;
    IF NOT flags.enabled THEN
        PERFORM tenancy.change_table(enable_row_security.root, enable_row_security.target,
            'ALTER TABLE ', ' ENABLE ROW LEVEL SECURITY', 'ALTER TABLE ', ' DISABLE ROW LEVEL SECURITY');
    END IF;
    IF NOT flags.forced THEN
        PERFORM tenancy.change_table(enable_row_security.root, enable_row_security.target,
            'ALTER TABLE ', ' FORCE ROW LEVEL SECURITY', 'ALTER TABLE ', ' NO FORCE ROW LEVEL SECURITY');
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.enable_row_security(regclass, regclass) IS
'Enables and forces row security on one table. Internal.';

-- What every single relation of a table's tree carries, new partitions included.
CREATE FUNCTION tenancy.protect_member(root regclass, target regclass, tenant_column name, key_kind text, existing_policies text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_default text;
    new_default text := tenancy.context_function('default', protect_member.key_kind);
    own_policies_decide boolean;
BEGIN
    SELECT pg_get_expr(d.adbin, d.adrelid) INTO old_default
    FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = protect_member.target AND a.attname = protect_member.tenant_column;
    IF old_default IS NULL OR strpos(old_default, new_default) = 0 THEN
        PERFORM tenancy.change_table(protect_member.root, protect_member.target, 'ALTER TABLE ONLY ',
            format(' ALTER COLUMN %I SET DEFAULT %s', protect_member.tenant_column, new_default),
            'ALTER TABLE ONLY ',
            format(' ALTER COLUMN %I ', protect_member.tenant_column) || coalesce('SET DEFAULT ' || old_default, 'DROP DEFAULT'));
    END IF;
    PERFORM tenancy.revoke_table_privileges(protect_member.root, protect_member.target,
                                            ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']);
    PERFORM tenancy.revoke_sequence_privileges(protect_member.root, protect_member.target);
    own_policies_decide := tenancy.settle_existing_policies(protect_member.root, protect_member.target, protect_member.existing_policies);
    PERFORM tenancy.create_policies(protect_member.root, protect_member.target, protect_member.tenant_column,
                                    protect_member.key_kind, NOT own_policies_decide);
    PERFORM tenancy.enable_row_security(protect_member.root, protect_member.target);
END
$$;
COMMENT ON FUNCTION tenancy.protect_member(regclass, regclass, name, text, text) IS
'Gives one table or partition its default, rights, policies and row security. Internal.';
