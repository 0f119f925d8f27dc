-- protect_plan(): its steps, run one by one, leave a table exactly as protect() leaves its twin.
\ir helpers/isolation.sql
SELECT plan(24);
-- The same tables twice: schema shop for protect(), schema live for the plan. Compared with the schema's name taken out.
CREATE SCHEMA live AUTHORIZATION iso_owner;
CREATE FUNCTION test.make(schema_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL search_path = %I', schema_name);
    CREATE TABLE bot (id bigint PRIMARY KEY, tenant_id uuid, name text CONSTRAINT bot_name UNIQUE);
    CREATE UNIQUE INDEX bot_lower ON bot (lower(name));
    CREATE TABLE chat (id bigserial PRIMARY KEY, tenant_id uuid NOT NULL DEFAULT gen_random_uuid(), bot_id bigint CONSTRAINT chat_bot REFERENCES bot ON DELETE SET NULL);
    COMMENT ON CONSTRAINT chat_bot ON chat IS 'a bot';
    CREATE TABLE file (id bigserial PRIMARY KEY, chat_id bigint NOT NULL CONSTRAINT file_chat REFERENCES chat ON DELETE CASCADE);
    GRANT ALL ON ALL TABLES IN SCHEMA shop TO iso_app;
    EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO iso_app', schema_name);
END
$$;
SET SESSION AUTHORIZATION iso_owner;
SELECT test.make('shop'), test.make('live') \g /dev/null
INSERT INTO live.bot SELECT n, :'alpha', 'bot ' || n FROM generate_series(1, 100) AS n;
INSERT INTO live.chat (tenant_id, bot_id) SELECT :'alpha', n FROM generate_series(1, 100) AS n;
INSERT INTO live.file (chat_id) SELECT 1 + n % 100 FROM generate_series(1, 12000) AS n;

SELECT tenancy.protect('shop.bot', harden_keys => 'keys'), tenancy.protect('shop.chat', fill_null => true), tenancy.protect('shop.file', via => 'chat_id') \g /dev/null
SELECT ok(bool_and(lock IS NOT NULL AND explanation <> '' AND in_transaction IS NOT NULL), 'each step says what it locks and why') FROM tenancy.protect_plan('live.bot', harden_keys => 'keys');
SELECT is((SELECT array_agg(step) FROM tenancy.protect_plan('live.bot')), (SELECT array_agg(n) FROM generate_series(1, (SELECT count(*) FROM tenancy.protect_plan('live.bot'))::int) AS n), 'steps are numbered');
SELECT ok(bool_and(NOT in_transaction), 'what builds concurrently is not for a transaction') FROM tenancy.protect_plan('live.bot', harden_keys => 'keys') WHERE sql ~ 'CONCURRENTLY';
SELECT test.refused($$SELECT * FROM tenancy.protect_plan('live.bot', format => 'cobol')$$, '22023', 'a format that does not exist');
SELECT test.refused($$SELECT * FROM tenancy.protect_plan('live.file', via => 'chat_id')$$, '55000', 'the parent comes first here too');
SET client_min_messages = warning;
\set ON_ERROR_STOP 1
SELECT sql FROM tenancy.protect_plan('live.bot', harden_keys => 'keys') ORDER BY step \gexec
SELECT sql FROM tenancy.protect_plan('live.chat', fill_null => true) ORDER BY step \gexec
SELECT sql FROM tenancy.protect_plan('live.file', via => 'chat_id') ORDER BY step \gexec
RESET SESSION AUTHORIZATION;
SELECT ok((tenancy.protection(name::regclass)).complete, name || ' is protected') FROM unnest(ARRAY['live.bot', 'live.chat', 'live.file']) AS name;
CREATE TEMPORARY TABLE planned AS SELECT replace(line, 'live.', 'shop.') AS line FROM test.catalog('live') AS line;
CREATE TEMPORARY TABLE at_once AS SELECT line FROM test.catalog('shop') AS line;
SELECT set_eq('SELECT line FROM planned', 'SELECT line FROM at_once', 'the catalog is that of the twin');
SELECT is((SELECT count(*) FROM live.file WHERE tenant_id = :'alpha'), 12000::bigint, 'every row has its tenant');
SELECT is((SELECT count(*) FROM tenancy.sync() WHERE relation::text LIKE 'live.%'), 0::bigint, 'sync finds nothing to correct');
SELECT set_eq($$SELECT s ->> 'before' AS b, s ->> 'after' AS a FROM tenancy.protected_table, jsonb_array_elements(undo -> 'steps') AS s WHERE relation = 'shop.file'::regclass$$,
    $$SELECT replace(s ->> 'before', 'live.', 'shop.') AS b, s ->> 'after' AS a FROM tenancy.protected_table, jsonb_array_elements(undo -> 'steps') AS s WHERE relation = 'live.file'::regclass$$, 'it would be undone in the same way');
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok($$SELECT tenancy.unprotect('live.file'), tenancy.unprotect('live.chat'), tenancy.unprotect('live.bot')$$, 'and can be undone');
SELECT lives_ok($$SELECT tenancy.unprotect('shop.file'), tenancy.unprotect('shop.chat'), tenancy.unprotect('shop.bot')$$, 'like its twin');
RESET SESSION AUTHORIZATION;
SELECT set_eq($$SELECT replace(line, 'live.', 'shop.') FROM test.catalog('live') AS line$$, $$SELECT line FROM test.catalog('shop') AS line$$, 'to the same state');

-- Interrupted and planned again: what is done is left out.
SET SESSION AUTHORIZATION iso_owner;
SELECT sql FROM tenancy.protect_plan('live.bot') WHERE sql ~ 'tenancy_not_null' ORDER BY step \gexec
SELECT is((SELECT count(*) FROM tenancy.protect_plan('live.bot') WHERE sql ~ 'ADD CONSTRAINT tenancy_not_null'), 0::bigint, 'a step that is done is not planned again');
SELECT lives_ok($$SELECT tenancy.protect('live.bot')$$, 'protect() finishes what a plan began');

-- Partitioned: indexes partition by partition.
CREATE TABLE live.event (id bigint, at date NOT NULL, tenant_id uuid NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE live.event_a PARTITION OF live.event FOR VALUES FROM (MINVALUE) TO ('2026-01-01') PARTITION BY RANGE (at);
CREATE TABLE live.event_aa PARTITION OF live.event_a FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE live.event_b PARTITION OF live.event FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
SELECT sql FROM tenancy.protect_plan('live.event') ORDER BY step \gexec
RESET SESSION AUTHORIZATION;
SELECT ok((tenancy.protection('live.event_aa')).complete, 'a plan protects partitions too');
SELECT ok(indisvalid, 'and leaves one valid index') FROM pg_index WHERE indexrelid = tenancy.index_led_by('live.event', 'tenant_id');

-- A child's new tenant column has the parent's collation.
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE live.account (id bigint PRIMARY KEY, tenant_id text COLLATE "C" NOT NULL);
CREATE TABLE live.invoice (id bigint PRIMARY KEY, account_id bigint NOT NULL REFERENCES live.account);
SELECT tenancy.protect('live.account') \g /dev/null
SELECT is(sql, 'ALTER TABLE live.invoice ADD COLUMN tenant_id text COLLATE pg_catalog."C"', 'with the parent''s collation')
FROM tenancy.protect_plan('live.invoice', via => 'account_id') WHERE sql ~ 'ADD COLUMN';

-- Names that their owner chose: a superuser who runs the plan runs nothing of theirs.
CREATE TABLE live."USING btree (id); CREATE ROLE iso_gain SUPERUSER; --" (id int, tenant_id uuid NOT NULL, email text);
CREATE UNIQUE INDEX of_trap ON live."USING btree (id); CREATE ROLE iso_gain SUPERUSER; --" (lower(email));
CREATE TABLE live."$fill$; CREATE ROLE iso_gain SUPERUSER; --" (id int, chat_id bigint REFERENCES live.account);
RESET SESSION AUTHORIZATION;
INSERT INTO live.account VALUES (1, :'alpha');
INSERT INTO live."$fill$; CREATE ROLE iso_gain SUPERUSER; --" VALUES (1, 1);
SELECT is(sql, 'CREATE UNIQUE INDEX CONCURRENTLY of_trap_tenancy ON live."USING btree (id); CREATE ROLE iso_gain SUPERUSER; --" USING btree (tenant_id, lower(email))',
    'an index on a table of a hostile name')
FROM tenancy.protect_plan('live."USING btree (id); CREATE ROLE iso_gain SUPERUSER; --"', harden_keys => 'keys') WHERE sql ~ '^CREATE UNIQUE';
SELECT sql FROM tenancy.protect_plan('live."USING btree (id); CREATE ROLE iso_gain SUPERUSER; --"', harden_keys => 'keys') ORDER BY step \gexec
SELECT sql FROM tenancy.protect_plan('live."$fill$; CREATE ROLE iso_gain SUPERUSER; --"', via => 'chat_id') ORDER BY step \gexec
SELECT is((SELECT count(*) FROM pg_roles WHERE rolname = 'iso_gain'), 0::bigint, 'no role is made');
SELECT ok((tenancy.protection('live."$fill$; CREATE ROLE iso_gain SUPERUSER; --"')).complete, 'a column filled in a table of a hostile name');

-- A unique index of a child is prepared on the child.
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE live.base (id int, tenant_id uuid NOT NULL);
CREATE TABLE live.heir (email text) INHERITS (live.base);
CREATE UNIQUE INDEX heir_lower ON live.heir (lower(email));
SELECT sql FROM tenancy.protect_plan('live.base', harden_keys => 'keys') ORDER BY step \gexec
RESET SESSION AUTHORIZATION;
SELECT is(pg_get_indexdef('live.heir_lower'::regclass), 'CREATE UNIQUE INDEX heir_lower ON live.heir USING btree (tenant_id, lower(email))', 'a child''s own key');
SELECT * FROM finish();
