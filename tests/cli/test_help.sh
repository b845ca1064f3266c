#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Help texts exist, name what they must, and every option they show is one.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

expect_code 0 --version
grep -Eq '^(zlink|libzmq) [0-9]+\.[0-9]+\.[0-9]+$' "$dir/out" || fail "version: $(cat "$dir/out")"
expect_code 0 --help
cp "$dir/out" "$dir/overview"
expect_code 0 help
cmp "$dir/out" "$dir/overview" || fail "help and --help differ"

for command in send recv perf demo cert; do
    grep -q "^  $command " "$dir/overview" || fail "overview lacks $command"
    expect_code 0 "$command" --help
    cp "$dir/out" "$dir/by-option"
    expect_code 0 help "$command"
    cmp "$dir/out" "$dir/by-option" || fail "help $command and $command --help differ"
    for text in "^Usage: zlink $command" "^Exit codes: 0 success" "^Examples:" \
        "  zlink $command"; do
        grep -q "$text" "$dir/out" || fail "help $command lacks '$text'"
    done
    # Options used in the examples are options of the command.
    # shellcheck disable=SC2013 # options are words
    for option in $(sed -n '/^Examples/,$p' "$dir/out" | grep -o -- "zlink $command.*" |
        grep -o -- ' --[a-z-]*'); do
        grep -q -- "^ .*$option\b" <(sed '/^Examples/,$d' "$dir/out") ||
            fail "$command: example uses $option"
    done
    if awk 'length > 100 { bad = 1 } END { exit !bad }' "$dir/out"; then
        fail "help $command has lines over 100 columns"
    fi
done

expect_code 0 help types
for type in pair pub sub req rep dealer router push pull xpub xsub stream; do
    grep -q "^  $type " "$dir/out" || fail "help types lacks $type"
done
expect_code 0 help options
grep -q "^  tcp_keepalive  *34 " "$dir/out" || fail "help options lacks tcp_keepalive"
grep -q "^  tls_certificate  *1000 " "$dir/out" || fail "help options lacks tls_certificate"
for command in send recv perf; do
    expect_code 0 help "$command"
    for option in cert key ca hostname verify require-client-cert trust-system min-version; do
        grep -q -- "^ .*--tls-$option\b" "$dir/out" || fail "help $command lacks --tls-$option"
    done
done
expect_code 0 help tls
# shellcheck disable=SC2013 # options are words
for option in $(grep -o -- ' --tls-[a-z-]*' "$dir/out" | sort -u); do
    zlink help send | grep -q -- "^ .*$option\b" || fail "help tls uses $option"
done
expect_code 0 help endpoints
grep -q "ipc:///tmp" "$dir/out" || fail "help endpoints lacks an example"
