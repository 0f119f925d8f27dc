-- Attaching, changing and forgetting stores.

CREATE FUNCTION tenancy.refuse_store(subject text, pointer text, why text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the % is not valid%', refuse_store.subject,
            CASE WHEN refuse_store.pointer <> '' THEN format(' at "%s"', refuse_store.pointer) ELSE '' END
        USING ERRCODE = 'TN028', DETAIL = refuse_store.why,
              HINT = 'See tenancy.define_store() and tenancy.define_collection() for what a definition may hold.';
END
$$;
COMMENT ON FUNCTION tenancy.refuse_store(text, text, text) IS
'Raises TN028; the message holds the JSON pointer of the bad place where there is one, the detail what is wrong. Internal.';

CREATE FUNCTION tenancy.check_store_options(kind text, options jsonb)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry record;
BEGIN
    IF jsonb_typeof(check_store_options.options) IS DISTINCT FROM 'object' THEN
        PERFORM tenancy.refuse_store('store''s options', '', 'Options are a JSON object.');
    END IF;
    FOR entry IN SELECT e.key, e.value FROM jsonb_each(check_store_options.options) AS e LOOP
        IF check_store_options.kind <> 'mongodb' OR entry.key <> 'max_namespaces' THEN
            PERFORM tenancy.refuse_store('store''s options', tenancy.json_pointer('', entry.key),
                format('A store of kind %s has no such option.', check_store_options.kind));
        ELSIF jsonb_typeof(entry.value) <> 'number' OR entry.value::text !~ '^[1-9][0-9]{0,9}$' THEN
            PERFORM tenancy.refuse_store('store''s options', '/max_namespaces', 'It is a whole number from 1.');
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenancy.check_store_options(text, jsonb) IS
'Raises TN028 unless the options are those of a store of this kind. Internal.';

CREATE FUNCTION tenancy.check_store(definition tenancy.store)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    d     tenancy.store := check_store.definition;
    wrong text := CASE
        WHEN d.name IS NULL OR d.name !~ '^[a-z][a-z0-9_]{0,30}$' THEN
            'A store''s name has 1 to 31 characters: lower-case letters, digits and underscores, a letter first.'
        WHEN coalesce(d.kind, '') NOT IN ('mongodb', 'redis') THEN 'The kind of a store is mongodb or redis.'
        WHEN d.required_for IS NULL OR array_position(d.required_for, NULL) IS NOT NULL
             OR NOT d.required_for <@ ARRAY['provision', 'suspend', 'erase'] THEN
            'required_for holds some of provision, suspend, erase.'
        WHEN coalesce(d.unknown_objects, '') NOT IN ('report', 'adopt', 'prune') THEN 'unknown_objects is report, adopt or prune.'
        WHEN coalesce(d.on_missing_stamp, '') NOT IN ('observe', 'stamp') THEN 'on_missing_stamp is observe or stamp.'
        WHEN d.on_missing_stamp = 'stamp' AND 'erase' = ANY (d.required_for) THEN
            'A store that is required for erase cannot have on_missing_stamp stamp: an empty server under its name would prove that tenants are gone.'
        WHEN coalesce(d.layout, '') NOT IN ('database', 'shared') THEN 'The layout of a store is database.'
        WHEN coalesce(d.users, '') NOT IN ('external', 'managed') THEN 'The users of a store are external.'
    END;
BEGIN
    IF wrong IS NOT NULL THEN
        PERFORM tenancy.refuse_store('store', '', wrong);
    ELSIF d.layout = 'shared' OR d.users = 'managed' THEN
        RAISE EXCEPTION '% is not supported yet', CASE d.layout WHEN 'shared' THEN 'layout shared' ELSE 'users managed' END
            USING ERRCODE = '0A000', HINT = 'Use layout database and users external: the application logs in with credentials of its own.';
    END IF;
    PERFORM tenancy.check_store_options(d.kind, d.options);
END
$$;
COMMENT ON FUNCTION tenancy.check_store(tenancy.store) IS
'Raises TN028 unless this can be a store, 0A000 for what is reserved. Internal.';

CREATE FUNCTION tenancy.expect_tenants(store text, erased_too boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- It reads everything, also when a claim calls it, which forbids the plans for that.
SET enable_seqscan = on
SET enable_hashjoin = on
SET enable_nestloop = off
SET jit = off
AS $$
DECLARE
    present jsonb := tenancy.next_conditions(NULL, 'pending', true, clock_timestamp());
    absent  jsonb := tenancy.next_conditions(NULL, 'pending', false, clock_timestamp());
BEGIN
    INSERT INTO tenancy.tenant_store (tenant_id, store, desired_generation, to_erase, conditions)
    SELECT t.id, expect_tenants.store, t.generation, NOT t.wanted, CASE WHEN t.wanted THEN present ELSE absent END
    FROM (SELECT a.*, tenancy.is_wanted(a.state, a.erase_started_at) AS wanted FROM tenancy.tenant AS a) AS t
    WHERE t.state <> 'erased' OR expect_tenants.erased_too
    ON CONFLICT DO NOTHING;
    INSERT INTO tenancy.store_mark (store, tenant_id, urgent, to_erase, fresh)
    SELECT s.store, s.tenant_id,
           s.observed_generation < t.generation AND t.state IN ('read_only', 'suspended', 'archived', 'erasing'),
           NOT tenancy.is_wanted(t.state, t.erase_started_at), true
    FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id JOIN tenancy.store AS d ON d.name = s.store
    WHERE s.store = expect_tenants.store AND (s.due_at IS NULL OR s.attempts > 0)
      AND (s.observed_generation < t.generation OR (s.observed_store_generation < d.generation AND t.state <> 'erased'))
      AND NOT EXISTS (
          SELECT FROM tenancy.store_mark AS m WHERE m.store = s.store AND m.tenant_id = s.tenant_id AND m.fresh
          AND m.to_erase <> tenancy.is_wanted(t.state, t.erase_started_at));
END
$$;
COMMENT ON FUNCTION tenancy.expect_tenants(text, boolean) IS
'Makes the rows of a store for all tenants, those that are erased only when asked to, and marks those that are behind and will not be looked at at once anyway. Internal.';

CREATE FUNCTION tenancy.expect_tenant(tenant uuid, tier text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Until the end of the transaction no store of these is forgotten.
    PERFORM FROM tenancy.store AS s WHERE s.state = 'attached' ORDER BY s.name FOR KEY SHARE;
    INSERT INTO tenancy.tenant_store (tenant_id, store, desired_generation, conditions)
    SELECT expect_tenant.tenant, s.name, 1,
           tenancy.next_conditions(NULL, 'pending', true, clock_timestamp())
    FROM tenancy.store AS s WHERE s.state = 'attached';
    INSERT INTO tenancy.tenant_onboarding (tenant_id, step, position, kind, store)
    SELECT expect_tenant.tenant, 'store:' || s.name,
           (SELECT greatest(coalesce(min(o.position), 1), -2147483647) - 1 FROM tenancy.onboarding_step AS o
            WHERE o.tier = expect_tenant.tier), 'store', s.name
    FROM tenancy.store AS s
    WHERE s.state = 'attached' AND 'provision' = ANY (s.required_for) AND NOT EXISTS (
        SELECT FROM tenancy.onboarding_step AS o
        WHERE o.tier = expect_tenant.tier AND o.kind = 'store' AND o.store = s.name);
END
$$;
COMMENT ON FUNCTION tenancy.expect_tenant(uuid, text) IS
'Makes the rows of a new tenant for every attached store, and the steps of its onboarding that wait for one. Internal.';

-- Who provisions or changes a tenant while the store is being attached or changed does not see that, and
-- who attaches or changes it does not see them. So all tenants are compared at once, and once more when
-- all that had begun by then is over.
CREATE FUNCTION tenancy.settle_store(name text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held tenancy.store;
BEGIN
    SELECT s.* INTO held FROM tenancy.store AS s
    WHERE s.name = settle_store.name AND s.state = 'attached' AND NOT s.settled FOR NO KEY UPDATE SKIP LOCKED;
    IF held.name IS NULL THEN
        RETURN;
    ELSIF held.settle_horizon IS NULL THEN
        PERFORM tenancy.expect_tenants(held.name, false);
        UPDATE tenancy.store AS s SET settle_horizon = pg_snapshot_xmax(pg_current_snapshot()) WHERE s.name = held.name;
    ELSIF pg_snapshot_xmin(pg_current_snapshot()) >= held.settle_horizon AND NOT EXISTS (
        -- Snapshots of REPEATABLE READ see the past also once they begin to write.
        SELECT FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND a.backend_type NOT IN ('walsender', 'autovacuum worker')
          AND age(a.backend_xmin) > age(held.settle_horizon::xid)) THEN
        PERFORM tenancy.expect_tenants(held.name, false);
        UPDATE tenancy.store AS s SET settled = true, settle_horizon = NULL WHERE s.name = held.name;
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.settle_store(text) IS
'Marks the tenants that are behind a store''s definition, and once more those of transactions that began before the store was attached or changed, when these have ended. Internal.';

CREATE FUNCTION tenancy.touch_store(name text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE tenancy.store AS s SET generation = s.generation + 1, settled = false, settle_horizon = NULL
    WHERE s.name = touch_store.name;
    PERFORM tenancy.notify_lifecycle('*');
END
$$;
COMMENT ON FUNCTION tenancy.touch_store(text) IS
'Counts a change that every tenant in a store has to follow; the next claim marks them. Internal.';

CREATE FUNCTION tenancy.attach_store(definition tenancy.store)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    d    tenancy.store := attach_store.definition;
    held tenancy.store;
BEGIN
    INSERT INTO tenancy.store AS s (name, kind, required_for, layout, users, unknown_objects, on_missing_stamp, options, description)
    VALUES (d.name, d.kind, d.required_for, d.layout, d.users, d.unknown_objects, d.on_missing_stamp, d.options, d.description)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM tenancy.expect_tenants(d.name, false);
        RETURN;
    END IF;
    SELECT s.* INTO STRICT held FROM tenancy.store AS s WHERE s.name = d.name FOR NO KEY UPDATE;
    IF held.kind <> d.kind THEN
        PERFORM tenancy.refuse_store('store', '', format('"%s" is of kind %s, and that is for ever.', d.name, held.kind));
    END IF;
    UPDATE tenancy.store AS s
    SET required_for = d.required_for, unknown_objects = d.unknown_objects, on_missing_stamp = d.on_missing_stamp,
        options = d.options, description = d.description, state = 'attached', defined_at = clock_timestamp(), forgotten_at = NULL,
        stamped_at = CASE held.state WHEN 'attached' THEN held.stamped_at END
    WHERE s.name = d.name;
    IF held.state = 'forgotten' THEN
        -- What was erased meanwhile, or was not proven gone before, may still lie there.
        PERFORM tenancy.expect_tenants(d.name, true);
    END IF;
    IF held.state = 'forgotten' OR (held.required_for, held.unknown_objects, held.on_missing_stamp, held.options)
       IS DISTINCT FROM (d.required_for, d.unknown_objects, d.on_missing_stamp, d.options) THEN
        PERFORM tenancy.touch_store(d.name);
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.attach_store(tenancy.store) IS
'Makes a store, changes it, or attaches a forgotten one again. Error: TN028 it is of another kind. Internal.';

-- SECURITY DEFINER, as all functions for operators: they change the registry through functions alone.
CREATE FUNCTION tenancy.define_store(
    name text, kind text, required_for text[] DEFAULT '{provision,suspend,erase}', unknown_objects text DEFAULT 'report',
    on_missing_stamp text DEFAULT 'observe', options jsonb DEFAULT '{}', layout text DEFAULT 'database',
    users text DEFAULT 'external', description text DEFAULT '')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    d tenancy.store;
BEGIN
    PERFORM tenancy.require_operator('admin');
    d.name := define_store.name;
    d.kind := define_store.kind;
    d.required_for := ARRAY(SELECT DISTINCT r FROM unnest(define_store.required_for) AS r ORDER BY r);
    IF define_store.required_for IS NULL THEN
        d.required_for := NULL;
    END IF;
    d.unknown_objects := define_store.unknown_objects;
    d.on_missing_stamp := define_store.on_missing_stamp;
    d.options := define_store.options;
    d.layout := define_store.layout;
    d.users := define_store.users;
    d.description := coalesce(define_store.description, '');
    PERFORM tenancy.check_store(d);
    PERFORM tenancy.attach_store(d);
    PERFORM tenancy.record_event(NULL, 'define_store', jsonb_build_object('store', d.name, 'kind', d.kind,
        'required_for', d.required_for, 'unknown_objects', d.unknown_objects, 'on_missing_stamp', d.on_missing_stamp,
        'options', d.options));
    PERFORM tenancy.notify_lifecycle('*');
END
$$;
COMMENT ON FUNCTION tenancy.define_store(text, text, text[], text, text, jsonb, text, text, text) IS
'Attaches a store (kind mongodb or redis) that mirrors every tenant from then on, or changes its definition; a forgotten one is attached again, and is to be proven empty of erased tenants too. How it is reached is in the configuration of tenancyd, under the same name. required_for: provision (a new tenant is active only once the store has it), suspend (a suspension that has not reached it is an alarm), erase (nothing is called erased before the store has proven it gone). unknown_objects: report, adopt or prune what lies there and no tenant explains. on_missing_stamp: observe (a store that lost the stamp of this installation is only observed) or stamp, which a store that is required for erase cannot have: an empty server under its name would prove tenants gone. options: of kind mongodb max_namespaces, above which no tenant is added. layout and users are reserved. Errors: TN028 not valid, or the name is of another kind; 0A000 layout shared, users managed; 42501.';
