# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""Either side of a connection dies and comes back, on the same library or the other one."""

from flows import receivers_follow
from matrix import OURS, STOCK, TAGGED
from matrix import cases, combos, counts, either_way, expect, main

SHORT = f"shapes={TAGGED},{TAGGED},5000"
LONG = "shapes=300000+0+500000+1,1000000,20+20+700000,9"
# Of each as many as no buffers on the way can hold.
FLOWS = {"short": (SHORT, 20000, 1000), "long": (LONG, 400, 20)}
RESTARTS = [(*two, flow) for two in either_way(combos()) for flow in FLOWS]


def successor(case, old, library, socket_type, endpoint, binds, options=""):
    """What the user of a crashed program does."""
    old.kill()
    new = case.socket(library, socket_type, options)
    new(f"bind s {endpoint}" if binds else f"connect s {endpoint}")
    return new


def both_in_turn(rounds):
    return [(OURS, STOCK)[number % 2] for number in range(rounds)]


@cases(RESTARTS)
def receiver_dies(case, combo, role, flow_name):
    """The sender goes on. The new receiver gets whole messages, from some point on all of them."""
    shapes, total, first = FLOWS[flow_name]
    # What is queued for a receiver of the bound side dies with it, so it must not be the whole flow.
    options = "reconnect_ivl=10 sndhwm=5"
    sender, receiver = case.flow(combo, role, "push", "pull", options)
    endpoint = (sender if role.startswith("bound") else receiver).endpoint
    sender.post(f"send s count={total} {shapes}")
    result = counts(receiver(f"follow s count={first} {shapes}"))
    expect(result["gaps"], 0, "gaps at the beginning")
    for library in both_in_turn(2):
        binds = not role.startswith("bound")
        receiver = successor(case, receiver, library, "pull", endpoint, binds)
        result = counts(receiver(f"follow s count={first} {shapes}"))
        expect(result["gaps"], 1, "gaps, with the one before the first message")
        seen = result["received"] + result["missing"]
    result = counts(receiver(f"follow s until=1:{total - 1} {shapes}"))
    expect(result, {"received": total - seen, "gaps": 0, "missing": 0}, "the rest")
    sender.wait()


@cases(RESTARTS)
def sender_dies(case, combo, role, flow_name):
    """The receiver goes on and never sees a torn message, nor one of the old sender again."""
    shapes, total, first = FLOWS[flow_name]
    sender, receiver = case.flow(combo, role, "push", "pull", "", "reconnect_ivl=10")
    endpoint = (sender if role.startswith("bound") else receiver).endpoint
    for stream, library in enumerate(both_in_turn(3), 2):
        sender.post(f"send s stream={stream} count={total} {shapes}")
        result = counts(receiver(f"follow s count={first} {shapes}"))
        expect(result["gaps"], 0, "gaps")
        sender = successor(case, sender, library, "push", endpoint, role.startswith("bound"))
    last = f"stream=100 count={first} {shapes}"
    sender.post(f"send s {last}")
    result = counts(receiver(f"follow s until=100:{first - 1} {shapes}"))
    expect(result["gaps"], 0, "gaps")
    sender.wait()


@cases(combos())
def queued_while_away(case, combo):
    """What is sent while the other side is dead waits for its successor, all of it."""
    receiver, sender = case.pair(combo, "pull", "push", "", "reconnect_ivl=10")
    receivers_follow(case, receiver, sender, both_in_turn(4), f"count=500 {SHORT}")


@cases([(combo, types) for combo in combos() for types in ("req rep", "dealer router")])
def server_dies_between_requests(case, combo, types):
    asking, answering = types.split()
    server, client = case.pair(combo, answering, asking, "", "reconnect_ivl=10")
    endpoint = server.endpoint
    client("monitor s")
    for library in both_in_turn(4):
        server("serve s")
        client(f"ask s count=50 {SHORT}")
        server = successor(case, server, library, answering, endpoint, True)
        client("event s DISCONNECTED")
    server("serve s")
    client(f"ask s count=50 {SHORT}")


@cases([(combo, types) for combo in combos() for types in ("req rep", "dealer router")])
def client_dies_in_a_request(case, combo, types):
    """Its answer is lost; the server has to get over that."""
    asking, answering = types.split()
    server, client = case.pair(combo, answering, asking)
    for number, library in enumerate(both_in_turn(4)):
        head = "" if answering == "rep" else "head=*"
        client(f"send s stream={number}")
        server(f"recv s stream={number} {head}")
        client = successor(case, client, library, asking, server.endpoint, False)
        server("send s " + ("" if answering == "rep" else "head=@"))
    server("serve s")
    client(f"ask s count=50 {SHORT}")


@cases(combos())
def events(case, combo):
    """What either side reports when the other one goes and comes."""
    bound = case.socket(combo.bind, "pull")
    bound("monitor s")
    endpoint = bound(f"bind s {combo.endpoint(case)}")
    bound("event s LISTENING")
    connected = case.socket(combo.connect, "push")
    connected(f"connect s {endpoint}")
    for _ in range(2):
        bound("event s ACCEPTED")
        bound("event s HANDSHAKE_SUCCEEDED")
        connected = successor(case, connected, combo.connect, "push", endpoint, False)
        bound("event s DISCONNECTED")
    bound("event s HANDSHAKE_SUCCEEDED")
    connected.kill()
    bound("event s DISCONNECTED")

    connected = case.socket(combo.connect, "push", "reconnect_ivl=10")
    connected("monitor s")
    connected(f"connect s {endpoint}")
    for _ in range(2):
        for event in ("CONNECTED", "HANDSHAKE_SUCCEEDED"):
            connected(f"event s {event}")
        bound = successor(case, bound, combo.bind, "pull", endpoint, True)
        for event in ("DISCONNECTED", "CONNECT_RETRIED"):
            connected(f"event s {event}")


@cases(combos())
def disconnect_and_connect(case, combo):
    """The connected side leaves by choice, and returns."""
    receiver = case.socket(combo.bind, "pull")
    receiver("monitor s")
    endpoint = receiver(f"bind s {combo.endpoint(case)}")
    sender = case.socket(combo.connect, "push")
    for _ in range(3):
        sender(f"connect s {endpoint}")
        sender(f"send s count=100 {SHORT}")
        sender(f"disconnect s {endpoint}")
        receiver(f"recv s count=100 {SHORT}")
        receiver.post("event s DISCONNECTED")
        receiver.wait_while_called(sender)


@cases(combos())
def unbind_and_bind(case, combo):
    """The bound side takes its endpoint away from a connected one, and gives it back."""
    receiver, sender = case.pair(combo, "pull", "push", "", "reconnect_ivl=10")
    sender("monitor s")
    receiver("monitor s")
    for _ in range(3):
        sender(f"send s count=100 {SHORT}")
        receiver(f"recv s count=100 {SHORT}")
        receiver(f"unbind s {receiver.endpoint}")
        receiver("event s CLOSED")
        sender.post("event s DISCONNECTED")
        sender.wait_while_called(receiver)
        sender(f"send s count=50 {SHORT}")
        receiver(f"bind s {receiver.endpoint}")
        receiver(f"recv s count=50 {SHORT}")


main()
