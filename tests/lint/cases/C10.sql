-- fires C10_uncovered_privilege shop.orders
GRANT TRIGGER ON shop.orders TO lint_app;
-- fires C10_uncovered_privilege shop.orders
GRANT ALL ON shop.orders TO PUBLIC;
-- silent C10_uncovered_privilege
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders TO lint_app;
-- fires C10_uncovered_privilege shop.orders
-- MAINTAIN came with 17.
DO $$
BEGIN
    EXECUTE format('GRANT %s ON shop.orders TO lint_app',
                   CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN 'MAINTAIN' ELSE 'REFERENCES' END);
END
$$;
-- fires C10_uncovered_privilege shop.orders
SET LOCAL tenancy.guard = off;
GRANT REFERENCES (id) ON shop.orders TO lint_app;
