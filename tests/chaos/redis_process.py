"""A private redis-server whose AOF is written before each reply, and a small client of it."""

import pathlib
import shutil
import signal
import socket
import subprocess
import time

from processes import die_with_parent

READY_LIMIT_S = 30.0
REPLY_LIMIT_S = 5.0

CONFIGURATION = """\
port 0
unixsocket {folder}/redis
dir {folder}
appendonly yes
appendfsync always
aof-load-truncated yes
save ""
daemonize no
loglevel notice
logfile {folder}/redis.log
"""


class RedisError(Exception):
    """An error reply, or no reply."""


class Connection:
    """Commands one by one; RESP2."""

    def __init__(self, path, limit_s=REPLY_LIMIT_S):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(limit_s)
        try:
            self.socket.connect(path)
        except OSError as problem:
            self.socket.close()
            raise RedisError(str(problem)) from problem
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def command(self, *words):
        """The reply: None, int, bytes, or a list of these."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        text = b"*%d\r\n" % len(parts)
        for part in parts:
            text += b"$%d\r\n%s\r\n" % (len(part), part)
        try:
            self.socket.sendall(text)
            return self.reply()
        except (OSError, ValueError) as problem:
            raise RedisError(str(problem)) from problem

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise RedisError("the connection has ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RedisError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"$":
            return self.file.read(size + 2)[:-2]
        return [self.reply() for _ in range(size)]


class RedisProcess:
    """state: down, starting, up or paused."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.socket = str(self.folder / "redis")
        self.program = shutil.which("redis-server")
        if self.program is None:
            raise RedisError("redis-server is not in PATH (Debian: redis-server)")
        self.configuration = self.folder / "redis.conf"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder))
        self.process = None
        self.connection = None
        self.state = "down"

    def start(self):
        self.process = subprocess.Popen(
            [self.program, str(self.configuration)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        self.state = "starting"

    def answers(self):
        """Whether a server that starts is ready; it may still read its AOF."""
        if self.process.poll() is not None:
            raise RedisError("redis-server has ended: " + self.log_end())
        try:
            self.connection = Connection(self.socket)
            self.connection.command("PING")
        except RedisError:
            return False
        self.state = "up"
        return True

    def wait_until_up(self):
        end = time.monotonic() + READY_LIMIT_S
        while not self.answers():
            if time.monotonic() > end:
                raise RedisError("redis-server does not answer: " + self.log_end())
            time.sleep(0.01)

    def command(self, *words):
        return self.connection.command(*words)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.state = "down"

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.state = "paused"

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.state = "up"

    def log_end(self):
        try:
            return (self.folder / "redis.log").read_text(errors="replace")[-1000:]
        except OSError:
            return "no log"
