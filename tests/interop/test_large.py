# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""Long messages between two libraries, and the limit for them."""

from flows import transfer
from matrix import cases, combos, either_way, expect, main


@cases(combos())
def hundred_megabytes(case, combo):
    receiver, sender = case.pair(combo, "pull", "push")
    flow = "shapes=100000000"
    transfer(sender, receiver, flow)


@cases(either_way(combos()))
def long_parts(case, combo, role):
    """Longer than any buffer, with odd lengths and short parts between them."""
    sender, receiver = case.flow(combo, role, "push", "pull", "sndhwm=2", "rcvhwm=2")
    flow = "count=8 shapes=3000001+0+4999999+1,1+2000000,65535,65537+65536"
    transfer(sender, receiver, flow)


@cases(combos())
def there_and_back(case, combo):
    server, client = case.pair(combo, "router", "dealer")
    server("serve s")
    client("ask s count=6 window=3 shapes=10000000+0,7+5000000")


@cases(combos())
def one_byte_too_long(case, combo):
    """The receiver's limit is kept to the byte. Who exceeds it loses the connection, not more."""
    receiver = case.socket(combo.bind, "pull", "maxmsgsize=1000")
    receiver("monitor s")
    endpoint = receiver(f"bind s {combo.endpoint(case)}")
    sender = case.socket(combo.connect, "push", "reconnect_ivl=10")
    sender("monitor s")
    sender(f"connect s {endpoint}")
    flow = "count=10 shapes=1000,999,1000+1000,0"
    sender(f"send s {flow}")
    receiver(f"recv s {flow}")
    sender("send s shapes=1001")
    receiver("event s DISCONNECTED")
    sender("event s DISCONNECTED")
    sender(f"send s {flow}")
    receiver(f"recv s {flow}")
    expect(receiver("poll s"), "", "after the last message")


main()
