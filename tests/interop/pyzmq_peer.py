# SPDX-License-Identifier: MPL-2.0
"""One side of a conversation between two programs that use pyzmq.

    pyzmq_peer.py LIBRARY SCENARIO server            prints its endpoint first
    pyzmq_peer.py LIBRARY SCENARIO client ENDPOINT
    pyzmq_peer.py LIBRARY SCENARIO alone

LIBRARY is the file that must turn out to be the libzmq in use. Exits with 0 if all went well.
"""

import asyncio
import ctypes
import errno
import os
import pickle
import select
import signal
import sys
import threading

import zmq
import zmq.asyncio
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

TIMEOUT_MS = 20000
LIFETIME_S = 110
SIZES = (0, 1, 32, 33, 34, 255, 256, 8191, 8192, 8193, 65536, 1 << 20)


def content(number, size):
    """Bytes that depend on both."""
    pattern = b"%d/%d " % (number, size)
    return (pattern * (size // len(pattern) + 1))[:size]


def check(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:200]}, not {str(expected)[:200]}")


def socket_of(context, socket_type):
    socket = context.socket(socket_type)
    socket.linger = TIMEOUT_MS
    if not isinstance(context, zmq.asyncio.Context):
        socket.rcvtimeo = socket.sndtimeo = TIMEOUT_MS
    return socket


class Side:
    """What a scenario is given: its context, and how to meet the other side."""

    def __init__(self, endpoint, context_type=zmq.Context):
        self.context = context_type()
        self.endpoint = endpoint

    def bind(self, socket_type):
        socket = socket_of(self.context, socket_type)
        socket.bind("tcp://127.0.0.1:*")
        print(socket.last_endpoint.decode(), flush=True)
        return socket

    def connect(self, socket_type):
        socket = socket_of(self.context, socket_type)
        socket.connect(self.endpoint)
        return socket


def push_pull_server(side):
    socket = side.bind(zmq.PULL)
    for number, size in enumerate(SIZES * 2):
        check(socket.recv(), content(number, size))
    for number, size in enumerate(SIZES):
        frames = socket.recv_multipart(copy=number % 2 == 0)
        check([bytes(frame) for frame in frames], [b"", content(number, size), b"", b"end"])
    check(socket.recv_string(), "ünïcode")
    check(socket.recv_json(), {"a": [1, 2, None]})
    check(socket.recv_pyobj(), {"b": (1, 2)})
    check(pickle.loads(socket.recv(copy=False).bytes), 5)


def push_pull_client(side):
    socket = side.connect(zmq.PUSH)
    for number, size in enumerate(SIZES * 2):
        socket.send(content(number, size), copy=number % 3 == 0)
    for number, size in enumerate(SIZES):
        socket.send_multipart([b"", content(number, size), b"", b"end"], copy=number % 3 == 0)
    socket.send_string("ünïcode")
    socket.send_json({"a": [1, 2, None]})
    socket.send_pyobj({"b": (1, 2)})
    socket.send(pickle.dumps(5), copy=False)


def free_callbacks_server(side):
    socket = side.bind(zmq.PULL)
    for number in range(20):
        check(socket.recv(), content(number, 300000))
    check(socket.recv_multipart(), [content(n, 100000) for n in range(5)])


def free_callbacks_client(side):
    """A tracker is done when the library has called the free function of each of its frames."""
    socket = side.connect(zmq.PUSH)
    trackers = []
    for number in range(20):
        buffer = bytearray(content(number, 300000))
        trackers.append(socket.send(memoryview(buffer), copy=False, track=True))
    parts = [content(number, 100000) for number in range(5)]
    trackers.append(socket.send_multipart(parts, copy=False, track=True))
    for tracker in trackers:
        tracker.wait(TIMEOUT_MS / 1000)
        check(tracker.done, True)


def req_rep_server(side):
    socket = side.bind(zmq.REP)
    for number, size in enumerate(SIZES * 5):
        check(socket.recv(), content(number, size))
        socket.send(content(number + 1, size), copy=number % 2 == 0)


def req_rep_client(side):
    socket = side.connect(zmq.REQ)
    for number, size in enumerate(SIZES * 5):
        socket.send(content(number, size), copy=number % 2 == 1)
        check(socket.recv(), content(number + 1, size))


def pub_sub_server(side):
    socket = side.bind(zmq.XPUB)
    check(sorted(socket.recv() for _ in range(2)), [b"\1alpha", b"\1stop"])
    for number in range(1000):
        socket.send_multipart([(b"alpha", b"beta", b"alphabet")[number % 3], b"%d" % number])
    socket.send(b"stop")
    check(socket.recv(), b"\0alpha")
    socket.send(b"alpha again")
    socket.send(b"stop now")


def pub_sub_client(side):
    socket = socket_of(side.context, zmq.SUB)
    socket.subscribe("alpha")
    socket.setsockopt_string(zmq.SUBSCRIBE, "stop")
    socket.connect(side.endpoint)
    for number in range(1000):
        if number % 3 != 1:
            topic = b"alpha" if number % 3 == 0 else b"alphabet"
            check(socket.recv_multipart(), [topic, b"%d" % number])
    check(socket.recv(), b"stop")
    socket.unsubscribe("alpha")
    check(socket.recv(), b"stop now")
    # The publisher may be gone; there is nobody to send subscriptions to then.
    socket.close(0)


def router_dealer_server(side):
    """Serves through a poller that also watches a pipe, which tells it to stop."""
    socket = side.bind(zmq.ROUTER)
    reading, writing = os.pipe()
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(reading, zmq.POLLIN)
    seen = set()
    while True:
        ready = dict(poller.poll(TIMEOUT_MS))
        if not ready:
            raise AssertionError("nothing comes")
        if reading in ready:
            break
        if socket in ready:
            name, *parts = socket.recv_multipart()
            seen.add(name)
            socket.send_multipart([name, *parts])
            if parts == [b"last"]:
                os.write(writing, b"!")
    check(seen, {b"client-%d" % number for number in range(4)})


def router_dealer_client(side):
    poller = zmq.Poller()
    sockets = []
    for number in range(4):
        socket = socket_of(side.context, zmq.DEALER)
        socket.routing_id = b"client-%d" % number
        socket.connect(side.endpoint)
        poller.register(socket, zmq.POLLIN)
        sockets.append(socket)
    for socket in sockets:
        for number in range(100):
            socket.send_multipart([socket.routing_id, b"%d" % number, b""])
    counts = dict.fromkeys(sockets, 0)
    while sum(counts.values()) < 400:
        ready = dict(poller.poll(TIMEOUT_MS))
        if not ready:
            raise AssertionError("nothing comes")
        for socket in ready:
            answer = [socket.routing_id, b"%d" % counts[socket], b""]
            check(socket.recv_multipart(zmq.NOBLOCK), answer)
            counts[socket] += 1
    sockets[0].send(b"last")
    check(sockets[0].recv(), b"last")


async def asyncio_server(side):
    """All of pyzmq's asyncio stands on ZMQ_FD and ZMQ_EVENTS."""
    socket = side.bind(zmq.ROUTER)
    for _ in range(4 * 100 + len(SIZES)):
        frames = await asyncio.wait_for(socket.recv_multipart(), TIMEOUT_MS / 1000)
        await socket.send_multipart(frames)


async def asyncio_client(side):
    async def ask(name):
        socket = side.connect(zmq.DEALER)
        for number in range(100):
            await socket.send_multipart([name, b"%d" % number])
            answer = await asyncio.wait_for(socket.recv_multipart(), TIMEOUT_MS / 1000)
            check(answer, [name, b"%d" % number])

    await asyncio.gather(*(ask(b"%d" % number) for number in range(4)))
    socket = side.connect(zmq.DEALER)
    sent = [content(number, size) for number, size in enumerate(SIZES)]
    for message in sent:
        await socket.send(message, copy=False)
    poller = zmq.asyncio.Poller()
    poller.register(socket, zmq.POLLIN)
    for message in sent:
        check(dict(await poller.poll(TIMEOUT_MS)), {socket: zmq.POLLIN})
        check(await socket.recv(), message)


def fd_server(side):
    """Waits in select only, and follows the rules for ZMQ_FD: whenever it signals, everything
    there is is taken; after each send and receive the events are looked at again."""
    socket = side.bind(zmq.ROUTER)
    left = 1000
    while left > 0:
        while socket.events & zmq.POLLIN:
            socket.send_multipart(socket.recv_multipart(zmq.NOBLOCK))
            left -= 1
        if left > 0 and not select.select([socket.FD], [], [], TIMEOUT_MS / 1000)[0]:
            raise AssertionError(f"ZMQ_FD stays silent, {left} messages left")


def fd_client(side):
    socket = side.connect(zmq.DEALER)
    for number in range(500):
        socket.send(b"%d" % number)
        check(socket.recv(), b"%d" % number)
    for number in range(500):
        socket.send(b"%d" % number)
    for number in range(500):
        check(socket.recv(), b"%d" % number)


def monitor_server(side):
    socket = socket_of(side.context, zmq.PULL)
    monitor = socket.get_monitor_socket()
    monitor.rcvtimeo = TIMEOUT_MS
    socket.bind("tcp://127.0.0.1:*")
    endpoint = socket.last_endpoint
    print(endpoint.decode(), flush=True)
    check(socket.recv(), b"hello")
    wanted = [zmq.EVENT_LISTENING, zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_SUCCEEDED]
    for event in (*wanted, zmq.EVENT_DISCONNECTED):
        received = recv_monitor_message(monitor)
        check((received["event"], received["endpoint"]), (event, endpoint))
    socket.disable_monitor()


def monitor_client(side):
    socket = socket_of(side.context, zmq.PUSH)
    monitor = socket.get_monitor_socket()
    monitor.rcvtimeo = TIMEOUT_MS
    socket.connect(side.endpoint)
    events = []
    while not events or events[-1] != zmq.EVENT_HANDSHAKE_SUCCEEDED:
        received = recv_monitor_message(monitor)
        check(received["endpoint"].decode(), side.endpoint)
        events.append(received["event"])
    connecting = [zmq.EVENT_CONNECT_DELAYED, zmq.EVENT_CONNECTED, zmq.EVENT_HANDSHAKE_SUCCEEDED]
    check(events, connecting)
    socket.send(b"hello")
    socket.disable_monitor()
    check(recv_monitor_message(monitor)["event"], zmq.EVENT_MONITOR_STOPPED)


def proxy_server(side):
    """A proxy in the middle of one process, workers in threads over inproc."""
    front = side.bind(zmq.ROUTER)
    back = socket_of(side.context, zmq.DEALER)
    back.bind("inproc://workers")

    def work():
        worker = side.context.socket(zmq.REP)
        worker.connect("inproc://workers")
        try:
            while True:
                worker.send(worker.recv(), copy=False)
        except zmq.ContextTerminated:
            worker.close(0)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    control = socket_of(side.context, zmq.PAIR)
    control.bind("inproc://control")

    def stop():
        sys.stdin.read()
        switch = side.context.socket(zmq.PAIR)
        switch.connect("inproc://control")
        switch.send(b"TERMINATE")
        switch.close()

    stopper = threading.Thread(target=stop)
    stopper.start()
    for socket in (front, back, control):
        socket.rcvtimeo = socket.sndtimeo = -1
    zmq.proxy_steerable(front, back, None, control)
    stopper.join()
    for socket in (front, back, control):
        socket.close(0)
    side.context.term()
    for thread in threads:
        thread.join()


def proxy_client(side):
    req_rep = [side.connect(zmq.REQ) for _ in range(3)]
    for number, size in enumerate(SIZES * 3):
        for socket in req_rep:
            socket.send(content(number, size))
        for socket in req_rep:
            check(socket.recv(), content(number, size))


def context_term_alone(side):
    """Terminating wakes whoever waits in recv, send and poll."""
    outcomes = []
    waiting = threading.Barrier(4)

    def blocked(socket_type, call):
        socket = side.context.socket(socket_type)
        socket.linger = 0
        waiting.wait()
        try:
            call(socket)
            outcomes.append("returned")
        except zmq.ContextTerminated:
            outcomes.append("terminated")
        socket.close()

    def poll(socket):
        socket.poll(TIMEOUT_MS)
        socket.getsockopt(zmq.EVENTS)

    threads = [
        threading.Thread(target=blocked, args=arguments)
        for arguments in (
            (zmq.PULL, lambda socket: socket.recv()),
            (zmq.PUSH, lambda socket: socket.send(b"x")),
            (zmq.DEALER, poll),
        )
    ]
    for thread in threads:
        thread.start()
    waiting.wait()
    side.context.term()
    for thread in threads:
        thread.join()
    check(outcomes, ["terminated"] * 3)
    check(side.context.closed, True)


def errors_alone(side):
    """pyzmq turns error numbers into exceptions of its own."""
    socket = side.context.socket(zmq.REQ)
    for call, number in (
        (lambda: socket.recv(zmq.NOBLOCK), zmq.EFSM),
        (lambda: socket.send(b"", zmq.NOBLOCK), zmq.EAGAIN),
        (lambda: socket.bind("tcp://nonsense"), errno.EINVAL),
        (lambda: socket.bind("foo://bar"), zmq.EPROTONOSUPPORT),
        (lambda: socket.connect("tcp://127.0.0.1:*"), errno.EINVAL),
        (lambda: socket.unbind("tcp://127.0.0.1:1"), errno.ENOENT),
        (lambda: socket.setsockopt(zmq.SNDHWM, -1), errno.EINVAL),
        (lambda: socket.getsockopt(zmq.SUBSCRIBE), errno.EINVAL),
    ):
        try:
            call()
        except zmq.ZMQError as error:
            check((error.errno, error.strerror), (number, zmq.strerror(number)))
        else:
            raise AssertionError(f"no error {number}")
    check(z85.decode(z85.encode(b"\x86\x4f\xd2\x6f\xb5\x59\xf7\x5b")).hex(), "864fd26fb559f75b")
    check(zmq.has("ipc"), True)
    if zmq.has("curve"):
        public, secret = zmq.curve_keypair()
        check(zmq.curve_public(secret), public)


def inproc_alone(side):
    """A million bytes and many small messages between threads, without copies."""
    receiver = socket_of(side.context, zmq.PULL)
    receiver.bind("inproc://here")

    def send():
        sender = socket_of(side.context, zmq.PUSH)
        sender.connect("inproc://here")
        for number in range(5000):
            sender.send(content(number, 1000000 if number % 1000 == 0 else 20), copy=False)
        sender.close()

    thread = threading.Thread(target=send)
    thread.start()
    for number in range(5000):
        check(receiver.recv(), content(number, 1000000 if number % 1000 == 0 else 20))
    thread.join()


def loaded_libraries():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return {line.split()[-1] for line in maps if "libzmq" in line}


def main():
    # Never outlive the driver, nor a test that hangs.
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    signal.alarm(LIFETIME_S)
    library, scenario, role, *rest = sys.argv[1:]
    # What is loaded is what was asked for, and nothing else of that name.
    check(loaded_libraries(), {os.path.realpath(library)})
    run = globals()[f"{scenario}_{role}"]
    endpoint = rest[0] if rest else None
    if asyncio.iscoroutinefunction(run):
        side = Side(endpoint, zmq.asyncio.Context)
        asyncio.run(run(side))
    else:
        side = Side(endpoint)
        run(side)
    side.context.destroy(TIMEOUT_MS)
    check(side.context.closed, True)
    print("done", flush=True)


main()
