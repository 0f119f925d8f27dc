-- Settings: defined once, given to a tier or a tenant, read by the application in its context.
-- They serve as feature flags too.

CREATE TABLE tenancy.setting_definition (
    key           text COLLATE "C" PRIMARY KEY CHECK (key ~ '^[a-z][a-z0-9_.-]{0,62}$'),
    schema        jsonb NOT NULL,
    default_value jsonb,
    secret        boolean NOT NULL DEFAULT false,
    description   text NOT NULL DEFAULT ''
);
COMMENT ON TABLE tenancy.setting_definition IS
'The settings there are: the schema their values satisfy (a subset of JSON Schema 2020-12) and their defaults.';

CREATE TABLE tenancy.setting_value (
    tenant_id  uuid REFERENCES tenancy.tenant,
    tier       text REFERENCES tenancy.tier,
    key        text COLLATE "C" NOT NULL REFERENCES tenancy.setting_definition,
    value      jsonb NOT NULL,
    changed_by name NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(tenant_id, tier) = 1)
);
CREATE UNIQUE INDEX setting_value_tenant_idx ON tenancy.setting_value (tenant_id, key) WHERE tenant_id IS NOT NULL;
CREATE UNIQUE INDEX setting_value_tier_idx ON tenancy.setting_value (tier, key) WHERE tier IS NOT NULL;
CREATE INDEX setting_value_key_idx ON tenancy.setting_value (key);
COMMENT ON TABLE tenancy.setting_value IS
'What tenants and tiers have set. A tenant''s value goes before its tier''s, that before the default.';

CREATE FUNCTION tenancy.find_setting(key text)
RETURNS tenancy.setting_definition
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found tenancy.setting_definition;
BEGIN
    SELECT d.* INTO found FROM tenancy.setting_definition AS d WHERE d.key = find_setting.key;
    IF found.key IS NULL THEN
        RAISE EXCEPTION 'setting % is not defined', coalesce(quote_literal(left(find_setting.key, 80)), 'NULL')
            USING ERRCODE = 'TN015', HINT = 'Operators define settings with tenancy.define_setting().';
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION tenancy.find_setting(text) IS 'The definition of a setting; TN015 when there is none. Internal.';

CREATE FUNCTION tenancy.define_setting(
    key text, schema jsonb, default_value jsonb DEFAULT NULL, secret boolean DEFAULT false, description text DEFAULT '')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given record;
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF define_setting.key IS NULL OR define_setting.key COLLATE "C" !~ '^[a-z][a-z0-9_.-]{0,62}$' THEN
        RAISE EXCEPTION 'setting name % is malformed', coalesce(quote_literal(left(define_setting.key, 80)), 'NULL')
            USING ERRCODE = 'TN011', DETAIL = 'A name is [a-z][a-z0-9_.-]{0,62}.', HINT = 'Choose a name of that form.';
    ELSIF define_setting.secret IS DISTINCT FROM false THEN
        RAISE EXCEPTION 'secret settings are not supported yet'
            USING ERRCODE = '0A000',
                  DETAIL = 'They would be kept in clear, and be in every dump.',
                  HINT = 'Keep secrets elsewhere until tenants have keys.';
    END IF;
    PERFORM tenancy.check_setting_schema(define_setting.schema);
    IF define_setting.default_value IS NOT NULL THEN
        PERFORM tenancy.check_storable(define_setting.default_value);
        PERFORM tenancy.check_setting_value(define_setting.schema, define_setting.default_value);
    END IF;
    -- Against values that are being set at this moment by the definition as it was.
    LOCK TABLE tenancy.setting_value IN SHARE ROW EXCLUSIVE MODE;
    FOR given IN
        SELECT coalesce(t.slug, 'tier:' || v.tier) AS target, v.value
        FROM tenancy.setting_value AS v LEFT JOIN tenancy.tenant AS t ON t.id = v.tenant_id
        WHERE v.key = define_setting.key
    LOOP
        BEGIN
            PERFORM tenancy.check_setting_value(define_setting.schema, given.value);
        EXCEPTION WHEN SQLSTATE 'TN014' THEN
            RAISE EXCEPTION '%: of %', SQLERRM, given.target
                USING ERRCODE = 'TN014',
                      DETAIL = 'A value that was set earlier does not satisfy the new schema.',
                      HINT = 'Change that value with tenancy.set_setting() first, or keep the schema wider.';
        END;
    END LOOP;
    INSERT INTO tenancy.setting_definition (key, schema, default_value, secret, description)
    VALUES (define_setting.key, define_setting.schema, define_setting.default_value, false,
            coalesce(define_setting.description, ''))
    ON CONFLICT ON CONSTRAINT setting_definition_pkey DO UPDATE
    SET schema = excluded.schema, default_value = excluded.default_value, description = excluded.description;
    PERFORM tenancy.touch_store(s.name) FROM tenancy.store AS s WHERE s.state = 'attached' ORDER BY s.name;
    PERFORM tenancy.record_event(NULL, 'define_setting', jsonb_build_object('key', define_setting.key));
    PERFORM tenancy.notify_lifecycle('*');
END
$$;
COMMENT ON FUNCTION tenancy.define_setting(text, jsonb, jsonb, boolean, text) IS
'Defines a setting or changes its definition; values that are set must satisfy the new schema. schema is a subset of JSON Schema 2020-12: type, enum, const, minimum, maximum, minLength, maxLength, pattern (a PostgreSQL regular expression), items, minItems, maxItems, uniqueItems, properties, required, additionalProperties; any other keyword is refused. default is the value where neither tenant nor tier has one; NULL means none. A value is of at most 64 kB and nested at most 64 levels deep, its numbers are those of a double (up to 1.7976931348623157e308), and whole ones beyond 64 bits have at most 15 significant digits; a fraction is rounded to a double where stores show it. secret must be false for now. Errors: TN011 malformed name, TN014 schema, default or an existing value not valid (with its JSON pointer), 0A000 secret, 42501.';

CREATE FUNCTION tenancy.remove_setting(key text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    PERFORM tenancy.find_setting(remove_setting.key);
    DELETE FROM tenancy.setting_value AS v WHERE v.key = remove_setting.key;
    DELETE FROM tenancy.setting_definition AS d WHERE d.key = remove_setting.key;
    PERFORM tenancy.touch_store(s.name) FROM tenancy.store AS s WHERE s.state = 'attached' ORDER BY s.name;
    PERFORM tenancy.record_event(NULL, 'remove_setting', jsonb_build_object('key', remove_setting.key));
    PERFORM tenancy.notify_lifecycle('*');
END
$$;
COMMENT ON FUNCTION tenancy.remove_setting(text) IS
'Removes a setting''s definition and every value of it. Errors: TN015 not defined, 42501.';

CREATE FUNCTION tenancy.store_setting(tenant uuid, tier text, key text, value jsonb, pointer text DEFAULT '')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    definition tenancy.setting_definition;
BEGIN
    -- The lock keeps define_setting() out until the value, checked by this definition, is there.
    LOCK TABLE tenancy.setting_value IN ROW EXCLUSIVE MODE;
    definition := tenancy.find_setting(store_setting.key);
    IF store_setting.value IS NULL THEN
        PERFORM tenancy.refuse_setting(store_setting.pointer, 'A value is JSON; its null is written ''null''.');
    END IF;
    PERFORM tenancy.check_storable(store_setting.value, store_setting.pointer);
    PERFORM tenancy.check_setting_value(definition.schema, store_setting.value, store_setting.pointer);
    UPDATE tenancy.setting_value AS v
    SET value = store_setting.value, changed_by = pg_get_userbyid(tenancy.outer_role()), changed_at = now()
    WHERE v.key = store_setting.key AND (v.tenant_id = store_setting.tenant OR v.tier = store_setting.tier);
    IF NOT FOUND THEN
        INSERT INTO tenancy.setting_value (tenant_id, tier, key, value, changed_by)
        VALUES (store_setting.tenant, store_setting.tier, store_setting.key, store_setting.value,
                pg_get_userbyid(tenancy.outer_role()));
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.store_setting(uuid, text, text, jsonb, text) IS
'Validates one value and keeps it for a tenant or a tier, whose row the caller has locked; pointer says where in the caller''s input the value stands. Errors: TN014, TN015. Internal.';
