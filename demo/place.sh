#!/usr/bin/env bash
# Where the demo's server lives, and how it is started and stopped. Sourced by scripts/demo and
# scripts/demo-down.
#
# build/demo holds what whoever runs the demo needs (service.conf with the passwords, logs), and
# `server`: the server's own directory. PostgreSQL refuses to run as root, so for root the server
# runs as an unprivileged user, and `server` is a link to a directory of that user's.

home=$PWD/build/demo
pg=$PWD/build/pg
export PGSERVICEFILE=$home/service.conf

# Runs a program as the user that the server runs as.
as_server_user() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        local user=${TENANCY_RUN_AS:-postgres}
        (cd / && setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@")
    fi
}

server_directory() { realpath "$home/server" 2>/dev/null || true; }

make_server_directory() {
    if [ "$(id -u)" -ne 0 ]; then
        mkdir -m 700 "$home/server"
    else
        local place
        place=$(mktemp -d /var/tmp/tenancy-demo.XXXXXX)
        chown "${TENANCY_RUN_AS:-postgres}" "$place"
        ln -s "$place" "$home/server"
    fi
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local port
    for port in 54320 $(shuf -i 54321-54999 -n 50); do
        if port_is_free "$port"; then
            echo "$port"
            return
        fi
    done
    echo "demo: no free port between 54320 and 54999" >&2
    return 1
}

configure_server() {
    as_server_user tee -a "$1/data/postgresql.conf" >/dev/null <<CONF
shared_preload_libraries = 'tenancy'
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = ''
cluster_name = 'tenancy-demo'
synchronous_commit = off
max_wal_size = 2GB
timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
CONF
}

# start_server PORT SUPERUSER-PASSWORD
start_server() {
    local place
    make_server_directory
    place=$(server_directory)
    as_server_user tee "$place/password" >/dev/null <<<"$2"
    as_server_user "$pg/bin/initdb" -D "$place/data" -U postgres --auth=scram-sha-256 --no-sync \
        --pwfile="$place/password" --encoding=UTF8 --locale=C.UTF-8
    as_server_user rm "$place/password"
    configure_server "$place" "$1"
    as_server_user "$pg/bin/pg_ctl" -D "$place/data" -l "$place/log" -w start
}

# The process of the server whose data directory is $1, when it runs.
server_pid() {
    local pid
    pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null) || return 1
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "$1" && echo "$pid"
}

# Ends the server, if one runs: 1 when there was none.
end_server() {
    local pid waited=0
    pid=$(server_pid "$1") || return 1
    kill -INT "$pid"
    while [ -e "/proc/$pid" ]; do
        if [ $waited -eq 300 ]; then kill -QUIT "$pid"; fi
        waited=$((waited + 1))
        sleep 0.1
    done
}

# Ends the server and removes all of the demo, also after a start that failed half-way.
stop_server() {
    local place status=1
    place=$(server_directory)
    if [ -n "$place" ]; then
        if end_server "$place/data"; then status=0; fi
        rm -rf "$place"
    fi
    rm -rf "$home"
    return $status
}
