#!/usr/bin/env python3
"""Small runs of bench/jobs with its own redis-server.

usage: jobs_test.py PATH_OF_JOBS [UNITTEST_ARGUMENT...]
"""

import json
import os
import shutil
import unittest
import xml.dom.minidom

import bench_program
from bench_program import BadOptions, Files, run

KEYS = ["phase", "client", "durability", "threads", "jobs", "jobs_per_s", "ceiling_jobs_per_s",
        "bytes_per_job", "p50_us", "p99_us", "worker_cpu_ns", "server_cpu_ns", "rss_bytes"]
SHORT = ("--clients", "weir", "--rounds", "1", "--jobs", "2000", "--seconds", "0.02",
         "--steady-seconds", "0.2", "--rate", "500")
NO_SERVER = shutil.which("redis-server") is None


class MeasuringTest(Files):
    def rows(self, *arguments):
        out = self.folder / "out.json"
        done = run("--json", out, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(out.read_text()), done.stdout


@unittest.skipIf(NO_SERVER, "redis-server is not installed")
class RunTest(MeasuringTest):
    def test_every_phase_is_measured_with_both_durabilities(self):
        rows, text = self.rows(*SHORT)
        found = [(row["durability"], row["phase"], row["threads"]) for row in rows]
        asked = [(kept, phase, threads) for kept in ("off", "everysec")
                 for phase, threads in (("submit_one", 1), ("submit_concurrent", 1),
                                        ("submit_bulk", 1), ("drain", 1), ("drain", 2),
                                        ("steady", 1), ("steady", 2))]
        self.assertEqual(found, asked)
        for row in rows:
            self.assertEqual((list(row), row["client"]), (KEYS, "weir"))
            self.assertGreater(row["jobs_per_s"], 0)
            self.assertGreater(row["worker_cpu_ns"], 0)
            self.assertGreater(row["server_cpu_ns"], 0)
            self.assertGreater(row["rss_bytes"], 0)
            self.assertEqual(row["ceiling_jobs_per_s"] is None, row["phase"] == "steady")
            self.assertEqual(row["bytes_per_job"] is None, row["phase"] != "submit_bulk")
            has_latency = row["phase"] in ("submit_one", "submit_concurrent", "steady")
            self.assertEqual(row["p50_us"] is not None, has_latency)
            if has_latency:
                self.assertLessEqual(row["p50_us"], row["p99_us"])
            if row["phase"] in ("submit_bulk", "drain"):
                self.assertEqual(row["jobs"], 2000)
        self.assertIn("steady", text)

    def test_a_steady_load_without_a_rate_measures_what_it_is_half_of(self):
        rows, _ = self.rows("--phases", "steady", "--durability", "off", "--threads", 1,
                            "--clients", "weir", "--rounds", 1, "--jobs", 500, "--seconds", 0.02,
                            "--steady-seconds", 0.05)
        self.assertEqual([row["phase"] for row in rows], ["submit_concurrent", "drain", "steady"])

    def test_rounds_make_one_row(self):
        rows, _ = self.rows("--phases", "drain", "--durability", "off", "--threads", 3,
                            "--clients", "weir", "--rounds", 3, "--jobs", 1000)
        self.assertEqual([(row["phase"], row["threads"]) for row in rows], [("drain", 3)])

    def test_one_job_is_a_backlog(self):
        rows, _ = self.rows("--phases", "submit_bulk,drain", "--durability", "off", "--threads", 1,
                            "--clients", "weir", "--rounds", 1, "--jobs", 1)
        self.assertEqual([row["jobs"] for row in rows], [1, 1])

    def test_the_picture_is_well_formed(self):
        out = self.folder / "out.svg"
        self.rows(*SHORT, "--phases", "submit_bulk,drain", "--svg", out)
        root = xml.dom.minidom.parse(str(out)).documentElement
        self.assertEqual(root.tagName, "svg")
        self.assertIn("drain, 2 threads", out.read_text())

    def test_nothing_is_left_behind(self):
        environment = dict(os.environ, TMPDIR=str(self.folder))
        done = run(*SHORT, "--phases", "submit_bulk", environment=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(list(self.folder.iterdir()), [])


def has_rq():
    check = [bench_program.SYSTEM_PYTHON, "-c", "import rq"]
    return bench_program.run(program=check).returncode == 0


@unittest.skipIf(NO_SERVER, "redis-server is not installed")
class RqTest(MeasuringTest):
    @unittest.skipUnless(has_rq(), "python3-rq is not installed")
    def test_what_it_can_do_is_measured_under_names_of_its_own(self):
        rows, text = self.rows("--clients", "rq", "--durability", "off", "--rounds", 2, "--jobs",
                               40, "--seconds", 0.05, "--steady-seconds", 0.2)
        self.assertEqual([(row["phase"], row["client"], list(row)) for row in rows],
                         [(phase, "rq", KEYS) for phase in ("rq_submit_one", "rq_submit_bulk",
                                                            "rq_drain", "rq_steady")])
        for row in rows:
            self.assertGreater(row["jobs_per_s"], 0)
            self.assertGreater(row["worker_cpu_ns"], 0)
            self.assertIsNone(row["ceiling_jobs_per_s"])
            self.assertEqual(row["p50_us"] is not None,
                             row["phase"] in ("rq_submit_one", "rq_steady"))
        self.assertEqual(rows[1]["jobs"], 40)
        self.assertTrue(20 <= rows[2]["jobs"] <= 40)  # what is done of them in 0.2 s, and a batch
        self.assertGreater(rows[1]["bytes_per_job"], 100)
        self.assertIn("rq_steady", text)

    def test_without_its_module_it_is_left_out_with_a_line(self):
        (self.folder / "rq.py").write_text("raise ImportError('gone', name='rq')\n")
        environment = dict(os.environ, PYTHONPATH=str(self.folder))
        done = run(*SHORT[2:], "--phases", "submit_one", "--durability", "off",
                   environment=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\nrq is left out: \S*python3 has no module rq \(Debian: ")
        self.assertIn("submit_one ", done.stdout)


class NoServerTest(Files):
    def test_a_missing_server_is_one_clear_error(self):
        environment = dict(os.environ, PATH=str(self.folder))
        done = run(*SHORT, environment=environment)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("redis-server is missing in PATH", done.stderr)


class BadOptionTest(BadOptions, Files):
    CASES = (
        (("--clients", "celery"), ("--clients", "'celery'", "weir, rq")),
        (("--phases", "fast"), ("--phases", "'fast'", "submit_one, submit_concurrent")),
        (("--phases", "drain,drain"), ("--phases", "'drain,drain'", "once")),
        (("--phases", "drain,"), ("--phases", "''", "all")),
        (("--phases",), ("--phases", "missing")),
        (("--durability", "always"), ("--durability", "'always'", "off, everysec")),
        (("--threads", "0"), ("--threads", "'0'", "1..64")),
        (("--threads", "65"), ("--threads", "'65'", "1..64")),
        (("--threads", "1,x"), ("--threads", "'x'", "1..64")),
        (("--threads", "1,1"), ("--threads", "'1,1'", "once")),
        (("--jobs", "0"), ("--jobs", "'0'", "1..10000000")),
        (("--jobs", "10000001"), ("--jobs", "'10000001'", "1..10000000")),
        (("--jobs", "-1"), ("--jobs", "'-1'", "1..10000000")),
        (("--producers", "0"), ("--producers", "'0'", "1..1024")),
        (("--producers", "1025"), ("--producers", "'1025'", "1..1024")),
        (("--rate", "0"), ("--rate", "'0'", "1..10000000")),
        (("--rate", "fast"), ("--rate", "'fast'", "1..10000000")),
        (("--steady-seconds", "601"), ("--steady-seconds", "'601'", "0.01..600")),
        (("--steady-seconds", "1s"), ("--steady-seconds", "'1s'", "0.01..600")),
        (("--svg", "/"), ("--svg", "'/'")),
        (("--jobs", "5", "--jobs", "6"), ("--jobs", "2 times", "once")),
        *bench_program.OF_ROUNDS,
    )

    def test_help_ends_with_0(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--steady-seconds", done.stdout)


if __name__ == "__main__":
    bench_program.main(__doc__)
