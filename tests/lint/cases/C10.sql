-- fires C10_uncovered_privilege shop.orders
GRANT TRIGGER ON shop.orders TO lint_app;
-- fires C10_uncovered_privilege shop.orders
GRANT ALL ON shop.orders TO PUBLIC;
-- silent C10_uncovered_privilege
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders TO lint_app;
