-- C04: rights that reach below SQL.
UNION ALL
SELECT * FROM (VALUES ('C04_server_files', 'error',
    'role %1$s has the rights of %2$s',
    'Whoever reads the server''s files, or runs programs there, reads every table''s pages, the configuration and the keys; row security knows nothing of it.',
    'CREATE TABLE t (line text); COPY t FROM PROGRAM ''cat base/*/*''; -- as %1$s',
    '%3$s',
    ARRAY['shop_app', 'pg_read_server_files', 'REVOKE pg_read_server_files FROM shop_app;'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, h.role, 0, h.granted::text, h.arguments
    FROM server_right AS h
    WHERE h.granted IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C04_replication', 'warning',
    'role %1$s may replicate',
    'Replication carries all rows: a base backup the files, logical decoding every change of every tenant.',
    'pg_basebackup -U %1$s -D copy -- a copy of every database of the cluster',
    'ALTER ROLE %1$s NOREPLICATION;',
    ARRAY['shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, r.oid, 0, NULL::text, ARRAY[r.name]
    FROM bound_login AS r WHERE r.rolreplication
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C04_server_file_function', 'error',
    '%2$s may call %1$s, which reads below row security',
    'Functions that read the server''s files or its write-ahead log show rows of every tenant as bytes.',
    'SELECT %1$s; -- as %2$s',
    'REVOKE EXECUTE ON FUNCTION %1$s FROM %2$s;',
    ARRAY['pg_catalog.pg_read_binary_file(text)', 'shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_proc'::regclass::oid, p.oid, 0, coalesce(g.rolname::text, 'PUBLIC'),
           ARRAY[format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), coalesce(g.name, 'PUBLIC')]
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    LEFT JOIN role AS g ON g.oid = a.grantee
    -- Not pageinspect: whatever is granted on it, its functions refuse everybody but superusers.
    WHERE p.proname IN ('pg_read_file', 'pg_read_binary_file', 'lo_import', 'lo_export', 'pg_get_wal_record_info',
                        'pg_get_wal_records_info', 'pg_get_wal_records_info_till_end_of_wal', 'pg_get_wal_block_info')
      -- The server's own roles have some of them, and are rules of their own.
      AND a.grantee <> p.proowner AND NOT coalesce(g.rolsuper OR g.rolname ~ '^pg_', false)
) AS f ON true
