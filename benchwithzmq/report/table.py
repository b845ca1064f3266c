# SPDX-License-Identifier: MPL-2.0
"""The tables of a report: rows of text, the same for the terminal and for Markdown."""

import targets

HEADINGS = {
    "throughput": "Throughput, counted at the receiver",
    "latency": "Latency: round trip, one message in flight (p50 / p99, us)",
    "fixed-rate": "Fixed rate: one-way latency from the intended send time (p50 / p99.9, us)",
    "idle": "First message after a second of silence (round trip p50, us), and what silence costs",
    "connections": "One ROUTER, many connections: opening, idle memory, round-robin traffic",
    "churn": "Churn: open, connect, one message and its answer, close (p50 / p99, us)",
    "poll": "zmq_poll over many sockets, one of them active, and receiving one message (p50 / p99, us)",
}

_CPU_METRICS = ("send_cpu_ns", "recv_cpu_ns")
_TIME_METRICS = {
    "latency": ("p50_us", "p99_us"),
    "fixed-rate": ("p50_us", "p999_us"),
    "idle": ("p50_us",),
    "churn": ("p50_us", "p99_us"),
    "poll": ("p50_us", "p99_us"),
}
GIGABYTES_FROM = 4096


def number(value):
    """Three significant digits without exponent."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 or value <= 0 else f"{value:.3f}"


def size_name(size):
    if size >= 1 << 20 and size % (1 << 20) == 0:
        return f"{size >> 20} MiB"
    if size >= 1 << 10 and size % (1 << 10) == 0:
        return f"{size >> 10} KiB"
    return f"{size} B"


def _spread(cell, library, metric):
    value = cell.spread(library, metric)
    return "" if value is None else f" ±{value * 100:.0f}%"


def _status(cell, library):
    return cell.status.get(library, "-")


def _rate(cell, library):
    # Of one publisher and eight subscribers the rate that each subscriber sees is what is usually
    # quoted.
    metric = "msgs_per_s_each" if cell.pattern == "fanout" else "msgs_per_s"
    value = cell.median(library, metric)
    if value is None:
        return _status(cell, library)
    if cell.size >= GIGABYTES_FROM:
        text = f"{value * cell.size / 1e9:.2f} GB/s"
    elif value < 1e5:
        text = f"{value / 1e3:.1f} k/s"
    else:
        text = f"{value / 1e6:.2f} M/s"
    return text + _spread(cell, library, metric)


def _times(cell, library):
    metrics = _TIME_METRICS[cell.mode]
    values = [cell.median(library, metric) for metric in metrics]
    if values[0] is None:
        return _status(cell, library)
    return " / ".join(number(value) for value in values) + _spread(cell, library, metrics[0])


def _ratios(cell, metrics, against):
    values = [cell.ratio(metric, against) for metric in metrics]
    if all(value is None for value in values):
        return "-"
    return " / ".join("-" if value is None else f"{value:.2f}x" for value in values)


def _share(cell):
    value = cell.ratio("msgs_per_s", "raw")
    return "-" if value is None else f"{value * 100:.0f}%"


def _cpu(cell, library):
    values = [cell.median(library, metric) for metric in _CPU_METRICS]
    return "-" if None in values else " / ".join(f"{value:.0f}" for value in values)


def _memory(cell, library):
    values = [cell.median(library, metric) for metric in ("send_rss_kb", "recv_rss_kb")]
    return "-" if None in values else " / ".join(f"{value / 1024:.0f}" for value in values)


def _variant(word):
    """slow=1 is a yes, poll_sockets=10 a number."""
    name, _, value = word.partition("=")
    name = name.replace("poll_sockets", "sockets")
    return name if name == "slow" else f"{name}={value}"


def _name(cell):
    pattern = " ".join([cell.pattern] + [_variant(w) for w in cell.variant.split(",") if w])
    return [pattern, cell.transport, size_name(cell.size)]


def _throughput_row(cell):
    return [
        _rate(cell, "zlink"),
        _rate(cell, "libzmq"),
        _ratios(cell, ["msgs_per_s"], "libzmq"),
        _rate(cell, "tuned"),
        _ratios(cell, ["msgs_per_s"], "tuned"),
        _rate(cell, "raw"),
        _share(cell),
        _cpu(cell, "zlink"),
        _ratios(cell, _CPU_METRICS, "libzmq"),
        _memory(cell, "zlink"),
        _memory(cell, "libzmq"),
    ]


def _against_both(cell, show, metrics):
    """zlink, libzmq and the ratio, libzmq tuned and the ratio."""
    row = [show(cell, "zlink")]
    for library in ("libzmq", "tuned"):
        row += [show(cell, library), _ratios(cell, metrics, library)]
    return row


def _time_row(cell):
    metrics = _TIME_METRICS[cell.mode]
    row = _against_both(cell, _times, metrics)
    if cell.mode == "latency":
        row += [_times(cell, "raw"), _ratios(cell, metrics, "raw")]
        row.append(_ratios(cell, _CPU_METRICS, "libzmq"))
    if cell.mode == "fixed-rate":
        rate = cell.median("zlink", "rate")
        row.append("-" if rate is None else f"{rate / 1e6:.2f} M/s")
    if cell.mode == "idle":
        for library in ("zlink", "libzmq"):
            wakeups = cell.median(library, "idle_wakeups")
            cpu = cell.median(library, "idle_cpu_us")
            row.append("-" if wakeups is None or cpu is None else f"{wakeups:.1f}, {cpu:.0f} us")
    if cell.mode == "churn":
        row += _against_both(cell, _thousands, ["msgs_per_s"])[:3]
    return row


def _thousands(cell, library):
    value = cell.median(library, "msgs_per_s")
    if value is None:
        return _status(cell, library)
    return f"{value / 1e3:.1f} k/s" + _spread(cell, library, "msgs_per_s")


def _figure(metric):
    def show(cell, library):
        return number(cell.median(library, metric))

    return show


def _counts(cell, library):
    """How many were wanted, and how many of them failed."""
    wanted, failures = cell.median(library, "connections"), cell.median(library, "failures")
    if wanted is None or failures is None:
        return _status(cell, library)
    return f"{wanted:.0f}, {failures:.0f} failed"


def _connections_row(cell):
    row = [_counts(cell, "zlink"), _counts(cell, "libzmq")]
    for metric in ("connect_us", "connection_bytes"):
        row += _against_both(cell, _figure(metric), [metric])[:3]
    return row + _against_both(cell, _thousands, ["msgs_per_s"])[:3]


_TIMES = ["zlink", "libzmq", "ratio", "tuned", "to tuned"]
_COLUMNS = {
    "throughput": [
        "zlink",
        "libzmq",
        "ratio",
        "tuned",
        "to tuned",
        "raw",
        "of raw",
        "CPU ns/msg",
        "CPU ratio",
        "RSS MiB",
        "libzmq's",
    ],
    "latency": _TIMES + ["raw", "to raw", "CPU ratio"],
    "fixed-rate": _TIMES + ["rate"],
    "idle": _TIMES + ["zlink's wake-ups/s, CPU/s", "libzmq's"],
    "churn": _TIMES + ["zlink's cycles", "libzmq's", "ratio"],
    "poll": _TIMES,
    "connections": ["zlink", "libzmq", "us each", "libzmq's", "ratio"]
    + ["bytes each", "libzmq's", "ratio", "answered", "libzmq's", "ratio"],
}
_ROWS = {"throughput": _throughput_row, "connections": _connections_row}


def rows(cells, mode, affinity, sessions=None):
    """Heading row and rows of one mode. With sessions (id -> number) each row names its own."""
    make = _ROWS.get(mode, _time_row)
    last = ["session"] if sessions else []
    table = [["pattern", "transport", "size"] + _COLUMNS[mode] + last + ["target"]]
    for cell in cells:
        number_of_session = [str(sessions[cell.session])] if sessions else []
        table.append(_name(cell) + make(cell) + number_of_session + [targets.mark(cell, affinity)])
    return table


def without_empty_columns(table):
    """Drops columns in which nothing was measured, such as libzmq's after --skip-libzmq."""
    last = len(table[0]) - 1
    keep = [i for i in range(last + 1) if i == last or any(row[i] != "-" for row in table[1:])]
    return [[row[i] for i in keep] for row in table]


def as_text(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [
            text.ljust(width) if i < 3 or i == len(row) - 1 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _emphasised(mark):
    """What is not as it should be shall be seen."""
    return f"**{mark}**" if mark[0].isupper() else mark


def as_markdown(table):
    def line(cells):
        return "| " + " | ".join(cells) + " |"

    rule = ["---" if i < 3 or i == len(table[0]) - 1 else "---:" for i in range(len(table[0]))]
    body = [row[:-1] + [_emphasised(row[-1])] for row in table[1:]]
    return "\n".join([line(table[0]), line(rule)] + [line(row) for row in body])
