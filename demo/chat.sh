#!/usr/bin/env bash
# The application's part in Redis and MongoDB: what it keeps there, and its requests, which ask for
# the tenant's state in the same round trip as they do their work. Sourced by scripts/demo.
# shellcheck disable=SC2154,SC2034

acme_id=ac3e0000-0000-4000-8000-000000000001
globex_id=910be000-0000-4000-8000-000000000002
initech_id=171ec000-0000-4000-8000-000000000003

# Where a tenant is: keys that begin so in Redis, a database in MongoDB.
acme="{t:${acme_id//-/}}" globex="{t:${globex_id//-/}}" initech="{t:${initech_id//-/}}"
acme_db=t_${acme_id//-/} globex_db=t_${globex_id//-/} initech_db=t_${initech_id//-/}

# take_turn TENANT COUNTER
take_turn() { echo "redis-cli FCALL take_turn 3 \$$1:tenancy:{tenant,settings} \$$1:$2"; }

read_transcript="db.tenancy.aggregate([{\$match: {_id: 'tenant', state: 'active'}},
  {\$lookup: {from: 'transcripts', pipeline: [{\$limit: 1}], as: 'found'}},
  {\$unwind: '\$found'},
  {\$project: {_id: 0, state: 1, contact: '\$found.contact', bot: '\$found.bot'}}])"

# The application comes to the stores: its function in Redis, and what it has of each tenant.
load_chat() {
    local id
    redis-cli -x FUNCTION LOAD REPLACE <demo/take_turn.lua
    for id in "$acme_id" "$globex_id" "$initech_id"; do
        run_sql postgres sessions.sql -At -v "id=$id" | redis_load
        run_sql postgres documents.sql -At -v "id=$id" | mongo_shell "demo:$password@" --after outcome |
            only_successes
    done
}

redis_load() {
    local answers
    answers=$(REDISCLI_AUTH=$password command redis-cli -p "$(port_of redis)" 2>&1)
    ! grep -E '^(ERR|WRONG|OOM|NOAUTH)' <<<"$answers"
}

only_successes() { ! grep -v '^outcome ok' <(grep '^outcome'); }

milliseconds() { echo $((${EPOCHREALTIME//[.,]/} / 1000)); }

# cut_off TENANT SECONDS: asks with the application's requests, until both stores show that the
# tenant is cut off: $redis_took and $mongodb_took are milliseconds since $began.
cut_off() {
    local database=$1_db
    redis_took='' mongodb_took=''
    silently mongo "use ${!database}"
    while [ -z "$redis_took" ] || [ -z "$mongodb_took" ]; do
        if [ -z "$redis_took" ]; then
            run_silently "$(take_turn "$1" asked)"
            if [ "$state" = TENANT ]; then redis_took=$(($(milliseconds) - began)); fi
        fi
        if [ -z "$mongodb_took" ]; then
            send mongo "$read_transcript"
            if [ "$state $rows" = 'ok 0' ]; then mongodb_took=$(($(milliseconds) - began)); fi
        fi
        if [ $(($(milliseconds) - began)) -gt $(($2 * 1000)) ]; then return 1; fi
    done
}
