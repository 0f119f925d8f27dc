-- Names: what a slug, an external id and an alias look like, how a name leads to its tenant, and
-- what keeps names from changing or coming back.

CREATE FUNCTION tenancy.check_slug(slug text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF check_slug.slug IS NULL OR check_slug.slug COLLATE "C" !~ '^[a-z0-9][a-z0-9-]{0,38}$' THEN
        RAISE EXCEPTION 'slug % is malformed', coalesce(quote_literal(left(check_slug.slug, 60)), 'NULL')
            USING ERRCODE = 'TN011',
                  DETAIL = 'A slug has 1 to 39 characters: lower-case ASCII letters, digits and hyphens, the first of them no hyphen.',
                  HINT = 'Choose a slug of that form; put the name that people read into display_name.';
    END IF;
    IF replace(check_slug.slug, '-', '') ~ '^[0-9a-f]{32}$' THEN
        RAISE EXCEPTION 'slug % is malformed', quote_literal(check_slug.slug)
            USING ERRCODE = 'TN011',
                  DETAIL = 'It reads as a uuid, so it could be taken for the id of a tenant.',
                  HINT = 'Choose another slug, or give the uuid as the tenant''s id.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_slug(text) IS
'Raises TN011 unless the text is a slug: [a-z0-9][a-z0-9-]{0,38} and not readable as a uuid. Internal.';

CREATE FUNCTION tenancy.check_external_id(external_id text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong text := CASE
        WHEN external_id = '' THEN 'It is empty.'
        WHEN octet_length(external_id) > 255 THEN 'It is longer than 255 bytes.'
        WHEN external_id ~ '^\s|\s$' THEN 'It begins or ends with a blank.'
        WHEN external_id ~ '[[:cntrl:]]' THEN 'It holds a control character.'
        WHEN external_id !~ '^[+-]?[0-9]+$' THEN NULL
        WHEN external_id !~ '^(0|-?[1-9][0-9]{0,18})$' THEN
            'It is a number, but not written canonically: no sign +, no leading zeros.'
        WHEN external_id::numeric NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
            'It is a number outside the range of bigint.'
    END;
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'external id % is malformed', quote_literal(left(check_external_id.external_id, 60))
            USING ERRCODE = 'TN011', DETAIL = wrong,
                  HINT = 'Give the key as the existing schema stores it, in its canonical text.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_external_id(text) IS
'Raises TN011 unless the text is an external id: 1 to 255 bytes, no blank at either end, no control characters, and when it is a number then the canonical text of a bigint, so that two spellings never mean one row. NULL passes. Internal.';

CREATE FUNCTION tenancy.normalise_alias(kind text, value text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    normal text := normalise_alias.value;
BEGIN
    IF normal IS NULL OR normalise_alias.kind IS NULL
       OR normalise_alias.kind COLLATE "C" !~ '^[a-z][a-z0-9_]{0,30}$'
       OR normalise_alias.kind IN ('slug', 'id', 'external', 'tier', 'token')
    THEN
        RETURN NULL;
    END IF;
    IF normalise_alias.kind = 'host' THEN
        normal := rtrim(lower(normal COLLATE "C"), '.');
        IF length(normal) > 253
           OR normal !~ '^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$'
        THEN
            RETURN NULL;
        END IF;
    ELSIF normal = '' OR octet_length(normal) > 255 OR normal ~ '^\s|\s$' OR normal ~ '[[:cntrl:]]' THEN
        RETURN NULL;
    END IF;
    RETURN normal;
END
$$;
COMMENT ON FUNCTION tenancy.normalise_alias(text, text) IS
'The form in which an alias is kept and looked up, NULL when kind or value is malformed. Values of the kind host are host names: lower case, no dot at the end. Other values are kept as they are: 1 to 255 bytes, no blank at either end, no control characters. Internal.';

CREATE FUNCTION tenancy.find_tenant(name text)
RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    colon    integer := position(':' IN find_tenant.name);
    prefix   text := left(find_tenant.name, greatest(colon - 1, 0));
    the_rest text := substr(find_tenant.name, colon + 1);
BEGIN
    IF colon > 0 AND prefix = 'external' THEN
        RETURN (SELECT t.id FROM tenancy.tenant AS t WHERE t.external_id = the_rest);
    ELSIF colon > 0 THEN
        RETURN (SELECT a.tenant_id FROM tenancy.tenant_alias AS a
                WHERE a.kind = prefix AND a.value = tenancy.normalise_alias(prefix, the_rest));
    ELSIF lower(find_tenant.name) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        RETURN (SELECT t.id FROM tenancy.tenant AS t WHERE t.id = find_tenant.name::uuid);
    END IF;
    RETURN (SELECT t.id FROM tenancy.tenant AS t WHERE t.slug = find_tenant.name);
END
$$;
COMMENT ON FUNCTION tenancy.find_tenant(text) IS
'The id of the tenant with this slug, id, alias (kind:value) or external id (external:value); NULL when there is none. Internal.';

-- SECURITY DEFINER: reads the registry for operators of every kind, who need not be able to read it.
CREATE FUNCTION tenancy.tenant_id(tenant text)
RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id uuid;
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'auditor', 'sidecar');
    found_id := tenancy.find_tenant(tenant_id.tenant);
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'tenant % does not exist', coalesce(quote_literal(left(tenant_id.tenant, 80)), 'NULL')
            USING ERRCODE = 'TN004',
                  HINT = 'Name a tenant by its slug, its id, an alias written kind:value, or external:value; tenancy.tenant and tenancy.tenant_alias list them.';
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION tenancy.tenant_id(text) IS
'The id of the tenant that has this slug, id, alias (written kind:value) or external id (written external:value). For operators. Errors: TN004 no such tenant, 42501 not an operator.';

-- SECURITY DEFINER: the application's role reads one alias by exact match, never the registry.
CREATE FUNCTION tenancy.resolve(kind text, value text)
RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF resolve.kind = 'slug' THEN
        RETURN (SELECT t.id FROM tenancy.tenant AS t
                WHERE t.slug = resolve.value AND t.state <> 'erased');
    ELSIF resolve.kind = 'external' THEN
        RETURN (SELECT t.id FROM tenancy.tenant AS t
                WHERE t.external_id = resolve.value AND t.state <> 'erased');
    END IF;
    RETURN (SELECT a.tenant_id FROM tenancy.tenant_alias AS a
            WHERE a.kind = resolve.kind AND a.value = tenancy.normalise_alias(resolve.kind, resolve.value));
END
$$;
COMMENT ON FUNCTION tenancy.resolve(text, text) IS
'The id of the tenant with this alias, for use before there is a context: a login page knows a host name, a webhook a provider''s account id. kind is an alias kind, or slug, or external. Exact match only; NULL when there is none. Callable by roles to which an operator granted EXECUTE; it gives no right to enter the tenant. The tenant may be in any state but erased.';

CREATE FUNCTION tenancy.keep_tenant()
RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'tenants and their tombstones cannot be removed'
            USING ERRCODE = '55000',
                  DETAIL = 'A name that came back would revive old tokens, grants and forgotten rows.',
                  HINT = 'Use tenancy.request_erasure(); the row of an erased tenant stays.';
    ELSIF TG_TABLE_NAME <> 'tenant' THEN
        RAISE EXCEPTION 'tombstones cannot be changed'
            USING ERRCODE = '55000', HINT = 'They keep names from being given twice.';
    ELSIF (NEW.id, NEW.slug) IS DISTINCT FROM (OLD.id, OLD.slug)
        OR NEW.external_id IS DISTINCT FROM OLD.external_id
    THEN
        RAISE EXCEPTION 'id, slug and external_id of a tenant cannot be changed'
            USING ERRCODE = '55000',
                  DETAIL = 'Tokens, grants, rows and stores refer to them.',
                  HINT = 'Give the tenant a further name with tenancy.add_alias().';
    ELSIF NEW.generation < OLD.generation THEN
        RAISE EXCEPTION 'the generation of a tenant cannot go back'
            USING ERRCODE = '55000', HINT = 'Use the functions of schema tenancy to change a tenant.';
    ELSIF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM tenancy.transition AS t WHERE t.from_state = OLD.state AND t.to_state = NEW.state)
    THEN
        RAISE EXCEPTION 'no transition leads from % to %', OLD.state, NEW.state
            USING ERRCODE = 'TN010', HINT = 'See tenancy.transition for the legal ones.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION tenancy.keep_tenant() IS
'Trigger: refuses to remove a tenant or a tombstone or to change id, slug or external_id (55000), to let the generation go back (55000), and to change the state against tenancy.transition (TN010), for superusers too. Loading rows (pg_restore) is not touched.';

CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON tenancy.tenant
    FOR EACH ROW EXECUTE FUNCTION tenancy.keep_tenant();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON tenancy.tenant
    FOR EACH STATEMENT EXECUTE FUNCTION tenancy.keep_tenant();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON tenancy.tenant_tombstone
    FOR EACH ROW EXECUTE FUNCTION tenancy.keep_tenant();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON tenancy.tenant_tombstone
    FOR EACH STATEMENT EXECUTE FUNCTION tenancy.keep_tenant();
ALTER TABLE tenancy.tenant ENABLE ALWAYS TRIGGER keep_rows;
ALTER TABLE tenancy.tenant ENABLE ALWAYS TRIGGER keep_table;
ALTER TABLE tenancy.tenant_tombstone ENABLE ALWAYS TRIGGER keep_rows;
ALTER TABLE tenancy.tenant_tombstone ENABLE ALWAYS TRIGGER keep_table;
