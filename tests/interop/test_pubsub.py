# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""PUB, XPUB, SUB and XSUB between two libraries."""

from flows import start_proxy, transfer
from matrix import OURS, PARTS, SIZES, SMALL, STOCK, TAGGED, Failure
from matrix import cases, combos, either_way, expect, frame, main
from subscriptions import ROLES, connect_pair, notices_of, publish, subscribe
from subscriptions import transfer_without_drops, unsubscribe

BOTH = either_way(combos(), ROLES)
MIDDLES = [(t, library) for t in ("tcp", "ipc") for library in (OURS, STOCK)]


def meet(publisher, subscriber, mark=b"~1"):
    """Returns once the publisher knows what the subscriber subscribed to. Then more of the marks
    may be under way: what receives next skips all that begins with "~"; the next mark differs."""
    subscribe(subscriber, mark)
    for _ in range(3000):
        publish(publisher, [mark])
        if subscriber.frames("get s 10") == [mark]:
            return
    raise Failure("subscriptions do not arrive")


def collect(subscriber, last, skip=b"~"):
    """What arrives up to the message `last`, without the marks."""
    received = []
    while not received or received[-1] != last:
        parts = subscriber.frames("get s")
        if not parts[0].startswith(skip):
            received.append(parts[0])
    return received


@cases([(*two, publisher) for two in BOTH for publisher in ("pub", "xpub")])
def sizes(case, combo, role, publisher_type):
    publisher, subscriber = connect_pair(case, combo, role, publisher_type, "sub")
    subscribe(subscriber, b"topic")
    meet(publisher, subscriber)
    flow = f"count=66 shapes={SIZES},{PARTS} topic=topic"
    publisher(f"send s {flow}")
    subscriber(f"recv s {flow} skip=~")


@cases(BOTH)
def flood(case, combo, role):
    publisher, subscriber = connect_pair(case, combo, role, "pub", "sub", "sndhwm=0", "rcvhwm=0")
    subscribe(subscriber, b"topic")
    meet(publisher, subscriber)
    flow = f"count=20000 shapes={SMALL} topic=topic"
    publisher(f"send s {flow}")
    subscriber(f"recv s {flow} skip=~")


@cases(BOTH)
def flood_without_drops(case, combo, role):
    transfer_without_drops(case, combo, role, f"count=20000 shapes={SMALL} topic=topic")


@cases(BOTH)
def topics(case, combo, role):
    """Prefixes of any length select messages, also long ones and the empty one."""
    publisher, subscriber = connect_pair(case, combo, role, "pub", "sub")
    long_topic = b"t" * 300
    wanted = (b"a", b"bc", b"\0\xff", long_topic)
    for topic in wanted:
        subscribe(subscriber, topic)
    meet(publisher, subscriber)
    sent = [b"a", b"ab", b"b", b"bc", b"bcd", b"bd", b"", b"\0", b"\0\xff", b"\0\xff\0", b"c"]
    sent += [long_topic[1:], long_topic, long_topic + b"!", b"x" * 300, b"a last"]
    publish(publisher, sent)
    expect(collect(subscriber, b"a last"), [t for t in sent if t.startswith(wanted)])
    subscribe(subscriber, b"")
    meet(publisher, subscriber, b"~2")
    publish(publisher, sent)
    expect(collect(subscriber, b"a last"), sent)


@cases(BOTH)
def before_and_after_connecting(case, combo, role):
    binding, connecting = combo.bind, combo.connect
    if role == ROLES[0]:
        publisher, subscriber = case.socket(binding, "pub"), case.socket(connecting, "sub")
        bound, connected = publisher, subscriber
    else:
        publisher, subscriber = case.socket(connecting, "pub"), case.socket(binding, "sub")
        bound, connected = subscriber, publisher
    subscribe(subscriber, b"early")
    connected(f"connect s {bound(f'bind s {combo.endpoint(case)}')}")
    meet(publisher, subscriber)
    publish(publisher, [b"late 1", b"early 1", b"other 1", b"early 2"])
    expect(collect(subscriber, b"early 2"), [b"early 1", b"early 2"])
    subscribe(subscriber, b"late")
    meet(publisher, subscriber, b"~2")
    publish(publisher, [b"late 3", b"early 3", b"other 3", b"early 4"])
    expect(collect(subscriber, b"early 4"), [b"late 3", b"early 3", b"early 4"])
    unsubscribe(subscriber, b"early")
    meet(publisher, subscriber, b"~3")
    publish(publisher, [b"late 5", b"early 5", b"other 5", b"late 6"])
    expect(collect(subscriber, b"late 6"), [b"late 5", b"late 6"])


@cases(BOTH)
def notices(case, combo, role):
    """An XPUB learns of the first subscription to a topic and of the last one's end, once."""
    publisher, subscriber = connect_pair(case, combo, role, "xpub", "sub")
    subscribe(subscriber, b"connected")
    expect(notices_of(publisher, subscriber, 1), [b"\1connected"])
    for topic in (b"a", b"b", b"a", b""):
        subscribe(subscriber, topic)
    expect([publisher.frames("get s") for _ in range(3)], [[b"\1a"], [b"\1b"], [b"\1"]])
    for topic in (b"a", b"b", b"a", b""):
        unsubscribe(subscriber, topic)
    expect([publisher.frames("get s") for _ in range(3)], [[b"\0b"], [b"\0a"], [b"\0"]])
    many = [b"%d" % number for number in range(500)]
    for topic in many:
        subscriber.post(f"set s subscribe={frame(topic)}")
    for topic in many:
        subscriber.wait()
        expect(publisher.frames("get s"), [b"\1" + topic])
    publish(publisher, many)
    for topic in many:
        expect(subscriber.frames("get s"), [topic])


@cases(BOTH)
def notices_to_every_subscription(case, combo, role):
    """A verbose XPUB hears of repeated ones too. An XSUB sends messages, not options."""
    publisher, subscriber = connect_pair(case, combo, role, "xpub", "xsub", "xpub_verbose=1", "")
    publish(subscriber, [b"\1connected"])
    expect(notices_of(publisher, subscriber, 1), [b"\1connected"])
    for message in (b"\1a", b"\1a", b"\1b", b"\0a", b"\0a"):
        publish(subscriber, [message])
    received = [publisher.frames("get s") for _ in range(4)]
    expect(received, [[b"\1a"], [b"\1a"], [b"\1b"], [b"\0a"]])


@cases(BOTH)
def messages_upstream(case, combo, role):
    """What an XSUB sends that is no subscription reaches the XPUB as it is."""
    publisher, subscriber = connect_pair(case, combo, role, "xpub", "xsub")
    publish(subscriber, [b"\1topic"])
    expect(notices_of(publisher, subscriber, 1), [b"\1topic"])
    subscriber("put s hello,-,parts")
    expect(publisher.frames("get s"), [b"hello", b"", b"parts"])
    # Every part that begins with 0 or 1 would be a subscription, so single parts with a prefix.
    flow = f"count=36 shapes={SIZES} topic=up"
    transfer(subscriber, publisher, flow)
    flow = f"count=66 shapes={SIZES},{PARTS} topic=topic"
    transfer(publisher, subscriber, flow)


@cases(combos())
def welcome(case, combo):
    """A subscriber learns from the welcome message that it is connected."""
    publisher = case.socket(combo.bind, "xpub", "xpub_welcome_msg=welcome")
    endpoint = publisher(f"bind s {combo.endpoint(case)}")
    subscriber = case.socket(combo.connect, "sub")
    subscribe(subscriber, b"we")
    subscriber(f"connect s {endpoint}")
    expect(notices_of(publisher, subscriber, 1), [b"\1we"])
    expect(subscriber.frames("get s"), [b"welcome"])


@cases([(combo, library) for combo in combos() for library in (OURS, STOCK)])
def publisher_comes_back(case, combo, library):
    """Killed and started again, on either library, it is told all subscriptions again."""
    publisher = case.socket(combo.bind, "xpub")
    endpoint = publisher(f"bind s {combo.endpoint(case)}")
    subscriber = case.socket(combo.connect, "sub", "reconnect_ivl=10")
    topics_wanted = {b"one", b"two", b"three", b""}
    for topic in topics_wanted:
        subscribe(subscriber, topic)
    subscriber(f"connect s {endpoint}")
    for number in range(4):
        seen = notices_of(publisher, subscriber, len(topics_wanted))
        expect(sorted(seen), sorted(b"\1" + topic for topic in topics_wanted))
        publish(publisher, [b"two %d" % number, b"four"])
        expect(subscriber.frames("get s"), [b"two %d" % number])
        if b"" in topics_wanted:
            expect(subscriber.frames("get s"), [b"four"])
        publisher.kill()
        # What changes while nobody is there counts as well.
        if number == 1:
            unsubscribe(subscriber, b"")
            subscribe(subscriber, b"five")
            topics_wanted = {b"one", b"two", b"three", b"five"}
        publisher = case.socket(combo.bind if number % 2 else library, "xpub")
        publisher(f"bind s {endpoint}")


@cases([(combo, library) for combo in combos() for library in (OURS, STOCK)])
def subscriber_comes_back(case, combo, library):
    """The publisher drops what a killed subscriber wanted and takes what its successor wants."""
    publisher = case.socket(combo.bind, "xpub")
    endpoint = publisher(f"bind s {combo.endpoint(case)}")
    for number in range(4):
        topic = b"topic %d" % number
        subscriber = case.socket(combo.connect if number % 2 else library, "sub")
        subscribe(subscriber, topic)
        subscriber(f"connect s {endpoint}")
        expect(publisher.frames("get s"), [b"\1" + topic])
        publish(publisher, [b"topic", topic])
        expect(subscriber.frames("get s"), [topic])
        subscriber.kill()
        expect(publisher.frames("get s"), [b"\0" + topic])


@cases(MIDDLES)
def many_subscribers(case, transport, library):
    """Each gets its own selection, from one publisher, in order and complete."""
    publisher = case.socket(library, "xpub", "sndhwm=0")
    endpoint = publisher(f"bind s {case.endpoint(transport)}")
    subscribers = [case.socket(other, "sub", "rcvhwm=0") for other in (OURS, STOCK, OURS, STOCK)]
    for number, subscriber in enumerate(subscribers):
        subscribe(subscriber, b"all")
        subscribe(subscriber, b"own%d" % number)
        subscriber(f"connect s {endpoint}")
    # "all" is news once, "own" every time; the two of one subscriber arrive together.
    expected = {b"\1all", *(b"\1own%d" % number for number in range(4))}
    expect({publisher.frames("get s")[0] for _ in range(5)}, expected)
    flow = f"count=500 shapes={SMALL},{PARTS}"
    publisher(f"send s stream=9 topic=all {flow}")
    for number in range(4):
        publisher(f"send s stream={number} topic=own{number} {flow}")
    for number, subscriber in enumerate(subscribers):
        subscriber(f"recv s stream=9 topic=all {flow}")
        subscriber(f"recv s stream={number} topic=own{number} {flow}")


@cases(
    [
        (transport, *libraries)
        for transport in ("tcp", "ipc")
        for libraries in ((OURS, STOCK, OURS), (STOCK, OURS, STOCK))
    ]
)
def through_proxy(case, transport, publishing, between, subscribing):
    """Subscriptions travel up through XPUB, zmq_proxy and XSUB, messages down."""
    sockets = "xsub rcvhwm=0 sndhwm=0", "xpub rcvhwm=0 sndhwm=0"
    front, back = start_proxy(case, transport, between, *sockets)
    publisher = case.socket(publishing, "xpub", "sndhwm=0")
    publisher(f"connect s {front}")
    subscribers = [case.socket(subscribing, "sub", "rcvhwm=0") for _ in range(2)]
    for number, subscriber in enumerate(subscribers):
        subscribe(subscriber, b"own%d" % number)
        subscriber(f"connect s {back}")
        expect(publisher.frames("get s"), [b"\1own%d" % number])
    flow = f"count=2000 shapes={SMALL},{PARTS}"
    for number in range(2):
        publisher(f"send s stream={number} topic=own{number} {flow}")
    for number, subscriber in enumerate(subscribers):
        subscriber(f"recv s stream={number} topic=own{number} {flow}")
        unsubscribe(subscriber, b"own%d" % number)
        expect(publisher.frames("get s"), [b"\0own%d" % number])


@cases(BOTH)
def slow_subscriber(case, combo, role):
    """While a subscriber stands still its publisher goes on and drops whole messages for it; what
    it gets later is in order, and at least half of what the publisher's queue holds."""
    options = "sndhwm=100", "rcvhwm=100"
    publisher, subscriber = connect_pair(case, combo, role, "pub", "sub", *options)
    subscribe(subscriber, b"topic")
    meet(publisher, subscriber)
    subscriber.pause()
    flow = f"shapes={TAGGED},{TAGGED},20000+5 topic=topic"
    publisher(f"send s count=20000 {flow}")
    subscriber.go_on()
    subscriber(f"follow s count=50 {flow} skip=~")
    unsubscribe(subscriber, b"topic")
    subscribe(subscriber, b"end")
    while subscriber.frames("get s 10") != [b"end"]:
        publish(publisher, [b"end"])


main()
