-- The schema, the roles, and the table of errors.
\echo Use "CREATE EXTENSION tenancy" to load this file. \quit

SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA tenancy;
COMMENT ON SCHEMA tenancy IS
'Multi-tenancy: the registry of tenants, the context a transaction works in, and the protection of tables.';

-- Roles belong to the whole cluster: they are made when missing and never dropped here. The first
-- three count only together with a row in tenancy.operator of this database.
DO $roles$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('tenancy_admin', 'NOLOGIN'),
            ('tenancy_auditor', 'NOLOGIN'),
            ('tenancy_sidecar', 'NOLOGIN'),
            ('tenancy_maintainer', 'NOLOGIN BYPASSRLS')) AS r(name, options)
    LOOP
        IF pg_catalog.to_regrole(wanted.name) IS NULL THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I %s', wanted.name, wanted.options);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- the extension is being created in another database of the cluster, too
            END;
        END IF;
    END LOOP;
END
$roles$;

CREATE TABLE tenancy.error_code (
    sqlstate    text PRIMARY KEY CHECK (sqlstate ~ '^[0-9A-Z]{5}$'),
    name        text NOT NULL UNIQUE,
    http_status integer NOT NULL,
    retry       text NOT NULL CHECK (retry IN ('no', 'yes', 'after a change')),
    meaning     text NOT NULL
);
COMMENT ON TABLE tenancy.error_code IS
'Every SQLSTATE that tenancy raises: its name, the HTTP status an API should answer with, and whether the same request may be sent again.';

INSERT INTO tenancy.error_code (sqlstate, name, http_status, retry, meaning) VALUES
('TN001', 'no_tenant_context',     500, 'no', 'A protected table was used before the transaction said for which tenant it works.'),
('TN002', 'context_already_set',   500, 'no', 'The transaction already works for another tenant; a context is final until the transaction ends.'),
('TN003', 'context_changed',       500, 'no', 'The context no longer agrees with the setting or with the role it was made for: roll the transaction back.'),
('TN004', 'tenant_unknown',        404, 'no', 'No tenant has this slug, id or alias. Told to operators only; other roles get 42501.'),
('TN005', 'tenant_unavailable',    403, 'after a change', 'The tenant is in a state in which nobody works in it (provisioning, suspended, archived, erasing, erased).'),
('TN006', 'token_invalid',         401, 'no', 'The token is malformed, signed by no accepted key, or not meant for this installation.'),
('TN007', 'token_expired',         401, 'after a change', 'The token is expired, not yet valid, or was withdrawn: get a new one.'),
('TN008', 'not_preloaded',         500, 'yes', 'The library was loaded in the middle of a session: reconnect; if it recurs, set shared_preload_libraries.'),
('TN009', 'entry_refused',         500, 'no', 'The context was set in a way that injected SQL could use too: use SELECT tenancy.enter($1) or a top-level SET LOCAL, first in its query string.'),
('TN010', 'illegal_transition',    409, 'no', 'The lifecycle does not lead from the present state to the one asked for.'),
('TN011', 'name_malformed',        422, 'no', 'A slug, external id or alias is not of its form.'),
('TN012', 'name_taken',            409, 'no', 'Another tenant has this slug, external id or alias.'),
('TN013', 'name_retired',          409, 'no', 'The name belonged to a tenant that was erased, and names are never given twice.'),
('TN014', 'setting_invalid',       422, 'no', 'The value does not satisfy the schema of the setting.'),
('TN015', 'setting_unknown',       404, 'no', 'No such setting is defined.'),
('TN016', 'concurrent_change',     409, 'after a change', 'Somebody else changed the tenant first: read it again, then decide again.'),
('TN017', 'onboarding_incomplete', 409, 'after a change', 'A step of the tenant''s onboarding is not done.'),
('TN018', 'protection_violated',   500, 'no', 'The command would open a protected table or write it past its keys and triggers, or the table has lost its protection.'),
('TN019', 'default_in_rewrite',    500, 'no', 'A table rewrite asked for the tenant of existing rows: fill the column explicitly.'),
('TN020', 'erasure_incomplete',    500, 'yes', 'Rows of the tenant remain after erasing: see the detail, then run the erasure again.'),
('TN021', 'session_not_clean',     500, 'yes', 'The session carries what another tenant left and it cannot be cleared: reconnect.'),
('TN022', 'all_tenants_required',  500, 'no', 'A role with BYPASSRLS used a protected table without SELECT tenancy.enter_all(reason).'),
('TN023', 'tenant_not_drained',    409, 'yes', 'Transactions that can still write for the tenant are open.'),
('TN024', 'schedule_invalid',      422, 'no', 'The action or the time of a scheduled transition is not possible.'),
('TN025', 'stores_not_converged',  409, 'yes', 'A store has not reached what the tenant should be: the detail names each with its reason.'),
('TN026', 'instance_fenced',       503, 'after a change', 'This database is not, or is no longer, the instance that may write to the stores: tenancyd adopt decides what it is.'),
('TN027', 'store_unknown',         404, 'no', 'No store of this name is attached.'),
('TN028', 'store_invalid',         422, 'no', 'The definition of a store or of a collection is not valid.');
