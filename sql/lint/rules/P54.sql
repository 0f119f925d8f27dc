-- P54: plans that reach the client as messages.
UNION ALL
SELECT * FROM (VALUES ('P54_auto_explain', 'warning',
    'auto_explain is loaded for %1$s (%2$s)',
    'It logs plans with estimates and counts made from the rows of all tenants, and client_min_messages = log sends what is logged to whoever asked.',
    'SET client_min_messages = log; SELECT * FROM orders; -- with auto_explain.log_analyze: counts the rows that policies hid',
    '%3$s',
    ARRAY['the database', 'session_preload_libraries', '-- Take auto_explain out of session_preload_libraries, or set auto_explain.log_min_duration for superusers only.'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, s.class, s.object, 0, s.detail,
           ARRAY[s.place, s.name, CASE WHEN btrim(s.value, ' "') = 'auto_explain' THEN s.command || ' RESET ' || s.name || ';'
                                  ELSE format('-- Take auto_explain out of: %s SET %s = %s;', s.command, s.name, s.value) END]
    FROM stored_setting AS s WHERE s.name IN ('session_preload_libraries', 'local_preload_libraries') AND s.value ~ '\mauto_explain\M'
    UNION ALL
    SELECT NULL, 'pg_database'::regclass, d.database, 0, s.name || ' of the server',
           ARRAY['the server', s.name, format('-- Take auto_explain out of %s in postgresql.conf.', s.name)]
    FROM server_setting AS s CROSS JOIN server AS d
    WHERE s.name IN ('shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries') AND s.value ~ '\mauto_explain\M'
      AND NOT EXISTS (SELECT FROM stored_setting AS x WHERE x.name = s.name AND x.value = s.value)
) AS f ON true
