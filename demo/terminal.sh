#!/usr/bin/env bash
# How the demo speaks: progress, steps, psql sessions whose queries and answers are shown, and the
# verdicts on them. Sourced by scripts/demo.
# shellcheck disable=SC2154,SC2034

if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' wipe=$'\e[K' green=$'\e[32m' red=$'\e[31m' cyan=$'\e[36m' plain=$'\e[0m'
else
    bold='' dim='' wipe='' green='' red='' cyan='' plain=''
fi
width=92 most=9
held=0 broken=0 steps=0

# What the session asked last gave: its output, SQLSTATE and the number of rows.
answer='' state='' rows=''

say() { printf '%s\n' "$*"; }
note() { printf '  %s%s%s\n' "$dim" "$*" "$plain"; }

step() {
    steps=$((steps + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$steps" "$1" "$plain"
    shift
    local line
    for line in "$@"; do note "$line"; done
}

# progress WHAT COMMAND...: runs a command of the preparations; its output goes to the log. On a
# terminal the number of files that were compiled counts up meanwhile.
progress() {
    local what=$1 began=$SECONDS
    shift
    printf '  %-58s' "$what"
    if ! "$@" 2>&1 | count_compiled; then
        printf '%sfailed%s\n\n' "$red" "$plain"
        tail -n 20 "$log"
        say "demo: $what: failed; the whole log is ${log#"$PWD"/}; make demo-down removes the rest"
        exit 1
    fi
    printf '%s%s%4d s%s\n' "$wipe" "$dim" $((SECONDS - began)) "$plain"
}

count_compiled() {
    local line compiled=0
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        if [[ $line == '  '*.o ]]; then
            compiled=$((compiled + 1))
            if [ -t 1 ]; then
                printf '%4d files\e[10D' $compiled
            elif [ $((compiled % 10)) -eq 0 ]; then
                printf '.'
            fi
        fi
    done
}

# open NAME SERVICE: a psql session of its own, as the role of that service.
open() {
    mkfifo "$home/$1.in" "$home/$1.out"
    PGSERVICE=$2 PGAPPNAME="demo $1" stdbuf -oL "$pg/bin/psql" -XqAt -v VERBOSITY=default \
        -v SHOW_CONTEXT=never -P footer=off -P null='(null)' \
        <"$home/$1.in" >"$home/$1.out" 2>&1 &
    exec {fd}>"$home/$1.in"
    in[$1]=$fd
    exec {fd}<"$home/$1.out"
    out[$1]=$fd
    role[$1]=$2
    rm "$home/$1.in" "$home/$1.out"
    send "$1" '\pset tuples_only off' '\pset format aligned'
}
declare -A in=() out=() role=()

close() {
    eval "exec ${in[$1]}>&- ${out[$1]}<&-"
}

# send NAME LINE...: what the lines print goes to $answer.
send() {
    local name=$1 line
    shift
    printf '%s\n' "$@" '\echo done-with-it :SQLSTATE :ROW_COUNT' >&"${in[$name]}"
    answer='' state='' rows=''
    while IFS= read -r -t 120 line <&"${out[$name]}"; do
        if [[ $line == 'done-with-it '* ]]; then
            read -r _ state rows <<<"$line"
            return
        fi
        answer+=$line$'\n'
    done
    broken=$((broken + 1))
    say "    ${red}the session ended, or did not answer in 120 s${plain}"
}

show_query() {
    local prompt="${role[$1]#chat_}=>" line
    if [ "${role[$1]}" = postgres ]; then prompt="postgres=#"; fi
    while IFS= read -r line; do
        printf '    %s%s%s %s%s%s\n' "$dim" "$prompt" "$plain" "$cyan" "$line" "$plain"
        prompt=${prompt//?/ }
    done < <(fold -s -w $((width - ${#prompt} - 1)) <<<"$2")
}

# At most `most` lines of rows, and the error that follows them whole.
show_answer() {
    local line shown=0
    while IFS= read -r line; do
        case $line in ERROR:*) shown=0 ;; esac
        shown=$((shown + 1))
        if [ $shown -gt $most ]; then
            if [ $shown -eq $((most + 1)) ]; then printf '     ...\n'; fi
            continue
        fi
        case $line in
        '') ;;
        ERROR:*) printf '    %s%s%s\n' "$red" "$line" "$plain" ;;
        *) printf '    %s\n' "$line" ;;
        esac
    done < <(fold -s -w $width <<<"$answer")
}

# tell NAME QUERY: shows a statement of which only errors are worth showing.
tell() {
    show_query "$1" "$2"
    send "$1" "$2;"
    require_success
}

# begin NAME TENANT: a transaction of that tenant.
begin() {
    show_query "$1" "BEGIN; SELECT tenancy.enter('$2');"
    send "$1" "BEGIN; SELECT tenancy.enter('$2');"
    require_success
}

require_success() {
    if [ "$state" != 00000 ]; then
        show_answer
        verdict 1 "this was expected to work"
    fi
}

# ask NAME QUERY [WHAT-TO-SEND]: shows a query and its answer. The last ; stands on a line of its
# own, out of reach of a comment at the end of the query.
ask() {
    show_query "$1" "$2"
    send "$1" "${3:-$2}"$'\n;'
    show_answer
}

# silently NAME QUERY: a statement between the steps, not shown.
silently() {
    send "$1" "$2;"
    require_success
}

verdict() {
    if [ "$1" -eq 0 ]; then
        held=$((held + 1))
        printf '    %sok%s  %s\n' "$green" "$plain" "$2"
    else
        broken=$((broken + 1))
        printf '    %sNOT AS EXPECTED%s  %s\n' "$red" "$plain" "$2"
    fi
}

# shows VALUE WHY: the answer has this line, spaces around it and between columns aside.
shows() {
    local status=1
    if [ "$state" = 00000 ] && grep -qxF -- "$1" <<<"$(values)"; then status=0; fi
    verdict $status "$2"
}

# The lines of the answer, a single space between the columns.
values() { sed -e 's/^ *//; s/ *$//; s/ *| */ | /g' <<<"$answer"; }

# refused SQLSTATE WHY: the statement failed with this error.
refused() {
    local status=1
    if [ "$state" = "$1" ]; then status=0; fi
    verdict $status "$2 ${dim}(SQLSTATE $state)${plain}"
}
