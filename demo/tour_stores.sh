#!/usr/bin/env bash
# The steps of the demo that show tenants' lives in all three stores. Sourced by scripts/demo.
# shellcheck disable=SC2154

tour_stores() {
    open_mongo
    define_stores
    stores_follow
    application_asks
    change_a_template
    suspend_a_tenant
    resume_a_tenant
    lose_redis
    erase_a_tenant
}

define_stores() {
    step 'Two stores beside PostgreSQL, defined once' \
        'Redis for sessions and rates, MongoDB for transcripts. Collections are templates: every' \
        'tenant has them in a database of its own. tenancyd, a daemon, sees to it.'
    tell operator "SELECT tenancy.define_store('cache', 'redis')"
    tell operator "SELECT tenancy.define_store('documents', 'mongodb')"
    tell operator "SELECT tenancy.define_collection('documents', 'transcripts',
  validator => '{\"\$jsonSchema\": {\"required\": [\"contact\", \"turns\"]}}',
  indexes => '[{\"name\": \"by_contact\", \"keys\": [[\"contact\", 1]]}]')"
    tell operator "SELECT tenancy.define_collection('documents', 'attachments', indexes =>
  '[{\"name\": \"expiry\", \"keys\": [[\"stored\", 1]], \"ttl_seconds\": 7776000}]')"
    tell operator "SELECT tenancy.define_setting('turns_an_hour', '{\"type\": \"integer\"}', '1000')"
    show_query '$' 'tenancyd run --config tenancyd.toml &'
    if ! on_free_port tenancyd start_tenancyd >>"$log" 2>&1; then
        tail -n 20 "$(server_directory)/tenancyd/log"
        verdict 1 'tenancyd starts'
    fi
}

# await TENANT...: only the first is shown.
await() {
    local tenant
    tell operator "CALL tenancy.await_stores('$1')"
    for tenant in "${@:2}"; do silently operator "CALL tenancy.await_stores('$tenant')"; done
}

stores_follow() {
    step 'Each tenant is in all three' 'Nobody asked for it tenant by tenant.'
    await acme globex initech
    ask mongo 'show dbs'
    shows "$initech_db" 'MongoDB has a database for each tenant'
    tell mongo "use $initech_db"
    ask mongo 'db.getCollectionNames()'
    shows "[ 'attachments', 'tenancy', 'transcripts' ]" 'with the collections of the templates'
    ask mongo 'db.attachments.getIndexes()'
    has "expireAfterSeconds: 7776000" 'and their indexes: attachments go after 90 days'
    assign initech
    run "redis-cli HGETALL \$initech:tenancy:settings"
    has '"turns_an_hour" => "1000"' "Redis has the tenant's settings"
    run "redis-cli HGETALL \$initech:tenancy:tenant"
    has '"state" => "active"' 'and its state'
    provision_another
    load_chat >>"$log" 2>&1 || verdict 1 "the application puts its data into the stores: see ${log#"$PWD"/}"
}

provision_another() {
    tell operator "SELECT tenancy.provision('hooli')"
    await hooli
    ask operator "SELECT state FROM tenancy.tenant WHERE slug = 'hooli'"
    shows active 'a new tenant is active once it is in all three'
}

application_asks() {
    step 'The application asks for the state as it does its work' \
        "Stores with users => 'external', the only kind so far, refuse nobody by themselves: tenancyd" \
        "writes each tenant's state there, and the application's request asks for it, in the same" \
        'round trip. take_turn is a function of the application in Redis: demo/take_turn.lua.'
    run "$(take_turn initech turns)"
    has '(integer) 1' 'a bot takes a turn'
    ask mongo "$read_transcript"
    has "state: 'active'" 'and reads a conversation, which comes only with the state'
    tell operator "SELECT tenancy.set_setting('initech', 'turns_an_hour', '1')"
    await initech
    run "$(take_turn initech turns)"
    refused LIMIT 'a setting changed in PostgreSQL counts in Redis'
    silently operator "SELECT tenancy.unset_setting('initech', 'turns_an_hour')"
}

change_a_template() {
    local database
    step 'A changed template reaches every tenant'
    tell operator "SELECT tenancy.define_collection('documents', 'transcripts',
  validator => '{\"\$jsonSchema\": {\"required\": [\"contact\", \"turns\", \"bot\"]}}',
  indexes => '[{\"name\": \"by_bot\", \"keys\": [[\"bot\", 1], [\"contact\", 1]]}]')"
    await acme globex initech hooli
    ask operator "SELECT store ->> 'name' AS store, store -> 'rollout' AS rollout
FROM jsonb_array_elements(tenancy.status_report() -> 'stores') AS store"
    shows 'documents | {"of": 4, "reached": 4}' 'all four tenants have it'
    for database in "$acme_db" "$initech_db"; do
        ask mongo "db.getSiblingDB('$database').transcripts.getIndexes()"
        has "name: 'by_bot'" 'the new index'
    done
    ask mongo "db.transcripts.insertOne({contact: 'Ada Sato', turns: []})"
    refused 121 'and the new validator: a transcript needs its bot now'
}

suspend_a_tenant() {
    step 'A suspended tenant is cut off, in PostgreSQL in the middle of a transaction' \
        'Two sessions: the application, and an operator.'
    begin app initech
    tell app "UPDATE messages SET body = 'changed just before the suspension'"
    ask operator "SELECT tenancy.suspend('initech', 'payment overdue')"
    began=$(milliseconds)
    cut_off initech 10 || true
    ask app 'SELECT count(*) FROM messages'
    refused TN005 'PostgreSQL: its next statement is refused'
    ask app 'COMMIT'
    ask root "SELECT count(*) FROM messages WHERE body LIKE 'changed just before%'"
    shows 0 'and what it had written is not there'
    ask app "SELECT tenancy.enter('initech')"
    refused TN005 'nobody enters it'
    run "$(take_turn initech turns)"
    refused TENANT 'Redis: the bot takes no turn'
    ask_for_transcript
    answers_nothing 'MongoDB: no conversation comes'
    within_a_second
}

ask_for_transcript() {
    show_query "${prompt[mongo]}" 'db.tenancy.aggregate( ... as in step 11 ... )'
    send mongo "$read_transcript"
    show_answer
}

within_a_second() {
    local status=1
    if [ "${redis_took:-9999}" -le 1000 ] && [ "${mongodb_took:-9999}" -le 1000 ]; then status=0; fi
    verdict $status "measured from the commit: Redis after ${redis_took:-?} ms, MongoDB after ${mongodb_took:-?} ms"
}

resume_a_tenant() {
    step 'And resumed'
    tell operator "SELECT tenancy.resume('initech')"
    await initech
    see initech "$initech_rows"
    run "$(take_turn initech turns)"
    has '(integer) 2' 'Redis: the next turn'
    ask_for_transcript
    has "state: 'active'" 'MongoDB: the conversation'
}

lose_redis() {
    local took
    step 'Redis is killed, and a tenant suspended meanwhile' 'What does not need Redis does not wait for it.'
    run "kill -9 $(head -n 1 "$(server_directory)/redis/pid")   # redis-server"
    tell operator "SELECT tenancy.suspend('acme', 'under investigation')"
    ask app "SELECT tenancy.enter('acme')"
    refused TN005 'PostgreSQL refuses the tenant'
    until_answer suspended "send mongo \"db.getSiblingDB('$acme_db').tenancy.find()\""
    tell mongo "use $acme_db"
    ask mongo 'db.tenancy.find({}, {_id: 0, state: 1})'
    has "state: 'suspended'" 'MongoDB has it, too'
    until_answer UNREACHABLE "run_silently 'tenancyd status'"
    show_status
    has 'UNREACHABLE' 'and tenancyd says what is wrong'
    show_query '$' 'redis-server redis.conf &'
    began=$(milliseconds)
    restart_redis || verdict 1 'Redis starts again'
    silently operator "CALL tenancy.await_stores('acme')"
    took=$(($(milliseconds) - began))
    run "redis-cli HGETALL '$acme:tenancy:tenant'"
    has '"state" => "suspended"' "it caught up by itself, $took ms after its start"
    tell operator "SELECT tenancy.resume('acme')"
    silently operator "CALL tenancy.await_stores('acme')"
}

# The table is wider than the demo.
show_status() {
    most=14 run "tenancyd status | cut -c -$width"
}

# until_answer TEXT COMMAND: runs the command until its answer has the text, for at most 15 seconds.
until_answer() {
    local waited=0
    until eval "$2" && grep -qF -- "$1" <<<"$answer"; do
        if [ $waited -eq 150 ]; then return; fi
        waited=$((waited + 1))
        sleep 0.1
    done
}

# count_globex STATE ROWS KEYS DATABASES WHEN
count_globex() {
    ask root "SELECT slug, state, (SELECT count(*) FROM messages WHERE tenant_id = t.id)
FROM tenancy.tenant AS t WHERE slug IN ('acme', 'globex') ORDER BY slug"
    shows "globex | $1 | $2" "PostgreSQL $5"
    run "for n in {0..15}; do redis-cli -n \$n --scan --pattern \"\$globex:*\"; done | wc -l"
    shows "$3" "Redis $5: keys in all 16 databases"
    ask mongo 'show dbs'
    local status=1
    if [ "$(grep -cxF "$globex_db" <<<"$answer")" -eq "$4" ]; then status=0; fi
    verdict $status "MongoDB $5"
}

erase_a_tenant() {
    step 'An erased tenant is gone' \
        'Counted by the superuser, whom no policy holds back. erase waits until each store has proven' \
        'that nothing is left there.'
    assign globex
    count_globex active 20000 1002 1 before
    tell operator "SELECT tenancy.suspend('globex', 'contract ended')"
    tell operator "SELECT tenancy.archive('globex', 'contract ended')"
    tell operator "SELECT tenancy.request_erasure('globex', 'customer asked', grace => '0')"
    ask operator "CALL tenancy.erase('globex', batch => 50000)"
    count_globex erased 0 0 0 after
    shows "$acme_db" "and acme's is there"
    ask operator "SELECT tenancy.provision('globex')"
    refused TN013 'its name is never given again'
    silently operator "CALL tenancy.await_stores('globex')"
    show_status
    has 'No alarms.' 'tenancyd: everything is in step'
}

# assign TENANT: shows the variable that the next commands use.
assign() { show_query '$' "$1='${!1}'"; }
