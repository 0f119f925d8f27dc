-- X38: what sessions of one role show each other.
UNION ALL
SELECT * FROM (VALUES ('X38_reads_all_statistics', 'warning',
    'role %1$s has the rights of %2$s',
    'It reads the text of everybody''s statements, with the values in them, and counters of rows that policies hid.',
    'SELECT query FROM pg_stat_activity; -- as %1$s: the statements of all tenants',
    '%3$s',
    ARRAY['shop_app', 'pg_read_all_stats', 'REVOKE pg_read_all_stats FROM shop_app;'])) AS m
LEFT JOIN LATERAL (
    -- Roles that read tenants' tables, that is: those of monitoring may.
    SELECT NULL::text, 'pg_authid'::regclass::oid, h.role, 0, h.granted::text, h.arguments
    FROM server_right AS h
    WHERE h.granted IN ('pg_read_all_stats', 'pg_monitor', 'pg_stat_scan_tables')
      AND NOT (h.granted <> 'pg_monitor' AND EXISTS (SELECT FROM server_right AS y WHERE y.role = h.role AND y.granted = 'pg_monitor'))
      AND EXISTS (SELECT FROM holds AS y JOIN relation_grant AS g ON g.grantee = y.target JOIN tenant_table AS t ON t.relid = g.relid WHERE y.role = h.role)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('X38_statements', 'info',
    'everybody reads %1$s, which shows the statements of one''s own role',
    'All tenants are the same role to it: each sees the statements of the others, and how often they ran. Commands such as SET are kept with their values.',
    'SELECT query FROM %1$s; -- in the context of one tenant: the statements of all',
    'REVOKE SELECT ON %1$s FROM PUBLIC;',
    ARRAY['public.pg_stat_statements'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, c.oid, 0, NULL::text, ARRAY[format('%I.%I', n.nspname, c.relname)]
    FROM pg_extension AS e JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_class'::regclass
    JOIN pg_class AS c ON c.oid = d.objid JOIN pg_namespace AS n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE e.extname = 'pg_stat_statements' AND c.relname = 'pg_stat_statements' AND a.grantee = 0 AND a.privilege_type = 'SELECT'
      AND EXISTS (SELECT FROM tenant_table)
) AS f ON true
