# SPDX-License-Identifier: MPL-2.0
"""Programs of others as peers: started, waited for until they say that they are ready, and ended."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from matrix import PATIENCE_S, SKIPPED, STOCK, Failure


def skip_without(program, package):
    if not shutil.which(program):
        print(f"no {program} (Debian: {package}): skipped")
        sys.exit(SKIPPED)


def own_address(case):
    """The driver's own, so that nobody else takes a port that is free for a moment."""
    return case.endpoint("tcp").split("/")[2].split(":")[0]


def free_port(host):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def host_and_port(endpoint):
    host, port = endpoint.split("/")[2].rsplit(":", 1)
    return host, int(port)


class Program:
    """One that runs until it is ended. What it prints can be waited for."""

    def __init__(self, case, *arguments, cwd=None, environment=None):
        self.name = os.path.basename(arguments[0])
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            bufsize=0,
            cwd=cwd or case.folder,
            # Not built with sanitizers, and not to be run on our library.
            env={**STOCK.environment(), **(environment or {})},
        )
        case.cleanup.append(self.end)

    def printed(self):
        size = os.fstat(self.output.fileno()).st_size
        return os.pread(self.output.fileno(), size, 0)

    def wait_for(self, pattern):
        """The match of the pattern in what it prints, from whenever."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            ended = self.process.poll() is not None
            found = re.search(pattern, self.printed(), re.DOTALL)
            if found:
                return found
            if ended:
                break
            time.sleep(0.005)
        raise Failure(f"{self.name} does not say {pattern!r}:\n{self.text()}")

    def text(self):
        return self.printed().decode(errors="replace")[-3000:]

    def write(self, data):
        self.process.stdin.write(data)

    def join(self):
        """Its exit status, when it ends by itself."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end:\n{self.text()}") from None

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class Stunnel(Program):
    """TLS on one side, plain TCP on the other. `settings` are lines of its configuration."""

    def __init__(self, case, connect, *settings):
        self.host = own_address(case)
        self.port = free_port(self.host)
        path = os.path.join(case.folder, f"stunnel-{self.port}.conf")
        host, port = connect
        lines = ["foreground = yes", "debug = notice", "pid =", "socket = l:SO_REUSEADDR=1"]
        lines += ["socket = l:TCP_NODELAY=1", "socket = r:TCP_NODELAY=1", "[link]"]
        lines += [f"accept = {self.host}:{self.port}", f"connect = {host}:{port}", "TIMEOUTclose = 0"]
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join([*lines, *settings]) + "\n")
        super().__init__(case, shutil.which("stunnel4") or shutil.which("stunnel"), path)
        self.wait_for(rb"Configuration successful")


class OpensslClient(Program):
    """openssl s_client: what is written to it goes over TLS, what comes back is printed."""

    def __init__(self, case, endpoint, *options):
        host, port = host_and_port(endpoint)
        fixed = ["-quiet", "-no_ign_eof", "-connect", f"{host}:{port}"]
        super().__init__(case, "openssl", "s_client", *fixed, *options)


class OpensslServer(Program):
    """openssl s_server, the same for whoever connects to its endpoint."""

    def __init__(self, case, certificate, *options, port=None):
        self.host = own_address(case)
        self.port = port or free_port(self.host)
        self.endpoint = f"tls://{self.host}:{self.port}"
        files = ["-cert", certificate.pem, "-key", certificate.key]
        fixed = ["-quiet", "-accept", f"{self.host}:{self.port}"]
        super().__init__(case, "openssl", "s_server", *fixed, *files, *options)
