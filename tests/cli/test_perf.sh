#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# zlink perf: every pattern and transport gives a complete result. No speed is asserted.
# ctest-timeout: 120
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# number KEY: the value behind a key of the JSON in out.
number() {
    local value
    value=$(sed -n "s/.*\"$1\": \(-\{0,1\}[0-9.][0-9.]*\).*/\1/p" "$dir/out")
    [ -n "$value" ] || fail "no number '$1' in: $(cat "$dir/out")"
    printf '%s' "$value"
}

# expect_order LOW... : the keys' values do not decrease.
expect_order() {
    local key values=""
    for key in "$@"; do
        values="$values $(number "$key")" || exit 1
    done
    # shellcheck disable=SC2086 # one argument per value
    printf '%s\n' $values | sort -c -g || fail "not in order: $* are$values"
}

# statistic SIDE FIELD: what the library has counted for a side, from the JSON in out.
statistic() {
    local value
    value=$(sed -n "s/.*\"$1\": {.*\"$2\": \([0-9][0-9]*\).*/\1/p" "$dir/out")
    [ -n "$value" ] || fail "no statistic '$2' of '$1' in: $(cat "$dir/out")"
    printf '%s' "$value"
}

# at_least LOWEST VALUE WHAT
at_least() {
    [ "$2" -ge "$1" ] || fail "$3: $2 is less than $1"
}

parses() {
    if command -v python3 >/dev/null; then
        python3 -c 'import json, sys; json.load(sys.stdin)' <"$dir/out" || fail "not JSON"
    elif command -v jq >/dev/null; then
        jq . <"$dir/out" >/dev/null || fail "not JSON"
    fi
}

for pattern in pair push req dealer-router pub; do
    for transport in inproc ipc tcp; do
        expect_code 0 perf --json --transport "$transport" --pattern "$pattern" --count 300 \
            --warmup 20
        parses
        expect_text 300 "$(number messages)" "$transport $pattern messages"
        expect_text 300 "$(number samples)" "$transport $pattern samples"
        expect_order min_us p50_us p90_us p99_us p99_9_us max_us
        for key in msgs_per_s mb_per_s mean_us size; do
            case $(number "$key") in
            0 | 0.0*) [ "$key" = mb_per_s ] || fail "$key is zero" ;;
            esac
        done
        grep -q "\"pattern\": \"$pattern\"" "$dir/out" || fail "pattern is not reported"
        grep -q '"cpu_ns_per_message": {"sender": .*"receiver": .*"total": ' "$dir/out" ||
            fail "no CPU time of the sides"
        # The side that times begins and ends with the measurement, the other one soon after.
        what="$transport $pattern statistics"
        expect_text 300 "$(statistic receiver messages_in)" "$what: received"
        expect_text 300 "$(statistic asking messages_out)" "$what: asked"
        expect_text 300 "$(statistic asking messages_in)" "$what: answers"
        at_least 200 "$(statistic answering messages_out)" "$what: answered"
        at_least $((300 * 64)) "$(statistic asking bytes_in)" "$what: bytes"
        for side in sender receiver asking answering; do
            expect_text 0 "$(statistic $side dropped)" "$what: dropped"
            expect_text 0 "$(statistic $side reconnects)" "$what: reconnects"
        done
        if [ "$transport" = inproc ]; then
            expect_text 0 "$(statistic asking writes)" "$what: writes"
        else
            at_least 300 "$(statistic asking writes)" "$what: writes"
            at_least $((300 * 64)) "$(statistic asking bytes_copied_out)" "$what: copied"
        fi
    done
done

# Threads instead of processes, sizes with a unit, a duration, an endpoint of one's own.
expect_code 0 perf --json --threads --transport tcp --size 1k --duration 0.05 --throughput
expect_text 1024 "$(number size)" "size"
grep -q '"mode": "threads"' "$dir/out" || fail "mode"
grep -q '"latency"' "$dir/out" && fail "latency was not asked for"
expect_code 0 perf --json --latency --duration 0.05 --transport "ipc://$dir/socket" --pattern push
grep -q '"throughput"' "$dir/out" && fail "throughput was not asked for"
expect_code 0 perf --latency --count 10 --transport tcp --size 0 --progress
grep -q "round trip  p50" "$dir/out" || fail "text report"
grep -Eq '^ +asking +answering$' "$dir/out" || fail "no table of statistics"
grep -Eq '^ +messages sent / received +10 / 10 +' "$dir/out" || fail "messages in the table"
grep -Eq '^ +write / read calls +1[0-9] / 1[0-9] +' "$dir/out" || fail "system calls in the table"
grep -q "writes that would block" "$dir/out" || fail "would-blocks in the table"

# Lines that say nothing are left out; long payloads are not copied.
expect_code 0 perf --throughput --count 10 --transport inproc --size 100k
grep -Eq '^ +sender +receiver$' "$dir/out" || fail "no table of statistics"
grep -q "write / read calls" "$dir/out" && fail "inproc has no system calls"
expect_code 0 perf --json --latency --count 10 --size 100k --option sndbuf=1000000
expect_text 0 "$(statistic asking bytes_copied_out)" "bytes copied"
expect_code 0 help perf
grep -q "writes at once taken whole  " "$dir/out" || fail "help does not explain the statistics"

# Another library has no statistics; the measurement goes on without.
if [ -n "${STOCK_LIBZMQ:-}" ] && [ -z "${ZLINK_SANITIZE:-}" ]; then
    ours=${LD_LIBRARY_PATH:-}
    export LD_LIBRARY_PATH=${STOCK_LIBZMQ%/*}
    expect_code 0 perf --json --count 100
    parses
    expect_text 2 "$(grep -c '"statistics": null' "$dir/out")" "measurements without statistics"
    expect_code 0 perf --count 100 --throughput
    grep -q "receiver$" "$dir/out" && fail "statistics of a library that has none"
    export LD_LIBRARY_PATH=$ours
fi

# What cannot work is said once.
start_bound pull recv --type pull --bind 'tcp://127.0.0.1:*'
expect_code 1 perf --transport "$endpoint" --count 10
expect_error "cannot bind $endpoint"
expect_text 1 "$(grep -c "cannot bind" "$dir/command.err")" "messages about it"
expect_code 1 perf --count 10 --option sndhwm=-5
expect_error "cannot set option sndhwm"
