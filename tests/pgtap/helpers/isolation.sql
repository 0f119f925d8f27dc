-- Two tenants, an owner of tables, an application role and an operator, none of them superuser, and
-- what the tests of protection share. Assertions are made outside a context: pgTAP writes tables.
SET tenancy.test_mode = on; -- pgTAP keeps its results in temporary tables, also as an application role
\set QUIET 1
SET client_min_messages = warning;
CREATE ROLE iso_owner LOGIN;
CREATE ROLE iso_app LOGIN;
CREATE ROLE iso_admin LOGIN;
CREATE ROLE iso_stranger LOGIN;
GRANT tenancy_admin TO iso_admin;
SELECT tenancy.add_operator('iso_admin', 'admin') \g /dev/null
SELECT tenancy.provision('alpha', 'Alpha', external_id => '1') AS alpha,
       tenancy.provision('beta', 'Beta', external_id => '2') AS beta \gset
SELECT tenancy.grant_access('iso_app', '*', reason => 'test'), tenancy.grant_access('iso_owner', '*', reason => 'test') \g /dev/null
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;
CREATE SCHEMA shop AUTHORIZATION iso_owner;
GRANT USAGE ON SCHEMA shop TO iso_app, iso_admin, iso_stranger;

-- The catalog's state of everything in a schema, one line for each fact, to be compared.
CREATE FUNCTION test.catalog(schema_name text DEFAULT 'shop') RETURNS SETOF text LANGUAGE sql AS $$
    WITH r AS (
        SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl, c.relreplident
        FROM pg_class AS c WHERE c.relnamespace = $1::regnamespace)
    SELECT format('constraint %s %s %s %s %s', r.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint'))
    FROM pg_constraint AS k JOIN r ON r.oid = k.conrelid
    UNION ALL
    SELECT format('index %s %s %s', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisreplident) FROM pg_index AS i JOIN r ON r.oid = i.indrelid
    UNION ALL
    SELECT format('relation %s %s %s %s %s', r.relname, r.relrowsecurity, r.relforcerowsecurity, r.relowner::regrole, r.relreplident) FROM r WHERE relkind <> 'i'
    UNION ALL
    SELECT format('right %s %s', r.relname, a) FROM r, aclexplode(r.relacl) AS a WHERE a.grantee <> r.relowner
    UNION ALL
    SELECT format('right %s.%s %s', r.relname, t.attname, a) FROM r JOIN pg_attribute AS t ON t.attrelid = r.oid, aclexplode(t.attacl) AS a
    UNION ALL
    SELECT format('column %s %s %s %s %s', r.relname, a.attname, a.atttypid::regtype, a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute AS a JOIN r ON r.oid = a.attrelid LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p')
    UNION ALL
    SELECT format('policy %s %s %s %s %s %s %s', r.relname, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[], pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy AS p JOIN r ON r.oid = p.polrelid
    UNION ALL
    SELECT format('trigger %s %s %s', r.relname, pg_get_triggerdef(t.oid), t.tgenabled) FROM pg_trigger AS t JOIN r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
$$;

-- One test: the command fails with this SQLSTATE and says what to do next.
CREATE FUNCTION test.refused(command text, expected text, description text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text := '00000';
    said text;
    advice text;
BEGIN
    BEGIN
        EXECUTE command;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, advice = PG_EXCEPTION_HINT;
    END;
    RETURN public.is(format('%s, hint %s', state, CASE WHEN advice <> '' THEN 'given' ELSE 'MISSING: ' || said END),
                     format('%s, hint given', expected), description);
END
$$;

CREATE FUNCTION test.hint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    advice text;
BEGIN
    EXECUTE command;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS advice = PG_EXCEPTION_HINT;
    RETURN advice;
END
$$;
