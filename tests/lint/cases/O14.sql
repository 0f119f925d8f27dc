-- fires O14_rule_as_owner log on shop.request
CREATE TABLE shop.request (id bigint);
CREATE RULE log AS ON INSERT TO shop.request DO ALSO DELETE FROM shop.orders;
-- fires O14_rule_as_owner log on shop.request
-- security_invoker is for what the view reads, not for its rules.
CREATE VIEW shop.all_orders AS SELECT * FROM shop.orders;
CREATE VIEW shop.request WITH (security_invoker = true) AS SELECT 1 AS id;
CREATE RULE log AS ON INSERT TO shop.request DO INSTEAD SELECT count(*) FROM shop.all_orders;
-- silent O14_rule_as_owner
CREATE TABLE shop.request (id bigint);
CREATE RULE log AS ON INSERT TO shop.request DO ALSO SELECT count(*) FROM shop.country;
-- silent O14_rule_as_owner
CREATE TABLE shop.request (id bigint);
CREATE RULE log AS ON INSERT TO shop.request DO ALSO DELETE FROM shop.orders;
ALTER TABLE shop.request OWNER TO lint_owner; -- whom the policies bind
-- silent O14_rule_as_owner
-- A view's own rule is O11's, and so is a rule on the table itself C48's.
CREATE VIEW shop.all_orders AS SELECT * FROM shop.orders;
CREATE RULE log AS ON INSERT TO shop.orders DO ALSO SELECT count(*) FROM shop.orders;
