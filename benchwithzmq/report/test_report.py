#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
# ctest-nosan: nothing of the library runs here, and the shells that it starts cannot be preloaded.
"""Tests of the report: run with `python3 -B -m unittest` in this folder."""

import os
import shutil
import subprocess
import tempfile
import unittest

import markdown
import plots
import results
import table
import targets


def session(name, affinity="pinned"):
    return results.Record(f'session id={name} affinity={affinity} kernel="Linux 6"')


def sample(library, run, per_second, pattern="pair", name="s1", affinity="pinned", **more):
    fields = dict(transport="tcp", mode="throughput", size=64, msgs_per_s=per_second)
    fields.update(more)
    pairs = " ".join(f"{key}={value}" for key, value in fields.items())
    start = f"sample session={name} affinity={affinity} run={run} pattern={pattern} lib={library}"
    return results.Record(f"{start} {pairs}")


def ceiling(run, per_second, **more):
    return sample("raw", run, per_second, pattern=results.ANY_PATTERN, **more)


class MergeTest(unittest.TestCase):
    def test_a_variant_is_a_cell_of_its_own(self):
        old = [session("s1"), sample("zlink", 1, 1), sample("zlink", 1, 2, variant="sockets=2")]
        new = [session("s2"), sample("zlink", 1, 9, name="s2", variant="sockets=2")]
        rates = [r["msgs_per_s"] for r in results.merge(old, new) if r.kind == "sample"]
        self.assertEqual(rates, ["1", "9"])

    def test_a_cell_of_wss_keeps_the_ceiling_of_tls(self):
        records = [session("s1"), sample("zlink", 1, 1, transport="wss")]
        records.append(ceiling(1, 5, transport="tls"))
        self.assertEqual(len(results.merge([], records)), 3)

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

    def test_a_reference_that_is_zero_or_no_number_gives_no_ratio(self):
        for reference in (0, "nan", "inf", "-", ""):
            cell = self.cell(sample("zlink", 1, 10), sample("libzmq", 1, reference))
            self.assertIsNone(cell.ratio("msgs_per_s", "libzmq"), reference)

    def test_a_figure_of_zlink_that_is_no_number_is_left_out(self):
        runs = sample("zlink", 1, "nan"), sample("zlink", 2, 30)
        cell = self.cell(*runs, sample("libzmq", 1, 10), sample("libzmq", 2, 10))
        self.assertEqual(cell.ratio("msgs_per_s", "libzmq"), 3)
        self.assertEqual(cell.median("zlink", "msgs_per_s"), 30)

    def test_batches_share_the_ceiling_but_other_layouts_have_none(self):
        for variant, share in (("batch=1", 0.25), ("sockets=2", None), ("sockets=2,batch=1", None)):
            cell = self.cell(sample("zlink", 1, 10, variant=variant), ceiling(1, 40))
            self.assertEqual(cell.ratio("msgs_per_s", "raw"), share, variant)

    def test_wss_has_the_ceiling_of_tls(self):
        cell = self.cell(sample("zlink", 1, 10, transport="wss"), ceiling(1, 40, transport="tls"))
        self.assertEqual(cell.ratio("msgs_per_s", "raw"), 0.25)

    def test_variants_are_sorted_by_number_after_the_usual_cell(self):
        variants = "peers=64,slow=1", "peers=512", "", "peers=8", "peers=64"
        records = [sample("zlink", 1, 1, pattern="fanout", variant=v) for v in variants if v]
        records.append(sample("zlink", 1, 1, pattern="fanout"))
        cells = results.Section([session("s1"), *records], "pinned").cells
        wanted = ["", "peers=8", "peers=64", "peers=64,slow=1", "peers=512"]
        self.assertEqual([cell.variant for cell in cells], wanted)


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


    def test_what_zlink_does_not_have_yet_is_no_failure(self):
        records = [session("s1"), sample("zlink", 1, 1, status="unsupported", transport="tls")]
        cells = results.Section(records, "pinned").cells
        self.assertEqual(targets.mark(cells[0], "pinned"), "unsupported")
        self.assertEqual(targets.count(cells, "pinned"), (0, 0))

    def test_encrypted_transports_are_held_to_the_ceiling_of_tls(self):
        records = sample("zlink", 1, 69, transport="wss"), ceiling(1, 100, transport="tls")
        self.assertEqual(self.mark(*records), "MISSED rate 0.69x raw (wants >= 0.7)")

    def test_targets_of_many_connections(self):
        def router(connection_bytes, failures):
            more = dict(mode="connections", connection_bytes=connection_bytes, failures=failures)
            return sample("zlink", 1, 1, pattern="dealerrouter", variant="connections=10000", **more)

        self.assertEqual(self.mark(router(4096, 0)), "met")
        mark = self.mark(router(4097, 2))
        self.assertEqual(
            mark,
            "MISSED bytes per connection 4097.00 (wants <= 4096); failed connections 2.00 (wants <= 0)",
        )

    def test_churn_is_held_to_twice_the_rate_of_libzmq(self):
        ours = sample("zlink", 1, 19, pattern="dealerrouter", mode="churn")
        theirs = sample("libzmq", 1, 10, pattern="dealerrouter", mode="churn")
        self.assertEqual(self.mark(ours, theirs), "MISSED rate 1.90x libzmq (wants >= 2)")

    def test_batches_have_no_target_and_a_slow_subscriber_a_floor(self):
        def fanout(variant):
            ours = sample("zlink", 1, 19, pattern="fanout", variant=variant)
            return ours, sample("libzmq", 1, 10, pattern="fanout", variant=variant)

        self.assertEqual(self.mark(*fanout("batch=1")), "-")
        slow = "MISSED rate 1.90x libzmq (wants >= 2)"
        self.assertEqual(self.mark(*fanout("peers=64,slow=1")), slow)
        self.assertEqual(self.mark(*fanout("peers=64")), "MISSED rate 1.90x libzmq (wants >= 4)")

    def test_fixed_rate_wants_a_lower_p999(self):
        more = dict(mode="fixed-rate")
        ours = sample("zlink", 1, 1, p999_us=10, **more)
        same = sample("libzmq", 1, 1, p999_us=10, **more)
        self.assertEqual(self.mark(ours, same), "MISSED p99.9 1.00x libzmq (wants < 1)")


class OutputTest(unittest.TestCase):
    def every_mode(self, figure):
        """One cell of each mode, with that figure wherever there is one."""
        metrics = (
            "msgs_per_s_each mbytes_per_s send_cpu_ns recv_cpu_ns send_rss_kb recv_rss_kb p50_us"
            " p90_us p99_us p999_us max_us rate idle_wakeups idle_cpu_us connections failures"
            " connect_us connection_bytes"
        ).split()
        more = {metric: figure for metric in metrics}
        records = [session("s1")]
        for mode in results.MODES:
            for library in ("zlink", "libzmq", "tuned"):
                records.append(sample(library, 1, figure, mode=mode, **more))
            records.append(ceiling(1, figure, mode=mode, **more))
        return results.Section(records, "pinned")

    def test_every_table_can_be_written_whatever_the_figures_are(self):
        for figure in (0, 1, 123456, "nan", "", "-"):
            section = self.every_mode(figure)
            for mode in results.MODES:
                rows = table.rows(section.of_mode(mode), mode, "pinned")
                self.assertEqual({len(row) for row in rows}, {len(rows[0])}, mode)
                self.assertNotIn("nan", table.as_text(rows).lower())
                table.as_markdown(table.without_empty_columns(rows))
            targets.count(section.cells, "pinned")

    def test_every_table_can_be_written_without_any_figure(self):
        records = [session("s1")]
        records += [sample("zlink", 1, 1, mode=m, status="failed") for m in results.MODES]
        section = results.Section(records, "pinned")
        for mode in results.MODES:
            table.as_text(table.rows(section.of_mode(mode), mode, "pinned"))
        self.assertEqual(targets.count(section.cells, "pinned"), (0, len(results.MODES)))

    def test_tuned_is_a_column_beside_libzmq(self):
        rows = table.rows(self.every_mode(5).of_mode("latency"), "latency", "pinned")
        row = dict(zip(rows[0], rows[1]))
        self.assertEqual((row["tuned"], row["to tuned"]), ("5.00 / 5.00", "1.00x / 1.00x"))

    def test_a_variant_is_told_with_the_pattern(self):
        record = sample("zlink", 1, 1, pattern="fanout", variant="peers=64,slow=1")
        cells = results.Section([session("s1"), record], "pinned").cells
        rows = table.rows(cells, "throughput", "pinned")
        self.assertEqual(rows[1][0], "fanout peers=64 slow")

    def test_a_series_takes_the_usual_cell_for_its_number(self):
        records = [session("s1")]
        for variant, rate in (("peers=64", 3e6), ("peers=64,slow=1", 9e6), ("peers=1", 1e6)):
            more = dict(variant=variant, msgs_per_s_each=rate)
            records.append(sample("zlink", 1, rate, pattern="fanout", **more))
        records.append(sample("zlink", 1, 2e6, pattern="fanout", msgs_per_s_each=2e6))
        section = results.Section(records, "pinned")
        body = plots._series(section, plots._SERIES["fanout"])
        self.assertIn("$zlink << EOD\n1 1.0\n8 2.0\n64 3.0\nEOD", body)

    def test_a_plot_has_no_place_for_zero_and_what_is_missing(self):
        records = [session("s1")]
        for size, rate in ((64, 0), (256, "nan"), (1024, 3), (4096, 4)):
            records.append(sample("zlink", 1, 1, size=size, mbytes_per_s=rate))
        body = plots._curve(results.Section(records, "pinned"), "tcp")
        self.assertIn("$zlink << EOD\n1024 3.0\n4096 4.0\nEOD", body)

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


@unittest.skipUnless(shutil.which("bash"), "needs bash")
class PlanTest(unittest.TestCase):
    """The plan of run_benchmarks.sh: what it asks for is what the report has to understand."""

    def shell(self, command, *options):
        script = f'here=. root=.; . lib/options.sh; . lib/plan.sh; parse_options "$@"; {command}'
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        done = subprocess.run(
            ["bash", "-c", script, "bash", *options],
            cwd=folder, capture_output=True, text=True, check=True,
        )
        return done.stdout.splitlines()

    def plan(self, *options):
        return self.shell('make_plan; printf "%s\\n" "${plan[@]}"', *options)

    def test_the_standard_plan_has_each_cell_once_and_only_what_the_report_knows(self):
        cells = self.plan()
        self.assertEqual(len(cells), len(set(cells)))
        for cell in cells:
            pattern, transport, mode, _, _ = cell.split(" ")
            self.assertIn(pattern, results.PATTERNS)
            self.assertIn(transport, results.TRANSPORTS)
        self.assertEqual({cell.split(" ")[2] for cell in cells}, set(results.MODES))

    def test_choices_leave_the_extras_out(self):
        wanted = ["pair tcp throughput 64 -", "pair tcp latency 64 -"]
        chosen = ["--pattern", "pair", "--transport", "tcp", "--size", "64"]
        self.assertEqual(self.plan(*chosen, "--mode", "throughput,latency"), wanted)

    def test_variants_multiply(self):
        chosen = ["--pattern", "pair", "--transport", "tcp", "--size", "64", "--mode", "throughput"]
        cells = self.plan(*chosen, "--sockets", "1,4", "--batch", "1,8192")
        variants = ["batch=1", "batch=8192", "sockets=4,batch=1", "sockets=4,batch=8192"]
        self.assertEqual([cell.split(" ")[4] for cell in cells], variants)

    def test_a_slow_subscriber_needs_another_one(self):
        chosen = ["--pattern", "fanout", "--transport", "tcp", "--size", "64", "--mode", "throughput"]
        cells = self.plan(*chosen, "--peers", "1,8,64", "--slow")
        variants = ["peers=1", "-", "slow=1", "peers=64", "peers=64,slow=1"]
        self.assertEqual([cell.split(" ")[4] for cell in cells], variants)

    def test_modes_of_many_connections_are_for_dealer_and_router(self):
        cells = self.plan("--mode", "connections,churn", "--transport", "tcp,inproc")
        wanted = ["connections 64 connections=10000", "churn 64 -"]
        tcp = [f"dealerrouter tcp {cell}" for cell in wanted]
        self.assertEqual(cells, [*tcp, "dealerrouter inproc churn 64 -"])

    def test_a_variant_becomes_options_of_zbench(self):
        words = self.shell("variant_options peers=64,slow=1,batch=9; variant_options poll_sockets=7")
        batch = "--try-sockopt 102=9 --try-sockopt 101=9"
        self.assertEqual(words, ["--peers 64", "--slow", batch, "--poll-sockets 7"])


if __name__ == "__main__":
    unittest.main()
