-- Rights that row security does not cover.

CREATE FUNCTION tenancy.revoke_privilege(root regclass, target regclass, privilege text, column_name name, grantee oid, grantable boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    what text := revoke_privilege.privilege || coalesce(' (' || quote_ident(revoke_privilege.column_name) || ')', '') || ' ON '
        || CASE WHEN (SELECT relkind FROM pg_class WHERE oid = revoke_privilege.target) = 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END;
    whom text := CASE WHEN revoke_privilege.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(revoke_privilege.grantee)) END;
BEGIN
    PERFORM tenancy.change_table(
        revoke_privilege.root, revoke_privilege.target, 'REVOKE ' || what, format(' FROM %s CASCADE', whom),
        'GRANT ' || what, format(' TO %s%s', whom, CASE WHEN revoke_privilege.grantable THEN ' WITH GRANT OPTION' ELSE '' END));
END
$$;
COMMENT ON FUNCTION tenancy.revoke_privilege(regclass, regclass, text, name, oid, boolean) IS
'Revokes one privilege and records it for unprotect. Internal.';

CREATE FUNCTION tenancy.revoke_table_privileges(root regclass, target regclass, privileges text[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Columns first: revoking from the table revokes from its columns too.
    PERFORM tenancy.revoke_privilege(revoke_table_privileges.root, revoke_table_privileges.target,
                                     a.privilege_type, t.attname, a.grantee, a.is_grantable)
    FROM pg_class AS c JOIN pg_attribute AS t ON t.attrelid = c.oid, aclexplode(t.attacl) AS a
    WHERE c.oid = revoke_table_privileges.target AND a.grantee <> c.relowner
      AND a.privilege_type = ANY (revoke_table_privileges.privileges);
    PERFORM tenancy.revoke_privilege(revoke_table_privileges.root, revoke_table_privileges.target,
                                     a.privilege_type, NULL, a.grantee, a.is_grantable)
    FROM pg_class AS c, aclexplode(c.relacl) AS a
    WHERE c.oid = revoke_table_privileges.target AND a.grantee <> c.relowner
      AND a.privilege_type = ANY (revoke_table_privileges.privileges);
END
$$;
COMMENT ON FUNCTION tenancy.revoke_table_privileges(regclass, regclass, text[]) IS
'Revokes these privileges on a table and its columns from everybody but the owner. Internal.';

-- The value of a sequence tells how many rows others insert, and setting it stops them. The default of a
-- serial column needs USAGE; an identity column needs no right.
CREATE FUNCTION tenancy.revoke_sequence_privileges(root regclass, target regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given record;
    whom text;
BEGIN
    FOR given IN
        SELECT c.oid::regclass AS sequence, d.deptype, a.grantee,
               array_agg(a.privilege_type::text) AS held, bool_or(a.is_grantable) AS grantable
        FROM pg_depend AS d JOIN pg_class AS c ON c.oid = d.objid AND c.relkind = 'S', aclexplode(c.relacl) AS a
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.refobjid = revoke_sequence_privileges.target AND d.deptype IN ('a', 'i') AND a.grantee <> c.relowner
        GROUP BY c.oid, d.deptype, a.grantee
    LOOP
        whom := CASE WHEN given.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(given.grantee)) END;
        IF given.deptype = 'a' AND 'UPDATE' = ANY (given.held) AND 'USAGE' <> ALL (given.held) THEN
            PERFORM tenancy.change_table(revoke_sequence_privileges.root, given.sequence, 'GRANT USAGE ON SEQUENCE ',
                ' TO ' || whom, 'REVOKE USAGE ON SEQUENCE ', ' FROM ' || whom);
        END IF;
        PERFORM tenancy.revoke_privilege(revoke_sequence_privileges.root, given.sequence, h.privilege, NULL, given.grantee, given.grantable)
        FROM unnest(given.held) AS h(privilege)
        WHERE h.privilege IN ('SELECT', 'UPDATE') OR given.deptype = 'i';
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.revoke_sequence_privileges(regclass, regclass) IS
'Revokes SELECT and UPDATE on the sequences a table owns from everybody but the owner, and USAGE where the column is an identity. Internal.';
