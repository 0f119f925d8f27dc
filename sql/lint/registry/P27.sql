-- P27: the guards.
UNION ALL
SELECT * FROM (VALUES ('P27_guard_off', 'error',
    'tenancy.guard is %2$s for %1$s',
    'Off, nothing keeps estimates and counts of other tenants'' rows, temporary tables, held cursors and notifications back, and tables may be opened by DDL. Standard answers EXPLAIN without numbers, which is for development.',
    'EXPLAIN SELECT * FROM orders WHERE tenant_id = ''<another tenant>''; -- estimates its rows',
    '%3$s',
    ARRAY['role shop_app', 'off', 'ALTER ROLE shop_app RESET "tenancy.guard";'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN s.value <> 'off' THEN 'warning' END, s.class, s.object, 0, s.detail, ARRAY[s.place, s.value, s.command || ' RESET tenancy.guard;']
    FROM stored_setting AS s WHERE s.name = 'tenancy.guard' AND s.value <> 'strict'
    UNION ALL
    SELECT CASE WHEN s.setting <> 'off' THEN 'warning' END, 'pg_database'::regclass, d.database, 0, 'tenancy.guard of the server',
           ARRAY['the server', s.setting, '-- Take tenancy.guard out of postgresql.conf.']
    FROM pg_file_settings AS s CROSS JOIN server AS d WHERE s.name = 'tenancy.guard' AND s.applied AND s.setting <> 'strict'
) AS f ON true
