# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""Routing ids between two libraries: who sees which, and who is reached by it."""

import errno

from matrix import OURS, PARTS, SIZES, SMALL, STOCK
from matrix import cases, combos, either_way, expect, frame, main

ROLES = ("ROUTER binds", "ROUTER connects")
IDS = (b"a", b"client", b"with\0zero\xff", bytes(range(1, 256)))


def router_and(case, combo, role, other, router_options="", other_options=""):
    if role == ROLES[0]:
        return case.pair(combo, "router", other, router_options, other_options)
    bound, connected = case.pair(combo, other, "router", other_options, router_options)
    return connected, bound


@cases([(*two, other) for two in either_way(combos(), ROLES) for other in ("dealer", "req")])
def router_sees_id(case, combo, role, other):
    """The id the other side chose comes in front of its messages, and reaches it."""
    for number, routing_id in enumerate(IDS):
        options = f"routing_id={frame(routing_id)}"
        router, peer = router_and(case, combo, role, other, "", options)
        flow = f"stream={number} count=22 shapes={SIZES},{PARTS}"
        head = frame(routing_id) + (",-" if other == "req" else "")
        peer.post(f"ask s {flow}")
        for first in range(22):
            one = flow.replace("count=22", f"first={first} count=1")
            router(f"recv s {one} head={head}")
            router(f"send s {one} head={head}")
        peer.wait()
        router.quit()
        peer.quit()


@cases([(*two, other) for two in either_way(combos(), ROLES) for other in ("dealer", "req")])
def router_makes_id(case, combo, role, other):
    """A peer without an id gets one: five bytes of which the first is 0."""
    router, peer = router_and(case, combo, role, other)
    peer("put s hello")
    received = router.frames("get s")
    expect((received[0][:1], len(received[0])), (b"\0", 5), "assigned id")
    expect(received[-1], b"hello")
    router("put s " + ",".join(map(frame, [*received[:-1], b"answer"])))
    expect(peer.frames("get s"), [b"answer"])


@cases(combos())
def same_peer_same_id(case, combo):
    """Two peers have two ids, each keeps its own as long as it is connected."""
    router = case.socket(combo.bind, "router")
    endpoint = router(f"bind s {combo.endpoint(case)}")
    seen = {}
    peers = [case.socket(combo.connect, "dealer") for _ in range(2)]
    for peer in peers:
        peer(f"connect s {endpoint}")
    for _ in range(5):
        for peer in peers:
            peer("put s hello")
            seen.setdefault(router.frames("get s")[0], []).append(peer)
    expect(list(seen.values()), [[peers[0]] * 5, [peers[1]] * 5], "who sent under which id")


@cases(combos())
def routers_by_chosen_ids(case, combo):
    """The connecting ROUTER names its peer before it has heard from it."""
    bound = case.socket(combo.bind, "router", "routing_id=bound")
    endpoint = bound(f"bind s {combo.endpoint(case)}")
    connected = case.socket(combo.connect, "router", "routing_id=connected")
    connected("set s connect_routing_id=peer")
    connected(f"connect s {endpoint}")
    flow = f"count=66 shapes={SIZES},{PARTS}"
    connected.post(f"send s {flow} head=peer")
    bound(f"recv s {flow} head=connected")
    connected.wait()
    bound.post(f"send s {flow} head=connected")
    connected(f"recv s {flow} head=peer")
    bound.wait()


@cases(combos())
def routers_by_own_ids(case, combo):
    """Each learns the other's own id: the bound one from a probe, the other one from the answer."""
    bound = case.socket(combo.bind, "router", "routing_id=bound")
    endpoint = bound(f"bind s {combo.endpoint(case)}")
    connected = case.socket(combo.connect, "router", "routing_id=connected probe_router=1")
    connected(f"connect s {endpoint}")
    expect(bound.frames("get s"), [b"connected", b""], "probe")
    bound("put s connected,hello")
    expect(connected.frames("get s"), [b"bound", b"hello"])
    flow = f"count=200 shapes={SMALL}"
    connected.post(f"send s {flow} head=bound")
    bound(f"recv s {flow} head=connected")
    connected.wait()


@cases([(combo, other) for combo in combos() for other in ("dealer", "req")])
def probe(case, combo, other):
    router = case.socket(combo.bind, "router")
    endpoint = router(f"bind s {combo.endpoint(case)}")
    peer = case.socket(combo.connect, other, "routing_id=me probe_router=1")
    peer(f"connect s {endpoint}")
    expect(router.frames("get s"), [b"me", b""], "probe")
    router("serve s")
    peer("ask s count=20")


@cases([(combo, handover) for combo in combos() for handover in ("ignored", "handover")])
def id_taken_twice(case, combo, handover):
    """The newcomer is ignored, or takes the id over."""
    options = f"router_handover={int(handover == 'handover')}"
    router, old = case.pair(combo, "router", "dealer", options, "routing_id=twin")
    old("put s old")
    expect(router.frames("get s"), [b"twin", b"old"])
    new = case.socket(combo.connect, "dealer", "routing_id=twin")
    new("monitor s")
    new(f"connect s {router.endpoint}")
    new("event s HANDSHAKE_SUCCEEDED")
    new("put s new")
    if handover == "handover":
        expect(router.frames("get s"), [b"twin", b"new"])
        router("put s twin,answer")
        expect(new.frames("get s"), [b"answer"])
        return
    for number in range(20):
        old(f"put s {number}")
        expect(router.frames("get s"), [b"twin", str(number).encode()])
    router("put s twin,answer")
    expect(old.frames("get s"), [b"answer"])


@cases(either_way(combos(), ROLES))
def mandatory(case, combo, role):
    """Sending to nobody fails; sending to a peer that left fails once that is known."""
    router, peer = router_and(
        case, combo, role, "dealer", "router_mandatory=1", "routing_id=here reconnect_ivl=10"
    )
    router("monitor s")
    router(f"refused {errno.EHOSTUNREACH} put s nobody,hello")
    peer("put s hello")
    expect(router.frames("get s"), [b"here", b"hello"])
    router("put s here,hello")
    expect(peer.frames("get s"), [b"hello"])
    peer.kill()
    router("event s DISCONNECTED")
    if role == ROLES[0]:
        router(f"until {errno.EHOSTUNREACH} put s here,hello")


@cases([(combo, library) for combo in combos() for library in (OURS, STOCK)])
def id_survives_new_peer(case, combo, library):
    """A DEALER that comes back, on either library, is the same one for its ROUTER."""
    # Without this a newcomer is ignored until the ROUTER has got over its predecessor's end.
    router = case.socket(combo.bind, "router", "router_handover=1")
    endpoint = router(f"bind s {combo.endpoint(case)}")
    for number in range(3):
        peer = case.socket(combo.connect if number % 2 == 0 else library, "dealer", "routing_id=me")
        peer(f"connect s {endpoint}")
        peer(f"put s {number}")
        expect(router.frames("get s"), [b"me", str(number).encode()])
        router("put s me,answer")
        expect(peer.frames("get s"), [b"answer"])
        peer.kill()


@cases([(combo, library) for combo in combos() for library in (OURS, STOCK)])
def id_survives_new_router(case, combo, library):
    """A DEALER tells its id again to a ROUTER that came back on either library."""
    router, peer = case.pair(combo, "router", "dealer", "", "routing_id=me reconnect_ivl=10")
    endpoint = router.endpoint
    peer("monitor s")
    for number in range(3):
        peer(f"put s {number}")
        expect(router.frames("get s"), [b"me", str(number).encode()])
        router("put s me,answer")
        expect(peer.frames("get s"), [b"answer"])
        router.kill()
        peer("event s DISCONNECTED")
        router = case.socket(combo.bind if number % 2 else library, "router")
        router(f"bind s {endpoint}")


main()
