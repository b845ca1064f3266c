# SPDX-License-Identifier: MPL-2.0
# What the tests of the zlink command share. A test ends with the first check that fails.
# shellcheck shell=bash

set -u -o pipefail
set -m # background commands get process groups of their own, so that finish reaches all of each

ZLINK=${ZLINK:-${ZLINK_BUILD_DIR:?the build folder}/bin/zlink}
dir=$(mktemp -d)

finish() {
    local group
    for group in $(jobs -p); do
        kill -KILL -- "-$group" 2>/dev/null
        wait "$group" 2>/dev/null # bash would report the kill otherwise
    done
    rm -rf "$dir"
}
trap finish EXIT

fail() {
    echo "FAILED: $*" >&2
    for file in "$dir"/*.err; do
        [ -s "$file" ] && sed "s|^|$(basename "$file"): |" "$file" >&2
    done
    exit 1
}

# zlink ARGS...: the command, with a limit no test comes near.
zlink() {
    timeout --foreground 40 "$ZLINK" "$@"
}

# expect_text EXPECTED ACTUAL WHAT
expect_text() {
    [ "$1" = "$2" ] || fail "$3: expected '$1', got '$2'"
}

# expect_code CODE ARGS...: the command ends with that exit code; its output is in out, err.
expect_code() {
    local expected=$1 code=0
    shift
    zlink "$@" >"$dir/out" 2>"$dir/command.err" </dev/null || code=$?
    [ "$code" = "$expected" ] || fail "zlink $*: expected exit code $expected, got $code"
}

# expect_error PATTERN: the last expect_code said so on stderr.
expect_error() {
    grep -q -- "$1" "$dir/command.err" || fail "stderr lacks '$1'"
}

# finished PID CODE: waits for a background command.
finished() {
    local code=0
    wait "$1" || code=$?
    [ "$code" = "$2" ] || fail "process $1: expected exit code $2, got $code"
}

# start_bound NAME ARGS...: runs the command in the background; when it has bound a wildcard
# endpoint, $endpoint holds it and $pid the process. Output goes to NAME.out.
start_bound() {
    local name=$1 line
    shift
    mkfifo "$dir/$name.fifo"
    zlink "$@" >"$dir/$name.out" 2>"$dir/$name.fifo" &
    # shellcheck disable=SC2034 # for the caller
    pid=$!
    exec {bound}<"$dir/$name.fifo"
    read -r line <&"$bound" || fail "$name ended before it had bound"
    endpoint=${line#zlink: listening on }
    [ "$endpoint" != "$line" ] || fail "$name said '$line'"
}
