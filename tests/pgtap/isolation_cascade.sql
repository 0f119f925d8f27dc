-- PostgreSQL runs the queries of foreign keys without FORCE ROW SECURITY. A trigger that fires in a
-- cascade is no such query: it is bound to the tenant as at any other time.
\ir helpers/isolation.sql
SELECT plan(22);

SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.parent (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE TABLE shop.child (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, parent_id bigint REFERENCES shop.parent ON DELETE CASCADE);
CREATE TABLE shop.note (tenant_id uuid NOT NULL, body text);
CREATE TABLE shop.seen (op text, as_role name, children bigint);
INSERT INTO shop.parent VALUES (1, :'alpha'), (2, :'beta');
INSERT INTO shop.child VALUES (1, :'alpha', 1), (2, :'alpha', NULL), (3, :'beta', 2), (4, :'beta', 2);
INSERT INTO shop.note VALUES (:'alpha', 'a'), (:'beta', 'b');
-- Leaves the tenant to row security, as code that was written for one tenant does.
CREATE FUNCTION shop.clean_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.seen SELECT tg_op, current_user, count(*) FROM shop.child;
    DELETE FROM shop.note;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER clean_up BEFORE DELETE ON shop.child FOR EACH ROW EXECUTE FUNCTION shop.clean_up();
SELECT tenancy.protect(t) FROM unnest('{shop.parent,shop.child,shop.note}'::regclass[]) AS t \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.parent, shop.child, shop.note, shop.seen TO iso_app;
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION iso_app;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
DELETE FROM shop.parent;
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT results_eq('SELECT as_role, children FROM shop.seen', $$VALUES ('iso_owner'::name, 2::bigint)$$,
    'a trigger in a cascade runs as the owner and sees the tenant''s rows');
SELECT results_eq('SELECT body FROM shop.note', $$VALUES ('b')$$, 'and deletes no others');
SELECT results_eq('SELECT id FROM shop.child ORDER BY id', $$VALUES (2::bigint), (3), (4)$$, 'the cascade itself goes through');

-- The owner's own session: a plan of the cascade would serve the next statement, too.
TRUNCATE shop.seen;
SET SESSION AUTHORIZATION iso_owner;
BEGIN;
SELECT tenancy.enter('beta') \g /dev/null
DELETE FROM shop.parent;
ROLLBACK;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
DELETE FROM shop.child;
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT results_eq('SELECT children FROM shop.seen', $$VALUES (1::bigint)$$, 'what was planned in a cascade does not outlive it');
SELECT results_eq('SELECT body FROM shop.note', $$VALUES ('b')$$, 'nor deletes another tenant''s rows later');

-- Without a tenant the same code has no rows to work on; it used to have all.
SELECT throws_ok('DELETE FROM shop.parent', 'TN001', NULL, 'a cascade without a context stops at its trigger');
SELECT is((SELECT count(*) FROM shop.child), 2::bigint, 'and deletes nothing');

-- The extension's own work is planned without FORCE; what its statements call is not.
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.line (id bigint PRIMARY KEY, child_id bigint REFERENCES shop.child);
INSERT INTO shop.line VALUES (1, 3);
CREATE TRIGGER clean_up BEFORE UPDATE ON shop.line FOR EACH ROW EXECUTE FUNCTION shop.clean_up();
SELECT throws_ok($$SELECT tenancy.protect('shop.line', via => 'child_id')$$, 'TN001', NULL, 'nor does a trigger of a table that is filled see all rows');
DROP TRIGGER clean_up ON shop.line;
CREATE CONSTRAINT TRIGGER clean_up AFTER UPDATE ON shop.line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.clean_up();
SELECT throws_ok($$SELECT tenancy.protect('shop.line', via => 'child_id')$$, 'TN001', NULL, 'nor a deferred one');
DROP TRIGGER clean_up ON shop.line;
SELECT lives_ok($$SELECT tenancy.protect('shop.line', via => 'child_id')$$, 'the column is filled from all rows of the parent');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT tenant_id FROM shop.line), :'beta'::uuid, 'with their tenants');

-- A command that checks a foreign key counts hidden rows for the key alone: not what else it calls.
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.room (id bigint PRIMARY KEY, note_id bigint);
INSERT INTO shop.room VALUES (1, 3);
CREATE FUNCTION shop.peek() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT count(*) FROM shop.child); END$$;
CREATE FUNCTION shop.peek_as_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM shop.child; END;
CREATE FUNCTION shop.peek(bigint) RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM shop.child);
SELECT throws_ok(command, 'TN001', NULL, command) FROM unnest(ARRAY[
    'ALTER TABLE shop.room ADD seen bigint DEFAULT shop.peek(), ADD FOREIGN KEY (note_id) REFERENCES shop.child',
    'ALTER TABLE shop.room ADD seen bigint DEFAULT shop.peek_as_owner(), ADD FOREIGN KEY (note_id) REFERENCES shop.child',
    'ALTER TABLE shop.room ADD seen bigint DEFAULT shop.peek(1), ADD FOREIGN KEY (note_id) REFERENCES shop.child',
    'ALTER TABLE shop.room ADD seen bigint DEFAULT shop.peek() REFERENCES shop.child',
    'ALTER TABLE shop.room ADD CHECK (shop.peek() > 0), ADD FOREIGN KEY (note_id) REFERENCES shop.child',
    'ALTER TABLE shop.room ALTER note_id TYPE numeric USING shop.peek()',
    $$ALTER TABLE shop.room ADD seen xml DEFAULT query_to_xml('select * from shop.child', true, true, ''), ADD FOREIGN KEY (note_id) REFERENCES shop.child$$]) AS command;
ALTER TABLE shop.room ADD CONSTRAINT looks CHECK (shop.peek() > 0) NOT VALID;
ALTER TABLE shop.room ADD CONSTRAINT refers FOREIGN KEY (note_id) REFERENCES shop.child NOT VALID;
SELECT throws_ok('ALTER TABLE shop.room VALIDATE CONSTRAINT looks, VALIDATE CONSTRAINT refers', 'TN001', NULL, 'nor by a check that is validated beside it');
ALTER TABLE shop.room DROP CONSTRAINT looks;
SELECT lives_ok('ALTER TABLE shop.room ADD place bigint DEFAULT length(''abc''), VALIDATE CONSTRAINT refers', 'the key itself is checked against all rows');
UPDATE shop.room SET note_id = 4;
ALTER TABLE shop.room DROP CONSTRAINT refers;
UPDATE shop.room SET note_id = 99;
SELECT throws_ok('ALTER TABLE shop.room ADD FOREIGN KEY (note_id) REFERENCES shop.child', '23503', NULL, 'and a violation is found');
SELECT throws_ok('SELECT shop.peek()', 'TN001', NULL, 'afterwards all is as before');
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
