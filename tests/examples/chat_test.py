#!/usr/bin/env python3
"""examples/chat; see server.py."""

import re
import socket

from server import CommonTests, ServerTest, main, receive_all

QUESTION = "* your name?\n"


class ChatTest(CommonTests, ServerTest):
    def open(self, receive_buffer=0):
        peer = self.connect(receive_buffer)
        lines = peer.makefile("r", encoding="utf-8", errors="replace", newline="\n")
        self.addCleanup(lines.close)
        self.assertEqual(lines.readline(), QUESTION)
        return peer, lines

    def join(self, name, *others):
        """Joins, and sees that the others have noticed."""
        peer, lines = self.open()
        peer.sendall(name.encode() + b"\n")
        for other in others:
            self.assertEqual(other.readline(), f"* {name} is here\n")
        return peer, lines

    def test_a_line_goes_to_all_others(self):
        self.start()
        ada, to_ada = self.join("ada")
        bob, to_bob = self.join("bob", to_ada)
        _, to_eve = self.join("eve", to_ada, to_bob)
        ada.sendall(b"hello\r\n")
        bob.sendall(b"h")
        bob.sendall(b"i\n\n")
        self.assertEqual(to_bob.readline(), "ada: hello\n")
        self.assertEqual({to_eve.readline(), to_eve.readline(), to_eve.readline()},
                         {"ada: hello\n", "bob: hi\n", "bob: \n"})
        self.assertEqual(to_ada.readline(), "bob: hi\n")
        self.assertEqual(self.stop(), "")

    def test_the_others_are_told_who_leaves(self):
        self.start()
        ada, to_ada = self.join("ada")
        bob, _ = self.join("bob", to_ada)
        bob.shutdown(socket.SHUT_WR)
        self.assertEqual(to_ada.readline(), "* bob has left\n")
        self.assertEqual(receive_all(bob), b"")
        self.join("bob", to_ada)

    def test_a_name_that_will_not_do_ends_the_connection(self):
        self.start()
        _, to_ada = self.join("ada")
        self.join("bob", to_ada)
        for bad, answer in ((b"ada\n", b"* that name is taken\n"),
                            (b"\n", b"* a name has letters, digits and _\n"),
                            (b"a b\n", b"* a name has letters, digits and _\n"),
                            (b"a\x1b[31m\n", b"* a name has letters, digits and _\n"),
                            (b"x" * 21 + b"\n", b""),
                            (b"x" * 10_000, b"")):
            peer, _ = self.open()
            peer.sendall(bad)
            try:
                self.assertEqual(receive_all(peer), answer)
            except ConnectionResetError:
                self.assertEqual(answer, b"")

    def test_who_gives_no_name_is_sent_away(self):
        self.start("--name-ms", 10)
        peer, _ = self.open()
        self.assertEqual(receive_all(peer), b"")

    def test_a_line_that_is_too_long_ends_the_connection(self):
        self.start()
        ada, to_ada = self.join("ada")
        bob, to_bob = self.join("bob", to_ada)
        ada.sendall(b"x" * 512 + b"\n")
        self.assertEqual(to_bob.readline(), "ada: " + "x" * 512 + "\n")
        bob.sendall(b"x" * 513)
        self.assertEqual(to_bob.readline(), "* a line has at most 512 bytes\n")
        self.assertEqual(to_ada.readline(), "* bob has left\n")

    def test_control_bytes_reach_nobody(self):
        self.start()
        ada, to_ada = self.join("ada")
        _, to_bob = self.join("bob", to_ada)
        ada.sendall(b"a\x1b[2J\0\x7fb\n")
        self.assertEqual(to_bob.readline(), "ada: a?[2J??b\n")

    def test_a_slow_reader_loses_lines_and_is_told_how_many_while_others_get_all(self):
        count = 3000
        self.start("--backlog", 8)
        ada, to_ada = self.join("ada")
        slow, to_slow = self.open(receive_buffer=4096)
        slow.sendall(b"slow\n")
        self.assertEqual(to_ada.readline(), "* slow is here\n")
        _, to_bob = self.join("bob", to_ada)
        for number in range(count):
            ada.sendall(b"%d %s\n" % (number, b"x" * 500))
            self.assertTrue(to_bob.readline().startswith(f"ada: {number} "))
        self.assertEqual(to_slow.readline(), "* bob is here\n")
        self.assert_all_is_accounted_for(ada, to_slow, count)
        self.assert_memory_is_bounded()

    def test_who_takes_nothing_is_sent_away(self):
        self.start("--backlog", 8, "--stall-ms", 100)
        ada, to_ada = self.join("ada")
        slow, _ = self.open(receive_buffer=4096)
        slow.sendall(b"slow\n")
        self.assertEqual(to_ada.readline(), "* slow is here\n")
        for number in range(3000):
            ada.sendall(b"%d %s\n" % (number, b"x" * 500))
        self.assertEqual(to_ada.readline(), "* slow has left\n")
        self.assertEqual(self.stop(), "chat: slow: write: Connection timed out\n")

    def assert_all_is_accounted_for(self, ada, to_slow, count):
        """What came and what was lost are all lines, in order; the end comes again and again until
        it finds room."""
        expected = 0
        losses = 0
        asked = count
        while expected < count or losses == 0:
            ada.sendall(b"%d end\n" % asked)
            asked += 1
            line = to_slow.readline()
            lost = re.fullmatch(r"\* ([0-9]+) lines lost\n", line)
            if lost:
                losses += 1
                expected += int(lost[1])
            else:
                self.assertTrue(line.startswith(f"ada: {expected} "), line)
                expected += 1
        self.assertGreater(losses, 0)


if __name__ == "__main__":
    main(ChatTest)
