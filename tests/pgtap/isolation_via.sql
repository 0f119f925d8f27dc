-- via: a child table without tenant column finds its tenant through its parent.
\ir helpers/isolation.sql
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.chat (id bigint PRIMARY KEY, account bigint NOT NULL);
CREATE TABLE shop.message (id bigint PRIMARY KEY, chat_id bigint NOT NULL CONSTRAINT message_chat REFERENCES shop.chat ON DELETE CASCADE, body text);
CREATE TABLE shop.file (id bigserial PRIMARY KEY, message_id bigint CONSTRAINT file_message REFERENCES shop.message, name text);
INSERT INTO shop.chat VALUES (1, 1), (2, 2);
INSERT INTO shop.message SELECT n, 1 + n % 2, 'm' FROM generate_series(1, 100) AS n;
INSERT INTO shop.file (message_id, name) SELECT n, 'f' FROM generate_series(1, 100) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO iso_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO iso_app;
RESET SESSION AUTHORIZATION;
SELECT plan(10);
SET SESSION AUTHORIZATION iso_owner;
SELECT test.refused($$SELECT tenancy.protect('shop.message', 'account', via => 'chat_id')$$, '55000', 'the parent must be protected first');
SELECT tenancy.protect('shop.chat', 'account') \g /dev/null
SELECT test.refused($$SELECT tenancy.protect('shop.message', 'account', via => 'body')$$, '42704', 'via must be a foreign key');
SELECT lives_ok($$SELECT tenancy.protect('shop.message', 'account', via => 'chat_id')$$, 'a child');
SELECT lives_ok($$SELECT tenancy.protect('shop.file', 'account', via => 'message_id')$$, 'and its child');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'message_chat'),
    'FOREIGN KEY (account, chat_id) REFERENCES shop.chat(account, id) ON DELETE CASCADE', 'the key becomes composite');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM shop.file AS f JOIN shop.message AS m ON m.id = f.message_id JOIN shop.chat AS c ON c.id = m.chat_id
           WHERE f.account = c.account AND m.account = c.account), 100::bigint, 'each row has its parent''s tenant');
SELECT is((SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'shop.file'::regclass AND attname = 'account'), 'bigint', 'the column has the parent''s type');
CREATE ROLE iso_other;
GRANT USAGE, CREATE ON SCHEMA shop TO iso_other;
CREATE TABLE shop.foreign_child (id bigint PRIMARY KEY, chat_id bigint REFERENCES shop.chat);
ALTER TABLE shop.foreign_child OWNER TO iso_other;
SET SESSION AUTHORIZATION iso_admin;
SELECT test.refused($$SELECT tenancy.protect('shop.foreign_child', 'account', via => 'chat_id')$$, '42501', 'an owner who does not own the parent');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION iso_app;
BEGIN;
SELECT tenancy.enter('beta') \g /dev/null
SELECT count(*) AS seen FROM shop.file \gset
INSERT INTO shop.file (message_id, name) VALUES (1, 'mine');
\set ON_ERROR_STOP 0
INSERT INTO shop.file (message_id, name) VALUES (2, 'theirs');
\set foreign_parent :SQLSTATE
ROLLBACK;
\set ON_ERROR_STOP 1
RESET SESSION AUTHORIZATION;
SELECT is(:seen, 50, 'the application sees its own');
SELECT is(:'foreign_parent'::text, '23503', 'and cannot hang a row on another tenant''s parent');
SELECT * FROM finish();
