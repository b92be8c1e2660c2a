"""A private redis-server for tests of programs, and a small client of it.

    class MyTest(RedisTest): ...   # self.redis.url, self.redis.command("XLEN", "weir:{q}:s1")

It listens on a Unix socket in a folder of its own and keeps nothing; it ends with the test, and by
the kernel when the test is killed. Without redis-server the tests are skipped, unless CI is set.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

READY_LIMIT_S = 30
REPLY_LIMIT_S = 30


def die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class ReplyError(Exception):
    """An error reply."""


class PrivateRedis:
    def __init__(self, *lines):
        self.folder = tempfile.mkdtemp(prefix="weir-redis-")
        self.socket = os.path.join(self.folder, "redis")
        self.url = "unix://" + self.socket
        words = ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
                 "--save", "", "--appendonly", "no", *lines]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent)
        deadline = time.monotonic() + READY_LIMIT_S
        while not self.answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.close()
                raise RuntimeError("redis-server does not come up")
            time.sleep(0.01)

    def answers(self):
        try:
            self.command("PING")
            return True
        except ReplyError:
            return True
        except OSError:
            return False

    def command(self, *words):
        """The reply: None, int, str, or a list of these."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        text = b"*%d\r\n" % len(parts)
        for part in parts:
            text += b"$%d\r\n%s\r\n" % (len(part), part)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(REPLY_LIMIT_S)
            peer.connect(self.socket)
            peer.sendall(text)
            with peer.makefile("rb") as replies:
                return self.read(replies)

    def read(self, replies):
        line = replies.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise ReplyError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else replies.read(size + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self.read(replies) for _ in range(int(rest))]
        return rest.decode()

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class RedisTest(unittest.TestCase):
    """A server for each test; REDIS_LINES are given to it."""

    REDIS_LINES = ()

    def setUp(self):
        if shutil.which("redis-server") is None and "CI" not in os.environ:
            self.skipTest("redis-server is not installed (Debian: apt-get install redis-server)")
        self.redis = PrivateRedis(*self.REDIS_LINES)
        self.addCleanup(self.redis.close)
