#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Questions and answers.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

zlink recv --type rep --bind "$ep" --echo --count 3 >"$dir/rep" &
printf 'a\nb\nc\n' | zlink send --type req --connect "$ep" >"$dir/req" || fail "asking"
finished $! 0
expect_text "a b c" "$(xargs <"$dir/rep")" "requests"
expect_text "a b c" "$(xargs <"$dir/req")" "echoed replies"

zlink recv --type rep --bind "$ep" --reply 42 --count 1 >"$dir/rep" &
expect_text 42 "$(zlink send --type req --connect "$ep" --message '6 * 7')" "--reply"
finished $! 0
expect_text '6 * 7' "$(cat "$dir/rep")" "request"

# Without --echo or --reply the answer is empty, but it is one.
zlink recv --type rep --bind "$ep" --count 1 >"$dir/rep" &
expect_text '""' "$(zlink send --type req --connect "$ep" --message x --output quoted)" \
    "default reply"
finished $! 0

# send --type rep: each message answers a request, which is printed.
zlink send --type rep --bind "$ep" --message yes --message no >"$dir/asked" &
expect_text "yes no" \
    "$(printf 'first?\nsecond?\n' | zlink send --type req --connect "$ep" | xargs)" \
    "answers"
finished $! 0
expect_text "first? second?" "$(xargs <"$dir/asked")" "questions"

# Parts survive the way there and back.
zlink recv --type rep --bind "$ep" --echo --count 1 >"$dir/rep" &
expect_text "$(printf 'a\tb')" \
    "$(printf 'a\tb\n' | zlink send --type req --connect "$ep" --multipart)" "echoed parts"
finished $! 0

# Nobody answers.
expect_code 3 send --type req --connect "ipc://$dir/nobody" --message x --timeout 50
expect_error "no peer is connected"
