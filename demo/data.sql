-- Three tenants of very different sizes: 180,000, 20,000 and 50 messages. The same at every run.

CREATE TABLE plan (tenant_id uuid, domain text, bots int, contacts int, conversations int, messages int);
INSERT INTO plan VALUES
    ('ac3e0000-0000-4000-8000-000000000001', 'acme.example',    6, 9000, 15000, 180000),
    ('910be000-0000-4000-8000-000000000002', 'globex.example',  3, 1200,  2000,  20000),
    ('171ec000-0000-4000-8000-000000000003', 'initech.example', 1,    8,    10,     50);

INSERT INTO countries VALUES
    ('AT', 'Austria'), ('BR', 'Brazil'), ('CH', 'Switzerland'), ('DE', 'Germany'), ('ES', 'Spain'),
    ('FR', 'France'), ('GB', 'United Kingdom'), ('IN', 'India'), ('JP', 'Japan'), ('US', 'United States');

INSERT INTO bots (tenant_id, handle, channel)
SELECT tenant_id, (ARRAY['support', 'sales', 'billing', 'returns', 'careers', 'press'])[n],
       (ARRAY['web', 'whatsapp', 'telegram'])[1 + n % 3]
FROM plan, generate_series(1, bots) AS n;

INSERT INTO contacts (tenant_id, name, email, country)
SELECT tenant_id, first || ' ' || last, lower(first || '.' || last || n) || '@mail.example',
       (ARRAY['AT', 'BR', 'CH', 'DE', 'ES', 'FR', 'GB', 'IN', 'JP', 'US'])[1 + n * 7 % 10]
FROM plan, generate_series(1, contacts) AS n,
    LATERAL (SELECT (ARRAY['Ada', 'Bruno', 'Chiara', 'Dev', 'Emi', 'Farah', 'Goran', 'Hana', 'Ines', 'Jonas', 'Kofi'])[1 + n % 11] AS first,
                    (ARRAY['Sato', 'Costa', 'Weber', 'Rao', 'Novak', 'Silva', 'Moreau', 'Jones', 'Garcia'])[1 + n % 9] AS last) AS person;

INSERT INTO conversations (tenant_id, bot_id, contact_id, opened_at)
SELECT tenant_id, b.first + n % bots, c.first + n % contacts,
       timestamptz '2026-09-01Z' + n * (interval '84 days' / conversations)
FROM plan, generate_series(0, conversations - 1) AS n,
    LATERAL (SELECT min(id) AS first FROM bots WHERE bots.tenant_id = plan.tenant_id) AS b,
    LATERAL (SELECT min(id) AS first FROM contacts WHERE contacts.tenant_id = plan.tenant_id) AS c;

INSERT INTO messages (tenant_id, conversation_id, author, body, sent_at)
SELECT tenant_id, c.first + conversation, CASE WHEN turn % 2 = 0 THEN 'contact' ELSE 'bot' END,
    CASE WHEN turn % 2 = 0 THEN
        format((ARRAY[
            'Hi, where is my order %1$s?', 'The invoice for order %1$s shows the wrong address.',
            'Can I still change order %1$s?', 'Order %1$s arrived, but a part is missing.',
            'Thanks, that helped!', 'How do I return order %1$s?',
            'Is there a discount if I order twenty more?'])[1 + (n * 5 + turn) % 7], 40000 + conversation)
    ELSE
        format((ARRAY[
            'Order %1$s left our warehouse this morning.', 'I have passed order %1$s to a colleague.',
            'You can change order %1$s until tomorrow noon.', 'A refund for order %1$s is on its way.',
            'Glad to help. Anything else?', 'Write to help@%2$s if it takes longer than two days.'
        ])[1 + (n + turn * 3) % 6], 40000 + conversation, domain)
    END,
    timestamptz '2026-09-01Z' + conversation * (interval '84 days' / conversations) + turn * interval '3 minutes'
FROM plan, generate_series(0, messages - 1) AS n,
    LATERAL (SELECT min(id) AS first FROM conversations WHERE conversations.tenant_id = plan.tenant_id) AS c,
    LATERAL (SELECT n % conversations AS conversation, n / conversations AS turn) AS place;

INSERT INTO message_attachments (message_id, file_name, bytes)
SELECT id, (ARRAY['photo', 'receipt', 'label', 'contract'])[1 + id % 4] || '-' || id || '.pdf', 20000 + id % 90000
FROM messages WHERE id % 10 = 0;

INSERT INTO events (tenant_id, at, kind, detail)
SELECT tenant_id, sent_at, author || '_wrote', jsonb_build_object('message', id)
FROM messages WHERE id % 5 = 0;

DROP TABLE plan;
ANALYZE countries, bots, contacts, conversations, messages, message_attachments, events;
