# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
# ctest-nosan (what it makes our library do is done by test_ws.py and test_ws_server.py as well)
"""jszmq under Node.js, whose protocol is plain ZWS2.0, against our sockets: over ws:// and wss://,
connecting and bound."""

import os

import npm_packages
from certificates import Authority
from foreign import Program, free_port, own_address
from matrix import OURS, PARTS, SMALL, SOURCE_DIR, cases, expect, frame, main

SCRIPT = os.path.join(SOURCE_DIR, "tests", "interop", "jszmq_program.js")
SIZES = "0,1,33,124,125,126,255,8192,65534,65535,65536,300000"


def program(case, *arguments, **environment):
    variables = {**npm_packages.environment(), **environment}
    return Program(case, "node", SCRIPT, *arguments, environment=variables)


def bound_port(started, which=0):
    """Of the program's first or second bind."""
    found = started.wait_for(rb"(?:bound \d+.*){%d}bound (\d+)\n" % which)
    return int(found.group(1))


def expect_done(started):
    expect(started.join(), 0, f"exit status\n{started.text()}")
    started.wait_for(rb"done\n")


ASKING = [("req", "rep"), ("req", "router"), ("dealer", "router"), ("dealer", "dealer")]
ANSWERING = [("rep", "req"), ("router", "req"), ("router", "dealer"), ("dealer", "dealer")]
PAIRS = [("pair", "pair")]


@cases(ASKING + PAIRS)
def they_ask(case, theirs, ours):
    server = case.socket(OURS, ours)
    endpoint = server(f"bind s {case.endpoint('ws')}")
    server("serve s")
    expect_done(program(case, "ask", theirs, endpoint, "60"))


@cases(ANSWERING + PAIRS)
def we_ask(case, theirs, ours):
    """jszmq binds and echoes."""
    started = program(case, "echo", theirs, "bind", "ws://127.0.0.1:0")
    client = case.socket(OURS, ours)
    client(f"connect s ws://127.0.0.1:{bound_port(started)}")
    client(f"ask s count=72 shapes={SIZES},{PARTS}")
    if ours in ("dealer", "pair"):
        client(f"ask s stream=2 count=5000 window=100 shapes={SMALL}")


@cases([("rep", "dealer"), ("pair", "pair"), ("dealer", "dealer")])
def we_ask_through_our_bind(case, theirs, ours):
    """Our bound socket speaks first, to a jszmq that has connected."""
    server = case.socket(OURS, ours)
    endpoint = server(f"bind s {case.endpoint('ws')}")
    program(case, "echo", theirs, "connect", endpoint)
    head = "head=-" if theirs == "rep" else ""
    server(f"ask s count=72 shapes={SIZES},{PARTS} {head}")


@cases(("ws", "wss"))
def through_a_pipeline(case, transport):
    """From our PUSH to a jszmq PULL, from its PUSH to our PULL: what arrives is what was sent."""
    options, environment = "", {}
    if transport == "wss":
        authority = Authority(case.folder)
        options = authority.server(f"IP:{own_address(case)}").options()
        environment = {"NODE_EXTRA_CA_CERTS": authority.pem}
    peer = case.peer(OURS)
    peer(f"socket out push {options}")
    peer(f"socket in pull {options}")
    out = peer(f"bind out {case.endpoint(transport)}")
    back = peer(f"bind in {case.endpoint(transport)}")
    program(case, "forward", "pull", "connect", out, "push", "connect", back, **environment)
    for flow in (f"stream=1 count=72 shapes={SIZES},{PARTS}", f"stream=2 count=5000 shapes={SMALL}"):
        peer(f"send out {flow}")
        peer(f"recv in {flow}")


@cases()
def through_bound_pipeline(case):
    """The same the other way round: jszmq binds both."""
    any_port = "ws://127.0.0.1:0"
    started = program(case, "forward", "pull", "bind", any_port, "push", "bind", any_port)
    peer = case.peer(OURS)
    peer("socket out push")
    peer("socket in pull")
    peer(f"connect in ws://127.0.0.1:{bound_port(started)}")
    peer(f"connect out ws://127.0.0.1:{bound_port(started, 1)}")
    flow = f"count=72 shapes={SIZES},{PARTS}"
    peer(f"send out {flow}")
    peer(f"recv in {flow}")


@cases()
def subscriber(case):
    """Its subscriptions are messages; an XPUB sees them come and go, also after a reconnect."""
    publisher = case.socket(OURS, "xpub")
    endpoint = publisher(f"bind s {case.endpoint('ws')}")
    started = program(case, "topics", endpoint)
    expect(publisher.frames("get s"), [b"\1a"])
    for message in ("b,early", "a1,p,-,q", frame(b"a cancel")):
        publisher(f"put s {message}")
    expect([publisher.frames("get s") for _ in range(2)], [[b"\0a"], [b"\1b"]])
    publisher("put s a2")
    publisher(f"put s {frame(b'b end')}")
    expect_done(started)
    started.wait_for(rb"^got a1\+p\+\+q\ngot a cancel\ngot b end\ndone\n$")
    expect(publisher.frames("get s"), [b"\0b"], "it is gone")


@cases()
def publisher_comes_back(case):
    publisher = case.socket(OURS, "xpub")
    endpoint = publisher(f"bind s {case.endpoint('ws')}")
    program(case, "topics", endpoint)
    expect(publisher.frames("get s"), [b"\1a"])
    publisher.kill()
    publisher = case.socket(OURS, "xpub")
    publisher(f"bind s {endpoint}")
    expect(publisher.frames("get s"), [b"\1a"])


@cases()
def publisher(case):
    """Our PUSH to a jszmq PULL, which goes on to its XPUB, to which our SUB has subscribed."""
    peer = case.peer(OURS)
    peer("socket out push")
    peer(f"socket in sub subscribe=topic")
    out = peer(f"bind out {case.endpoint('ws')}")
    any_port = "ws://127.0.0.1:0"
    started = program(case, "forward", "pull", "connect", out, "xpub", "bind", any_port)
    peer(f"connect in ws://127.0.0.1:{bound_port(started)}")
    flow = f"count=72 shapes={SIZES},{PARTS} topic=topic"
    peer("put out other")
    peer(f"send out {flow}")
    peer(f"recv in {flow}")


@cases()
def they_subscribe_and_pass_on(case):
    """Our XPUB to a jszmq SUB, which goes on to its PUSH, to our PULL."""
    peer = case.peer(OURS)
    peer("socket out xpub sndhwm=0")
    peer("socket in pull rcvhwm=0")
    out, back = (peer(f"bind {name} {case.endpoint('ws')}") for name in ("out", "in"))
    program(case, "forward", "sub", "connect", out, "push", "connect", back, "topic")
    expect(peer.frames("get out"), [b"\1topic"])
    flow = f"count=5000 shapes={SMALL},70000 topic=topic"
    peer(f"send out {flow}")
    peer("put out other")
    peer(f"recv in {flow}")


@cases()
def many_dealers(case):
    """Each gets its own answers back."""
    server = case.socket(OURS, "router")
    endpoint = server(f"bind s {case.endpoint('ws')}")
    server("serve s")
    for started in [program(case, "ask", "dealer", endpoint, "40") for _ in range(3)]:
        expect_done(started)


@cases()
def connects_before_the_bind(case):
    host = own_address(case)
    endpoint = f"ws://{host}:{free_port(host)}"
    started = program(case, "ask", "req", endpoint, "5")
    server = case.socket(OURS, "rep")
    server(f"bind s {endpoint}")
    server("serve s")
    expect_done(started)


@cases()
def verified(case):
    """wss: Node.js does not talk to a server whose CA it does not know, and does when it does."""
    authority = Authority(case.folder)
    certificate = authority.server(f"IP:{own_address(case)}")
    server = case.socket(OURS, "rep", certificate.options())
    server("monitor s")
    endpoint = server(f"bind s {case.endpoint('wss')}")
    program(case, "ask", "req", endpoint, "5")
    server("event s HANDSHAKE_FAILED_NO_DETAIL")
    server("serve s")
    expect_done(program(case, "ask", "req", endpoint, "20", NODE_EXTRA_CA_CERTS=authority.pem))


npm_packages.need()
main()
