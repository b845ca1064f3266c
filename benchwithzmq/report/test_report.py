#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Tests of the report: run with `python3 -B -m unittest` in this folder."""

import os
import tempfile
import unittest

import markdown
import results
import table
import targets


def session(name, affinity="pinned"):
    return results.Record(f'session id={name} affinity={affinity} kernel="Linux 6"')


def sample(library, run, rate, pattern="pair", name="s1", affinity="pinned", **more):
    fields = dict(transport="tcp", mode="throughput", size=64, msgs_per_s=rate)
    fields.update(more)
    pairs = " ".join(f"{key}={value}" for key, value in fields.items())
    start = f"sample session={name} affinity={affinity} run={run} pattern={pattern} lib={library}"
    return results.Record(f"{start} {pairs}")


def ceiling(run, rate):
    return sample("raw", run, rate, pattern=results.ANY_PATTERN)


class MergeTest(unittest.TestCase):
    def test_replaces_only_the_measured_cells_of_the_same_affinity(self):
        old = [session("s1"), sample("zlink", 1, 1), sample("zlink", 1, 2, size=1024)]
        old += [session("f1", "free"), sample("zlink", 1, 3, name="f1", affinity="free")]
        new = [session("s2"), sample("zlink", 1, 9, name="s2")]
        merged = results.merge(old, new)
        samples = [r for r in merged if r.kind == "sample"]
        rates = sorted((r["affinity"], r.size, r["msgs_per_s"]) for r in samples)
        self.assertEqual(rates, [("free", 64, "3"), ("pinned", 64, "9"), ("pinned", 1024, "2")])

    def test_drops_sessions_and_ceilings_that_nothing_refers_to(self):
        old = [session("s1"), sample("zlink", 1, 1), ceiling(1, 5)]
        new = [session("s2"), sample("zlink", 1, 9, name="s2")]
        sessions = [r.get("id") or r["session"] for r in results.merge(old, new)]
        self.assertEqual(sessions, ["s2", "s2"])

    def test_keeps_a_ceiling_that_another_pattern_of_its_session_still_needs(self):
        old = [session("s1"), sample("zlink", 1, 1), sample("zlink", 1, 1, pattern="pushpull")]
        old.append(ceiling(1, 5))
        merged = results.merge(old, [session("s2"), sample("zlink", 1, 9, name="s2")])
        self.assertIn("raw", [r.get("lib") for r in merged])


class CellTest(unittest.TestCase):
    def cell(self, *records):
        return results.Section([session("s1"), *records], "pinned").cells[0]

    def test_ratio_is_taken_within_runs(self):
        cell = self.cell(
            sample("zlink", 1, 100),
            sample("libzmq", 1, 10),
            sample("zlink", 2, 40),
            sample("libzmq", 2, 20),
            sample("zlink", 3, 9),
            sample("libzmq", 3, 3),
            sample("zlink", 4, 1000),
        )
        self.assertEqual(cell.ratio("msgs_per_s", "libzmq"), 3)

    def test_ceiling_is_shared_by_patterns(self):
        cell = self.cell(sample("zlink", 1, 10, pattern="pushpull"), ceiling(1, 40))
        self.assertEqual(cell.ratio("msgs_per_s", "raw"), 0.25)

    def test_a_pattern_of_many_connections_has_no_ceiling(self):
        cell = self.cell(sample("zlink", 1, 10, pattern="fanin"), ceiling(1, 40))
        self.assertIsNone(cell.ratio("msgs_per_s", "raw"))

    def test_spread(self):
        self.assertIsNone(results.spread([5]))
        self.assertAlmostEqual(results.spread([9, 10, 11]), 0.1)
        self.assertAlmostEqual(results.spread([1, 9, 10, 11, 99]), 0.1)

    def test_missing_reference_gives_no_ratio(self):
        self.assertIsNone(self.cell(sample("zlink", 1, 10)).ratio("msgs_per_s", "libzmq"))


class TargetTest(unittest.TestCase):
    def mark(self, *records, affinity="pinned"):
        section = results.Section([session("s1", affinity), *records], affinity)
        return targets.mark(section.cells[0], affinity)

    def test_met_and_missed(self):
        self.assertEqual(self.mark(sample("zlink", 1, 41), sample("libzmq", 1, 10)), "met")
        mark = self.mark(sample("zlink", 1, 39), sample("libzmq", 1, 10))
        self.assertEqual(mark, "MISSED rate 3.90x libzmq (wants >= 4)")

    def test_a_missed_target_never_looks_met_by_rounding(self):
        self.assertIn("3.998x", self.mark(sample("zlink", 1, 3998), sample("libzmq", 1, 1000)))

    def test_every_reference_counts(self):
        mark = self.mark(sample("zlink", 1, 41), sample("libzmq", 1, 10), ceiling(1, 100))
        self.assertEqual(mark, "MISSED rate 0.41x raw (wants >= 0.5)")

    def test_latency_targets_depend_on_affinity(self):
        def pair(affinity):
            more = dict(mode="latency", affinity=affinity, p99_us=1)
            ours = sample("zlink", 1, 1, p50_us=40, **more)
            return ours, sample("libzmq", 1, 1, p50_us=100, **more)

        self.assertEqual(self.mark(*pair("pinned")), "met")
        self.assertIn("p50 0.40x libzmq (wants <= 0.2)", self.mark(*pair("free"), affinity="free"))

    def test_failure_is_not_hidden_and_nothing_to_judge_is_no_success(self):
        self.assertEqual(self.mark(sample("zlink", 1, 1, status="failed")), "FAILED")
        self.assertEqual(self.mark(sample("zlink", 1, 1)), "-")

    def test_websocket_is_held_to_own_tcp(self):
        records = [
            sample("zlink", 1, 100, size=4096),
            sample("zlink", 1, 60, size=4096, transport="ws"),
        ]
        cells = results.Section([session("s1"), *records], "pinned").cells
        self.assertEqual(targets.mark(cells[1], "pinned"), "MISSED rate 0.60x tcp (wants >= 0.7)")


class OutputTest(unittest.TestCase):
    def test_writing_one_section_leaves_the_other_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.md")
            markdown.update(path, "pinned", "## one \\1 <b>\n")
            markdown.update(path, "free", "## two\n")
            markdown.update(path, "pinned", "## three\n")
            with open(path, encoding="utf-8") as file:
                document = file.read()
        self.assertNotIn("## one", document)
        self.assertLess(document.index("## three"), document.index("## two"))

    def test_columns_without_figures_are_left_out(self):
        rows = [["a", "b", "target"], ["1", "-", "-"], ["2", "-", "-"]]
        kept = [["a", "target"], ["1", "-"], ["2", "-"]]
        self.assertEqual(table.without_empty_columns(rows), kept)


if __name__ == "__main__":
    unittest.main()
