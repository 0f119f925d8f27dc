-- Setting values: given to tenants and tiers, and read.

CREATE FUNCTION tenancy.bump_tier(tier text, event text, detail jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- By id, as all that lock several tenants: so none of them waits for another in a circle.
    PERFORM FROM tenancy.tenant AS t WHERE t.tier = bump_tier.tier AND t.state <> 'erased'
    ORDER BY t.id FOR NO KEY UPDATE;
    UPDATE tenancy.tenant AS t SET generation = t.generation + 1, changed_at = clock_timestamp()
    WHERE t.tier = bump_tier.tier AND t.state <> 'erased';
    PERFORM tenancy.record_event(NULL, bump_tier.event, bump_tier.detail || jsonb_build_object('tier', bump_tier.tier));
    PERFORM tenancy.notify_lifecycle('*');
END
$$;
COMMENT ON FUNCTION tenancy.bump_tier(text, text, jsonb) IS
'Counts a change of what every tenant of a tier should be: one event, one notification. Internal.';

-- Locks the tier's row, and returns its name, when target is written tier:NAME; else NULL.
CREATE FUNCTION tenancy.lock_target_tier(target text, expected_generation bigint)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named text := substr(lock_target_tier.target, 6);
BEGIN
    IF starts_with(lock_target_tier.target, 'tier:') IS NOT TRUE THEN
        RETURN NULL;
    ELSIF lock_target_tier.expected_generation IS NOT NULL THEN
        RAISE EXCEPTION 'a tier has no generation' USING ERRCODE = '22023',
            HINT = 'Leave expected_generation out.';
    END IF;
    PERFORM tenancy.check_tier(named);
    -- FOR UPDATE waits for those who are coming into the tier: bump_tier() is to see each of them.
    PERFORM FROM tenancy.tier AS t WHERE t.name = named FOR UPDATE;
    RETURN named;
END
$$;
COMMENT ON FUNCTION tenancy.lock_target_tier(text, bigint) IS
'The tier that tier:NAME means, its row locked; NULL when the target is not written so. Errors: 42704, 22023. Internal.';

CREATE FUNCTION tenancy.set_setting(target text, key text, value jsonb, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked  tenancy.tenant;
    in_tier text;
BEGIN
    PERFORM tenancy.require_operator('admin');
    in_tier := tenancy.lock_target_tier(set_setting.target, set_setting.expected_generation);
    IF in_tier IS NOT NULL THEN
        PERFORM tenancy.store_setting(NULL, in_tier, set_setting.key, set_setting.value);
        PERFORM tenancy.bump_tier(in_tier, 'set_setting', jsonb_build_object('key', set_setting.key));
        RETURN NULL;
    END IF;
    locked := tenancy.lock_tenant(set_setting.target, set_setting.expected_generation);
    PERFORM tenancy.check_not_erased(locked);
    PERFORM tenancy.store_setting(locked.id, NULL, set_setting.key, set_setting.value);
    RETURN tenancy.bump_generation(locked.id, 'set_setting', jsonb_build_object('key', set_setting.key));
END
$$;
COMMENT ON FUNCTION tenancy.set_setting(text, text, jsonb, bigint) IS
'Gives a setting a value for one tenant, or for all tenants of a tier when target is written tier:NAME. Returns the tenant''s new generation, NULL for a tier (each of its tenants gets a new one). Errors: TN004, TN010 the tenant is being erased, TN014 the value does not satisfy the schema, or no store could hold it (with its JSON pointer), TN015 not defined, TN016, 42704 no such tier, 42501.';

CREATE FUNCTION tenancy.unset_setting(target text, key text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked  tenancy.tenant;
    in_tier text;
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.find_setting(unset_setting.key);
    in_tier := tenancy.lock_target_tier(unset_setting.target, unset_setting.expected_generation);
    IF in_tier IS NOT NULL THEN
        DELETE FROM tenancy.setting_value AS v WHERE v.tier = in_tier AND v.key = unset_setting.key;
        IF FOUND THEN
            PERFORM tenancy.bump_tier(in_tier, 'unset_setting', jsonb_build_object('key', unset_setting.key));
        END IF;
        RETURN NULL;
    END IF;
    locked := tenancy.lock_tenant(unset_setting.target, unset_setting.expected_generation);
    DELETE FROM tenancy.setting_value AS v WHERE v.tenant_id = locked.id AND v.key = unset_setting.key;
    IF NOT FOUND THEN
        RETURN locked.generation;
    END IF;
    RETURN tenancy.bump_generation(locked.id, 'unset_setting', jsonb_build_object('key', unset_setting.key));
END
$$;
COMMENT ON FUNCTION tenancy.unset_setting(text, text, bigint) IS
'Takes the value of a tenant, or of a tier (tier:NAME), away, so that the next wider one counts; without a value it changes nothing. Returns the tenant''s generation, NULL for a tier. Errors: TN004, TN015 not defined, TN016, 42704 no such tier, 42501.';

-- SECURITY DEFINER: the application reads its own tenant's values, never the table.
CREATE FUNCTION tenancy.setting(key text)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    here  uuid := tenancy.current_tenant_id();
    given jsonb;
BEGIN
    SELECT coalesce(
        (SELECT v.value FROM tenancy.setting_value AS v WHERE v.tenant_id = here AND v.key = d.key),
        (SELECT v.value FROM tenancy.setting_value AS v
         WHERE v.tier = (SELECT t.tier FROM tenancy.tenant AS t WHERE t.id = here) AND v.key = d.key),
        d.default_value, 'null')
    INTO given
    FROM tenancy.setting_definition AS d WHERE d.key = setting.key;
    IF given IS NULL THEN
        PERFORM tenancy.find_setting(setting.key);
    END IF;
    RETURN nullif(given, 'null');
END
$$;
COMMENT ON FUNCTION tenancy.setting(text) IS
'The value of a setting for the tenant of the context: its own, else its tier''s, else the default; NULL where there is none, and for JSON''s null. Errors: TN001 no context, TN015 not defined.';

CREATE FUNCTION tenancy.tenant_settings(tenant text)
RETURNS TABLE (key text, value jsonb, source text, description text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id uuid;
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'auditor', 'sidecar');
    found_id := tenancy.tenant_id(tenant_settings.tenant);
    RETURN QUERY
        SELECT d.key, coalesce(own.value, wide.value, d.default_value),
               CASE WHEN own.value IS NOT NULL THEN 'tenant' WHEN wide.value IS NOT NULL THEN 'tier'
                    WHEN d.default_value IS NOT NULL THEN 'default' END,
               d.description
        FROM tenancy.tenant AS t
        CROSS JOIN tenancy.setting_definition AS d
        LEFT JOIN tenancy.setting_value AS own ON own.tenant_id = t.id AND own.key = d.key
        LEFT JOIN tenancy.setting_value AS wide ON wide.tier = t.tier AND wide.key = d.key
        WHERE t.id = found_id ORDER BY d.key;
END
$$;
COMMENT ON FUNCTION tenancy.tenant_settings(text) IS
'Every defined setting with the value that counts for a tenant and where it comes from: tenant, tier, default, or NULL where there is none. For operators. Errors: TN004, 42501.';
