# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 90
# ctest-nosan (what it makes our library do is done by test_ws_server.py and test_ws_client.py as well)
"""The npm package ws, Node.js's ordinary WebSocket, against our sockets, in both directions."""

import os

import npm_packages
from certificates import Authority
from foreign import Program, own_address
from matrix import OURS, SOURCE_DIR, cases, expect, main

SCRIPT = os.path.join(SOURCE_DIR, "tests", "interop", "ws_program.js")
ECHOED = ("fragments", "large", "flood")
REFUSED = ("text", "wrong_mask", "empty", "oversized", "reserved_flags", "torn")


def program(case, *arguments):
    return Program(case, "node", SCRIPT, *arguments, environment=npm_packages.environment())


def expect_done(started):
    expect(started.join(), 0, f"exit status\n{started.text()}")
    started.wait_for(rb"done\n")


def bound(case, transport, options):
    server = case.socket(OURS, "dealer", options)
    return server, server(f"bind s {case.endpoint(transport)}")


@cases([(transport, scenario) for transport in ("ws", "wss") for scenario in ECHOED])
def client(case, transport, scenario):
    authority = Authority(case.folder)
    files = authority.server(f"IP:{own_address(case)}").options() if transport == "wss" else ""
    server, endpoint = bound(case, transport, files)
    server("serve s")
    expect_done(program(case, "client", scenario, endpoint, authority.pem))


@cases(REFUSED)
def client_refused(case, scenario):
    server, endpoint = bound(case, "ws", "maxmsgsize=100000")
    server("monitor s")
    expect_done(program(case, "client", scenario, endpoint))
    server("event s DISCONNECTED")
    server("serve s")
    expect_done(program(case, "client", "fragments", endpoint))


@cases(("unknown CA", "wrong name", "wrong path"))
def client_not_let_in(case, why):
    authority = Authority(case.folder)
    name = "DNS:other.example" if why == "wrong name" else f"IP:{own_address(case)}"
    server, endpoint = bound(case, "wss", authority.server(name).options())
    trust = () if why == "unknown CA" else (authority.pem,)
    if why == "wrong path":
        endpoint += "/nowhere"
    expect_done(program(case, "client", "refused", endpoint, *trust))


@cases(ECHOED)
def server(case, scenario):
    started = program(case, "server", scenario)
    port = started.wait_for(rb"bound (\d+)\n").group(1).decode()
    peer = case.socket(OURS, "dealer")
    peer(f"connect s ws://127.0.0.1:{port}")
    peer("serve s")
    expect_done(started)


@cases(REFUSED)
def server_refused(case, scenario):
    started = program(case, "server", scenario)
    port = started.wait_for(rb"bound (\d+)\n").group(1).decode()
    peer = case.socket(OURS, "dealer", "maxmsgsize=100000")
    peer("monitor s")
    peer(f"connect s ws://127.0.0.1:{port}")
    peer("event s DISCONNECTED")
    expect_done(started)


npm_packages.need()
main()
