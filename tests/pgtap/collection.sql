-- Collections: strictly checked, and followed by every tenant.
\ir helpers/operators.sql
\ir helpers/daemon.sql
SELECT plan(61);

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('acme'), tenancy.provision('beta'), tenancy.define_store('docs', 'mongodb'), tenancy.define_store('cache', 'redis') \g /dev/null
SET SESSION AUTHORIZATION lc_sidecar;
SELECT id FROM tenancy.bind_instance('new') \g /dev/null
SELECT test.settle('docs', 'cache') \g /dev/null

-- What a collection may be.
SET SESSION AUTHORIZATION lc_admin;
SELECT test.refused(format('SELECT tenancy.define_collection(%s)', a), state, 'no collection: ' || a)
FROM (VALUES ($$'nope', 'c'$$, 'TN027'), ($$'cache', 'c'$$, 'TN028'), ($$'docs', NULL$$, 'TN028'), ($$'docs', ''$$, 'TN028'), ($$'docs', 'a$b'$$, 'TN028'),
    ($$'docs', 'tenancy'$$, 'TN028'), ($$'docs', 'system.views'$$, 'TN028'), ($$'docs', '.a'$$, 'TN028'), ($$'docs', 'a.'$$, 'TN028'), ($$'docs', 'a..b'$$, 'TN028'),
    ($$'docs', repeat('a', 121)$$, 'TN028'), ($$'docs', 'c', '[]'$$, 'TN028'), ($$'docs', 'c', '{}'$$, 'TN028'), ($$'docs', 'c', 'null'$$, 'TN028'),
    ($$'docs', 'c', indexes => '{}'$$, 'TN028'), ($$'docs', 'c', indexes => NULL$$, 'TN028')) AS bad(a, state);
-- What an index may be; the message says where.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION test.fault(indexes text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tenancy.define_collection('docs', 'c', indexes => fault.indexes::jsonb);
    RETURN 'defined';
EXCEPTION WHEN SQLSTATE 'TN028' THEN
    RETURN substring(SQLERRM FROM 'at "(.*)"$');
END
$$;
SET SESSION AUTHORIZATION lc_admin;
SELECT is(test.fault(i), place, i)
FROM (VALUES ('[1]', '/0'), ('[{}]', '/0'), ('[{"name": "a"}]', '/0'), ('[{"keys": [["a", 1]]}]', '/0'), ('[{"name": 5, "keys": [["a", 1]]}]', '/0/name'),
    ('[{"name": "", "keys": [["a", 1]]}]', '/0/name'), ('[{"name": "_id_", "keys": [["a", 1]]}]', '/0/name'), ('[{"name": "a", "keys": []}]', '/0/keys'),
    ('[{"name": "a", "keys": {"a": 1}}]', '/0/keys'), ('[{"name": "a", "keys": [["a"]]}]', '/0/keys/0'), ('[{"name": "a", "keys": [["a", 1], ["b", 2]]}]', '/0/keys/1'),
    ('[{"name": "a", "keys": [["a", "up"]]}]', '/0/keys/0'), ('[{"name": "a", "keys": [["a", [1]]]}]', '/0/keys/0'), ('[{"name": "a", "keys": [["$a", 1]]}]', '/0/keys/0'),
    ('[{"name": "a", "keys": [["a..b", 1]]}]', '/0/keys/0'), ('[{"name": "a", "keys": [["", 1]]}]', '/0/keys/0'), ('[{"name": "a", "keys": [["a", 1], ["a", -1]]}]', '/0'),
    ('[{"name": "a", "keys": [["a", 1]], "unique": "yes"}]', '/0/unique'), ('[{"name": "a", "keys": [["a", 1]], "background": true}]', '/0/background'),
    ('[{"name": "a", "keys": [["a", 1]], "ttl_seconds": -1}]', '/0/ttl_seconds'), ('[{"name": "a", "keys": [["a", 1]], "ttl_seconds": 2147483648}]', '/0/ttl_seconds'),
    ('[{"name": "a", "keys": [["a", 1], ["b", 1]], "ttl_seconds": 5}]', '/0'), ('[{"name": "a", "keys": [["_id", 1]], "ttl_seconds": 5}]', '/0'),
    ('[{"name": "a", "keys": [["_id", 1]]}]', '/0'),
    ('[{"name": "a", "keys": [["a", 1]], "partial": {}}]', '/0/partial'), ('[{"name": "a", "keys": [["a", 1]], "partial": {"a": 1}, "sparse": true}]', '/0'),
    ('[{"name": "a", "keys": [["a", "hashed"]], "unique": true}]', '/0'), ('[{"name": "a", "keys": [["a", 1]], "collation": {}}]', '/0/collation'),
    ('[{"name": "a", "keys": [["a", 1]]}, {"name": "b", "keys": [["b", 0]]}]', '/1/keys/0'), ('[{"name": "a", "keys": [["a", 1]]}, {"name": "a", "keys": [["b", 1]]}]', NULL)) AS bad(i, place);
SELECT is((SELECT generation FROM tenancy.store WHERE name = 'docs'), 1::bigint, 'nothing was defined');

-- Followed by everybody.
SELECT lives_ok($$SELECT tenancy.define_collection('docs', 'messages', '{"$jsonSchema": {"required": ["body"]}}',
    '[{"name": "by_chat", "keys": [["chat.id", 1], ["at", -1]], "unique": true, "partial": {"draft": false}, "collation": {"locale": "de"}},
      {"name": "expiry", "keys": [["at", 1]], "ttl_seconds": 86400, "sparse": true}, {"name": "words", "keys": [["body", "text"]]}]')$$, 'a collection');
SELECT is((SELECT generation FROM tenancy.store WHERE name = 'docs'), 2::bigint, 'is something to follow');
SELECT results_eq($$SELECT s -> 'due', s -> 'rollout' FROM jsonb_array_elements(tenancy.status_report() -> 'stores') AS s WHERE s ->> 'name' = 'docs'$$,
    $$VALUES ('2'::jsonb, '{"of": 2, "reached": 0}'::jsonb)$$, 'nobody has followed yet');
SET SESSION AUTHORIZATION lc_sidecar;
SELECT is((SELECT jsonb_path_query_array(collections, '$[*].indexes[*].name') FROM tenancy.daemon_stores() WHERE name = 'docs'), '["by_chat", "expiry", "words"]', 'daemons are told');
SELECT is(test.report('docs', test.claim('docs', 1)), 'true', 'one follows');
SELECT is((SELECT s -> 'rollout' FROM jsonb_array_elements(tenancy.status_report() -> 'stores') AS s WHERE s ->> 'name' = 'docs'), '{"of": 2, "reached": 1}', 'one has followed');
SELECT is(test.report('docs', test.claim('docs', 1), '{"store_generation": 1}'), 'true', 'one follows what was before');
SELECT is(jsonb_array_length(test.claim('docs')), 1, 'and is due again');
SELECT test.expire() \g /dev/null
SELECT test.settle('docs') \g /dev/null
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_collection('docs', 'plain') \g /dev/null
SELECT tenancy.define_collection('docs', 'plain') \g /dev/null
SELECT is((SELECT generation FROM tenancy.store WHERE name = 'docs'), 3::bigint, 'the same once more is nothing new');
SELECT test.refused($$SELECT tenancy.remove_collection('docs', 'nope')$$, '42704', 'no such collection');
SELECT test.refused($$SELECT tenancy.remove_collection('nope', 'plain')$$, 'TN027', 'no such store');
SELECT lives_ok($$SELECT tenancy.remove_collection('docs', 'plain')$$, 'taken out');
SELECT is((SELECT string_agg(event, ',' ORDER BY seq) FROM tenancy.audit_event WHERE event ~ 'collection'), 'define_collection,define_collection,remove_collection', 'on record');
SELECT is((SELECT string_agg(s.name || s.generation, ',' ORDER BY s.name) FROM tenancy.store AS s), 'cache1,docs4', 'the other store has nothing to follow');
SELECT finish();
