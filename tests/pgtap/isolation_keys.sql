-- Keys: foreign keys between protected tables include the tenant, at level keys natural unique keys too; what
-- cannot be done is refused; violations are found although row security hides them.
\ir helpers/isolation.sql
SELECT plan(32);

SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.bot (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, name text UNIQUE);
CREATE TABLE shop.chat (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, bot_id bigint CONSTRAINT chat_bot REFERENCES shop.bot ON DELETE SET NULL ON UPDATE CASCADE,
    parent_id bigint CONSTRAINT chat_parent REFERENCES shop.chat ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
COMMENT ON CONSTRAINT chat_bot ON shop.chat IS 'who talks';
INSERT INTO shop.bot VALUES (1, :'alpha', 'one'), (2, :'beta', 'two');
INSERT INTO shop.chat VALUES (1, :'alpha', 1, NULL), (2, :'beta', 2, 2);
SELECT lives_ok($$SELECT tenancy.protect('shop.chat')$$, 'the child first');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'chat_bot'),
    'FOREIGN KEY (bot_id) REFERENCES shop.bot(id) ON UPDATE CASCADE ON DELETE SET NULL', 'its key stays while the parent is not protected');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'chat_parent'),
    'FOREIGN KEY (tenant_id, parent_id) REFERENCES shop.chat(tenant_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', 'a key to itself is composite at once');
SELECT lives_ok($$SELECT tenancy.protect('shop.bot', harden_keys => 'keys')$$, 'then the parent');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'chat_bot'),
    'FOREIGN KEY (tenant_id, bot_id) REFERENCES shop.bot(tenant_id, id) ON UPDATE CASCADE ON DELETE SET NULL (bot_id)', 'the key becomes composite under its name, SET NULL names its column');
SELECT is((SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = 'chat_bot'), 'who talks', 'and keeps its comment');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'bot_name_key'), 'UNIQUE (tenant_id, name)', 'level keys: a natural key is unique within the tenant');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'bot_pkey'), 'PRIMARY KEY (id)', 'a primary key that is a number stays');

-- Refusals.
CREATE TABLE shop.full_match (a bigint, b bigint, tenant_id uuid NOT NULL, id bigint PRIMARY KEY, UNIQUE (a, b));
CREATE TABLE shop.full_child (a bigint, b bigint, tenant_id uuid NOT NULL, CONSTRAINT full_key FOREIGN KEY (a, b) REFERENCES shop.full_match (a, b) MATCH FULL);
CREATE TABLE shop.update_null (id bigint REFERENCES shop.full_match ON UPDATE SET NULL, tenant_id uuid NOT NULL);
CREATE TABLE shop.other_kind (id bigint REFERENCES shop.full_match, tenant_id bigint NOT NULL);
CREATE TABLE shop.excluded (id bigint, tenant_id uuid NOT NULL, EXCLUDE (id WITH =));
SELECT tenancy.protect('shop.full_match') \g /dev/null
SELECT test.refused($$SELECT tenancy.protect('shop.full_child')$$, '0A000', 'MATCH FULL beside NULL');
SELECT test.refused($$SELECT tenancy.protect('shop.update_null')$$, '0A000', 'ON UPDATE SET NULL');
SELECT test.refused($$SELECT tenancy.protect('shop.other_kind')$$, '0A000', 'tenant columns of different kinds');
SELECT test.refused($$SELECT tenancy.protect('shop.excluded', harden_keys => 'keys')$$, '0A000', 'an exclusion constraint');
SELECT lives_ok($$SELECT tenancy.protect('shop.full_child', harden_keys => 'off')$$, 'off leaves keys alone');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'full_key'), 'FOREIGN KEY (a, b) REFERENCES shop.full_match(a, b) MATCH FULL', 'as they were');
SELECT lives_ok($$SELECT tenancy.protect('shop.excluded')$$, 'references leaves exclusion constraints alone');
ALTER TABLE shop.full_match ALTER a SET NOT NULL, ALTER b SET NOT NULL;
CREATE TABLE shop.full_strict (a bigint NOT NULL, b bigint NOT NULL, tenant_id uuid NOT NULL, CONSTRAINT full_strict FOREIGN KEY (a, b) REFERENCES shop.full_match (a, b) MATCH FULL);
SELECT lives_ok($$SELECT tenancy.protect('shop.full_strict')$$, 'MATCH FULL without NULL is no obstacle');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'full_strict'), 'FOREIGN KEY (tenant_id, a, b) REFERENCES shop.full_match(tenant_id, a, b) MATCH FULL', 'and stays');

-- Rows that refer to another tenant.
CREATE TABLE shop.bad (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, bot_id bigint);
INSERT INTO shop.bad VALUES (1, :'alpha', 1), (2, :'alpha', 2);
SELECT tenancy.protect('shop.bad') \g /dev/null
CREATE UNIQUE INDEX ON shop.bot (id);
CREATE TABLE shop.bad_unprotected (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, bot_id bigint REFERENCES shop.bot (id));
INSERT INTO shop.bad_unprotected VALUES (1, :'alpha', 1), (2, :'alpha', 2);
SELECT test.refused($$SELECT tenancy.protect('shop.bad_unprotected')$$, '23503', 'protect finds a reference to another tenant');
SELECT matches((SELECT hint FROM (SELECT test.hint($$SELECT tenancy.protect('shop.bad_unprotected')$$) AS hint) AS h), 'SELECT c\.\* FROM shop\.bad_unprotected AS c', 'and says how to find it');
SELECT throws_ok($$ALTER TABLE shop.bad ADD CONSTRAINT bad_key FOREIGN KEY (tenant_id, bot_id) REFERENCES shop.bot (tenant_id, id)$$, '23503', NULL, 'so does the owner''s own ALTER TABLE');
ALTER TABLE shop.bad ADD CONSTRAINT bad_key FOREIGN KEY (tenant_id, bot_id) REFERENCES shop.bot (tenant_id, id) NOT VALID;
SELECT throws_ok($$ALTER TABLE shop.bad VALIDATE CONSTRAINT bad_key$$, '23503', NULL, 'and VALIDATE CONSTRAINT');

-- Natural keys: an expression, NULLS NOT DISTINCT, deferrable, partial; a replica identity; a key that
-- foreign keys refer to.
CREATE TABLE shop.person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL, mail text NOT NULL, code text, phone text,
    CONSTRAINT person_mail UNIQUE (mail), CONSTRAINT person_code UNIQUE NULLS NOT DISTINCT (code), CONSTRAINT person_phone UNIQUE (phone) DEFERRABLE);
CREATE UNIQUE INDEX person_lower ON shop.person (lower(mail)) WHERE code IS NULL;
ALTER TABLE shop.person REPLICA IDENTITY USING INDEX person_mail;
CREATE TABLE shop.letter (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL, mail text CONSTRAINT letter_mail REFERENCES shop.person (mail));
SELECT tenancy.protect('shop.person', harden_keys => 'keys') \g /dev/null
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'person_mail'), 'UNIQUE (mail)', 'a key that an unprotected table refers to stays for now');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'person_code'), 'UNIQUE NULLS NOT DISTINCT (tenant_id, code)', 'NULLS NOT DISTINCT stays');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'person_phone'), 'UNIQUE (tenant_id, phone) DEFERRABLE', 'deferrable stays');
SELECT is(pg_get_indexdef('shop.person_lower'::regclass), 'CREATE UNIQUE INDEX person_lower ON shop.person USING btree (tenant_id, lower(mail)) WHERE (code IS NULL)', 'a partial index on an expression');
CREATE TABLE shop.tag (name text CONSTRAINT tag_name PRIMARY KEY, tenant_id uuid NOT NULL);
SELECT tenancy.protect('shop.tag', harden_keys => 'keys') \g /dev/null
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'tag_name'), 'PRIMARY KEY (tenant_id, name)', 'a natural primary key does not');
SELECT tenancy.protect('shop.letter') \g /dev/null
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'person_mail'), 'UNIQUE (tenant_id, mail)', 'once that table is protected, the key follows');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'letter_mail'), 'FOREIGN KEY (tenant_id, mail) REFERENCES shop.person(tenant_id, mail)', 'and the foreign key');
SELECT is((SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'shop.person'::regclass AND indisreplident), 'shop.person_mail', 'the replica identity follows');

-- Owners that differ: the child's owner may refer to the parent while the key is made, not afterwards.
RESET SESSION AUTHORIZATION;
CREATE ROLE iso_other;
GRANT USAGE, CREATE ON SCHEMA shop TO iso_other;
CREATE TABLE shop.note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL, chat_id bigint CONSTRAINT note_chat REFERENCES shop.chat);
INSERT INTO shop.note (tenant_id, chat_id) VALUES (:'beta', 1);
ALTER TABLE shop.note OWNER TO iso_other;
SET SESSION AUTHORIZATION iso_admin;
SELECT test.refused($$SELECT tenancy.protect('shop.note')$$, '23503', 'a violation between tables of two owners is found');
RESET SESSION AUTHORIZATION;
DELETE FROM shop.note;
SET SESSION AUTHORIZATION iso_admin;
SELECT lives_ok($$SELECT tenancy.protect('shop.note')$$, 'an operator protects the table of another owner');
RESET SESSION AUTHORIZATION;
SELECT ok(NOT has_table_privilege('iso_other', 'shop.chat', 'REFERENCES'), 'the right to refer is taken back');
SELECT * FROM finish();
