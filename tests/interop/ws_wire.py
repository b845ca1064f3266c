# SPDX-License-Identifier: MPL-2.0
"""WebSocket and ZWS 2.0 by hand (RFC 6455, RFC 45), right or wrong octet by octet."""

import base64
import hashlib
import os
import socket
import struct

from matrix import PATIENCE_S, Failure, expect

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, UNSUPPORTED, TOO_BIG = 1000, 1002, 1003, 1009
NULL, BARE = "ZWS2.0/NULL", "ZWS2.0"
FIN = 0x80
SWITCHING = "HTTP/1.1 101 Switching Protocols"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def masked(data, mask):
    return bytes(octet ^ mask[i % 4] for i, octet in enumerate(data))


def frame(opcode, payload=b"", mask=None, first=FIN, length_form=None):
    """`mask`: 4 octets, None for an unmasked frame. `first`: FIN and reserved bits.
    `length_form`: 126 or 127 for one that is longer than needed."""
    size = len(payload)
    form = length_form or (size if size < 126 else 126 if size < 65536 else 127)
    head = bytes([first | opcode, form | (0x80 if mask is not None else 0)])
    if form == 126:
        head += struct.pack(">H", size)
    elif form == 127:
        head += struct.pack(">Q", size)
    return head + (mask + masked(payload, mask) if mask is not None else payload)


def ready(socket_type, identity=b""):
    """A READY command, as the payload of a binary message."""
    body = b"\5READY"
    for name, value in ((b"Socket-Type", socket_type.encode()), (b"Identity", identity)):
        body += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return b"\2" + body


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def request(host, *changes, path="/", protocols=f"{NULL},{BARE}", line=None):
    """An upgrade request. Each change is a field line that replaces the one of that name, is added,
    or, ending right after the colon, takes it away."""
    fields = {
        "host": f"Host: {host}",
        "upgrade": "Upgrade: websocket",
        "connection": "Connection: Upgrade",
        "sec-websocket-key": f"Sec-WebSocket-Key: {KEY}",
        "sec-websocket-protocol": f"Sec-WebSocket-Protocol: {protocols}",
        "sec-websocket-version": "Sec-WebSocket-Version: 13",
    }
    for change in changes:
        fields[change.split(":")[0].lower()] = "" if change.endswith(":") else change
    lines = [line or f"GET {path} HTTP/1.1", *filter(None, fields.values())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Wire:
    """One end of a connection. What it sends is masked if it is the client."""

    def __init__(self, connection, client, unread=b""):
        self.connection = connection
        self.connection.settimeout(PATIENCE_S)
        self.client = client
        self.unread = unread

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def write(self, data):
        self.connection.sendall(data)

    def send(self, opcode, payload=b"", first=FIN, length_form=None):
        mask = os.urandom(4) if self.client else None
        self.write(frame(opcode, payload, mask, first, length_form))

    def _more(self):
        try:
            data = self.connection.recv(65536)
        except ConnectionResetError:
            data = b""
        except socket.timeout:
            raise Failure(f"nothing comes after {self.unread[:100]!r}") from None
        self.unread += data
        return bool(data)

    def take(self, size):
        while len(self.unread) < size:
            if not self._more():
                raise Failure(f"ended after {self.unread[:100]!r}")
        data, self.unread = self.unread[:size], self.unread[size:]
        return data

    def head(self):
        """The lines of an HTTP head, none if the connection ends before it begins."""
        while b"\r\n\r\n" not in self.unread:
            if not self._more():
                expect(self.unread, b"", "half an HTTP head")
                return []
        text, self.unread = self.unread.split(b"\r\n\r\n", 1)
        return text.decode("latin-1").split("\r\n")

    def receive(self):
        """Opcode and payload of the next frame, which must be one that a correct peer sends."""
        first, second = self.take(2)
        expect(first & 0xF0, FIN, "FIN and reserved bits")
        expect(bool(second & 0x80), not self.client, "mask bit")
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
            expect(size > 125, True, "shortest form of length")
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
            expect(size > 65535, True, "shortest form of length")
        mask = self.take(4) if second & 0x80 else b"\0\0\0\0"
        return first & 0x0F, masked(self.take(size), mask)

    def expect(self, opcode, payload, what="frame"):
        expect(self.receive(), (opcode, payload), what)

    def expect_end(self, code=None):
        """The connection ends, with this close code if one is given; what comes before is read."""
        while self.unread or self._more():
            opcode, payload = self.receive()
            if opcode == CLOSE and code is not None:
                expect(struct.unpack(">H", payload[:2])[0], code, "close code")
                code = None
        expect(code, None, "close code that did not come")

    def expect_eof(self):
        while self._more():
            pass


class Client(Wire):
    """A connection to a WebSocket server at host and port; the upgrade comes with `upgrade`."""

    def __init__(self, address):
        self.address = address
        super().__init__(socket.create_connection(address, PATIENCE_S), client=True)

    def host(self):
        return "%s:%d" % self.address

    def upgrade(self, protocols=f"{NULL},{BARE}", chosen=NULL, path="/"):
        self.write(request(self.host(), protocols=protocols, path=path))
        lines = self.head()
        expect(lines[:1], [SWITCHING])
        fields = dict(line.split(": ", 1) for line in lines[1:])
        # The vector of RFC 6455, section 1.3.
        expect(fields["Sec-WebSocket-Accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        expect(fields["Sec-WebSocket-Protocol"], chosen)
        expect("Sec-WebSocket-Extensions" in fields, False, "extensions that were not asked for")
        return self

    def begin(self, socket_type, identity=b""):
        """Upgrade and NULL handshake."""
        self.upgrade()
        self.send(BINARY, ready(socket_type, identity))
        opcode, payload = self.receive()
        expect((opcode, payload[:7]), (BINARY, b"\2\5READY"), "READY")
        return self


class Listener:
    """Where the library connects to; each `accept` is a Wire that has read the request."""

    def __init__(self, case, host):
        self.listener = socket.create_server((host, 0))
        self.listener.settimeout(PATIENCE_S)
        self.endpoint = f"ws://{host}:{self.listener.getsockname()[1]}"
        case.cleanup.append(self.listener.close)

    def accept(self):
        connection, _ = self.listener.accept()
        wire = Wire(connection, client=False)
        wire.lines = wire.head()
        wire.fields = dict(line.split(": ", 1) for line in wire.lines[1:])
        return wire

    @staticmethod
    def answer(wire, chosen=NULL, line=SWITCHING, **changes):
        """A response. A field that is "" is left out."""
        fields = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec_WebSocket_Accept": accept_of(wire.fields["Sec-WebSocket-Key"]),
            "Sec_WebSocket_Protocol": chosen,
            **changes,
        }
        lines = [f"{name.replace('_', '-')}: {text}" for name, text in fields.items() if text]
        wire.write("\r\n".join([line, *lines, "", ""]).encode("latin-1"))
