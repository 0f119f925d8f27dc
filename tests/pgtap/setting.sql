-- Settings: defined, given to tenants and tiers, read in context.
\ir helpers/operators.sql
SELECT plan(75);
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_tier('gold') \g /dev/null

SELECT test.refused(format('SELECT tenancy.define_setting(%s)', arguments), state, 'no setting: ' || left(arguments, 60))
FROM (VALUES ($$'A', '{}'$$, 'TN011'), ($$'', '{}'$$, 'TN011'), ($$NULL, '{}'$$, 'TN011'), ($$'a b', '{}'$$, 'TN011'),
    ($$'a', '[]'$$, 'TN014'), ($$'a', NULL$$, 'TN014'), ($$'a', 'true'$$, 'TN014'), ($$'a', '{"format": "email"}'$$, 'TN014'),
    ($$'a', '{"type": "integer"}', '"x"'$$, 'TN014'), ($$'a', '{}', secret => true$$, '0A000'), ($$'a', '{}', secret => NULL$$, '0A000')
) AS bad(arguments, state);
SELECT lives_ok($$SELECT tenancy.define_setting('users.max', '{"type": "integer", "minimum": 1, "maximum": 1000}', '10', description => 'How many')$$, 'a setting');
SELECT lives_ok($$SELECT tenancy.define_setting('theme', '{"type": ["string", "null"]}')$$, 'a setting without a default');

SELECT tenancy.provision('acme', tier => 'gold', settings => '{"theme": "dark"}') AS acme, tenancy.provision('plain') AS plain \gset
SELECT test.refused($$SELECT tenancy.provision('other', settings => '{"users.max": 0}')$$, 'TN014', 'provisioning with a bad value');
SELECT throws_like($$SELECT tenancy.provision('other', settings => '{"users.max": 0}')$$, '%not valid at "/users.max"', 'the pointer leads to the setting');
CREATE FUNCTION pg_temp.has(text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s=%s(%s)', key, coalesce(value::text, '-'), coalesce(source, '-')), ' ' ORDER BY key) FROM tenancy.tenant_settings($1)
$$;
SELECT is(pg_temp.has('acme'), 'theme="dark"(tenant) users.max=10(default)', 'provisioned with a value');
SELECT is(pg_temp.has('plain'), 'theme=-(-) users.max=10(default)', 'defaults');
SELECT is(tenancy.set_setting('tier:gold', 'users.max', '100'), NULL, 'a tier has a value');
SELECT is((SELECT generation FROM tenancy.tenant WHERE slug = 'acme'), 3::bigint, 'its tenants count it');
SELECT is((SELECT generation FROM tenancy.tenant WHERE slug = 'plain'), 2::bigint, 'others do not');
SELECT is(pg_temp.has('acme'), 'theme="dark"(tenant) users.max=100(tier)', 'tier over default');
SELECT is(tenancy.set_setting('acme', 'users.max', '500', 3), 4::bigint, 'a tenant has a value');
SELECT is(pg_temp.has('acme'), 'theme="dark"(tenant) users.max=500(tenant)', 'tenant over tier');
SELECT is(tenancy.set_setting('acme', 'users.max', '501'), 5::bigint, 'and another one');
SELECT is(tenancy.set_setting('tier:gold', 'users.max', '101'), NULL, 'the tier too');

SELECT test.refused(format('SELECT tenancy.set_setting(%s)', arguments), state, 'not set: ' || left(arguments, 60))
FROM (VALUES ($$'acme', 'users.max', '0'$$, 'TN014'), ($$'acme', 'users.max', '1001'$$, 'TN014'), ($$'acme', 'users.max', '"5"'$$, 'TN014'),
    ($$'acme', 'users.max', NULL$$, 'TN014'), ($$'acme', 'users.max', 'null'$$, 'TN014'), ($$'acme', 'nope', '1'$$, 'TN015'),
    ($$'acme', NULL, '1'$$, 'TN015'), ($$'nope', 'users.max', '1'$$, 'TN004'), ($$NULL, 'users.max', '1'$$, 'TN004'),
    ($$'acme', 'users.max', '1', 2$$, 'TN016'), ($$'tier:nope', 'users.max', '1'$$, '42704'), ($$'tier:', 'users.max', '1'$$, '42704'),
    ($$'tier:gold', 'users.max', '0'$$, 'TN014'), ($$'tier:gold', 'nope', '1'$$, 'TN015'), ($$'tier:gold', 'users.max', '1', 2$$, '22023'),
    ($$'acme', 'theme', to_jsonb((SELECT string_agg(md5(n::text), '') FROM generate_series(1, 10000) AS n))$$, 'TN014')) AS bad(arguments, state);
SELECT test.refused(format('SELECT tenancy.unset_setting(%s)', arguments), state, 'not unset: ' || arguments)
FROM (VALUES ($$'acme', 'nope'$$, 'TN015'), ($$'nope', 'theme'$$, 'TN004'), ($$'acme', 'theme', 2$$, 'TN016'), ($$'tier:nope', 'theme'$$, '42704')) AS bad(arguments, state);

-- What a store cannot hold is no value: it would keep a suspension back, too.
SELECT lives_ok($$SELECT tenancy.define_setting('any', '{}')$$, 'a setting of any form');
SELECT test.refused(format('SELECT tenancy.set_setting(%L, %L, %L)', target, 'any', value), 'TN014', 'not storable: ' || left(value, 40))
FROM (VALUES ('acme', '1e400'), ('tier:gold', '[{"a": -1e309}]'), ('acme', repeat('[', 65) || repeat(']', 65)),
    ('acme', repeat('{"a":', 65) || '1' || repeat('}', 65)), ('acme', '12345678901234567890123'), ('acme', '9223372036854775809')) AS bad(target, value);
SELECT test.refused($$SELECT tenancy.define_setting('limit', '{}', '1e400')$$, 'TN014', 'nor is it a default');
SELECT test.refused($$SELECT tenancy.define_setting('large', '{}', to_jsonb(repeat('x', 65537)))$$, 'TN014', 'a default is no larger than a value');
SELECT lives_ok($$SELECT tenancy.define_setting('any', '{}', to_jsonb(repeat('x', 65000)))$$, 'and as large');
SELECT throws_like($$SELECT tenancy.set_setting('acme', 'any', '{"a/b": [0, 1e400]}')$$, '%not valid at "/a~1b/1"', 'the pointer leads to the number');
SELECT test.refused($$SELECT tenancy.provision('other', settings => '{"any": 1e400}')$$, 'TN014', 'nor at the beginning');
SELECT lives_ok(format('SELECT tenancy.define_setting(%L, %L, %L)', 'any', '{}', value), 'storable: ' || left(value, 40))
FROM (VALUES (repeat('[', 64) || repeat(']', 64)), ('[9223372036854775807, -9223372036854775808, 1.5]'), ('[1e300, -1.79e308, 0.1]')) AS good(value);
SELECT tenancy.remove_setting('any') \g /dev/null

-- A definition changes only as far as the values that are there allow.
SELECT test.refused($$SELECT tenancy.define_setting('users.max', '{"type": "integer", "maximum": 500}')$$, 'TN014', 'a value that is set would become invalid');
SELECT throws_like($$SELECT tenancy.define_setting('users.max', '{"type": "integer", "maximum": 500}')$$, '%of acme', 'the message says whose');
SELECT test.refused($$SELECT tenancy.define_setting('users.max', '{"type": "integer", "maximum": 501, "minimum": 102}', '200')$$, 'TN014', 'also that of a tier');
SELECT lives_ok($$SELECT tenancy.define_setting('users.max', '{"type": "integer", "maximum": 501}', '20')$$, 'a narrower schema that fits');
SELECT is(pg_temp.has('plain'), 'theme=-(-) users.max=20(default)', 'and a new default');

-- Away again.
SELECT is(tenancy.unset_setting('acme', 'users.max'), 7::bigint, 'a tenant''s value is taken away');
SELECT is(tenancy.unset_setting('acme', 'users.max'), 7::bigint, 'once');
SELECT is(pg_temp.has('acme'), 'theme="dark"(tenant) users.max=101(tier)', 'the tier''s counts again');
SELECT is(tenancy.unset_setting('tier:gold', 'users.max'), NULL, 'the tier''s too');
SELECT is(pg_temp.has('acme'), 'theme="dark"(tenant) users.max=20(default)', 'the default counts again');
SELECT tenancy.set_setting('acme', 'users.max', '7') \g /dev/null
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event IN ('set_setting', 'unset_setting')), 7::bigint, 'each change is in the trail');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE detail::text ~ 'dark|50[01]'), 0::bigint, 'but no value');

SELECT lives_ok($$SELECT tenancy.remove_setting('theme')$$, 'a setting is removed');
SELECT is(pg_temp.has('acme'), 'users.max=7(tenant)', 'with its values');
SELECT test.refused($$SELECT tenancy.remove_setting('theme')$$, 'TN015', 'once');

SELECT finish();
