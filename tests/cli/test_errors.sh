#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Exit codes and messages: wrong command lines, endpoints that cannot work, timeouts.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
ep=ipc://$dir/socket

# Wrong command lines: 2.
expect_code 2
expect_error "no command given"
expect_code 2 sned --type push
expect_error "did you mean 'send'"
expect_code 2 send --connect "$ep"
expect_error "type is missing"
expect_code 2 send --type push
expect_error "bind or --connect is missing"
expect_code 2 send --type pusj --connect "$ep"
expect_error "did you mean 'push'"
expect_code 2 send --tyep push --connect "$ep"
expect_error "did you mean '--type'"
expect_code 2 send --type pull --connect "$ep" --message x
expect_error "cannot send"
expect_code 2 recv --type push --connect "$ep"
expect_error "cannot receive"
expect_code 2 recv --type req --connect "$ep"
expect_error "zlink send --type req"
expect_code 2 recv --type pull --bind "$ep" --count many
expect_error "must be a number"
expect_code 2 recv --type pull --bind "$ep" --output loud
expect_error "must be one of"
expect_code 2 recv --type pull --bind "$ep" --count
expect_error "needs a value"
expect_code 2 recv --type pull --bind "$ep" --delimiter ab
expect_error "must be one byte"
expect_code 2 recv --type pull --bind "$ep" unexpected
expect_error "unexpected 'unexpected'"
expect_code 2 recv --type pull --bind "$ep" --option sndhwn=1
expect_error "did you mean 'sndhwm'"
expect_code 2 recv --type pull --bind "$ep" --option sndhwm
expect_error "NAME=VALUE"
expect_code 2 recv --type pull --bind "$ep" --option sndhwm=high
expect_error "takes an integer"
expect_code 2 send --type push --connect "$ep" --message x --size 3
expect_error "choose one"
expect_code 2 send --type push --connect "$ep" --message x --replies 1
expect_error "no replies"
expect_code 2 recv --type pull --bind "$ep" --echo
expect_error "cannot"
expect_code 2 send --type push --connect inproc://x --message x
expect_error "one process"
expect_code 2 perf --pattern circle
expect_error "--pattern must be"
expect_code 2 perf --transport pigeon
expect_error "--transport must be"
# TLS: options for nothing, and options that miss another.
expect_code 2 send --type push --connect "$ep" --message x --tls-ca ca.pem
expect_error "$ep is not encrypted"
expect_code 2 recv --type pull --bind tcp://127.0.0.1:5555 --tls-verify none
expect_error "tcp://127.0.0.1:5555 is not encrypted"
expect_code 2 recv --type pull --bind 'tls://127.0.0.1:*' --tls-key x.key
expect_error "needs --tls-cert"
expect_code 2 recv --type pull --bind 'tls://127.0.0.1:*' --tls-cert x.pem --tls-require-client-cert
expect_error "needs --tls-ca"
expect_code 2 recv --type pull --bind 'tls://127.0.0.1:*' --tls-verify maybe
expect_error "must be one of peer|none"
expect_code 2 recv --type pull --bind 'tls://127.0.0.1:*' --tls-min-version 1.1
expect_error "must be one of 1.2|1.3"
expect_code 2 perf --transport tcp --tls-cert x.pem
expect_error "is not encrypted"
expect_code 2 perf --transport tls --tls-ca x.pem
expect_error "need --tls-cert"
expect_code 2 help everything
expect_error "no help about"

# Endpoints whose text is wrong: 2, with an example.
expect_code 2 recv --type pull --bind nonsense
expect_error "cannot bind nonsense"
expect_error "hint:.*tcp://127.0.0.1:5555"
expect_code 2 recv --type pull --bind tcp://127.0.0.1
expect_error "hint:.*tcp://"
expect_code 2 send --type push --connect 'tcp://*:5555' --message x
expect_error "is for --bind"
expect_code 2 send --type push --connect pigeon://coop --message x
expect_error "no transport 'pigeon'"
expect_code 2 recv --type pull --bind udp://127.0.0.1:5555
expect_error "cannot use this transport"
expect_code 2 recv --type pull --bind "ipc://$(printf '%0200d' 0)"
expect_error "107 bytes"

# Endpoints that this machine refuses: 1.
start_bound pull recv --type pull --bind 'tcp://127.0.0.1:*'
expect_code 1 recv --type pull --bind "$endpoint"
expect_error "cannot bind $endpoint"
expect_error "another process"
expect_code 1 recv --type pull --bind "ipc://$dir/missing/socket"
expect_error "directory"
expect_code 1 recv --type pull --bind tcp://no-such-interface:5555
expect_error "no such interface"
expect_code 1 recv --type pull --bind "$ep" --option sndhwm=-7
expect_error "cannot set option sndhwm to '-7'"
expect_code 1 send --type push --connect "$endpoint" "$dir/no-such-file"
expect_error "cannot read .*no-such-file"

# Time runs out: 3.
expect_code 3 recv --type pull --bind "$ep" --timeout 20
expect_error "nothing within 20 ms"
expect_code 3 send --type push --bind "$ep" --message x --timeout 20
expect_error "no peer is connected"
expect_code 3 send --type pub --bind "$ep" --message x --timeout 20
expect_code 3 send --type push --connect "ipc://$dir/nobody" --message x --timeout 20
expect_code 3 send --type push --connect "ipc://$dir/nobody" --message x --linger 20
expect_error "not everything could be delivered"
expect_code 3 send --type push --connect "ipc://$dir/nobody" --size 1 --count 100 --hwm 10 \
    --wait-peers 0 --timeout 20
expect_error "sending"
