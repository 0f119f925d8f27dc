-- Assertions for users' own test suites: with pgTAP, wherever it is installed, or without.

CREATE FUNCTION tenancy.why_unprotected(relation regclass)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER -- tells of a table what its catalog rows tell everybody
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%s %s', tenancy.qualified_name(t.id),
                             CASE WHEN p.tenant_column IS NULL THEN 'is not protected'
                                  WHEN NOT p.complete THEN 'is protected in part: call tenancy.protect() again'
                                  ELSE 'has row security disabled' END), E'\n' ORDER BY t.id)
    FROM tenancy.table_tree(why_unprotected.relation) AS t(id) JOIN pg_class AS c ON c.oid = t.id
    CROSS JOIN LATERAL tenancy.protection(t.id) AS p
    WHERE NOT (coalesce(p.complete, false) AND c.relrowsecurity)
$$;
COMMENT ON FUNCTION tenancy.why_unprotected(regclass) IS
'What is not protected of a table and its partitions, one line for each; NULL when all are.';

-- A value for a column that has to have one and has no default, as JSON takes it; NULL where none is known.
CREATE FUNCTION tenancy.sample_value(type_oid oid, modifier integer)
RETURNS jsonb
LANGUAGE sql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN t.typtype = 'd' THEN tenancy.sample_value(t.typbasetype, t.typtypmod)
        WHEN t.typtype = 'e' THEN to_jsonb((SELECT e.enumlabel FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder LIMIT 1))
        WHEN t.oid = 'uuid'::regtype THEN to_jsonb(gen_random_uuid())
        WHEN t.oid IN ('json'::regtype, 'jsonb'::regtype) THEN '{}'
        WHEN t.oid = 'bytea'::regtype THEN '"\\x00"'
        WHEN t.oid IN ('time'::regtype, 'timetz'::regtype) THEN '"00:00"'
        ELSE CASE t.typcategory
            WHEN 'B' THEN 'true' WHEN 'N' THEN to_jsonb((random() * 30000)::integer) WHEN 'D' THEN '"2000-01-01"' WHEN 'T' THEN '"1 day"'
            WHEN 'A' THEN '"{}"' WHEN 'I' THEN '"127.0.0.1"' WHEN 'R' THEN '"empty"' WHEN 'V' THEN '"0"'
            WHEN 'S' THEN to_jsonb(left(replace(gen_random_uuid()::text, '-', ''), CASE WHEN sample_value.modifier > 4 THEN sample_value.modifier - 4 ELSE 32 END))
        END
    END
    FROM pg_type AS t WHERE t.oid = sample_value.type_oid
$$;
COMMENT ON FUNCTION tenancy.sample_value(oid, integer) IS
'A value of the type that a test may insert, as JSON; NULL for types that are not known. Internal.';

-- The INSERT of one row: given values, defaults, and samples for what has to have a value. The tenant comes
-- from the context, or is the one that is given.
CREATE FUNCTION tenancy.sample_insert(relation regclass, tenant_column name, sample jsonb, tenant_key text)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH written AS (
        SELECT a.attname, a.attnum,
               CASE WHEN a.attname = sample_insert.tenant_column THEN to_jsonb(sample_insert.tenant_key)
                    ELSE coalesce(sample_insert.sample -> a.attname, tenancy.sample_value(a.atttypid, a.atttypmod)) END AS value
        FROM pg_attribute AS a
        WHERE a.attrelid = sample_insert.relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
          AND CASE WHEN a.attname = sample_insert.tenant_column THEN sample_insert.tenant_key IS NOT NULL
                   ELSE sample_insert.sample ? a.attname OR (a.attnotnull AND NOT a.atthasdef AND a.attidentity = '') END
    )
    SELECT CASE WHEN count(*) = 0 THEN format('INSERT INTO %s DEFAULT VALUES', tenancy.qualified_name(sample_insert.relation))
           ELSE format('INSERT INTO %1$s (%2$s) SELECT %3$s FROM jsonb_populate_record(NULL::%1$s, %4$L) AS r',
                       tenancy.qualified_name(sample_insert.relation),
                       string_agg(quote_ident(w.attname), ', ' ORDER BY w.attnum),
                       string_agg('r.' || quote_ident(w.attname), ', ' ORDER BY w.attnum),
                       jsonb_object_agg(w.attname, w.value)) END
    FROM written AS w
$$;
COMMENT ON FUNCTION tenancy.sample_insert(regclass, name, jsonb, text) IS
'The command that inserts one row for a test; tenant_key NULL leaves the tenant to the context. Internal.';

CREATE FUNCTION tenancy.make_trial_tenant(key_kind text)
RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tenancy.tenant (id, slug, external_id, state, tier)
    SELECT x.id, 'trial-' || left(x.id::text, 8),
           CASE make_trial_tenant.key_kind
               WHEN 'uuid' THEN NULL WHEN 'text' THEN 'trial-' || left(x.id::text, 8)
               -- A number that no tenant has, from the top of what an integer holds.
               ELSE (SELECT n::text FROM generate_series(2147483647, 2147400000, -1) AS n
                     WHERE NOT EXISTS (SELECT FROM tenancy.tenant AS t WHERE t.external_id = n::text) LIMIT 1) END,
           'active', (SELECT min(t.name) FROM tenancy.tier AS t)
    FROM (SELECT gen_random_uuid() AS id) AS x
    RETURNING id
$$;
COMMENT ON FUNCTION tenancy.make_trial_tenant(text) IS
'A tenant for a trial that is rolled back. Internal.';

-- One step: the rows that a command of a tenant's sees or changes have to be so many, or it has to be refused.
-- What it did is taken back, unless it is to stay for the next steps.
CREATE FUNCTION tenancy.try_step(role oid, command text, tenant uuid, expected bigint, keep boolean DEFAULT false)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reached bigint;
BEGIN
    BEGIN
        reached := tenancy.run_as_role(try_step.role, try_step.command, try_step.tenant);
        IF NOT try_step.keep THEN
            RAISE EXCEPTION USING ERRCODE = 'TNEND', MESSAGE = 'the step ends';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'TNEND' THEN
            NULL;
        WHEN insufficient_privilege THEN
            RETURN CASE WHEN try_step.keep THEN SQLERRM END; -- nothing is reached then
        WHEN OTHERS THEN
            RETURN SQLERRM || CASE WHEN NOT try_step.keep THEN ''
                                   WHEN SQLSTATE = '23503' THEN '; the row it refers to must be that tenant''s: tenant => ''slug'', sample => ''{"column": "value"}'''
                                   ELSE '; give the values that the row needs: sample => ''{"column": "value"}''' END;
    END;
    RETURN CASE WHEN try_step.expected IS NULL THEN 'was not refused'
                WHEN reached <> try_step.expected THEN format('reached %s rows instead of %s', reached, try_step.expected) END;
END
$$;
COMMENT ON FUNCTION tenancy.try_step(oid, text, uuid, bigint, boolean) IS
'Runs a command as a role in the context of a tenant and says what is wrong with its outcome: other rows than expected, or, with NULL expected, that it was not refused; of a step that is to stay also what to give it. NULL when nothing is. Internal.';

CREATE FUNCTION tenancy.try_steps(relation regclass, role oid, held record, writer uuid, stranger uuid, sample jsonb)
RETURNS TABLE (step text, problem text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target text := tenancy.qualified_name(try_steps.relation);
    writer_key text := (SELECT CASE held.key_kind WHEN 'uuid' THEN t.id::text ELSE t.external_id END FROM tenancy.tenant AS t WHERE t.id = try_steps.writer);
    member regclass;
BEGIN
    step := 'a tenant writes a row';
    problem := tenancy.try_step(role, tenancy.sample_insert(relation, held.tenant_column, sample, NULL), writer, 1, keep => true);
    RETURN NEXT;
    IF problem IS NOT NULL THEN
        RETURN; -- without the row the rest would say nothing
    END IF;
    step := 'it sees it';
    problem := CASE WHEN tenancy.run_as_role(role, format('SELECT count(*) FROM %s', target), writer) = 0 THEN 'saw no row' END;
    RETURN NEXT;
    FOR member IN SELECT t.id FROM tenancy.table_tree(relation) AS t(id) LOOP
        step := format('another tenant sees nothing in %s', tenancy.qualified_name(member));
        problem := tenancy.try_step(role, format('SELECT count(*) FROM %s', tenancy.qualified_name(member)), stranger, 0);
        RETURN NEXT;
    END LOOP;
    step := 'another tenant changes nothing';
    problem := tenancy.try_step(role, format('UPDATE %s SET %2$I = %2$I', target, held.tenant_column), stranger, 0);
    RETURN NEXT;
    step := 'another tenant deletes nothing';
    problem := tenancy.try_step(role, format('DELETE FROM %s', target), stranger, 0);
    RETURN NEXT;
    step := 'another tenant writes no row of its';
    problem := tenancy.try_step(role, tenancy.sample_insert(relation, held.tenant_column, sample, writer_key), stranger, NULL);
    RETURN NEXT;
    step := 'a row is not moved to another tenant';
    problem := tenancy.try_step(role, format('UPDATE %s SET %I = %L', target, held.tenant_column,
        (SELECT CASE held.key_kind WHEN 'uuid' THEN t.id::text ELSE t.external_id END FROM tenancy.tenant AS t WHERE t.id = try_steps.stranger)), writer, NULL);
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION tenancy.try_steps(regclass, oid, record, uuid, uuid, jsonb) IS
'What tenancy.try_isolation() tries, and what is wrong. Internal.';

CREATE FUNCTION tenancy.try_isolation(relation regclass, sample jsonb DEFAULT '{}', tenant text DEFAULT NULL, role regrole DEFAULT NULL)
RETURNS TABLE (step text, passed boolean, problem text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- makes tenants for the trial; works on the table as its owner
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held record;
    tried jsonb;
    worker oid := coalesce(try_isolation.role::oid, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = try_isolation.relation));
BEGIN
    PERFORM tenancy.require_table_rights(try_isolation.relation);
    IF try_isolation.role IS NOT NULL AND NOT pg_has_role(tenancy.outer_role(), worker, 'MEMBER') THEN
        RAISE EXCEPTION 'permission denied to work as role "%"', try_isolation.role
            USING ERRCODE = '42501', HINT = 'Only its members can, and superusers.';
    END IF;
    SELECT p.* INTO held FROM tenancy.protection(try_isolation.relation) AS p;
    IF held.tenant_column IS NULL THEN
        RETURN QUERY SELECT 'the table is protected', false, tenancy.why_unprotected(try_isolation.relation);
        RETURN;
    ELSIF (SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles AS r WHERE r.oid = worker) THEN
        RETURN QUERY SELECT 'policies bind the role', false,
            format('none binds %s; name the role of the application: role => ''...''', pg_get_userbyid(worker));
        RETURN;
    END IF;
    BEGIN
        SELECT jsonb_agg(to_jsonb(s)) INTO tried
        FROM tenancy.try_steps(try_isolation.relation, worker, held,
            CASE WHEN try_isolation.tenant IS NULL THEN tenancy.make_trial_tenant(held.key_kind) ELSE tenancy.tenant_id(try_isolation.tenant) END,
            tenancy.make_trial_tenant(held.key_kind), coalesce(try_isolation.sample, '{}')) AS s;
        RAISE EXCEPTION USING ERRCODE = 'TNEND', MESSAGE = 'the trial ends';
    EXCEPTION WHEN SQLSTATE 'TNEND' THEN
        NULL; -- and takes back what it did
    END;
    RETURN QUERY SELECT t.e ->> 'step', t.e ->> 'problem' IS NULL, t.e ->> 'problem'
                 FROM jsonb_array_elements(tried) WITH ORDINALITY AS t(e, n) ORDER BY t.n;
END
$$;
COMMENT ON FUNCTION tenancy.try_isolation(regclass, jsonb, text, regrole) IS
'Tries out whether a protected table keeps tenants apart: writes a row as one tenant, looks, changes, deletes and writes as another, and takes all of it back. One row for each step. sample gives values for columns that have to have one (foreign keys, checks), as JSON; the tenant that writes is a new one, or the one that is named (operators only), whose rows sample may refer to. All commands run as the owner of the table, or as the role that is named, in a security-restricted operation, and so do triggers; they reach every row that is open, so use it on databases for tests. For the owner of the table and operators of kind admin, and as a role for its members. Errors: 42501, TN004.';

-- pgTAP's functions call each other along the search_path. Where it is an extension, its schema is put first
-- for the call; otherwise it is where the caller finds it.
CREATE FUNCTION tenancy.pgtap_path()
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT quote_ident(n.nspname) FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pgtap'
$$;
COMMENT ON FUNCTION tenancy.pgtap_path() IS
'The schema of the extension pgtap, quoted; NULL where it is not there as an extension. Internal.';

-- Without a search_path of its own: it calls pgTAP as the caller would. All else is qualified.
CREATE FUNCTION tenancy.tap_line(passed boolean, description text, detail text)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    before pg_catalog.text := pg_catalog.current_setting('search_path');
    line pg_catalog.text;
    remark pg_catalog.text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', tenancy.pgtap_path(),
        CASE WHEN pg_catalog.length(before) OPERATOR(pg_catalog.>) 0 THEN before END), true);
    EXECUTE 'SELECT ok($1, $2)' INTO line USING tap_line.passed, tap_line.description;
    IF NOT tap_line.passed THEN
        EXECUTE 'SELECT diag($1)' INTO remark USING tap_line.detail;
    END IF;
    PERFORM pg_catalog.set_config('search_path', before, true);
    RETURN pg_catalog.concat_ws(E'\n', line, remark);
EXCEPTION WHEN undefined_function THEN
    RAISE EXCEPTION 'pgTAP is not installed here' USING ERRCODE = '42883',
        HINT = 'CREATE EXTENSION pgtap, or use tenancy.try_isolation() and tenancy.check_isolation() without it.';
END
$$;
COMMENT ON FUNCTION tenancy.tap_line(boolean, text, text) IS
'One test in pgTAP''s result, with detail as a diagnosis where it failed. Errors: 42883 where pgTAP is not installed. Internal.';

CREATE FUNCTION tenancy.tap_protected(relation regclass)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    problem pg_catalog.text := tenancy.why_unprotected(tap_protected.relation);
BEGIN
    RETURN tenancy.tap_line(problem IS NULL, pg_catalog.concat('table ', tap_protected.relation, ' is protected'), problem);
END
$$;
COMMENT ON FUNCTION tenancy.tap_protected(regclass) IS
'pgTAP test: the table and all its partitions are under the policies of tenancy.protect(). Errors: 42883 where pgTAP is not installed.';

CREATE FUNCTION tenancy.tap_isolated(relation regclass, sample jsonb DEFAULT '{}', tenant text DEFAULT NULL, role regrole DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    problems pg_catalog.text := (
        SELECT pg_catalog.string_agg(pg_catalog.concat(t.step, ': ', t.problem), E'\n')
        FROM tenancy.try_isolation(tap_isolated.relation, tap_isolated.sample, tap_isolated.tenant, tap_isolated.role) AS t WHERE NOT t.passed);
BEGIN
    RETURN tenancy.tap_line(problems IS NULL, pg_catalog.concat('table ', tap_isolated.relation, ' keeps tenants apart'), problems);
END
$$;
COMMENT ON FUNCTION tenancy.tap_isolated(regclass, jsonb, text, regrole) IS
'pgTAP test: what tenancy.try_isolation() tries with the table comes out well. For the owner of the table and operators of kind admin. Errors: 42501, 42883 where pgTAP is not installed, TN004.';

CREATE FUNCTION tenancy.tap_no_findings(severity text DEFAULT 'warning')
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    severities CONSTANT pg_catalog.text[] := ARRAY['error', 'warning', 'info'];
    worst CONSTANT pg_catalog.int4 := pg_catalog.array_position(severities, tap_no_findings.severity);
    findings pg_catalog.text := (
        SELECT pg_catalog.string_agg(pg_catalog.concat(f.severity, ' ', f.rule, ': ', f.message), E'\n')
        FROM tenancy.check_isolation() AS f
        WHERE pg_catalog.array_position(severities, f.severity) OPERATOR(pg_catalog.<=) worst);
BEGIN
    IF worst IS NULL THEN
        RAISE EXCEPTION 'severity must be error, warning or info, not %',
            CASE WHEN tap_no_findings.severity IS NULL THEN 'NULL' ELSE pg_catalog.concat('"', tap_no_findings.severity, '"') END
            USING ERRCODE = '22023';
    END IF;
    RETURN tenancy.tap_line(findings IS NULL, pg_catalog.concat('the linter finds no ', tap_no_findings.severity, ' or worse'), findings);
END
$$;
COMMENT ON FUNCTION tenancy.tap_no_findings(text) IS
'pgTAP test: tenancy.check_isolation() finds nothing of that severity (error, warning, info) or worse that is not suppressed. For operators of kind admin and auditor. Errors: 22023 for another severity, 42501, 42883 where pgTAP is not installed.';
