#!/usr/bin/env python3
"""Small runs of bench/million_tasks, and of its asyncio counterpart.

usage: million_tasks_test.py PATH_OF_MILLION_TASKS [UNITTEST_ARGUMENT...]
"""

import contextlib
import csv
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import threading
import time
import unittest
import xml.dom.minidom

import bench_program
from bench_program import BadOptions, Files, run

BASELINE = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "asyncio_baseline.py"
STRATEGIES = ("pool", "semaphore", "task_group", "batches", "queue", "run")
BOUNDED = ("pool", "batches", "queue", "run")
KEYS = [
    "strategy", "tasks", "completed", "checksum_ok", "concurrency", "queue", "payload_bytes",
    "sleep_ms", "clock", "wall_s", "cpu_s", "tasks_per_s", "ns_per_task", "floor_ns_per_task",
    "rss_before_bytes", "rss_peak_bytes", "max_running", "max_queued", "allocations_per_task",
    "loop", "machine",
]
MACHINE_KEYS = ["cpu", "cores", "kernel", "compiler", "flags"]


class MeasuringTest(Files):
    def figures(self, *arguments, program=None, status=0):
        out = self.folder / "out.json"
        done = run("--json", out, "--quiet", *arguments, program=program)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        return json.loads(out.read_text())

    def one(self, *arguments, **how):
        found = self.figures(*arguments, **how)
        self.assertEqual(len(found), 1)
        return found[0]

    def assert_complete(self, figures, tasks):
        self.assertEqual((figures["tasks"], figures["completed"]), (tasks, tasks))
        self.assertIs(figures["checksum_ok"], True)


class StrategyTest(MeasuringTest):
    def test_each_strategy_runs_every_task_and_its_results_are_right(self):
        for strategy in STRATEGIES:
            for payload in (0, 1, 49, 50, 400, 3_000):
                with self.subTest(strategy=strategy, payload=payload):
                    figures = self.one(
                        "--strategy", strategy, "--tasks", 2_000, "--payload", payload
                    )
                    self.assert_complete(figures, 2_000)
                    self.assertEqual(figures["strategy"], strategy)
                    self.assertEqual(figures["payload_bytes"], payload)

    def test_json_has_exactly_the_documented_keys(self):
        figures = self.one("--strategy", "pool", "--tasks", 2_000)
        self.assertEqual(list(figures), KEYS)
        self.assertEqual(list(figures["machine"]), MACHINE_KEYS)
        self.assertGreater(figures["loop"]["ticks"], 0)
        self.assertGreater(figures["floor_ns_per_task"], 0)
        self.assertGreaterEqual(figures["rss_peak_bytes"], figures["rss_before_bytes"])
        rate = figures["completed"] / figures["wall_s"]
        self.assertAlmostEqual(figures["tasks_per_s"] / rate, 1)
        self.assertAlmostEqual(figures["ns_per_task"] * rate / 1e9, 1)

    def test_bounded_strategies_keep_their_limits_while_tasks_sleep(self):
        for strategy in BOUNDED:
            with self.subTest(strategy=strategy):
                figures = self.one(
                    "--strategy", strategy, "--tasks", 200, "--concurrency", 7, "--queue", 3,
                    "--sleep", "5s", "--clock", "manual",
                )
                self.assert_complete(figures, 200)
                self.assertEqual(figures["max_running"], 1 if strategy == "run" else 7)
                self.assertLessEqual(figures["max_queued"], 7 if strategy == "batches" else 3)

    def test_the_smallest_limits_do(self):
        for strategy in STRATEGIES:
            with self.subTest(strategy=strategy):
                figures = self.one(
                    "--strategy", strategy, "--tasks", 100, "--concurrency", 1, "--queue", 0,
                    "--sleep", "1ms", "--clock", "manual",
                )
                self.assert_complete(figures, 100)

    def test_a_single_task_is_a_run(self):
        self.assert_complete(self.one("--strategy", "pool", "--tasks", 1), 1)

    def test_sleeps_on_the_real_clock_are_really_slept(self):
        figures = self.one("--strategy", "pool", "--tasks", 20, "--sleep", "10ms",
                           "--concurrency", 10)
        self.assert_complete(figures, 20)
        self.assertGreaterEqual(figures["wall_s"], 0.020)
        self.assertEqual(figures["sleep_ms"], 10)

    def test_an_hour_of_simulated_sleep_passes_within_the_limit_of_this_test(self):
        figures = self.one("--strategy", "pool", "--tasks", 2_000, "--concurrency", 1_000,
                           "--sleep", "30m", "--clock", "manual")
        self.assert_complete(figures, 2_000)
        self.assertEqual(figures["clock"], "manual")
        self.assertGreaterEqual(figures["loop"]["timers_fired"], 2_000)

    def test_stragglers_are_counted_and_named_in_the_json(self):
        figures = self.one("--strategy", "batches", "--tasks", 100, "--concurrency", 10,
                           "--straggler", "1s:50", "--clock", "manual")
        self.assert_complete(figures, 100)
        self.assertEqual(figures["straggler_ms"], 1_000)
        self.assertEqual(figures["straggler_every"], 50)

    def test_the_pool_allocates_nothing_beside_the_payload(self):
        for payload, expected in ((0, 0), (400, 2)):
            figures = self.one("--strategy", "pool", "--tasks", 500_000, "--payload", payload)
            self.assertAlmostEqual(figures["allocations_per_task"], expected, delta=0.05)


class AllTest(MeasuringTest):
    def test_all_gives_every_strategy_in_its_order_with_one_table(self):
        out = self.folder / "all.json"
        done = run("--tasks", 2_000, "--json", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [each["strategy"] for each in json.loads(out.read_text())]
        self.assertEqual(names[: len(STRATEGIES)], list(STRATEGIES))
        for name in names:
            self.assertIn(f"\n{name} ", done.stdout)

    def test_all_includes_asyncio_where_python_is_there(self):
        if not BASELINE.exists() or not os.access("/usr/bin/python3", os.X_OK):
            self.skipTest("no baseline or no python3")
        os.chdir(BASELINE.parents[1])
        found = self.figures("--tasks", 1_000, "--payload", 0)
        self.assertEqual(found[-1]["strategy"], "asyncio_semaphore")
        self.assert_complete(found[-1], 1_000)

    def test_a_csv_of_all_has_rows_of_each_strategy(self):
        out = self.folder / "all.csv"
        self.figures("--tasks", 1_000, "--csv", out)
        rows = list(csv.DictReader(out.read_text().splitlines()))
        self.assertLessEqual(set(STRATEGIES), {row["strategy"] for row in rows})

    def test_run_is_shortened_where_its_sleeps_would_take_hours(self):
        done = run("--tasks", 1_000, "--concurrency", 1_000, "--sleep", "100ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("run: only 50 tasks", done.stdout)


class OutputTest(MeasuringTest):
    def test_csv_ends_with_every_task_finished(self):
        out = self.folder / "out.csv"
        self.one("--strategy", "pool", "--tasks", 300, "--concurrency", 1, "--sleep", "1ms",
                 "--csv", out)
        rows = list(csv.DictReader(out.read_text().splitlines()))
        self.assertEqual(
            list(rows[0]), ["strategy", "seconds", "finished", "resident_bytes", "cpu_seconds"]
        )
        self.assertEqual(int(rows[0]["finished"]), 0)
        self.assertEqual(int(rows[-1]["finished"]), 300)
        self.assertGreaterEqual(len(rows), 4)  # 0.3 s at least, a row every 0.1 s
        times = [float(row["seconds"]) for row in rows]
        self.assertEqual(times, sorted(times))
        self.assertTrue(all(int(row["resident_bytes"]) > 0 for row in rows))

    def test_plots_are_well_formed_pictures(self):
        for strategy in ("pool", "all"):
            with self.subTest(strategy=strategy):
                out = self.folder / f"{strategy}.svg"
                self.figures("--strategy", strategy, "--tasks", 2_000, "--plot", out)
                root = xml.dom.minidom.parse(str(out)).documentElement
                self.assertEqual(root.tagName, "svg")
                self.assertIn("2,000 tasks", out.read_text())
                self.assertIn("MiB", out.read_text())

    def test_text_goes_to_stdout_and_no_progress_to_a_pipe(self):
        done = run("--strategy", "pool", "--tasks", 2_000)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("every result checked", done.stdout)

    def test_all_shows_the_progress_of_each_on_a_terminal(self):
        parent, terminal = pty.openpty()
        shown = []

        def read():
            with contextlib.suppress(OSError):  # the other end is closed
                while text := os.read(parent, 4096):
                    shown.append(text)

        reader = threading.Thread(target=read)
        reader.start()
        # One slow task makes each strategy run longer than the distance of two lines.
        done = subprocess.run(
            [bench_program.PROGRAM, "--tasks", "50", "--sleep", "1ms", "--straggler", "700ms:50"],
            stdout=subprocess.PIPE, stderr=terminal, timeout=bench_program.TIMEOUT_S, check=False,
        )
        os.close(terminal)
        reader.join()
        os.close(parent)
        self.assertEqual(done.returncode, 0)
        text = b"".join(shown).decode()
        for strategy in (*STRATEGIES, "asyncio_semaphore"):
            line = strategy + r"  [0-9.]+ %  \S+ tasks/s  .*(left|yet)  [0-9.,]+ MiB  CPU [0-9]+ %"
            self.assertRegex(text, line)

    def test_a_full_disk_is_an_error(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        done = run("--strategy", "pool", "--tasks", 10, "--quiet", "--json", "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--json: '/dev/full'", done.stderr)

    def test_help_has_examples(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Examples:", done.stdout)


class InterruptTest(MeasuringTest):
    def interrupted(self, strategy, *arguments):
        out = self.folder / "out.json"
        rows = self.folder / "out.csv"
        with subprocess.Popen(
            [bench_program.PROGRAM, "--strategy", strategy, "--json", out, "--csv", rows,
             *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as child:
            self.addCleanup(lambda: child.poll() is None and child.kill())
            # Under way as soon as the CSV, which is made before the run, is there. A little later
            # tasks have ended.
            self.wait_for(rows.exists)
            time.sleep(3)
            child.send_signal(signal.SIGINT)
            stdout, _ = child.communicate(timeout=bench_program.TIMEOUT_S)
        self.assertEqual(child.returncode, 130)
        return json.loads(out.read_text()), stdout

    def wait_for(self, condition):
        end = time.monotonic() + bench_program.TIMEOUT_S
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_an_interrupt_prints_what_is_there(self):
        # Hours of work, so that none of them is over before the signal comes.
        for strategy, arguments in (
            ("pool", ("--tasks", "10000000000", "--payload", "0")),
            ("pool", ("--tasks", "100000000", "--sleep", "10ms")),
            ("run", ("--tasks", "100000000", "--sleep", "10ms")),
            ("queue", ("--tasks", "100000000", "--sleep", "10ms")),
            ("batches", ("--tasks", "100000000", "--sleep", "10ms")),
            ("semaphore", ("--tasks", "20000", "--concurrency", "1", "--sleep", "10ms")),
            ("task_group", ("--tasks", "20000", "--sleep", "1ms", "--straggler", "1m:10000")),
        ):
            with self.subTest(strategy=strategy, arguments=arguments):
                found, text = self.interrupted(strategy, *arguments)
                self.assertEqual(len(found), 1)
                self.assertGreater(found[0]["completed"], 0)
                self.assertLess(found[0]["completed"], found[0]["tasks"])
                self.assertIsNone(found[0]["checksum_ok"])
                self.assertIn("interrupted", text)

    def test_an_interrupt_of_all_reaches_the_strategy_that_runs(self):
        found, text = self.interrupted("all", "--tasks", "100000000", "--sleep", "10ms")
        self.assertEqual([each["strategy"] for each in found], ["pool"])
        self.assertIn("interrupted", text)


class BadOptionTest(BadOptions, MeasuringTest):
    CASES = (
        (("--tasks", "0"), ("--tasks", "'0'", "1..10000000000")),
        (("--tasks", "10000000001"), ("--tasks", "'10000000001'", "1..10000000000")),
        (("--tasks", "99999999999999999999999"), ("--tasks", "1..10000000000")),
        (("--tasks", "-1"), ("--tasks", "'-1'", "1..10000000000")),
        (("--tasks", "1e6"), ("--tasks", "'1e6'", "1..10000000000")),
        (("--tasks", ""), ("--tasks", "''", "1..10000000000")),
        (("--tasks",), ("--tasks", "missing", "1..10000000000")),
        (("--concurrency", "0"), ("--concurrency", "'0'", "1..16777216")),
        (("--concurrency", "1000000000"), ("--concurrency", "'1000000000'", "1..16777216")),
        (("--queue", "-1"), ("--queue", "'-1'", "0..16777216")),
        (("--queue", "16777217"), ("--queue", "'16777217'", "0..16777216")),
        (("--payload", "x"), ("--payload", "'x'", "0..1048576")),
        (("--payload", "1048577"), ("--payload", "'1048577'", "0..1048576")),
        (("--sleep", "10"), ("--sleep", "'10'", "0s..24h", "unit")),
        (("--sleep", "-1s"), ("--sleep", "'-1s'", "0s..24h")),
        (("--sleep", "ms"), ("--sleep", "'ms'", "0s..24h")),
        (("--sleep", "1.2.3s"), ("--sleep", "'1.2.3s'", "0s..24h")),
        (("--sleep", "1441m"), ("--sleep", "'1441m'", "0s..24h")),
        (("--straggler", "1s"), ("--straggler", "'1s'", "DURATION:EVERY")),
        (("--straggler", "1s:0"), ("--straggler", "'1s:0'", "DURATION:EVERY")),
        (("--straggler", "0s:5"), ("--straggler", "'0s:5'", "DURATION:EVERY")),
        (("--straggler", "1:5"), ("--straggler", "'1:5'", "unit")),
        (("--clock", "sun"), ("--clock", "'sun'", "real, manual")),
        (("--strategy", "best"), ("--strategy", "'best'", "pool, semaphore")),
        (("--csv", "/nowhere/out.csv"), ("--csv", "'/nowhere/out.csv'")),
        (("--plot", "/"), ("--plot", "'/'")),
        (("--tasks", "5", "--tasks", "6"), ("--tasks", "2 times", "once")),
        (("--quiet", "--quiet"), ("--quiet", "2 times", "once")),
        (("--task", "5"), ("'--task'", "--help")),
        (("-x",), ("'-x'", "--help")),
    )

    def test_durations_that_are_allowed(self):
        for text, milliseconds in (("0", 0), ("0s", 0), ("1500us", 1.5), ("1.5ms", 1.5),
                                   ("250ns", 0.00025), ("2m", 120_000), ("1440m", 86_400_000)):
            with self.subTest(text=text):
                figures = self.one("--strategy", "pool", "--tasks", 3, "--sleep", text,
                                   "--clock", "manual")
                self.assertAlmostEqual(figures["sleep_ms"], milliseconds)


@unittest.skipUnless(BASELINE.exists(), "no scripts/asyncio_baseline.py")
class BaselineTest(MeasuringTest):
    PROGRAM = (sys.executable, str(BASELINE))

    def test_it_gives_the_same_keys_and_right_results(self):
        for payload in (0, 1, 49, 50, 400):
            with self.subTest(payload=payload):
                figures = self.one("--tasks", 2_000, "--payload", payload, program=self.PROGRAM)
                self.assert_complete(figures, 2_000)
                self.assertEqual(list(figures), KEYS)
                self.assertEqual(list(figures["machine"]), MACHINE_KEYS)

    def test_it_sleeps_and_straggles_within_its_limit(self):
        figures = self.one("--tasks", 100, "--concurrency", 10, "--sleep", "1ms",
                           "--straggler", "5ms:50", program=self.PROGRAM)
        self.assert_complete(figures, 100)
        self.assertEqual(figures["max_running"], 10)
        self.assertEqual((figures["straggler_ms"], figures["straggler_every"]), (5, 50))

    def test_bad_options_end_with_2_and_one_line(self):
        for arguments in (("--tasks", "0"), ("--tasks",), ("--sleep", "10"), ("--clock", "manual"),
                          ("--tasks", "1", "--tasks", "2"), ("--bogus",), ("extra",),
                          ("--straggler", "1s"), ("--json", "/nowhere/out.json")):
            with self.subTest(arguments=arguments):
                done = run(*arguments, program=self.PROGRAM)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertIn(arguments[0], done.stderr)

    def test_help_names_the_options(self):
        done = run("--help", program=self.PROGRAM)
        self.assertEqual(done.returncode, 0)
        self.assertIn("--concurrency", done.stdout)


if __name__ == "__main__":
    bench_program.main(__doc__)
