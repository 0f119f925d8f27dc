-- fires O13_definer_reads_all shop.total()
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC SELECT count(*) FROM shop.orders; END;
-- fires O13_definer_reads_all shop.total()
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'BEGIN RETURN (SELECT count(*) FROM shop."orders"); END';
-- fires O13_definer_reads_all shop.total()
-- Through a view and a function that PostgreSQL has parsed.
CREATE VIEW shop.all_orders WITH (security_invoker = true) AS SELECT * FROM shop.orders;
CREATE FUNCTION shop.part() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM shop.all_orders; END;
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT shop.part(); END;
-- silent O13_definer_reads_all
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM shop.orders); END';
-- silent O13_definer_reads_all
-- Its owner is bound by the policies.
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM shop.orders; END;
ALTER FUNCTION shop.total() OWNER TO lint_owner;
-- silent O13_definer_reads_all
CREATE FUNCTION shop.borders() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT count(*) FROM shop.country /* borders */';
-- fires O13_definer_search_path shop.total()
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN 1; END';
-- fires O13_definer_search_path shop.reset()
CREATE PROCEDURE shop.reset() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
-- silent O13_definer_search_path
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN 1; END';
CREATE FUNCTION shop.parsed() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT 1; END;
CREATE FUNCTION shop.mine() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
-- silent O13_definer_reads_all
-- Nobody else may call it.
CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM shop.orders; END;
REVOKE EXECUTE ON FUNCTION shop.total() FROM PUBLIC;
-- fires O13_definer_unknown shop.search
CREATE FUNCTION shop.search(what text) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'BEGIN RETURN QUERY EXECUTE format(''SELECT * FROM shop.%I'', what); END';
-- silent O13_definer_unknown
CREATE FUNCTION shop.now() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'BEGIN RETURN now(); END';
CREATE FUNCTION shop.search(what text) RETURNS SETOF record LANGUAGE plpgsql AS 'BEGIN RETURN QUERY EXECUTE what; END';
-- silent O13_definer_reads_all
-- A trigger's function is not called: O15.
CREATE FUNCTION shop.answer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM shop.orders; RETURN NEW; END';
-- silent O13_definer_unknown
CREATE FUNCTION shop.mine(what text) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN QUERY EXECUTE what; END';
ALTER FUNCTION shop.mine(text) OWNER TO lint_owner;
CREATE FUNCTION shop.private(what text) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN QUERY EXECUTE what; END';
REVOKE EXECUTE ON FUNCTION shop.private(text) FROM PUBLIC;
CREATE FUNCTION shop.known(what text) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN QUERY EXECUTE ''SELECT * FROM shop.orders''; END';
CREATE FUNCTION shop.event() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE ''SELECT''; END';
-- silent O13_definer_search_path
CREATE FUNCTION shop.private() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN 1; END';
REVOKE EXECUTE ON FUNCTION shop.private() FROM PUBLIC;
-- fires O13_definer_reads_all shop.add_all
-- Nobody else may call it, but everybody the aggregate that does.
CREATE FUNCTION shop.add_all(bigint, integer) RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM shop.orders; END;
REVOKE EXECUTE ON FUNCTION shop.add_all(bigint, integer) FROM PUBLIC;
CREATE AGGREGATE shop.total_of(integer) (sfunc = shop.add_all, stype = bigint, initcond = '0');
-- silent O13_definer_reads_all
CREATE FUNCTION shop.add_all(bigint, integer) RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM shop.orders; END;
REVOKE EXECUTE ON FUNCTION shop.add_all(bigint, integer) FROM PUBLIC;
CREATE AGGREGATE shop.total_of(integer) (sfunc = shop.add_all, stype = bigint, initcond = '0');
REVOKE EXECUTE ON FUNCTION shop.total_of(integer) FROM PUBLIC;
