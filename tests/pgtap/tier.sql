-- Tiers: their limits are caps on settings that a session may change; a tenant moves between them.
\ir helpers/operators.sql
SELECT plan(40);
SET SESSION AUTHORIZATION lc_admin;

SELECT test.refused(format('SELECT tenancy.define_tier(%s)', arguments), state, 'no tier: ' || arguments)
FROM (VALUES ($$'Gold'$$, 'TN011'), ($$''$$, 'TN011'), ($$NULL$$, 'TN011'), ($$'a-b'$$, 'TN011'), ($$repeat('a', 32)$$, 'TN011'),
    ($$'gold', '', '[]'$$, '22023'), ($$'gold', '', NULL$$, '22023'), ($$'gold', '', '{"nope": 1}'$$, '22023'),
    ($$'gold', '', '{"shared_buffers": "1GB"}'$$, '22023'), ($$'gold', '', '{"search_path": "x"}'$$, '22023'),
    ($$'gold', '', '{"log_min_duration_statement": 1}'$$, '22023'), ($$'gold', '', '{"work_mem": "lots"}'$$, '22023'),
    ($$'gold', '', '{"work_mem": "64 parsecs"}'$$, '22023'), ($$'gold', '', '{"work_mem": 1}'$$, '22023'),
    ($$'gold', '', '{"work_mem": null}'$$, '22023'), ($$'gold', '', '{"work_mem": [1]}'$$, '22023'),
    ($$'gold', '', '{"statement_timeout": 0}'$$, '22023'), ($$'gold', '', '{"temp_file_limit": -1}'$$, '22023'),
    ($$'gold', '', '{"statement_timeout": "99999999999999999999"}'$$, '22023')) AS bad(arguments, state);
SHOW work_mem \gset was_
SELECT lives_ok($$SELECT tenancy.define_tier('gold', 'Gold', '{"work_mem": "64 MB", "statement_timeout": 90000, "hash_mem_multiplier": 1.5}')$$, 'a tier');
SELECT is((SELECT limits FROM tenancy.tier WHERE name = 'gold'),
    '{"work_mem": "64MB", "statement_timeout": "90s", "hash_mem_multiplier": "1.5"}', 'limits are kept as SHOW prints them');
SELECT is(current_setting('work_mem'), :'was_work_mem', 'checking a limit leaves the session as it was');
SELECT lives_ok($$SELECT tenancy.define_tier('gold', 'Better', '{}')$$, 'a tier can be changed');
SELECT results_eq('SELECT description, limits FROM tenancy.tier WHERE name = ''gold''', $$VALUES ('Better', '{}'::jsonb)$$, 'and is');
SELECT lives_ok($$SELECT tenancy.define_tier('standard', 'Ours', '{"work_mem": "8MB"}')$$, 'the tier that the extension made, too');
SELECT is((SELECT count(*) FROM tenancy.tier WHERE name = 'standard'), 1::bigint, 'it is one row');

SELECT tenancy.provision('acme') \g /dev/null
SELECT is(tenancy.set_tier('acme', 'gold', 2), 3::bigint, 'a tenant moves');
SELECT is(tenancy.set_tier('acme', 'gold'), 3::bigint, 'moving again changes nothing');
SELECT is((SELECT tier FROM tenancy.tenant WHERE slug = 'acme'), 'gold', 'it is there');
SELECT is((SELECT detail FROM tenancy.audit_event WHERE event = 'set_tier'), '{"from": "standard", "to": "gold", "generation": 3}', 'and so in the trail');
SELECT test.refused(format('SELECT tenancy.set_tier(%s)', arguments), state, 'not moved: ' || arguments)
FROM (VALUES ($$'acme', 'nope'$$, '42704'), ($$'acme', NULL$$, '42704'), ($$'nope', 'gold'$$, 'TN004'), ($$'acme', 'standard', 1$$, 'TN016')) AS bad(arguments, state);
SELECT test.refused($$SELECT tenancy.remove_tier('gold')$$, '55006', 'a tier in use stays');
SELECT test.refused($$SELECT tenancy.remove_tier('standard')$$, '55006', 'the tier of those that name none stays');
SELECT test.refused($$SELECT tenancy.remove_tier('nope')$$, '42704', 'no such tier');
SELECT tenancy.set_tier('acme', 'standard'), tenancy.define_onboarding_step('gold', 1, 'a', 'manual') \g /dev/null
SELECT lives_ok($$SELECT tenancy.remove_tier('gold')$$, 'an unused tier goes, with its checklist');

-- What pg_restore does: the row of standard is there already.
RESET SESSION AUTHORIZATION;
SELECT lives_ok($$INSERT INTO tenancy.tier (name, description, limits) VALUES ('standard', 'Restored', '{"work_mem": "9MB"}')$$, 'loading standard replaces it');
SELECT results_eq($$SELECT description, limits FROM tenancy.tier$$, $$VALUES ('Restored', '{"work_mem": "9MB"}'::jsonb)$$, 'one row, the loaded one');

SELECT finish();
