# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""DEALER and ROUTER between two libraries."""

from flows import ask_at_once, ask_in_turn, exchange, start_proxy
from matrix import OURS, PARTS, SIZES, SMALL, STOCK
from matrix import cases, combos, either_way, main

ROLES = ("bound side asks", "connected side asks")


@cases(either_way(combos(), ROLES))
def pipelined(case, combo, role):
    """Many requests under way at once; the answers come in their order."""
    client, server = case.flow(combo, role, "dealer", "router")
    server("serve s")
    client(f"ask s stream=1 count=66 window=10 shapes={SIZES},{PARTS}")
    client(f"ask s stream=2 count=10000 window=500 shapes={SMALL}")


@cases(combos())
def dealers_at_once(case, combo):
    bound, connected = case.pair(combo, "dealer", "dealer")
    exchange(bound, connected, f"count=3000 shapes={SMALL},{PARTS}")


@cases([(t, library) for t in ("tcp", "ipc") for library in (OURS, STOCK)])
def many_to_one(case, transport, library):
    """Every DEALER gets its own messages back, and all of them."""
    server = case.socket(library, "router")
    endpoint = server(f"bind s {case.endpoint(transport)}")
    server("serve s")
    clients = [case.socket(asking, "dealer") for asking in (OURS, STOCK, OURS, STOCK)]
    for client in clients:
        client(f"connect s {endpoint}")
    ask_at_once(clients, f"count=2000 window=100 shapes={SMALL}")


@cases([(t, library) for t in ("tcp", "ipc") for library in (OURS, STOCK)])
def one_to_many(case, transport, library):
    """A DEALER serves its ROUTERs in turn, and so gets the answers in turn."""
    client = case.socket(library, "dealer")
    servers = [case.socket(answering, "router") for answering in (OURS, STOCK)]
    ask_in_turn(case, transport, client, servers, 100, f"shapes={SMALL},{PARTS}")


@cases(
    [
        (transport, *libraries)
        for transport in ("tcp", "ipc")
        for libraries in ((OURS, STOCK, OURS), (STOCK, OURS, STOCK))
    ]
)
def through_proxy(case, transport, asking, between, answering):
    """DEALER to ROUTER, zmq_proxy, DEALER to ROUTER: ids pile up on the way and come off again."""
    front, back = start_proxy(case, transport, between, "router", "dealer")
    server = case.socket(answering, "router")
    server(f"connect s {back}")
    server("serve s")
    clients = [case.socket(asking, "dealer") for _ in range(2)]
    for client in clients:
        client(f"connect s {front}")
    ask_at_once(clients, f"count=2000 window=50 shapes={SMALL},{PARTS}")


main()
