# SPDX-License-Identifier: MPL-2.0
"""What a cell has to reach, as a table, and the judgement of a cell."""

import operator
from dataclasses import dataclass
from typing import Optional

from results import variant_names

UNSUPPORTED = "unsupported"  # what a library does not have (yet) is no failure
KIB = 1024
MANY = 1 << 40
STREAMS = ("tcp", "ipc")
NATIVE = STREAMS + ("inproc",)

_RELATIONS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}
PAIR = ("pair",)

# Variants that are measured for orientation: libzmq's releases have no batch sizes to compare with,
# and of a slow subscriber only a floor is asked, see below.
WITHOUT_TARGETS = ("batch", "slow")


@dataclass(frozen=True)
class Target:
    """zlink's `metric`, divided by that of `against` (if any), has to be `relation` `limit`."""

    mode: str
    transports: tuple
    metric: str
    against: Optional[str]
    relation: str
    limit: float
    sizes: tuple = (0, MANY)
    affinity: Optional[str] = None
    patterns: Optional[tuple] = None
    only_variant: Optional[str] = None  # otherwise asked of all but those WITHOUT_TARGETS

    def applies(self, cell, affinity):
        return (
            cell.mode == self.mode
            and cell.transport in self.transports
            and self.sizes[0] <= cell.size <= self.sizes[1]
            and self.affinity in (None, affinity)
            and (self.patterns is None or cell.pattern in self.patterns)
            and self.variants_apply(variant_names(cell.variant))
        )

    def variants_apply(self, names):
        return (self.only_variant is None or self.only_variant in names) and not any(
            name in WITHOUT_TARGETS for name in names if name != self.only_variant
        )

    def value(self, cell):
        if self.against is None:
            return cell.median("zlink", self.metric)
        return cell.ratio(self.metric, self.against)

    def is_met(self, value):
        return _RELATIONS[self.relation](value, self.limit)


SHORT = (0, 512)
MIDDLE = (KIB, 16 * KIB)
LARGE = (64 * KIB, MANY)
RATE = "msgs_per_s"

# Every pattern is held to PAIR's ratios against libzmq; the share of the ceiling is asked of PAIR,
# whose work is the ceiling's. A limit against libzmq's round trip is stated for short messages: in
# large ones copying dominates.
TARGETS = (
    Target("latency", STREAMS, "p50_us", "raw", "<=", 1.2, affinity="pinned", patterns=PAIR),
    Target("latency", STREAMS, "p99_us", "raw", "<=", 1.5, affinity="pinned", patterns=PAIR),
    Target("latency", STREAMS, "p50_us", "libzmq", "<=", 0.45, sizes=(0, KIB), affinity="pinned"),
    Target("latency", STREAMS, "p50_us", "libzmq", "<=", 0.2, sizes=(0, KIB), affinity="free"),
    Target("latency", STREAMS, "p99_us", "libzmq", "<=", 0.5, sizes=(0, KIB), affinity="free"),
    Target("latency", ("inproc",), "p50_us", "libzmq", "<=", 0.8, affinity="pinned"),
    Target("latency", ("inproc",), "p50_us", "libzmq", "<=", 0.3, affinity="free"),
    Target("throughput", ("tcp",), RATE, "libzmq", ">=", 4, sizes=SHORT),
    Target("throughput", ("tcp",), RATE, "raw", ">=", 0.5, sizes=SHORT, patterns=PAIR),
    Target("throughput", ("ipc",), RATE, "libzmq", ">=", 5, sizes=SHORT),
    Target("throughput", ("ipc",), RATE, "raw", ">=", 0.35, sizes=SHORT, patterns=PAIR),
    Target("throughput", STREAMS, RATE, "libzmq", ">=", 2, sizes=MIDDLE),
    Target("throughput", STREAMS, RATE, "raw", ">=", 0.8, sizes=MIDDLE, patterns=PAIR),
    Target("throughput", STREAMS, RATE, "libzmq", ">=", 1.5, sizes=LARGE),
    Target("throughput", STREAMS, RATE, "raw", ">=", 0.85, sizes=LARGE, patterns=PAIR),
    Target("throughput", ("inproc",), RATE, "libzmq", ">=", 3),
    Target("throughput", ("ws",), RATE, "tcp", ">=", 0.7, sizes=(KIB, MANY)),
    Target("throughput", ("ws",), RATE, "libzmq", ">=", 3, sizes=(64, 64)),
    Target("throughput", ("tls", "wss"), RATE, "raw", ">=", 0.7, patterns=PAIR),
    Target("throughput", STREAMS, RATE, "libzmq", ">=", 2, only_variant="slow"),
    Target("throughput", NATIVE, "send_cpu_ns", "libzmq", "<=", 0.35, sizes=(64, 64)),
    Target("throughput", NATIVE, "recv_cpu_ns", "libzmq", "<=", 0.35, sizes=(64, 64)),
    Target("fixed-rate", STREAMS, "p999_us", "libzmq", "<", 1),
    Target("idle", STREAMS, "p50_us", "libzmq", "<=", 0.7),
    Target("idle", STREAMS, "idle_wakeups", None, "<=", 0),
    Target("connections", STREAMS, "connection_bytes", None, "<=", 4 * KIB),
    Target("connections", STREAMS, "failures", None, "<=", 0),
    Target("churn", STREAMS, RATE, "libzmq", ">=", 2),
)

_NAMES = {
    RATE: "rate",
    "p50_us": "p50",
    "p99_us": "p99",
    "p999_us": "p99.9",
    "send_cpu_ns": "sender CPU",
    "recv_cpu_ns": "receiver CPU",
    "idle_wakeups": "wake-ups",
    "connection_bytes": "bytes per connection",
    "failures": "failed connections",
}


@dataclass(frozen=True)
class Verdict:
    target: Target
    value: float
    met: bool

    def __str__(self):
        target = self.target
        # More digits where two would make a missed target look met.
        texts = [f"{self.value:.{digits}f}" for digits in (2, 3, 5, 9)]
        shown = next((t for t in texts if target.is_met(float(t)) == self.met), texts[-1])
        if target.against:
            shown += f"x {target.against}"
        return f"{_NAMES[target.metric]} {shown} (wants {target.relation} {target.limit:g})"


def judge(cell, affinity):
    """The verdicts on a cell; a target whose reference was not measured is left out."""
    verdicts = []
    for target in TARGETS:
        if target.applies(cell, affinity):
            value = target.value(cell)
            if value is not None:
                verdicts.append(Verdict(target, value, target.is_met(value)))
    return verdicts


def mark(cell, affinity):
    """One word on a cell, or what it has missed."""
    status = cell.status.get("zlink")
    if status:
        return status if status == UNSUPPORTED else status.upper()
    verdicts = judge(cell, affinity)
    missed = [str(verdict) for verdict in verdicts if not verdict.met]
    if missed:
        return "MISSED " + "; ".join(missed)
    return "met" if verdicts else "-"


def count(cells, affinity):
    """(cells whose every target is met, cells with a missed one or a failure)."""
    marks = [mark(cell, affinity) for cell in cells]
    return marks.count("met"), sum(m not in ("met", "-", UNSUPPORTED) for m in marks)
