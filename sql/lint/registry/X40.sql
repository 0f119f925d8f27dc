-- X40: tokens that others can read.
UNION ALL
SELECT * FROM (VALUES ('X40_literal_tokens', 'warning',
    'tenancy.literal_tokens is on for %1$s: tokens may stand in the text of statements',
    'Statements are shown to every session of the same role (pg_stat_activity), written to the log, and kept by pg_stat_statements. A bind parameter is in none of these.',
    'SELECT query FROM pg_stat_activity; -- in the context of one tenant: shows others'' tokens',
    '%2$s',
    ARRAY['role shop_app', 'ALTER ROLE shop_app RESET tenancy.literal_tokens;'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, s.class, s.object, 0, s.detail, ARRAY[s.place, s.command || ' RESET tenancy.literal_tokens;']
    FROM stored_setting AS s WHERE s.name = 'tenancy.literal_tokens' AND s.value IN ('on', 'true', 'yes', '1')
    UNION ALL
    SELECT NULL, 'pg_database'::regclass, d.database, 0, 'tenancy.literal_tokens of the server', ARRAY['the server', '-- Take tenancy.literal_tokens out of postgresql.conf.']
    FROM pg_file_settings AS s CROSS JOIN server AS d WHERE s.name = 'tenancy.literal_tokens' AND s.applied AND s.setting IN ('on', 'true', 'yes', '1')
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('X40_logged_parameters', 'info',
    'the server logs bind parameters, tokens among them (%1$s, log_parameter_max_length = %2$s)',
    'Whoever reads the log within the life of a token may use it.',
    'grep tenancy.enter postgresql.log -- DETAIL: parameters: $1 = ''eyJ...''',
    'ALTER DATABASE %3$s SET log_parameter_max_length = 0;',
    ARRAY['log_statement = all', '-1', 'shop'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_database'::regclass::oid, d.database, 0, NULL::text, ARRAY[format('%s = %s', min(l.name), min(l.value)), p.value, d.name]
    FROM server AS d CROSS JOIN LATERAL (
        SELECT coalesce((SELECT s.value FROM stored_setting AS s WHERE s.name = 'log_parameter_max_length' AND s.setrole = 0 ORDER BY s.setdatabase DESC LIMIT 1),
                        (SELECT v.value FROM server_setting AS v WHERE v.name = 'log_parameter_max_length')) AS value
    ) AS p
    JOIN (SELECT s.name, s.value FROM stored_setting AS s UNION ALL SELECT v.name, v.value FROM server_setting AS v) AS l
        ON l.name = 'log_statement' AND l.value = 'all' OR l.name IN ('log_min_duration_statement', 'log_min_duration_sample') AND l.value <> '-1'
    WHERE p.value <> '0' AND EXISTS (SELECT FROM tenancy.signing_key)
    GROUP BY d.database, d.name, p.value
) AS f ON true
