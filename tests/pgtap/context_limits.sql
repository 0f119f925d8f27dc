-- Caps of a tier: applied on entering, and held against what the session sets afterwards.
SET tenancy.test_mode = on; -- or entering would clear what pgTAP keeps in temporary tables
SELECT plan(12);
CREATE ROLE limits_app LOGIN;
SELECT tenancy.define_tier('small', '', '{"statement_timeout": "5s", "work_mem": "2MB"}') \g /dev/null
SELECT tenancy.provision('acme', tier => 'small'), tenancy.provision('globex') \g /dev/null
SELECT tenancy.grant_access('limits_app', '*', reason => 'test') \g /dev/null

SET SESSION AUTHORIZATION limits_app;
BEGIN;
SELECT tenancy.enter('acme') \g /dev/null
SELECT is(current_setting('statement_timeout'), '5s', 'no timeout becomes the cap');
SELECT is(current_setting('work_mem'), '2MB', 'more than the cap becomes the cap');
SET work_mem = '1MB';
SELECT is(current_setting('work_mem'), '1MB', 'less than the cap may be set');
SAVEPOINT a;
\set ON_ERROR_STOP off
SET work_mem = '3MB';
\set state :LAST_ERROR_SQLSTATE
\set ON_ERROR_STOP on
ROLLBACK TO a;
SELECT is(:'state'::text, '42501', 'a SET above the cap is refused');
\set ON_ERROR_STOP off
SET statement_timeout = 0;
\set state :LAST_ERROR_SQLSTATE
\set ON_ERROR_STOP on
ROLLBACK TO a;
SELECT is(:'state'::text, '42501', 'switching the timeout off is above the cap');
SELECT set_config('work_mem', '1GB', false) \g /dev/null
\set ON_ERROR_STOP off
SELECT 1 \g /dev/null
\set state :LAST_ERROR_SQLSTATE
\set ON_ERROR_STOP on
ROLLBACK TO a;
SELECT is(:'state'::text, '42501', 'set_config is caught at the next statement');
ROLLBACK;
SELECT is(current_setting('statement_timeout'), '0', 'the cap ends with the transaction');

BEGIN;
SET LOCAL work_mem = '1MB';
SELECT tenancy.enter('acme') \g /dev/null
SELECT is(current_setting('work_mem'), '1MB', 'what is below the cap already stays');
COMMIT;

BEGIN;
SELECT tenancy.enter('globex') \g /dev/null
SELECT is(current_setting('statement_timeout'), '0', 'a tier without limits has none');
SET LOCAL work_mem = '1GB';
SELECT is(current_setting('work_mem'), '1GB', 'and may set what it likes');
COMMIT;

RESET SESSION AUTHORIZATION;
SELECT tenancy.define_tier('small', '', '{"work_mem": "1MB"}') \g /dev/null
SET SESSION AUTHORIZATION limits_app;
BEGIN;
SELECT tenancy.enter('acme') \g /dev/null
SELECT is(current_setting('work_mem'), '1MB', 'a tier that changed counts from the next transaction on');
SELECT is(current_setting('statement_timeout'), '0', 'also where a cap went');
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
