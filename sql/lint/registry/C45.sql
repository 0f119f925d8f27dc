-- C45: sessions that begin without the library.
UNION ALL
SELECT * FROM (VALUES ('C45_not_preloaded', 'error',
    'sessions of %1$s begin without the library: their session_preload_libraries is %2$s',
    'A list kept for a role or database takes the place of the one before it, it is not added to it. Without the library no guard works, and protected tables refuse to answer.',
    'SELECT * FROM orders; -- ERROR: TN008',
    '%3$s',
    ARRAY['role shop_app', 'auto_explain', 'ALTER ROLE shop_app SET session_preload_libraries = ''auto_explain'', ''tenancy'';'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, s.class, s.object, 0, s.detail,
           ARRAY[s.place, coalesce(nullif(s.value, ''), 'empty'),
                 format('%s SET session_preload_libraries = %s;', s.command,
                        (SELECT string_agg(quote_literal(btrim(x, ' "')), ', ' ORDER BY n)
                         FROM regexp_split_to_table(s.value || ',tenancy', ',') WITH ORDINALITY AS e(x, n) WHERE btrim(x, ' "') <> ''))]
    FROM stored_setting AS s
    WHERE s.name = 'session_preload_libraries' AND s.value !~ '\mtenancy\M' AND NOT EXISTS (
        SELECT FROM server_setting AS v WHERE v.name = 'shared_preload_libraries' AND v.value ~ '\mtenancy\M')
    UNION ALL
    SELECT NULL, 'pg_database'::regclass, d.database, 0, 'database',
           ARRAY['the database', 'not set', format('ALTER DATABASE %s SET session_preload_libraries = ''tenancy'';', d.name)]
    FROM server AS d
    WHERE NOT EXISTS (SELECT FROM server_setting AS v WHERE v.name = 'shared_preload_libraries' AND v.value ~ '\mtenancy\M')
      AND NOT EXISTS (SELECT FROM stored_setting AS s WHERE s.name = 'session_preload_libraries' AND s.setrole = 0)
      AND NOT EXISTS (SELECT FROM pg_file_settings AS v WHERE v.name = 'session_preload_libraries' AND v.setting ~ '\mtenancy\M')
) AS f ON true
