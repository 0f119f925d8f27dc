-- Tenants as rows: provisioning, display names, aliases, tiers. Their states are in 130_lifecycle.sql.

CREATE FUNCTION tenancy.lock_tenant(tenant text, expected_generation bigint DEFAULT NULL)
RETURNS tenancy.tenant
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    -- NO KEY UPDATE: users' foreign keys to tenancy.tenant go on working meanwhile.
    SELECT t.* INTO STRICT locked FROM tenancy.tenant AS t
    WHERE t.id = tenancy.tenant_id(lock_tenant.tenant) FOR NO KEY UPDATE;
    IF locked.generation <> lock_tenant.expected_generation THEN
        RAISE EXCEPTION 'tenant "%" was changed by somebody else', locked.slug
            USING ERRCODE = 'TN016',
                  DETAIL = format('Its generation is %s, not %s; its state is %s.', locked.generation,
                                  lock_tenant.expected_generation, locked.state),
                  HINT = 'Read the tenant again and decide again.';
    END IF;
    RETURN locked;
END
$$;
COMMENT ON FUNCTION tenancy.lock_tenant(text, bigint) IS
'Locks the row of a tenant against other changes until the transaction ends, and returns it. Waits for whoever holds it; lock_timeout bounds the wait (55P03). Errors: TN004 no such tenant, TN016 its generation is not the expected one (NULL expects nothing). Internal.';

CREATE FUNCTION tenancy.bump_generation(tenant uuid, event text, detail jsonb DEFAULT '{}')
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bumped bigint;
BEGIN
    UPDATE tenancy.tenant AS t
    SET generation = t.generation + 1, changed_at = clock_timestamp()
    WHERE t.id = bump_generation.tenant
    RETURNING t.generation INTO STRICT bumped;
    PERFORM tenancy.record_event(bump_generation.tenant, bump_generation.event,
        bump_generation.detail || jsonb_build_object('generation', bumped));
    PERFORM tenancy.notify_lifecycle(bump_generation.tenant::text);
    RETURN bumped;
END
$$;
COMMENT ON FUNCTION tenancy.bump_generation(uuid, text, jsonb) IS
'Counts a change of what a tenant should be, records it and notifies listeners. Returns the new generation. Internal.';

CREATE FUNCTION tenancy.check_not_erased(checked tenancy.tenant)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (check_not_erased.checked).state IN ('erasing', 'erased') THEN
        RAISE EXCEPTION 'tenant "%" is %', (check_not_erased.checked).slug, (check_not_erased.checked).state
            USING ERRCODE = 'TN010',
                  DETAIL = 'Nothing is added to a tenant that is being erased.',
                  HINT = 'While its grace lasts, tenancy.cancel_erasure() brings the tenant back to archived.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_not_erased(tenancy.tenant) IS
'Raises TN010 for a tenant that is erasing or erased. Internal.';

-- Claims a name for ever. ON CONFLICT waits for another transaction that claims the same one.
CREATE FUNCTION tenancy.claim_name(kind text, value text, tenant uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    label   text := replace(claim_name.kind, '_', ' ');
    retired boolean;
BEGIN
    INSERT INTO tenancy.tenant_tombstone AS n (kind, value, tenant_id)
    VALUES (claim_name.kind, claim_name.value, claim_name.tenant)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT coalesce(t.state = 'erased', true) INTO retired
    FROM tenancy.tenant_tombstone AS n LEFT JOIN tenancy.tenant AS t ON t.id = n.tenant_id
    WHERE n.kind = claim_name.kind AND n.value = claim_name.value;
    IF retired THEN
        RAISE EXCEPTION '% "%" was once used', label, claim_name.value
            USING ERRCODE = 'TN013',
                  DETAIL = 'The tenant that had it is erased, and names are never given twice.',
                  HINT = 'Choose another one.';
    END IF;
    RAISE EXCEPTION '% "%" is taken', label, claim_name.value
        USING ERRCODE = 'TN012', HINT = 'Choose another one, or use the tenant that has it.';
END
$$;
COMMENT ON FUNCTION tenancy.claim_name(text, text, uuid) IS
'Writes the tombstone of an id, slug or external_id, so that nobody else ever gets it. Errors: TN012 taken, TN013 once used by a tenant that is erased. Internal.';

-- SECURITY DEFINER: operators change the registry through functions alone.
CREATE FUNCTION tenancy.provision(
    slug text, display_name text DEFAULT '', tier text DEFAULT 'standard', settings jsonb DEFAULT '{}',
    external_id text DEFAULT NULL, id uuid DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Plans kept from when the registry was tiny would go on reading all of it as it grows. Their price would start the JIT compiler.
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    new_id  uuid := coalesce(provision.id, gen_random_uuid());
    setting record;
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_slug(provision.slug);
    PERFORM tenancy.check_external_id(provision.external_id);
    PERFORM tenancy.check_tier(provision.tier);
    IF new_id = '00000000-0000-0000-0000-000000000000' THEN
        RAISE EXCEPTION 'the nil uuid cannot be the id of a tenant'
            USING ERRCODE = '22023', DETAIL = 'Programs write it where they have no id.',
                  HINT = 'Leave id out to get a random one.';
    END IF;
    IF jsonb_typeof(coalesce(provision.settings, '{}')) <> 'object' THEN
        RAISE EXCEPTION 'settings must be a JSON object'
            USING ERRCODE = 'TN014', DETAIL = 'The bad value is at "".',
                  HINT = 'Write {"name of a setting": value, ...}.';
    END IF;
    PERFORM tenancy.claim_name('id', new_id::text, new_id);
    PERFORM tenancy.claim_name('slug', provision.slug, new_id);
    IF provision.external_id IS NOT NULL THEN
        PERFORM tenancy.claim_name('external_id', provision.external_id, new_id);
    END IF;
    INSERT INTO tenancy.tenant (id, slug, external_id, tier, display_name)
    VALUES (new_id, provision.slug, provision.external_id, provision.tier, coalesce(provision.display_name, ''));
    FOR setting IN SELECT e.key, e.value FROM jsonb_each(coalesce(provision.settings, '{}')) AS e LOOP
        PERFORM tenancy.store_setting(new_id, NULL, setting.key, setting.value, tenancy.json_pointer('', setting.key));
    END LOOP;
    INSERT INTO tenancy.tenant_onboarding (tenant_id, step, position, kind, function, store)
    SELECT new_id, s.name, s.position, s.kind, s.function, s.store
    FROM tenancy.onboarding_step AS s WHERE s.tier = provision.tier;
    PERFORM tenancy.expect_tenant(new_id, provision.tier);
    PERFORM tenancy.record_event(new_id, 'provision', jsonb_build_object('tier', provision.tier, 'generation', 1));
    PERFORM tenancy.notify_lifecycle(new_id::text);
    PERFORM tenancy.activate_when_complete(new_id);
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION tenancy.provision(text, text, text, jsonb, text, uuid) IS
'Makes a tenant and returns its id. settings is an object of values for defined settings; external_id and id take over the keys of an existing schema (id is random when NULL). Slug, external_id and id are the tenant''s for ever. Every attached store that is required for provisioning is a first step of its onboarding, store:NAME, unless the tier''s checklist has one for it; the step is done when the store has the tenant. Without any steps the tenant is active at once; otherwise it is provisioning until every step is done. Errors: TN011 malformed name, TN012 taken, TN013 once used, 42704 no such tier, TN014 and TN015 settings, 42501.';

CREATE FUNCTION tenancy.set_display_name(tenant text, display_name text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    PERFORM tenancy.require_operator('admin');
    locked := tenancy.lock_tenant(set_display_name.tenant, set_display_name.expected_generation);
    PERFORM tenancy.check_not_erased(locked);
    UPDATE tenancy.tenant AS t SET display_name = coalesce(set_display_name.display_name, '')
    WHERE t.id = locked.id;
    RETURN tenancy.bump_generation(locked.id, 'set_display_name');
END
$$;
COMMENT ON FUNCTION tenancy.set_display_name(text, text, bigint) IS
'Changes the name that people read; returns the new generation. Errors: TN004, TN010 the tenant is being erased, TN016 not the expected generation, 42501.';

CREATE FUNCTION tenancy.add_alias(tenant text, kind text, value text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    normal text := tenancy.normalise_alias(add_alias.kind, add_alias.value);
    locked tenancy.tenant;
    owner  uuid;
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF normal IS NULL THEN
        RAISE EXCEPTION 'alias % is malformed',
            coalesce(quote_literal(left(add_alias.kind || ':' || add_alias.value, 80)), 'NULL')
            USING ERRCODE = 'TN011',
                  DETAIL = 'A kind is [a-z][a-z0-9_]{0,30} and none of slug, id, external, tier, token; a value has 1 to 255 bytes, no blank at either end and no control characters; values of kind host are host names.',
                  HINT = 'Give kind and value apart, for example add_alias(''acme'', ''host'', ''acme.example.com'').';
    END IF;
    locked := tenancy.lock_tenant(add_alias.tenant, add_alias.expected_generation);
    PERFORM tenancy.check_not_erased(locked);
    INSERT INTO tenancy.tenant_alias (kind, value, tenant_id)
    VALUES (add_alias.kind, normal, locked.id) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT a.tenant_id INTO owner FROM tenancy.tenant_alias AS a
        WHERE a.kind = add_alias.kind AND a.value = normal;
        IF owner = locked.id THEN
            RETURN locked.generation;
        END IF;
        RAISE EXCEPTION 'alias "%:%" is taken', add_alias.kind, normal
            USING ERRCODE = 'TN012', HINT = 'Remove it from the tenant that has it first.';
    END IF;
    RETURN tenancy.bump_generation(locked.id, 'add_alias', jsonb_build_object('kind', add_alias.kind));
END
$$;
COMMENT ON FUNCTION tenancy.add_alias(text, text, text, bigint) IS
'Gives a tenant a further name, unique in its kind: host (a host name, kept in lower case), old_slug, or any kind of your own. Adding one that the tenant already has changes nothing. Returns the generation. Errors: TN004, TN010 the tenant is being erased, TN011 malformed, TN012 another tenant has it, TN016, 42501.';

CREATE FUNCTION tenancy.remove_alias(tenant text, kind text, value text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    PERFORM tenancy.require_operator('admin');
    locked := tenancy.lock_tenant(remove_alias.tenant, remove_alias.expected_generation);
    DELETE FROM tenancy.tenant_alias AS a
    WHERE a.tenant_id = locked.id AND a.kind = remove_alias.kind
      AND a.value = tenancy.normalise_alias(remove_alias.kind, remove_alias.value);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant "%" has no alias %', locked.slug,
            coalesce(quote_literal(left(remove_alias.kind || ':' || remove_alias.value, 80)), 'NULL')
            USING ERRCODE = '42704', HINT = 'tenancy.tenant_alias lists the aliases of each tenant.';
    END IF;
    RETURN tenancy.bump_generation(locked.id, 'remove_alias', jsonb_build_object('kind', remove_alias.kind));
END
$$;
COMMENT ON FUNCTION tenancy.remove_alias(text, text, text, bigint) IS
'Takes an alias away; from then on it may be given to another tenant. Returns the new generation. Errors: TN004, 42704 the tenant has no such alias, TN016, 42501.';
