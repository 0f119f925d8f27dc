-- Erasing: the rows of a tenant whose grace is over go, table by table in batches, then their
-- absence is proven. erase_rows(), tenant_rows() and erasure_order(), which work on users' tables as
-- the tables' owners, are in 365_erase.sql.

CREATE TABLE tenancy.erasure_count (
    tenant_id uuid NOT NULL REFERENCES tenancy.tenant,
    relation  text NOT NULL,
    deleted   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, relation)
);
COMMENT ON TABLE tenancy.erasure_count IS
'How many rows of which table were deleted when a tenant was erased. Kept: it holds no personal data.';

-- The functions below are steps of tenancy.erase(), each in a transaction of its own. SECURITY
-- DEFINER: the invoker has no right to tenants' rows, nor to write the registry.
CREATE FUNCTION tenancy.begin_erasure(tenant text, batch integer)
RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked tenancy.tenant;
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF begin_erasure.batch IS NULL OR begin_erasure.batch NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'batch must be between 1 and 1000000 rows' USING ERRCODE = '22023',
            HINT = 'Smaller batches hold their locks for a shorter time.';
    END IF;
    locked := tenancy.lock_tenant(begin_erasure.tenant);
    IF locked.state = 'erased' THEN
        RETURN NULL;
    ELSIF locked.state <> 'erasing' THEN
        PERFORM tenancy.refuse_transition(locked, 'erase');
    ELSIF locked.erase_after > clock_timestamp() THEN
        PERFORM tenancy.refuse_transition(locked, 'erase',
            format('Its grace lasts until %s.', locked.erase_after));
    END IF;
    PERFORM tenancy.check_record();
    IF locked.erase_started_at IS NULL THEN
        -- In one statement: it is the generation that tells the stores.
        UPDATE tenancy.tenant AS t
        SET erase_started_at = clock_timestamp(), generation = t.generation + 1, changed_at = clock_timestamp()
        WHERE t.id = locked.id;
        PERFORM tenancy.record_event(locked.id, 'begin_erasure', jsonb_build_object('generation', locked.generation + 1));
        PERFORM tenancy.notify_lifecycle(locked.id::text);
    END IF;
    RETURN locked.id;
END
$$;
COMMENT ON FUNCTION tenancy.begin_erasure(text, integer) IS
'Marks the erasing of a tenant as begun, after which it cannot be cancelled and the stores delete theirs; returns its id, NULL when it is erased already. Errors: TN004, TN010 not erasing, or its grace is not over, 22023 batch, 55000 tenancy.protected_table is not true, 42501. A step of tenancy.erase().';

CREATE FUNCTION tenancy.check_erasing(tenant uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held tenancy.tenant;
BEGIN
    PERFORM tenancy.require_operator('admin');
    -- One batch at a time: of two callers the second would find rows that the first is deleting, and
    -- count them as rows that cannot be deleted.
    SELECT t.* INTO held FROM tenancy.tenant AS t WHERE t.id = check_erasing.tenant FOR NO KEY UPDATE;
    IF held.id IS NULL OR held.state <> 'erasing' OR held.erase_started_at IS NULL THEN
        RAISE EXCEPTION 'no erasing of this tenant is running'
            USING ERRCODE = 'TN016', DETAIL = 'Another session may have finished it.',
                  HINT = 'CALL tenancy.erase() begins one, or says that the tenant is erased.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_erasing(uuid) IS
'Raises TN016 unless the tenant is being erased, and keeps it so until the transaction ends; 42501. Internal.';

CREATE FUNCTION tenancy.erase_batch(tenant uuid, relation regclass, batch integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM tenancy.check_erasing(erase_batch.tenant);
    BEGIN
        gone := tenancy.erase_rows(erase_batch.tenant, erase_batch.relation, erase_batch.batch);
    EXCEPTION
        WHEN foreign_key_violation THEN
            -- Tables that refer to each other: rows of another one have to go first.
            RETURN 0;
        WHEN OTHERS THEN
            -- One table's trigger must not keep the rows of all others; the count at the end tells.
            RAISE WARNING 'rows of table "%" could not be deleted: %', erase_batch.relation, SQLERRM
                USING ERRCODE = SQLSTATE;
            RETURN 0;
    END;
    INSERT INTO tenancy.erasure_count AS c (tenant_id, relation, deleted)
    VALUES (erase_batch.tenant, erase_batch.relation::text, gone)
    ON CONFLICT ON CONSTRAINT erasure_count_pkey DO UPDATE SET deleted = c.deleted + excluded.deleted;
    RETURN gone;
END
$$;
COMMENT ON FUNCTION tenancy.erase_batch(uuid, regclass, integer) IS
'Deletes at most batch rows of a tenant that is being erased from one protected table, as the table''s owner, and counts them; 0 when none could be deleted; what the table''s own triggers raise becomes a warning, so that one table does not keep the others. Errors: TN016 the tenant is not being erased, 42501. A step of tenancy.erase().';

CREATE FUNCTION tenancy.erasure_tables(tenant uuid)
RETURNS SETOF regclass
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.check_erasing(erasure_tables.tenant);
    RETURN QUERY SELECT o.relation FROM tenancy.erasure_order() AS o ORDER BY o.place, o.relation::oid;
END
$$;
COMMENT ON FUNCTION tenancy.erasure_tables(uuid) IS
'The tables to delete from, in order. Errors: TN016, 42501. A step of tenancy.erase().';

CREATE FUNCTION tenancy.finish_erasure(tenant uuid)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked   tenancy.tenant;
    left_in  regclass;
    remain   bigint;
    remnants text[] := '{}';
    total    bigint;
BEGIN
    PERFORM tenancy.check_erasing(finish_erasure.tenant);
    PERFORM tenancy.check_record();
    SELECT t.* INTO STRICT locked FROM tenancy.tenant AS t WHERE t.id = finish_erasure.tenant FOR NO KEY UPDATE;
    FOR left_in IN SELECT o.relation FROM tenancy.erasure_order() AS o ORDER BY o.place, o.relation::oid LOOP
        remain := tenancy.tenant_rows(locked.id, left_in);
        IF remain > 0 THEN
            remnants := remnants || format('%s: %s', left_in, remain);
        END IF;
    END LOOP;
    IF remnants <> '{}' THEN
        RAISE EXCEPTION 'rows of tenant "%" remain', locked.slug
            USING ERRCODE = 'TN020', DETAIL = format('Rows left, by table: %s.', array_to_string(remnants, ', ')),
                  HINT = 'See which trigger, foreign key or policy of your own keeps them from the owner of the table, unless somebody wrote meanwhile; then CALL tenancy.erase() again.';
    END IF;
    PERFORM tenancy.check_stores(locked.id, 'erase');
    DELETE FROM tenancy.tenant_alias AS a WHERE a.tenant_id = locked.id;
    DELETE FROM tenancy.setting_value AS v WHERE v.tenant_id = locked.id;
    UPDATE tenancy.tenant_onboarding AS o SET last_error = NULL WHERE o.tenant_id = locked.id;
    UPDATE tenancy.scheduled_action AS s
    SET reason = '-', last_error = NULL, finished_at = coalesce(s.finished_at, clock_timestamp()),
        outcome = CASE s.outcome WHEN 'pending' THEN 'cancelled' ELSE s.outcome END
    WHERE s.tenant_id = locked.id;
    DELETE FROM tenancy.access_grant AS g WHERE g.tenant_id = locked.id;
    DELETE FROM tenancy.signing_key_tenant AS k WHERE k.tenant_id = locked.id;
    UPDATE tenancy.tenant_store AS s SET message = '' WHERE s.tenant_id = locked.id AND s.message <> '';
    PERFORM tenancy.record_unproven(locked);
    SELECT coalesce(sum(c.deleted), 0) INTO total FROM tenancy.erasure_count AS c WHERE c.tenant_id = locked.id;
    PERFORM tenancy.apply_transition(locked, 'finish_erasure', NULL, jsonb_build_object('rows', total));
    UPDATE tenancy.tenant AS t SET display_name = '', state_reason = NULL WHERE t.id = locked.id;
    UPDATE tenancy.audit_event AS e SET detail = e.detail - 'reason'
    WHERE e.tenant_id = locked.id AND e.detail ? 'reason';
    RETURN total;
END
$$;
COMMENT ON FUNCTION tenancy.finish_erasure(uuid) IS
'Counts again in every protected table and, when nothing of the tenant is left and every store required for erasing has proven it gone, makes it erased: its display name, settings, aliases, grants, all reasons and what stores said of it go; id, slug, external id, counts and the skeleton of its audit trail stay. A forgotten store that the tenant may have been in is the event erasure_unproven in its trail. Returns how many rows were deleted in all. Errors: TN020 rows remain, TN025 a store has not proven it, TN016 it is not being erased, 55000 tenancy.protected_table is not true, 42501. A step of tenancy.erase().';

-- Commits between batches, so it can be neither SECURITY DEFINER nor have a SET clause: every name is qualified.
CREATE PROCEDURE tenancy.erase(tenant text, batch integer DEFAULT 10000, timeout interval DEFAULT '1 minute')
LANGUAGE plpgsql
AS $$
DECLARE
    erased   pg_catalog.uuid;
    tables   pg_catalog.regclass[];
    relation pg_catalog.regclass;
    gone     bigint;
    in_table bigint;
    in_round bigint;
    until    pg_catalog.timestamptz;
    pause    pg_catalog.float8 := 0.005;
BEGIN
    PERFORM tenancy.require_top_level('CALL tenancy.erase()');
    erased := tenancy.begin_erasure(erase.tenant, erase.batch);
    IF erased IS NULL THEN
        RAISE NOTICE 'tenant % is erased already', erase.tenant;
        RETURN;
    END IF;
    COMMIT;
    PERFORM tenancy.await_writers(erased, true, erase.timeout, true);
    COMMIT;
    tables := ARRAY(SELECT t FROM tenancy.erasure_tables(erased) AS t);
    -- One round is enough unless tables refer to each other in a circle.
    LOOP
        in_round := 0;
        FOREACH relation IN ARRAY tables LOOP
            in_table := 0;
            LOOP
                gone := tenancy.erase_batch(erased, relation, erase.batch);
                COMMIT;
                EXIT WHEN gone OPERATOR(pg_catalog.=) 0;
                in_table := in_table OPERATOR(pg_catalog.+) gone;
                RAISE NOTICE '%: % rows deleted', relation, in_table;
            END LOOP;
            in_round := in_round OPERATOR(pg_catalog.+) in_table;
        END LOOP;
        EXIT WHEN in_round OPERATOR(pg_catalog.=) 0;
    END LOOP;
    until := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) erase.timeout;
    WHILE NOT tenancy.stores_reached(erased, until, 'erase') LOOP
        COMMIT; -- what is waited for must not be held up by this snapshot
        PERFORM pg_catalog.pg_sleep(pause);
        pause := LEAST(pause OPERATOR(pg_catalog.*) 1.5::pg_catalog.float8, 0.1::pg_catalog.float8);
    END LOOP;
    -- Whoever began to write since then, as only roles can that row security does not bind, is to be counted.
    PERFORM tenancy.await_writers(erased, true, erase.timeout, true);
    COMMIT;
    gone := tenancy.finish_erasure(erased);
    COMMIT;
    RAISE NOTICE 'tenant % is erased: % rows deleted, none left', erase.tenant, gone;
END
$$;
COMMENT ON PROCEDURE tenancy.erase(text, integer, interval) IS
'Erases a tenant whose grace is over: waits until no transaction can still write for it (ending those in its context or in that of all tenants, and letting those end that are not confined to another tenant, as a superuser''s; timeout bounds this wait, the one for the stores, and the one for whoever began to write meanwhile), deletes its rows from every protected table in batches of at most batch rows, a transaction and a NOTICE for each, waits until every store that is required for erasing has proven the tenant gone from it, counts again, and makes the tenant erased. Where a store has not by the timeout (TN025), the tenant stays erasing: tenancy.store_condition and tenancy.store_alarm show which. Interrupted, it is simply called again; called for an erased tenant it says so. Not inside a transaction block (25001). Errors: TN004, TN010 not erasing, or its grace is not over, TN020 rows remain, TN023 writers remain, TN025 stores are behind, 22023, 25001, 55000 tenancy.protected_table does not hold the tables that are protected (tenancy.sync()), 42501.';
