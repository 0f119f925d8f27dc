-- Which installation this is. The row of tenancy.instance travels with a dump, the live identity of
-- the server does not: so a copy is seen to be one, and tenancyd only observes until it is told.

CREATE TABLE tenancy.instance (
    singleton         boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id                uuid NOT NULL,
    epoch             bigint NOT NULL DEFAULT 1 CHECK (epoch > 0),
    tick              bigint NOT NULL DEFAULT 0 CHECK (tick >= 0),
    system_identifier bigint NOT NULL,
    database_oid      oid NOT NULL,
    timeline          integer NOT NULL,
    bound_at          timestamptz NOT NULL DEFAULT now(),
    bound_by          name NOT NULL
);
COMMENT ON TABLE tenancy.instance IS
'The identity of this installation, at most one row, made by tenancy.bind_instance(). epoch counts adoptions, tick the heartbeats of daemons; system_identifier, database_oid and timeline are those of the server and database that the identity is bound to.';

CREATE TABLE tenancy.daemon (
    name       text PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 128),
    version    text NOT NULL,
    epoch      bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tenancy.daemon IS
'The daemons that work for this database, and when each was last heard of. started_at is since when it has been heard of without a gap of a minute. Rows of daemons silent for a day go.';

CREATE FUNCTION tenancy.live_identity(OUT system_identifier bigint, OUT database_oid oid, OUT timeline integer)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT (SELECT c.system_identifier FROM pg_control_system() AS c),
           (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()),
           -- The control file's timeline lags behind after a promotion, until the next checkpoint.
           CASE WHEN pg_is_in_recovery() THEN (SELECT c.timeline_id FROM pg_control_checkpoint() AS c)
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END
$$;
COMMENT ON FUNCTION tenancy.live_identity() IS
'What this server and database are at this moment: system identifier, oid of the database, timeline. Internal.';

-- SECURITY DEFINER: the sidecar reads nothing of the registry by itself.
CREATE FUNCTION tenancy.instance_identity()
RETURNS TABLE (bound boolean, id uuid, epoch bigint, tick bigint,
    bound_system_identifier text, live_system_identifier text, bound_database_oid text, live_database_oid text,
    bound_timeline integer, live_timeline integer, in_recovery boolean)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'auditor', 'sidecar');
    RETURN QUERY
        SELECT i.id IS NOT NULL, i.id, i.epoch, i.tick, i.system_identifier::text, l.system_identifier::text,
               i.database_oid::text, l.database_oid::text, i.timeline, l.timeline, pg_is_in_recovery()
        FROM tenancy.live_identity() AS l LEFT JOIN tenancy.instance AS i ON true;
END
$$;
COMMENT ON FUNCTION tenancy.instance_identity() IS
'One row: the identity of this installation (bound false and NULLs before the first tenancy.bind_instance()), what it was bound to, and what the server and database are now. Where bound and live differ, this is a copy, or the server was promoted or replaced. For operators of every kind. Error: 42501.';

CREATE FUNCTION tenancy.check_instance(epoch bigint)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong text;
BEGIN
    SELECT CASE
        WHEN i.id IS NULL THEN 'No instance is bound.'
        WHEN i.system_identifier <> l.system_identifier THEN 'The instance is bound to another server.'
        WHEN i.database_oid <> l.database_oid THEN 'The instance is bound to another database of this server.'
        WHEN i.timeline <> l.timeline THEN
            format('The instance is bound to timeline %s; the server is on %s.', i.timeline, l.timeline)
        WHEN i.epoch IS DISTINCT FROM check_instance.epoch THEN
            format('The epoch of the instance is %s, not %s.', i.epoch, coalesce(check_instance.epoch::text, 'NULL'))
    END INTO wrong
    FROM tenancy.live_identity() AS l LEFT JOIN tenancy.instance AS i ON true;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'this database is not the instance that may write to the stores'
            USING ERRCODE = 'TN026', DETAIL = wrong,
                  HINT = 'See tenancyd status; tenancyd adopt says whether this is a replacement or a clone.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_instance(bigint) IS
'Raises TN026 unless an instance is bound, to this very server, database and timeline, and its epoch is the one given. Internal.';

-- SECURITY DEFINER: the sidecar reads nothing of the registry by itself.
CREATE FUNCTION tenancy.require_instance(instance uuid)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ours uuid := (SELECT i.id FROM tenancy.instance AS i);
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    PERFORM tenancy.check_instance((SELECT i.epoch FROM tenancy.instance AS i));
    IF ours IS DISTINCT FROM require_instance.instance THEN
        RAISE EXCEPTION 'this database is not the instance that may write to the stores'
            USING ERRCODE = 'TN026', DETAIL = format('It is instance %s, not %s.', coalesce(ours::text, 'none'),
                                                     coalesce(require_instance.instance::text, 'NULL')),
                  HINT = 'Another database answers under the name of the one that tenancyd works for; check its conninfo.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.require_instance(uuid) IS
'Raises TN026 unless this is the database of that instance, and none of its copies: what each session of a daemon begins with that works for a store. For admins and sidecars. Errors: TN026, 42501.';

CREATE FUNCTION tenancy.check_daemon_name(daemon text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(check_daemon_name.daemon, '') = '' OR octet_length(check_daemon_name.daemon) > 128 THEN
        RAISE EXCEPTION 'the name of a daemon has 1 to 128 bytes' USING ERRCODE = '22023',
            HINT = 'Give each daemon a name of its own, for example that of its host.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.check_daemon_name(text) IS 'Raises 22023 unless the text can name a daemon. Internal.';

-- SECURITY DEFINER, as all functions below that tenancyd calls: it may call functions and nothing else.
CREATE FUNCTION tenancy.tick_instance(daemon text, version text, epoch bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ticked bigint;
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'sidecar');
    PERFORM tenancy.check_daemon_name(tick_instance.daemon);
    PERFORM tenancy.check_instance(tick_instance.epoch);
    -- First of all, and by its epoch: tenancy.bind_instance(), which locks the table, may be quicker.
    UPDATE tenancy.instance AS i SET tick = i.tick + 1 WHERE i.epoch = tick_instance.epoch RETURNING i.tick INTO ticked;
    IF ticked IS NULL THEN
        PERFORM tenancy.check_instance(tick_instance.epoch);
    END IF;
    INSERT INTO tenancy.daemon AS d (name, version, epoch)
    VALUES (tick_instance.daemon, coalesce(tick_instance.version, ''), tick_instance.epoch)
    ON CONFLICT ON CONSTRAINT daemon_pkey DO UPDATE
    SET version = excluded.version, epoch = excluded.epoch, seen_at = clock_timestamp(),
        started_at = CASE WHEN d.seen_at < clock_timestamp() - interval '1 minute' THEN clock_timestamp()
                          ELSE d.started_at END;
    DELETE FROM tenancy.daemon AS d WHERE d.seen_at < clock_timestamp() - interval '1 day';
    RETURN ticked;
END
$$;
COMMENT ON FUNCTION tenancy.tick_instance(text, text, bigint) IS
'A daemon''s heartbeat: notes that it lives, counts the tick of the instance up and returns it, for the stamps in the stores. For admins and sidecars. Errors: TN026 not the instance, or not its epoch; 22023 no name; 42501.';
