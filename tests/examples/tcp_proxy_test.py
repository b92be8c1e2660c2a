#!/usr/bin/env python3
"""examples/tcp_proxy; see server.py. What stands behind it is a listener of the test."""

import hashlib
import select
import socket
import threading

from server import CommonTests, ServerTest, TIMEOUT_S, main, receive_all, receive_exactly

RESET = b"\1\0\0\0\0\0\0\0"  # struct linger: on, 0 seconds


class TcpProxyTest(CommonTests, ServerTest):
    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.listener.settimeout(TIMEOUT_S)
        self.ARGUMENTS = ("--to", "127.0.0.1:%d" % self.listener.getsockname()[1])

    def pair(self, receive_buffer=0):
        """A client's socket and the one behind the proxy."""
        near = self.connect(receive_buffer)
        far, _ = self.listener.accept()
        self.addCleanup(far.close)
        far.settimeout(TIMEOUT_S)
        return near, far

    def test_the_address_is_checked(self):
        self.assert_refused("--to is missing; allowed: an address with a port")
        for bad in ("", "localhost", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:0", "::1:80"):
            self.assert_refused(f"--to is '{bad}'; allowed: an address", "--to", bad)

    def test_bytes_pass_both_ways(self):
        self.start()
        near, far = self.pair()
        near.sendall(b"question")
        self.assertEqual(receive_exactly(far, 8), b"question")
        far.sendall(b"answer")
        self.assertEqual(receive_exactly(near, 6), b"answer")
        self.assertEqual(self.stop(), "")

    def test_a_half_that_ended_leaves_the_other_open(self):
        self.start()
        near, far = self.pair()
        near.sendall(b"all of it")
        near.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(far), b"all of it")
        far.sendall(b"the answer")
        self.assertEqual(receive_exactly(near, 10), b"the answer")
        far.close()
        self.assertEqual(receive_all(near), b"")
        near, far = self.pair()
        far.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(near), b"")
        near.sendall(b"still there")
        near.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(far), b"still there")

    def test_a_slow_reader_slows_the_sender_and_memory_stays_bounded(self):
        total = 128 << 20
        part = bytes(range(256)) * 4096
        expected = hashlib.sha256(part * (total // len(part))).digest()
        self.start()
        near, far = self.pair(receive_buffer=65_536)
        blocked = threading.Event()
        sender = threading.Thread(target=self.send_slowly, args=(far, part, total, blocked))
        sender.start()
        self.assertTrue(blocked.wait(TIMEOUT_S), "the sender was never slowed down")
        self.assert_memory_is_bounded()
        digest = hashlib.sha256()
        while received := near.recv(1 << 20):
            digest.update(received)
        sender.join()
        self.assertEqual(digest.digest(), expected)
        self.assert_memory_is_bounded()

    @staticmethod
    def send_slowly(far, part, total, blocked):
        """Says when the socket takes no more for a moment; without backpressure it never does."""
        poller = select.poll()
        poller.register(far, select.POLLOUT)
        for _ in range(total // len(part)):
            rest = memoryview(part)
            while rest:
                if not blocked.is_set() and not poller.poll(500):
                    blocked.set()
                flags = 0 if blocked.is_set() else socket.MSG_DONTWAIT
                rest = rest[far.send(rest, flags):]
        far.shutdown(socket.SHUT_WR)

    def test_a_reset_is_passed_on(self):
        self.start()
        near, far = self.pair()
        near.sendall(b"x")
        receive_exactly(far, 1)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        far.close()
        with self.assertRaises(ConnectionResetError):
            receive_all(near)
        near, far = self.pair()
        near.sendall(b"x")
        receive_exactly(far, 1)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        near.close()
        with self.assertRaises(ConnectionResetError):
            receive_all(far)
        self.assertEqual(self.stop(), "")

    def test_an_address_that_refuses_is_named_and_its_client_reset(self):
        self.start()
        self.listener.close()
        near = self.connect()
        with self.assertRaises(ConnectionResetError):
            receive_all(near)
        self.assertRegex(self.stop(), r"^tcp_proxy: 127\.0\.0\.1:[0-9]+: Connection refused\n$")


if __name__ == "__main__":
    main(TcpProxyTest)
