# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""REQ and REP between two libraries, by themselves, with ROUTER and DEALER, and through a proxy."""

from flows import ask_at_once, ask_in_turn, start_proxy
from matrix import OURS, PARTS, SIZES, SMALL, STOCK
from matrix import cases, combos, either_way, expect, main

ROLES = ("bound side asks", "connected side asks")
REQUESTS = f"count=66 shapes={SIZES},{PARTS}"
PAIRS = (("req", "rep"), ("req", "router"), ("dealer", "rep"))


@cases([(*two, *types) for two in either_way(combos(), ROLES) for types in PAIRS])
def ask(case, combo, role, asking, answering):
    client, server = case.flow(combo, role, asking, answering)
    # What REQ puts before its requests, a DEALER has to put there itself.
    head = "head=-" if asking == "dealer" else ""
    server("serve s")
    client(f"ask s stream=1 {REQUESTS} {head}")
    client(f"ask s stream=2 count=500 shapes={SMALL} {head}")


@cases([(combo, answering) for combo in combos() for answering in ("rep", "router")])
def correlated(case, combo, answering):
    """The request id travels to the other side and back."""
    server, client = case.pair(combo, answering, "req", "", "req_correlate=1 req_relaxed=1")
    server("serve s")
    client(f"ask s {REQUESTS}")


@cases(combos())
def second_request_replaces_first(case, combo):
    server, client = case.pair(combo, "rep", "req", "", "req_correlate=1 req_relaxed=1")
    client("put s first")
    client("put s second")
    # Each request in turn gets an answer; only the second one is wanted.
    server("echo s count=2")
    expect(client.frames("get s"), [b"second"])
    server("serve s")
    client(f"ask s {REQUESTS}")


@cases([(t, library) for t in ("tcp", "ipc") for library in (OURS, STOCK)])
def many_ask_one(case, transport, library):
    server = case.socket(library, "rep")
    endpoint = server(f"bind s {case.endpoint(transport)}")
    server("serve s")
    clients = [case.socket(asking, "req") for asking in (OURS, STOCK, OURS, STOCK)]
    for client in clients:
        client(f"connect s {endpoint}")
    ask_at_once(clients, f"count=300 shapes={SMALL}")


@cases([(t, library) for t in ("tcp", "ipc") for library in (OURS, STOCK)])
def one_asks_many(case, transport, library):
    """A REQ takes its servers in turn."""
    client = case.socket(library, "req")
    servers = [case.socket(answering, "rep") for answering in (OURS, STOCK)]
    ask_in_turn(case, transport, client, servers, 50, f"shapes={SMALL}")


@cases(
    [
        (transport, *libraries)
        for transport in ("tcp", "ipc")
        for libraries in (
            (OURS, STOCK, STOCK),
            (STOCK, OURS, STOCK),
            (STOCK, STOCK, OURS),
            (OURS, STOCK, OURS),
            (STOCK, OURS, OURS),
        )
    ]
)
def through_proxy(case, transport, asking, between, answering):
    """REQ to ROUTER, zmq_proxy, DEALER to REP."""
    front, back = start_proxy(case, transport, between, "router", "dealer")
    for _ in range(2):
        server = case.socket(answering, "rep")
        server(f"connect s {back}")
        server("serve s")
    clients = [case.socket(asking, "req") for _ in range(3)]
    for client in clients:
        client(f"connect s {front}")
    ask_at_once(clients, REQUESTS)


@cases([(t, library) for t in ("tcp", "ipc") for library in (OURS, STOCK)])
def proxy_captures(case, transport, library):
    """All that passes a proxy, in either direction, also goes to its third socket."""
    other = STOCK if library is OURS else OURS
    proxy = case.peer(library)
    for name, socket_type in (("front", "router"), ("back", "dealer"), ("tap", "push")):
        proxy(f"socket {name} {socket_type}")
    front = proxy(f"bind front {case.endpoint(transport)}")
    back = proxy(f"bind back {case.endpoint(transport)}")
    tap = proxy(f"bind tap {case.endpoint(transport)}")
    witness = case.socket(other, "pull")
    witness(f"connect s {tap}")
    proxy("proxy front back tap")
    server = case.socket(other, "rep")
    server(f"connect s {back}")
    server("serve s")
    client = case.socket(other, "req")
    client(f"connect s {front}")
    flow = f"shapes={SMALL}"
    client.post(f"ask s count=50 {flow}")
    for number in range(50):
        for _ in ("request", "reply"):
            witness(f"recv s first={number} head=*,- {flow}")
    client.wait()


main()
