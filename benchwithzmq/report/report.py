#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Adds new measurements to the file of results, prints their table, renews a section of the report.

Called by run_benchmarks.sh. Needs only Python's standard library.
"""

import argparse
import sys

import markdown
import plots
import results
import table
import targets


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new", required=True, help="file with the new measurements")
    parser.add_argument("--results", required=True, help="file of results to merge them into")
    parser.add_argument("--markdown", required=True, help="report to renew")
    parser.add_argument("--plots", required=True, help="folder for plots")
    parser.add_argument("--affinity", required=True, choices=sorted(markdown.TITLES))
    return parser.parse_args()


def print_tables(section):
    for mode in results.MODES:
        cells = section.of_mode(mode)
        if cells:
            rows = table.rows(cells, mode, section.affinity)
            print(f"\n{table.HEADINGS[mode]}\n")
            print(table.as_text(table.without_empty_columns(rows)))
    met, missed = targets.count(section.cells, section.affinity)
    print(f"\n{section.affinity}: {met} cells met their targets, {missed} did not.")


def main():
    arguments = parse_arguments()
    new = results.read(arguments.new)
    merged = results.merge(results.read(arguments.results), new)
    results.write(arguments.results, merged)
    print_tables(results.Section(new, arguments.affinity))

    section = results.Section(merged, arguments.affinity)
    drawn = plots.draw(section, arguments.plots)
    if drawn is None:
        print("gnuplot is not installed: no plots", file=sys.stderr)
    text = markdown.section_text(section, drawn or [], arguments.plots, arguments.markdown)
    markdown.update(arguments.markdown, arguments.affinity, text)
    print(f"Report: {arguments.markdown}; measurements: {arguments.results}", file=sys.stderr)


if __name__ == "__main__":
    main()
