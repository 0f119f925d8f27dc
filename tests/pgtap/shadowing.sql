-- Objects of somebody else's that come first in an operator's search_path, temporary ones too, are
-- never used by the functions and procedures of the lifecycle.
\ir helpers/operators.sql
SELECT plan(6);

CREATE SCHEMA evil;
GRANT USAGE, CREATE ON SCHEMA evil TO PUBLIC;
SET SESSION AUTHORIZATION lc_app;
CREATE TABLE evil.caught (what text, by name);
GRANT ALL ON evil.caught TO PUBLIC;
CREATE FUNCTION evil.catch(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO evil.caught VALUES (what, current_user);
    RETURN true;
END
$$;
CREATE DOMAIN evil.uuid AS pg_catalog.uuid CHECK (evil.catch('type uuid'));
CREATE DOMAIN evil.regclass AS pg_catalog.regclass CHECK (evil.catch('type regclass'));
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.catch('type text'));
CREATE FUNCTION evil.texts_equal(pg_catalog.text, pg_catalog.text) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.catch('operator = text') $$;
CREATE OPERATOR evil.= (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = evil.texts_equal);
CREATE FUNCTION evil.numbers_equal(bigint, integer) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.catch('operator = bigint') $$;
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = evil.numbers_equal);
CREATE FUNCTION evil.sum(bigint, bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT CASE WHEN evil.catch('operator +') THEN 0 END::bigint $$;
CREATE OPERATOR evil.+ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.sum);
CREATE FUNCTION evil.btrim(pg_catalog.text) RETURNS pg_catalog.text LANGUAGE sql AS $$ SELECT CASE WHEN evil.catch('function btrim') THEN $1 END $$;

RESET SESSION AUTHORIZATION;
CREATE TABLE public.message (tenant_id pg_catalog.uuid NOT NULL, body text);
SELECT tenancy.protect('public.message') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SET search_path = evil, pg_catalog, public;
SELECT 'x'::pg_catalog.text = 'y'::pg_catalog.text AND NULL::uuid IS NULL AND 1::bigint + 2::bigint IS NOT NULL AND 1::bigint = 0 AS works \gset
RESET search_path;
SELECT is((SELECT array_agg(what ORDER BY what)::text FROM evil.caught), '{"operator +","operator = bigint","operator = text","type uuid"}',
    'the trap works');
DELETE FROM evil.caught;
CREATE TEMP TABLE tenant (id pg_catalog.uuid, slug text, state text, generation bigint);
CREATE TEMP TABLE operator (kind text);
SET search_path = evil, pg_temp, pg_catalog, public;
SELECT tenancy.provision('acme', 'Acme') IS NOT NULL AS provisioned \gset
SELECT tenancy.suspend('acme', 'x') \g /dev/null
CALL tenancy.drain('acme', 'wait', '20 seconds');
SELECT tenancy.archive('acme', 'x') \g /dev/null
SELECT tenancy.request_erasure('acme', 'x', '0') \g /dev/null
CALL tenancy.erase('acme', 10);
RESET search_path;
SELECT ok(:'provisioned', 'provisioned');
SELECT is((SELECT state FROM tenancy.tenant), 'erased', 'led through its life');
SELECT is((SELECT count(*) FROM pg_temp.tenant), 0::bigint, 'the temporary table was not written');
SELECT is_empty('SELECT DISTINCT what, by FROM evil.caught', 'nothing of the trap was used');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE actor_role = 'lc_admin'), 7::bigint, 'and the trail is whole');
SELECT finish();
