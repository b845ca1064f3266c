#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# tls://, ws:// and wss:// from the command line: what docs/guide/tls.md promises, and what is said
# when certificates do not fit.
# ctest-timeout: 120
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
certs=$dir/certs

expect_code 0 cert --name localhost --name 127.0.0.1 --client alice --ca-dir "$certs"
expect_code 0 cert --name other.example --ca-dir "$certs"
expect_code 0 cert --name localhost --ca-dir "$dir/strangers"
server=(--tls-cert "$certs/localhost.pem" --tls-key "$certs/localhost.key")

# says PATTERN FD: waits until a command writes such a line to the pipe on its stderr.
says() {
    local line seen=""
    while read -r line <&"$2"; do
        seen="$seen$line"$'\n'
        [[ $line =~ $1 ]] && return
    done
    fail "nothing like '$1' in: $seen"
}

# stop PID: ends a background command that would go on for ever.
stop() {
    kill -KILL -- "-$1"
    wait "$1"
} 2>/dev/null

# expect_reason REASON HINT ARGS...: the command goes on trying, but says why it cannot.
expect_reason() {
    local reason=$1 hint=$2 errors
    shift 2
    rm -f "$dir/reason.fifo"
    mkfifo "$dir/reason.fifo"
    zlink "$@" >/dev/null 2>"$dir/reason.fifo" </dev/null &
    local group=$!
    exec {errors}<"$dir/reason.fifo"
    says "$reason" "$errors"
    says "hint:.*$hint" "$errors"
    stop "$group"
    exec {errors}<&-
}

# A message gets through, with TLS and without, over each transport.
for address in 'tls://127.0.0.1:*' 'wss://127.0.0.1:*/news' 'ws://127.0.0.1:*/news'; do
    client=(--tls-ca "$certs/ca.pem")
    options=("${server[@]}")
    if [ "${address%%:*}" = ws ]; then
        client=()
        options=()
    fi
    start_bound "pull-${address%%:*}" recv --type pull --bind "$address" --count 2 "${options[@]}"
    zlink send --type push --connect "$endpoint" "${client[@]}" --message one --message two ||
        fail "sending over $endpoint"
    finished "$pid" 0
    expect_text "one two" "$(xargs <"$dir/pull-${address%%:*}.out")" "messages over $address"
done

# Who is not trusted, or is somebody else, gets nothing; the reason and the way out are told.
start_bound pull recv --type pull --bind 'tls://127.0.0.1:*' --count 2 "${server[@]}"
good=$pid
good_endpoint=$endpoint
expect_reason "unknown CA" "pass --tls-ca" send --type push --connect "$good_endpoint" \
    --message stolen --tls-ca "$dir/strangers/ca.pem"
expect_reason "not for elsewhere.example" "--tls-hostname" send --type push \
    --connect "$good_endpoint" --message stolen --tls-ca "$certs/ca.pem" \
    --tls-hostname elsewhere.example
zlink send --type push --connect "$good_endpoint" --tls-ca "$certs/ca.pem" --message trusted ||
    fail "a trusted server"
zlink send --type push --connect "$good_endpoint" --tls-verify none --message unchecked ||
    fail "an unchecked server"
finished "$good" 0
expect_text "trusted unchecked" "$(xargs <"$dir/pull.out")" "messages"

# The name need not be the address.
start_bound named recv --type pull --bind 'tls://127.0.0.1:*' --count 1 \
    --tls-cert "$certs/other.example.pem" --tls-key "$certs/other.example.key"
zlink send --type push --connect "$endpoint" --tls-ca "$certs/ca.pem" \
    --tls-hostname other.example --message x || fail "--tls-hostname"
finished "$pid" 0

# Clients that must have a certificate.
start_bound strict recv --type pull --bind 'tls://127.0.0.1:*' --count 1 "${server[@]}" \
    --tls-ca "$certs/ca.pem" --tls-require-client-cert
zlink send --type push --connect "$endpoint" --tls-ca "$certs/ca.pem" --message stolen \
    2>/dev/null &
stranger=$!
says "the peer sent no certificate" "$bound"
stop "$stranger"
zlink send --type push --connect "$endpoint" --tls-ca "$certs/ca.pem" --message mine \
    --tls-cert "$certs/alice.pem" --tls-key "$certs/alice.key" || fail "a client's certificate"
finished "$pid" 0
expect_text mine "$(cat "$dir/strict.out")" "message of the client with a certificate"

# One side speaks TLS, the other does not.
start_bound plain recv --type pull --bind 'tls://127.0.0.1:*' "${server[@]}"
zlink send --type push --connect "tcp${endpoint#tls}" --message x 2>/dev/null &
says "does not speak TLS" "$bound"

# What cannot work is refused at once.
expect_code 2 send --type push --connect tls://127.0.0.1:5555 --message x
expect_error "no CA is trusted"
expect_error "hint:.*--tls-ca"
expect_code 2 recv --type pull --bind 'tls://127.0.0.1:*'
expect_error "needs a certificate"
expect_error "hint:.*--tls-cert"
expect_code 1 recv --type pull --bind 'tls://127.0.0.1:*' --tls-cert "$dir/missing.pem"
expect_error "cannot read the certificate $dir/missing.pem"
expect_text 1 "$(grep -c "cannot read" "$dir/command.err")" "messages about it"
expect_code 2 recv --type pull --bind 'tls://127.0.0.1:*' --tls-cert "$certs/localhost.pem" \
    --tls-key "$certs/alice.key"
expect_error "does not belong to the certificate"

# perf works without any certificate given, and with those given.
for transport in tls ws wss; do
    for pattern in pair pub; do
        expect_code 0 perf --json --transport "$transport" --pattern "$pattern" --count 300 \
            --warmup 20
        grep -q '"messages": 300' "$dir/out" || fail "perf $transport $pattern: $(cat "$dir/out")"
    done
done
expect_code 0 perf --transport tls --count 100 --threads --tls-require-client-cert
expect_code 0 perf --transport tls --count 100 "${server[@]}" --tls-ca "$certs/ca.pem" \
    --tls-min-version 1.3
