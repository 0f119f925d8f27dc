-- fires P56_trusted_function pg_catalog.textregexeq (extension)
SELECT tenancy.trust_function('pg_catalog.textregexeq(text, text)', 'tried with the worst of our texts');
-- fires P56_trusted_function shop."As It Is" (extension)
CREATE FUNCTION shop."As It Is"(text, numeric(9, 2)) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
SELECT tenancy.trust_function('shop."As It Is"(text, numeric)', '100 % the same');
-- silent P56_trusted_function (extension)
SELECT tenancy.trust_function('pg_catalog.textregexeq(text, text)', 'tried with the worst of our texts');
SELECT tenancy.distrust_function('pg_catalog.textregexeq(text, text)');
-- silent P56_trusted_function (extension)
-- Trust does not pass to another owner.
CREATE FUNCTION shop.alike(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
SELECT tenancy.trust_function('shop.alike(text, text)', 'raises nothing');
ALTER FUNCTION shop.alike(text, text) OWNER TO lint_owner;
-- silent P56_trusted_function (extension)
-- Trusted, and gone with its type.
CREATE TYPE shop.mood AS ENUM ('good', 'bad');
CREATE FUNCTION shop.alike(shop.mood, shop.mood) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
SELECT tenancy.trust_function('shop.alike(shop.mood, shop.mood)', 'raises nothing');
DROP TYPE shop.mood CASCADE;
