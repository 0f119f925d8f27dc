SELECT * FROM told
$lint$;
COMMENT ON FUNCTION tenancy.isolation_lint() IS
'What the rules of the isolation linter find, suppressed or not, and one row without object for a rule that finds nothing. Internal.';
