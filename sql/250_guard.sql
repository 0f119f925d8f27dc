-- The guards' SQL: channels of a tenant, and EXPLAIN by permission. C++: pg_extension/src/guard.

CREATE FUNCTION tenancy.channel(name text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_channel';
COMMENT ON FUNCTION tenancy.channel(text) IS
'The notification channel of this name that belongs to the tenant of the context, for LISTEN: t_<tenant id in hexadecimal>_<name>. The name has 1 to 28 bytes. Errors: TN001 without a context, 22023 for a name that is empty or too long.';

CREATE FUNCTION tenancy.notify(channel text, payload text DEFAULT '') RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'tenancy_notify';
COMMENT ON FUNCTION tenancy.notify(text, text) IS
'Sends a notification on a channel of the context''s tenant, in place of pg_notify, which reaches every tenant''s channels. Errors: TN001 without a context, 22023 for a name that is empty or too long.';

-- Not dumped, and granted to nobody: who knows it can look for keys that meet another tenant's lock.
CREATE TABLE tenancy.advisory_lock_secret (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    secret   bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) CHECK (length(secret) = 32)
);
INSERT INTO tenancy.advisory_lock_secret DEFAULT VALUES;
COMMENT ON TABLE tenancy.advisory_lock_secret IS
'What the numbers of tenants'' advisory locks are hashed with. One row, made at random with the extension; pg_dump leaves it out. Change it only while no transaction holds such a lock.';

CREATE FUNCTION tenancy.advisory_xact_lock(key bigint, shared boolean DEFAULT false) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_advisory_xact_lock_bigint';
COMMENT ON FUNCTION tenancy.advisory_xact_lock(bigint, boolean) IS
'Waits for an advisory lock of the context''s tenant and holds it until the transaction ends, in place of pg_advisory_xact_lock, whose keys all tenants share; with shared => true, of pg_advisory_xact_lock_shared. A number is the same key as its decimal text. Errors: TN001 without a context, 22004 for NULL.';
CREATE FUNCTION tenancy.advisory_xact_lock(key text, shared boolean DEFAULT false) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_advisory_xact_lock_text';
COMMENT ON FUNCTION tenancy.advisory_xact_lock(text, boolean) IS
'The same with a name for a key, of any length: tenancy.advisory_xact_lock(''invoice/42'').';

CREATE FUNCTION tenancy.try_advisory_xact_lock(key bigint, shared boolean DEFAULT false) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_try_advisory_xact_lock_bigint';
COMMENT ON FUNCTION tenancy.try_advisory_xact_lock(bigint, boolean) IS
'As tenancy.advisory_xact_lock, without waiting: false where another transaction of the tenant holds the lock. In place of pg_try_advisory_xact_lock and, with shared => true, of pg_try_advisory_xact_lock_shared. Errors: TN001 without a context, 22004 for NULL.';
CREATE FUNCTION tenancy.try_advisory_xact_lock(key text, shared boolean DEFAULT false) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_try_advisory_xact_lock_text';
COMMENT ON FUNCTION tenancy.try_advisory_xact_lock(text, boolean) IS
'The same with a name for a key, of any length.';

CREATE TABLE tenancy.explain_grant (
    role_oid    regrole PRIMARY KEY,
    role_name   name NOT NULL,
    valid_until timestamptz NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    granted_by  name NOT NULL DEFAULT current_user,
    granted_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tenancy.explain_grant IS
'Roles that may EXPLAIN statements on protected tables for a while, although the estimates come from the rows of all tenants. Counts only while oid and name both still match.';

-- SECURITY DEFINER: operators hold no rights on the table; what they may do is checked and recorded.
CREATE FUNCTION tenancy.grant_explain(role regrole, until timestamptz, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known name := (SELECT rolname FROM pg_authid WHERE oid = grant_explain.role);
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF known IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the grant needs an existing role',
            HINT = 'Name the role that is to read plans.';
    END IF;
    IF grant_explain.until IS NULL OR grant_explain.until <= now()
       OR grant_explain.until = 'infinity' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'until must be a finite time to come',
            HINT = 'Plans tell about the rows of all tenants: give as little time as it takes.';
    END IF;
    IF coalesce(btrim(grant_explain.reason), '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the grant needs a reason',
            HINT = 'It is written to the audit trail.';
    END IF;
    DELETE FROM tenancy.explain_grant g WHERE g.role_oid = grant_explain.role;
    INSERT INTO tenancy.explain_grant (role_oid, role_name, valid_until, reason, granted_by)
    VALUES (grant_explain.role, known, grant_explain.until, grant_explain.reason,
            pg_get_userbyid(tenancy.outer_role()));
    PERFORM tenancy.record_event(NULL, 'grant_explain', jsonb_build_object(
        'role', known, 'valid_until', grant_explain.until, 'reason', grant_explain.reason));
END
$$;
COMMENT ON FUNCTION tenancy.grant_explain(regrole, timestamptz, text) IS
'Lets a role EXPLAIN statements on protected tables, with costs and ANALYZE, and print plans, until a time. It sees estimates and counts made from the rows of all tenants. Replaces an earlier grant of the role. Errors: 42501, 22023.';

CREATE FUNCTION tenancy.revoke_explain(role regrole) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    DELETE FROM tenancy.explain_grant g WHERE g.role_oid = revoke_explain.role;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tenancy.record_event(NULL, 'revoke_explain', jsonb_build_object('role', revoke_explain.role::text));
    RETURN true;
END
$$;
COMMENT ON FUNCTION tenancy.revoke_explain(regrole) IS
'Takes back what tenancy.grant_explain gave; false when there was nothing. Errors: 42501.';
