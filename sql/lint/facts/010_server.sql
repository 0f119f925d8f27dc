-- Facts, the same for the extension and the plain file: the server, its roles and its settings.
server AS (
    SELECT current_setting('server_version_num')::integer AS version, d.oid AS database, quote_ident(d.datname) AS name, d.datdba, d.datacl
    FROM pg_database AS d WHERE d.datname = current_database()
),
role AS MATERIALIZED (
    SELECT r.oid, r.rolname, quote_ident(r.rolname) AS name, r.rolsuper, r.rolbypassrls,
           r.rolsuper OR r.rolbypassrls AS bypasses, r.rolcanlogin, r.rolcreaterole, r.rolreplication
    FROM pg_roles AS r
),
-- A row says: the member can become the role (SET ROLE), or has its rights at once. 16 made both options.
membership AS MATERIALIZED (
    SELECT m.member, m.roleid AS role, m.admin_option,
           coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) AS can_set,
           coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) AS can_inherit
    FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.member
),
-- Whom a role that policies bind can become by SET ROLE, over any number of steps.
becomes(role, target) AS (
    SELECT r.oid, r.oid FROM role AS r WHERE NOT r.bypasses
    UNION
    SELECT b.role, m.role FROM becomes AS b JOIN membership AS m ON m.member = b.target WHERE m.can_set
),
-- Whose rights it has or can take.
holds(role, target) AS (
    SELECT r.oid, r.oid FROM role AS r WHERE NOT r.bypasses
    UNION
    SELECT h.role, m.role FROM holds AS h JOIN membership AS m ON m.member = h.target WHERE m.can_set OR m.can_inherit
),
-- Who logs in and is bound by policies: whom an attacker may speak as.
bound_login AS MATERIALIZED (SELECT r.* FROM role AS r WHERE r.rolcanlogin AND NOT r.bypasses),
-- Which of the server's own roles they have the rights of, and what takes them away.
server_right AS NOT MATERIALIZED (
    SELECT r.oid AS role, x.rolname AS granted, ARRAY[r.name, x.name, (
               SELECT string_agg(format('REVOKE %s FROM %s;', x.name, s.name), ' ')
               FROM membership AS m JOIN holds AS y ON y.role = r.oid AND y.target = m.member
               JOIN role AS s ON s.oid = m.member WHERE m.role = x.oid)] AS arguments
    FROM holds AS h JOIN bound_login AS r ON r.oid = h.role JOIN role AS x ON x.oid = h.target
    WHERE x.rolname ~ '^pg_'
),
-- Settings kept for roles and databases that count here, and how each is changed.
stored_setting AS MATERIALIZED (
    SELECT split_part(c.line, '=', 1) AS name, substr(c.line, strpos(c.line, '=') + 1) AS value, s.setrole, s.setdatabase,
           CASE WHEN s.setrole = 0 THEN 'pg_database'::regclass ELSE 'pg_authid'::regclass END::oid AS class,
           CASE WHEN s.setrole = 0 THEN d.database ELSE s.setrole END AS object,
           split_part(c.line, '=', 1) || CASE WHEN s.setdatabase <> 0 AND s.setrole <> 0 THEN ' in this database'
               WHEN s.setdatabase = 0 AND s.setrole = 0 THEN ' everywhere' ELSE '' END AS detail,
           CASE WHEN s.setrole = 0 THEN CASE WHEN s.setdatabase = 0 THEN 'ALTER ROLE ALL' ELSE 'ALTER DATABASE ' || d.name END
                ELSE 'ALTER ROLE ' || r.name || CASE WHEN s.setdatabase <> 0 THEN ' IN DATABASE ' || d.name ELSE '' END END AS command,
           CASE WHEN s.setrole <> 0 THEN 'role ' || r.name WHEN s.setdatabase <> 0 THEN 'the database' ELSE 'every role' END AS place
    FROM pg_db_role_setting AS s CROSS JOIN LATERAL unnest(s.setconfig) AS c(line) CROSS JOIN server AS d
    LEFT JOIN role AS r ON r.oid = s.setrole
    WHERE s.setdatabase IN (0, d.database)
),
-- What new sessions start with; of postgresql.conf only what this role may read.
server_setting AS MATERIALIZED (SELECT s.name, s.reset_val AS value FROM pg_settings AS s),
