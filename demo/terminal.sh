#!/usr/bin/env bash
# How the demo speaks: progress, steps, and the verdicts on what a query answered. Sourced by
# scripts/demo.
# shellcheck disable=SC2154,SC2034

if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' wipe=$'\e[K' green=$'\e[32m' red=$'\e[31m' cyan=$'\e[36m' plain=$'\e[0m'
else
    bold='' dim='' wipe='' green='' red='' cyan='' plain=''
fi
width=92 most=9
held=0 broken=0 steps=0

# What was asked last gave: its output, what came of it (ok, or the code of the error) and the number
# of rows.
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
        if [[ $line == *.o ]]; then
            compiled=$((compiled + 1))
            if [ -t 1 ]; then
                printf '%4d files\e[10D' $compiled
            elif [ $((compiled % 10)) -eq 0 ]; then
                printf '.'
            fi
        fi
    done
}

# show_query PROMPT TEXT
show_query() {
    local prompt=$1 line
    while IFS= read -r line; do
        printf '    %s%s%s %s%s%s\n' "$dim" "$prompt" "$plain" "$cyan" "$line" "$plain"
        prompt=${prompt//?/ }
    done < <(fold -s -w $((width - ${#prompt} - 1)) <<<"$2")
}

is_error() { [[ $1 == @(ERROR:|Mongo*Error|\(error\)|tenancyd: )* ]]; }

# At most `most` lines of rows, and the error that follows them whole.
show_answer() {
    local line shown=0
    while IFS= read -r line; do
        if is_error "$line"; then shown=0; fi
        shown=$((shown + 1))
        if [ $shown -gt $most ]; then
            if [ $shown -eq $((most + 1)) ]; then printf '     ...\n'; fi
            continue
        fi
        if is_error "$line"; then
            printf '    %s%s%s\n' "$red" "$line" "$plain"
        elif [ -n "$line" ]; then
            printf '    %s\n' "$line"
        fi
    done < <(fold -s -w $width <<<"$answer")
}

require_success() {
    if [ "$state" != ok ]; then
        show_answer
        verdict 1 "this was expected to work"
    fi
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
    if [ "$state" = ok ] && grep -qxF -- "$1" <<<"$(values)"; then status=0; fi
    verdict $status "$2"
}

# has TEXT WHY: the text is somewhere in the answer.
has() {
    local status=1
    if [ "$state" = ok ] && grep -qF -- "$1" <<<"$answer"; then status=0; fi
    verdict $status "$2"
}

# answers_nothing WHY: it succeeded without a row.
answers_nothing() {
    local status=1
    if [ "$state $rows" = 'ok 0' ]; then status=0; fi
    verdict $status "$1"
}

# The lines of the answer, a single space between the columns.
values() { sed -e 's/^ *//; s/ *$//; s/ *| */ | /g' <<<"$answer"; }

# refused CODE WHY: what was asked failed with this error.
refused() {
    local status=1
    if [ "$state" = "$1" ]; then status=0; fi
    verdict $status "$2 ${dim}($code $state)${plain}"
}
