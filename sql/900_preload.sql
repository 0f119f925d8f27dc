-- Sees to it that new sessions of this database load the library before their first command, where
-- postgresql.conf does not: appended to what the database's setting already holds, once.
-- What this session started with may be of a database's or role's setting that is gone or not for all:
-- then postgresql.conf is asked.
DO $preload$
DECLARE
    configured text := CASE
        WHEN (SELECT source IN ('database', 'user', 'database user', 'client', 'session')
                FROM pg_settings WHERE name = 'session_preload_libraries')
        THEN coalesce((SELECT f.setting FROM pg_file_settings AS f
                        WHERE f.name = 'session_preload_libraries' AND f.applied ORDER BY f.seqno DESC LIMIT 1), '')
        ELSE current_setting('session_preload_libraries') END;
    own text := (SELECT substr(setting, length('session_preload_libraries=') + 1)
                   FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS setting
                  WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND s.setrole = 0 AND setting LIKE 'session_preload_libraries=%');
    present text[] := ARRAY(
        SELECT btrim(element, ' "')
          FROM regexp_split_to_table(coalesce(own, configured), ',') AS element
         WHERE btrim(element, ' "') <> '');
    shared text[] := ARRAY(
        SELECT btrim(element, ' "')
          FROM regexp_split_to_table(current_setting('shared_preload_libraries'), ',') AS element);
BEGIN
    IF 'tenancy' = ANY (present || shared) THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = %s', current_database(),
        (SELECT string_agg(quote_literal(name), ', ' ORDER BY place)
           FROM unnest(present || 'tenancy'::text) WITH ORDINALITY AS list(name, place)));
    RAISE WARNING USING
        MESSAGE = 'tenancy is preloaded in new sessions of this database from now on; this session has to reconnect',
        DETAIL = 'Set for the database: session_preload_libraries.',
        HINT = 'With shared_preload_libraries = ''tenancy'' in postgresql.conf, draining and activity per tenant work too.';
END
$preload$;
