-- S01: accepted findings.
UNION ALL
SELECT * FROM (VALUES ('S01_suppression_expired', 'warning',
    'the suppression of %1$s for %2$s ended at %3$s',
    'A finding was accepted until a time that is past. It counts again, and nobody has decided anew.',
    'SELECT * FROM tenancy.check_isolation() WHERE rule = %4$L AND object = %5$L;',
    'SELECT tenancy.unsuppress_finding(%4$L, %5$L); -- or accept it anew with tenancy.suppress_finding()',
    ARRAY['O12_materialized_view', 'shop.totals', '2026-01-01 00:00:00+00', 'O12_materialized_view', 'shop.totals'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, 'tenancy.finding_suppression'::regclass::oid, 0, s.rule || ' ' || s.object,
           ARRAY[s.rule, s.object, s.valid_until::text, s.rule, s.object]
    FROM tenancy.finding_suppression AS s WHERE s.valid_until <= now()
) AS f ON true
