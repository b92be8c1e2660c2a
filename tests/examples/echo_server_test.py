#!/usr/bin/env python3
"""examples/echo_server; see server.py."""

import os
import socket
import threading

from server import CommonTests, ServerTest, main, receive_all, receive_exactly


class EchoServerTest(CommonTests, ServerTest):
    def test_bytes_come_back(self):
        self.start()
        peer = self.connect()
        for message in (b"a", b"hello", os.urandom(100_000)):
            peer.sendall(message)
            self.assertEqual(receive_exactly(peer, len(message)), message)
        self.assertEqual(self.stop(), "")

    def test_all_comes_back_after_the_peer_has_ended_its_half(self):
        self.start()
        peer = self.connect()
        message = os.urandom(3_000_000)
        sender = threading.Thread(target=self.send_and_finish, args=(peer, message))
        sender.start()
        self.assertEqual(receive_all(peer), message)
        sender.join()

    @staticmethod
    def send_and_finish(peer, message):
        peer.sendall(message)
        peer.shutdown(socket.SHUT_WR)

    def test_many_at_a_time(self):
        self.start()
        peers = [self.connect() for _ in range(200)]
        for number, peer in enumerate(peers):
            peer.sendall(b"%04d" % number)
        for number, peer in enumerate(peers):
            self.assertEqual(receive_exactly(peer, 4), b"%04d" % number)
        self.assertEqual(self.stop(), "")

    def test_beyond_its_limit_connections_wait_for_one_to_end(self):
        self.start("--connections", 2)
        first, second, third = (self.connect() for _ in range(3))
        for peer in (first, second, third):
            peer.sendall(b"x")
        self.assertEqual(receive_exactly(first, 1), b"x")
        self.assertEqual(receive_exactly(second, 1), b"x")
        third.setblocking(False)
        with self.assertRaises(BlockingIOError):
            third.recv(1)
        third.settimeout(60)
        first.close()
        self.assertEqual(receive_exactly(third, 1), b"x")

    def test_what_was_echoed_before_a_stop_arrives_then_the_stream_ends(self):
        self.start()
        peer = self.connect()
        peer.sendall(b"before")
        self.assertEqual(receive_exactly(peer, 6), b"before")
        self.assertEqual(self.stop(), "")
        self.assertEqual(receive_all(peer), b"")

    def test_a_reset_ends_its_connection_only(self):
        self.start()
        broken, sound = self.connect(), self.connect()
        broken.sendall(b"x" * 100_000)
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        broken.close()
        sound.sendall(b"y")
        self.assertEqual(receive_exactly(sound, 1), b"y")
        self.assertEqual(self.stop(), "")


if __name__ == "__main__":
    main(EchoServerTest)
