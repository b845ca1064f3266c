# SPDX-License-Identifier: MPL-2.0
"""The file of measurements: reading it, merging new ones into it, and the figures of a cell.

A line is either `session key=value ...` (one call of run_benchmarks.sh: when, where, how) or
`sample key=value ...` (one measurement). Samples name their session, and compare only within it
and within one run.
"""

import math
import os
import shlex
import statistics
from collections import defaultdict

HEADER = """\
# Measurements of benchwithzmq/run_benchmarks.sh, one line each, key=value. Times are microseconds
# (_us) or nanoseconds (_ns), rates per second (_per_s). "session" lines say when, where and how;
# each "sample" names its own.
"""

MODES = ("throughput", "latency", "fixed-rate", "idle", "connections", "churn", "poll")
ONE_TO_ONE = ("pair", "pushpull", "dealerrouter", "routerrouter", "reqrep", "pubsub")
WITHOUT_CEILING = ("fanout", "fanin", "duplex")
PATTERNS = ONE_TO_ONE + WITHOUT_CEILING
TRANSPORTS = ("tcp", "ipc", "inproc", "ws", "wss", "tls")
LIBRARIES = ("zlink", "libzmq", "tuned", "raw")  # tuned: libzmq with its own knobs turned
CEILING_TRANSPORTS = {"wss": "tls"}  # the others have a ceiling of their own, or none
ANY_PATTERN = "any"  # of samples of plain sockets: they belong to every one-to-one pattern


def variant_names(variant):
    return [word.split("=")[0] for word in variant.split(",") if word]


def has_usual_layout(variant):
    """One connection between two peers, whatever its options are."""
    return set(variant_names(variant)) <= {"batch"}


class Record:
    """One line."""

    def __init__(self, line):
        self.line = line
        self.kind, *pairs = shlex.split(line)
        self.fields = dict(pair.split("=", 1) for pair in pairs)

    def __getitem__(self, key):
        return self.fields[key]

    def get(self, key, default=None):
        return self.fields.get(key, default)

    @property
    def size(self):
        return int(self["size"])

    def number(self, key):
        """The figure under that key; None if it is missing or no number that can be computed with."""
        try:
            value = float(self.fields[key])
        except (KeyError, ValueError):
            return None
        return value if math.isfinite(value) else None

    @property
    def variant(self):
        """What is unusual about this cell, such as peers=64,slow=1; mostly nothing: ""."""
        return self.get("variant", "")

    @property
    def ceiling_key(self):
        """Common to a cell and the plain sockets it is compared with; None where there are none."""
        if self["pattern"] in WITHOUT_CEILING or not has_usual_layout(self.variant):
            return None
        transport = CEILING_TRANSPORTS.get(self["transport"], self["transport"])
        return transport, self["mode"], self.size

    @property
    def cell_key(self):
        return self["pattern"], self["transport"], self["mode"], self.size, self.variant


def read(path):
    """The records of a file; of a file that does not exist, none."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except FileNotFoundError:
        return []
    return [Record(line) for line in lines if line and not line.startswith("#")]


def write(path, records):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEADER)
        file.writelines(record.line + "\n" for record in records)


def _is_raw(record):
    return record["pattern"] == ANY_PATTERN


def merge(old, new):
    """New cells replace the same ones of the same affinity; what nothing refers to is dropped."""
    replaced = {(r["affinity"], r.cell_key) for r in new if r.kind == "sample" and not _is_raw(r)}
    kept = [
        r
        for r in old
        if r.kind == "session" or _is_raw(r) or (r["affinity"], r.cell_key) not in replaced
    ]
    cells = [r for r in kept + new if r.kind == "sample" and not _is_raw(r)]
    wanted_ceilings = {(r["session"], r.ceiling_key) for r in cells}
    wanted_sessions = {r["session"] for r in cells}

    def wanted(record):
        if record.kind == "session":
            return record["id"] in wanted_sessions
        return not _is_raw(record) or (record["session"], record.ceiling_key) in wanted_ceilings

    return [r for r in kept + new if wanted(r)]


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    """Half of the middle half's width (of few values: the whole width), relative to the median."""
    middle = median(values)
    if len(values) < 2 or not middle:
        return None
    if len(values) < 4:
        low, high = min(values), max(values)
    else:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / middle


class Cell:
    """All measurements of one pattern, transport, mode, size and variant in one session."""

    def __init__(self, key, session):
        self.pattern, self.transport, self.mode, self.size, self.variant = key
        self.session = session
        self.runs = defaultdict(dict)  # library -> run -> record
        self.status = {}  # library -> "failed" or "unsupported"
        self.ceiling_key = None
        self.tcp = None  # the same cell over tcp, in the same session

    def add(self, record):
        if not _is_raw(record):
            self.ceiling_key = record.ceiling_key
        library = record["lib"]
        if record.get("status"):
            self.status[library] = record["status"]
        else:
            self.runs[library][record["run"]] = record

    def values(self, library, metric):
        numbers = (record.number(metric) for record in self.runs[library].values())
        return [number for number in numbers if number is not None]

    def median(self, library, metric):
        return median(self.values(library, metric))

    def spread(self, library, metric):
        return spread(self.values(library, metric))

    def ratio(self, metric, against):
        """The median, over the runs, of zlink's figure by the other's in the same run.

        against: libzmq, tuned, raw, or tcp (the same cell of zlink itself, over tcp).
        """
        ours = self.runs["zlink"]
        theirs = self.runs[against]
        if against == "tcp":
            theirs = self.tcp.runs["zlink"] if self.tcp else {}
        pairs = [
            (ours[run].number(metric), theirs[run].number(metric)) for run in ours if run in theirs
        ]
        # A reference of nothing gives no ratio, and neither does a figure that is missing.
        return median([a / b for a, b in pairs if a is not None and b is not None and b > 0])


def _variant_order(variant):
    """peers=8 comes before peers=64."""
    return [
        (word.split("=")[0], int(number) if number.isdigit() else 0)
        for word in variant.split(",")
        for number in [word.partition("=")[2]]
    ]


def sort_key(cell):
    place = MODES.index(cell.mode), PATTERNS.index(cell.pattern), TRANSPORTS.index(cell.transport)
    return place + (cell.size, _variant_order(cell.variant))


class Section:
    """Everything measured with one kind of affinity."""

    def __init__(self, records, affinity):
        mine = [r for r in records if r["affinity"] == affinity]
        self.affinity = affinity
        self.sessions = [r for r in mine if r.kind == "session"]
        samples = [r for r in mine if r.kind == "sample"]
        cells, ceilings = {}, defaultdict(list)
        for record in samples:
            if _is_raw(record):
                ceilings[record["session"], record.ceiling_key].append(record)
            else:
                key = (record["session"], record.cell_key)
                cells.setdefault(key, Cell(record.cell_key, record["session"])).add(record)
        for (session, key), cell in cells.items():
            for record in ceilings[session, cell.ceiling_key]:
                cell.add(record)
            cell.tcp = cells.get((session, (cell.pattern, "tcp") + key[2:]))
        self.cells = sorted(cells.values(), key=sort_key)

    def of_mode(self, mode):
        return [cell for cell in self.cells if cell.mode == mode]

    def find(self, pattern, transport, mode):
        """The usual cells, without variants."""
        wanted = pattern, transport, ""
        cells = self.of_mode(mode)
        return [c for c in cells if (c.pattern, c.transport, c.variant) == wanted]
