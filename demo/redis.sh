#!/usr/bin/env bash
# The demo's Redis. Sourced by scripts/demo.
# shellcheck disable=SC2154

# Each write is on disk before it is acknowledged, so that a Redis that was killed comes back with
# what it had said it has. `set-proc-title no`: its command line is how it is recognised.
configure_redis() {
    write_secret "$1/redis.conf" <<CONF
bind 127.0.0.1
port $2
requirepass $password
dir $1
save ""
appendonly yes
appendfsync always
maxmemory-policy noeviction
set-proc-title no
CONF
}

# start_redis PORT
start_redis() {
    configure_redis "$(make_place redis)" "$1"
    restart_redis
}

restart_redis() {
    launch redis "$(command -v redis-server)" "$(server_directory)/redis/redis.conf"
    wait_until redis redis_answers
}

redis_answers() { [ "$(redis-cli ping)" = PONG ]; }

kill_redis() { end_process "$(server_directory)/redis/pid" KILL KILL; }

# redis-cli on the demo's Redis, answering as it does on a terminal.
redis-cli() {
    REDISCLI_AUTH=$password command redis-cli -3 --no-raw -p "$(port_of redis)" "$@"
}
