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

# What cannot work is said once.
start_bound pull recv --type pull --bind 'tcp://127.0.0.1:*'
expect_code 1 perf --transport "$endpoint" --count 10
expect_error "cannot bind $endpoint"
expect_text 1 "$(grep -c "cannot bind" "$dir/command.err")" "messages about it"
expect_code 1 perf --count 10 --option sndhwm=-5
expect_error "cannot set option sndhwm"
