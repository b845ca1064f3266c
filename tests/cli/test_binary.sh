#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Binary data passes unchanged, whatever its size, and the output formats show it exactly.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

# roundtrip FILE: by file, by stdin, over ipc and tcp.
roundtrip() {
    zlink recv --type pull --bind "$ep" --count 1 --output raw >"$dir/copy" &
    zlink send --type push --connect "$ep" "$1" || fail "sending $1"
    finished $! 0
    cmp "$1" "$dir/copy" || fail "$1 over ipc"
    start_bound "pull-${1##*/}" recv --type pull --bind 'tcp://127.0.0.1:*' --count 1 --output raw
    zlink send --type push --connect "$endpoint" --whole <"$1" || fail "sending $1"
    finished "$pid" 0
    cmp "$1" "$dir/pull-${1##*/}.out" || fail "$1 over tcp"
}

: >"$dir/empty"
head -c 1 /dev/zero >"$dir/zero"
head -c 3000000 /dev/urandom >"$dir/large"
LC_ALL=C awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }' >"$dir/bytes"
for file in empty zero bytes large; do
    roundtrip "$dir/$file"
done

zlink recv --type pull --bind "$ep" --count 1 --output hex >"$dir/hex" &
zlink send --type push --connect "$ep" "$dir/bytes" || fail "sending"
finished $! 0
expect_text "$(od -An -v -tx1 "$dir/bytes" | tr -d ' \n')" "$(cat "$dir/hex")" "hex"

printf 'tab\t nl\n cr\r nul\0 quote" back\\ esc\033 high\377 umlaut\303\274 c1\302\205' >"$dir/odd"
zlink recv --type pull --bind "$ep" --count 1 --output quoted >"$dir/quoted" &
zlink send --type push --connect "$ep" "$dir/odd" || fail "sending"
finished $! 0
expect_text \
    '"tab\t nl\n cr\r nul\x00 quote\" back\\ esc\x1b high\xff umlautü c1\xc2\x85"' \
    "$(cat "$dir/quoted")" "quoted"

# NUL-separated messages that hold newlines.
zlink recv --type pull --bind "$ep" --count 2 --null >"$dir/null" &
printf 'a\nb\0c\0' >"$dir/input"
zlink send --type push --connect "$ep" --null <"$dir/input" || fail "sending"
finished $! 0
cmp "$dir/input" "$dir/null" || fail "--null"
