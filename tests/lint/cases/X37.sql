-- fires X37_temporary_for_all lint_
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$;
-- silent X37_temporary_for_all
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO lint_owner', current_database()); END $$;
-- silent X37_temporary_for_all (by hand)
DROP SCHEMA shop CASCADE;
GRANT TEMPORARY ON DATABASE lint_by_hand TO PUBLIC;
