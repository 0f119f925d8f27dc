-- The schemas of settings: a small, strictly checked subset of JSON Schema 2020-12. A keyword that
-- is not of the subset is refused when the setting is defined, never ignored.
--   any value: type enum const     numbers: minimum maximum     texts: minLength maxLength pattern
--   arrays: items minItems maxItems uniqueItems     objects: properties required additionalProperties
-- pattern is a PostgreSQL (advanced) regular expression, not anchored. Everything else means what it
-- means in JSON Schema; in particular a keyword says nothing about values of other types.

CREATE FUNCTION tenancy.refuse_setting(pointer text, why text, subject text DEFAULT 'value')
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the % is not valid%', refuse_setting.subject,
            CASE WHEN refuse_setting.pointer <> '' THEN format(' at "%s"', refuse_setting.pointer) ELSE '' END
        USING ERRCODE = 'TN014', DETAIL = refuse_setting.why,
              HINT = CASE refuse_setting.subject
                  WHEN 'schema' THEN 'Use only: type, enum, const, minimum, maximum, minLength, maxLength, pattern, items, minItems, maxItems, uniqueItems, properties, required, additionalProperties.'
                  ELSE 'tenancy.setting_definition holds the schema of each setting.' END;
END
$$;
COMMENT ON FUNCTION tenancy.refuse_setting(text, text, text) IS
'Raises TN014; the message holds the JSON pointer of the bad place, unless that is the whole value, the detail what is wrong there, never the value itself. Internal.';

CREATE FUNCTION tenancy.json_pointer(pointer text, step text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT $1 || '/' || replace(replace($2, '~', '~0'), '/', '~1') $$;
COMMENT ON FUNCTION tenancy.json_pointer(text, text) IS 'The JSON pointer (RFC 6901) one step further down. Internal.';

CREATE FUNCTION tenancy.keyword_fault(keyword text, operand jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text := jsonb_typeof(keyword_fault.operand);
BEGIN
    CASE
        WHEN keyword_fault.keyword = 'type' THEN
            IF kind = 'string' OR (kind = 'array' AND jsonb_array_length(operand) > 0
                AND (SELECT bool_and(jsonb_typeof(e) = 'string') AND count(*) = count(DISTINCT e)
                     FROM jsonb_array_elements(operand) AS e))
            THEN
                IF operand <@ '["null", "boolean", "object", "array", "number", "integer", "string"]' THEN
                    RETURN NULL;
                END IF;
            END IF;
            RETURN 'type is one of null, boolean, object, array, number, integer, string, or an array of different ones.';
        WHEN keyword_fault.keyword = 'const' THEN
            RETURN NULL;
        WHEN keyword_fault.keyword = 'enum' THEN
            RETURN CASE WHEN kind <> 'array' OR operand = '[]' THEN 'enum is an array of at least one value.' END;
        WHEN keyword_fault.keyword IN ('minimum', 'maximum') THEN
            RETURN CASE WHEN kind <> 'number' THEN 'The keyword takes a number.' END;
        WHEN keyword_fault.keyword IN ('minLength', 'maxLength', 'minItems', 'maxItems') THEN
            RETURN CASE WHEN kind <> 'number' OR operand::text !~ '^[0-9]{1,9}$' THEN 'The keyword takes a whole number from 0.' END;
        WHEN keyword_fault.keyword = 'uniqueItems' THEN
            RETURN CASE WHEN kind <> 'boolean' THEN 'The keyword takes true or false.' END;
        WHEN keyword_fault.keyword = 'required' THEN
            RETURN CASE WHEN kind <> 'array' OR EXISTS (
                SELECT FROM jsonb_array_elements(CASE kind WHEN 'array' THEN operand ELSE '[]' END) AS e
                WHERE jsonb_typeof(e) <> 'string') THEN 'required is an array of names.' END;
        WHEN keyword_fault.keyword = 'pattern' THEN
            IF kind <> 'string' OR length(operand #>> '{}') > 1000 THEN
                RETURN 'pattern is a regular expression of at most 1000 characters.';
            END IF;
            BEGIN
                PERFORM '' ~ (operand #>> '{}');
            EXCEPTION WHEN invalid_regular_expression THEN
                RETURN 'pattern is not a valid regular expression.';
            END;
            RETURN NULL;
        WHEN keyword_fault.keyword IN ('items', 'properties', 'additionalProperties') THEN
            RETURN CASE WHEN kind <> 'object' AND NOT (keyword = 'additionalProperties' AND kind = 'boolean')
                THEN 'The keyword takes an object.' END;
        ELSE
            RETURN 'This keyword is not supported.';
    END CASE;
END
$$;
COMMENT ON FUNCTION tenancy.keyword_fault(text, jsonb) IS
'What is wrong with one keyword of a setting''s schema, itself only; NULL when nothing is. Internal.';

CREATE FUNCTION tenancy.check_setting_schema(schema jsonb, pointer text DEFAULT '')
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry record;
    inner_entry record;
    fault text;
    below text;
BEGIN
    IF jsonb_typeof(check_setting_schema.schema) IS DISTINCT FROM 'object' THEN
        PERFORM tenancy.refuse_setting(pointer, 'A schema is a JSON object.', 'schema');
    END IF;
    FOR entry IN SELECT e.key, e.value FROM jsonb_each(check_setting_schema.schema) AS e LOOP
        below := tenancy.json_pointer(pointer, entry.key);
        fault := tenancy.keyword_fault(entry.key, entry.value);
        IF fault IS NOT NULL THEN
            PERFORM tenancy.refuse_setting(below, fault, 'schema');
        END IF;
        IF entry.key = 'properties' THEN
            FOR inner_entry IN SELECT e.key, e.value FROM jsonb_each(entry.value) AS e LOOP
                PERFORM tenancy.check_setting_schema(inner_entry.value, tenancy.json_pointer(below, inner_entry.key));
            END LOOP;
        ELSIF entry.key IN ('items', 'additionalProperties') AND jsonb_typeof(entry.value) = 'object' THEN
            PERFORM tenancy.check_setting_schema(entry.value, below);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.check_setting_schema(jsonb, text) IS
'Raises TN014 with the JSON pointer of the first keyword that is unknown or not of its form. Internal.';

CREATE FUNCTION tenancy.is_json_type(value jsonb, types jsonb)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT $2 @> to_jsonb(jsonb_typeof($1))
        OR ($2 @> '"integer"' AND jsonb_typeof($1) = 'number'
            AND CASE WHEN jsonb_typeof($1) = 'number' THEN ($1 #>> '{}')::numeric = trunc(($1 #>> '{}')::numeric) END)
$$;
COMMENT ON FUNCTION tenancy.is_json_type(jsonb, jsonb) IS
'Whether a value is of a type, or one of an array of types, of JSON Schema; 1.0 is an integer there. Internal.';

CREATE FUNCTION tenancy.check_scalar(schema jsonb, value jsonb, pointer text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind   text := jsonb_typeof(check_scalar.value);
    as_text text := CASE WHEN kind IN ('string', 'number') THEN check_scalar.value #>> '{}' END;
    fault  text;
BEGIN
    fault := CASE
        WHEN NOT tenancy.is_json_type(value, schema -> 'type') THEN format('It must be of type %s.', schema ->> 'type')
        WHEN schema ? 'const' AND schema -> 'const' <> value THEN format('It must be %s.', schema ->> 'const')
        WHEN schema ? 'enum' AND NOT EXISTS (SELECT FROM jsonb_array_elements(schema -> 'enum') AS e WHERE e = check_scalar.value)
            THEN format('It must be one of %s.', schema ->> 'enum')
    END;
    IF fault IS NULL AND kind = 'number' THEN
        fault := CASE
            WHEN as_text::numeric < (schema ->> 'minimum')::numeric THEN format('It must be at least %s.', schema ->> 'minimum')
            WHEN as_text::numeric > (schema ->> 'maximum')::numeric THEN format('It must be at most %s.', schema ->> 'maximum')
        END;
    ELSIF fault IS NULL AND kind = 'string' THEN
        fault := CASE
            WHEN length(as_text) < (schema ->> 'minLength')::integer THEN format('It must have at least %s characters.', schema ->> 'minLength')
            WHEN length(as_text) > (schema ->> 'maxLength')::integer THEN format('It must have at most %s characters.', schema ->> 'maxLength')
            WHEN as_text !~ (schema ->> 'pattern') THEN format('It must match the pattern %s.', schema ->> 'pattern')
        END;
    END IF;
    IF fault IS NOT NULL THEN
        PERFORM tenancy.refuse_setting(check_scalar.pointer, fault);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_scalar(jsonb, jsonb, text) IS
'Checks a value against type, const, enum and the keywords for numbers and texts; TN014. Internal.';

CREATE FUNCTION tenancy.check_setting_value(schema jsonb, value jsonb, pointer text DEFAULT '')
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind    text := jsonb_typeof(check_setting_value.value);
    entry   record;
    fault   text;
    further jsonb := schema -> 'additionalProperties';
BEGIN
    PERFORM tenancy.check_scalar(schema, value, pointer);
    IF kind = 'array' THEN
        fault := CASE
            WHEN jsonb_array_length(value) < (schema ->> 'minItems')::integer THEN format('It must have at least %s items.', schema ->> 'minItems')
            WHEN jsonb_array_length(value) > (schema ->> 'maxItems')::integer THEN format('It must have at most %s items.', schema ->> 'maxItems')
            WHEN schema -> 'uniqueItems' = 'true' AND (SELECT count(*) > count(DISTINCT e) FROM jsonb_array_elements(value) AS e)
                THEN 'Its items must be different from each other.'
        END;
        IF fault IS NOT NULL THEN
            PERFORM tenancy.refuse_setting(pointer, fault);
        END IF;
        IF schema ? 'items' THEN
            FOR entry IN SELECT e.value, e.ordinality - 1 AS nth FROM jsonb_array_elements(check_setting_value.value) WITH ORDINALITY AS e LOOP
                PERFORM tenancy.check_setting_value(schema -> 'items', entry.value, tenancy.json_pointer(pointer, entry.nth::text));
            END LOOP;
        END IF;
    ELSIF kind = 'object' THEN
        SELECT e INTO fault FROM jsonb_array_elements_text(schema -> 'required') AS e
        WHERE NOT check_setting_value.value ? e LIMIT 1;
        IF fault IS NOT NULL THEN
            PERFORM tenancy.refuse_setting(pointer, format('It must have the member "%s".', fault));
        END IF;
        FOR entry IN SELECT e.key, e.value FROM jsonb_each(check_setting_value.value) AS e LOOP
            IF schema -> 'properties' ? entry.key THEN
                PERFORM tenancy.check_setting_value(schema -> 'properties' -> entry.key, entry.value,
                    tenancy.json_pointer(pointer, entry.key));
            ELSIF further = 'false' THEN
                PERFORM tenancy.refuse_setting(tenancy.json_pointer(pointer, entry.key), 'No such member is allowed.');
            ELSIF jsonb_typeof(further) = 'object' THEN
                PERFORM tenancy.check_setting_value(further, entry.value, tenancy.json_pointer(pointer, entry.key));
            END IF;
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_setting_value(jsonb, jsonb, text) IS
'Raises TN014 with the JSON pointer of the first place where the value does not satisfy the schema. Internal.';

-- Stores hold numbers as doubles or as integers of 64 bits, and documents of a limited depth. What
-- they cannot hold must not become a setting: it would keep everything else of the tenant back, too.
CREATE FUNCTION tenancy.number_fault(number numeric)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN abs($1) > 1.7976931348623157e308 THEN 'A number is at most 1.7976931348623157e308, as a double.'
        WHEN $1 BETWEEN -9223372036854775808 AND 9223372036854775807 OR trunc($1) <> $1 THEN NULL
        -- A double is converted with the 15 digits that it holds in any case.
        WHEN $1::double precision::numeric <> $1
            THEN 'A whole number beyond 64 bits has at most 15 significant digits; keep longer ones as a text.'
    END
$$;
COMMENT ON FUNCTION tenancy.number_fault(numeric) IS
'Why a number of a setting cannot be kept by every store as it is; NULL when it can. Internal.';

CREATE FUNCTION tenancy.check_storable(value jsonb, pointer text DEFAULT '')
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deepest CONSTANT integer := 64;
    bad     record;
BEGIN
    IF pg_column_size(check_storable.value) > 65536 THEN
        PERFORM tenancy.refuse_setting(check_storable.pointer, 'A value is JSON of at most 64 kB.');
    END IF;
    WITH RECURSIVE part AS (
        SELECT check_storable.value AS value, check_storable.pointer AS pointer, 0 AS depth
        UNION ALL
        SELECT e.value, p.pointer || '/' || replace(replace(e.step, '~', '~0'), '/', '~1'), p.depth + 1
        FROM part AS p CROSS JOIN LATERAL (
            SELECT a.value, (a.nth - 1)::text AS step
            FROM jsonb_array_elements(CASE jsonb_typeof(p.value) WHEN 'array' THEN p.value ELSE '[]' END)
                WITH ORDINALITY AS a(value, nth)
            UNION ALL
            SELECT m.value, m.key
            FROM jsonb_each(CASE jsonb_typeof(p.value) WHEN 'object' THEN p.value ELSE '{}' END) AS m
        ) AS e
        WHERE p.depth < deepest
    )
    SELECT f.pointer, f.fault INTO bad
    FROM (
        SELECT p.pointer, CASE
            WHEN p.depth = deepest AND jsonb_typeof(p.value) IN ('array', 'object')
                THEN format('A value is nested at most %s levels deep.', deepest)
            WHEN jsonb_typeof(p.value) = 'number' THEN tenancy.number_fault((p.value #>> '{}')::numeric)
        END AS fault
        FROM part AS p
    ) AS f
    WHERE f.fault IS NOT NULL LIMIT 1;
    IF bad.fault IS NOT NULL THEN
        PERFORM tenancy.refuse_setting(bad.pointer, bad.fault);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_storable(jsonb, text) IS
'Raises TN014 with the JSON pointer of a number or a nesting that not every store can hold, or where the value is beyond 64 kB. Internal.';
