-- One list of SQLSTATEs: tenancy.error_code says what core/sqlstate.hpp says.
\set QUIET 1
SET client_min_messages = warning;
\set header `sed -n 's/.*constexpr const char\* \([a-z_0-9]*\) = "\(TN[0-9]*\)".*/\2 \1/p' pg_extension/core/sqlstate.hpp`
CREATE TEMPORARY TABLE header AS SELECT unnest(string_to_array(:'header', E'\n')) AS line;

SELECT plan(5);
SELECT cmp_ok((SELECT count(*) FROM header), '>=', 24::bigint, 'the header was read');
SELECT set_eq(
    $$SELECT sqlstate || ' ' || name FROM tenancy.error_code$$, $$SELECT line FROM header$$,
    'the table and the header name the same SQLSTATEs');
SELECT is_empty($$SELECT sqlstate FROM tenancy.error_code WHERE sqlstate !~ '^TN[0-9]{3}$'$$,
    'only class TN: where PostgreSQL has a code of its own, that one is used');
SELECT is_empty($$SELECT sqlstate FROM tenancy.error_code WHERE meaning !~ '^[A-Z].*\.$' OR http_status NOT BETWEEN 400 AND 599$$,
    'each has a meaning and an HTTP status of an error');

SET ROLE pg_monitor;
SELECT isnt_empty('SELECT * FROM tenancy.error_code', 'everybody may read it');
RESET ROLE;
SELECT * FROM finish();
