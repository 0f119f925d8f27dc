-- The isolation linter: rules over facts from the catalog and the registry. The rules are in
-- sql/lint; the Makefile puts them into the body of this function and into the plain file.

CREATE FUNCTION tenancy.isolation_lint()
RETURNS TABLE (rule text, severity text, object_type text, object text, message text, why text, demonstration text, fix text,
               fingerprint text, detail text, rule_severity text, example_message text, example_demonstration text, example_fix text)
LANGUAGE sql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $lint$
WITH RECURSIVE
tenant_column(name) AS (
    SELECT 'tenant_id'::name UNION SELECT p.tenant_column FROM tenancy.protected_table AS p
),
set_aside(relid) AS (
    SELECT s.relation::oid FROM tenancy.shared_table AS s UNION ALL SELECT e.relation FROM tenancy.exempt_table AS e
),
recorded(relid, tenant_column) AS (SELECT p.relation::oid, p.tenant_column FROM tenancy.protected_table AS p),
allowed_bypass(role) AS (
    SELECT b.role_oid::oid FROM tenancy.bypass_role AS b
    WHERE pg_get_userbyid(b.role_oid) = b.role_name AND coalesce(b.valid_until > now(), true)
),
installation(extension, guarded) AS (VALUES (true, true)),
