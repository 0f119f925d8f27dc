-- Authorities: which role may enter which tenant, whose signatures count, and how an application
-- finds a tenant before it has a context.

-- SECURITY DEFINER in this file: operators hold no rights on the registry's tables; what they may do
-- is what these functions check and record.

CREATE FUNCTION tenancy.grant_access(
    role regrole, tenant text, mode text DEFAULT 'read_write', until timestamptz DEFAULT NULL,
    reason text DEFAULT NULL, include_members boolean DEFAULT false, session_scope boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named uuid := CASE WHEN grant_access.tenant <> '*' THEN tenancy.tenant_id(grant_access.tenant) END;
    known name := (SELECT rolname FROM pg_authid WHERE oid = grant_access.role);
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF known IS NULL OR grant_access.tenant IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a grant needs an existing role and a tenant',
            HINT = 'Write ''*'' for any one tenant.';
    END IF;
    IF grant_access.mode IS NULL OR grant_access.mode NOT IN ('read_write', 'read_only') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown mode "%s"', grant_access.mode),
            HINT = 'Use ''read_write'' or ''read_only''.';
    END IF;
    IF grant_access.until <= now() THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'until lies in the past',
            HINT = 'Leave it NULL for a grant without an end.';
    END IF;
    DELETE FROM tenancy.access_grant g
     WHERE g.role_oid = grant_access.role AND g.tenant_id IS NOT DISTINCT FROM named;
    INSERT INTO tenancy.access_grant
        (role_oid, role_name, tenant_id, mode, include_members, session_scope, valid_until, reason, granted_by)
    VALUES (grant_access.role, known, named, grant_access.mode, grant_access.include_members,
            grant_access.session_scope, grant_access.until,
            coalesce(nullif(grant_access.reason, ''), 'not stated'), pg_get_userbyid(tenancy.outer_role()));
    PERFORM tenancy.record_event(named, 'grant_access', jsonb_build_object(
        'role', known, 'all_tenants', named IS NULL, 'mode', grant_access.mode,
        'valid_until', grant_access.until, 'reason', grant_access.reason));
END
$$;
COMMENT ON FUNCTION tenancy.grant_access(regrole, text, text, timestamptz, text, boolean, boolean) IS
'Lets a role enter a tenant (''*'': any one tenant) in a mode (read_write, read_only), until a time (NULL: for good). include_members extends it to direct members of the role, session_scope to contexts that outlive a transaction. Replaces an earlier grant of the same role and tenant. With a ''*'' grant the application is the authority: whoever sends a whole query string of their own chooses the tenant. Errors: 42501, TN004, 22023.';

CREATE FUNCTION tenancy.revoke_access(role regrole, tenant text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named uuid := CASE WHEN revoke_access.tenant <> '*' THEN tenancy.tenant_id(revoke_access.tenant) END;
BEGIN
    PERFORM tenancy.require_operator('admin');
    DELETE FROM tenancy.access_grant g
     WHERE g.role_oid = revoke_access.role AND g.tenant_id IS NOT DISTINCT FROM named;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tenancy.record_event(named, 'revoke_access',
        jsonb_build_object('role', revoke_access.role::text, 'all_tenants', named IS NULL));
    RETURN true;
END
$$;
COMMENT ON FUNCTION tenancy.revoke_access(regrole, text) IS
'Takes a grant back; open transactions that rely on it fail at their next statement or at COMMIT. Returns false when there was none. Errors: 42501, TN004.';

CREATE FUNCTION tenancy.check_signing_key(jwk text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_check_signing_key';
COMMENT ON FUNCTION tenancy.check_signing_key(text) IS
'The algorithm (EdDSA, HS256, RS256, ES256) of a JWK (RFC 7517, 7518, 8037). Errors: 22023 for a key that is malformed, too weak, or holds a private part.';

CREATE FUNCTION tenancy.add_signing_key(
    issuer text, kid text, jwk text, audience text, tenants text[],
    max_lifetime interval DEFAULT '5 minutes', default_mode text DEFAULT 'read_only',
    claims jsonb DEFAULT '{}', leeway interval DEFAULT '30 seconds')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    for_all boolean := add_signing_key.tenants = ARRAY['*'];
    algorithm text := tenancy.check_signing_key(add_signing_key.jwk);
    unknown text;
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF coalesce(cardinality(add_signing_key.tenants), 0) = 0 OR array_position(add_signing_key.tenants, NULL) IS NOT NULL
       OR ('*' = ANY (add_signing_key.tenants) AND NOT for_all) THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a signing key needs a list of tenants, or ARRAY[''*''] alone',
            HINT = 'A key speaks for the tenants it lists and for no other.';
    END IF;
    IF add_signing_key.kid !~ '^[A-Za-z0-9._-]{1,64}$' OR coalesce(add_signing_key.issuer, '') = ''
       OR coalesce(add_signing_key.audience, '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a signing key needs issuer, key id and audience',
            HINT = 'A key id is 1 to 64 of A-Z a-z 0-9 . _ -, and tokens must carry the same issuer and audience.';
    END IF;
    IF NOT coalesce(extract(epoch FROM add_signing_key.max_lifetime) BETWEEN 1 AND 2592000, false)
       OR NOT coalesce(extract(epoch FROM add_signing_key.leeway) BETWEEN 0 AND 30, false) THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'max_lifetime or leeway out of range',
            HINT = 'max_lifetime is 1 second to 30 days, leeway 0 to 30 seconds.';
    END IF;
    IF add_signing_key.default_mode IS NULL OR add_signing_key.default_mode NOT IN ('read_write', 'read_only') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown mode "%s"', add_signing_key.default_mode),
            HINT = 'Use ''read_write'' or ''read_only''.';
    END IF;
    SELECT key INTO unknown FROM jsonb_each(add_signing_key.claims) AS c(key, value)
     WHERE key NOT IN ('tenant', 'actor', 'mode', 'role', 'alias_kind') OR jsonb_typeof(value) <> 'string' OR value = '""';
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown or malformed entry "%s" in claims', unknown),
            HINT = 'claims maps tenant, actor, mode and role to names of claims, and alias_kind to a kind of alias.';
    END IF;
    BEGIN
        INSERT INTO tenancy.signing_key
            (issuer, kid, jwk, algorithm, audience, all_tenants, max_lifetime, leeway, default_mode,
             tenant_claim, actor_claim, mode_claim, role_claim, alias_kind, added_by)
        VALUES (add_signing_key.issuer, add_signing_key.kid, add_signing_key.jwk, algorithm, add_signing_key.audience,
                for_all, extract(epoch FROM add_signing_key.max_lifetime)::integer,
                extract(epoch FROM add_signing_key.leeway)::integer, add_signing_key.default_mode,
                coalesce(claims ->> 'tenant', 'tenant'), coalesce(claims ->> 'actor', 'sub'),
                coalesce(claims ->> 'mode', 'mode'), coalesce(claims ->> 'role', 'role'), claims ->> 'alias_kind',
                pg_get_userbyid(tenancy.outer_role()));
    EXCEPTION WHEN unique_violation THEN
        RAISE EXCEPTION USING ERRCODE = '42710',
            MESSAGE = format('signing key "%s" of issuer "%s" exists', add_signing_key.kid, add_signing_key.issuer),
            HINT = 'Keys are not changed: add the new one under a new key id, then remove the old one.';
    END;
    INSERT INTO tenancy.signing_key_tenant (issuer, kid, tenant_id)
    SELECT DISTINCT add_signing_key.issuer, add_signing_key.kid, tenancy.tenant_id(t)
      FROM unnest(add_signing_key.tenants) AS t WHERE NOT for_all;
    IF algorithm = 'HS256' THEN
        RAISE WARNING USING MESSAGE = 'a symmetric signing key lies in this database and in its backups in clear',
            HINT = 'Whoever reads it can sign: prefer EdDSA, RS256 or ES256.';
    END IF;
    PERFORM tenancy.record_event(NULL, 'add_signing_key', jsonb_build_object(
        'issuer', add_signing_key.issuer, 'kid', add_signing_key.kid, 'algorithm', algorithm,
        'all_tenants', for_all, 'tenants', to_jsonb(add_signing_key.tenants)));
END
$$;
COMMENT ON FUNCTION tenancy.add_signing_key(text, text, text, text, text[], interval, text, jsonb, interval) IS
'Accepts tokens (RFC 7519) that a key signs. The key is found by issuer and key id, and speaks only for the listed tenants (ARRAY[''*''] must be written out). Tokens must carry iss and aud equal to issuer and audience, and live no longer than max_lifetime; leeway (at most 30 seconds) allows for clocks. default_mode holds for tokens without a mode claim. claims renames the claims: tenant, actor (sub), mode, role; alias_kind says that the tenant claim holds an alias of that kind. Errors: 42501, 22023, 42710, TN004.';

CREATE FUNCTION tenancy.remove_signing_key(issuer text, kid text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    DELETE FROM tenancy.signing_key k
     WHERE k.issuer = remove_signing_key.issuer AND k.kid = remove_signing_key.kid;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tenancy.record_event(NULL, 'remove_signing_key',
        jsonb_build_object('issuer', remove_signing_key.issuer, 'kid', remove_signing_key.kid));
    RETURN true;
END
$$;
COMMENT ON FUNCTION tenancy.remove_signing_key(text, text) IS
'Stops accepting a key; transactions that entered with its tokens fail at their next statement. Returns false when there was none. Errors: 42501.';

CREATE FUNCTION tenancy.revoke_token(issuer text, jti text, expires_at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF coalesce(revoke_token.issuer, '') = '' OR coalesce(revoke_token.jti, '') = '' OR revoke_token.expires_at IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'revoking a token takes its issuer, jti and expiry',
            HINT = 'Tokens without jti are revoked by removing their key.';
    ELSIF NOT EXISTS (SELECT FROM tenancy.signing_key AS k WHERE k.issuer = revoke_token.issuer) THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('no signing key of issuer "%s"', revoke_token.issuer),
            DETAIL = 'No token of this issuer is accepted.', HINT = 'See tenancy.signing_key for the issuers.';
    END IF;
    DELETE FROM tenancy.token_revocation r WHERE r.expires_at < now() - interval '1 day';
    -- Not before any token of the issuer that was signed by now expires, whatever the caller says.
    INSERT INTO tenancy.token_revocation AS r (issuer, jti, expires_at, revoked_by)
    SELECT revoke_token.issuer, revoke_token.jti,
           greatest(revoke_token.expires_at, now() + make_interval(secs => max(k.max_lifetime + k.leeway))),
           pg_get_userbyid(tenancy.outer_role())
    FROM tenancy.signing_key AS k WHERE k.issuer = revoke_token.issuer
    ON CONFLICT ON CONSTRAINT token_revocation_pkey
    DO UPDATE SET expires_at = greatest(r.expires_at, EXCLUDED.expires_at);
    PERFORM tenancy.record_event(NULL, 'revoke_token', jsonb_build_object('issuer', revoke_token.issuer));
END
$$;
COMMENT ON FUNCTION tenancy.revoke_token(text, text, timestamptz) IS
'Withdraws one token, named by issuer and jti, until it would have expired by itself: until expires_at, and no shorter than the issuer''s keys let a token live that is signed now. Called again it can only prolong that. Errors: 42501, 22023, 42704 for an issuer without keys, whose tokens nobody accepts.';

CREATE FUNCTION tenancy.enter_all(reason text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(btrim(enter_all.reason), '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'working for all tenants needs a reason',
            HINT = 'It is written to the audit trail.';
    END IF;
    IF NOT current_setting('transaction_read_only')::boolean THEN
        PERFORM tenancy.record_event(NULL, 'enter_all', jsonb_build_object('reason', enter_all.reason));
    END IF;
    PERFORM tenancy.begin_all_tenants();
    RAISE LOG 'tenancy: role "%" works for all tenants: %', pg_get_userbyid(tenancy.outer_role()), enter_all.reason;
END
$$;
COMMENT ON FUNCTION tenancy.enter_all(text) IS
'Lets a registered role with BYPASSRLS read and write the rows of all tenants in this transaction, and records the reason in the audit trail (in a read-only transaction and on a standby, in the server log alone). Errors: 42501 for a role that is not registered, TN002 when a tenant is set.';
