# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 90
"""Our WebSocket server against clients made by hand: RFC 6455 and RFC 45 over the wire, what is right
and what is hostile. After each the next client is served."""

import struct

from foreign import host_and_port
from matrix import OURS, cases, expect, frame as spell, main
from ws_wire import BARE, BINARY, CLOSE, CONTINUATION, NORMAL, NULL, PING, PONG, PROTOCOL_ERROR
from ws_wire import KEY, SWITCHING, TEXT, TOO_BIG, UNSUPPORTED, Client, frame, ready, request

MASK = b"\x37\xfa\x21\x3d"


def bound(case, socket_type="router", options="", path=""):
    server = case.socket(OURS, socket_type, options)
    server("monitor s")
    endpoint = server(f"bind s {case.endpoint('ws')}{path}")
    return server, host_and_port(endpoint)


def expect_service(server, address):
    """A DEALER with an identity of its own gets an answer."""
    with Client(address) as client:
        client.begin("DEALER", b"good")
        client.send(BINARY, b"\0question")
        expect(server.frames("get s"), [b"good", b"question"])
        server("put s good,answer")
        client.expect(BINARY, b"\0answer")


# Requests

# What differs from the ordinary request, and the status that answers it; None: no answer at all.
REFUSED = {
    "no upgrade": (["Upgrade:"], 400),
    "other upgrade": (["Upgrade: h2c"], 400),
    "no connection": (["Connection:"], 400),
    "other connection": (["Connection: keep-alive"], 400),
    "no host": (["Host:"], 400),
    "no key": (["Sec-WebSocket-Key:"], 400),
    "short key": (["Sec-WebSocket-Key: c2hvcnQ="], 400),
    "key that is no base64": (["Sec-WebSocket-Key: " + "!" * 24], 400),
    "no version": (["Sec-WebSocket-Version:"], 400),
    "other version": (["Sec-WebSocket-Version: 8"], 426),
    "no protocol": (["Sec-WebSocket-Protocol:"], 400),
    "other protocol": (["Sec-WebSocket-Protocol: ZWS1.0, mqtt"], 400),
    "protocol in lower case": (["Sec-WebSocket-Protocol: zws2.0/null"], 400),
    "mechanism that is not ours": (["Sec-WebSocket-Protocol: ZWS2.0/PLAIN"], 400),
    "body": (["Content-Length: 5"], 400),
    "chunks": (["Transfer-Encoding: chunked"], 400),
    "folded field": (["X-Folded: a\r\n b"], 400),
    "control character": (["X-Odd: a\x01b"], 400),
    "NUL": (["X-Odd: a\0b"], 400),
    "blank before the colon": (["X-Odd : a"], 400),
    "no colon": (["Nonsense"], 400),
    "bare LF": (["X-Odd: a\nX-More: b"], 400),
    "endless field": (["X-Long: " + "a" * 9000], 431),
    "endless head": ([f"X-{n}: {'a' * 1000}" for n in range(20)], 431),
    "too many fields": ([f"X-{n}: a" for n in range(150)], 431),
    "second key": ([f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Key: {'A' * 22}=="], 400),
}
LINES = {
    "POST": ("POST / HTTP/1.1", 405),
    "HTTP/1.0": ("GET / HTTP/1.0", 400),
    "HTTP/2": ("GET / HTTP/2", 400),
    "other path": ("GET /other HTTP/1.1", 404),
    "no target": ("GET  HTTP/1.1", 400),
    "no version": ("GET /", 400),
    "long target": ("GET /" + "a" * 9000 + " HTTP/1.1", 414),
}


def expect_refusal(case, octets, status):
    server, address = bound(case)
    with Client(address) as client:
        client.write(octets(client.host()))
        lines = client.head()
        expect([int(line.split()[1]) for line in lines[:1]], [status] if status else [], "status")
        client.expect_eof()
    server("event s HANDSHAKE_FAILED_PROTOCOL")
    expect_service(server, address)


@cases(REFUSED)
def request_refused(case, name):
    changes, status = REFUSED[name]
    expect_refusal(case, lambda host: request(host, *changes), status)


@cases(LINES)
def request_line_refused(case, name):
    line, status = LINES[name]
    expect_refusal(case, lambda host: request(host, line=line), status)


@cases(
    [
        ("greeting of ZMTP", b"\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL" + b"\0" * 48),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 32),
        ("NULs", b"\0" * 64),
    ]
)
def no_http(case, name, octets):
    """Closed without an answer."""
    expect_refusal(case, lambda host: octets, None)


ACCEPTED = {
    "as libzmq": [],
    "tokens in any case": ["Upgrade: WebSocket", "Connection: upgrade"],
    "as a browser": [
        "Connection: keep-alive, Upgrade",
        "Origin: http://localhost",
        "User-Agent: x",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        "Cache-Control: no-cache",
    ],
    "blanks and tabs": [
        "Upgrade: \t websocket ",
        "Connection:keep-alive \t,\tUpgrade , x",
        f"Sec-WebSocket-Protocol: mqtt ,\t{NULL} , {BARE}",
    ],
    "protocols in two fields": [f"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Protocol: {NULL}"],
    "names in any case": ["SEC-WEBSOCKET-VERSION: 13", "upgrade: websocket"],
    "many fields": [f"X-{n}: a" for n in range(80)],
    "long field": ["Cookie: " + "a" * 7000],
}


@cases(ACCEPTED)
def request_accepted(case, name):
    server, address = bound(case)
    with Client(address) as client:
        client.write(request(client.host(), *ACCEPTED[name]))
        lines = client.head()
        expect(lines[:1], [SWITCHING])
        expect(any("Extensions" in line for line in lines), False, "extensions")
        client.send(BINARY, ready("DEALER", b"me"))
        client.receive()
        client.send(BINARY, b"\0hello")
        expect(server.frames("get s"), [b"me", b"hello"])


@cases()
def request_in_single_octets(case):
    """And the first frames in the same piece as its end."""
    server, address = bound(case)
    with Client(address) as client:
        octets = request(client.host())
        for octet in octets[:-1]:
            client.write(bytes([octet]))
        rest = frame(BINARY, ready("DEALER", b"me"), MASK) + frame(BINARY, b"\0hello", MASK)
        client.write(octets[-1:] + rest)
        expect(client.head()[:1], [SWITCHING])
        expect(server.frames("get s"), [b"me", b"hello"])


@cases()
def path_is_checked(case):
    server, address = bound(case, path="/some/where")
    with Client(address) as client:
        client.write(request(client.host()))
        expect(client.head()[:1], ["HTTP/1.1 404 Not Found"])
    with Client(address) as client:
        client.upgrade(path="/some/where?query=1")
        client.send(BINARY, ready("DEALER", b"me"))
        client.receive()
        client.send(BINARY, b"\0hello")
        expect(server.frames("get s"), [b"me", b"hello"])


OFFERS = [(f"{NULL},{BARE}", NULL), (f"{BARE},{NULL}", BARE), (BARE, BARE), (f"x, {NULL}", NULL)]


@cases(OFFERS)
def protocol_in_the_order_of_the_client(case, protocols, chosen):
    _, address = bound(case)
    with Client(address) as client:
        client.upgrade(protocols, chosen)


@cases(("nothing", "half a request", "no READY"))
def deadline(case, what):
    server, address = bound(case, options="handshake_ivl=1000")
    with Client(address) as client:
        if what == "half a request":
            client.write(request(client.host())[:100])
        elif what == "no READY":
            client.upgrade()
        client.expect_eof()
    expect_service(server, address)


# Frames


@cases()
def bare(case):
    """ZWS2.0: identities, then messages, no READY. The vectors are those of RFC 6455's mask."""
    server, address = bound(case)
    with Client(address) as client:
        client.upgrade(BARE, BARE)
        client.write(bytes.fromhex("828637fa213d379b4d54549f"))  # "alice"
        client.expect(BINARY, b"\0", "identity")
        client.write(bytes.fromhex("828137fa213d36828637fa213d379244515b95"))  # "", "hello"
        expect(server.frames("get s"), [b"alice", b"", b"hello"])
        server("put s alice,-,world")
        client.expect(BINARY, b"\1")
        client.expect(BINARY, b"\0world")
        client.send(PING, b"still there?")
        client.expect(PONG, b"still there?")
        client.send(CLOSE, struct.pack(">H", NORMAL))
        client.expect_end(NORMAL)


@cases()
def bare_anonymous(case):
    server, address = bound(case)
    with Client(address) as client:
        client.upgrade(BARE, BARE)
        client.send(BINARY, b"\0")
        client.expect(BINARY, b"\0", "identity")
        client.send(BINARY, b"\0hello")
        routing_id, content = server.frames("get s")
        expect((len(routing_id), routing_id[:1], content), (5, b"\0", b"hello"))
        server(f"put s {spell(routing_id)},back")
        client.expect(BINARY, b"\0back")


LENGTHS = [(size, form) for size in (0, 5, 124, 125, 65534) for form in (None, 126, 127)]
LENGTHS += [(size, form) for size in (65535, 300000) for form in (None, 127)]


@cases(LENGTHS)
def lengths(case, size, form):
    """Every form of length that can hold the size is read; the shortest is written."""
    server, address = bound(case, "rep")
    with Client(address) as client:
        client.begin("REQ")
        content = bytes(number % 251 for number in range(size))
        client.send(BINARY, b"\1")
        client.send(BINARY, b"\0" + content, length_form=form)
        server("echo s")
        client.expect(BINARY, b"\1")
        client.expect(BINARY, b"\0" + content)


@cases()
def fragments(case):
    """Flags come with the first octet, wherever it is; pings may come between fragments."""
    server, address = bound(case, "router")
    with Client(address) as client:
        client.begin("DEALER", b"me")
        client.send(BINARY, b"\0he", first=0)
        client.send(PING, b"between")
        client.send(CONTINUATION, b"", first=0)
        client.send(CONTINUATION, b"llo")
        client.expect(PONG, b"between")
        expect(server.frames("get s"), [b"me", b"hello"])
        client.send(BINARY, b"", first=0)
        client.send(CONTINUATION, b"", first=0)
        client.send(CONTINUATION, b"\1", first=0)
        client.send(CONTINUATION, b"part")
        client.send(BINARY, b"\0", first=0)
        client.send(CONTINUATION, b"")
        expect(server.frames("get s"), [b"me", b"part", b""])
        big = b"\0" + bytes(number % 253 for number in range(200000))
        client.send(BINARY, big[:1], first=0)
        for start in range(1, len(big), 9973):
            client.send(CONTINUATION, big[start : start + 9973], first=0)
        client.send(CONTINUATION, b"")
        expect(server.frames("get s"), [b"me", big[1:]])


@cases()
def frames_in_single_octets(case):
    server, address = bound(case)
    with Client(address) as client:
        client.begin("DEALER", b"me")
        octets = frame(BINARY, b"\1one", MASK) + frame(PING, b"x", MASK)
        octets += frame(BINARY, b"\0two", MASK)
        for octet in octets:
            client.write(bytes([octet]))
        expect(server.frames("get s"), [b"me", b"one", b"two"])
        client.expect(PONG, b"x")


@cases()
def pings(case):
    """Echoed to the last octet; pongs that nobody asked for are taken."""
    server, address = bound(case)
    with Client(address) as client:
        client.begin("DEALER", b"me")
        for payload in (b"", b"a", bytes(range(125))):
            client.send(PING, payload)
            client.expect(PONG, payload)
        client.send(PONG, b"unasked")
        client.send(BINARY, b"\0hello")
        expect(server.frames("get s"), [b"me", b"hello"])


@cases()
def pings_before_ready(case):
    server, address = bound(case)
    with Client(address) as client:
        client.upgrade()
        client.send(PING, b"early")
        client.send(BINARY, ready("DEALER", b"me"))
        seen = sorted(client.receive()[0] for _ in range(2))
        expect(seen, [BINARY, PONG], "READY and pong")
        client.send(BINARY, b"\0hello")
        expect(server.frames("get s"), [b"me", b"hello"])


@cases()
def flood_of_pings(case):
    """Unread pongs do not pile up without end, and do not stop others."""
    server, address = bound(case)
    with Client(address) as client:
        client.begin("DEALER", b"flood")
        octets = frame(PING, b"x" * 125, MASK) * 1000
        client.connection.settimeout(2)
        try:
            for _ in range(100):
                client.write(octets)
        except OSError:
            pass  # it may stop reading us, or leave us
        expect_service(server, address)


@cases([(NORMAL, b""), (1001, b"bye"), (3000, b""), (4999, b"r" * 123)])
def goodbye(case, code, reason):
    """A close frame is answered with its code, and the connection ends."""
    server, address = bound(case)
    with Client(address) as client:
        client.begin("DEALER", b"me")
        client.send(BINARY, b"\0last")
        client.send(CLOSE, struct.pack(">H", code) + reason)
        client.expect_end(code)
    expect(server.frames("get s"), [b"me", b"last"])
    server("event s DISCONNECTED")
    expect_service(server, address)


@cases()
def goodbye_without_code(case):
    server, address = bound(case)
    with Client(address) as client:
        client.begin("DEALER", b"me")
        client.send(CLOSE)
        client.expect(CLOSE, b"")
        client.expect_eof()
    expect_service(server, address)


def binary(payload=b"\0x", **how):
    return frame(BINARY, payload, MASK, **how)


HOSTILE = {
    "unmasked": (frame(BINARY, b"\0x"), PROTOCOL_ERROR),
    "unmasked ping": (frame(PING), PROTOCOL_ERROR),
    "text": (frame(TEXT, b"\0x", MASK), UNSUPPORTED),
    "continuation of nothing": (frame(CONTINUATION, b"\0x", MASK), PROTOCOL_ERROR),
    "message inside another": (binary(first=0) + binary(), PROTOCOL_ERROR),
    "empty message": (binary(b""), PROTOCOL_ERROR),
    "empty message in fragments": (
        binary(b"", first=0) + frame(CONTINUATION, b"", MASK),
        PROTOCOL_ERROR,
    ),
    "RSV1": (binary(first=0xC0), PROTOCOL_ERROR),
    "RSV2": (binary(first=0xA0), PROTOCOL_ERROR),
    "RSV3": (binary(first=0x90), PROTOCOL_ERROR),
    "reserved data opcode": (frame(3, b"\0x", MASK), PROTOCOL_ERROR),
    "reserved control opcode": (frame(11, b"x", MASK), PROTOCOL_ERROR),
    "fragmented ping": (frame(PING, b"x", MASK, first=0), PROTOCOL_ERROR),
    "ping of 126 octets": (frame(PING, b"x" * 126, MASK), PROTOCOL_ERROR),
    "close of 126 octets": (frame(CLOSE, b"\3\xe8" + b"x" * 124, MASK), PROTOCOL_ERROR),
    "close of one octet": (frame(CLOSE, b"\3", MASK), PROTOCOL_ERROR),
    "close 999": (frame(CLOSE, struct.pack(">H", 999), MASK), PROTOCOL_ERROR),
    "close 1005": (frame(CLOSE, struct.pack(">H", 1005), MASK), PROTOCOL_ERROR),
    "close 1006": (frame(CLOSE, struct.pack(">H", 1006), MASK), PROTOCOL_ERROR),
    "close 2000": (frame(CLOSE, struct.pack(">H", 2000), MASK), PROTOCOL_ERROR),
    "length with the top bit": (b"\x82\xff" + b"\xff" * 8 + MASK, PROTOCOL_ERROR),
    "length over the limit": (b"\x82\xff" + struct.pack(">Q", 1 << 40) + MASK, TOO_BIG),
    "one octet over the limit": (binary(b"\0" + b"x" * 100001), TOO_BIG),
    "fragments over the limit": (
        binary(b"\0" + b"x" * 60000, first=0)
        + frame(CONTINUATION, b"x" * 60000, MASK, first=0),
        TOO_BIG,
    ),
    "reserved flags": (binary(b"\4x"), PROTOCOL_ERROR),
    "all flags": (binary(b"\xffx"), PROTOCOL_ERROR),
    "command with more": (binary(b"\3\4PING"), PROTOCOL_ERROR),
}


@cases(HOSTILE)
def frame_refused(case, name):
    octets, code = HOSTILE[name]
    server, address = bound(case, options="maxmsgsize=100000")
    with Client(address) as client:
        client.begin("DEALER", b"bad")
        client.send(BINARY, b"\0before")
        client.write(octets)
        client.expect_end(code)
    server("event s DISCONNECTED")
    expect(server.frames("get s"), [b"bad", b"before"])
    expect_service(server, address)


@cases()
def message_at_the_limit(case):
    server, address = bound(case, options="maxmsgsize=100000")
    with Client(address) as client:
        client.begin("DEALER", b"me")
        client.send(BINARY, b"\0" + b"x" * 100000)
        expect(server.frames("get s"), [b"me", b"x" * 100000])


@cases(("unmasked", "text", "empty message", "reserved flags"))
def frame_refused_before_ready(case, name):
    octets, _ = HOSTILE[name]
    server, address = bound(case)
    with Client(address) as client:
        client.upgrade()
        client.write(octets)
        client.expect_end()
    expect_service(server, address)


# After a good upgrade. What only does not fit together raises no event but the end.
EARLY = {
    "message": (binary(b"\0too early"), "HANDSHAKE_FAILED_PROTOCOL"),
    "unknown command": (frame(BINARY, b"\2\5HELLO", MASK), "HANDSHAKE_FAILED_PROTOCOL"),
    "wrong socket type": (frame(BINARY, ready("PUB"), MASK), "DISCONNECTED"),
    "torn metadata": (frame(BINARY, ready("DEALER")[:-3], MASK), "DISCONNECTED"),
}


@cases(EARLY)
def handshake_refused(case, name):
    octets, event = EARLY[name]
    server, address = bound(case)
    with Client(address) as client:
        client.upgrade()
        client.write(octets)
        client.expect_end()
    server(f"event s {event}")
    expect_service(server, address)


@cases()
def subscriptions(case):
    """In the form of messages, and of commands."""
    server, address = bound(case, "xpub")
    with Client(address) as client:
        client.begin("SUB")
        client.send(BINARY, b"\0\1A")
        expect(server.frames("get s"), [b"\1A"])
        client.send(BINARY, b"\2\x09SUBSCRIBEBC")
        expect(server.frames("get s"), [b"\1BC"])
        for topic in ("A1", "B", "BC2"):
            server(f"put s {topic}")
        client.expect(BINARY, b"\0A1")
        client.expect(BINARY, b"\0BC2")
        client.send(BINARY, b"\0\0A")
        client.send(BINARY, b"\2\6CANCELBC")
        expect([server.frames("get s") for _ in range(2)], [[b"\0A"], [b"\0BC"]])


@cases()
def we_say_goodbye(case):
    """A socket that is closed sends a close frame after its last message."""
    server, address = bound(case, "push")
    with Client(address) as client:
        client.begin("PULL")
        server("put s last")
        server("close s")
        client.expect(BINARY, b"\0last")
        client.expect_end(NORMAL)


main()
