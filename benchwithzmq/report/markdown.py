# SPDX-License-Identifier: MPL-2.0
"""The report in Markdown: a section per affinity between two marks, each renewed by itself."""

import os
import re

import table
import targets
from results import MODES

TITLES = {"pinned": "Pinned to one CPU", "free": "Free: all CPUs"}

TEMPLATE = """\
# zlink beside libzmq: benchmark results

Written by `benchwithzmq/run_benchmarks.sh`; do not edit. How to read and how to repeat it:
[README.md](README.md). Ratios are zlink by the other: of rates more is better, of times and CPU
less. They are medians of ratios within a run; ± is half the width of the middle half of the runs.
A cell below its target is marked **MISSED**, with what it wants; where its time goes, and what was
tried: [performance.md](../docs/performance.md).

<!-- begin pinned -->
<!-- end pinned -->
<!-- begin free -->
<!-- end free -->
"""


def _session_lines(section, numbers):
    lines = []
    for session in section.sessions:
        cells = sum(cell.session == session["id"] for cell in section.cells)
        how = (
            "commit {commit}, {date}: {cells} cells, {runs} runs of {window} s "
            "(warm-up {warmup} s); {kernel}; {cpu}; CPUs {cpus} of {of}; load before {load}; "
            "zlink as {zlink}, libzmq {libzmq}; options: `{options}`"
        ).format(cells=cells, **session.fields)
        lines.append(f"{numbers[session['id']]}. {how}")
    return lines


def _plot_lines(plots, folder, report_path):
    base = os.path.dirname(os.path.abspath(report_path))
    return [f"![{name}]({os.path.relpath(os.path.join(folder, name), base)})" for name in plots]


def section_text(section, plots, plot_folder, report_path):
    numbers = {session["id"]: i for i, session in enumerate(section.sessions, 1)}
    met, missed = targets.count(section.cells, section.affinity)
    parts = [f"## {TITLES[section.affinity]}", "\n".join(_session_lines(section, numbers))]
    parts.append(f"{met} cells met their targets, {missed} did not.")
    for mode in MODES:
        cells = section.of_mode(mode)
        if cells:
            rows = table.rows(cells, mode, section.affinity, numbers if len(numbers) > 1 else None)
            rows = table.without_empty_columns(rows)
            parts += [f"### {table.HEADINGS[mode]}", table.as_markdown(rows)]
    if plots:
        parts += ["### Plots", "\n".join(_plot_lines(plots, plot_folder, report_path))]
    return "\n\n".join(parts) + "\n"


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return TEMPLATE


def update(path, affinity, text):
    """Puts the text between the marks of that section."""
    begin, end = f"<!-- begin {affinity} -->\n", f"<!-- end {affinity} -->\n"
    document = _read(path)
    if begin not in document or end not in document:
        document = TEMPLATE
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    document = re.sub(pattern, lambda _: begin + text + end, document, flags=re.DOTALL)
    with open(path, "w", encoding="utf-8") as file:
        file.write(document)
