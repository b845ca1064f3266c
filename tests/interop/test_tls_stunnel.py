# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""tls:// against a stock libzmq behind stunnel, which speaks TLS for it, in both directions."""

from certificates import Authority
from foreign import Stunnel, host_and_port, own_address, skip_without
from flows import transfer
from matrix import OURS, PARTS, SIZES, SMALL, STOCK
from matrix import cases, counts, either_way, expect, frame, main

STOCK_BINDS = "stock binds"
OURS_BINDS = "ours binds"
DIRECTIONS = (STOCK_BINDS, OURS_BINDS)
VERSIONS = ("TLSv1.2", "TLSv1.3")


class Tunnel:
    """Our library speaks TLS with stunnel, stunnel plain TCP with a stock library. Certificates are
    verified on the connecting side, host names included."""

    def __init__(self, case, direction, version=None):
        self.case = case
        self.direction = direction
        self.authority = Authority(case.folder)
        self.host = own_address(case)
        self.certificate = self.authority.server(f"IP:{self.host}", "DNS:tunnel.example")
        self.settings = [f"sslVersion = {version}"] if version else []

    def stunnel_server(self, plain, *settings):
        """The TLS endpoint in front of a plain one."""
        files = [f"cert = {self.certificate.pem}", f"key = {self.certificate.key}"]
        front = Stunnel(self.case, host_and_port(plain), *files, *self.settings, *settings)
        return f"tls://{front.host}:{front.port}"

    def stunnel_client(self, encrypted, *settings):
        """The plain endpoint that leads to a TLS one."""
        trust = [f"CAfile = {self.authority.pem}", "verifyChain = yes", f"checkIP = {self.host}"]
        options = ["client = yes", *trust, *self.settings, *settings]
        front = Stunnel(self.case, host_and_port(encrypted), *options)
        return f"tcp://{front.host}:{front.port}"

    def pair(self, bound, connected, bound_options="", connected_options=""):
        if self.direction == STOCK_BINDS:
            server = self.case.socket(STOCK, bound, bound_options)
            plain = server(f"bind s {self.case.endpoint('tcp')}")
            trust = self.authority.options()
            client = self.case.socket(OURS, connected, f"{trust} {connected_options}")
            client(f"connect s {self.stunnel_server(plain)}")
        else:
            files = self.certificate.options()
            server = self.case.socket(OURS, bound, f"{files} {bound_options}")
            encrypted = server(f"bind s {self.case.endpoint('tls')}")
            client = self.case.socket(STOCK, connected, connected_options)
            client(f"connect s {self.stunnel_client(encrypted)}")
        return server, client

    def flow(self, role, sender, receiver, sender_options="", receiver_options=""):
        if role.startswith("bound"):
            return self.pair(sender, receiver, sender_options, receiver_options)
        return reversed(self.pair(receiver, sender, receiver_options, sender_options))


BOTH = either_way(DIRECTIONS)
QUESTIONS = either_way(DIRECTIONS, ("bound side asks", "connected side asks"))


@cases([(direction, version) for direction in DIRECTIONS for version in VERSIONS])
def versions(case, direction, version):
    server, client = Tunnel(case, direction, version).pair("rep", "req")
    server("serve s")
    client(f"ask s count=66 shapes={SIZES},{PARTS}")


@cases(BOTH)
def sizes(case, direction, role):
    sender, receiver = Tunnel(case, direction).flow(role, "push", "pull")
    flow = f"stream=7 count=66 shapes={SIZES},{PARTS}"
    transfer(sender, receiver, flow)


@cases(BOTH)
def five_megabytes(case, direction, role):
    sender, receiver = Tunnel(case, direction).flow(role, "push", "pull", "sndhwm=2", "rcvhwm=2")
    flow = "count=6 shapes=5000000,1+5000000+0,16383+16384+16385"
    transfer(sender, receiver, flow)


@cases(BOTH)
def flood(case, direction, role):
    sender, receiver = Tunnel(case, direction).flow(role, "push", "pull")
    flow = f"stream=9 count=50000 shapes={SMALL}"
    transfer(sender, receiver, flow)


@cases(QUESTIONS)
def questions(case, direction, role):
    client, server = Tunnel(case, direction).flow(role, "req", "rep")
    server("serve s")
    client(f"ask s count=400 shapes={SMALL},{PARTS}")


@cases(QUESTIONS)
def pipelined(case, direction, role):
    client, server = Tunnel(case, direction).flow(role, "dealer", "router")
    server("serve s")
    client(f"ask s stream=1 count=66 window=10 shapes={SIZES},{PARTS}")
    client(f"ask s stream=2 count=10000 window=500 shapes={SMALL}")


@cases(DIRECTIONS)
def both_at_once(case, direction):
    """Both write more than all buffers hold, so each must read while its writes are stuck."""
    hwm = "sndhwm=4 rcvhwm=4"
    bound, connected = Tunnel(case, direction).pair("pair", "pair", hwm, hwm)
    flow = f"count=60 shapes={SIZES},{PARTS},1500000"
    bound.post(f"exchange s stream=1 in=2 {flow}")
    connected(f"exchange s stream=2 in=1 {flow}")
    bound.wait()


@cases(either_way(DIRECTIONS, ("publisher is bound", "subscriber is bound")))
def topics(case, direction, role):
    tunnel = Tunnel(case, direction)
    if role.startswith("publisher"):
        publisher, subscriber = tunnel.pair("xpub", "sub", "sndhwm=0", "rcvhwm=0")
    else:
        subscriber, publisher = tunnel.pair("sub", "xpub", "rcvhwm=0", "sndhwm=0")
    subscriber("set s subscribe=topic")
    publisher.post("get s")
    expect(publisher.wait_while_called(subscriber), frame(b"\1topic"), "notice")
    publisher("put s other")
    flow = f"count=20000 shapes={SMALL} topic=topic"
    publisher(f"send s {flow}")
    subscriber(f"recv s {flow}")
    subscriber("set s unsubscribe=topic")
    publisher.post("get s")
    expect(publisher.wait_while_called(subscriber), frame(b"\0topic"), "notice")


@cases(DIRECTIONS)
def clients_with_certificates(case, direction):
    """Both sides verify each other."""
    tunnel = Tunnel(case, direction)
    alice = tunnel.authority.client("alice")
    trust = f"CAfile = {tunnel.authority.pem}", "verifyChain = yes"
    if direction == STOCK_BINDS:
        server = case.socket(STOCK, "rep")
        plain = server(f"bind s {case.endpoint('tcp')}")
        client = case.socket(OURS, "req", f"{tunnel.authority.options()} {alice.options()}")
        client(f"connect s {tunnel.stunnel_server(plain, *trust, 'requireCert = yes')}")
    else:
        options = f"{tunnel.certificate.options()} {tunnel.authority.options()}"
        server = case.socket(OURS, "rep", f"{options} tls_require_client_cert=1")
        encrypted = server(f"bind s {case.endpoint('tls')}")
        files = f"cert = {alice.pem}", f"key = {alice.key}"
        client = case.socket(STOCK, "req")
        client(f"connect s {tunnel.stunnel_client(encrypted, *files)}")
    server("serve s")
    client(f"ask s count=20 shapes={SMALL}")


@cases()
def host_name_given(case):
    """The certificate is for another name than the address that is connected to."""
    tunnel = Tunnel(case, STOCK_BINDS)
    server = case.socket(STOCK, "rep")
    plain = server(f"bind s {case.endpoint('tcp')}")
    client = case.socket(OURS, "req", f"{tunnel.authority.options()} tls_hostname=tunnel.example")
    client(f"connect s {tunnel.stunnel_server(plain)}")
    server("serve s")
    client("ask s count=5")


@cases(DIRECTIONS)
def peer_dies_in_a_flood(case, direction):
    """The stock side is killed; its successor gets whole messages over a new TLS connection."""
    tunnel = Tunnel(case, direction)
    shapes = "shapes=300000+0+50000+1,1000,20+20+70000,9"
    if direction == STOCK_BINDS:
        receiver, sender = tunnel.pair("pull", "push", "", "reconnect_ivl=10 sndhwm=5")
        # The stunnel of the pair leads to the endpoint, whoever listens there.
        endpoint, verb = receiver("text s last_endpoint"), "bind"
    else:
        sender, receiver = tunnel.pair("push", "pull", "sndhwm=5")
        endpoint = tunnel.stunnel_client(sender("text s last_endpoint"))
        verb = "connect"
    sender.post(f"send s count=600 {shapes}")
    expect(counts(receiver(f"follow s count=50 {shapes}"))["gaps"], 0, "gaps")
    receiver.kill()
    receiver = case.socket(STOCK, "pull")
    receiver(f"{verb} s {endpoint}")
    result = counts(receiver(f"follow s until=1:599 {shapes}"))
    expect(result["gaps"], 1, "gaps, with the one before the first message")
    sender.wait()


skip_without("stunnel4", "stunnel4")
skip_without("openssl", "openssl")
main()
