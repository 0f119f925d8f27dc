-- Tiers: the plans that tenants are on, with caps on session settings.

-- pg_restore loads the row of tier standard, which CREATE EXTENSION has already made.
CREATE FUNCTION tenancy.replace_builtin_tier()
RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.name = 'standard' THEN
        UPDATE tenancy.tier AS t SET description = NEW.description, limits = NEW.limits
        WHERE t.name = NEW.name;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION tenancy.replace_builtin_tier() IS
'Trigger: inserting the tier that the extension itself makes replaces it, so that dumps restore it as it was.';
CREATE TRIGGER replace_builtin BEFORE INSERT ON tenancy.tier
    FOR EACH ROW EXECUTE FUNCTION tenancy.replace_builtin_tier();
-- Also while a parallel restore keeps foreign keys from being checked.
ALTER TABLE tenancy.tier ENABLE ALWAYS TRIGGER replace_builtin;

CREATE FUNCTION tenancy.check_tier(tier text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM tenancy.tier AS t WHERE t.name = check_tier.tier) THEN
        RAISE EXCEPTION 'tier % does not exist', coalesce(quote_literal(left(check_tier.tier, 60)), 'NULL')
            USING ERRCODE = '42704',
                  HINT = 'Make it with tenancy.define_tier(), or choose one of tenancy.tier.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_tier(text) IS 'Raises 42704 unless there is such a tier. Internal.';

CREATE FUNCTION tenancy.canonical_limit(setting text, cap text)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known record;
    shown text;
    units numeric;
BEGIN
    SELECT s.context, s.vartype INTO known FROM pg_settings AS s WHERE s.name = canonical_limit.setting;
    IF NOT FOUND OR known.context <> 'user' OR known.vartype NOT IN ('integer', 'real') THEN
        RAISE EXCEPTION '"%" cannot be limited', left(canonical_limit.setting, 60)
            USING ERRCODE = '22023',
                  DETAIL = 'Limits are caps on numeric settings that any session may change, such as statement_timeout or work_mem.',
                  HINT = 'See pg_settings: vartype integer or real, context user.';
    END IF;
    -- The server itself reads the value; the block's rollback undoes the change. NULL would mean the default.
    BEGIN
        IF canonical_limit.cap IS NULL THEN
            RAISE invalid_parameter_value;
        END IF;
        PERFORM set_config(canonical_limit.setting, canonical_limit.cap, true);
        SELECT s.setting::numeric INTO units FROM pg_settings AS s WHERE s.name = canonical_limit.setting;
        shown := current_setting(canonical_limit.setting);
        RAISE EXCEPTION USING ERRCODE = 'TN000';
    EXCEPTION
        WHEN SQLSTATE 'TN000' THEN NULL;
        WHEN invalid_parameter_value OR invalid_text_representation OR numeric_value_out_of_range THEN
            units := NULL;
    END;
    IF units IS NULL OR units <= 0 THEN
        RAISE EXCEPTION 'the cap of "%" is not valid', canonical_limit.setting
            USING ERRCODE = '22023',
                  DETAIL = 'A cap is a value that the setting accepts, above zero: zero or less would mean no limit.',
                  HINT = 'Write a number in the setting''s own unit, or a text such as "30s" or "64MB".';
    END IF;
    RETURN shown;
END
$$;
COMMENT ON FUNCTION tenancy.canonical_limit(text, text) IS
'Checks one cap of a tier and returns it as SHOW would print it ("30s", "64MB"). Error: 22023 the setting cannot be limited or does not accept the value. Internal.';

CREATE FUNCTION tenancy.define_tier(name text, description text DEFAULT '', limits jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    canonical jsonb := '{}';
    entry     record;
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF define_tier.name IS NULL OR define_tier.name !~ '^[a-z][a-z0-9_]{0,30}$' THEN
        RAISE EXCEPTION 'tier name % is malformed', coalesce(quote_literal(left(define_tier.name, 60)), 'NULL')
            USING ERRCODE = 'TN011',
                  DETAIL = 'A tier''s name has 1 to 31 characters: lower-case letters, digits and underscores, a letter first.',
                  HINT = 'Choose a name of that form.';
    END IF;
    IF jsonb_typeof(define_tier.limits) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'limits must be a JSON object'
            USING ERRCODE = '22023', HINT = 'Write {"statement_timeout": "30s", "work_mem": "64MB"}.';
    END IF;
    FOR entry IN SELECT e.key, e.value FROM jsonb_each_text(define_tier.limits) AS e LOOP
        canonical := canonical || jsonb_build_object(entry.key, tenancy.canonical_limit(entry.key, entry.value));
    END LOOP;
    INSERT INTO tenancy.tier AS t (name, description, limits)
    VALUES (define_tier.name, coalesce(define_tier.description, ''), canonical)
    ON CONFLICT ON CONSTRAINT tier_pkey DO UPDATE SET description = excluded.description, limits = excluded.limits;
    PERFORM tenancy.record_event(NULL, 'define_tier', jsonb_build_object('tier', define_tier.name, 'limits', canonical));
END
$$;
COMMENT ON FUNCTION tenancy.define_tier(text, text, jsonb) IS
'Makes a tier or changes it. limits caps session settings in the contexts of its tenants, for example {"statement_timeout": "30s", "work_mem": "64MB"}: numeric settings that any session may change. Errors: TN011 malformed name, 22023 a limit that cannot be, 42501.';

CREATE FUNCTION tenancy.remove_tier(name text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_tier(remove_tier.name);
    IF remove_tier.name = 'standard' OR EXISTS (SELECT FROM tenancy.tenant AS t WHERE t.tier = remove_tier.name) THEN
        RAISE EXCEPTION 'tier "%" is in use', remove_tier.name
            USING ERRCODE = '55006',
                  DETAIL = 'Tenants are on it (erased ones count), or it is the tier of tenants that name none.',
                  HINT = 'Move its tenants with tenancy.set_tier() first.';
    END IF;
    DELETE FROM tenancy.setting_value AS v WHERE v.tier = remove_tier.name;
    DELETE FROM tenancy.onboarding_step AS s WHERE s.tier = remove_tier.name;
    DELETE FROM tenancy.tier AS t WHERE t.name = remove_tier.name;
    PERFORM tenancy.record_event(NULL, 'remove_tier', jsonb_build_object('tier', remove_tier.name));
END
$$;
COMMENT ON FUNCTION tenancy.remove_tier(text) IS
'Removes a tier that no tenant is on, with its settings and its checklist. Errors: 42704 no such tier, 55006 in use, 42501.';

CREATE FUNCTION tenancy.set_tier(tenant text, tier text, expected_generation bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.check_tier(set_tier.tier);
    locked := tenancy.lock_tenant(set_tier.tenant, set_tier.expected_generation);
    PERFORM tenancy.check_not_erased(locked);
    IF locked.tier = set_tier.tier THEN
        RETURN locked.generation;
    END IF;
    UPDATE tenancy.tenant AS t SET tier = set_tier.tier WHERE t.id = locked.id;
    RETURN tenancy.bump_generation(locked.id, 'set_tier', jsonb_build_object('from', locked.tier, 'to', set_tier.tier));
END
$$;
COMMENT ON FUNCTION tenancy.set_tier(text, text, bigint) IS
'Moves a tenant to another tier: its settings and limits count from the next transaction on; the checklist it was provisioned with stays. Returns the generation. Errors: TN004, 42704 no such tier, TN010 the tenant is being erased, TN016, 42501.';
