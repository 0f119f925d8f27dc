-- Stores: the outside systems that mirror tenants, and what is known of each tenant in each of them.
-- Who changes a tenant only ever inserts into tenancy.store_mark, which nobody locks; the rows of
-- tenancy.tenant_store are the daemons'. So neither ever waits for the other.

CREATE TABLE tenancy.store (
    name             text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,30}$'),
    kind             text NOT NULL CHECK (kind IN ('mongodb', 'redis')),
    required_for     text[] NOT NULL CHECK (required_for <@ ARRAY['provision', 'suspend', 'erase']),
    layout           text NOT NULL DEFAULT 'database' CHECK (layout IN ('database', 'shared')),
    users            text NOT NULL DEFAULT 'external' CHECK (users IN ('external', 'managed')),
    unknown_objects  text NOT NULL DEFAULT 'report' CHECK (unknown_objects IN ('report', 'adopt', 'prune')),
    on_missing_stamp text NOT NULL DEFAULT 'observe' CHECK (on_missing_stamp IN ('observe', 'stamp')),
    options          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    generation       bigint NOT NULL DEFAULT 1 CHECK (generation > 0),
    state            text NOT NULL DEFAULT 'attached' CHECK (state IN ('attached', 'forgotten')),
    description      text NOT NULL DEFAULT '',
    defined_at       timestamptz NOT NULL DEFAULT now(),
    stamped_at       timestamptz,
    settled          boolean NOT NULL DEFAULT false,
    settle_horizon   xid8,
    forgotten_at     timestamptz
);
COMMENT ON TABLE tenancy.store IS
'The stores that mirror tenants. generation counts changes of the definition, of the collections and of the settings'' definitions: whatever every tenant in the store has to follow. required_for says what waits for the store: provision, suspend (an alarm), erase. stamped_at is when this instance''s stamp was first written to it. settled: every tenant was compared with the present generation after all transactions that had begun before it (before settle_horizon) had ended. A forgotten store''s row stays (forgotten_at: since when), and its name is never given to another kind.';

CREATE TABLE tenancy.store_collection (
    store     text COLLATE "C" NOT NULL REFERENCES tenancy.store,
    name      text COLLATE "C" NOT NULL,
    validator jsonb,
    indexes   jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(indexes) = 'array'),
    PRIMARY KEY (store, name)
);
COMMENT ON TABLE tenancy.store_collection IS
'The collections that every tenant has in a store of kind mongodb: validator (a query document, NULL: every document is accepted) and indexes.';

CREATE TABLE tenancy.tenant_store (
    tenant_id                 uuid NOT NULL REFERENCES tenancy.tenant,
    store                     text COLLATE "C" NOT NULL REFERENCES tenancy.store,
    desired_generation        bigint NOT NULL,
    observed_generation       bigint NOT NULL DEFAULT 0,
    observed_store_generation bigint NOT NULL DEFAULT 0,
    observed_state            text,
    present                   boolean NOT NULL DEFAULT false,
    due_at                    timestamptz DEFAULT clock_timestamp(),
    urgent                    boolean NOT NULL DEFAULT false,
    to_erase                  boolean NOT NULL DEFAULT false,
    pending_since             timestamptz DEFAULT clock_timestamp(),
    lease_holder              text,
    lease_token               bigint,
    lease_until               timestamptz,
    attempts                  integer NOT NULL DEFAULT 0,
    parked                    boolean NOT NULL DEFAULT false,
    reason                    text NOT NULL DEFAULT 'Pending',
    message                   text NOT NULL DEFAULT '',
    reported_generation       bigint NOT NULL DEFAULT 0,
    drift_count               bigint NOT NULL DEFAULT 0,
    erased_at                 timestamptz,
    changed_at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    conditions                jsonb NOT NULL,
    PRIMARY KEY (tenant_id, store),
    CHECK (num_nulls(lease_holder, lease_token, lease_until) IN (0, 3)),
    CHECK (NOT parked OR due_at IS NULL)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
CREATE INDEX tenant_store_due_idx ON tenancy.tenant_store (store, to_erase, urgent, due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX tenant_store_lease_idx ON tenancy.tenant_store (lease_token) WHERE lease_token IS NOT NULL;
COMMENT ON TABLE tenancy.tenant_store IS
'Each tenant in each store: what was last asked for (desired_generation) and what the store last showed (observed_generation, 0 for never; observed_store_generation; observed_state, or what takes less away and a daemon was to show since; present). due_at is when a daemon is to look at it next, NULL when there is nothing to do; while it is leased, the end of the lease. to_erase: it is to be gone, as of the last mark or report; claims tell the two kinds apart by it. pending_since: since when it has been behind. parked: failed for a reason that trying again does not mend (reason, message). reported_generation: of the last report, which reason, message and conditions are from. drift_count: how often the store was found changed by others. erased_at: when its absence was first proven. conditions: see tenancy.store_condition.';

CREATE SEQUENCE tenancy.store_lease_seq;

-- No key: rows are only ever inserted and deleted, and two changes of a tenant may both be waiting.
CREATE TABLE tenancy.store_mark (
    store     text COLLATE "C" NOT NULL,
    tenant_id uuid NOT NULL,
    urgent    boolean NOT NULL,
    to_erase  boolean NOT NULL DEFAULT false,
    fresh     boolean NOT NULL,
    token     bigint,
    at        timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);
CREATE INDEX store_mark_order_idx ON tenancy.store_mark (store, to_erase, urgent DESC, at);
COMMENT ON TABLE tenancy.store_mark IS
'Tenants that a daemon has to look at, written in the transaction that changed them and taken over into tenancy.tenant_store by the next claim. urgent: access was narrowed. to_erase: the tenant is to be gone. fresh: something changed, so earlier failures count no more. token: the lease that its holder gave up.';

CREATE TABLE tenancy.store_status (
    store          text COLLATE "C" PRIMARY KEY REFERENCES tenancy.store,
    reachable      boolean NOT NULL,
    fenced         boolean NOT NULL,
    reason         text NOT NULL,
    message        text NOT NULL,
    capabilities   jsonb,
    probed_at      timestamptz,
    changed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    reported_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    reported_by    text NOT NULL,
    scan_finished_at timestamptz,
    scan_tenants   bigint,
    scan_differing bigint,
    scan_unknown   bigint
);
COMMENT ON TABLE tenancy.store_status IS
'What the daemons last said of each store: whether it answers, whether it is fenced (only observed), since when (changed_at), what it can do (capabilities, found at probed_at), and what the last whole scan of it found.';

CREATE TABLE tenancy.unknown_object (
    store       text COLLATE "C" NOT NULL REFERENCES tenancy.store,
    name        text COLLATE "C" NOT NULL,
    tenant_id   uuid,
    instance_id uuid,
    reason      text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    resolution  text NOT NULL CHECK (resolution IN ('reported', 'adopted', 'pruned')),
    first_seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen   timestamptz NOT NULL DEFAULT clock_timestamp(),
    scan        text NOT NULL,
    PRIMARY KEY (store, name)
);
COMMENT ON TABLE tenancy.unknown_object IS
'What lies in a store under a tenant''s name, or in the form of one, and no tenant explains: tenant_id and instance_id are what its name and its marker say. resolution: reported, adopted or pruned, by the store''s policy unknown_objects.';

-- A row trigger: what it does for one tenant is two index look-ups and an insert for each store.
CREATE FUNCTION tenancy.mark_stores()
RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- A plan kept from when there were few tenants would go on reading all rows; see 195_store_work.sql.
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
    INSERT INTO tenancy.store_mark (store, tenant_id, urgent, to_erase, fresh)
    SELECT s.store, s.tenant_id, NEW.state IN ('read_only', 'suspended', 'archived', 'erasing')
           AND (NEW.state <> OLD.state OR NEW.erase_started_at IS DISTINCT FROM OLD.erase_started_at),
           NOT tenancy.is_wanted(NEW.state, NEW.erase_started_at), true
    FROM tenancy.tenant_store AS s WHERE s.tenant_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tenancy.mark_stores() IS
'Trigger: has every store follow a change of what a tenant should be, in the transaction that makes it, so that no change is ever missed. Waits for nobody.';
CREATE TRIGGER mark_stores AFTER UPDATE ON tenancy.tenant
    FOR EACH ROW WHEN (NEW.generation <> OLD.generation) EXECUTE FUNCTION tenancy.mark_stores();
ALTER TABLE tenancy.tenant ENABLE ALWAYS TRIGGER mark_stores;

CREATE FUNCTION tenancy.find_store(name text)
RETURNS tenancy.store
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found tenancy.store;
BEGIN
    SELECT s.* INTO found FROM tenancy.store AS s WHERE s.name = find_store.name AND s.state = 'attached';
    IF found.name IS NULL THEN
        RAISE EXCEPTION 'store % is not attached', coalesce(quote_literal(left(find_store.name, 60)), 'NULL')
            USING ERRCODE = 'TN027', HINT = 'tenancy.store lists the stores; tenancy.define_store() attaches one.';
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION tenancy.find_store(text) IS 'The attached store of this name; TN027 when there is none. Internal.';

CREATE FUNCTION tenancy.is_wanted(state text, erase_started_at timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT NOT ($1 OPERATOR(pg_catalog.=) 'erased' OR ($1 OPERATOR(pg_catalog.=) 'erasing' AND $2 IS NOT NULL)) $$;
COMMENT ON FUNCTION tenancy.is_wanted(text, timestamptz) IS
'Whether a tenant in this state is to be in the stores: until its erasing begins. Internal.';
