-- What makes tenants leak in this database: one query that reads the catalog and changes nothing.
-- For PostgreSQL 15 to 18, as any role, with any client, without any extension:
--
--     psql -X -d DATABASE -f tenancy_lint.sql
--
-- It takes a table for one of tenants' rows when it has a column of the name below. Guesses about
-- policies are made from their text: what is found is worth a look, what is not found is not proven.
-- This file is made from sql/lint of Tenancy, whose docs/reference/findings.md explains each rule.
-- Compiling a query of this size can take a minute, running it takes half a second. Without this line the result is the same.
SET jit = off;

WITH RECURSIVE
tenant_column(name) AS (
    -- Here: the columns that say whose a row is.
    SELECT unnest(ARRAY['tenant_id'])::name
),
set_aside(relid) AS (
    -- Here: tables with such a column that are not for tenants, as 'schema.table'.
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE format('%I.%I', n.nspname, c.relname) = ANY (ARRAY[]::text[])
),
recorded(relid, tenant_column) AS (SELECT NULL::oid, NULL::name WHERE false),
allowed_bypass(role) AS (SELECT NULL::oid WHERE false),
-- The extension has rules of its own, and more facts: where it is there, use tenancy.check_isolation().
installation(extension, guarded) AS (SELECT false, EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'tenancy')),
