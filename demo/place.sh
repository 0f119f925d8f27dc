#!/usr/bin/env bash
# Where the demo's servers live, as whom they run, how they are started on ports of their own, and
# how they end. Sourced by scripts/demo and scripts/demo-down.
#
# build/demo holds what whoever runs the demo needs (passwords, keys, ports), and `server`: a
# directory that belongs to the user of the servers, with one directory in it for each of them.
# PostgreSQL refuses to run as root, so for root all servers run as an unprivileged user, and
# `server` is a link to a directory of that user's.

home=$PWD/build/demo

# Runs a program as the user that the servers run as.
as_server_user() {
    if [ "$(id -u)" -ne 0 ]; then
        (cd / && exec "$@")
    else
        local user=${TENANCY_RUN_AS:-postgres}
        (cd / && exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@")
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

# make_place NAME: the directory of one server; its path is printed.
make_place() {
    local place
    place=$(server_directory)/$1
    as_server_user mkdir -p -m 700 "$place"
    echo "$place"
}

# write_secret FILE: its standard input, for the servers' user alone.
write_secret() {
    # shellcheck disable=SC2016
    as_server_user bash -c 'umask 077; cat >"$0"' "$1"
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range that Linux takes the ports of outgoing connections from.
free_port() {
    local port
    for port in $(shuf -i 21000-26999 -n 50); do
        if port_is_free "$port"; then
            echo "$port"
            return
        fi
    done
    echo "demo: no free port between 21000 and 26999" >&2
    return 1
}

# on_free_port NAME START...: runs START with a free port as the last word. Another program may take
# the port before the server does; then the server does not start, and is given another. One that runs
# and does not answer is not: its pid file would be the next one's, and nothing would end it.
on_free_port() {
    local name=$1 port
    shift
    for _ in 1 2 3 4 5; do
        port=$(free_port) || return 1
        echo "$port" >"$home/$name.port"
        if "$@" "$port"; then return; fi
        if port_is_free "$port" || process_of "$(server_directory)/$name/pid" >/dev/null; then return 1; fi
        echo "demo: port $port was taken meanwhile; trying another"
    done
    return 1
}

port_of() { cat "$home/$1.port"; }

# The process that a pid file names, when it runs: its command line names a file in that directory,
# so a number that went to another program meanwhile is not taken for it.
process_of() {
    local pid
    pid=$(head -n 1 "$1" 2>/dev/null) || return 1
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$(dirname "$1")" && echo "$pid"
}

# A process that has ended, and waits for its parent to notice, has no command line any more.
lives() { [ -n "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ]; }

# launch NAME COMMAND...: a server in a session of its own, which no Ctrl-C reaches, and without the
# script's open files. The words of the command have to name a file in the server's directory.
launch() {
    local place
    place=$(server_directory)/$1
    shift
    as_server_user rm -f "$place/pid"
    # shellcheck disable=SC2016
    as_server_user setsid --fork bash -c '
        for file in /proc/self/fd/*; do
            file=${file##*/}
            if [ "$file" -gt 2 ]; then eval "exec $file>&-"; fi
        done
        export HOME=$0
        cd "$0" && echo $$ >pid && exec "$@" >>log 2>&1' "$place" "$@" </dev/null >/dev/null 2>&1
}

# wait_until NAME CONDITION...: until the condition holds. 1 when the server ends before that, or
# after a minute; what it said is in its log.
wait_until() {
    local pid_file waited=0
    pid_file=$(server_directory)/$1/pid
    shift
    until [ -e "$pid_file" ] && "$@" >/dev/null 2>&1; do
        if [ -e "$pid_file" ] && ! process_of "$pid_file" >/dev/null; then return 1; fi
        if [ $waited -eq 600 ]; then return 1; fi
        waited=$((waited + 1))
        sleep 0.1
    done
    process_of "$pid_file" >/dev/null
}

# end_process PID-FILE SIGNAL LAST-SIGNAL: ends the server, if it runs (1 when it did not). One that
# has not ended after 30 seconds gets the last signal.
end_process() {
    local pid waited=0
    pid=$(process_of "$1") || return 1
    kill -s "$2" "$pid"
    while lives "$pid"; do
        if [ $waited -eq 300 ]; then kill -s "$3" "$pid" || true; fi
        waited=$((waited + 1))
        sleep 0.1
    done
}

# Ends all servers and removes all of the demo, also after a start that failed half-way. The data goes,
# so the servers need not put it in order.
end_demo() {
    local place name status=1
    place=$(server_directory)
    if [ -n "$place" ]; then
        for name in tenancyd mongodb redis; do
            if end_process "$place/$name/pid" KILL KILL; then status=0; fi
        done
        if end_process "$place/postgres/postmaster.pid" QUIT KILL; then status=0; fi
        rm -rf "$place"
    fi
    rm -rf "$home"
    return $status
}
