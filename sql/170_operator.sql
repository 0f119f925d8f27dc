-- Operators: which roles may run this database's tenancy.

CREATE FUNCTION tenancy.is_operator(VARIADIC kinds text[]) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'tenancy_is_operator';
COMMENT ON FUNCTION tenancy.is_operator(text[]) IS
'Whether the outer role (SET ROLE counts, SECURITY DEFINER does not) is a superuser, or an operator of one of the kinds (admin, auditor, sidecar): a member of tenancy_<kind> that tenancy.operator of this database lists, itself or through a role it is a member of.';

CREATE FUNCTION tenancy.require_any_operator(VARIADIC kinds text[])
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_own_account();
    IF tenancy.is_operator(VARIADIC require_any_operator.kinds) IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied: only operators may do this'
            USING ERRCODE = '42501',
                  DETAIL = format('One of these kinds is needed: %s.', array_to_string(require_any_operator.kinds, ', ')),
                  HINT = 'An admin makes a role an operator with GRANT tenancy_<kind> and tenancy.add_operator().';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.require_any_operator(text[]) IS
'Raises 42501 unless the outer role is an operator of one of the kinds, and in a security-restricted operation. Internal.';

CREATE FUNCTION tenancy.add_operator(role regrole, kind text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named name := (SELECT r.rolname FROM pg_roles AS r WHERE r.oid = add_operator.role);
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF named IS NULL THEN
        RAISE EXCEPTION 'no such role' USING ERRCODE = '42704', HINT = 'Name an existing role.';
    ELSIF add_operator.kind IS NULL OR add_operator.kind NOT IN ('admin', 'auditor', 'sidecar') THEN
        RAISE EXCEPTION 'kind of operator % does not exist', coalesce(quote_literal(left(add_operator.kind, 60)), 'NULL')
            USING ERRCODE = '22023', HINT = 'The kinds are admin, auditor and sidecar.';
    END IF;
    -- A row for a dropped role whose oid was given again is replaced by this one.
    INSERT INTO tenancy.operator AS o (role_oid, kind, role_name, added_by)
    VALUES (add_operator.role, add_operator.kind, named, pg_get_userbyid(tenancy.outer_role()))
    ON CONFLICT ON CONSTRAINT operator_pkey DO UPDATE
    SET role_name = excluded.role_name, added_by = excluded.added_by, added_at = excluded.added_at
    WHERE o.role_name <> excluded.role_name;
    IF FOUND THEN
        PERFORM tenancy.record_event(NULL, 'add_operator', jsonb_build_object('role', named, 'kind', add_operator.kind));
    END IF;
    IF NOT pg_has_role(named, 'tenancy_' || add_operator.kind, 'MEMBER') THEN
        RAISE NOTICE 'role "%" is not a member of tenancy_% yet', named, add_operator.kind
            USING HINT = format('GRANT tenancy_%s TO %I makes it one; both count only together.', add_operator.kind, named);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.add_operator(regrole, text) IS
'Lets the membership of a role in tenancy_admin, tenancy_auditor or tenancy_sidecar (kind admin, auditor, sidecar) count in this database, for the role and those who are members of it. Superusers name the first admin. Errors: 42704 no such role, 22023 no such kind, 42501.';

CREATE FUNCTION tenancy.remove_operator(role regrole, kind text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed name;
BEGIN
    PERFORM tenancy.require_operator('admin');
    DELETE FROM tenancy.operator AS o
    WHERE o.role_oid = remove_operator.role AND o.kind = remove_operator.kind
    RETURNING o.role_name INTO removed;
    IF removed IS NULL THEN
        RAISE EXCEPTION 'the role is no operator of kind %', coalesce(quote_literal(left(remove_operator.kind, 60)), 'NULL')
            USING ERRCODE = '42704', HINT = 'tenancy.operator lists them.';
    END IF;
    PERFORM tenancy.record_event(NULL, 'remove_operator', jsonb_build_object('role', removed, 'kind', remove_operator.kind));
END
$$;
COMMENT ON FUNCTION tenancy.remove_operator(regrole, text) IS
'Takes a role''s place among the operators of this database away; its membership in the cluster''s roles stays. Errors: 42704 it has none, 42501.';
