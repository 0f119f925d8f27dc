-- Work for all tenants, one at a time: each in its own context and its own transaction.

CREATE TABLE tenancy.job_progress (
    job       text NOT NULL CHECK (job <> ''),
    role_name name NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenancy.tenant,
    rows_done bigint NOT NULL,
    done_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job, role_name, tenant_id)
);
COMMENT ON TABLE tenancy.job_progress IS
'Which tenants a role''s job of tenancy.for_each_tenant has finished, so that calling it again resumes. No role can say that another one''s job is done.';

CREATE PROCEDURE tenancy.for_each_tenant(command text, job text DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'tenancy_for_each_tenant';
COMMENT ON PROCEDURE tenancy.for_each_tenant(text, text) IS
'Runs one SQL command in the context of every active and read_only tenant in turn, as the calling role, and commits after each. The role needs a grant for ''*'' and must not bypass row-level security. With a job name, tenants that the role''s job of this name has finished are skipped, so that a call after a failure resumes; the record is written in the tenant''s own transaction. Progress is reported as a notice every 100 tenants. Errors: 42501, 2D000 inside a transaction block, and those of the command.';

-- SECURITY DEFINER: called by the procedure, whose caller has no rights on these tables.
CREATE FUNCTION tenancy.job_finished(job text, tenant uuid) RETURNS boolean
LANGUAGE sql STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM tenancy.job_progress AS p
                   WHERE p.job = $1 AND p.role_name = pg_get_userbyid(tenancy.outer_role()) AND p.tenant_id = $2)
$$;
COMMENT ON FUNCTION tenancy.job_finished(text, uuid) IS 'Whether a job of the outer role has finished a tenant. Internal.';

CREATE FUNCTION tenancy.finish_job(job text, tenant uuid, rows_done bigint) RETURNS void
LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tenancy.job_progress (job, role_name, tenant_id, rows_done)
    VALUES ($1, pg_get_userbyid(tenancy.outer_role()), $2, $3)
$$;
COMMENT ON FUNCTION tenancy.finish_job(text, uuid, bigint) IS 'Records that a job of the outer role has finished a tenant. Internal.';
