-- fires O51_temporary_first shop.total()
CREATE FUNCTION shop.total() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, pg_catalog AS 'BEGIN RETURN 1; END';
-- fires O51_temporary_first shop.total()
CREATE FUNCTION shop.total() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS 'BEGIN RETURN 1; END';
-- fires O51_temporary_first shop.total()
CREATE FUNCTION shop.total() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_temp, shop AS 'BEGIN RETURN 1; END';
-- silent O51_temporary_first
CREATE FUNCTION shop.total() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, pg_temp AS 'BEGIN RETURN 1; END';
CREATE FUNCTION shop.mine() RETURNS integer LANGUAGE plpgsql SET search_path = shop AS 'BEGIN RETURN 1; END';
-- fires O51_schema_for_all public
GRANT CREATE ON SCHEMA public TO PUBLIC;
-- silent O51_schema_for_all
GRANT CREATE ON SCHEMA shop TO lint_app;
-- fires O51_system_last lint_app
ALTER ROLE lint_app SET search_path = shop, pg_catalog;
-- silent O51_system_last
ALTER ROLE lint_app SET search_path = shop, public;
-- silent O51_temporary_first
CREATE FUNCTION shop.parsed() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = shop BEGIN ATOMIC SELECT 1; END;
CREATE FUNCTION shop.private() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop AS 'BEGIN RETURN 1; END';
REVOKE EXECUTE ON FUNCTION shop.private() FROM PUBLIC;
-- silent O51_system_last
ALTER ROLE lint_app SET "app.schemas" = 'shop, pg_catalog';
