-- unprotect() leaves the catalog as it was before protect().
\ir helpers/isolation.sql
SELECT plan(19);

SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.bot (id bigint PRIMARY KEY, tenant_id uuid DEFAULT gen_random_uuid(), name text CONSTRAINT bot_name UNIQUE);
CREATE UNIQUE INDEX bot_lower ON shop.bot (lower(name));
ALTER TABLE shop.bot REPLICA IDENTITY USING INDEX bot_pkey;
CREATE TABLE shop.chat (id bigserial PRIMARY KEY, tenant_id uuid NOT NULL, bot_id bigint CONSTRAINT chat_bot REFERENCES shop.bot ON DELETE SET NULL);
CREATE TABLE shop.file (id bigserial PRIMARY KEY, chat_id bigint NOT NULL CONSTRAINT file_chat REFERENCES shop.chat);
CREATE TABLE shop.event (at date NOT NULL, tenant_id uuid NOT NULL, chat_id bigint CONSTRAINT event_chat REFERENCES shop.chat, PRIMARY KEY (at, tenant_id)) PARTITION BY RANGE (at);
CREATE TABLE shop.event_old PARTITION OF shop.event FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE shop.event_new PARTITION OF shop.event FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE shop.country (id text PRIMARY KEY);
COMMENT ON CONSTRAINT chat_bot ON shop.chat IS 'it''s a bot';
CREATE POLICY mine ON shop.chat FOR SELECT TO iso_app USING (id > 0);
CREATE POLICY limited ON shop.chat AS RESTRICTIVE USING (id < 1000);
ALTER TABLE shop.chat ENABLE ROW LEVEL SECURITY;
GRANT ALL ON ALL TABLES IN SCHEMA shop TO iso_app, iso_stranger WITH GRANT OPTION;
GRANT ALL ON ALL SEQUENCES IN SCHEMA shop TO iso_app;
GRANT UPDATE ON SEQUENCE shop.chat_id_seq TO iso_stranger;
GRANT REFERENCES (id) ON shop.bot TO iso_stranger;
INSERT INTO shop.bot VALUES (1, :'alpha', 'one');
INSERT INTO shop.chat (tenant_id, bot_id) VALUES (:'alpha', 1);
INSERT INTO shop.file (chat_id) SELECT id FROM shop.chat;
RESET SESSION AUTHORIZATION;
CREATE TEMPORARY TABLE before AS SELECT * FROM test.catalog() AS line;
SET SESSION AUTHORIZATION iso_owner;

SELECT test.refused($$SELECT tenancy.protect('shop.chat')$$, '55000', 'a table with permissive policies of its own is refused');
SELECT lives_ok($$SELECT tenancy.protect('shop.bot', harden_keys => 'keys', fill_null => true)$$, 'level keys, fill_null');
SELECT lives_ok($$SELECT tenancy.protect('shop.chat', existing_policies => 'replace')$$, 'policies replaced');
SELECT lives_ok($$SELECT tenancy.protect('shop.file', via => 'chat_id')$$, 'via');
SELECT lives_ok($$SELECT tenancy.protect('shop.event')$$, 'partitioned');
SELECT lives_ok($$SELECT tenancy.share('shop.country')$$, 'shared');
SELECT lives_ok($$SELECT tenancy.protect('shop.bot', harden_keys => 'keys')$$, 'a second call changes nothing');
RESET SESSION AUTHORIZATION;
SELECT ok(bool_and((tenancy.protection(relation)).complete), 'all are protected') FROM (VALUES
    ('shop.bot'::regclass), ('shop.chat'), ('shop.file'), ('shop.event'), ('shop.event_old'), ('shop.event_new')) AS v(relation);
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok($$SELECT tenancy.unprotect('shop.bot')$$, 'the parent first: its children''s keys go back');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'chat_bot'), 'FOREIGN KEY (bot_id) REFERENCES shop.bot(id) ON DELETE SET NULL', 'as they were');
SELECT lives_ok($$SELECT tenancy.unprotect('shop.file'), tenancy.unprotect('shop.event'), tenancy.unprotect('shop.chat'), tenancy.unshare('shop.country')$$, 'then the others');
RESET SESSION AUTHORIZATION;
SELECT set_eq('SELECT line FROM test.catalog() AS line', 'SELECT line FROM before', 'the catalog is as it was');
SET SESSION AUTHORIZATION iso_owner;
SELECT test.refused($$SELECT tenancy.unprotect('shop.bot')$$, '55000', 'unprotecting twice');
RESET SESSION AUTHORIZATION;
SELECT is_empty('SELECT relation FROM tenancy.protected_table', 'nothing is recorded any more');

-- owner: the table moves to a role that nobody logs in as, and back.
CREATE ROLE iso_nobody NOLOGIN;
SET SESSION AUTHORIZATION iso_owner;
SELECT test.refused($$SELECT tenancy.protect('shop.bot', owner => 'iso_nobody')$$, '42501', 'an owner cannot give a table away');
RESET SESSION AUTHORIZATION;
GRANT iso_nobody TO iso_admin;
SET SESSION AUTHORIZATION iso_admin;
SELECT test.refused($$SELECT tenancy.protect('shop.bot', owner => 'iso_nobody')$$, '55000', 'a role that cannot use the schema');
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA shop TO iso_nobody;
SET SESSION AUTHORIZATION iso_admin;
SELECT tenancy.protect('shop.bot', owner => 'iso_nobody') \g /dev/null
SELECT tenancy.unprotect('shop.bot') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT set_eq('SELECT line FROM test.catalog() AS line', 'SELECT line FROM before', 'owner and all, it goes back');

-- Renamed meanwhile.
SET SESSION AUTHORIZATION iso_owner;
SELECT tenancy.protect('shop.bot'), tenancy.protect('shop.chat', existing_policies => 'keep'), tenancy.protect('shop.event') \g /dev/null
ALTER TABLE shop.bot RENAME TO robot;
ALTER TABLE shop.chat RENAME TO "Talk";
ALTER TABLE shop.event_old RENAME TO event_ancient;
SELECT lives_ok($$SELECT tenancy.unprotect('shop.robot'), tenancy.unprotect('shop."Talk"'), tenancy.unprotect('shop.event')$$, 'tables that were renamed');
ALTER TABLE shop.robot RENAME TO bot;
ALTER TABLE shop."Talk" RENAME TO chat;
ALTER TABLE shop.event_ancient RENAME TO event_old;
RESET SESSION AUTHORIZATION;
SELECT set_eq('SELECT line FROM test.catalog() AS line', 'SELECT line FROM before', 'go back too');
SELECT * FROM finish();
