# SPDX-License-Identifier: MPL-2.0
"""SVG plots, drawn by gnuplot where it is installed."""

import os
import shutil
import subprocess

from results import LIBRARIES, PATTERNS, TRANSPORTS

_STYLE = """\
set terminal svg size 760,440 dynamic background rgb 'white' font 'sans-serif,13'
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
"""
_COLOURS = {"zlink": "#1b6ac9", "libzmq": "#d9822b", "raw": "#888888"}
_ENOUGH_FOR_A_CURVE = 2


def _write(name, folder, affinity, body):
    """Draws one plot; returns its file name."""
    file_name = f"{name}-{affinity}.svg"
    script = _STYLE + f"set output '{os.path.join(folder, file_name)}'\n" + body
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    return file_name


def _block(name, lines):
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def _curve(section, transport):
    """Throughput over message size for PAIR: the shape that everything else follows."""
    cells = section.find("pair", transport, "throughput")
    blocks, curves = "", []
    for library in LIBRARIES:
        points = [(c.size, c.median(library, "mbytes_per_s")) for c in cells]
        lines = [f"{size} {value}" for size, value in points if value is not None]
        if len(lines) >= _ENOUGH_FOR_A_CURVE:
            blocks += _block(library, lines)
            look = f"lw 2 pt 7 ps 0.6 lc rgb '{_COLOURS[library]}' title '{library}'"
            curves.append(f"${library} with linespoints {look}")
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


def _bars(groups, libraries, title, y_label, extra=""):
    """groups: (label, value per library). Side by side; a missing value is no bar."""
    lines = [
        f'"{label}" ' + " ".join("NaN" if value is None else f"{value}" for value in values)
        for label, values in groups
    ]
    bars = [
        f"$bars using {i + 2}:xtic(1) lc rgb '{_COLOURS[library]}' title '{library}'"
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
    if not groups:
        return None
    return _bars(groups, LIBRARIES, f"PAIR, {size} bytes: round trip ({section.affinity})", "us")


def _patterns(section, size=64, transport="tcp"):
    groups = []
    for pattern in PATTERNS:
        for cell in section.find(pattern, transport, "throughput"):
            if cell.size == size:
                values = [cell.median(library, "msgs_per_s") for library in LIBRARIES[:2]]
                groups.append((pattern, [None if v is None else v / 1e6 for v in values]))
    if len(groups) < _ENOUGH_FOR_A_CURVE:
        return None
    return _bars(
        groups,
        LIBRARIES[:2],
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
    return [_write(name, folder, section.affinity, body) for name, body in bodies.items() if body]
