# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""PUB, XPUB, SUB and XSUB over ws:// between two libraries. Subscriptions are messages there."""

from flows import transfer
from matrix import OURS, PARTS, SMALL, STOCK
from matrix import cases, combos, either_way, expect, main
from subscriptions import ROLES, connect_pair, notices_of, publish, subscribe
from subscriptions import transfer_without_drops, unsubscribe

BOTH = either_way(combos(("ws",)), ROLES)
SIZES = "0,1,120,124,125,126,255,256,65533,65534,65535,65536,300000"


@cases(BOTH)
def sizes(case, combo, role):
    publisher, subscriber = connect_pair(case, combo, role, "xpub", "sub")
    subscribe(subscriber, b"topic")
    expect(notices_of(publisher, subscriber, 1), [b"\1topic"])
    flow = f"count=74 shapes={SIZES},{PARTS} topic=topic"
    transfer(publisher, subscriber, flow)


@cases(BOTH)
def flood_without_drops(case, combo, role):
    transfer_without_drops(case, combo, role, f"count=20000 shapes={SMALL} topic=topic")


@cases(BOTH)
def topics_come_and_go(case, combo, role):
    """Empty, binary and long topics; those that are cancelled deliver nothing any more."""
    publisher, subscriber = connect_pair(case, combo, role, "xpub", "sub")
    long_topic = b"t" * 300
    wanted = (b"a", b"bc", b"\0\xff", long_topic)
    for topic in wanted:
        subscribe(subscriber, topic)
    expect(sorted(notices_of(publisher, subscriber, 4)), sorted(b"\1" + t for t in wanted))
    sent = [b"a", b"ab", b"b", b"bc", b"bcd", b"", b"\0", b"\0\xff\0", long_topic[1:], long_topic]
    sent += [b"x" * 300, b"a last"]
    publish(publisher, sent)
    for topic in sent:
        if topic.startswith(wanted):
            expect(subscriber.frames("get s"), [topic])
    subscribe(subscriber, b"")
    expect(publisher.frames("get s"), [b"\1"])
    publish(publisher, sent)
    for topic in sent:
        expect(subscriber.frames("get s"), [topic])
    for topic in (b"", b"bc", long_topic):
        unsubscribe(subscriber, topic)
        expect(publisher.frames("get s"), [b"\0" + topic])
    publish(publisher, sent)
    for topic in sent:
        if topic.startswith((b"a", b"\0\xff")):
            expect(subscriber.frames("get s"), [topic])


@cases(BOTH)
def pub_learns_too(case, combo, role):
    """A PUB says nothing about its subscribers; it sends until the first message gets through."""
    publisher, subscriber = connect_pair(case, combo, role, "pub", "sub")
    subscribe(subscriber, b"topic")
    for _ in range(3000):
        publish(publisher, [b"topic first"])
        if subscriber.frames("get s 10"):
            break
    publish(publisher, [b"other", b"topic last"])
    while subscriber.frames("get s") != [b"topic last"]:
        pass


@cases(BOTH)
def upstream(case, combo, role):
    """XSUB to XPUB: subscriptions by hand, and what is none, as it is."""
    publisher, subscriber = connect_pair(case, combo, role, "xpub", "xsub", "xpub_verbose=1", "")
    publish(subscriber, [b"\1topic"])
    expect(notices_of(publisher, subscriber, 1), [b"\1topic"])
    publish(subscriber, [b"\1topic", b"\1b", b"\0b"])
    expect([publisher.frames("get s") for _ in range(3)], [[b"\1topic"], [b"\1b"], [b"\0b"]])
    subscriber("put s hello,-,parts")
    expect(publisher.frames("get s"), [b"hello", b"", b"parts"])
    flow = f"count=26 shapes={SIZES} topic=up"
    transfer(subscriber, publisher, flow)
    flow = f"count=74 shapes={SIZES},{PARTS} topic=topic"
    transfer(publisher, subscriber, flow)


@cases(combos(("ws",)))
def publisher_comes_back(case, combo):
    """It is told all subscriptions again, on either library."""
    publisher = case.socket(combo.bind, "xpub")
    endpoint = publisher(f"bind s {combo.endpoint(case)}")
    subscriber = case.socket(combo.connect, "sub", "reconnect_ivl=10 subscribe=one")
    subscribe(subscriber, b"two")
    subscriber(f"connect s {endpoint}")
    for library in (OURS, STOCK, OURS):
        expect(sorted(notices_of(publisher, subscriber, 2)), [b"\1one", b"\1two"])
        publish(publisher, [b"three", b"two"])
        expect(subscriber.frames("get s"), [b"two"])
        publisher.kill()
        publisher = case.socket(library, "xpub")
        publisher(f"bind s {endpoint}")


@cases(combos(("ws",)))
def many_subscribers(case, combo):
    publisher = case.socket(combo.bind, "xpub", "sndhwm=0")
    endpoint = publisher(f"bind s {combo.endpoint(case)}")
    subscribers = [case.socket(library, "sub", "rcvhwm=0") for library in (OURS, STOCK) * 2]
    for number, subscriber in enumerate(subscribers):
        subscriber(f"set s subscribe={number}")
        subscriber(f"connect s {endpoint}")
        expect(notices_of(publisher, subscriber, 1), [b"\1%d" % number])
    for number in range(len(subscribers)):
        publisher(f"send s stream={number} count=2000 shapes={SMALL} topic={number}")
    for number, subscriber in enumerate(subscribers):
        subscriber(f"recv s stream={number} count=2000 shapes={SMALL} topic={number}")


main()
