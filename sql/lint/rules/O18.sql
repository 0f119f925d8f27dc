-- O18: copies carry no policy.
UNION ALL
SELECT * FROM (VALUES ('O18_copy_without_policy', 'warning',
    'table %1$s looks like a copy of %2$s, and has no row security',
    'CREATE TABLE AS, SELECT INTO and LIKE copy rows and columns, no policies and no keys. What was copied for an hour is read for years.',
    'SELECT count(*) FROM %1$s; -- counts whatever was copied, of every tenant',
    '-- DROP TABLE %1$s; when nobody needs it any more. Else protect it by its tenant column.',
    ARRAY['shop.orders_backup', 'shop.orders'])) AS m
LEFT JOIN LATERAL (
    -- Without any key, as copies are, and with no column that the other does not have.
    SELECT NULL::text, 'pg_class'::regclass::oid, c.relid, 0, NULL::text, ARRAY[r.name, min(t.name)]
    FROM (SELECT r.relid, count(*) AS columns
          FROM relation AS r JOIN pg_attribute AS a ON a.attrelid = r.relid AND a.attnum > 0 AND NOT a.attisdropped
          WHERE r.relkind = 'r' AND NOT r.secured AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = r.relid)
            AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = r.relid AND k.contype IN ('f', 'c'))
            AND NOT EXISTS (SELECT FROM set_aside AS s WHERE s.relid = r.relid)
            AND NOT EXISTS (SELECT FROM inheritance AS i WHERE i.child = r.relid)
          GROUP BY r.relid HAVING count(*) > 2) AS c
    JOIN relation AS r ON r.relid = c.relid
    JOIN tenant_table AS t ON t.is_meant AND t.relid <> c.relid
        AND c.columns = (SELECT count(*) FROM pg_attribute AS a JOIN pg_attribute AS b USING (attname, atttypid)
                         WHERE a.attrelid = c.relid AND a.attnum > 0 AND NOT a.attisdropped
                           AND b.attrelid = t.relid AND b.attnum > 0 AND NOT b.attisdropped)
        AND c.columns * 2 > (SELECT count(*) FROM pg_attribute AS b WHERE b.attrelid = t.relid AND b.attnum > 0 AND NOT b.attisdropped)
    GROUP BY c.relid, r.name
) AS f ON true
