#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# SIGINT, SIGTERM and a stdout that goes away.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

# recv has written out what it received when it is interrupted, and says 130.
mkfifo "$dir/out"
"$ZLINK" recv --type pull --bind "$ep" >"$dir/out" &
receiver=$!
exec {out}<"$dir/out"
zlink send --type push --connect "$ep" --message first || fail "sending"
read -r line <&"$out"
expect_text first "$line" "written before waiting"
kill -INT "$receiver"
finished "$receiver" 130
exec {out}<&-

# send that waits for a peer.
mkfifo "$dir/events"
"$ZLINK" send --type push --bind "$ep" --message x --verbose 2>"$dir/events" &
sender=$!
read -r line <"$dir/events"
expect_text "zlink: listening on $ep" "$line" "first event"
kill -INT "$sender"
finished "$sender" 130

# send that waits for stdin delivers what it was given before.
mkfifo "$dir/in"
zlink recv --type pull --bind "$ep" --count 1 >"$dir/received" &
receiver=$!
"$ZLINK" send --type push --connect "$ep" <"$dir/in" &
sender=$!
exec {in}>"$dir/in"
echo given >&"$in"
finished "$receiver" 0
kill -TERM "$sender"
finished "$sender" 143
exec {in}>&-
expect_text given "$(cat "$dir/received")" "delivered"

# The reader of stdout leaves: recv ends, successfully, even if nothing more comes.
"$ZLINK" recv --type pull --bind "$ep" > >(head -1 >"$dir/head") &
receiver=$!
zlink send --type push --connect "$ep" --message one || fail "sending"
finished "$receiver" 0
expect_text one "$(cat "$dir/head")" "first line"

# A stdout that cannot be written is an error.
if [ -w /dev/full ]; then
    zlink recv --type pull --bind "$ep" --count 1 >/dev/full 2>"$dir/recv.err" &
    receiver=$!
    zlink send --type push --connect "$ep" --message one || fail "sending"
    finished "$receiver" 1
    grep -q "writing to stdout" "$dir/recv.err" || fail "no message about stdout"
fi
