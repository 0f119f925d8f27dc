-- fires P29_leakproof_function shop.same
CREATE FUNCTION shop.same(text, text) RETURNS boolean LANGUAGE plpgsql LEAKPROOF AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN $1 = $2; END';
-- silent P29_leakproof_function
CREATE FUNCTION shop.same(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 = $2; END';
-- silent P29_leakproof_function
CREATE EXTENSION citext; -- what an extension promises is the extension's
UPDATE pg_proc SET proleakproof = true WHERE proname = 'citext_eq';
