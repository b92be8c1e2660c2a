"""What the tests of the measuring programs share: how one is started, and its bad options.

Nothing asserts a time; a limit of two minutes on each process only ends what hangs.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""  # set by main()
TIMEOUT_S = 120
SYSTEM_PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"

# Bad options of the programs that measure for so many seconds, in rounds; see BadOptions.
OF_ROUNDS = (
    (("--rounds", "0"), ("--rounds", "'0'", "1..1000")),
    (("--rounds", "1001"), ("--rounds", "'1001'", "1..1000")),
    (("--seconds", "0"), ("--seconds", "'0'", "0.01..600")),
    (("--seconds", "601"), ("--seconds", "'601'", "0.01..600")),
    (("--seconds", "nan"), ("--seconds", "'nan'", "0.01..600")),
    (("--seconds", "1s"), ("--seconds", "'1s'", "0.01..600")),
    (("--quick", "--quick"), ("--quick", "2 times", "once")),
)


def run(*arguments, program=(), environment=None):
    """Runs the program under test, or the command `program`, to its end."""
    command = [*(program or (PROGRAM,)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                          env=environment)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class BadOptions:
    """Mixed into a test that has CASES: arguments, and the words that the one line on stderr must
    have, which are the option, the value, and what is allowed."""

    CASES = ()
    OF_ALL = (
        (("--json", ""), ("--json", "''")),
        (("--json", "/nowhere/out.json"), ("--json", "'/nowhere/out.json'", "folder")),
        (("--fast",), ("'--fast'", "--help")),
        (("extra",), ("'extra'", "--help")),
    )

    def test_each_ends_with_2_and_one_line_that_names_option_value_and_range(self):
        for arguments, words in (*self.CASES, *self.OF_ALL):
            with self.subTest(arguments=arguments):
                self.assert_refused(arguments, words)

    def assert_refused(self, arguments, words, program=()):
        done = run(*arguments, program=program)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


def main(usage):
    """usage: the test's own text, printed where the program's path is missing."""
    global PROGRAM
    if len(sys.argv) < 2:
        sys.exit(usage)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    with contextlib.suppress(KeyboardInterrupt):
        unittest.main(module="__main__")
