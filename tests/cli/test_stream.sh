#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# stream: plain TCP on either side.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

start_bound server recv --type stream --bind 'tcp://127.0.0.1:*' --echo --count 2

# A program that knows nothing of ZeroMQ.
exec {plain}<>"/dev/tcp/127.0.0.1/${endpoint##*:}" || fail "cannot connect"
echo "plain text" >&"$plain"
read -r answer <&"$plain"
expect_text "plain text" "$answer" "echo to a plain socket"
exec {plain}>&-

# Our own stream socket as the client.
expect_text pong "$(zlink send --type stream --connect "$endpoint" --message pong --replies 1)" \
    "echo to a stream socket"
finished "$pid" 0
expect_text "plain text  pong" "$(tr '\n' ' ' <"$dir/server.out" | sed 's/ $//')" \
    "what the server saw"

# --replies -1 ends when the connection does: all that was sent is printed.
start_bound sender send --type stream --bind 'tcp://127.0.0.1:*' --message 'the end' \
    --linger 20000
expect_text "the end" "$(zlink send --type stream --connect "$endpoint" --message go --replies -1)" \
    "until the connection ends"
finished "$pid" 0
