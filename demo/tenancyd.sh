#!/usr/bin/env bash
# The demo's tenancyd. Sourced by scripts/demo.
# shellcheck disable=SC2154

tenancyd_binary=${DEMO_TENANCYD:-$PWD/build/sidecar/sidecar/tenancyd}

# configure_tenancyd PLACE HTTP-PORT: passwords are files that only the daemon's user can read.
configure_tenancyd() {
    write_secret "$1/password" <<<"$password"
    as_server_user tee "$1/tenancyd.toml" >/dev/null <<CONF
daemon = "demo"
state_directory = "$1"

[postgres]
conninfo = "host=127.0.0.1 port=$(port_of postgres) dbname=chat user=tenancyd"
password_file = "$1/password"

[stores.cache]
kind = "redis"
addresses = ["127.0.0.1:$(port_of redis)"]
password_file = "$1/password"

[stores.documents]
kind = "mongodb"
uri = "$(mongodb_uri '')"
username = "demo"
password_file = "$1/password"

[http]
listen = "127.0.0.1:$2"
CONF
}

# start_tenancyd PORT
start_tenancyd() {
    local place
    place=$(make_place tenancyd)
    as_server_user install -m 755 /dev/stdin "$place/tenancyd" <"$tenancyd_binary"
    configure_tenancyd "$place" "$1"
    launch tenancyd "$place/tenancyd" run --config "$place/tenancyd.toml"
    wait_until tenancyd tenancyd_is_ready
}

# Its own words for it: GET /readyz.
tenancyd_is_ready() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$(port_of tenancyd)" || return 1
    printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
    read -r _ status _ <&3
    exec 3>&-
    [ "$status" = 200 ]
}

# The command line of the daemon, with its configuration.
tenancyd() {
    local place command=$1
    place=$(server_directory)/tenancyd
    shift
    as_server_user "$place/tenancyd" "$command" --config "$place/tenancyd.toml" "$@"
}
