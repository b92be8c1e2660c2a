#!/usr/bin/env python3
"""Small runs of bench/resp with its own redis-server.

usage: resp_test.py PATH_OF_RESP [UNITTEST_ARGUMENT...]
"""

import json
import os
import shutil
import unittest
import xml.dom.minidom

import bench_program
from bench_program import BadOptions, Files, run

CLIENT_KEYS = ["client", "op", "mode", "depth", "rounds", "ops_per_s", "cpu_ns", "p50_us", "p99_us"]
PARSER_KEYS = ["parser", "input", "mb_per_s", "allocations"]
INPUTS = ["small", "bulk_1mib", "array_10000", "nested_maps"]
SHORT = ("--rounds", "1", "--seconds", "0.01")
NO_SERVER = shutil.which("redis-server") is None


def built():
    """The clients that this build has, as --list tells, and that are installed."""
    lines = run("--list").stdout.splitlines()
    names = [line.split()[0] for line in lines if "not built" not in line]
    if shutil.which("redis-benchmark") is None:
        names.remove("redis-benchmark")
    return names


class MeasuringTest(Files):
    def rows(self, *arguments):
        out = self.folder / "out.json"
        done = run("--json", out, "--clients", ",".join(built()), *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(out.read_text()), done.stdout


@unittest.skipIf(NO_SERVER, "redis-server is not installed")
class RunTest(MeasuringTest):
    def test_every_client_is_measured_in_all_that_it_can_do(self):
        rows, text = self.rows("--cases", "pipeline,callers", "--depth", "1,16,1024", *SHORT)
        found = {(row["client"], row["op"], row["mode"], row["depth"]) for row in rows}
        self.assertEqual(len(found), len(rows))
        asked = {(client, op, mode, depth) for client in built() for op in ("set", "get")
                 for mode, depth in (("pipeline", 1), ("pipeline", 16), ("pipeline", 1024),
                                     ("callers", 50))
                 if (client, mode) != ("hiredis_sync", "callers")
                 and (client, depth) != ("redis-benchmark", 1024)}
        self.assertEqual(found, asked)
        for client in built():
            self.assertIn(f"\n{client} ", text)
        self.assertIn("SET, sliding window of 1,024", text)

    def test_rows_have_exactly_the_documented_keys(self):
        rows, _ = self.rows("--cases", "callers,parser", "--callers", 3, "--rounds", 3,
                            "--seconds", 0.01)
        for row in rows:
            self.assertEqual(list(row), CLIENT_KEYS if "client" in row else PARSER_KEYS)
            if "client" in row:
                self.assertEqual(row["rounds"], 3)
                self.assertGreater(row["ops_per_s"], 0)
                self.assertGreater(row["cpu_ns"], 0)
                self.assertLessEqual(row["p50_us"], row["p99_us"])

    def test_each_parser_gets_each_input(self):
        rows, _ = self.rows("--cases", "parser", *SHORT)
        for name in {row["parser"] for row in rows}:
            self.assertEqual([row["input"] for row in rows if row["parser"] == name], INPUTS)
        self.assertIn("weir_parser", {row["parser"] for row in rows})
        self.assertTrue(all(row["mb_per_s"] > 0 for row in rows))

    def test_our_parser_allocates_nothing_once_warm(self):
        rows, _ = self.rows("--cases", "parser", "--rounds", 1, "--seconds", 0.05)
        for row in rows:
            if row["parser"] == "weir_parser":
                with self.subTest(input=row["input"]):
                    self.assertEqual(row["allocations"], 0)

    def test_big_replies_are_whole(self):
        # A client that gets another size ends with an error.
        rows, _ = self.rows("--cases", "big", *SHORT)
        self.assertEqual({row["op"] for row in rows}, {"lrange_10000", "get_1mib"})

    def test_quick_obeys_a_shorter_window(self):
        rows, _ = self.rows("--quick", "--cases", "callers", "--callers", 2, "--seconds", 0.01)
        self.assertEqual({row["rounds"] for row in rows}, {5})

    def test_the_picture_is_well_formed(self):
        out = self.folder / "out.svg"
        self.rows("--depth", 4, *SHORT, "--svg", out)
        root = xml.dom.minidom.parse(str(out)).documentElement
        self.assertEqual(root.tagName, "svg")
        self.assertIn("pipeline of 4", out.read_text())

    def test_nothing_is_left_behind(self):
        environment = dict(os.environ, TMPDIR=str(self.folder))
        done = run("--clients", "raw", "--cases", "callers", *SHORT, environment=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(list(self.folder.iterdir()), [])


class NoServerTest(Files):
    def failing(self):
        environment = dict(os.environ, PATH=str(self.folder))
        done = run("--clients", "raw", *SHORT, environment=environment)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_a_missing_server_is_one_clear_error(self):
        self.assertIn("redis-server is missing in PATH", self.failing())

    def test_a_server_that_ends_at_once_is_one_clear_error(self):
        server = self.folder / "redis-server"
        server.write_text("#!/bin/sh\nexit 3\n")
        server.chmod(0o755)
        self.assertIn("ended before it was ready (status 3)", self.failing())


class BadOptionTest(BadOptions, Files):
    CASES = (
        (("--clients", "best"), ("--clients", "'best'", "all", "raw")),
        (("--clients", "raw,"), ("--clients", "''", "raw")),
        (("--clients", "raw,raw"), ("--clients", "'raw,raw'", "once")),
        (("--clients",), ("--clients", "missing", "raw")),
        (("--cases", "fast"), ("--cases", "'fast'", "pipeline, callers, big, parser")),
        (("--cases", "big,big"), ("--cases", "'big,big'", "once")),
        (("--depth", "0"), ("--depth", "'0'", "1..1024")),
        (("--depth", "1025"), ("--depth", "'1025'", "1..1024")),
        (("--depth", "1,x"), ("--depth", "'x'", "1..1024")),
        (("--depth", "-1"), ("--depth", "'-1'", "1..1024")),
        (("--depth", "5,5"), ("--depth", "'5,5'", "once")),
        (("--callers", "0"), ("--callers", "'0'", "1..1024")),
        (("--callers", "1,,2"), ("--callers", "''", "1..1024")),
        (("--svg", "/"), ("--svg", "'/'")),
        (("--depth", "5", "--depth", "6"), ("--depth", "2 times", "once")),
        *bench_program.OF_ROUNDS,
    )

    def test_list_and_help_end_with_0(self):
        for option, word in (("--list", "raw"), ("--help", "--callers")):
            done = run(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    bench_program.main(__doc__)
