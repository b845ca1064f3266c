# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""The system's pyzmq, unchanged, on our library and in conversation with pyzmq on a stock one."""

import os
import subprocess
import sys

from matrix import OURS, PATIENCE_S, SOURCE_DIR, STOCK, Failure
from matrix import cases, expect, main

PEER = os.path.join(SOURCE_DIR, "tests", "interop", "pyzmq_peer.py")
SCENARIOS = (
    "push_pull free_callbacks req_rep pub_sub router_dealer asyncio fd monitor proxy".split()
)
ALONE = "context_term errors inproc".split()


class Program:
    """A Python program on the given library."""

    def __init__(self, case, library, *arguments):
        self.name = f"{' '.join(arguments)} ({library.name})"
        self.process = subprocess.Popen(
            [sys.executable, PEER, library.path, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=library.search_path(case.folder),
        )
        case.cleanup.append(self.end)

    def endpoint(self):
        line = self.process.stdout.readline().strip()
        return line or self.finish()

    def end(self):
        self.process.kill()
        self.process.communicate()

    def finish(self):
        """By itself, after the end of its standard input."""
        try:
            output, errors = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: does not end") from None
        if self.process.returncode != 0:
            raise Failure(f"{self.name}: exit status {self.process.returncode}\n{errors}")
        expect(output.split()[-1:], ["done"], self.name)


@cases([(name, *two) for name in SCENARIOS for two in ((OURS, STOCK), (STOCK, OURS))])
def conversation(case, scenario, serving, asking):
    server = Program(case, serving, scenario, "server")
    client = Program(case, asking, scenario, "client", server.endpoint())
    client.finish()
    server.finish()


@cases(ALONE)
def alone(case, scenario):
    Program(case, OURS, scenario, "alone").finish()


main()
