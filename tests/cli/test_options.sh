#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Socket options by name, --verbose and --wait-peers.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

# An option that has an effect one can see: a welcome message from a publisher.
zlink recv --type sub --connect "$ep" --count 2 >"$dir/sub" &
zlink send --type pub --bind "$ep" --option 'ZMQ_XPUB-Welcome_msg=hello\x21' --message news ||
    fail "publishing"
finished $! 0
expect_text "hello! news" "$(xargs <"$dir/sub")" "welcome message"

# The same from a file, and an integer option by number (40: XPUB_VERBOSE).
printf 'from file' >"$dir/welcome"
zlink recv --type sub --connect "$ep" --count 2 >"$dir/sub" &
zlink send --type pub --bind "$ep" -o "xpub_welcome_msg=@$dir/welcome" -o 40=1 --message news ||
    fail "publishing"
finished $! 0
expect_text "from file news" "$(xargs <"$dir/sub")" "option from a file"

# An inbound limit is enforced: the large message never arrives.
zlink recv --type pull --bind "$ep" --option maxmsgsize=1000 --count 1 >"$dir/small" &
pull=$!
zlink send --type push --connect "$ep" --size 1001 || fail "sending"
zlink send --type push --connect "$ep" --message small || fail "sending"
finished "$pull" 0
expect_text small "$(cat "$dir/small")" "maxmsgsize"

# Options of TLS are known by name; what zlink adds may be written with its prefix.
zlink recv --type pull --bind "$ep" --option tls_verify=0 --option ZLINK_TLS_CA=ca.pem \
    --option zlink-tls-min-version=13 --count 1 >"$dir/tls" &
zlink send --type push --connect "$ep" --message x || fail "sending"
finished $! 0
expect_code 1 recv --type pull --bind "$ep" --option tls_min_version=11
expect_error "cannot set option tls_min_version to '11'"

# --verbose tells about connections.
zlink recv --type pull --bind "$ep" --count 1 --verbose >/dev/null 2>"$dir/events" &
zlink send --type push --connect "$ep" --message x || fail "sending"
finished $! 0
for event in LISTENING ACCEPTED HANDSHAKE_SUCCEEDED; do
    grep -q "event $event" "$dir/events" || fail "no event $event in: $(cat "$dir/events")"
done

# --interval spaces messages out without losing any; --io-threads is taken.
zlink recv --type pull --bind "$ep" --count 3 --io-threads 2 >"$dir/slow" &
zlink send --type push --connect "$ep" --interval 5 --size 4 --count 3 || fail "sending"
finished $! 0
expect_text 3 "$(wc -l <"$dir/slow" | tr -d ' ')" "--interval"
