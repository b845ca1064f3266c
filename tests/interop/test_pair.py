# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
"""PAIR between two libraries: both directions, in turns and at once, and every form of endpoint."""

from flows import exchange
from matrix import PARTS, SIZES, SMALL
from matrix import cases, combos, either_way, expect, main

BOTH = either_way(combos(), ("bound side begins", "connected side begins"))


def sides(case, combo, role, options=""):
    bound, connected = case.pair(combo, "pair", "pair", options, options)
    return (bound, connected) if role.startswith("bound") else (connected, bound)


@cases(BOTH)
def turns(case, combo, role):
    """Each message comes back before the next one goes."""
    first, second = sides(case, combo, role)
    second("serve s")
    first(f"ask s stream=1 count=66 shapes={SIZES},{PARTS}")
    first(f"ask s stream=2 count=1000 shapes={SMALL}")


@cases(combos())
def both_at_once(case, combo):
    bound, connected = case.pair(combo, "pair", "pair")
    exchange(bound, connected, f"count=5000 shapes={SMALL},9000,0+9000+0")


@cases(combos())
def both_at_once_long(case, combo):
    """Both write more than all buffers hold, so each must read while its writes are stuck."""
    bound, connected = case.pair(combo, "pair", "pair", "sndhwm=4 rcvhwm=4", "sndhwm=4 rcvhwm=4")
    exchange(bound, connected, f"count=100 shapes={SIZES},{PARTS},3000000")


@cases([combo for combo in combos(("ipc",))])
def wildcard_ipc(case, combo):
    bound = case.socket(combo.bind, "pair")
    endpoint = bound("bind s ipc://*")
    connected = case.socket(combo.connect, "pair")
    connected(f"connect s {endpoint}")
    bound("serve s")
    connected("ask s count=100")


@cases([combo for combo in combos(("ipc",))])
def abstract_ipc(case, combo):
    bound = case.socket(combo.bind, "pair")
    name = f"ipc://@{case.folder}"
    expect(bound(f"bind s {name}"), name, "last endpoint")
    connected = case.socket(combo.connect, "pair")
    connected(f"connect s {name}")
    bound("serve s")
    connected("ask s count=100")


@cases([combo for combo in combos(("tcp",))])
def tcp_by_name(case, combo):
    """Bound to any address, connected to by a name and from a source address."""
    bound = case.socket(combo.bind, "pair")
    port = bound("bind s tcp://*:*").rsplit(":", 1)[1]
    connected = case.socket(combo.connect, "pair")
    connected(f"connect s tcp://127.0.0.1:0;localhost:{port}")
    bound("serve s")
    connected("ask s count=100")


main()
