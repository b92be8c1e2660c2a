"""A server example under test: started on a free port, stopped by a signal.

No test asserts a time; the limits of a minute only end what hangs.
"""

import signal
import socket
import subprocess
import sys
import unittest

TIMEOUT_S = 60


def receive_all(peer):
    """What comes until the peer ends its half."""
    parts = []
    while part := peer.recv(65536):
        parts.append(part)
    return b"".join(parts)


def receive_exactly(peer, count):
    parts = b""
    while len(parts) < count:
        part = peer.recv(count - len(parts))
        if not part:
            raise EOFError(f"the stream ended after {len(parts)} of {count} bytes")
        parts += part
    return parts


class ServerTest(unittest.TestCase):
    """Its own tests are about what all servers have in common: their command line and their end."""

    PROGRAM = ""
    ARGUMENTS = ()  # such that the program starts

    def run_program(self, *arguments):
        return subprocess.run([self.PROGRAM, *map(str, arguments)], capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False)

    def start(self, *arguments):
        """Starts a server on a free port, which is then self.port."""
        command = [self.PROGRAM, "--port", "0", *map(str, arguments or self.ARGUMENTS)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True)
        self.addCleanup(self.end)
        line = self.server.stdout.readline()
        self.assertRegex(line, r"^listening on 127\.0\.0\.1:[0-9]+\n$")
        self.port = int(line.rsplit(":", 1)[1])
        self.memory_at_start_kib = self.memory_peak_kib()

    def end(self):
        """In every test, so that a sanitizer's findings do not go unseen."""
        try:
            if self.server.returncode is None:
                self.stop()
        finally:
            self.server.kill()
            self.server.communicate()

    def connect(self, receive_buffer=0):
        peer = socket.socket()
        self.addCleanup(peer.close)
        if receive_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        peer.settimeout(TIMEOUT_S)
        peer.connect(("127.0.0.1", self.port))
        return peer

    def stop(self, number=signal.SIGTERM):
        """Asks the server to stop; what it said meanwhile on stderr."""
        self.server.send_signal(number)
        out, err = self.server.communicate(timeout=TIMEOUT_S)
        self.assertEqual((self.server.returncode, out), (0, "stopped\n"), err)
        return err

    def memory_peak_kib(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

    def assert_memory_is_bounded(self):
        self.assertLess(self.memory_peak_kib() - self.memory_at_start_kib, 32 << 10)

    def assert_refused(self, message, *arguments):
        done = self.run_program(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)


class CommonTests:
    """Mixed into each server's test."""

    def test_help_names_the_options(self):
        done = self.run_program("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--port", done.stdout)
        self.assertIn("(0 to 65535", done.stdout)

    def test_bad_options_are_named_with_what_is_allowed(self):
        self.assert_refused("unknown option '--prot'; allowed: --port", "--prot", 1)
        self.assert_refused("--port is '65536'; allowed: 0 to 65535", "--port", 65536)
        self.assert_refused("--port is '-1'; allowed: 0 to 65535", "--port", -1)
        self.assert_refused("--port is '80x'; allowed: 0 to 65535", "--port", "80x")
        self.assert_refused("--port is ''; allowed: 0 to 65535", "--port", "")
        self.assert_refused("--port has no value; allowed: 0 to 65535", "--port")
        self.assert_refused("--port is given twice; allowed: once", "--port", 1, "--port", 1)

    def test_a_port_that_is_taken_is_an_error(self):
        self.start()
        done = self.run_program("--port", self.port, *self.ARGUMENTS)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"port {self.port}: Address already in use", done.stderr)

    def test_both_signals_end_it_while_nobody_is_there(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.start()
            self.assertEqual(self.stop(number), "")

    def test_a_stop_ends_connections_and_refuses_new_ones(self):
        self.start()
        peers = [self.connect() for _ in range(5)]
        self.assertEqual(self.stop(), "")
        for peer in peers:
            try:
                receive_all(peer)
            except ConnectionResetError:
                pass  # it was still in the backlog
        with self.assertRaises(ConnectionRefusedError):
            self.connect()


def main(test):
    """usage: NAME_test.py PATH_OF_PROGRAM [UNITTEST_ARGUMENT...]"""
    test.PROGRAM = sys.argv.pop(1)
    unittest.main(module="__main__")
