# SPDX-License-Identifier: MPL-2.0
"""SVG plots, drawn by gnuplot where it is installed."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from results import LIBRARIES, PATTERNS, TRANSPORTS

_STYLE = """\
set terminal svg size 760,440 dynamic background rgb 'white' font 'sans-serif,13'
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
"""
_COLOURS = {"zlink": "#1b6ac9", "libzmq": "#d9822b", "tuned": "#b5452c", "raw": "#888888"}
_NAMES = {"tuned": "libzmq tuned"}
_RIVALS = ("zlink", "libzmq")
_ENOUGH_FOR_A_CURVE = 2


def _write(name, folder, affinity, body):
    """Draws one plot; returns its file name."""
    file_name = f"{name}-{affinity}.svg"
    script = _STYLE + f"set output '{os.path.join(folder, file_name)}'\n" + body
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    return file_name


def _block(name, lines):
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def _look(library):
    title = _NAMES.get(library, library)
    return f"lc rgb '{_COLOURS[library]}' title '{title}'"


def _lines(cells, libraries, x, metric, scale=1.0):
    """Data blocks and the curves drawn from them; neither for a library with too few points. What
    is not positive has no place on a logarithmic axis."""
    blocks, curves = "", []
    for library in libraries:
        points = [(x(cell), cell.median(library, metric)) for cell in cells]
        lines = [f"{at} {value * scale}" for at, value in points if value is not None and value > 0]
        if len(lines) >= _ENOUGH_FOR_A_CURVE:
            blocks += _block(library, lines)
            curves.append(f"${library} with linespoints lw 2 pt 7 ps 0.6 {_look(library)}")
    return blocks, curves


def _curve(section, transport):
    """Throughput over message size for PAIR: the shape that everything else follows."""
    cells = section.find("pair", transport, "throughput")
    if not any(cell.values("zlink", "mbytes_per_s") for cell in cells):
        return None
    blocks, curves = _lines(cells, LIBRARIES, lambda cell: cell.size, "mbytes_per_s")
    if not curves:
        return None
    return (
        blocks
        + f"set title 'PAIR over {transport}: throughput by message size ({section.affinity})'\n"
        + "set logscale xy\nset xlabel 'bytes per message'\nset ylabel 'MB/s'\nset key left top\n"
        + "set xtics (32, 64, 256, 512, '1 Ki' 1024, '4 Ki' 4096, '16 Ki' 16384, '64 Ki' 65536,"
        + " '256 Ki' 262144, '1 Mi' 1048576)\n"
        + "plot " + ", ".join(curves) + "\n"
    )


@dataclass(frozen=True)
class _Series:
    """Cells that differ in one variant: how many there are of something."""

    pattern: str
    mode: str
    variant: str
    usual: int  # the number of a cell without variant; 0: there is none
    metric: str
    title: str
    x_label: str
    y_label: str
    scale: float = 1.0

    def count(self, cell):
        """None: the cell is not one of these."""
        if not cell.variant:
            return self.usual or None
        name, _, value = cell.variant.partition("=")
        return int(value) if name == self.variant and value.isdigit() else None


_SERIES = {
    "fanout": _Series(
        "fanout", "throughput", "peers", 8, "msgs_per_s_each",
        "one PUB, 64 bytes over tcp", "subscribers", "million messages per second at each", 1e-6,
    ),
    "sockets": _Series(
        "pair", "throughput", "sockets", 1, "msgs_per_s",
        "pairs of PAIR at once, 64 bytes over tcp", "pairs", "million messages per second", 1e-6,
    ),
    "poll": _Series(
        "dealerrouter", "poll", "poll_sockets", 0, "p50_us",
        "zmq_poll over tcp sockets, one active, and receiving", "sockets", "us, median",
    ),
}


def _series(section, series, size=64, transport="tcp"):
    cells = [
        cell
        for cell in section.of_mode(series.mode)
        if (cell.pattern, cell.transport, cell.size) == (series.pattern, transport, size)
        and series.count(cell) is not None
    ]
    cells.sort(key=series.count)
    blocks, curves = _lines(cells, _RIVALS, series.count, series.metric, series.scale)
    if not curves:
        return None
    ticks = ", ".join(str(count) for count in sorted({series.count(cell) for cell in cells}))
    return (
        blocks
        + f"set title '{series.title} ({section.affinity})'\nset logscale xy\n"
        + f"set xlabel '{series.x_label}'\nset ylabel '{series.y_label}'\nset key left bottom\n"
        + f"set xtics ({ticks})\nset format y '%g'\nplot " + ", ".join(curves) + "\n"
    )


def _bars(groups, libraries, title, y_label, extra=""):
    """groups: (label, value per library). Side by side; a missing value is no bar."""
    lines = [
        f'"{label}" ' + " ".join("NaN" if value is None else f"{value}" for value in values)
        for label, values in groups
    ]
    bars = [
        f"$bars using {i + 2}:xtic(1) {_look(library)}"
        for i, library in enumerate(libraries)
    ]
    return (
        _block("bars", lines)
        + "set style data histograms\nset style histogram clustered gap 1\n"
        + "set style fill solid border -1\n"
        + f"set title '{title}'\nset ylabel '{y_label}'\nset yrange [0:*]\nset key right top\n"
        + extra + "plot " + ", ".join(bars) + "\n"
    )


def _latency(section, size=64):
    groups = []
    for transport in TRANSPORTS:
        for cell in section.find("pair", transport, "latency"):
            if cell.size == size:
                for metric, name in (("p50_us", "p50"), ("p99_us", "p99")):
                    values = [cell.median(library, metric) for library in LIBRARIES]
                    groups.append((f"{transport} {name}", values))
    groups = [group for group in groups if any(value is not None for value in group[1])]
    if not groups:
        return None
    shown = [i for i in range(len(LIBRARIES)) if any(v[i] is not None for _, v in groups)]
    groups = [(label, [values[i] for i in shown]) for label, values in groups]
    libraries = [LIBRARIES[i] for i in shown]
    return _bars(groups, libraries, f"PAIR, {size} bytes: round trip ({section.affinity})", "us")


def _patterns(section, size=64, transport="tcp"):
    groups = []
    for pattern in PATTERNS:
        for cell in section.find(pattern, transport, "throughput"):
            if cell.size == size:
                values = [cell.median(library, "msgs_per_s") for library in _RIVALS]
                if not any(values):
                    continue
                groups.append((pattern, [None if v is None else v / 1e6 for v in values]))
    if len(groups) < _ENOUGH_FOR_A_CURVE:
        return None
    return _bars(
        groups,
        _RIVALS,
        f"{size} bytes over {transport}, by pattern ({section.affinity})",
        "million messages per second, all receivers",
        "set xtics rotate by -20\n",
    )


def draw(section, folder):
    """Draws what there is data for. Returns the file names, or None without gnuplot."""
    if shutil.which("gnuplot") is None:
        return None
    os.makedirs(folder, exist_ok=True)
    bodies = {f"throughput-{transport}": _curve(section, transport) for transport in TRANSPORTS}
    bodies["latency"] = _latency(section)
    bodies["patterns"] = _patterns(section)
    bodies.update({name: _series(section, series) for name, series in _SERIES.items()})
    return [_write(name, folder, section.affinity, body) for name, body in bodies.items() if body]
