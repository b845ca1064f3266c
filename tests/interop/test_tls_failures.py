# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 90
"""What cannot work with tls:// fails with an event that says so, and with a reason for people; and
the next good peer is served."""

import errno
import socket
import threading

from certificates import Authority
from foreign import OpensslClient, OpensslServer, host_and_port, own_address, skip_without
from matrix import OURS, STOCK, Failure, cases, expect, main

OLD = ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")


class World:
    def __init__(self, case):
        self.case = case
        self.host = own_address(case)
        self.authority = Authority(case.folder)
        self.stranger = Authority(case.folder, "stranger")

    def good(self, **options):
        return self.authority.server(f"IP:{self.host}", **options)

    def client(self, endpoint, *options):
        client = self.case.socket(OURS, "req", f"reconnect_ivl=50 {self.authority.options()}")
        if options:
            client(f"set s {' '.join(options)}")
        client("monitor s")
        client(f"connect s {endpoint}")
        return client

    def server(self, *options):
        words = " ".join((self.good().options(), *options))
        server = self.case.socket(OURS, "rep", words)
        server("monitor s")
        return server, server(f"bind s {self.case.endpoint('tls')}")


def expect_failure(peer, codes, reason):
    """The event that the handshake failed, and why."""
    value = int(peer("event s HANDSHAKE_FAILED_NO_DETAIL"))
    if value not in codes:
        names = [errno.errorcode.get(code) for code in codes]
        raise Failure(f"{errno.errorcode.get(value, value)} instead of {names}")
    text = peer("text s tls_error")
    if reason not in text:
        raise Failure(f"the reason is {text!r}, without {reason!r}")


def expect_service(world, server, endpoint):
    """The server still serves a client that does everything right."""
    server("serve s")
    world.client(endpoint)("ask s count=3")


def self_signed(world):
    subject = f"subjectAltName=IP:{world.host}"
    return world.stranger.self_signed("alone", "alone", subject)


SERVER_CERTIFICATES = {
    "unknown CA": (lambda w: w.stranger.server(f"IP:{w.host}"), "unknown CA"),
    "expired": (lambda w: w.good(name="old", days=(-3, -1)), "has expired"),
    "not yet valid": (lambda w: w.good(name="new", days=(1, 2)), "not valid yet"),
    "wrong name": (lambda w: w.authority.server("DNS:other.example"), "is for other.example, not"),
    "wrong address": (lambda w: w.authority.server("IP:192.0.2.1"), "not for"),
    "self-signed": (self_signed, "self-signed"),
    "for clients": (lambda w: w.authority.client(), "not meant for this role"),
}


@cases([(name, version) for name in SERVER_CERTIFICATES for version in ("-tls1_2", "-tls1_3")])
def server_certificate(case, name, version):
    make, reason = SERVER_CERTIFICATES[name]
    world = World(case)
    server = OpensslServer(case, make(world), version)
    client = world.client(server.endpoint)
    expect_failure(client, {errno.EACCES}, reason)
    expect("HANDSHAKE_SUCCEEDED" in client("events s"), False, "connected all the same")


@cases()
def server_certificate_unchecked(case):
    """With verification off all of these are taken; what fails is only that s_server has no ZMTP."""
    world = World(case)
    server = OpensslServer(case, self_signed(world))
    client = case.socket(OURS, "stream", "tls_verify=0")
    client(f"connect s {server.endpoint}")
    server.write(b"hello\n")
    while client.frames("get s")[1] != b"hello\n":
        pass


@cases(("-tls1_2", "-tls1_3"))
def server_wants_a_certificate(case, version):
    world = World(case)
    trust = ["-CAfile", world.authority.pem, "-Verify", "2", "-verify_return_error"]
    server = OpensslServer(case, world.good(), version, *trust)
    codes = {errno.ECONNREFUSED, errno.EPROTONOSUPPORT}
    expect_failure(world.client(server.endpoint), codes, "certificate")


@cases()
def server_does_not_know_our_ca(case):
    world = World(case)
    trust = ["-CAfile", world.authority.pem, "-Verify", "2", "-verify_return_error"]
    server = OpensslServer(case, world.good(), *trust)
    wrong = world.stranger.client()
    client = world.client(server.endpoint, *wrong.options().split())
    expect_failure(client, {errno.ECONNREFUSED}, "does not know the CA")


@cases()
def server_is_too_old(case):
    world = World(case)
    server = OpensslServer(case, world.good(), *OLD)
    expect_failure(world.client(server.endpoint), {errno.EPROTONOSUPPORT}, "version of TLS")


@cases()
def server_is_older_than_allowed(case):
    world = World(case)
    server = OpensslServer(case, world.good(), "-tls1_2")
    client = world.client(server.endpoint, "tls_min_version=13")
    expect_failure(client, {errno.EPROTONOSUPPORT}, "version of TLS")


@cases()
def server_speaks_no_tls(case):
    world = World(case)
    with socket.create_server((world.host, 0)) as listener:
        client = world.client(f"tls://{world.host}:{listener.getsockname()[1]}")
        connection, _ = listener.accept()
        # A ZMTP greeting's beginning. Not from a stock library: what TLS says aborts it at times.
        connection.sendall(b"\xff" + bytes(7) + b"\x01\x7f")
        expect_failure(client, {errno.EPROTO}, "does not speak TLS")
        connection.close()


@cases()
def server_closes_at_once(case):
    world = World(case)
    with socket.create_server((world.host, 0)) as listener:
        client = world.client(f"tls://{world.host}:{listener.getsockname()[1]}")
        connection, _ = listener.accept()
        connection.recv(1)
        connection.shutdown(socket.SHUT_WR)
        # The rest is read, so that what the client sees is an end and not a reset.
        drain = threading.Thread(target=connection.recv, args=(65536,), daemon=True)
        drain.start()
        codes = {errno.EPROTO, errno.ECONNRESET, errno.EPIPE}
        expect_failure(client, codes, "closed the connection during the TLS handshake")
        connection.close()


CLIENTS = {
    "without certificate": ((), "sent no certificate"),
    "of an unknown CA": ("stranger", "unknown CA"),
}


@cases([(name, version) for name in CLIENTS for version in ("-tls1_2", "-tls1_3")])
def client_certificate(case, name, version):
    signer, reason = CLIENTS[name]
    world = World(case)
    server, endpoint = world.server(world.authority.options(), "tls_require_client_cert=1")
    files = ()
    if signer:
        certificate = world.stranger.client()
        files = "-cert", certificate.pem, "-key", certificate.key
    OpensslClient(case, endpoint, version, *files)
    expect_failure(server, {errno.EACCES}, reason)
    server("serve s")
    world.client(endpoint, *world.authority.client().options().split())("ask s count=3")


@cases()
def client_is_too_old(case):
    world = World(case)
    server, endpoint = world.server()
    client = OpensslClient(case, endpoint, *OLD)
    expect_failure(server, {errno.EPROTONOSUPPORT}, "version of TLS")
    expect(client.join() != 0, True, "s_client fails")
    expect_service(world, server, endpoint)


@cases(("-tls1_2", "-tls1_3"))
def client_does_not_know_our_ca(case, version):
    world = World(case)
    server, endpoint = world.server()
    trust = "-CAfile", world.stranger.pem, "-verify_return_error"
    client = OpensslClient(case, endpoint, version, *trust)
    expect_failure(server, {errno.ECONNREFUSED}, "does not know the CA")
    expect(client.join() != 0, True, "s_client fails")
    expect_service(world, server, endpoint)


@cases()
def client_speaks_no_tls(case):
    world = World(case)
    server, endpoint = world.server()
    client = case.socket(STOCK, "req", "reconnect_ivl=50")
    client(f"connect s {endpoint.replace('tls:', 'tcp:')}")
    expect_failure(server, {errno.EPROTO}, "does not speak TLS")
    expect_service(world, server, endpoint)


@cases()
def client_speaks_http(case):
    world = World(case)
    server, endpoint = world.server()
    with socket.create_connection(host_and_port(endpoint)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        expect_failure(server, {errno.EPROTO}, "does not speak TLS but HTTP")
    expect_service(world, server, endpoint)


@cases()
def client_leaves_in_the_handshake(case):
    world = World(case)
    server, endpoint = world.server()
    with socket.create_connection(host_and_port(endpoint)) as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
    codes = {errno.EPROTO, errno.ECONNRESET, errno.EPIPE}
    expect_failure(server, codes, "closed the connection during the TLS handshake")
    expect_service(world, server, endpoint)


@cases()
def client_says_nothing(case):
    """It is left after the handshake's time, like any other that does not begin."""
    world = World(case)
    server, endpoint = world.server("handshake_ivl=1000")
    with socket.create_connection(host_and_port(endpoint)) as client:
        server("event s HANDSHAKE_FAILED_NO_DETAIL")
        expect(client.recv(1), b"", "the end of the connection")
    expect_service(world, server, endpoint)


@cases()
def tls_to_a_plain_port(case):
    """Seen from the plain side: a peer that speaks something else, and the next one is served."""
    world = World(case)
    server = case.socket(OURS, "rep")
    server("monitor s")
    endpoint = server(f"bind s {case.endpoint('tcp')}")
    client = OpensslClient(case, endpoint.replace("tcp:", "tls:"))
    server("event s ACCEPTED")
    expect(client.join() != 0, True, "s_client fails")
    server("serve s")
    good = case.socket(STOCK, "req")
    good(f"connect s {endpoint}")
    good("ask s count=3")


@cases()
def plain_words_after_the_handshake(case):
    """A TLS client with a greeting that cannot be meant: the connection ends, the server goes on."""
    world = World(case)
    server, endpoint = world.server()
    client = OpensslClient(case, endpoint)
    client.write(b"\xff\0\0\0\0\0\0\0\1\x7f\3\0BOGUS".ljust(64, b"\0"))
    server("event s HANDSHAKE_FAILED_PROTOCOL")
    client.join()
    expect_service(world, server, endpoint)


@cases()
def setup_that_cannot_work(case):
    """Told by the call, with a reason."""
    world = World(case)
    peer = case.socket(OURS, "rep")
    endpoint = case.endpoint("tls")
    peer(f"refused {errno.EINVAL} bind s {endpoint}")
    expect("certificate" in peer("text s tls_error"), True, "reason for no certificate")
    client = case.socket(OURS, "req")
    client(f"refused {errno.EINVAL} connect s {endpoint.replace('*', '1')}")
    peer(f"set s tls_certificate={case.folder}/missing.pem")
    peer(f"refused {errno.ENOENT} bind s {endpoint}")
    expect("missing.pem" in peer("text s tls_error"), True, "reason for a missing file")
    peer(f"set s tls_certificate={world.good().pem} tls_key={world.stranger.certificate.key}")
    peer(f"refused {errno.EINVAL} bind s {endpoint}")
    peer(f"set s {world.authority.server('IP:' + world.host, name='again').options()}")
    peer(f"bind s {endpoint}")


skip_without("openssl", "openssl")
main()
