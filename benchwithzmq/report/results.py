# SPDX-License-Identifier: MPL-2.0
"""The file of measurements: reading it, merging new ones into it, and the figures of a cell.

A line is either `session key=value ...` (one call of run_benchmarks.sh: when, where, how) or
`sample key=value ...` (one measurement). Samples name their session, and compare only within it
and within one run.
"""

import os
import shlex
import statistics
from collections import defaultdict

HEADER = """\
# Measurements of benchwithzmq/run_benchmarks.sh, one line each, key=value. Times are microseconds
# (_us) or nanoseconds (_ns), rates per second (_per_s). "session" lines say when, where and how;
# each "sample" names its own.
"""

MODES = ("throughput", "latency", "fixed-rate", "idle")
ONE_TO_ONE = ("pair", "pushpull", "dealerrouter", "routerrouter", "reqrep", "pubsub")
WITHOUT_CEILING = ("fanout", "fanin", "duplex")
PATTERNS = ONE_TO_ONE + WITHOUT_CEILING
TRANSPORTS = ("tcp", "ipc", "inproc", "ws")
LIBRARIES = ("zlink", "libzmq", "raw")
ANY_PATTERN = "any"  # of samples of plain sockets: they belong to every one-to-one pattern


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

    @property
    def ceiling_key(self):
        """Common to a cell and the plain sockets it is compared with; None where there are none."""
        if self["pattern"] in WITHOUT_CEILING:
            return None
        return self["transport"], self["mode"], self.size

    @property
    def cell_key(self):
        return self["pattern"], self["transport"], self["mode"], self.size


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
    """All measurements of one pattern, transport, mode and size in one session."""

    def __init__(self, key, session):
        self.pattern, self.transport, self.mode, self.size = key
        self.session = session
        self.runs = defaultdict(dict)  # library -> run -> record
        self.status = {}  # library -> "failed" or "unsupported"
        self.tcp = None  # the same cell over tcp, in the same session

    def add(self, record):
        library = record["lib"]
        if record.get("status"):
            self.status[library] = record["status"]
        else:
            self.runs[library][record["run"]] = record

    def values(self, library, metric):
        return [float(r[metric]) for r in self.runs[library].values() if r.get(metric) is not None]

    def median(self, library, metric):
        return median(self.values(library, metric))

    def spread(self, library, metric):
        return spread(self.values(library, metric))

    def ratio(self, metric, against):
        """The median, over the runs, of zlink's figure by the other's in the same run.

        against: libzmq, raw, or tcp (the same cell of zlink itself, over tcp).
        """
        ours = self.runs["zlink"]
        theirs = self.runs[against]
        if against == "tcp":
            theirs = self.tcp.runs["zlink"] if self.tcp else {}
        return median(
            [
                float(ours[run][metric]) / float(theirs[run][metric])
                for run in ours
                if run in theirs and float(theirs[run].get(metric, 0)) > 0
            ]
        )


def sort_key(cell):
    place = MODES.index(cell.mode), PATTERNS.index(cell.pattern), TRANSPORTS.index(cell.transport)
    return place + (cell.size,)


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
            if cell.pattern not in WITHOUT_CEILING:
                for record in ceilings[session, key[1:]]:
                    cell.add(record)
            cell.tcp = cells.get((session, (cell.pattern, "tcp", cell.mode, cell.size)))
        self.cells = sorted(cells.values(), key=sort_key)

    def of_mode(self, mode):
        return [cell for cell in self.cells if cell.mode == mode]

    def find(self, pattern, transport, mode):
        return [c for c in self.of_mode(mode) if c.pattern == pattern and c.transport == transport]
