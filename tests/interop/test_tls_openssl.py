# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 90
"""Ordinary TLS programs, openssl's s_client and s_server, against STREAM and raw ROUTER sockets."""

import threading

from certificates import Authority
from foreign import OpensslClient, OpensslServer, own_address, skip_without
from matrix import OURS, cases, expect, frame, main

VERSIONS = ("-tls1_2", "-tls1_3")
# A raw ROUTER is a STREAM that does not tell when peers come and go.
RAW = ("stream", "router raw=1")
BOTH = [(socket_type, version) for socket_type in RAW for version in VERSIONS]


class World:
    """A CA, a server certificate for the driver's address, and the options that belong to them."""

    def __init__(self, case):
        self.authority = Authority(case.folder)
        host = own_address(case)
        self.certificate = self.authority.server(f"IP:{host}")
        self.checks = ["-CAfile", self.authority.pem, "-verify_return_error", "-verify_ip", host]


def bound(case, world, socket_type):
    server = case.socket(OURS, socket_type, world.certificate.options())
    return server, server(f"bind s {case.endpoint('tls')}")


def connected(case, world, socket_type, endpoint):
    options = f"reconnect_ivl=10 {world.authority.options()}"
    client = case.socket(OURS, socket_type, options)
    client(f"connect s {endpoint}")
    return client


def receive(peer, size):
    """So many octets, however they are cut; with the routing id they come from."""
    data = b""
    while len(data) < size:
        routing_id, piece = peer.frames("get s")
        data += piece
    return routing_id, data


@cases(BOTH)
def ordinary_client(case, socket_type, version):
    world = World(case)
    server, endpoint = bound(case, world, socket_type)
    client = OpensslClient(case, endpoint, version, *world.checks)
    client.write(b"one\n")
    routing_id, data = receive(server, 4)
    expect(data, b"one\n")
    server(f"put s {frame(routing_id)},two!")
    client.wait_for(rb"two!")
    client.write(b"three\n")
    expect(receive(server, 6), (routing_id, b"three\n"))
    client.process.stdin.close()
    expect(client.join(), 0, "exit status of s_client")
    if socket_type == "stream":
        expect(server.frames("get s"), [routing_id, b""], "the end")


@cases(BOTH)
def ordinary_server(case, socket_type, version):
    world = World(case)
    server = OpensslServer(case, world.certificate, version)
    client = connected(case, world, socket_type, server.endpoint)
    server.write(b"one\n")
    routing_id, data = receive(client, 4)
    expect(data, b"one\n")
    client(f"put s {frame(routing_id)},two!")
    server.wait_for(rb"two!")
    server.write(b"three\n")
    expect(receive(client, 6), (routing_id, b"three\n"))


@cases(VERSIONS)
def much_data(case, version):
    """Megabytes both ways at once, through records and buffers of any size."""
    world = World(case)
    server, endpoint = bound(case, world, "stream")
    client = OpensslClient(case, endpoint, version, *world.checks)
    content = b"".join(b"%07d\n" % number for number in range(100000))
    writer = threading.Thread(target=client.write, args=(content,), daemon=True)
    writer.start()
    routing_id, data = receive(server, len(content))
    expect(data == content, True, "content arrived")
    for start in range(0, 50000, 200):
        server(f"put s {frame(routing_id)},{frame(content[start : start + 200])}")
    server(f"put s {frame(routing_id)},END!")
    client.wait_for(rb"END!")
    expect(content[:50000] + b"END!" in client.printed(), True, "content came back")
    writer.join()


@cases(("stream", "router raw=1"))
def several_clients(case, socket_type):
    world = World(case)
    server, endpoint = bound(case, world, socket_type)
    clients = [OpensslClient(case, endpoint, *world.checks) for _ in range(5)]
    ids = {}
    for number, client in enumerate(clients):
        client.write(b"from %d\n" % number)
        ids[number], data = receive(server, 7)
        expect(data, b"from %d\n" % number)
    expect(len(set(ids.values())), 5, "different routing ids")
    for number, client in enumerate(clients):
        server(f"put s {frame(ids[number])},to-{number}!")
        client.wait_for(rb"to-%d!" % number)


@cases(VERSIONS)
def client_ends_without_goodbye(case, version):
    """A killed client closes TCP without TLS's close_notify: what it had sent still counts."""
    world = World(case)
    server, endpoint = bound(case, world, "stream")
    server("monitor s")
    client = OpensslClient(case, endpoint, version, *world.checks)
    client.write(b"last words\n")
    routing_id, data = receive(server, 11)
    expect(data, b"last words\n")
    client.end()
    expect(server.frames("get s"), [routing_id, b""], "the end")
    server("event s DISCONNECTED")


@cases(VERSIONS)
def server_ends_without_goodbye(case, version):
    """The client reconnects to the next one."""
    world = World(case)
    server = OpensslServer(case, world.certificate, version)
    client = connected(case, world, "stream", server.endpoint)
    server.write(b"first\n")
    routing_id, data = receive(client, 6)
    expect(data, b"first\n")
    client("monitor s")
    server.end()
    expect(client.frames("get s"), [routing_id, b""], "the end")
    client("event s DISCONNECTED")
    successor = OpensslServer(case, world.certificate, version, port=server.port)
    successor.write(b"second\n")
    expect(receive(client, 7)[1], b"second\n")


@cases(("stream", "router raw=1"))
def server_closes_a_client(case, socket_type):
    """An empty message ends a connection of a STREAM, politely: s_client sees no error."""
    world = World(case)
    server, endpoint = bound(case, world, socket_type)
    client = OpensslClient(case, endpoint, *world.checks)
    client.write(b"hello\n")
    routing_id, _ = receive(server, 6)
    server(f"put s {frame(routing_id)},bye!")
    client.wait_for(rb"bye!")  # what is not sent yet when a connection is closed may be lost
    server(f"put s {frame(routing_id)},-")
    expect(client.join(), 0, "exit status of s_client")


skip_without("openssl", "openssl")
main()
