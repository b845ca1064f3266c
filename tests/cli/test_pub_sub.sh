#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Publish and subscribe: nothing is lost once --wait-peers is satisfied.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

zlink recv --type sub --connect "$ep" --subscribe weather. --count 2 >"$dir/weather" &
weather=$!
zlink recv --type sub --connect "$ep" --count 3 >"$dir/all" &
all=$!
zlink send --type pub --bind "$ep" --wait-peers 2 \
    -M 'weather.berlin 21' -M sports -M 'weather.oslo 12' ||
    fail "publishing"
finished "$weather" 0
finished "$all" 0
expect_text "$(printf 'weather.berlin 21\nweather.oslo 12')" "$(cat "$dir/weather")" "by topic"
expect_text "$(printf 'weather.berlin 21\nsports\nweather.oslo 12')" "$(cat "$dir/all")" \
    "everything"

# One subscriber with two topics is one peer, and waiting for one is the default.
start_bound pub send --type pub --bind 'tcp://127.0.0.1:*' --wait-peers 2 -M a1 -M b1 -M c1
zlink recv --type sub --connect "$endpoint" -s a -s b -s c --count 3 >"$dir/abc" &
first=$!
zlink recv --type sub --connect "$endpoint" -s c --count 1 >"$dir/c" || fail "second subscriber"
finished "$first" 0
finished "$pid" 0
expect_text "a1 b1 c1" "$(xargs <"$dir/abc")" "three topics"
expect_text c1 "$(cat "$dir/c")" "one topic"

# The publisher connects.
zlink recv --type sub --bind "$ep" --count 1 >"$dir/bound" &
zlink send --type pub --connect "$ep" --message hello || fail "connected publisher"
finished $! 0
expect_text hello "$(cat "$dir/bound")" "bound subscriber"

# XPUB sees subscriptions; XSUB makes them; topics may hold any byte.
zlink recv --type xpub --bind "$ep" --count 1 --output quoted >"$dir/xpub" &
xpub=$!
"$ZLINK" recv --type xsub --connect "$ep" --subscribe 't\x00' >/dev/null &
xsub=$!
finished "$xpub" 0
kill -TERM "$xsub"
finished "$xsub" 143
expect_text '"\x01t\x00"' "$(cat "$dir/xpub")" "subscription seen by xpub"
