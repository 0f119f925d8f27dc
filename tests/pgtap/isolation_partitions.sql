-- Partitioned tables and inheritance: all that is below a protected table is protected, also what comes later.
\ir helpers/isolation.sql
SET SESSION AUTHORIZATION iso_owner;
CREATE TABLE shop.event (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, tenant_id uuid, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE shop.event_2025 PARTITION OF shop.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shop.event_2026 PARTITION OF shop.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY RANGE (at);
CREATE TABLE shop.event_2026_a PARTITION OF shop.event_2026 FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE shop.child_of_event (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, event_id bigint, event_at date, CONSTRAINT child_event FOREIGN KEY (event_id, event_at) REFERENCES shop.event ON DELETE CASCADE);
INSERT INTO shop.event (at, tenant_id, body) VALUES ('2025-05-05', :'alpha', 'a'), ('2025-05-05', :'beta', 'b'), ('2026-02-02', :'beta', 'b');
INSERT INTO shop.child_of_event SELECT 1, tenant_id, id, at FROM shop.event_2025 LIMIT 1;
CREATE TABLE shop.parent (id int, tenant_id uuid NOT NULL);
CREATE TABLE shop.heir (extra text) INHERITS (shop.parent);
CREATE TABLE shop.late (id bigint NOT NULL, at date NOT NULL, tenant_id uuid, body text);
INSERT INTO shop.late VALUES (100, '2024-01-01', :'alpha', 'a'), (101, '2024-01-01', :'beta', 'b');
CREATE TABLE shop.open_parent (LIKE shop.event) PARTITION BY RANGE (at);
CREATE TABLE shop.open_base (id int, tenant_id uuid);
GRANT ALL ON ALL TABLES IN SCHEMA shop TO iso_app;
SELECT tenancy.protect('shop.event'), tenancy.protect('shop.parent'), tenancy.protect('shop.child_of_event') \g /dev/null
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION iso_app;
BEGIN;
SELECT tenancy.enter('alpha') \g /dev/null
SELECT (SELECT count(*) FROM shop.event) AS through_parent, (SELECT count(*) FROM shop.event_2025) AS in_partition,
       (SELECT count(*) FROM shop.event_2026_a) AS in_deep_partition \gset
INSERT INTO shop.event_2025 (id, at, body) OVERRIDING SYSTEM VALUE VALUES (50, '2025-06-06', 'direct');
COMMIT;
RESET SESSION AUTHORIZATION;

SELECT plan(31);
SELECT is(:through_parent, 1, 'through the parent');
SELECT is(:in_partition, 1, 'directly in a partition');
SELECT is(:in_deep_partition, 0, 'and in a partition of a partition');
SELECT is((SELECT tenant_id FROM shop.event_2025 WHERE body = 'direct'), :'alpha'::uuid, 'a direct insert gets the tenant of the context');
SELECT ok((tenancy.protection('shop.heir')).complete, 'an inheritance child is protected with its parent');
SELECT is((SELECT count(*) FROM tenancy.protected_table), 3::bigint, 'one record for a whole tree');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'child_event'),
    'FOREIGN KEY (tenant_id, event_id, event_at) REFERENCES shop.event(tenant_id, id, at) ON DELETE CASCADE', 'a key to a partitioned table is composite');

-- What comes later.
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok($$CREATE TABLE shop.event_2027 PARTITION OF shop.event FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')$$, 'a new partition');
SELECT lives_ok($$CREATE TABLE shop.event_2026_b PARTITION OF shop.event_2026 FOR VALUES FROM ('2026-07-01') TO ('2027-01-01')$$, 'a deeper one');
SELECT lives_ok($$ALTER TABLE shop.late ALTER tenant_id SET NOT NULL; ALTER TABLE shop.event ATTACH PARTITION shop.late FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')$$, 'an attached one');
SELECT lives_ok($$CREATE TABLE shop.heir2 () INHERITS (shop.parent)$$, 'a new child');
SELECT lives_ok($$CREATE TABLE shop.heir3 (id int, tenant_id uuid NOT NULL); ALTER TABLE shop.heir3 INHERIT shop.parent$$, 'a table that becomes a child');
SELECT lives_ok($$SET search_path = shop; CREATE TABLE "Event 2028" PARTITION OF event FOR VALUES FROM ('2028-01-01') TO ('2029-01-01'); RESET search_path$$, 'a name that needs quotes, found by search_path');
RESET SESSION AUTHORIZATION;
SELECT ok((tenancy.protection(name::regclass)).complete, name || ' is protected in the same command')
FROM unnest(ARRAY['shop.event_2027', 'shop.event_2026_b', 'shop.late', 'shop.heir2', 'shop.heir3', 'shop."Event 2028"']) AS name;
SELECT is((SELECT count(*) FROM tenancy.protected_table), 3::bigint, 'still one record');

-- A hole the other way round.
SET SESSION AUTHORIZATION iso_owner;
SELECT throws_ok($$ALTER TABLE shop.event DETACH PARTITION shop.event_2025$$, '23503', NULL, 'a partition that hidden rows refer to cannot leave');
RESET SESSION AUTHORIZATION;
DELETE FROM shop.child_of_event;
SET SESSION AUTHORIZATION iso_owner;
ALTER TABLE shop.event DETACH PARTITION shop.event_2025;
SELECT test.refused($$ALTER TABLE shop.open_parent ATTACH PARTITION shop.event_2025 DEFAULT$$, 'TN018', 'a protected table under an unprotected partitioned one');
SELECT test.refused($$ALTER TABLE shop.heir INHERIT shop.open_base$$, 'TN018', 'or under an unprotected parent');
SELECT test.refused($$CREATE TABLE shop.heir4 () INHERITS (shop.parent, shop.open_base)$$, 'TN018', 'a child of a protected and an unprotected parent');
CREATE TABLE shop.heir5 (id int, tenant_id uuid NOT NULL) INHERITS (shop.open_base);
SELECT test.refused($$ALTER TABLE shop.heir5 INHERIT shop.parent$$, 'TN018', 'or one that becomes it');
CREATE TABLE shop.second_parent (id int, tenant_id uuid NOT NULL);
CREATE TABLE shop.heir6 () INHERITS (shop.second_parent, shop.open_base);
SELECT test.refused($$SELECT tenancy.protect('shop.second_parent')$$, '55000', 'or one that protect() finds below a table');
RESET SESSION AUTHORIZATION;
SELECT ok((tenancy.protection('shop.event_2025')).complete, 'a detached partition stays protected');
SELECT is((SELECT count(*) FROM tenancy.protected_table WHERE relation = 'shop.event_2025'::regclass), 1::bigint, 'and has a record of its own');
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
SELECT test.refused($$CREATE FOREIGN TABLE shop.far () INHERITS (shop.parent) SERVER elsewhere$$, 'TN018', 'a foreign table cannot be a child');
SET SESSION AUTHORIZATION iso_owner;
SELECT lives_ok($$SELECT tenancy.unprotect('shop.event_2025'), tenancy.unprotect('shop.event')$$, 'unprotect takes all partitions');
RESET SESSION AUTHORIZATION;
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relname ILIKE 'event%' AND (relrowsecurity OR relforcerowsecurity)$$, 'none is left');
SELECT * FROM finish();
