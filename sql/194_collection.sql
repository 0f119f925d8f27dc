-- Collections: what every tenant's database in a store of kind mongodb has, checked strictly, since a
-- template that a server refuses would stall every tenant.

CREATE FUNCTION tenancy.index_option_fault(option text, operand jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text := jsonb_typeof(index_option_fault.operand);
BEGIN
    RETURN CASE
        WHEN option = 'name' THEN
            CASE WHEN kind <> 'string' OR octet_length(operand #>> '{}') NOT BETWEEN 1 AND 127 OR operand #>> '{}' IN ('_id_', '*')
                 THEN 'name is a text of 1 to 127 bytes, and not _id_.' END
        WHEN option = 'keys' THEN
            CASE WHEN kind <> 'array' OR operand = '[]' THEN 'keys is an array of [field, direction].' END
        WHEN option IN ('unique', 'sparse') THEN CASE WHEN kind <> 'boolean' THEN 'It is true or false.' END
        WHEN option = 'ttl_seconds' THEN
            CASE WHEN kind <> 'number' OR operand::text !~ '^[0-9]{1,10}$' OR (operand #>> '{}')::numeric > 2147483647
                 THEN 'ttl_seconds is a whole number from 0 to 2147483647.' END
        WHEN option = 'partial' THEN CASE WHEN kind <> 'object' OR operand = '{}' THEN 'partial is an object that is not empty.' END
        WHEN option = 'collation' THEN
            CASE WHEN kind <> 'object' OR jsonb_typeof(operand -> 'locale') IS DISTINCT FROM 'string'
                 THEN 'collation is an object with a locale.' END
        ELSE 'An index has name, keys, unique, sparse, ttl_seconds, partial, collation.'
    END;
END
$$;
COMMENT ON FUNCTION tenancy.index_option_fault(text, jsonb) IS
'What is wrong with one member of an index''s definition, itself only; NULL when nothing is. Internal.';

CREATE FUNCTION tenancy.index_key_fault(key jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(index_key_fault.key) <> 'array' OR jsonb_array_length(index_key_fault.key) <> 2
       OR jsonb_typeof(index_key_fault.key -> 0) <> 'string' THEN
        RETURN 'A key is an array of a field and a direction.';
    ELSIF key ->> 0 !~ '^[^.$]+(\.[^.$]+)*$' OR octet_length(key ->> 0) > 255 THEN
        RETURN 'A field is a path of names with dots between them, without $.';
    ELSIF NOT key -> 1 <@ '[1, -1, "hashed", "text", "2d", "2dsphere"]' OR jsonb_typeof(key -> 1) NOT IN ('number', 'string') THEN
        RETURN 'A direction is 1, -1, "hashed", "text", "2d" or "2dsphere".';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tenancy.index_key_fault(jsonb) IS 'What is wrong with one key of an index; NULL when nothing is. Internal.';

CREATE FUNCTION tenancy.check_index(definition jsonb, pointer text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    d     jsonb := check_index.definition;
    entry record;
    fault text;
BEGIN
    IF jsonb_typeof(d) <> 'object' THEN
        PERFORM tenancy.refuse_store('collection', pointer, 'An index is an object.');
    END IF;
    FOR entry IN SELECT e.key, e.value FROM jsonb_each(d) AS e LOOP
        fault := tenancy.index_option_fault(entry.key, entry.value);
        IF fault IS NOT NULL THEN
            PERFORM tenancy.refuse_store('collection', tenancy.json_pointer(pointer, entry.key), fault);
        END IF;
    END LOOP;
    IF NOT d ?& ARRAY['name', 'keys'] THEN
        PERFORM tenancy.refuse_store('collection', pointer, 'An index has a name and keys.');
    END IF;
    FOR entry IN SELECT e.value, e.ordinality - 1 AS nth FROM jsonb_array_elements(d -> 'keys') WITH ORDINALITY AS e LOOP
        fault := tenancy.index_key_fault(entry.value);
        IF fault IS NOT NULL THEN
            PERFORM tenancy.refuse_store('collection', format('%s/keys/%s', pointer, entry.nth), fault);
        END IF;
    END LOOP;
    fault := CASE
        WHEN (SELECT count(*) > count(DISTINCT e -> 0) FROM jsonb_array_elements(d -> 'keys') AS e) THEN 'A field comes once.'
        WHEN jsonb_array_length(d -> 'keys') = 1 AND d #> '{keys,0}' = '["_id", 1]' THEN
            'Every collection has an index on _id, under the name _id_.'
        WHEN jsonb_array_length(d -> 'keys') > 32 THEN 'An index has at most 32 keys.'
        WHEN d ? 'ttl_seconds' AND (jsonb_array_length(d -> 'keys') > 1 OR d #>> '{keys,0,0}' = '_id'
             OR jsonb_typeof(d #> '{keys,0,1}') <> 'number') THEN 'ttl_seconds goes with a single field, ascending or descending, and not with _id.'
        WHEN d -> 'sparse' = 'true' AND d ? 'partial' THEN 'An index is sparse or partial, not both.'
        WHEN d -> 'unique' = 'true' AND d -> 'keys' @> '[["hashed"]]' THEN 'A hashed index is never unique.'
    END;
    IF fault IS NOT NULL THEN
        PERFORM tenancy.refuse_store('collection', pointer, fault);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_index(jsonb, text) IS
'Raises TN028, with the JSON pointer of the bad place, unless this defines an index. Internal.';

CREATE FUNCTION tenancy.check_collection(name text, validator jsonb, indexes jsonb)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry record;
BEGIN
    IF check_collection.name IS NULL OR check_collection.name COLLATE "C" !~ '^[A-Za-z_][A-Za-z0-9_.-]{0,119}$'
       OR check_collection.name ~ '\.\.|\.$' OR starts_with(check_collection.name, 'system.') OR check_collection.name = 'tenancy' THEN
        PERFORM tenancy.refuse_store('collection', '',
            'A name is [A-Za-z_][A-Za-z0-9_.-]{0,119}, and neither tenancy nor one that begins with system.');
    ELSIF jsonb_typeof(check_collection.validator) <> 'object' OR check_collection.validator = '{}' THEN
        PERFORM tenancy.refuse_store('collection', '', 'A validator is an object that is not empty; NULL accepts every document.');
    ELSIF jsonb_typeof(check_collection.indexes) IS DISTINCT FROM 'array' OR jsonb_array_length(check_collection.indexes) > 63 THEN
        PERFORM tenancy.refuse_store('collection', '', 'Indexes are an array of at most 63.');
    END IF;
    FOR entry IN SELECT e.value, e.ordinality - 1 AS nth FROM jsonb_array_elements(check_collection.indexes) WITH ORDINALITY AS e LOOP
        PERFORM tenancy.check_index(entry.value, '/' || entry.nth);
    END LOOP;
    IF (SELECT count(*) > count(DISTINCT e ->> 'name') FROM jsonb_array_elements(check_collection.indexes) AS e) THEN
        PERFORM tenancy.refuse_store('collection', '', 'The names of its indexes are different from each other.');
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_collection(text, jsonb, jsonb) IS 'Raises TN028 unless this defines a collection. Internal.';

CREATE FUNCTION tenancy.lock_store(name text)
RETURNS tenancy.store
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM tenancy.store AS s WHERE s.name = lock_store.name FOR NO KEY UPDATE;
    RETURN tenancy.find_store(lock_store.name);
END
$$;
COMMENT ON FUNCTION tenancy.lock_store(text) IS 'Locks an attached store against other changes and returns it; TN027. Internal.';

CREATE FUNCTION tenancy.define_collection(store text, name text, validator jsonb DEFAULT NULL, indexes jsonb DEFAULT '[]')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held tenancy.store;
BEGIN
    PERFORM tenancy.require_operator('admin');
    held := tenancy.lock_store(define_collection.store);
    IF held.kind <> 'mongodb' THEN
        PERFORM tenancy.refuse_store('collection', '', format('A store of kind %s has no collections.', held.kind));
    END IF;
    PERFORM tenancy.check_collection(define_collection.name, define_collection.validator, define_collection.indexes);
    INSERT INTO tenancy.store_collection AS c (store, name, validator, indexes)
    VALUES (held.name, define_collection.name, define_collection.validator, define_collection.indexes)
    ON CONFLICT ON CONSTRAINT store_collection_pkey DO UPDATE SET validator = excluded.validator, indexes = excluded.indexes
    WHERE (c.validator, c.indexes) IS DISTINCT FROM (excluded.validator, excluded.indexes);
    IF FOUND THEN
        PERFORM tenancy.touch_store(held.name);
        PERFORM tenancy.record_event(NULL, 'define_collection',
            jsonb_build_object('store', held.name, 'collection', define_collection.name));
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.define_collection(text, text, jsonb, jsonb) IS
'Has every tenant have a collection in a store of kind mongodb, or changes it for all of them; tenancy.status_report() shows how far that has come. validator is a query document ({"$jsonSchema": ...}); indexes an array of objects with name, keys ([["field", 1], ["other", -1]]; or "hashed", "text", "2d", "2dsphere" for the direction), and as needed unique, sparse, ttl_seconds (one field), partial (a filter), collation. Defining again what is defined changes nothing. Errors: TN027 no such store, TN028 not valid, with the JSON pointer of the bad place, 42501.';

CREATE FUNCTION tenancy.remove_collection(store text, name text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held tenancy.store;
BEGIN
    PERFORM tenancy.require_operator('admin');
    held := tenancy.lock_store(remove_collection.store);
    DELETE FROM tenancy.store_collection AS c WHERE c.store = held.name AND c.name = remove_collection.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'store "%" has no collection %', held.name, coalesce(quote_literal(left(remove_collection.name, 80)), 'NULL')
            USING ERRCODE = '42704', HINT = 'tenancy.store_collection lists them.';
    END IF;
    PERFORM tenancy.touch_store(held.name);
    PERFORM tenancy.record_event(NULL, 'remove_collection',
        jsonb_build_object('store', held.name, 'collection', remove_collection.name));
END
$$;
COMMENT ON FUNCTION tenancy.remove_collection(text, text) IS
'Takes a collection out of what tenants are to have. What they have of it stays, as an extra collection, which the store''s policy unknown_objects decides about. Errors: TN027 no such store, 42704 no such collection, 42501.';
