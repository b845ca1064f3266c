# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""PUSH and PULL between two libraries: sizes, parts, floods, several peers, lingering."""

from flows import transfer, transfer_without_limits
from matrix import OURS, PARTS, SIZES, SMALL, STOCK, TAGGED
from matrix import cases, combos, counts, either_way, expect, main


@cases(either_way(combos()))
def sizes(case, combo, role):
    sender, receiver = case.flow(combo, role, "push", "pull")
    flow = f"stream=7 count=66 shapes={SIZES},{PARTS}"
    transfer(sender, receiver, flow)


@cases(either_way(combos()))
def flood(case, combo, role):
    """Far more than the high-water marks hold, so that both ends have to wait at times."""
    sender, receiver = case.flow(combo, role, "push", "pull", "sndhwm=100", "rcvhwm=100")
    flow = f"stream=9 count=20000 shapes={SMALL}"
    transfer(sender, receiver, flow)


@cases(either_way(combos()))
def flood_without_limits(case, combo, role):
    transfer_without_limits(case, combo, role, 20000)


@cases(either_way(combos()))
def short_queues(case, combo, role):
    """Long and short messages mixed while both queues are full nearly all the time."""
    sender, receiver = case.flow(combo, role, "push", "pull", "sndhwm=3", "rcvhwm=3")
    flow = f"stream=5 count=300 shapes={SIZES},{PARTS},{SMALL}"
    transfer(sender, receiver, flow)


@cases(either_way(combos(("tcp",))))
def small_buffers(case, combo, role):
    """Every write and read is cut somewhere else."""
    options = "sndbuf=4096", "rcvbuf=4096"
    sender, receiver = case.flow(combo, role, "push", "pull", *options)
    flow = f"stream=5 count=60 shapes=1,300,9000,70000,{PARTS},150000"
    transfer(sender, receiver, flow)


@cases([(transport, library) for transport in ("tcp", "ipc") for library in (OURS, STOCK)])
def fan_out(case, transport, library):
    """A PUSH connected to two PULLs, one of either library, gives them every other message."""
    sender = case.socket(library, "push")
    receivers = [case.socket(receiving, "pull") for receiving in (OURS, STOCK)]
    for receiver in receivers:
        endpoint = receiver(f"bind s {case.endpoint(transport)}")
        sender(f"connect s {endpoint}")
    sender(f"send s count=1000 shapes={TAGGED}")
    results = [counts(peer(f"follow s count=500 shapes={TAGGED}")) for peer in receivers]
    # A gap before each message of one, before each but the first of the other.
    expect(sorted(result["missing"] for result in results), [499, 500])


@cases([(transport, library) for transport in ("tcp", "ipc") for library in (OURS, STOCK)])
def fan_in(case, transport, library):
    receiver = case.socket(library, "pull")
    endpoint = receiver(f"bind s {case.endpoint(transport)}")
    for stream, sending in enumerate((OURS, STOCK, OURS, STOCK)):
        sender = case.socket(sending, "push")
        sender(f"connect s {endpoint}")
        sender.post(f"send s stream={stream} count=3000 shapes={TAGGED}")
    result = counts(receiver(f"follow s count=12000 shapes={TAGGED}"))
    expect(result, {"received": 12000, "gaps": 0, "missing": 0})


@cases(combos())
def sender_ends_before_receiver_starts(case, combo):
    """Connecting, sending, closing and terminating all come before anyone listens."""
    probe = case.socket(combo.bind, "pull")
    endpoint = probe(f"bind s {combo.endpoint(case)}")
    probe.quit()
    flow = f"count=100 shapes={SIZES}"
    sender = case.socket(combo.connect, "push", "reconnect_ivl=10")
    sender(f"connect s {endpoint}")
    sender(f"send s {flow}")
    sender.post("term")
    receiver = case.socket(combo.bind, "pull")
    receiver(f"bind s {endpoint}")
    receiver(f"recv s {flow}")
    sender.join()


@cases(combos())
def bound_sender_ends_before_receiver_reads(case, combo):
    """More than kernel buffers and high-water marks hold must be delivered after the close."""
    # A stock receiver whose queue is full when an ipc peer closes loses what it has not read yet.
    rcvhwm = 0 if combo.connect is STOCK else 1
    sender, receiver = case.pair(combo, "push", "pull", "sndhwm=0", f"rcvhwm={rcvhwm}")
    flow = f"count=40 shapes={SIZES}"
    sender(f"send s {flow}")
    sender.post("term")
    receiver(f"recv s {flow}")
    sender.join()


main()
