-- O21: logical replication carries the rows of all tenants.
UNION ALL
SELECT * FROM (VALUES ('O21_publication', 'warning',
    'publication %1$s carries %2$s',
    'Logical decoding reads the write-ahead log, where there are no policies: subscribers, and whoever may replicate, get the rows of all tenants.',
    'CREATE SUBSCRIPTION mine CONNECTION ''...'' PUBLICATION %1$s; -- the rows of all tenants',
    '-- If the subscriber is to have all tenants'' rows, suppress this with the reason. Else a row filter, or ALTER PUBLICATION %1$s DROP TABLE.',
    ARRAY['feed', 'shop.orders and 3 more tables of tenants'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_publication'::regclass::oid, p.oid, 0, NULL::text,
           ARRAY[quote_ident(p.pubname), CASE WHEN p.puballtables THEN 'all tables'
                 ELSE min(t.name) || CASE WHEN count(DISTINCT t.relid) > 1 THEN format(' and %s more tables of tenants', count(DISTINCT t.relid) - 1) ELSE '' END END]
    FROM pg_publication AS p
    LEFT JOIN pg_publication_rel AS r ON r.prpubid = p.oid LEFT JOIN pg_publication_namespace AS n ON n.pnpubid = p.oid
    JOIN tenant_table AS t ON p.puballtables OR t.relid = r.prrelid OR t.schema = n.pnnspid
    GROUP BY p.oid, p.pubname, p.puballtables
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O21_logical_slot', 'info',
    'logical replication slot %1$s (%2$s) streams the changes of this database, those of all tenants',
    'Whoever reads the slot reads every tenant''s changes. A slot that nobody reads keeps the write-ahead log, and with it rows that were erased.',
    'SELECT * FROM pg_logical_slot_peek_changes(%3$L, NULL, NULL);',
    '-- If its reader is to have all tenants'' rows, suppress this with the reason. Else: SELECT pg_drop_replication_slot(%3$L);',
    ARRAY['feed', 'pgoutput', 'feed'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_database'::regclass::oid, d.database, 0, s.slot_name::text, ARRAY[s.slot_name, s.plugin, s.slot_name]
    FROM pg_replication_slots AS s CROSS JOIN server AS d
    WHERE s.slot_type = 'logical' AND s.database = current_database() AND EXISTS (SELECT FROM tenant_table)
) AS f ON true
