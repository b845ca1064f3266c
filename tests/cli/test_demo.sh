#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# zlink demo shows its messages and fills its table.
# ctest-timeout: 120
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

expect_code 0 demo --alone --duration 0.02 --progress
for text in 'PUSH -> PULL .*"job 3"' 'REP  -> REQ .*"42"' \
    'PUB  -> SUB .*"weather.oslo 12"' 'PAIR -> PAIR'; do
    grep -q "$text" "$dir/out" || fail "no message '$text' in: $(cat "$dir/out")"
done
grep -q "not subscribed" "$dir/out" && fail "an unsubscribed message arrived"
for row in "inproc  pair" "ipc     pair" "tcp     pair" "tcp     push" "tcp     pub" \
    "tcp     req"; do
    grep -Eq "^  $row +[0-9.]+ [kM]/s +[0-9.]+ / [0-9.]+$" "$dir/out" ||
        fail "no row '$row' in: $(cat "$dir/out")"
done
expect_error "\[6/6\] measuring tcp req"

# With a stock library beside it each row has both and their ratio; a sanitized build cannot
# run on another library.
if [ -n "${STOCK_LIBZMQ:-}" ] && [ -z "${ZLINK_SANITIZE:-}" ]; then
    expect_code 0 demo --duration 0.02 --libzmq "$STOCK_LIBZMQ"
    grep -Eq "^  tcp     push +[0-9.]+ [kM]/s +[0-9.]+ [kM]/s +[0-9.]+x " "$dir/out" ||
        fail "no comparison in: $(cat "$dir/out")"
fi

# A library that is none is a note, not a failure.
expect_code 0 demo --duration 0.02 --libzmq "$dir/none.so"
grep -q "No stock libzmq" "$dir/out" || fail "no note about the missing library"
