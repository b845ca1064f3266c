# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""Heartbeats between two libraries. The cases of each kind wait at the same time."""

from flows import transfer
from matrix import SANITIZED
from matrix import cases, combos, expect, main

# Long enough for a busy machine, and for several heartbeats.
INTERVAL_MS = 100
TIMEOUT_MS = 3000 if SANITIZED else 1000
PINGS = f"heartbeat_ivl={INTERVAL_MS} heartbeat_timeout={TIMEOUT_MS}"
PINGS_WITH_TTL = f"{PINGS} heartbeat_ttl={TIMEOUT_MS}"


def linked(case, combo, bound_options, connected_options):
    """Two monitored peers that have talked to each other."""
    bound = case.socket(combo.bind, "dealer", bound_options)
    bound("monitor s")
    endpoint = bound(f"bind s {combo.endpoint(case)}")
    connected = case.socket(combo.connect, "dealer", f"reconnect_ivl=10 {connected_options}")
    connected("monitor s")
    connected(f"connect s {endpoint}")
    talk(connected, bound)
    return bound, connected


def talk(connected, bound):
    for sender, receiver in ((connected, bound), (bound, connected)):
        sender.post("send s count=10")
        receiver("recv s count=10")
        sender.wait()


@cases(("heartbeat_ttl", "no heartbeat_ttl"))
def idle_links_stay_up(case, ttl):
    """Without the answers to their pings they would not, for that long."""
    options = PINGS_WITH_TTL if ttl == "heartbeat_ttl" else PINGS
    links = [
        linked(case, combo, *sides)
        for combo in combos()
        for sides in ((options, ""), ("", options), (options, options))
    ]
    for link in links:
        for peer in link:
            peer.post(f"noevent s DISCONNECTED {TIMEOUT_MS * 2}")
    for bound, connected in links:
        bound.wait()
        connected.wait()
        talk(connected, bound)


def stop_and_go(links):
    """Each link is given as (who stands still, who finds out, bound, connected)."""
    for stopped, _, _, _ in links:
        stopped.pause()
    for _, watching, _, _ in links:
        watching("event s DISCONNECTED")
    for stopped, _, _, _ in links:
        stopped.go_on()
    for _, watching, bound, connected in links:
        watching("event s HANDSHAKE_SUCCEEDED")
        talk(connected, bound)


@cases()
def silent_peer_is_given_up(case):
    """A peer that stands still answers no pings. Once it goes on it is connected again."""
    links = []
    for combo in combos():
        bound, connected = linked(case, combo, PINGS, "")
        links.append((connected, bound, bound, connected))
        bound, connected = linked(case, combo, "", PINGS)
        links.append((bound, connected, bound, connected))
    stop_and_go(links)


@cases()
def silent_pinger_is_given_up(case):
    """Who announces in its pings how long it may be silent is held to that by its peer."""
    links = []
    for combo in combos():
        bound, connected = linked(case, combo, "", PINGS_WITH_TTL)
        links.append((connected, bound, bound, connected))
        bound, connected = linked(case, combo, PINGS_WITH_TTL, "")
        links.append((bound, connected, bound, connected))
    # Nobody can see that a ping has been sent; this is the time for several.
    for _, watching, _, _ in links:
        watching.post(f"noevent s DISCONNECTED {5 * INTERVAL_MS}")
    for _, watching, _, _ in links:
        watching.wait()
    stop_and_go(links)


@cases(combos())
def busy_link_stays_up(case, combo):
    """Traffic in one direction only, for longer than the timeout, with pings from both sides."""
    receiver = case.socket(combo.bind, "pull", PINGS_WITH_TTL)
    receiver("monitor s")
    endpoint = receiver(f"bind s {combo.endpoint(case)}")
    sender = case.socket(combo.connect, "push", PINGS_WITH_TTL)
    sender("monitor s")
    sender(f"connect s {endpoint}")
    flow = "count=20000 shapes=100,1,1000,10000"
    transfer(sender, receiver, flow)
    for peer in (sender, receiver):
        expect("DISCONNECTED" in peer("events s"), False, "disconnected")


main()
