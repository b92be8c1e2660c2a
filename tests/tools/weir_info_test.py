"""Runs weir-info as users do: both forms of output, its exit status, bad options.

usage: weir_info_test.py PROGRAM
"""

import json
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60,
                          check=False)


class WeirInfoTest(unittest.TestCase):
    def test_text_and_status_agree(self):
        done = run()
        self.assertIn(done.returncode, (0, 1))
        self.assertIn("RLIMIT_MEMLOCK", done.stdout)
        if done.returncode == 0:
            self.assertIn("DEFER_TASKRUN", done.stdout)
            self.assertIn("fallbacks", done.stdout)
        else:
            self.assertIn("not available", done.stdout)
            self.assertIn("reason", done.stdout)

    def test_json_and_status_agree(self):
        done = run("--json")
        report = json.loads(done.stdout)
        self.assertEqual(report["available"], done.returncode == 0)
        self.assertEqual(report["available"], report["why_unavailable"] == "")
        for key in ("weir", "kernel", "memlock_bytes", "open_files", "cores", "clock_source"):
            self.assertIn(key, report)
        if report["available"]:
            for key in ("setup_flags", "features", "operations", "tried"):
                for one in report[key]:
                    self.assertEqual(set(one), {"name", "present", "used", "since", "purpose"})
                    self.assertTrue(one["present"] or not one["used"], one)

    def test_help_names_the_options(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--json", done.stdout)

    def test_bad_options_end_with_2_and_are_named(self):
        for arguments in (("--jsno",), ("extra",), ("--json", "--json=maybe")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotEqual(done.stderr, "", arguments)


if __name__ == "__main__":
    unittest.main()
