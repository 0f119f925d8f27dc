-- P33: holes in row security that PostgreSQL has mended, in versions from 15 on. (Older ones, CVE-2016-2193,
-- 2017-7484, 2017-15099, 2018-10925 and 2019-10130, were mended before 15.) The number is the first mended
-- minor version of each major one; NULL where the major version never had the hole.
UNION ALL
SELECT * FROM (VALUES ('P33_known_hole', 'error',
    'PostgreSQL %1$s has %2$s: %3$s (mended in %4$s)',
    'What the server gets wrong, no policy mends.',
    'SHOW server_version; -- %1$s',
    '-- Update PostgreSQL to %4$s or later: https://www.postgresql.org/support/security/%2$s/',
    ARRAY['15.8', 'CVE-2024-10976', 'cached plans keep the policies of another role', '15.9'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_database'::regclass::oid, s.database, 0, c.cve,
           ARRAY[format('%s.%s', s.version / 10000, s.version % 10000), c.cve, c.title, format('%s.%s', s.version / 10000, c.mended[s.version / 10000 - 14])]
    FROM server AS s CROSS JOIN (VALUES
        ('CVE-2023-2455', 'an inlined function keeps the policies of another role', ARRAY[3]),
        ('CVE-2023-39418', 'MERGE does not enforce policies for UPDATE and SELECT', ARRAY[4]),
        ('CVE-2024-10976', 'cached plans with subqueries keep the policies of another role', ARRAY[9, 5, 1]),
        ('CVE-2024-10978', 'SET ROLE and SET SESSION AUTHORIZATION are reset to the wrong user', ARRAY[9, 5, 1]),
        ('CVE-2025-8713', 'statistics of partitions and children show values that policies hide', ARRAY[14, 10, 6]),
        ('CVE-2026-14666', 'cached plans keep policies after memberships have changed', ARRAY[19, 15, 11, 6]),
        ('CVE-2026-16237', 'INSERT ... ON CONFLICT writes rows that policies hide', ARRAY[20, 16, 12, 7]),
        ('CVE-2026-120154', 'INSERT ... ON CONFLICT DO UPDATE reads every row despite policies', ARRAY[20, 16, 12, 7])
    ) AS c(cve, title, mended)
    WHERE s.version % 10000 < c.mended[s.version / 10000 - 14]
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('P33_unmended_view', 'error',
    'view %1$s shows statistics with values of all tenants (CVE-2024-4317)',
    'The mended version of the server mends new clusters only. In this one the view is as it was, and shows the most common values of expressions to whoever may read the table.',
    'SELECT most_common_vals FROM %1$s; -- as any role',
    '-- As superuser, in every database: \i fix-CVE-2024-4317.sql, from the directory that pg_config --sharedir names.',
    ARRAY['pg_catalog.pg_stats_ext'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, c.oid, 0, NULL::text, ARRAY['pg_catalog.' || c.relname]
    FROM pg_class AS c
    WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relname IN ('pg_stats_ext', 'pg_stats_ext_exprs')
      AND pg_get_viewdef(c.oid) !~ 'pg_has_role\('
) AS f ON true
