#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# send and recv over push/pull: every source of messages.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

# Lines of stdin; the last one without a newline is a message too.
zlink recv --type pull --bind "$ep" --count 4 >"$dir/lines" 2>"$dir/recv.err" &
printf 'one\n\ntwo\nlast' | zlink send --type push --connect "$ep" 2>"$dir/send.err" ||
    fail "sending lines"
finished $! 0
expect_text "$(printf 'one\n\ntwo\nlast')" "$(cat "$dir/lines")" "lines"

# Arguments in turn, as often as --count says.
zlink recv --type PULL --bind "$ep" --count 5 >"$dir/messages" 2>"$dir/recv.err" &
zlink send --type PUSH --connect "$ep" --message a -M 'b c' --count 5 || fail "sending --message"
finished $! 0
expect_text "a b c a b c a" "$(tr '\n' ' ' <"$dir/messages" | sed 's/ $//')" "--message, --count"

# Each file is one message.
printf 'line 1\nline 2\n' >"$dir/first"
printf 'x' >"$dir/second"
zlink recv --type pull --bind "$ep" --count 3 --output quoted >"$dir/files" &
printf y | zlink send --type push --connect "$ep" --file "$dir/first" "$dir/second" - ||
    fail "sending files"
finished $! 0
expect_text '"line 1\nline 2\n" "x" "y"' "$(sort "$dir/files" | xargs -d '\n')" "files"

# All of stdin, and made-up messages of a size.
zlink recv --type pull --bind "$ep" --count 1 --output raw >"$dir/whole" &
zlink send --type push --connect "$ep" --whole <"$dir/first" || fail "sending --whole"
finished $! 0
cmp "$dir/first" "$dir/whole" || fail "--whole"
zlink recv --type pull --bind "$ep" --count 1000 >"$dir/sized" &
zlink send --type push --connect "$ep" --size 1k --count 1k || fail "sending --size"
finished $! 0
expect_text 1025000 "$(wc -c <"$dir/sized" | tr -d ' ')" "--size, --count"
expect_text "1000 1000" "$(cut -d ' ' -f 1 "$dir/sized" | sort -n | uniq |
    awk '{ n++ } $1 == n - 1 { good++ } END { print n, good }')" "numbers of made-up messages"

# tcp on a free port, two pullers sharing the work.
start_bound push send --type push --bind 'tcp://127.0.0.1:*' --wait-peers 2 --size 20 --count 100
zlink recv --type pull --connect "$endpoint" --count 50 >"$dir/a" &
first=$!
zlink recv --type pull --connect "$endpoint" --count 50 >"$dir/b" || fail "second puller"
finished "$first" 0
finished "$pid" 0
expect_text 100 "$(cat "$dir/a" "$dir/b" | sort -u | wc -l | tr -d ' ')" "messages in all"

# Other delimiters.
zlink recv --type pull --bind "$ep" --count 2 --null >"$dir/null" &
printf 'a\nb;c' | zlink send --type push --connect "$ep" --delimiter ';' || fail "--delimiter"
finished $! 0
expect_text 'a\nb\0c\0' "$(sed -z 's/$/\\0/' "$dir/null" | tr -d '\0' | sed -z 's/\n/\\n/g')" \
    "--null"

# Nothing is lost when the sender leaves while the receiver is far behind.
zlink recv --type pull --bind "$ep" --count 100k >"$dir/many" &
seq 100000 | zlink send --type push --connect "$ep" || fail "sending many"
finished $! 0
seq 100000 | cmp - "$dir/many" || fail "many lines"
