-- Tables that are not protected: shared reference data, exempt tables; and the record rebuilt from the catalog.

CREATE FUNCTION tenancy.share(relation regclass, reason text DEFAULT '')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the record; changes the table as its owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    granted jsonb;
    target text := tenancy.qualified_name(share.relation);
BEGIN
    PERFORM tenancy.require_table_rights(share.relation);
    PERFORM tenancy.check_protectable(share.relation);
    IF (tenancy.protection(share.relation)).tenant_column IS NOT NULL THEN
        RAISE EXCEPTION 'table "%" is protected', share.relation
            USING ERRCODE = '55000', HINT = 'Use tenancy.unprotect() first.';
    END IF;
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = share.relation AND c.relrowsecurity)
       OR EXISTS (SELECT FROM pg_inherits AS i WHERE share.relation IN (i.inhparent, i.inhrelid))
    THEN
        RAISE EXCEPTION 'table "%" has row security or partitions of its own', share.relation
            USING ERRCODE = '0A000', HINT = 'Use tenancy.exempt() with a reason, and guard the table by its own policies.';
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'privilege', a.privilege_type, 'grantable', a.is_grantable,
        'grantee', CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)), '[]')
    INTO granted
    FROM pg_class AS c, aclexplode(c.relacl) AS a
    WHERE c.oid = share.relation AND a.grantee <> c.relowner
      AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'MAINTAIN');
    INSERT INTO tenancy.shared_table (relation, reason, undo)
    VALUES (share.relation, share.reason, jsonb_build_object('grants', granted));
    PERFORM tenancy.run_as_owner(share.relation, format('REVOKE %s ON %s FROM %s CASCADE', g.e ->> 'privilege', target, g.e ->> 'grantee'))
    FROM jsonb_array_elements(granted) AS g(e);
    PERFORM tenancy.run_as_owner(share.relation, format('CREATE POLICY tenancy_shared ON %s FOR SELECT TO PUBLIC USING (true)', target));
    PERFORM tenancy.run_as_owner(share.relation, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target));
    PERFORM tenancy.record_event(NULL, 'share', jsonb_build_object('table', target));
END
$$;
COMMENT ON FUNCTION tenancy.share(regclass, text) IS
'Declares a table to be reference data: every tenant reads it (with SELECT granted as before), only its owner writes it. Writing rights are revoked, and row security refuses them should they be granted again. For the owner and operators of kind admin.';

CREATE FUNCTION tenancy.unshare(relation regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- reads the record; changes the table as its owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target text := tenancy.qualified_name(unshare.relation);
    granted jsonb;
BEGIN
    PERFORM tenancy.require_table_rights(unshare.relation);
    DELETE FROM tenancy.shared_table AS s WHERE s.relation = unshare.relation RETURNING s.undo -> 'grants' INTO granted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table "%" is not shared', unshare.relation
            USING ERRCODE = '55000', HINT = 'tenancy.shared_table lists the shared ones.';
    END IF;
    PERFORM tenancy.run_as_owner(unshare.relation, format('DROP POLICY IF EXISTS tenancy_shared ON %s', target));
    PERFORM tenancy.run_as_owner(unshare.relation, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', target));
    PERFORM tenancy.run_as_owner(unshare.relation, format('GRANT %s ON %s TO %s%s', g.e ->> 'privilege', target,
        g.e ->> 'grantee', CASE WHEN (g.e ->> 'grantable')::boolean THEN ' WITH GRANT OPTION' ELSE '' END))
    FROM jsonb_array_elements(granted) AS g(e);
    PERFORM tenancy.record_event(NULL, 'unshare', jsonb_build_object('table', target));
END
$$;
COMMENT ON FUNCTION tenancy.unshare(regclass) IS
'Undoes share(): the policy goes, the rights it revoked come back. For the owner and operators of kind admin.';

CREATE FUNCTION tenancy.exempt(relation regclass, reason text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the record
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_table_rights(exempt.relation);
    IF coalesce(exempt.reason, '') = '' THEN
        RAISE EXCEPTION 'an exempt table needs a reason' USING ERRCODE = '22023',
            HINT = 'Say why its rows need no protection, for whoever audits this.';
    END IF;
    IF (tenancy.protection(exempt.relation)).tenant_column IS NOT NULL THEN
        RAISE EXCEPTION 'table "%" is protected', exempt.relation
            USING ERRCODE = '55000', HINT = 'Use tenancy.unprotect() first.';
    END IF;
    INSERT INTO tenancy.exempt_table AS e (relation, reason) VALUES (exempt.relation, exempt.reason)
    ON CONFLICT ON CONSTRAINT exempt_table_pkey DO UPDATE SET reason = excluded.reason;
    PERFORM tenancy.record_event(NULL, 'exempt',
        jsonb_build_object('table', tenancy.qualified_name(exempt.relation), 'reason', exempt.reason));
END
$$;
COMMENT ON FUNCTION tenancy.exempt(regclass, text) IS
'Records that a table is neither protected nor shared, and why (queues, outbox, system tables), so that findings about it are silent. Changes nothing on the table. For the owner and operators of kind admin.';

CREATE FUNCTION tenancy.unexempt(relation regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the record
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_table_rights(unexempt.relation);
    DELETE FROM tenancy.exempt_table AS e WHERE e.relation = unexempt.relation;
    IF FOUND THEN
        PERFORM tenancy.record_event(NULL, 'unexempt', jsonb_build_object('table', tenancy.qualified_name(unexempt.relation)));
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.unexempt(regclass) IS
'Takes back exempt(). For the owner and operators of kind admin.';

CREATE FUNCTION tenancy.forget_dropped_tables()
RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM tenancy.protected_table AS p WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = p.relation);
    DELETE FROM tenancy.shared_table AS p WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = p.relation);
    DELETE FROM tenancy.exempt_table AS p WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = p.relation);
$$;
COMMENT ON FUNCTION tenancy.forget_dropped_tables() IS 'Removes the records of tables that are gone. Internal.';

CREATE FUNCTION tenancy.sync()
RETURNS TABLE (relation regclass, action text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the records
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.forget_dropped_tables();
    RETURN QUERY
        WITH gone AS (
            DELETE FROM tenancy.protected_table AS p
            WHERE (tenancy.protection(p.relation)).tenant_column IS NULL RETURNING p.relation)
        SELECT g.relation, 'no longer protected' FROM gone AS g;
    RETURN QUERY
        WITH candidate AS (
            SELECT DISTINCT p.polrelid::regclass AS id FROM pg_policy AS p WHERE NOT p.polpermissive
        ), added AS (
            INSERT INTO tenancy.protected_table AS p (relation, tenant_column, key_kind, harden_keys, options)
            SELECT f.id, r.tenant_column, r.key_kind, 'references', jsonb_build_object('found_by', 'sync')
            FROM candidate AS f, tenancy.protection(f.id) AS r
            WHERE r.complete AND tenancy.protected_root(f.id) IS NULL
              AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = f.id AND (tenancy.protection(i.inhparent)).complete)
            RETURNING p.relation)
        SELECT a.relation, 'protected' FROM added AS a;
    RETURN QUERY
        WITH corrected AS (
            UPDATE tenancy.protected_table AS p
            SET tenant_column = r.tenant_column, key_kind = r.key_kind,
                options = p.options || jsonb_build_object('installation', tenancy.installation())
            FROM tenancy.protected_table AS q, tenancy.protection(q.relation) AS r
            WHERE q.relation = p.relation
              AND (r.tenant_column, r.key_kind, tenancy.installation())
                  IS DISTINCT FROM (p.tenant_column, p.key_kind, p.options ->> 'installation')
            RETURNING p.relation, p.tenant_column <> q.tenant_column OR p.key_kind <> q.key_kind AS differs)
        SELECT c.relation, 'corrected' FROM corrected AS c WHERE c.differs;
    RETURN QUERY
        SELECT p.relation, 'incomplete: call tenancy.protect() again'
        FROM tenancy.protected_table AS p WHERE NOT (tenancy.protection(p.relation)).complete;
    RETURN QUERY
        WITH gone AS (
            DELETE FROM tenancy.shared_table AS s WHERE NOT (tenancy.protection(s.relation)).shared RETURNING s.relation)
        SELECT g.relation, 'no longer shared' FROM gone AS g;
    RETURN QUERY
        WITH added AS (
            INSERT INTO tenancy.shared_table AS s (relation, reason)
            SELECT p.polrelid::regclass, 'found by sync' FROM pg_policy AS p
            WHERE p.polname = 'tenancy_shared' AND (tenancy.protection(p.polrelid)).shared
              AND NOT EXISTS (SELECT FROM tenancy.shared_table AS s WHERE s.relation = p.polrelid)
            RETURNING s.relation)
        SELECT a.relation, 'shared' FROM added AS a;
END
$$;
COMMENT ON FUNCTION tenancy.sync() IS
'Rebuilds tenancy.protected_table and tenancy.shared_table from what the tables carry, as after a restore of the schema alone, and returns what it changed and what is incomplete. The catalog is the truth: nothing is changed on any table. For operators of kind admin.';
