#!/usr/bin/env bash
# The demo's PostgreSQL. Sourced by scripts/demo.
# shellcheck disable=SC2154

pg=$PWD/build/pg
export PGSERVICEFILE=$home/service.conf

# make_postgres SUPERUSER-PASSWORD
make_postgres() {
    local place
    place=$(server_directory)
    write_secret "$place/password" <<<"$1"
    as_server_user "$pg/bin/initdb" -D "$place/postgres" -U postgres --auth=scram-sha-256 --no-sync \
        --pwfile="$place/password" --encoding=UTF8 --locale=C.UTF-8
    as_server_user rm "$place/password"
    as_server_user tee -a "$place/postgres/postgresql.conf" >/dev/null <<'CONF'
shared_preload_libraries = 'tenancy'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
cluster_name = 'tenancy-demo'
synchronous_commit = off
max_wal_size = 2GB
timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
CONF
}

# start_postgres PORT
start_postgres() {
    local place
    place=$(server_directory)/postgres
    as_server_user tee -a "$place/postgresql.conf" >/dev/null <<<"port = $1"
    as_server_user "$pg/bin/pg_ctl" -D "$place" -l "$place/server.log" -w start || {
        as_server_user tail -n 5 "$place/server.log"
        return 1
    }
}

write_services() {
    local service
    (
        umask 077
        for service in chat_owner chat_app chat_api chat_operator tenancyd postgres; do
            printf '[%s]\nhost=127.0.0.1\nport=%s\ndbname=chat\nuser=%s\npassword=%s\n\n' \
                "$service" "$(port_of postgres)" "$service" "$password"
        done >"$PGSERVICEFILE"
    )
}

# run_sql SERVICE FILE PSQL-OPTION...: a script of the demo.
run_sql() {
    local service=$1 file=$2
    shift 2
    "$pg/bin/psql" "service=$service" -Xq -v ON_ERROR_STOP=1 "$@" -f "demo/$file"
}
