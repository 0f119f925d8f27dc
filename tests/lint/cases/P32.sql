-- fires P32_immutable_context shop.tenant()
CREATE FUNCTION shop.tenant() RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT current_setting(''app.tenant'')::uuid';
-- fires P32_immutable_context shop.tenant()
CREATE FUNCTION shop.tenant() RETURNS uuid LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT current_setting('app.tenant')::uuid; END;
-- fires P32_immutable_context shop.me()
CREATE FUNCTION shop.me() RETURNS name LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT current_user; END;
-- silent P32_immutable_context
CREATE FUNCTION shop.tenant() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT current_setting(''app.tenant'')::uuid';
CREATE FUNCTION shop.version() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT current_setting(''server_version'')';
CREATE FUNCTION shop.double(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2 /* the_current_setting */';
-- silent P32_immutable_context
CREATE FUNCTION shop.plus(integer) RETURNS integer LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT abs($1) + 1; END;
-- fires P32_immutable_context shop.setting(pg_catalog.text)
CREATE FUNCTION shop.setting(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN current_setting (name); END';
-- silent P32_immutable_context
CREATE FUNCTION shop.version() RETURNS text LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT current_setting('server_version'); END;
