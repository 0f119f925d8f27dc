-- A bot-messaging application as it might exist before anybody thought of tenancy: a tenant_id in
-- most tables, none in message_attachments, events split by month. Run as the role that owns it.

CREATE TABLE countries (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$'),
    name text NOT NULL
);

CREATE TABLE bots (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    handle    text NOT NULL,
    channel   text NOT NULL CHECK (channel IN ('web', 'whatsapp', 'telegram')),
    UNIQUE (tenant_id, handle)
);

CREATE TABLE contacts (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    name      text NOT NULL,
    email     text NOT NULL,
    country   text NOT NULL REFERENCES countries
);

CREATE TABLE conversations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    bot_id     bigint NOT NULL REFERENCES bots,
    contact_id bigint NOT NULL REFERENCES contacts ON DELETE CASCADE,
    opened_at  timestamptz NOT NULL
);

CREATE TABLE messages (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id       uuid NOT NULL,
    conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
    author          text NOT NULL CHECK (author IN ('bot', 'contact')),
    body            text NOT NULL,
    sent_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messages_conversation_idx ON messages (conversation_id, sent_at);

CREATE TABLE message_attachments (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
    file_name  text NOT NULL,
    bytes      integer NOT NULL
);
CREATE INDEX message_attachments_message_idx ON message_attachments (message_id);

CREATE TABLE events (
    tenant_id uuid NOT NULL,
    at        timestamptz NOT NULL,
    kind      text NOT NULL,
    detail    jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (at);
CREATE TABLE events_2026_09 PARTITION OF events FOR VALUES FROM ('2026-09-01Z') TO ('2026-10-01Z');
CREATE TABLE events_2026_10 PARTITION OF events FOR VALUES FROM ('2026-10-01Z') TO ('2026-11-01Z');
CREATE TABLE events_2026_11 PARTITION OF events FOR VALUES FROM ('2026-11-01Z') TO ('2026-12-01Z');

GRANT SELECT, INSERT, UPDATE, DELETE
    ON bots, contacts, conversations, messages, message_attachments, events TO chat_app, chat_api;
GRANT SELECT ON countries TO chat_app, chat_api;
