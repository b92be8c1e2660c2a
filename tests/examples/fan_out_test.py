#!/usr/bin/env python3
"""examples/fan_out; see server.py. Its own sums decide how it ends."""

import re
import signal
import subprocess

from server import ServerTest, TIMEOUT_S, main

REPORT = re.compile(r"([0-9]+) requests: ([0-9]+) found, ([0-9]+) missing, ([0-9]+) failed\n"
                    r"at most ([0-9]+) at a time over ([0-9]+) connections, and ([0-9]+) queued\n")


class FanOutTest(ServerTest):
    def figures(self, *arguments):
        done = self.run_program(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return tuple(map(int, REPORT.fullmatch(done.stdout).groups()))

    def test_both_bounds_are_reached_and_kept(self):
        self.assertEqual(self.figures(), (10_000, 9_000, 1_000, 0, 100, 100, 1_000))
        self.assertEqual(self.figures("--requests", 50, "--concurrency", 1, "--queue", 0),
                         (50, 45, 5, 0, 1, 1, 0))
        self.assertEqual(self.figures("--requests", 5), (5, 4, 1, 0, 5, 5, 0))
        self.assertEqual(self.figures("--requests", 0), (0, 0, 0, 0, 0, 0, 0))

    def test_bad_options_are_named_with_what_is_allowed(self):
        self.assert_refused("--concurrency is '0'; allowed: 1 to 10000", "--concurrency", 0)
        self.assert_refused("--queue is 'x'; allowed: 0 to 1000000", "--queue", "x")
        self.assertIn("--requests", self.run_program("--help").stdout)

    def test_a_signal_ends_it_in_order(self):
        with subprocess.Popen([self.PROGRAM, "--requests", "100000000"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            self.wait_until_it_watches_signals(program.pid)
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=TIMEOUT_S)
        self.assertEqual((program.returncode, out, err), (0, "stopped\n", ""))

    @staticmethod
    def wait_until_it_watches_signals(pid):
        """A signal that comes before would simply end it."""
        while True:
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                blocked = next(line for line in status if line.startswith("SigBlk:"))
            if int(blocked.split()[1], 16) & (1 << (signal.SIGINT - 1)):
                return


if __name__ == "__main__":
    main(FanOutTest)
