-- Findings of the linter that somebody accepts for a while.
\ir helpers/isolation.sql
CREATE ROLE iso_auditor LOGIN;
GRANT tenancy_auditor TO iso_auditor;
SELECT tenancy.add_operator('iso_auditor', 'auditor') \g /dev/null
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.note (tenant_id uuid, text text);
CREATE TABLE shop.memo (tenant_id uuid, text text);
RESET SESSION AUTHORIZATION;
\set unprotected '(SELECT coalesce(string_agg(object, '' ''), ''none'') FROM tenancy.check_isolation() WHERE rule = ''C09_unprotected_table'')'

SELECT plan(23);

SET SESSION AUTHORIZATION iso_admin;
SELECT is(:unprotected, 'shop.memo shop.note', 'both count');
SELECT lives_ok($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.note', 'goes next week', now() + interval '7 days')$$, 'an admin accepts one');
SELECT is(:unprotected, 'shop.memo', 'only the other counts');
SELECT results_eq(
    $$SELECT object, suppressed_because, suppressed_until > now() + interval '6 days' FROM tenancy.check_isolation(include_suppressed => true)
      WHERE rule = 'C09_unprotected_table' ORDER BY object$$,
    $$VALUES ('shop.memo', NULL, NULL), ('shop.note', 'goes next week', true)$$, 'it is listed on demand');
SELECT lives_ok($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.note', 'goes in May', now() + interval '9 days')$$, 'again');
SELECT is((SELECT string_agg(suppressed_because, ', ') FROM tenancy.check_isolation(true)), 'goes in May', 'the last reason stands');

SELECT test.refused($$SELECT tenancy.suppress_finding('C09', 'shop.note', 'why', now() + interval '1 day')$$, '42704', 'no such rule');
SELECT test.refused($$SELECT tenancy.suppress_finding(NULL, 'shop.note', 'why', now() + interval '1 day')$$, '42704', 'no rule');
SELECT test.refused($$SELECT tenancy.suppress_finding('C09_unprotected_table', NULL, 'why', now() + interval '1 day')$$, '22023', 'no object');
SELECT test.refused($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.note', ' ', now() + interval '1 day')$$, '22023', 'no reason');
SELECT test.refused($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.note', 'why', now())$$, '22023', 'over already');
SELECT test.refused($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.note', 'why', 'infinity')$$, '22023', 'for ever');
SELECT throws_ok($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.note', 'why', 'infinity')$$, '22023', 'until must be a finite time to come', 'which is said');
SELECT test.refused($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.note', 'why', NULL)$$, '22023', 'until nothing');

SET SESSION AUTHORIZATION iso_auditor;
SELECT is(:unprotected, 'shop.memo', 'an auditor sees the findings');
SELECT throws_ok($$SELECT tenancy.suppress_finding('C09_unprotected_table', 'shop.memo', 'why', now() + interval '1 day')$$, '42501', NULL, 'and accepts none');
SELECT throws_ok($$SELECT tenancy.unsuppress_finding('C09_unprotected_table', 'shop.note')$$, '42501', NULL, 'nor takes one back');
RESET SESSION AUTHORIZATION;

UPDATE tenancy.finding_suppression SET valid_until = now() - interval '1 day';
SELECT is(:unprotected, 'shop.memo shop.note', 'it counts again when the time is over');
SELECT is((SELECT object_type || ' ' || object FROM tenancy.check_isolation() WHERE rule = 'S01_suppression_expired'),
          'table tenancy.finding_suppression', 'which is a finding');

SET SESSION AUTHORIZATION iso_admin;
SELECT is(tenancy.unsuppress_finding('C09_unprotected_table', 'shop.note'), true, 'taken back');
SELECT is(tenancy.unsuppress_finding('C09_unprotected_table', 'shop.note'), false, 'only once');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM tenancy.check_isolation() WHERE rule ~ '^S01'), 0::bigint, 'nothing left to say');
SELECT results_eq(
    $$SELECT event, actor_role, detail - 'valid_until' FROM tenancy.audit_event WHERE event ~ '_finding$' ORDER BY seq$$,
    $$VALUES ('suppress_finding', 'iso_admin'::name, '{"rule": "C09_unprotected_table", "object": "shop.note", "reason": "goes next week"}'::jsonb),
             ('suppress_finding', 'iso_admin', '{"rule": "C09_unprotected_table", "object": "shop.note", "reason": "goes in May"}'),
             ('unsuppress_finding', 'iso_admin', '{"rule": "C09_unprotected_table", "object": "shop.note"}')$$, 'all recorded');
SELECT * FROM finish();
