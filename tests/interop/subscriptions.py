# SPDX-License-Identifier: MPL-2.0
"""Publishers and subscribers of two libraries: what their drivers share."""

from flows import transfer
from matrix import Failure, expect, frame

ROLES = ("publisher binds", "subscriber binds")


def connect_pair(case, combo, role, publisher, subscriber, *options):
    """Returned as publisher and subscriber; the role says which of them binds."""
    if role == ROLES[0]:
        return case.pair(combo, publisher, subscriber, *options)
    bound, connected = case.pair(combo, subscriber, publisher, *reversed(options))
    return connected, bound


def subscribe(peer, topic):
    peer(f"set s subscribe={frame(topic)}")


def unsubscribe(peer, topic):
    peer(f"set s unsubscribe={frame(topic)}")


def publish(publisher, topics):
    for topic in topics:
        publisher.post(f"put s {frame(topic)}")
    for _ in topics:
        publisher.wait()


def notices_of(publisher, subscriber, count):
    """The next notices of an XPUB. A stock subscriber takes note of a new connection, and so sends
    its subscriptions, only while it is called."""
    received = []
    for _ in range(3000):
        subscriber("poll s")
        received += publisher.frames("get s 10") or []
        if len(received) == count:
            return received
    raise Failure(f"too few notices: {received}")


def transfer_without_drops(case, combo, role, flow):
    """A publisher told not to drop waits for its subscriber instead. The flow's topic is "topic"."""
    options = "sndhwm=10 xpub_nodrop=1", "rcvhwm=10"
    publisher, subscriber = connect_pair(case, combo, role, "xpub", "sub", *options)
    subscribe(subscriber, b"topic")
    expect(notices_of(publisher, subscriber, 1), [b"\1topic"])
    transfer(publisher, subscriber, flow)
