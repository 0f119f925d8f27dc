-- fires O11_view_as_owner shop.all_orders
CREATE VIEW shop.all_orders AS SELECT * FROM shop.orders;
-- fires O11_view_as_owner shop.all_orders
-- The one that reads the table is to be mended, not the one over it.
CREATE VIEW shop.all_orders AS SELECT * FROM shop.orders;
CREATE VIEW shop.some_orders WITH (security_invoker) AS SELECT * FROM shop.all_orders;
-- silent O11_view_as_owner
CREATE VIEW shop.all_orders WITH (security_invoker = true) AS SELECT * FROM shop.orders;
-- silent O11_view_as_owner
-- A view in between that reads as its owner hands on to one that reads as whoever asks.
CREATE VIEW shop.all_orders WITH (security_invoker = on) AS SELECT * FROM shop.orders;
CREATE VIEW shop.some_orders AS SELECT * FROM shop.all_orders;
-- silent O11_view_as_owner
-- Its owner is bound by the policies.
CREATE VIEW shop.all_orders AS SELECT * FROM shop.orders;
ALTER VIEW shop.all_orders OWNER TO lint_owner;
-- fires O11_view_policies_of_owner shop.all_orders
CREATE VIEW shop.all_orders AS SELECT * FROM shop.orders;
ALTER VIEW shop.all_orders OWNER TO lint_owner;
-- silent O11_view_policies_of_owner
CREATE VIEW shop.all_orders WITH (security_invoker) AS SELECT * FROM shop.orders;
CREATE VIEW shop.countries AS SELECT * FROM shop.country;
