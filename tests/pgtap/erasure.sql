-- Erasing: only after grace, only what is the tenant's, all of it, and only then erased.
\ir helpers/operators.sql
SELECT plan(35);

CREATE ROLE lc_owner;
CREATE SCHEMA app AUTHORIZATION lc_owner;
GRANT USAGE ON SCHEMA app TO lc_admin;
SET ROLE lc_owner;
CREATE TABLE app.conversation (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, last_message bigint);
CREATE TABLE app.message (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, conversation_id bigint NOT NULL REFERENCES app.conversation);
-- A circle.
ALTER TABLE app.conversation ADD FOREIGN KEY (last_message) REFERENCES app.message ON DELETE SET NULL;
CREATE TABLE app.event (at date NOT NULL, tenant_id uuid NOT NULL, message_id bigint REFERENCES app.message) PARTITION BY RANGE (at);
CREATE TABLE app.event_old PARTITION OF app.event FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE app.event_new PARTITION OF app.event FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE app.category (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, parent bigint REFERENCES app.category);
RESET ROLE;

SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.define_setting('theme', '{}') \g /dev/null
SELECT tenancy.provision('acme', 'Acme Inc', settings => '{"theme": "dark"}', external_id => '42') AS acme,
       tenancy.provision('other', 'Other') AS other \gset
SELECT tenancy.add_alias('acme', 'host', 'acme.example.com') \g /dev/null
RESET SESSION AUTHORIZATION;
INSERT INTO app.conversation SELECT n, CASE n % 2 WHEN 0 THEN :'acme'::uuid ELSE :'other' END FROM generate_series(1, 100) AS n;
INSERT INTO app.message SELECT n, CASE n % 2 WHEN 0 THEN :'acme'::uuid ELSE :'other' END, 1 + (n - 1) % 100 FROM generate_series(1, 1000) AS n;
UPDATE app.conversation SET last_message = id;
INSERT INTO app.event SELECT '2025-12-31'::date + n % 2, CASE n % 2 WHEN 0 THEN :'acme'::uuid ELSE :'other' END, n FROM generate_series(1, 100) AS n;
INSERT INTO app.event SELECT '2026-05-05', :'acme', 2;
INSERT INTO app.category SELECT n, :'acme', CASE WHEN n > 1 THEN n - 1 END FROM generate_series(1, 50) AS n;
SELECT tenancy.protect(relation::regclass) FROM unnest(ARRAY['app.conversation', 'app.message', 'app.event', 'app.category']) AS relation \g /dev/null

-- Order: those that refer come first; partitions go with their parent.
SELECT is(array_agg(relation::text ORDER BY relation::text), '{app.category,app.conversation,app.event,app.message}', 'partitions go with their parent')
FROM tenancy.erasure_order();
SELECT ok((SELECT place FROM tenancy.erasure_order() WHERE relation = 'app.event'::regclass) <
          (SELECT place FROM tenancy.erasure_order() WHERE relation = 'app.message'::regclass), 'events before the messages they refer to');

SET SESSION AUTHORIZATION lc_admin;
\set ON_ERROR_STOP 0
CALL tenancy.erase('acme');
SELECT test.said(:'SQLSTATE', 'TN010', 'an active tenant is not erased');
SELECT tenancy.suspend('acme', 'their wish, says Ann'), tenancy.archive('acme', 'their wish, says Ann'),
       tenancy.request_erasure('acme', 'their wish, says Ann', '1 day') \g /dev/null
CALL tenancy.erase('acme');
SELECT test.said(:'SQLSTATE', 'TN010', 'nor one whose grace lasts');
SELECT is((SELECT erase_started_at FROM tenancy.tenant WHERE slug = 'acme'), NULL, 'nothing has begun');
SELECT test.refused($$SELECT tenancy.finish_erasure(tenancy.tenant_id('acme'))$$, 'TN016', 'nor can it be finished');
SELECT test.refused($$SELECT tenancy.erase_batch(tenancy.tenant_id('acme'), 'app.message', 10)$$, 'TN016', 'nor a table be emptied');
SELECT test.refused($$SELECT tenancy.erase_batch(tenancy.tenant_id('other'), 'app.message', 10)$$, 'TN016', 'least of all a living tenant''s');
SELECT tenancy.cancel_erasure('acme'), tenancy.request_erasure('acme', 'their wish, says Ann', '0') \g /dev/null
CALL tenancy.erase('acme', 0);
SELECT test.said(:'SQLSTATE', '22023', 'a batch has rows');
BEGIN;
CALL tenancy.erase('acme');
\set in_block :SQLSTATE
ROLLBACK;
SELECT test.said(:'in_block', '25001', 'not inside a transaction block');
SET SESSION AUTHORIZATION lc_auditor;
CALL tenancy.erase('acme');
SELECT test.said(:'SQLSTATE', '42501', 'not by an auditor');

-- What the record does not know, as after a restore of one table, or what only the record knows.
RESET SESSION AUTHORIZATION;
DELETE FROM tenancy.protected_table WHERE relation = 'app.category'::regclass;
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.erase('acme');
SELECT test.said(:'SQLSTATE', '55000', 'a protected table that is not recorded is not passed over');
SELECT is((SELECT erase_started_at FROM tenancy.tenant WHERE slug = 'acme'), NULL, 'and nothing has begun');
SELECT tenancy.sync() \g /dev/null
RESET SESSION AUTHORIZATION;
SET tenancy.guard = off;
ALTER TABLE app.category DISABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.erase('acme');
SELECT test.said(:'SQLSTATE', '55000', 'nor a recorded one that is not protected');
SELECT is((SELECT erase_started_at FROM tenancy.tenant WHERE slug = 'acme'), NULL, 'and still nothing has begun');
RESET SESSION AUTHORIZATION;
ALTER TABLE app.category ENABLE ROW LEVEL SECURITY;
RESET tenancy.guard;

-- A trigger that keeps rows: the rest goes, and nothing is claimed.
RESET SESSION AUTHORIZATION;
SET ROLE lc_owner;
CREATE FUNCTION app.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = 500 THEN RETURN NULL; END IF; RETURN OLD; END $$;
CREATE TRIGGER keep BEFORE DELETE ON app.message FOR EACH ROW EXECUTE FUNCTION app.keep();
RESET ROLE;
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.erase('acme', 100);
SELECT test.said(:'SQLSTATE', 'TN020', 'rows that stay make it incomplete');
SELECT is((SELECT state FROM tenancy.tenant WHERE slug = 'acme'), 'erasing', 'the tenant is not called erased');
SELECT test.refused($$SELECT tenancy.cancel_erasure('acme')$$, 'TN010', 'what has begun is not cancelled');
SELECT isnt((SELECT display_name FROM tenancy.tenant WHERE slug = 'acme'), '', 'its name is still there');
RESET SESSION AUTHORIZATION;
SELECT results_eq($$SELECT (SELECT count(*) FROM app.message WHERE tenant_id = $$ || quote_literal(:'acme') || $$), (SELECT count(*) FROM app.event WHERE tenant_id = $$
    || quote_literal(:'acme') || ')', 'VALUES (1::bigint, 0::bigint)', 'the other rows are gone');
DROP TRIGGER keep ON app.message;

-- Called again it goes on, and ends.
SET SESSION AUTHORIZATION lc_admin;
CALL tenancy.erase('acme', 100);
SELECT test.said(:'SQLSTATE', '00000', 'erased');
CALL tenancy.erase('acme');
SELECT test.said(:'SQLSTATE', '00000', 'erasing again is no error');
CALL tenancy.erase('nope');
SELECT test.said(:'SQLSTATE', 'TN004', 'no tenant');
\set ON_ERROR_STOP 1
SELECT results_eq($$SELECT state, display_name, state_reason, slug COLLATE "default", external_id COLLATE "default" FROM tenancy.tenant WHERE slug = 'acme'$$,
    $$VALUES ('erased', '', NULL, 'acme', '42')$$, 'the row is scrubbed, its names stay');
SELECT results_eq($$SELECT relation, deleted FROM tenancy.erasure_count ORDER BY relation$$,
    $$VALUES ('app.category', 50::bigint), ('app.conversation', 50), ('app.event', 51), ('app.message', 500)$$, 'what went is counted');
SELECT is((SELECT (detail ->> 'rows')::integer FROM tenancy.audit_event WHERE event = 'finish_erasure'), 651, 'also in the trail');
SELECT is((SELECT count(*) FROM tenancy.audit_event WHERE detail::text ~ 'Ann'), 0::bigint, 'no reason is left in the trail');
SELECT is((SELECT count(*) FROM tenancy.tenant_alias WHERE tenant_id = :'acme') + (SELECT count(*) FROM tenancy.setting_value WHERE tenant_id = :'acme'),
    0::bigint, 'aliases and settings are gone');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM app.conversation) + (SELECT count(*) FROM app.message) + (SELECT count(*) FROM app.event), 600::bigint, 'the other tenant has all its rows');
SELECT is((SELECT count(last_message) FROM app.conversation), 50::bigint, 'unchanged');

-- Names never come back.
SET SESSION AUTHORIZATION lc_admin;
SELECT test.refused($$SELECT tenancy.provision('acme')$$, 'TN013', 'not its slug');
SELECT test.refused($$SELECT tenancy.provision('new', external_id => '42')$$, 'TN013', 'not its external id');
SELECT test.refused(format('SELECT tenancy.provision(%L, id => %L)', 'new', :'acme'), 'TN013', 'not its id');
SELECT is(tenancy.resolve('slug', 'acme'), NULL, 'an erased tenant is not resolved');
SELECT lives_ok($$SELECT tenancy.add_alias('other', 'host', 'acme.example.com')$$, 'its aliases are free');

SELECT finish();
