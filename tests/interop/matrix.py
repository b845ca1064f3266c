# SPDX-License-Identifier: MPL-2.0
"""What the interop drivers share: peer processes, the combinations to run, cases and their count.

A driver says

    @cases(combos())
    def sizes(case, combo): ...

    main()

A case fails by raising. Everything it started is ended with it: peers still alive are told to
quit, which must terminate their context in time and leave no buffer behind; after a failure they
are killed.

To run by hand: ZLINK_BUILD_DIR (default: build) holds the peer program and our library, OUR_LIBZMQ
and STOCK_LIBZMQ name the two libraries, arguments select cases by words of their names.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_DIR = os.environ.get("ZLINK_BUILD_DIR") or os.path.join(SOURCE_DIR, "build")
SANITIZED = bool(os.environ.get("ZLINK_SANITIZE"))
# How long anything may take that should not take long. Only a failure ever waits for it.
PATIENCE_S = 60 * (3 if SANITIZED else 1)
SKIPPED = 77

# Around the limits of short and long frames, of the batches, and of inline and referenced messages.
SIZES = "0,1,32,33,34,255,256,8191,8192,8193,65536,1048576"
PARTS = (
    "0+0,0+5,5+0,1+0+300+0,33+34+0+255,256+8191+0+8192+8193,0+0+0+0+0+1,7+6+5+4+3+2+1,"
    "0+0+0+0+0+0+0+0,9+70000+9+0+9+300+9+9+1,255+256+0+8192+1+0+0+33+34+65536"
)
SMALL = "0,1,7,30,31,32,33,34,64,100,254,255,256,600"
# The same for receivers that read the sequence number off each message.
TAGGED = "8,9,32,33,34,255,256,8+0,1000,8192+1+0,300+300+300"


def stock_libzmq():
    if os.environ.get("STOCK_LIBZMQ"):
        return os.environ["STOCK_LIBZMQ"]
    found = subprocess.run(["ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=False)
    for line in found.stdout.splitlines():
        if line.split()[:1] == ["libzmq.so.5"]:
            return line.split()[-1]
    return ""


def our_libzmq():
    return os.environ.get("OUR_LIBZMQ") or os.path.join(BUILD_DIR, "lib", "libzmq.so.5")


class Library:
    def __init__(self, name, path):
        self.name = name
        self.path = path

    def __str__(self):
        return self.name

    def environment(self):
        """For a process that is to run on this library."""
        environment = dict(os.environ)
        if self.name == "stock":
            for variable in ("LD_PRELOAD", "LD_LIBRARY_PATH"):
                environment.pop(variable, None)
        return environment

    def search_path(self, folder):
        """For a program linked with libzmq.so.5: the environment in which it finds this one."""
        place = os.path.join(folder, f"lib-{self.name}")
        os.makedirs(place, exist_ok=True)
        if not os.listdir(place):
            os.symlink(os.path.realpath(self.path), os.path.join(place, "libzmq.so.5"))
        environment = {**self.environment(), "LD_LIBRARY_PATH": place}
        # The rest of such a program is not instrumented, and no business of ours.
        options = [environment.get("TSAN_OPTIONS"), "ignore_noninstrumented_modules=1"]
        environment["TSAN_OPTIONS"] = ":".join(filter(None, options))
        return environment

    def peer_program(self):
        plain = os.path.join(BUILD_DIR, "bin", "tests", "interop_peer_plain")
        if self.name == "stock" and os.path.exists(plain):
            return plain
        return os.path.join(BUILD_DIR, "bin", "tests", "interop_peer")


OURS = Library("ours", our_libzmq())
STOCK = Library("stock", stock_libzmq())


class Failure(Exception):
    pass


class Peer:
    """One peer process. p("command") runs a command there and returns its result; p.post and
    p.wait do so in two steps, for commands that only end when another peer does its part."""

    def __init__(self, library, number):
        self.name = f"peer {number} ({library.name})"
        self.library = library
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [library.peer_program(), library.path, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            bufsize=0,
            env=library.environment(),
        )
        self.unread = b""
        self.pending = []
        self.ended = False

    def __call__(self, command):
        self.post(command)
        return self.wait()

    def post(self, command):
        self.pending.append(command)
        try:
            self.process.stdin.write(command.encode() + b"\n")
        except BrokenPipeError:
            pass  # wait() finds out more

    def wait(self):
        """The result of the oldest command whose result has not been asked for."""
        command = self.pending.pop(0)
        line = self._line(command)
        if line.split(" ")[0] != "OK":
            raise Failure(f"{self.name}: {command}: {line}")
        return line[3:]

    def _line(self, command):
        end = time.monotonic() + PATIENCE_S
        while b"\n" not in self.unread:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failure(f"{self.name}: {command}: no answer")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                status = self.process.wait()
                raise Failure(f"{self.name}: {command}: ended with status {status}")
            self.unread += data
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode()

    def wait_while_called(self, other):
        """The same, for a command that waits for something the other peer's library does. A stock
        library gets some things done only while its application calls it."""
        while not self.unread and not select.select([self.process.stdout], [], [], 0.01)[0]:
            other("poll s")
        return self.wait()

    def frames(self, command):
        """The result of a command that prints frames."""
        return parse_frames(self(command))

    def kill(self):
        """As a crash or a power cut would: no goodbye."""
        self.process.kill()
        self.process.wait()
        self.ended = True

    def pause(self):
        """Returns when the process really stands still."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def quit(self, command="quit"):
        self.post(command)
        self.join()

    def join(self):
        """After quit or term has been posted: it must do what it was told, and exit."""
        while self.pending:
            result = self.wait()
        self.ended = True
        # A stock library may lose what was half sent when its peer died.
        if os.path.realpath(self.library.path) != os.path.realpath(STOCK.path):
            expect(result, "lent=0", "buffers not given back")
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: does not exit") from None
        if status != 0:
            raise Failure(f"{self.name}: exit status {status}")

    def release(self):
        """Ends it in any case; returns what it wrote to stderr."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace")
        self.errors.close()
        return text


def parse_frames(text):
    if text == "nothing":
        return None
    return [b"" if frame == "-" else bytes.fromhex(frame[1:]) for frame in text.split(",")]


def frame(data):
    """A byte string as the peer's commands spell it."""
    return "x" + bytes(data).hex() if data else "-"


class Combo:
    """Which library binds, which one connects, and over what."""

    def __init__(self, transport, bind, connect):
        self.transport = transport
        self.bind = bind
        self.connect = connect

    def __str__(self):
        return f"{self.transport} {self.bind.name} binds"

    def endpoint(self, case):
        return case.endpoint(self.transport)


def combos(transports=("tcp", "ipc")):
    return [
        Combo(transport, bind, connect)
        for transport in transports
        for bind, connect in ((OURS, STOCK), (STOCK, OURS))
    ]


def either_way(combinations, roles=("bound side sends", "connected side sends")):
    return [(combo, role) for combo in combinations for role in roles]


class Case:
    """One run of a test: its peers and its folder."""

    def __init__(self, folder):
        self.folder = folder
        self.peers = []
        self.cleanup = []
        self.endpoints = 0

    def peer(self, library):
        peer = Peer(library, len(self.peers) + 1)
        self.peers.append(peer)
        return peer

    def socket(self, library, socket_type, options=""):
        """A peer with one socket, called s."""
        peer = self.peer(library)
        peer(f"socket s {socket_type} {options}")
        return peer

    def endpoint(self, transport):
        """One to bind to. The port is the system's choice. The address is the driver's own, so that
        nobody else takes the port while a peer is between two lives."""
        if transport != "ipc":
            pid = os.getpid()
            return f"{transport}://127.{1 + pid // 65536 % 250}.{pid // 256 % 256}.{1 + pid % 254}:*"
        self.endpoints += 1
        return f"ipc://{self.folder}/{self.endpoints}"

    def pair(self, combo, bound, connected, bound_options="", connected_options=""):
        """Two peers with a socket s each, one bound and the other connected to it."""
        server = self.socket(combo.bind, bound, bound_options)
        server.endpoint = server(f"bind s {combo.endpoint(self)}")
        client = self.socket(combo.connect, connected, connected_options)
        client(f"connect s {server.endpoint}")
        return server, client

    def flow(self, combo, role, sender, receiver, sender_options="", receiver_options=""):
        """The same, returned as sender and receiver; the role says which of them binds."""
        if role.startswith("bound"):
            return self.pair(combo, sender, receiver, sender_options, receiver_options)
        bound, connected = self.pair(combo, receiver, sender, receiver_options, sender_options)
        return connected, bound

    def finish(self):
        """All at once: a peer may only get rid of its messages while another one lives."""
        alive = [peer for peer in self.peers if not peer.ended]
        for peer in alive:
            peer.post("quit")
        for peer in alive:
            peer.join()


def counts(text):
    """The numbers of a result such as "received=5 gaps=0"."""
    return {name: int(value) for name, value in (word.split("=") for word in text.split())}


def expect(actual, expected, what="result"):
    if actual != expected:
        raise Failure(f"{what}: {actual!r}, not {expected!r}")


registered = []


def cases(parameters=((),)):
    """Runs the function once for each; tuples are spread over its arguments."""

    def register(function):
        for parameter in parameters:
            spread = parameter if isinstance(parameter, tuple) else (parameter,)
            label = " ".join([function.__name__, *map(str, spread)])
            registered.append((label, function, spread))
        return function

    return register


@contextlib.contextmanager
def temporary_folder():
    # The path of a Unix socket has little room.
    folder = tempfile.mkdtemp(prefix="zl-")
    if len(folder) > 60:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="zl-", dir="/tmp")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_case(function, arguments):
    """None, or why it failed."""
    with temporary_folder() as folder:
        case = Case(folder)
        try:
            function(case, *arguments)
            case.finish()
            return None
        except (Failure, OSError, subprocess.SubprocessError, ValueError) as error:
            reason = f"{error}"
        finally:
            for clean in case.cleanup:
                clean()
            errors = [(peer.name, peer.release()) for peer in case.peers]
        for name, text in errors:
            for line in text.splitlines()[:60]:
                reason += f"\n      {name}: {line}"
        return reason


def skip_unless_ready(*programs):
    for path in (OURS.path, *programs):
        if not os.path.exists(path):
            print(f"{path} is missing: build the project first")
            sys.exit(1)
    if not STOCK.path or not os.path.exists(STOCK.path):
        print("no stock libzmq found (Debian: libzmq5): skipped")
        sys.exit(SKIPPED)


def main():
    skip_unless_ready(OURS.peer_program())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wanted = sys.argv[1:]
    passed = failed = 0
    for label, function, arguments in registered:
        if not all(word in label for word in wanted):
            continue
        start = time.monotonic()
        reason = run_case(function, arguments)
        passed += reason is None
        failed += reason is not None
        verdict = "ok  " if reason is None else "FAIL"
        print(f"{verdict} {label} ({time.monotonic() - start:.2f} s)", flush=True)
        if reason is not None:
            print(f"      {reason}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
