-- fires P27_guard_off lint_app (extension)
ALTER ROLE lint_app SET tenancy.guard = off;
-- fires P27_guard_off lint_extension (extension)
ALTER DATABASE lint_extension SET tenancy.guard = standard;
-- silent P27_guard_off (extension)
ALTER ROLE lint_app SET tenancy.guard = strict;
-- silent P27_guard_off (extension)
ALTER ROLE lint_app SET enable_seqscan = off;
