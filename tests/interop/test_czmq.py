# SPDX-License-Identifier: MPL-2.0
"""The self tests in the system's libczmq, built against a stock libzmq, on our library."""

import ctypes
import os
import subprocess
import sys

from matrix import OURS, PATIENCE_S, SANITIZED, SKIPPED, SOURCE_DIR, skip_unless_ready, temporary_folder

CZMQ = "libczmq.so.4"
PEER = os.path.join(SOURCE_DIR, "tests", "interop", "czmq_peer.py")
# The classes that use sockets. zbeacon is left out: what it needs of the network is not a given.
# zauth, zproxy, zsock and zsock_option wait for PLAIN, CURVE and SOCKS5: they assert that those options
# can be set.
CLASSES = "zactor zcert zcertstore zframe zgossip zloop zmonitor zmsg zpoller zstr zsys".split()
if SANITIZED:
    # It expects all news of one actor before those of another that it starts right after.
    CLASSES.remove("zgossip")
NO_OWN_NETWORK = 3
# zsock binds to a port again right after unbinding it, although the port is only given free some
# time later, by another thread. On a stock libzmq this fails now and then as well.
# zgossip expects messages of two clients in an order that nothing but luck gives them.
RACES = ("Assertion `rc == port' failed", "Assertion `streq (key, \"inproc://alpha-2\")' failed")


class SelfTest:
    def __init__(self, name, folder, *options):
        place = os.path.join(folder, name)
        os.makedirs(place, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, PEER, OURS.path, f"{name}_test", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=place,
            env=OURS.search_path(folder),
        )

    def finish(self):
        """None, or why it failed."""
        try:
            output, _ = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            return "does not end"
        finally:
            self.process.kill()
            self.process.wait()
        if self.process.returncode != 0 or output.split()[-1:] != ["done"]:
            return f"exit status {self.process.returncode}\n{output}"
        return None


def run(folder):
    """Yields each name with None or the reason of its failure. The tests bind to ports of their own
    choice: they run side by side where each can have a network to itself, else one by one."""
    started = {name: SelfTest(name, folder, "own-network") for name in CLASSES}
    reasons = {name: test.finish() for name, test in started.items()}
    for name, test in started.items():
        options = ["own-network"]
        if test.process.returncode == NO_OWN_NETWORK:
            options = []
            reasons[name] = SelfTest(name, folder).finish()
        for _ in range(5):
            if not reasons[name] or not any(race in reasons[name] for race in RACES):
                break
            reasons[name] = SelfTest(name, folder, *options).finish()
        yield name, reasons[name]


def main():
    skip_unless_ready()
    try:
        ctypes.CDLL(CZMQ)
    except OSError:
        print(f"no {CZMQ} (Debian: libczmq4): skipped")
        sys.exit(SKIPPED)
    failed = 0
    with temporary_folder() as folder:
        for name, reason in run(folder):
            failed += reason is not None
            print(f"ok   {name}" if reason is None else f"FAIL {name}: {reason}", flush=True)
    print(f"{len(CLASSES) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
