-- Rows of one tenant, each value of which tells whose it is: :mark, the letter of the tenant three times, stands in
-- every text, :digits begins every number that is large enough, and days, addresses and ids are the tenant's too.
-- Run by psql.
INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France') ON CONFLICT DO NOTHING;

INSERT INTO bots (id, tenant_id, handle, channel) OVERRIDING SYSTEM VALUE
SELECT (:'digits' || n)::bigint, :'id', n || :'mark', (ARRAY['web', 'whatsapp', 'telegram'])[1 + n % 3]
FROM generate_series(1, 3) AS n;

INSERT INTO contacts (id, tenant_id, name, email, country) OVERRIDING SYSTEM VALUE
SELECT (:'digits' || n)::bigint, :'id', :'mark' || n, n || :'mark' || '@' || :'slug' || '.example',
       (ARRAY['DE', 'FR'])[1 + n % 2]
FROM generate_series(1, :rows) AS n;

INSERT INTO conversations (id, tenant_id, bot_id, contact_id, opened_at) OVERRIDING SYSTEM VALUE
SELECT (:'digits' || n)::bigint, :'id', (:'digits' || 1 + n % 3)::bigint, (:'digits' || n)::bigint,
       :'day'::timestamptz + n * interval '1 hour'
FROM generate_series(1, :rows) AS n;

INSERT INTO messages (id, tenant_id, conversation_id, author, body, sent_at) OVERRIDING SYSTEM VALUE
SELECT (:'digits' || n)::bigint, :'id', (:'digits' || 1 + n % :rows)::bigint, (ARRAY['bot', 'contact'])[1 + n % 2],
       n % 7 || :'mark' || 'order ' || n || :'mark', :'day'::timestamptz + n * interval '3 minutes'
FROM generate_series(1, 2 * :rows) AS n;

INSERT INTO message_attachments (id, message_id, file_name, bytes) OVERRIDING SYSTEM VALUE
SELECT (:'digits' || n)::bigint, (:'digits' || n)::bigint, :'mark' || n || '.pdf', :digits
FROM generate_series(1, :rows) AS n;

INSERT INTO events (tenant_id, at, kind, detail)
SELECT :'id', timestamptz '2026-09-01Z' + n % 120 * interval '17 hours', :'mark' || n % 5,
       jsonb_build_object(:'mark', :digits, 'n', n)
FROM generate_series(1, 2 * :rows) AS n;

INSERT INTO samples
SELECT (:'digits' || n)::bigint, :'id', n || :'mark', n % 5 || :'mark' || md5(n::text) || :'mark', :'mark' || n % 9,
       jsonb_build_object('kind', n % 4, :'mark', :digits, 'text', :'mark' || n), json_build_object(:'mark', n),
       ARRAY[:'mark' || n % 3, :'mark'], ARRAY[:digits, n], convert_to(:'mark' || :'mark', 'UTF8'),
       (:'digits' || n || '.5')::numeric, (:'digits' || '.5')::float8, :digits, (:'digits' || n % 9)::bigint, :'id',
       :'day'::timestamptz + n * interval '1 minute', :'day', (:'digits' || ' seconds')::interval,
       (:'address' || n % 3)::inet,
       tstzrange(:'day'::timestamptz + n * interval '1 minute', :'day'::timestamptz + n * interval '9 minutes'),
       int8range((:'digits' || 1)::bigint, (:'digits' || 99)::bigint),
       to_tsvector('simple', :'mark' || ' ' || :'slug' || n),
       point(:digits, n), (ARRAY['bad', 'fair', 'good'])[1 + n % 3]::mood, n % 4 > 0
FROM generate_series(1, :rows) AS n;

INSERT INTO readings
SELECT :'id', (:'digits' || 1 + n % :rows)::bigint, (:'digits' || n)::bigint, :'mark' || n
FROM generate_series(1, 2 * :rows) AS n;
