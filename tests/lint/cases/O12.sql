-- fires O12_materialized_view shop.totals
CREATE MATERIALIZED VIEW shop.totals AS SELECT tenant_id, count(*) FROM shop.orders GROUP BY tenant_id WITH NO DATA;
-- fires O12_materialized_view shop.totals
CREATE VIEW shop.all_orders WITH (security_invoker = true) AS SELECT * FROM shop.orders;
CREATE MATERIALIZED VIEW shop.totals AS SELECT count(*) FROM shop.all_orders WITH NO DATA;
GRANT SELECT ON shop.totals TO lint_app;
-- silent O12_materialized_view
CREATE MATERIALIZED VIEW shop.countries AS SELECT * FROM shop.country WITH NO DATA;
-- silent O12_materialized_view
CREATE VIEW shop.all_orders WITH (security_invoker = true) AS SELECT * FROM shop.orders;
GRANT SELECT ON shop.all_orders TO lint_app;
