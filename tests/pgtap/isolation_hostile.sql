-- The owner of a table is an ordinary role. Its triggers, deferred triggers, checks, defaults, index expressions
-- and rules run wherever the extension touches the table, and must find no right there but the owner's own.
\ir helpers/isolation.sql
CREATE ROLE iso_evil LOGIN;
GRANT USAGE, CREATE ON SCHEMA shop TO iso_evil;
SELECT tenancy.grant_access('iso_evil', '*', reason => 'test') \g /dev/null
CREATE TABLE test.attempt (place text, means text, as_role name);
GRANT INSERT, SELECT ON test.attempt TO iso_evil;

SET SESSION AUTHORIZATION iso_evil;
-- Tries every way up, notes who it was, and goes on: an error would only stop the victim. A way that opens
-- shows in the end: iso_evil is a superuser, or something runs as another role.
CREATE FUNCTION shop.strike(place text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    means text;
BEGIN
    IF current_setting('test.armed', true) IS DISTINCT FROM 'yes' THEN
        RETURN true; -- what the owner itself runs meanwhile proves nothing
    END IF;
    FOREACH means IN ARRAY ARRAY[
        'ALTER ROLE iso_evil SUPERUSER', 'RESET ROLE', 'SET ROLE postgres', 'RESET SESSION AUTHORIZATION',
        'SET SESSION AUTHORIZATION postgres', $m$SELECT set_config('role', 'postgres', false)$m$,
        $m$SELECT set_config('session_authorization', 'postgres', false)$m$, 'GRANT pg_read_all_data TO iso_evil',
        'DELETE FROM tenancy.tenant', 'UPDATE tenancy.protected_table SET undo = NULL', $m$SELECT tenancy.run_as_owner('tenancy.tenant', 'DELETE FROM tenancy.tenant')$m$,
        'CREATE TEMPORARY TABLE left_behind ()']
    LOOP
        BEGIN
            EXECUTE means;
            INSERT INTO test.attempt VALUES (strike.place, means, current_user);
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    INSERT INTO test.attempt VALUES (strike.place, '-', current_user);
    RETURN true;
END
$$;
-- The same under the guise of a function of its argument, as an index or a check wants it.
CREATE FUNCTION shop.strike_immutable(place text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN shop.strike(place); END $$;
CREATE FUNCTION shop.strike_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM shop.strike(TG_ARGV[0]);
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END
$$;
CREATE TABLE shop.parent (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE TABLE shop.victim (id bigint PRIMARY KEY, parent_id bigint NOT NULL REFERENCES shop.parent, body text);
CREATE TABLE shop.victim_parts (id bigint NOT NULL, tenant_id uuid NOT NULL, body text) PARTITION BY RANGE (id);
CREATE TABLE shop.victim_part PARTITION OF shop.victim_parts FOR VALUES FROM (0) TO (100);
CREATE TABLE shop.rule_target (id bigint, is_struck boolean);
INSERT INTO shop.parent VALUES (1, :'alpha'), (2, :'beta');
INSERT INTO shop.victim SELECT n, 1 + n % 2, 'b' FROM generate_series(1, 20) AS n;
INSERT INTO shop.victim_parts SELECT n, :'alpha', 'b' FROM generate_series(1, 20) AS n;
DO $arm$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['victim', 'victim_part', 'parent'] LOOP
        EXECUTE format('CREATE TRIGGER struck BEFORE INSERT OR UPDATE OR DELETE ON shop.%I FOR EACH ROW EXECUTE FUNCTION shop.strike_trigger(%L)', name, name || ' trigger');
        EXECUTE format('CREATE TRIGGER struck_statement AFTER INSERT OR UPDATE OR DELETE ON shop.%I FOR EACH STATEMENT EXECUTE FUNCTION shop.strike_trigger(%L)', name, name || ' statement trigger');
        EXECUTE format('CREATE CONSTRAINT TRIGGER struck_late AFTER INSERT OR UPDATE OR DELETE ON shop.%I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.strike_trigger(%L)', name, name || ' deferred trigger');
        EXECUTE format('ALTER TABLE shop.%I ADD CONSTRAINT struck_check CHECK (shop.strike_immutable(%L || '' check'')) NOT VALID', name, name);
        EXECUTE format('ALTER TABLE shop.%I ADD COLUMN struck_default boolean DEFAULT shop.strike_immutable(%L || '' default'')',
                       CASE name WHEN 'victim_part' THEN 'victim_parts' ELSE name END, name);
        EXECUTE format('CREATE INDEX ON shop.%I (shop.strike_immutable(%L || '' index'' || left(id::text, 0)))', name, name);
        EXECUTE format('CREATE RULE struck AS ON DELETE TO shop.%I DO ALSO INSERT INTO shop.rule_target VALUES (OLD.id, shop.strike(%L))', name, name || ' rule');
        EXECUTE format('CREATE INDEX ON shop.%I (id) WHERE shop.strike_immutable(%L || '' predicate'')', name, name);
    END LOOP;
END
$arm$;
RESET SESSION AUTHORIZATION;
SET test.armed = 'yes';
ALTER TABLE test.attempt ADD COLUMN entry_point text;

-- Every entry point, called by a superuser, as the worst case.
CREATE FUNCTION test.strikes_of(entry text, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    SET CONSTRAINTS ALL IMMEDIATE;
    UPDATE test.attempt SET entry_point = entry WHERE entry_point IS NULL;
    RETURN public.ok((SELECT count(*) = 0 FROM test.attempt WHERE entry_point = entry AND (as_role <> 'iso_evil' OR means <> '-')),
                     'powerless in ' || entry);
END
$$;
SELECT plan(25);
SELECT test.strikes_of('protect', $$SELECT tenancy.protect('shop.parent')$$);
SELECT test.strikes_of('protect via', $$SELECT tenancy.protect('shop.victim', via => 'parent_id', fill_null => true)$$);
SELECT test.strikes_of('protect partitioned', $$SELECT tenancy.protect('shop.victim_parts', harden_keys => 'keys')$$);
SELECT test.strikes_of('protect again', $$SELECT tenancy.protect('shop.victim', via => 'parent_id')$$);
SELECT test.strikes_of('sync', $$SELECT tenancy.sync()$$);
SELECT test.strikes_of('tenant_rows', format($$SELECT tenancy.tenant_rows(%L, 'shop.victim')$$, :'alpha'));
SELECT test.strikes_of('unknown_tenants', $$SELECT tenancy.unknown_tenants('shop.victim')$$);
SELECT test.strikes_of('erase_rows', format($$SELECT tenancy.erase_rows(%L, 'shop.victim', 5)$$, :'alpha'));
SELECT test.strikes_of('erase_rows partitioned', format($$SELECT tenancy.erase_rows(%L, 'shop.victim_parts', 5)$$, :'alpha'));
SELECT test.strikes_of('new partition', $$CREATE TABLE shop.victim_new PARTITION OF shop.victim_parts FOR VALUES FROM (100) TO (200)$$);
SELECT test.strikes_of('unprotect', $$SELECT tenancy.unprotect('shop.victim')$$);
SELECT test.strikes_of('unprotect partitioned', $$SELECT tenancy.unprotect('shop.victim_parts')$$);
SELECT test.strikes_of('protect_plan', $$SELECT tenancy.protect_plan('shop.victim', via => 'parent_id')$$);
SELECT test.strikes_of('fill_tenant_column', $$ALTER TABLE shop.victim ADD tenant_id uuid; SELECT tenancy.fill_tenant_column('shop.victim', 'tenant_id', 'parent_id', 0, 1)$$);
SELECT test.strikes_of('share', $$SELECT tenancy.share('shop.rule_target')$$);
SELECT test.strikes_of('unshare', $$SELECT tenancy.unshare('shop.rule_target')$$);
SET SESSION AUTHORIZATION iso_evil;
CREATE FUNCTION shop.step(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM shop.strike('step'); END $$;
RESET SESSION AUTHORIZATION;
SELECT test.strikes_of('run_function_as_owner', format($$SELECT tenancy.run_function_as_owner('shop.step(uuid)', %L)$$, :'alpha'));

-- A trigger that puts the constraints off again is stopped; what the caller itself left deferred fires as the caller.
RESET test.armed;
SET SESSION AUTHORIZATION iso_evil;
CREATE TABLE shop.putting_off (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
INSERT INTO shop.putting_off VALUES (1, :'alpha');
CREATE FUNCTION shop.put_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN OLD; END $$;
CREATE TRIGGER put_off BEFORE DELETE ON shop.putting_off FOR EACH ROW EXECUTE FUNCTION shop.put_off();
CREATE CONSTRAINT TRIGGER struck_late AFTER DELETE ON shop.putting_off DEFERRABLE FOR EACH ROW EXECUTE FUNCTION shop.strike_trigger('put off');
SELECT tenancy.protect('shop.putting_off') \g /dev/null
CREATE TABLE shop.pending (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE TABLE shop.fired (as_role name);
CREATE FUNCTION shop.fire() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER AS $$ BEGIN INSERT INTO shop.fired VALUES (current_user); RETURN NEW; END $$;
CREATE CONSTRAINT TRIGGER fire AFTER INSERT ON shop.pending DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.fire();
GRANT ALL ON shop.fired, shop.pending TO iso_admin;
SELECT set_config('test.alpha', :'alpha', false) \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT throws_ok(format($$SELECT tenancy.erase_rows(%L, 'shop.putting_off', 5)$$, :'alpha'), '42501', NULL, 'a trigger cannot put itself off to a better time');
SET SESSION AUTHORIZATION iso_admin;
BEGIN;
INSERT INTO shop.pending SELECT 1, current_setting('test.alpha')::uuid;
SELECT lives_ok($$SELECT tenancy.protect('shop.victim_parts')$$, 'work on another table');
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT set_eq('SELECT as_role::text FROM shop.fired', ARRAY['iso_admin'], 'what the caller had left deferred fired as the caller, not as the owner of that table');
SET test.armed = 'yes';

SELECT ok(count(DISTINCT place) >= 8, 'triggers, deferred triggers, checks, index expressions and predicates, rules have struck') FROM test.attempt;
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'iso_evil'), false, 'nobody became superuser');
SELECT set_eq('SELECT DISTINCT as_role::text FROM test.attempt', ARRAY['iso_evil'], 'all of it ran as the owner');
SELECT is((SELECT count(*) FROM tenancy.tenant), 2::bigint, 'the registry is as it was');
SELECT is(current_user::text || session_user, 'postgrespostgres', 'and so is the caller');
SELECT diag(place, ': ', means, ' as ', as_role, ' in ', entry_point) FROM test.attempt WHERE as_role <> 'iso_evil' OR means <> '-';
SELECT * FROM finish();
