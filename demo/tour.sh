#!/usr/bin/env bash
# The steps of the demo. Sourced by scripts/demo.
#
# tell and ask show a statement and send it; shows and refused check what came of it. Every check
# that fails makes the demo fail.
# shellcheck disable=SC2154

counts='SELECT (SELECT count(*) FROM messages) AS messages,
       (SELECT count(*) FROM contacts) AS contacts,
       (SELECT count(*) FROM message_attachments) AS attachments,
       (SELECT count(*) FROM events) AS events,
       (SELECT count(*) FROM countries) AS countries'
acme_rows='180000 | 9000 | 18000 | 36000 | 10'
globex_rows='20000 | 1200 | 2000 | 4000 | 10'
initech_rows='50 | 8 | 5 | 10 | 10'
all_rows='200050 | 10208 | 20005 | 40010 | 10'

tour() {
    open_psql app chat_app
    open_psql root postgres
    before_tenancy
    introduce
    open_psql operator chat_operator
    protect_tables
    see_own_rows
    write_own_rows
    forge_a_context
    inject_a_switch
    steal_a_connection
    forge_tokens
    tour_stores
}

before_tenancy() {
    step 'Before: one database, every row open to every request' \
        'Isolation depends on each query of the application having its WHERE tenant_id = ...'
    ask app "$counts"
    shows "$all_rows" 'a query that forgot it reads all three tenants'
    printf '\n'
}

protect_tables() {
    local table
    step 'One call for each table' \
        'Row security, policies, defaults, indexes; foreign keys come to include the tenant.'
    tell operator "SELECT tenancy.share('countries')"
    for table in bots contacts conversations messages; do
        tell operator "SELECT tenancy.protect('$table')"
    done
    tell operator "SELECT tenancy.protect('message_attachments', via => 'message_id')"
    tell operator "SELECT tenancy.protect('events')"
    ask operator "SELECT count(*) AS protected FROM tenancy.protected_table"
    shows 6 'six tables protected; attachments got their tenant from their messages'
    open_psql owner chat_owner
    tell owner "CREATE TABLE events_2026_12 PARTITION OF events
FOR VALUES FROM ('2026-12-01Z') TO ('2027-01-01Z')"
    ask owner "SELECT relrowsecurity, relforcerowsecurity FROM pg_class
WHERE relname = 'events_2026_12'"
    shows 't | t' 'a partition made later is protected in the same command'
}

# see TENANT COUNTS: the counts, in a transaction of that tenant.
see() {
    begin app "$1"
    show_query "${prompt[app]}" 'SELECT ... the counts of step 1'
    send app "$counts;"
    show_answer
    shows "$2" "$1 sees its own rows, and the shared table"
    silently app 'COMMIT'
}

see_own_rows() {
    step 'Each tenant sees its own rows only' 'The query is the one of step 1, unchanged.'
    see acme "$acme_rows"
    see globex "$globex_rows"
    see initech "$initech_rows"
    ask app "SELECT count(*) FROM messages"
    refused TN001 'without a context: an error that says what to do, never all rows'
}

write_own_rows() {
    step 'Nothing is written into another tenant, or tied to it'
    begin app initech
    silently app 'SAVEPOINT s'
    ask app "INSERT INTO contacts (tenant_id, name, email, country)
VALUES ('910be000-0000-4000-8000-000000000002', 'Eve', 'eve@mail.example', 'FR')"
    refused 42501 'a row for globex'
    silently app 'ROLLBACK TO s'
    ask app "INSERT INTO messages (conversation_id, author, body) VALUES (1, 'bot', 'Hello?')"
    refused 23503 "a message in acme's conversation: the key includes the tenant"
    silently app 'ROLLBACK TO s'
    ask app "UPDATE messages SET tenant_id = '910be000-0000-4000-8000-000000000002'"
    refused 42501 'giving rows away'
    silently app 'ROLLBACK TO s'
    ask app "WITH gone AS (DELETE FROM messages RETURNING *) SELECT count(*) AS deleted FROM gone"
    shows 50 'DELETE without WHERE: its own 50 rows (and the demo takes that back)'
    silently app 'ROLLBACK'
}

forge_a_context() {
    step 'A context cannot be forged' 'SQL that runs inside a query or a function sets no context; a set one is final.'
    ask app "SELECT set_config('tenancy.context', 'globex', false)"
    refused TN009 'set_config'
    ask app "DO \$\$ BEGIN PERFORM tenancy.enter('globex'); END \$\$"
    refused TN009 'from within DO'
    ask root "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SET tenancy.context = 'globex'
AS 'SELECT count(*) FROM messages'"
    if [ "$state" = ok ]; then ask app 'SELECT peek()'; fi
    refused TN009 'by the SET clause of a function'
    begin app initech
    ask app "SELECT tenancy.enter('globex')"
    refused TN002 'a second tenant in one transaction'
    silently app 'ROLLBACK'
}

# As an application does that pastes input into its SQL: the whole text is one query string.
inject() {
    local query="SELECT body FROM messages WHERE body LIKE '%$1%'"
    begin app initech
    ask app "$query" "${query//;/\\;}"
}

inject_a_switch() {
    step 'An injected switch of tenants is refused' \
        'The application pastes what a user typed between the % signs, and sends one query string.'
    inject "'; COMMIT; BEGIN; SELECT tenancy.enter('globex'); SELECT body FROM messages --"
    refused TN009 'ending the transaction and entering globex'
    silently app 'ROLLBACK'
    inject "' UNION ALL SELECT set_config('tenancy.context', 'globex', true) --"
    refused TN009 'switching in the middle of a query'
    silently app 'ROLLBACK'
    inject "' OR true --"
    local own=1
    if [ "$state $rows" = 'ok 50' ]; then own=0; fi
    verdict $own 'an injected OR true: its own 50 messages'
    silently app 'COMMIT'
}

steal_a_connection() {
    step 'A pooled connection carries nothing from one tenant to the next' \
        'It would stand under the name of the real table in the next transaction of the pool.'
    begin app acme
    ask app "CREATE TEMP TABLE contacts AS SELECT * FROM public.contacts"
    refused 42501 'a temporary table that the next tenant would meet'
    silently app 'ROLLBACK'
    ask app 'SELECT count(*) FROM messages'
    refused TN001 'after the transaction the connection belongs to nobody'
}

forge_tokens() {
    step 'A stolen connection is of no use without a signed token' \
        'chat_api has no grant: it works for the tenant that a token of the login service names.'
    open_psql api chat_api
    send api "\\set good $(mint provider initech 60)" "\\set old $(mint provider globex -60)" \
        "\\set forged $(mint thief globex 60)"
    ask api "SELECT tenancy.enter('globex')"
    refused 42501 'no token'
    ask api "SELECT tenancy.enter(:'old')"
    refused TN007 "an expired token of globex, out of an old log"
    ask api "SELECT tenancy.enter(:'forged')"
    refused TN006 'a token for globex signed by somebody else'
    tell api 'BEGIN'
    tell api "SELECT tenancy.enter(:'good')"
    ask api "SELECT slug, actor, authority, (SELECT count(*) FROM messages) AS messages
FROM tenancy.context()"
    shows 'initech | ada@initech | token | 50' 'a valid token of initech opens initech'
    silently api 'COMMIT'
}
