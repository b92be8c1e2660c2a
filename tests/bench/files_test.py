#!/usr/bin/env python3
"""Small runs of bench/files, and bad options.

usage: files_test.py PATH_OF_FILES [UNITTEST_ARGUMENT...]

Nothing here asserts a time; a limit of a minute on each process only ends what hangs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
KEYS = [
    "work", "who", "file_bytes", "operations", "depth", "rounds", "wall_s", "wall_s_min",
    "wall_s_max", "cpu_s", "bytes_per_s", "operations_per_s",
]
COPIES = [("copy", "weir"), ("copy", "cp")]
READS = [("random_read", "weir"), ("random_read", "liburing")]
TIMEOUT_S = 60


def run(*arguments):
    command = [PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


class FilesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def rows(self, *arguments):
        out = self.folder / "out.json"
        done = run("--folder", self.folder, "--json", out, "--size", 1, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([path.name for path in self.folder.iterdir()], ["out.json"])
        rows = json.loads(out.read_text())
        for row in rows:
            self.assertEqual(list(row), KEYS)
        return rows, done.stdout

    def test_all_four_are_measured_in_every_round(self):
        rows, text = self.rows("--reads", 1000, "--depth", 8, "--rounds", 3)
        self.assertEqual([(row["work"], row["who"]) for row in rows], COPIES + READS)
        for row in rows:
            self.assertEqual((row["rounds"], row["file_bytes"]), (3, 1 << 20))
            self.assertLessEqual(row["wall_s_min"], row["wall_s"])
            self.assertLessEqual(row["wall_s"], row["wall_s_max"])
            self.assertGreater(row["bytes_per_s"], 0)
        for row in rows[2:]:
            self.assertEqual((row["operations"], row["depth"]), (1000, 8))
        self.assertIn("as fast as cp", text)
        self.assertIn("as fast as liburing", text)

    def test_each_work_can_be_had_alone(self):
        for work, expected in (("copy", COPIES), ("read", READS)):
            rows, _ = self.rows("--work", work, "--reads", 10, "--rounds", 1)
            self.assertEqual([(row["work"], row["who"]) for row in rows], expected)

    def test_fewer_reads_than_readers(self):
        rows, _ = self.rows("--work", "read", "--reads", 3, "--depth", 64, "--rounds", 1)
        self.assertEqual([row["operations"] for row in rows], [3, 3])

    def test_quick_gives_way_to_what_is_asked_for(self):
        rows, _ = self.rows("--quick", "--work", "read", "--reads", 5)
        self.assertEqual([(row["operations"], row["rounds"]) for row in rows], [(5, 3), (5, 3)])


class OptionsTest(unittest.TestCase):
    def refused(self, *arguments):
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_bad_values_are_named_with_what_is_allowed(self):
        for option, value, allowed in (
            ("--size", "0", "1..1048576"), ("--size", "1048577", "1..1048576"),
            ("--reads", "-1", "1..1000000000"), ("--depth", "1025", "1..1024"),
            ("--depth", "many", "1..1024"), ("--rounds", "0", "1..1000"),
            ("--work", "write", "copy, read or all"), ("--folder", "/dev/null", "folder"),
        ):
            text = self.refused(option, value)
            for part in (option, value, allowed):
                self.assertIn(part, text)

    def test_a_file_that_cannot_be_written_is_said_before_the_work(self):
        self.assertIn("/no/such/folder/x", self.refused("--json", "/no/such/folder/x"))

    def test_unknown_and_repeated_options(self):
        self.assertIn("--speed", self.refused("--speed", "9"))
        self.assertIn("--depth", self.refused("--depth", "1", "--depth", "2"))

    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--work", "--size", "--reads", "--depth", "--rounds", "--folder", "--json"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    unittest.main()
