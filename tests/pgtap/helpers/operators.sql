-- Operators as an installation has them, and refused(), which tests a refusal. Tests run as
-- lc_admin: no superuser, no BYPASSRLS, owner of nothing.
\set QUIET 1
SET client_min_messages = warning;
CREATE ROLE lc_admin LOGIN;
CREATE ROLE lc_auditor LOGIN;
CREATE ROLE lc_sidecar LOGIN;
CREATE ROLE lc_app LOGIN;
CREATE ROLE lc_elsewhere LOGIN; -- an admin of another database of the cluster
GRANT tenancy_admin TO lc_admin, lc_elsewhere;
GRANT tenancy_auditor TO lc_auditor;
GRANT tenancy_sidecar TO lc_sidecar;
SELECT tenancy.add_operator('lc_admin', 'admin');
SELECT tenancy.add_operator('lc_auditor', 'auditor');
SELECT tenancy.add_operator('lc_sidecar', 'sidecar');

CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;

-- All that a refused call must leave as it is.
CREATE FUNCTION test.registry() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    name     text;
    one      text;
    together text := '';
BEGIN
    FOREACH name IN ARRAY ARRAY['tenant', 'tenant_tombstone', 'tenant_alias', 'tier', 'operator', 'audit_event',
        'scheduled_action', 'onboarding_step', 'tenant_onboarding', 'setting_definition', 'setting_value', 'erasure_count',
        'instance', 'daemon', 'store', 'store_collection', 'tenant_store', 'store_mark', 'store_status', 'unknown_object']
    LOOP
        EXECUTE format('SELECT md5(string_agg(t::text, E''\n'' ORDER BY t::text)) FROM tenancy.%I AS t', name) INTO one;
        together := together || coalesce(one, '-');
    END LOOP;
    RETURN md5(together);
END
$$;

-- One test: the command fails with this SQLSTATE, says what to do next, and changes nothing.
CREATE FUNCTION test.refused(command text, expected text, description text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before  text := test.registry();
    state   text := '00000';
    said    text;
    advice  text;
BEGIN
    BEGIN
        EXECUTE command;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, advice = PG_EXCEPTION_HINT;
    END;
    RETURN public.is(
        format('%s, hint %s, %s', state, CASE WHEN advice <> '' THEN 'given' ELSE 'MISSING' END,
               CASE WHEN before = test.registry() THEN 'nothing changed' ELSE 'CHANGED' END)
            || CASE WHEN said ~ '^[[:upper:]][[:lower:]]|\.$' THEN ', style' ELSE '' END,
        format('%s, hint given, nothing changed', expected), description);
END
$$;

-- What the last command that failed at top level, a CALL, should have failed with.
CREATE FUNCTION test.said(sqlstate text, expected text, description text) RETURNS text LANGUAGE sql AS $$
    SELECT public.is($1, $2, $3)
$$;
