#!/usr/bin/env python3
"""examples/jobs_service; see server.py."""

import socket
import urllib.request

from server import CommonTests, ServerTest, main


class JobsServiceTest(CommonTests, ServerTest):
    def open(self):
        peer = self.connect()
        lines = peer.makefile("r", encoding="utf-8", newline="\n")
        self.addCleanup(lines.close)
        return peer, lines

    def test_each_line_is_answered_in_order(self):
        self.start()
        peer, answers = self.open()
        peer.sendall(b"abc\r\nst")
        peer.sendall(b"ressed\n")
        self.assertEqual((answers.readline(), answers.readline()), ("cba\n", "desserts\n"))
        self.assertEqual(self.stop(), "")

    def test_many_connections_share_the_worker(self):
        self.start()
        peers = [self.open() for _ in range(50)]
        for number, (peer, _) in enumerate(peers):
            peer.sendall(b"line %d\n" % number)
        for number, (_, answers) in enumerate(peers):
            self.assertEqual(answers.readline(), f"line {number}"[::-1] + "\n")
        self.assertEqual(self.stop(), "")

    def test_a_job_that_gives_up_is_an_answer_with_the_reason(self):
        self.start()
        peer, answers = self.open()
        peer.sendall(b"\nok\n")
        self.assertRegex(answers.readline(), r"^error: .*an empty line")
        self.assertEqual(answers.readline(), "ko\n")

    def test_prometheus_sees_what_the_worker_does(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.start("--metrics-port", port)
        peer, answers = self.open()
        peer.sendall(b"abc\n")
        self.assertEqual(answers.readline(), "cba\n")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as page:
            self.assertIn(b"\nweir_worker_claimed_total 1\n", page.read())
        self.assertEqual(self.stop(), "")

    def test_a_server_that_is_not_there_is_one_error(self):
        done = self.run_program("--port", 0, "--url", "unix:///nowhere/redis?command_timeout=200ms")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    main(JobsServiceTest)
