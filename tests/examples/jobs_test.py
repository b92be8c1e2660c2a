#!/usr/bin/env python3
"""The pairs of producer and worker among the examples, on a private redis-server.

usage: jobs_test.py PRODUCER WORKER PYTHON_WORKER PYTHON_PRODUCER
"""

import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))

from private_redis import RedisTest  # pylint: disable=wrong-import-position

PRODUCER, WORKER, PYTHON_WORKER, PYTHON_PRODUCER = sys.argv[1:5]
del sys.argv[1:5]
TIMEOUT_S = 100


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


class JobsTest(RedisTest):
    def start(self, *command):
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True)
        self.addCleanup(worker.communicate)
        self.addCleanup(worker.kill)
        return worker

    def assert_stops(self, worker):
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=TIMEOUT_S)
        self.assertEqual(worker.returncode, 0, errors)

    def test_a_producer_gets_what_a_worker_made(self):
        worker = self.start(WORKER, self.redis.url)
        done = run(PRODUCER, self.redis.url)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(),
                         [f"a.png, {width} pixels wide" for width in (64, 128, 256)])
        self.assert_stops(worker)

    def test_two_workers_share_what_two_producers_submit(self):
        workers = [self.start(WORKER, self.redis.url) for _ in range(2)]
        producers = [self.start(PRODUCER, self.redis.url) for _ in range(2)]
        for producer in producers:
            out, errors = producer.communicate(timeout=TIMEOUT_S)
            self.assertEqual((producer.returncode, len(out.splitlines())), (0, 3), errors)
        for worker in workers:
            self.assert_stops(worker)

    def test_python_feeds_a_worker(self):
        worker = self.start(PYTHON_WORKER, self.redis.url)
        done = run(sys.executable, PYTHON_PRODUCER, self.redis.socket)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        expected = {f"{x} + {x} = {2 * x}\n" for x in range(10)} | {"20 + 22 = 42\n"}
        self.assertEqual({worker.stdout.readline() for _ in expected}, expected)
        self.assert_stops(worker)
        self.assertEqual(self.redis.command("LLEN", "nb_aio_task:sums"), 0)

    def test_what_python_submitted_before_is_run_too(self):
        run(sys.executable, PYTHON_PRODUCER, self.redis.socket)
        self.assertEqual(self.redis.command("LLEN", "nb_aio_task:sums"), 11)
        worker = self.start(PYTHON_WORKER, self.redis.url)
        self.assertEqual(len([worker.stdout.readline() for _ in range(11)]), 11)
        self.assert_stops(worker)

    def test_bad_addresses_and_servers_that_are_not_there_are_one_error(self):
        for program in (PRODUCER, WORKER, PYTHON_WORKER):
            done = run(program, "http://here")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_a_url_is_all_that_they_take(self):
        for program in (PRODUCER, WORKER, PYTHON_WORKER):
            done = run(program, self.redis.url, "again")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("'again' is one argument too many; allowed: a URL", done.stderr)
            done = run(program, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("default redis://localhost", done.stdout)


if __name__ == "__main__":
    unittest.main()
