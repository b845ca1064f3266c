# SPDX-License-Identifier: MPL-2.0
"""Steps between peers that several drivers take, over whatever their combinations say."""

from matrix import SMALL


def transfer(sender, receiver, flow):
    """The whole flow, sent while it is received."""
    sender.post(f"send s {flow}")
    receiver(f"recv s {flow}")
    sender.wait()


def transfer_without_limits(case, combo, role, count):
    """The sender never waits; all it left behind arrives."""
    sender, receiver = case.flow(combo, role, "push", "pull", "sndhwm=0", "rcvhwm=0")
    receiver.post(f"recv s shapes={SMALL}")
    sender(f"send s shapes={SMALL}")  # waits for the connection where it has to
    receiver.wait()
    rest = f"first=1 count={count} shapes={SMALL}"
    sender(f"send s {rest}")
    receiver(f"recv s {rest}")


def exchange(bound, connected, flow):
    """Both send and receive the flow at once."""
    bound.post(f"exchange s stream=1 in=2 {flow}")
    connected(f"exchange s stream=2 in=1 {flow}")
    bound.wait()


def ask_at_once(clients, flow):
    """Each client asks for answers of its own, all at the same time."""
    for stream, client in enumerate(clients):
        client.post(f"ask s stream={stream} {flow}")
    for client in clients:
        client.wait()


def ask_in_turn(case, transport, client, servers, requests, flow):
    """The client's servers, which it connects to here, get so many requests each."""
    for server in servers:
        endpoint = server(f"bind s {case.endpoint(transport)}")
        client(f"connect s {endpoint}")
        server.post(f"echo s count={requests}")
    client(f"ask s count={requests * len(servers)} {flow}")
    for server in servers:
        server.wait()


def start_proxy(case, transport, library, front, back):
    """Given the two sockets' types and options; returns their endpoints."""
    proxy = case.peer(library)
    proxy(f"socket front {front}")
    proxy(f"socket back {back}")
    endpoints = [proxy(f"bind {name} {case.endpoint(transport)}") for name in ("front", "back")]
    proxy("proxy front back")
    return endpoints


def receivers_follow(case, receiver, sender, libraries, flow):
    """The bound receiver is killed, and followed by one on each of the libraries: what the sender
    sends while nobody is there arrives, all of it. The sender reconnects soon."""
    sender("monitor s")
    sender("send s")
    receiver("recv s")
    for library in libraries:
        endpoint = receiver.endpoint
        receiver.kill()
        sender("event s DISCONNECTED")
        sender(f"send s {flow}")
        receiver = case.socket(library, "pull")
        receiver.endpoint = receiver(f"bind s {endpoint}")
        receiver(f"recv s {flow}")
