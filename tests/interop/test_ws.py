# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""ws:// between two libraries: PUSH/PULL, REQ/REP, DEALER/ROUTER, PAIR, and connections that die."""

import socket

from flows import ask_at_once, exchange, receivers_follow, transfer, transfer_without_limits
from matrix import OURS, PARTS, SMALL, STOCK
from matrix import cases, combos, counts, either_way, expect, main

WS = combos(("ws",))
BOTH = either_way(WS)
# Around the limits of the three forms of length, and beyond 64 KiB. One octet of each is flags.
SIZES = "0,1,33,34,123,124,125,126,255,256,8191,8192,65533,65534,65535,65536,300000"


@cases(BOTH)
def sizes(case, combo, role):
    sender, receiver = case.flow(combo, role, "push", "pull")
    flow = f"stream=7 count=78 shapes={SIZES},{PARTS}"
    transfer(sender, receiver, flow)


@cases(BOTH)
def five_megabytes(case, combo, role):
    sender, receiver = case.flow(combo, role, "push", "pull", "sndhwm=2", "rcvhwm=2")
    flow = "count=4 shapes=5000000,1+5000000+0"
    transfer(sender, receiver, flow)


@cases(BOTH)
def flood(case, combo, role):
    sender, receiver = case.flow(combo, role, "push", "pull", "sndhwm=100", "rcvhwm=100")
    flow = f"stream=9 count=20000 shapes={SMALL}"
    transfer(sender, receiver, flow)


@cases(BOTH)
def flood_without_limits(case, combo, role):
    transfer_without_limits(case, combo, role, 50000)


@cases(BOTH)
def small_buffers(case, combo, role):
    """Every write and read is cut somewhere else."""
    options = "sndbuf=4096", "rcvbuf=4096"
    sender, receiver = case.flow(combo, role, "push", "pull", *options)
    flow = f"stream=5 count=40 shapes=1,300,9000,70000,{PARTS},150000"
    transfer(sender, receiver, flow)


@cases(either_way(WS, ("bound side asks", "connected side asks")))
def questions(case, combo, role):
    client, server = case.flow(combo, role, "req", "rep")
    server("serve s")
    client(f"ask s count=78 shapes={SIZES},{PARTS}")


@cases(either_way(WS, ("bound side asks", "connected side asks")))
def pipelined(case, combo, role):
    client, server = case.flow(combo, role, "dealer", "router")
    server("serve s")
    client(f"ask s stream=1 count=78 window=10 shapes={SIZES},{PARTS}")
    client(f"ask s stream=2 count=10000 window=500 shapes={SMALL}")


@cases(WS)
def many_to_one(case, combo):
    """Routing ids given by the clients; each gets its own messages back."""
    server = case.socket(combo.bind, "router")
    endpoint = server(f"bind s {combo.endpoint(case)}")
    clients = []
    for stream, library in enumerate((OURS, STOCK, OURS, STOCK)):
        client = case.socket(library, "dealer", f"routing_id=client-{stream}")
        client(f"connect s {endpoint}")
        client(f"put s client-{stream}")
        clients.append(client)
    for _ in clients:
        routing_id, content = server.frames("get s")
        expect(content, routing_id, "routing id")
    server("serve s")
    ask_at_once(clients, f"count=1000 window=100 shapes={SMALL}")


@cases(WS)
def both_at_once(case, combo):
    bound, connected = case.pair(combo, "pair", "pair")
    exchange(bound, connected, f"count=5000 shapes={SMALL},9000,0+9000+0")


@cases(WS)
def with_a_path(case, combo):
    """A stock library takes no path behind a wildcard port, and only the last part of a longer one."""
    host = combo.endpoint(case).split("/")[2].split(":")[0]
    with socket.socket() as probe:
        probe.bind((host, 0))
        endpoint = f"ws://{host}:{probe.getsockname()[1]}/where"
    bound = case.socket(combo.bind, "pair")
    expect(bound(f"bind s {endpoint}"), endpoint, "last endpoint")
    connected = case.socket(combo.connect, "pair")
    connected(f"connect s {endpoint}")
    bound("serve s")
    connected("ask s count=100")


@cases(WS)
def by_name(case, combo):
    bound = case.socket(combo.bind, "pair")
    port = bound("bind s ws://127.0.0.1:*").rsplit(":", 1)[1]
    connected = case.socket(combo.connect, "pair")
    connected(f"connect s ws://localhost:{port}")
    bound("serve s")
    connected("ask s count=100")


@cases(WS)
def connects_before_the_bind(case, combo):
    """Sending begins before anyone listens."""
    probe = case.socket(combo.bind, "pull")
    endpoint = probe(f"bind s {combo.endpoint(case)}")
    probe.quit()
    sender = case.socket(combo.connect, "push", "reconnect_ivl=10")
    sender(f"connect s {endpoint}")
    flow = f"count=50 shapes={SIZES}"
    sender(f"send s {flow}")
    receiver = case.socket(combo.bind, "pull")
    receiver(f"bind s {endpoint}")
    receiver(f"recv s {flow}")


@cases(WS)
def bound_side_comes_back(case, combo):
    """Killed and started again, on either library; what was sent meanwhile arrives."""
    receiver, sender = case.pair(combo, "pull", "push", "", "reconnect_ivl=10")
    receivers_follow(case, receiver, sender, (OURS, STOCK, OURS), f"count=500 shapes={SMALL}")


@cases(WS)
def connected_side_dies_in_a_flood(case, combo):
    """The receiver goes on: whole messages of the next sender, and never a torn one."""
    receiver, sender = case.pair(combo, "pull", "push")
    shapes = "shapes=300000+0+50000+1,1000,20+20+70000,9"
    for stream, library in enumerate((OURS, STOCK), 2):
        sender.post(f"send s stream={stream} count=4000 {shapes}")
        expect(counts(receiver(f"follow s count=50 {shapes}"))["gaps"], 0, "gaps")
        sender.kill()
        sender = case.socket(library, "push")
        sender(f"connect s {receiver.endpoint}")
    sender.post(f"send s stream=100 count=100 {shapes}")
    expect(counts(receiver(f"follow s until=100:99 {shapes}"))["gaps"], 0, "gaps")
    sender.wait()


@cases(WS)
def heartbeats(case, combo):
    """WebSocket pings both ways do not disturb what flows."""
    options = "heartbeat_ivl=10 heartbeat_timeout=10000"
    bound, connected = case.pair(combo, "pair", "pair", options, options)
    connected("monitor s")
    bound("serve s")
    connected(f"ask s stream=2 count=2000 shapes={SMALL},70000")
    connected("noevent s DISCONNECTED 200")
    connected("ask s stream=3 count=10")


@cases(WS)
def heartbeats_unanswered(case, combo):
    """A peer that stands still is left, and greeted again when it goes on."""
    options = "heartbeat_ivl=50 heartbeat_timeout=200 reconnect_ivl=10"
    bound, connected = case.pair(combo, "rep", "dealer", "", options)
    connected("put s -,first")
    expect(bound.frames("get s"), [b"first"])
    connected("monitor s")
    bound.pause()
    connected("event s DISCONNECTED")
    bound.go_on()
    connected("event s HANDSHAKE_SUCCEEDED")


main()
