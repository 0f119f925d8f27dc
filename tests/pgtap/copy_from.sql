-- COPY FROM into protected tables: from standard input, and, for roles that may, from programs, which a function can call, too.
\ir helpers/isolation.sql
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.load (id bigint GENERATED ALWAYS AS IDENTITY, tenant_id uuid, body text NOT NULL, length integer GENERATED ALWAYS AS (length(body)) STORED);
CREATE TABLE shop.parts (id bigint NOT NULL, tenant_id uuid, body text) PARTITION BY LIST (body);
CREATE TABLE shop.part_a PARTITION OF shop.parts FOR VALUES IN ('a');
CREATE TABLE shop.ruled (id bigint, tenant_id uuid);
CREATE RULE noted AS ON INSERT TO shop.ruled DO ALSO NOTIFY noted;
SELECT tenancy.protect('shop.load'), tenancy.protect('shop.parts'), tenancy.protect('shop.ruled') \g /dev/null
GRANT SELECT, INSERT ON shop.load, shop.parts, shop.part_a, shop.ruled TO iso_app;
GRANT USAGE ON SEQUENCE shop.load_id_seq TO iso_app;
RESET SESSION AUTHORIZATION;
CREATE ROLE iso_loader LOGIN IN ROLE iso_app, pg_execute_server_program;
SELECT tenancy.grant_access('iso_loader', '*', reason => 'test') \g /dev/null

SET SESSION AUTHORIZATION iso_app;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
COPY shop.load (body) FROM STDIN;
one
three
\.
COPY shop.load (id, body) FROM STDIN (FORMAT csv, HEADER) WHERE body <> 'two';
id,body
100,"four, five"
101,two
\.
COPY shop.parts (id, body) FROM STDIN;
1	a
\.
COPY shop.part_a (id, body) FROM STDIN;
2	a
\.
COMMIT;
BEGIN;
SELECT tenancy.enter('beta') \g /dev/null
SELECT count(*) AS seen_by_another FROM shop.load \gset
COMMIT;
RESET SESSION AUTHORIZATION;

SELECT plan(14);
SELECT results_eq('SELECT id, body, length, tenant_id::text FROM shop.load ORDER BY id', format(
    $$VALUES (1::bigint, 'one', 3, %1$L), (2, 'three', 5, %1$L), (100, 'four, five', 10, %1$L)$$, :'alpha'), 'rows with defaults, chosen by WHERE');
SELECT is(:seen_by_another, 0, 'and another tenant sees none of them');
SELECT results_eq('SELECT id, tenant_id::text FROM shop.part_a ORDER BY id', format('VALUES (1::bigint, %1$L), (2, %1$L)', :'alpha'), 'through a partitioned table, and into a partition by name');

SET SESSION AUTHORIZATION iso_loader;
SELECT test.refused($$COPY shop.load (body) FROM PROGRAM 'echo x'$$, 'TN001', 'not without a context');
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
SELECT lives_ok($$COPY shop.load (body) FROM PROGRAM 'echo x'$$, 'from a program');
SELECT throws_ok(format($$COPY shop.load (tenant_id, body) FROM PROGRAM 'echo %s,x' (FORMAT csv)$$, :'beta'), '42501',
    'new row violates row-level security policy for table "load"', 'no row of another tenant');
SELECT throws_ok($$COPY shop.load (length) FROM PROGRAM 'echo 1'$$, '42P10', NULL, 'no generated column');
SELECT throws_ok($$COPY shop.load (body) FROM PROGRAM 'exit 3'$$, '38000', NULL, 'a program that fails');
SELECT is((SELECT count(*) FROM shop.load WHERE body = 'x'), 1::bigint, 'the one that was loaded stays');
SELECT test.refused($$COPY shop.load (body) FROM PROGRAM 'echo x' (FREEZE)$$, '0A000', 'not with FREEZE');
SELECT test.refused($$COPY shop.ruled (id) FROM PROGRAM 'echo 1'$$, '0A000', 'not past a rule');
ROLLBACK;
BEGIN READ ONLY;
SELECT tenancy.enter('alpha') \g /dev/null
SELECT throws_ok($$COPY shop.load (body) FROM PROGRAM 'echo x'$$, '25006', 'cannot execute COPY FROM in a read-only transaction', 'not while reading');
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT lives_ok(format($$COPY shop.load (tenant_id, body) FROM PROGRAM 'echo %s,x' (FORMAT csv)$$, :'beta'), 'a superuser loads rows of any tenant');
SELECT is((SELECT count(*) FROM shop.load), 4::bigint, 'which row security does not bind');
SELECT * FROM finish();
