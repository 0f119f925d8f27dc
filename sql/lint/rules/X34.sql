-- X34: settings as the place for the tenant.
UNION ALL
SELECT * FROM (VALUES ('X34_settable_context', 'warning',
    'policies trust settings that any SQL can change: %2$s (tables with such policies: %1$s)',
    'Whoever injects SQL, or finds a statement that runs it, sets the setting to another tenant, even in the middle of one SELECT. Policies guard against forgotten WHERE clauses then, not against attackers.',
    'SELECT set_config(''app.tenant'', ''<another tenant>'', true), (SELECT count(*) FROM orders);',
    '-- Know it, and accept this; or have the server check who may enter which tenant, as the extension tenancy does.',
    ARRAY['12', 'app.tenant'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_database'::regclass::oid, s.database, 0, NULL::text,
           ARRAY[count(DISTINCT p.relid)::text, string_agg(DISTINCT t.name, ', ')]
    FROM server AS s CROSS JOIN policy_clause AS p
    -- Most tables have the same text.
    JOIN (SELECT d.text, w.name[1] AS name FROM (SELECT DISTINCT p.text FROM policy_clause AS p) AS d
          CROSS JOIN LATERAL regexp_matches(d.text, 'current_setting\(''([^'']+)''', 'g') AS w(name)) AS t ON t.text = p.text
    WHERE p.binds GROUP BY s.database
) AS f ON true
