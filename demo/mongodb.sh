#!/usr/bin/env bash
# The demo's server of MongoDB's protocol: mongod when there is one, else SecantusDB, which
# scripts/mongodb-server installs into build/mongodb-server. Sourced by scripts/demo.
# shellcheck disable=SC2154

mongodb_tree=${DEMO_MONGODB:-$PWD/build/mongodb-server}

install_mongodb() {
    scripts/mongodb-server
    if command -v mongod >/dev/null; then scripts/venv; fi
}

mongodb_name() {
    if command -v mongod >/dev/null; then echo MongoDB; else echo "SecantusDB, which speaks MongoDB's protocol"; fi
}

# launch_mongodb PORT OPTION...: each commit is on disk before it is acknowledged.
launch_mongodb() {
    local place port=$1
    place=$(make_place mongodb)
    shift
    if command -v mongod >/dev/null; then
        as_server_user mkdir -p "$place/data"
        launch mongodb mongod --bind_ip 127.0.0.1 --port "$port" --dbpath "$place/data" \
            --wiredTigerCacheSizeGB 0.25 --nounixsocket "$@"
    else
        launch mongodb "$mongodb_tree/bin/python" "$mongodb_tree/bin/secantusd-py" \
            --host 127.0.0.1 --port "$port" --storage-path "$place/data" --cache-size 256M \
            --sync-on-commit "$@"
    fi
}

# start_mongodb PORT: without authentication until its first user is there. That user is on disk when
# the server has said so; SecantusDB would take seconds to end in order.
start_mongodb() {
    launch_mongodb "$1"
    wait_until mongodb mongo_answers '' || return 1
    mongo_shell '' <<<"db.getSiblingDB('admin').createUser({user: 'demo', pwd: '$password', roles: ['root']})"
    end_process "$(server_directory)/mongodb/pid" KILL KILL
    launch_mongodb "$1" --auth
    wait_until mongodb mongo_answers "demo:$password@"
}

mongo_answers() { mongo_shell "$1" --after outcome <<<'db.runCommand({ping: 1})' | grep -qx 'outcome ok 1'; }

# mongo_shell LOGIN OPTION...
mongo_shell() {
    DEMO_MONGODB_URI=$(mongodb_uri "$1") "$(mongodb_python)" demo/mongo.py "${@:2}"
}

# A Python that has pymongo.
mongodb_python() {
    local python
    for python in "${DEMO_PYTHON:-}" "$mongodb_tree/bin/python" "$PWD/build/venv/bin/python"; do
        if [ -x "$python" ]; then break; fi
    done
    echo "$python"
}

mongodb_uri() { echo "mongodb://${1}127.0.0.1:$(port_of mongodb)/?directConnection=true"; }
