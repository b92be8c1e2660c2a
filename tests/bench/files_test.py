#!/usr/bin/env python3
"""Small runs of bench/files, and bad options.

usage: files_test.py PATH_OF_FILES [UNITTEST_ARGUMENT...]
"""

import json

import bench_program
from bench_program import BadOptions, Files, run

KEYS = [
    "work", "who", "file_bytes", "operations", "depth", "rounds", "wall_s", "wall_s_min",
    "wall_s_max", "cpu_s", "bytes_per_s", "operations_per_s",
]
COPIES = [("copy", "weir"), ("copy", "cp")]
READS = [("random_read", "weir"), ("random_read", "liburing")]


class FilesTest(Files):
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


class BadOptionTest(BadOptions, Files):
    CASES = (
        (("--size", "0"), ("--size", "'0'", "1..1048576")),
        (("--size", "1048577"), ("--size", "'1048577'", "1..1048576")),
        (("--reads", "-1"), ("--reads", "'-1'", "1..1000000000")),
        (("--depth", "1025"), ("--depth", "'1025'", "1..1024")),
        (("--depth", "many"), ("--depth", "'many'", "1..1024")),
        (("--rounds", "0"), ("--rounds", "'0'", "1..1000")),
        (("--work", "write"), ("--work", "'write'", "copy, read or all")),
        (("--folder", "/dev/null"), ("--folder", "'/dev/null'", "folder")),
        (("--depth", "1", "--depth", "2"), ("--depth", "2 times", "once")),
    )

    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--work", "--size", "--reads", "--depth", "--rounds", "--folder", "--json"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    bench_program.main(__doc__)
