-- fires S01_suppression_expired tenancy.finding_suppression (extension)
INSERT INTO tenancy.finding_suppression VALUES ('O12_materialized_view', 'shop.totals', 'old', now() - interval '1 day');
-- silent S01_suppression_expired (extension)
SELECT tenancy.suppress_finding('O12_materialized_view', 'shop.totals', 'shown to staff only', now() + interval '1 day');
