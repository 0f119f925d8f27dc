-- Slugs, ids, external ids and aliases: their forms, that each leads to its tenant, and that none
-- changes hands.
\ir helpers/operators.sql
SELECT plan(142);
SET SESSION AUTHORIZATION lc_admin;

-- Forms of slugs.
SELECT lives_ok(format('SELECT tenancy.provision(%L)', slug), 'a slug: ' || slug)
FROM unnest(ARRAY['a', '7', 'acme', 'a-b-', '0-0', repeat('x', 39), 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1']) AS slug;
SELECT test.refused(format('SELECT tenancy.provision(%L)', slug), 'TN011', 'no slug: ' || coalesce(slug, 'NULL'))
FROM unnest(ARRAY['', '-a', 'Acme', 'acme corp', 'a_b', 'a.b', 'ä', ' acme', 'acme ', E'acme\n', repeat('x', 40), NULL,
    'a:b', '*', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc999c0b4ef8bb6d6bb9bd380a11',
    'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11']) AS slug;

SELECT test.refused($$SELECT tenancy.provision('nobody', id => '00000000-0000-0000-0000-000000000000')$$, '22023', 'the nil uuid is nobody''s id');

-- Forms of external ids.
SELECT lives_ok(format('SELECT tenancy.provision(%L, external_id => %L)', 'ext-' || n, external_id), 'an external id: ' || external_id)
FROM unnest(ARRAY['0', '42', '-7', '9223372036854775807', '-9223372036854775808', 'cus_9', '4.2', 'a b', '0x2A', '1e3'])
    WITH ORDINALITY AS e(external_id, n);
SELECT test.refused(format('SELECT tenancy.provision(%L, external_id => %L)', 'bad', external_id), 'TN011',
    'no external id: ' || quote_literal(external_id))
FROM unnest(ARRAY['', ' 42', '42 ', '042', '+42', '-0', '00', '9223372036854775808', '-9223372036854775809',
    '99999999999999999999999', E'a\tb', E'x\n', repeat('x', 256)]) AS external_id;
SELECT results_eq(
    $$SELECT external_id COLLATE "default", external_bigint FROM tenancy.tenant WHERE slug LIKE 'ext-%' AND external_bigint IS NOT NULL ORDER BY 2$$,
    $$VALUES ('-9223372036854775808'::text, '-9223372036854775808'::bigint), ('-7', -7), ('0', 0), ('42', 42),
             ('9223372036854775807', 9223372036854775807)$$,
    'external_bigint is filled for canonical integers, and for nothing else');

-- Taken names.
SELECT test.refused($$SELECT tenancy.provision('acme')$$, 'TN012', 'a slug is given once');
SELECT test.refused($$SELECT tenancy.provision('other', external_id => '42')$$, 'TN012', 'an external id is given once');
SELECT lives_ok($$SELECT tenancy.provision('by-id', id => '11111111-2222-3333-4444-555555555555')$$, 'an id may be given');
SELECT test.refused($$SELECT tenancy.provision('other', id => '11111111-2222-3333-4444-555555555555')$$, 'TN012', 'an id is given once');
SELECT test.refused($$SELECT tenancy.provision('other', tier => 'gold')$$, '42704', 'the tier must exist');
SELECT test.refused($$SELECT tenancy.provision('other', settings => '[]')$$, 'TN014', 'settings are an object');
SELECT test.refused($$SELECT tenancy.provision('other', settings => '{"nope": 1}')$$, 'TN015', 'settings must be defined');
SELECT is((SELECT count(*) FROM tenancy.tenant WHERE slug IN ('other', 'bad')), 0::bigint, 'a refused tenant leaves no row');
SELECT lives_ok($$SELECT tenancy.provision('other')$$, 'and its slug is free');

-- From names to tenants.
SELECT tenancy.add_alias('acme', 'host', 'ACME.Example.COM.'), tenancy.add_alias('acme', 'stripe', 'cus_A'),
       tenancy.add_alias('acme', 'old_slug', 'Acme Inc') \g /dev/null
SELECT id AS acme FROM tenancy.tenant WHERE slug = 'acme' \gset
SELECT is(tenancy.tenant_id(name), :'acme'::uuid, 'tenant_id: ' || name)
FROM unnest(ARRAY['acme', :'acme', upper(:'acme'), 'host:acme.example.com', 'host:Acme.Example.Com', 'stripe:cus_A',
    'old_slug:Acme Inc']) AS name;
SELECT is(tenancy.tenant_id('external:42'), (SELECT id FROM tenancy.tenant WHERE external_id = '42'), 'tenant_id: external');
SELECT test.refused(format('SELECT tenancy.tenant_id(%L)', name), 'TN004', 'no tenant: ' || coalesce(name, 'NULL'))
FROM unnest(ARRAY['nope', 'ACME', '', 'external:042', 'external:nope', 'stripe:cus_a', 'host:', ':', 'slug:acme', 'old_slug:acme',
    '{' || :'acme' || '}', replace(:'acme', '-', ''), '00000000-0000-0000-0000-000000000000', NULL]) AS name;

-- Aliases.
SELECT results_eq($$SELECT kind COLLATE "default", value COLLATE "default" FROM tenancy.tenant_alias ORDER BY 1$$,
    $$VALUES ('host', 'acme.example.com'), ('old_slug', 'Acme Inc'), ('stripe', 'cus_A')$$, 'host names are kept in lower case');
SELECT test.refused(format('SELECT tenancy.add_alias(%L, %L, %L)', 'acme', kind, value), 'TN011', format('no alias: %s:%s', kind, value))
FROM (VALUES ('slug', 'x'), ('id', 'x'), ('external', 'x'), ('token', 'x'), ('tier', 'x'), ('Host', 'x'), ('', 'x'), (NULL, 'x'),
    ('k', NULL), ('k', ''), ('k', ' x'), ('k', 'x '), ('k', E'x\ny'), ('k', repeat('x', 256)), (repeat('k', 32), 'x'),
    ('host', 'a b'), ('host', 'https://a'), ('host', 'a..b'), ('host', '-a'), ('host', 'ä.de'), ('host', repeat('a', 64))) AS bad(kind, value);
SELECT test.refused($$SELECT tenancy.add_alias('other', 'host', 'Acme.example.com')$$, 'TN012', 'an alias is unique in its kind');
SELECT lives_ok($$SELECT tenancy.add_alias('other', 'paypal', 'cus_A')$$, 'the same value in another kind');
SELECT test.refused($$SELECT tenancy.add_alias('nope', 'k', 'v')$$, 'TN004', 'an alias of no tenant');
SELECT test.refused($$SELECT tenancy.add_alias('acme', 'k', 'v', 1)$$, 'TN016', 'an alias for another generation');
SELECT test.refused($$SELECT tenancy.remove_alias('other', 'host', 'acme.example.com')$$, '42704', 'an alias of somebody else');
SELECT test.refused($$SELECT tenancy.remove_alias('acme', 'host', 'acme.example.com', 1)$$, 'TN016', 'removing for another generation');
SELECT generation AS before FROM tenancy.tenant WHERE slug = 'acme' \gset
SELECT is(tenancy.add_alias('acme', 'host', 'acme.example.com'), :before::bigint, 'adding an alias again changes nothing');
SELECT is(tenancy.remove_alias('acme', 'host', 'ACME.example.com', :before), :before + 1::bigint, 'removing counts as a change');
SELECT lives_ok($$SELECT tenancy.add_alias('other', 'host', 'acme.example.com')$$, 'an alias can move');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE event IN ('add_alias', 'remove_alias')), 6::bigint, 'each change of an alias is in the trail');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE detail::text ~* 'example|cus_A|Acme Inc'), 0::bigint, 'but not its value');

-- resolve(), by an application's role.
SET SESSION AUTHORIZATION lc_app;
SELECT throws_ok($$SELECT tenancy.resolve('host', 'x')$$, '42501', NULL, 'resolve needs a grant');
SET SESSION AUTHORIZATION lc_admin;
GRANT EXECUTE ON FUNCTION tenancy.resolve(text, text) TO lc_app;
SET SESSION AUTHORIZATION lc_app;
SELECT is(tenancy.resolve(kind, value), CASE WHEN found THEN :'acme'::uuid END, format('resolve %s:%s', kind, value))
FROM (VALUES ('slug', 'acme', true), ('stripe', 'cus_A', true), ('old_slug', 'Acme Inc', true), ('slug', 'ACME', false),
    ('slug', 'ac%', false), ('stripe', 'cus_', false), ('host', 'no.example.com', false), ('nokind', 'x', false),
    (NULL, 'x', false), ('slug', NULL, false), ('host', 'a b', false)) AS q(kind, value, found);
SELECT isnt(tenancy.resolve('host', 'ACME.example.com'), NULL, 'resolve normalises host names');
SELECT isnt(tenancy.resolve('external', '42'), NULL, 'resolve external');
SELECT throws_ok('SELECT * FROM tenancy.tenant', '42501', NULL, 'the application does not read the registry');
SELECT throws_ok($$SELECT tenancy.tenant_id('acme')$$, '42501', NULL, 'nor asks by name');

-- Immutable also for superusers.
RESET SESSION AUTHORIZATION;
SELECT test.refused($$UPDATE tenancy.tenant SET slug = 'neu' WHERE slug = 'acme'$$, '55000', 'a slug stays');
SELECT test.refused($$UPDATE tenancy.tenant SET id = gen_random_uuid() WHERE slug = 'acme'$$, '55000', 'an id stays');
SELECT test.refused($$UPDATE tenancy.tenant SET external_id = '1' WHERE slug = 'acme'$$, '55000', 'an external id stays');
SELECT test.refused($$UPDATE tenancy.tenant SET generation = 1 WHERE slug = 'acme'$$, '55000', 'a generation does not go back');
SELECT test.refused($$UPDATE tenancy.tenant SET state = 'erased' WHERE slug = 'acme'$$, 'TN010', 'a state changes by legal transitions only');
SELECT test.refused($$DELETE FROM tenancy.tenant WHERE slug = 'acme'$$, '55000', 'a tenant is not deleted');
SELECT test.refused($$TRUNCATE tenancy.tenant CASCADE$$, '55000', 'nor truncated');
SELECT test.refused($$DELETE FROM tenancy.tenant_tombstone$$, '55000', 'a tombstone stays');
SELECT test.refused($$UPDATE tenancy.tenant_tombstone SET value = value || 'x'$$, '55000', 'and does not change');
SELECT test.refused($$TRUNCATE tenancy.tenant_tombstone$$, '55000', 'nor is it truncated');
SET session_replication_role = replica;
SELECT test.refused($$UPDATE tenancy.tenant SET slug = 'neu' WHERE slug = 'acme'$$, '55000', 'not under session_replication_role = replica either');
RESET session_replication_role;
SELECT throws_ok($$INSERT INTO tenancy.tenant (id, slug) VALUES (gen_random_uuid(), 'a0eebc999c0b4ef8bb6d6bb9bd380a11')$$,
    '23514', NULL, 'a slug that reads as a uuid cannot be inserted');
SELECT throws_ok($$INSERT INTO tenancy.tenant (id, slug, external_id) VALUES (gen_random_uuid(), 'x1', '042')$$,
    '23514', NULL, 'nor an external id that is no canonical number');

SELECT finish();
