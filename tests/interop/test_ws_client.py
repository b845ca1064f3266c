# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 90
"""Our WebSocket client against servers made by hand: what it asks for, which answers it takes, and
which frames end the connection."""

import base64
import struct

from foreign import own_address
from matrix import OURS, cases, expect, main
from ws_wire import BARE, BINARY, CLOSE, CONTINUATION, NORMAL, NULL, PING, PONG, PROTOCOL_ERROR
from ws_wire import TEXT, TOO_BIG, UNSUPPORTED, Listener, frame, ready


def connected(case, socket_type="dealer", options="", path=""):
    """A client that has sent its request, and the server's end of the connection."""
    listener = Listener(case, own_address(case))
    client = case.socket(OURS, socket_type, f"reconnect_ivl=10 routing_id=me {options}")
    client("monitor s")
    client(f"connect s {listener.endpoint}{path}")
    return client, listener, listener.accept()


def serve(listener, wire, socket_type="ROUTER"):
    """The upgrade and the NULL handshake."""
    listener.answer(wire)
    opcode, payload = wire.receive()
    expect((opcode, payload[:7]), (BINARY, b"\2\5READY"), "READY")
    wire.send(BINARY, ready(socket_type))
    return wire


@cases(("", "/", "/some/where", "/with?query=1"))
def request(case, path):
    _, listener, wire = connected(case, path=path)
    expect(wire.lines[0], f"GET {path or '/'} HTTP/1.1")
    expect(wire.fields["Host"], listener.endpoint[len("ws://") :])
    expect(wire.fields["Upgrade"], "websocket")
    expect(wire.fields["Connection"], "Upgrade")
    expect(wire.fields["Sec-WebSocket-Version"], "13")
    expect(wire.fields["Sec-WebSocket-Protocol"].replace(" ", ""), f"{NULL},{BARE}")
    expect(len(base64.b64decode(wire.fields["Sec-WebSocket-Key"])), 16, "octets of the key")


@cases()
def keys_and_masks_differ(case):
    """From one connection to the next, and from one frame to the next."""
    client, listener, wire = connected(case)
    keys, masks = set(), set()
    for number in range(3):
        keys.add(wire.fields["Sec-WebSocket-Key"])
        serve(listener, wire)
        for _ in range(5):
            client("put s hello")
            octets = wire.take(2 + 4 + 6)
            masks.add(octets[2:6])
        wire.connection.close()
        wire = listener.accept()
    expect(len(keys), 3, "different keys")
    expect(len(masks) > 13, True, "different masks")


@cases()
def conversation(case):
    client, listener, wire = connected(case)
    serve(listener, wire)
    client("event s HANDSHAKE_SUCCEEDED")
    client("put s -,hello")
    wire.expect(BINARY, b"\1")
    wire.expect(BINARY, b"\0hello")
    wire.send(BINARY, b"\1one", first=0)
    wire.send(PING, b"between")
    wire.send(CONTINUATION, b"more")
    wire.send(BINARY, b"\0" + b"x" * 70000, length_form=127)
    expect(client.frames("get s"), [b"onemore", b"x" * 70000])
    wire.expect(PONG, b"between")


@cases()
def bare(case):
    """A server that knows no mechanisms."""
    client, listener, wire = connected(case)
    listener.answer(wire, BARE)
    wire.expect(BINARY, b"\0me", "identity")
    wire.send(BINARY, b"\0")
    client("put s hello")
    wire.expect(BINARY, b"\0hello")
    wire.send(BINARY, b"\0back")
    expect(client.frames("get s"), [b"back"])
    wire.send(PING, b"there?")
    wire.expect(PONG, b"there?")


ACCEPTED = {
    "other reason": {"line": "HTTP/1.1 101 Fine"},
    "no reason": {"line": "HTTP/1.1 101 "},
    "any case": {"Upgrade": "WebSocket", "Connection": "upgrade"},
    "more fields": {"Server": "nginx", "Date": "today"},
    "list": {"Connection": "keep-alive, Upgrade"},
}


@cases(ACCEPTED)
def answer_accepted(case, name):
    client, listener, wire = connected(case)
    listener.answer(wire, **ACCEPTED[name])
    wire.receive()
    wire.send(BINARY, ready("ROUTER"))
    client("put s hello")
    wire.expect(BINARY, b"\0hello")


@cases()
def answer_in_single_octets(case):
    client, listener, wire = connected(case)
    whole = []
    wire.write, write = whole.append, wire.write
    listener.answer(wire)
    octets = whole[0] + frame(BINARY, ready("ROUTER")) + frame(BINARY, b"\0hello")
    for octet in octets[:-30]:
        write(bytes([octet]))
    write(octets[-30:])
    expect(client.frames("get s"), [b"hello"])


REFUSED = {
    "404": {"line": "HTTP/1.1 404 Not Found"},
    "200": {"line": "HTTP/1.1 200 OK"},
    "redirection": {"line": "HTTP/1.1 302 Found", "Location": "ws://127.0.0.1:1/"},
    "HTTP/1.0": {"line": "HTTP/1.0 101 Switching Protocols"},
    "no HTTP": {"line": "SSH-2.0-server"},
    "wrong accept": {"Sec_WebSocket_Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
    "no accept": {"Sec_WebSocket_Accept": ""},
    "no upgrade": {"Upgrade": ""},
    "other upgrade": {"Upgrade": "h2c"},
    "no connection": {"Connection": ""},
    "no protocol": {"Sec_WebSocket_Protocol": ""},
    "protocol that was not offered": {"Sec_WebSocket_Protocol": "ZWS2.0/PLAIN"},
    "two protocols": {"Sec_WebSocket_Protocol": f"{NULL}, {BARE}"},
    "extension that was not offered": {"Sec_WebSocket_Extensions": "permessage-deflate"},
    "control character": {"X_Odd": "a\x01b"},
    "endless field": {"X_Long": "a" * 9000},
    "endless head": {f"X_{number}": "a" * 1000 for number in range(20)},
}


@cases(REFUSED)
def answer_refused(case, name):
    client, listener, wire = connected(case)
    with wire:
        listener.answer(wire, **REFUSED[name])
        wire.expect_eof()
    client("event s DISCONNECTED")
    expect("HANDSHAKE_SUCCEEDED" in client("events s"), False, "connected all the same")


@cases(("greeting of ZMTP", "nothing", "half a head"))
def no_answer(case, what):
    client, listener, wire = connected(case, options="handshake_ivl=200")
    if what == "greeting of ZMTP":
        wire.write(b"\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL" + b"\0" * 48)
    elif what == "half a head":
        wire.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: web")
    wire.expect_eof()
    client("event s DISCONNECTED")


MASK = b"\x37\xfa\x21\x3d"
HOSTILE = {
    "masked": (frame(BINARY, b"\0x", MASK), PROTOCOL_ERROR),
    "text": (frame(TEXT, b"\0x"), UNSUPPORTED),
    "continuation of nothing": (frame(CONTINUATION, b"\0x"), PROTOCOL_ERROR),
    "empty message": (frame(BINARY), PROTOCOL_ERROR),
    "RSV1": (frame(BINARY, b"\0x", first=0xC0), PROTOCOL_ERROR),
    "reserved opcode": (frame(5, b"\0x"), PROTOCOL_ERROR),
    "fragmented ping": (frame(PING, first=0), PROTOCOL_ERROR),
    "long ping": (frame(PING, b"x" * 126), PROTOCOL_ERROR),
    "close of one octet": (frame(CLOSE, b"\3"), PROTOCOL_ERROR),
    "over the limit": (b"\x82\x7f" + struct.pack(">Q", 1 << 40), TOO_BIG),
    "top bit": (b"\x82\x7f" + b"\xff" * 8, PROTOCOL_ERROR),
    "reserved flags": (frame(BINARY, b"\x80x"), PROTOCOL_ERROR),
}


@cases(HOSTILE)
def frame_refused(case, name):
    """The client leaves, and does not try again: nothing would be different. Its socket goes on."""
    octets, code = HOSTILE[name]
    client, listener, wire = connected(case, options="maxmsgsize=1000")
    with serve(listener, wire):
        wire.send(BINARY, b"\0before")
        wire.write(octets)
        wire.expect_end(code)
    client("event s DISCONNECTED")
    expect(client.frames("get s"), [b"before"])
    other = Listener(case, own_address(case))
    client(f"connect s {other.endpoint}")
    with serve(other, other.accept()) as wire:
        wire.send(BINARY, b"\0after")
        expect(client.frames("get s"), [b"after"])


@cases()
def server_says_goodbye(case):
    """Its code comes back, masked; then the client tries again."""
    client, listener, wire = connected(case)
    with serve(listener, wire):
        wire.send(CLOSE, struct.pack(">H", 1001) + b"restart")
        wire.expect_end(1001)
    client("event s DISCONNECTED")
    with serve(listener, listener.accept()) as wire:
        client("put s again")
        wire.expect(BINARY, b"\0again")


@cases()
def we_say_goodbye(case):
    client, listener, wire = connected(case, "push")
    with serve(listener, wire, "PULL"):
        client("put s last")
        client("close s")
        wire.expect(BINARY, b"\0last")
        wire.expect_end(NORMAL)


@cases()
def heartbeats(case):
    """Pings with the configured interval; a server that does not answer is left."""
    options = "heartbeat_ivl=100 heartbeat_timeout=2000"
    client, listener, wire = connected(case, options=options)
    with serve(listener, wire):
        for _ in range(3):
            opcode, payload = wire.receive()
            expect(opcode, PING)
            wire.send(PONG, payload)
        expect(wire.receive()[0], PING)
        wire.expect_end()
    client("event s DISCONNECTED")
    listener.accept()


main()
