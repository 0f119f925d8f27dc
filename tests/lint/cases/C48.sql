-- fires C48_owner_logs_in lint_app
GRANT lint_owner TO lint_app;
-- fires C48_owner_logs_in lint_owner
ALTER ROLE lint_owner LOGIN;
-- silent C48_owner_logs_in
CREATE ROLE lint_team;
GRANT lint_owner TO lint_team;
-- fires C48_foreign_code shop.orders
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
ALTER FUNCTION shop.stamp() OWNER TO lint_reader;
CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
-- fires C48_foreign_code shop.orders
CREATE FUNCTION shop.word(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
ALTER FUNCTION shop.word(text) OWNER TO lint_reader;
CREATE INDEX ON shop.orders (shop.word(item));
-- silent C48_foreign_code
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
ALTER FUNCTION shop.stamp() OWNER TO lint_owner;
CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
-- silent C48_foreign_code
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; -- a superuser's
CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
