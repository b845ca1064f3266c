#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Multipart messages in and out.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

printf 'a\tb\tc\n\t\nsingle\n' >"$dir/input"

zlink recv --type pull --bind "$ep" --count 3 --multipart >"$dir/out" &
zlink send --type push --connect "$ep" --multipart <"$dir/input" || fail "sending"
finished $! 0
cmp "$dir/input" "$dir/out" || fail "round trip"

# Parts are parts: quoting shows where they end.
zlink recv --type pull --bind "$ep" --count 3 --output quoted >"$dir/out" &
zlink send --type push --connect "$ep" --multipart <"$dir/input" || fail "sending"
finished $! 0
expect_text "$(printf '"a"\t"b"\t"c"\n""\t""\n"single"')" "$(cat "$dir/out")" "quoted parts"

# Without --multipart a TAB is content.
zlink recv --type pull --bind "$ep" --count 1 --output quoted >"$dir/out" &
printf 'a\tb\n' | zlink send --type push --connect "$ep" || fail "sending"
finished $! 0
expect_text '"a\tb"' "$(cat "$dir/out")" "one part"

# Another delimiter on each side; hexadecimal; raw writes nothing between parts.
zlink recv --type pull --bind "$ep" --count 1 --part-delimiter '|' --output hex >"$dir/out" &
printf 'a,b\n' | zlink send --type push --connect "$ep" --multipart --part-delimiter , ||
    fail "sending"
finished $! 0
expect_text '61|62' "$(cat "$dir/out")" "--part-delimiter"
zlink recv --type pull --bind "$ep" --count 1 --output raw >"$dir/out" &
printf 'a,b\n' | zlink send --type push --connect "$ep" -m -p '\x2c' || fail "sending"
finished $! 0
expect_text 'ab' "$(cat "$dir/out")" "raw parts"

# A topic and its content, filtered by topic.
zlink recv --type sub --connect "$ep" --subscribe news --count 1 >"$dir/out" &
printf 'other\t1\nnews\t2\n' | zlink send --type pub --bind "$ep" --multipart || fail "publishing"
finished $! 0
expect_text "$(printf 'news\t2')" "$(cat "$dir/out")" "topic and content"
