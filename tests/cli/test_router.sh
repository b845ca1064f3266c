#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# dealer and router: routing ids, echo, --to.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

zlink recv --type router --bind "$ep" --echo --count 2 >"$dir/router" &
printf 'hello\nworld\n' | zlink send --type dealer --connect "$ep" --replies 1 >"$dir/dealer" ||
    fail "dealer"
finished $! 0
expect_text "hello world" "$(xargs <"$dir/router")" "router hides the id"
expect_text "hello world" "$(xargs <"$dir/dealer")" "echo"

# --multipart shows the id, and the delimiter of a req.
zlink recv --type router --bind "$ep" --echo --count 1 --multipart --output quoted >"$dir/router" &
expect_text hi "$(zlink send --type req --connect "$ep" --identity 'me\x01' --message hi)" \
    "req to router"
finished $! 0
expect_text "$(printf '"me\\x01"\t""\t"hi"')" "$(cat "$dir/router")" "id and delimiter"

# --to names the receiver, which is waited for.
zlink send --type router --bind "$ep" --to worker --message job --timeout 20000 2>"$dir/send.err" &
expect_text job "$(zlink recv --type dealer --connect "$ep" --identity worker --count 1)" "--to"
finished $! 0

# The same with the id as the first part.
printf 'w2\tjob2\n' | zlink send --type router --bind "$ep" --multipart --timeout 20000 &
expect_text job2 "$(zlink recv --type dealer --connect "$ep" --identity w2 --count 1)" "id as part"
finished $! 0

# A peer that never comes.
expect_code 3 send --type router --bind "ipc://$dir/other" --to nobody --wait-peers 0 \
    --message x --timeout 50
expect_error "no peer with this routing id"
expect_code 2 send --type router --bind "$ep" --message x
expect_error "--to ID"

# pair, both ways.
zlink recv --type pair --bind "$ep" --echo --count 1 >"$dir/pair" &
expect_text ping "$(zlink send --type pair --connect "$ep" --message ping --replies 1)" "pair"
finished $! 0
