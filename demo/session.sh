#!/usr/bin/env bash
# Whom the demo asks: psql sessions, a session of MongoDB's shell, commands of the shell. What is
# shown is what is run. Sourced by scripts/demo.
# shellcheck disable=SC2154,SC2034

declare -A in=() out=() prompt=()

# What the code of an error is called.
code=''

# open NAME COMMAND...: a program that answers on its output to what it is sent.
open() {
    local name=$1
    shift
    mkfifo "$home/$name.in" "$home/$name.out"
    "$@" <"$home/$name.in" >"$home/$name.out" 2>&1 &
    exec {fd}>"$home/$name.in"
    in[$name]=$fd
    exec {fd}<"$home/$name.out"
    out[$name]=$fd
    rm "$home/$name.in" "$home/$name.out"
}

# open_psql NAME SERVICE: as the role of that service.
open_psql() {
    prompt[$1]="${2#chat_}=>"
    if [ "$2" = postgres ]; then prompt[$1]='postgres=#'; fi
    PGSERVICE=$2 PGAPPNAME="demo $1" open "$1" stdbuf -oL "$pg/bin/psql" -XqAt \
        -v VERBOSITY=default -v SHOW_CONTEXT=never -P footer=off -P null='(null)'
    send "$1" '\pset tuples_only off' '\pset format aligned'
}

# open_mongo: the session `mongo`, as the application.
open_mongo() {
    prompt[mongo]='mongo>'
    open mongo mongo_shell "demo:$password@" --after done-with-it
}

close() {
    eval "exec ${in[$1]}>&- ${out[$1]}<&-"
}

# send NAME LINE...: what the lines print goes to $answer.
send() {
    local name=$1 line
    shift
    if [ "$name" = mongo ]; then
        code='MongoDB error'
        printf '%s\n' "$@" >&"${in[$name]}"
    else
        code=SQLSTATE
        printf '%s\n' "$@" '\echo done-with-it :SQLSTATE :ROW_COUNT' >&"${in[$name]}"
    fi
    answer='' state='' rows=''
    while IFS= read -r -t 120 line <&"${out[$name]}"; do
        if [[ $line == 'done-with-it '* ]]; then
            read -r _ state rows <<<"${line/ 00000/ ok}"
            return
        fi
        answer+=$line$'\n'
    done
    broken=$((broken + 1))
    say "    ${red}the session ended, or did not answer in 120 s${plain}"
}

# send_statement NAME STATEMENT: the last ; stands on a line of its own, out of reach of a comment at
# the end of a query.
send_statement() {
    if [ "$1" = mongo ]; then send mongo "$2"; else send "$1" "$2"$'\n;'; fi
}

# tell NAME STATEMENT: shows a statement of which only errors are worth showing.
tell() {
    show_query "${prompt[$1]}" "$2"
    silently "$@"
}

# silently NAME STATEMENT: a statement between the steps, not shown.
silently() {
    send_statement "$1" "$2"
    require_success
}

# begin NAME TENANT: a transaction of that tenant.
begin() { tell "$1" "BEGIN; SELECT tenancy.enter('$2')"; }

# ask NAME QUERY [WHAT-TO-SEND]: shows a query and its answer.
ask() {
    show_query "${prompt[$1]}" "$2"
    send_statement "$1" "${3:-$2}"
    show_answer
}

# run COMMAND-LINE: shows a command of the shell and its answer. An error of Redis has its first word
# as its code, which names its kind.
run() {
    show_query '$' "$1"
    run_silently "$1"
    show_answer
}

run_silently() {
    code='error of Redis' state=ok
    answer=$(eval "$1" 2>&1) || state=failed
    if [[ $answer == '(error) '* ]]; then read -r _ state _ <<<"$answer"; fi
}
