# SPDX-License-Identifier: MPL-2.0
"""Runs one self test of libczmq.

    czmq_peer.py LIBRARY TEST [own-network]

LIBRARY is the file that must turn out to be the libzmq in use. A self test ends the process by
SIGABRT if anything is wrong. Exits with 3 if there is to be a network of its own and cannot be one.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys

CZMQ = "libczmq.so.4"


def have_own_network():
    """Gives the process a loopback interface that it shares with nobody."""
    clone_newuser, clone_newnet = 0x10000000, 0x40000000
    siocsifflags, iff_up = 0x8914, 0x1
    if ctypes.CDLL(None).unshare(clone_newuser | clone_newnet) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", iff_up)
        fcntl.ioctl(any_socket, siocsifflags, request)
    return True


def main():
    library, test, *rest = sys.argv[1:]
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if rest and not have_own_network():
        sys.exit(3)
    czmq = ctypes.CDLL(CZMQ)
    with open("/proc/self/maps", encoding="utf-8") as maps:
        loaded = {line.split()[-1] for line in maps if "libzmq" in line}
    if loaded != {os.path.realpath(library)}:
        sys.exit(f"runs on {loaded}")
    getattr(czmq, test)(False)
    print("done")


main()
