#!/usr/bin/env python3
"""examples/http_files; see server.py. Driven by curl, and by hand where curl is too polite."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from server import CommonTests, ServerTest, TIMEOUT_S, main, receive_all

BIG = os.urandom(5_000_000)
ENDS = b"Connection: close\r\n\r\n"


def parse(answers, heads_only=False):
    """Splits a stream of answers into (status, fields, body)."""
    found = []
    while answers:
        head, answers = answers.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        size = 0 if heads_only else int(fields["Content-Length"])
        found.append((int(first.split()[1]), fields, answers[:size]))
        answers = answers[size:]
    return found


class HttpFilesTest(CommonTests, ServerTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        outer = pathlib.Path(folder.name)
        (outer / "secret").write_text("secret")
        self.root = outer / "root"
        (self.root / "sub folder").mkdir(parents=True)
        (self.root / "index.html").write_text("<p>home")
        (self.root / "digits.txt").write_text("0123456789")
        (self.root / "empty").write_bytes(b"")
        (self.root / "big").write_bytes(BIG)
        (self.root / ".hidden").write_text("hidden")
        (self.root / "sub folder" / "a&b.css").write_text("p {}")
        os.mkfifo(self.root / "pipe")
        self.ARGUMENTS = ("--root", self.root)

    def raw(self, sent, heads_only=False):
        """What comes back for these bytes, until the server ends the connection."""
        peer = self.connect()
        peer.sendall(sent)
        return parse(receive_all(peer), heads_only)

    def get(self, path, *fields):
        lines = b"".join(field.encode() + b"\r\n" for field in fields)
        (answer,) = self.raw(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + lines + ENDS)
        return answer

    def statuses(self, sent):
        return [status for status, _, _ in self.raw(sent)]

    def test_the_folder_is_checked(self):
        self.assert_refused("--root is missing; allowed: a text that is not empty")
        self.assert_refused("--header-max is '63'; allowed: 64 to 65536", "--header-max", 63)
        done = self.run_program("--port", 0, "--root", self.root / "digits.txt")
        self.assertEqual(done.returncode, 1)
        self.assertIn("digits.txt: Not a directory", done.stderr)
        done = self.run_program("--port", 0, "--root", self.root / "nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere: No such file or directory", done.stderr)

    def test_files_come_with_their_type_and_length(self):
        self.start()
        for path, kind, body in ((b"/", "text/html; charset=utf-8", b"<p>home"),
                                 (b"/digits.txt?x=/..", "text/plain; charset=utf-8", b"0123456789"),
                                 (b"/empty", "application/octet-stream", b""),
                                 (b"http://x/empty", "application/octet-stream", b""),
                                 (b"/sub%20folder/a%26b.css", "text/css", b"p {}"),
                                 (b"/big", "application/octet-stream", BIG)):
            status, fields, got = self.get(path)
            self.assertEqual((status, fields["Content-Type"], got), (200, kind, body))
            self.assertRegex(fields["Date"], r"^[A-Z]\w\w, \d\d [A-Z]\w\w \d{4} [\d:]+ GMT$")
        self.assertEqual(self.stop(), "")

    def test_head_has_no_body(self):
        self.start()
        head = b"HEAD %s HTTP/1.1\r\nHost: x\r\n"
        (answer,) = self.raw(head % b"/digits.txt" + ENDS, heads_only=True)
        self.assertEqual((answer[0], answer[1]["Content-Length"]), (200, "10"))
        (answer,) = self.raw(head % b"/digits.txt" + b"Range: bytes=0-1\r\n" + ENDS, True)
        self.assertEqual((answer[0], answer[1]["Content-Length"]), (200, "10"))
        (answer,) = self.raw(head % b"/nothing" + ENDS, heads_only=True)
        self.assertEqual((answer[0], answer[1]["Content-Length"]), (404, "14"))

    def test_ranges(self):
        self.start()
        for asked, first, body in (("0-0", 0, b"0"), ("2-5", 2, b"2345"), ("5-", 5, b"56789"),
                                   ("-3", 7, b"789"), ("-99", 0, b"0123456789"),
                                   ("9-99999999999999999999", 9, b"9")):
            status, fields, got = self.get(b"/digits.txt", f"Range: bytes={asked}")
            expected = f"bytes {first}-{first + len(body) - 1}/10"
            self.assertEqual((status, fields["Content-Range"], got), (206, expected, body))
        for asked in ("10-", "10-20", "-0", "99999999999999999999-"):
            status, fields, _ = self.get(b"/digits.txt", f"Range: bytes={asked}")
            self.assertEqual((status, fields["Content-Range"]), (416, "bytes */10"))
        for asked in ("bytes=5-2", "bytes=a-b", "bytes=1-2,4-5", "bytes=-", "bytes=1", "lines=1-2",
                      "bytes=+1-2", "bytes=1 -2"):
            status, fields, got = self.get(b"/digits.txt", f"Range: {asked}")
            self.assertEqual((status, got), (200, b"0123456789"), asked)
        _, _, got = self.get(b"/big", "Range: bytes=1000000-4000000")
        self.assertEqual(got, BIG[1_000_000:4_000_001])

    def test_nothing_outside_of_the_folder_is_found(self):
        self.start()
        for path in (b"/../secret", b"/sub%20folder/../../secret", b"/%2e%2e/secret",
                     b"/..%2fsecret", b"/%2e%2e%2fsecret", b"/.hidden", b"/./digits.txt",
                     b"/nothing", b"/sub%20folder", b"/sub%20folder/", b"/pipe",
                     b"/digits.txt/x", b"/" + b"a" * 300):
            self.assertEqual(self.get(path)[0], 404, path)
        for path in (b"..", b"digits.txt", b"/a%00b", b"/%", b"/%4", b"/%zz", b"/%-1", b"*"):
            self.assertEqual(self.get(path)[0], 400, path)

    def test_what_is_not_served_is_named_and_ends_the_connection(self):
        self.start()
        tail = b" / HTTP/1.1\r\nHost: x\r\n\r\n"
        for method in (b"POST", b"PUT", b"DELETE", b"OPTIONS"):
            ((status, fields, _),) = self.raw(method + tail)
            self.assertEqual((status, fields["Allow"], fields["Connection"]),
                             (405, "GET, HEAD", "close"))
        for request, status in (
                (b"GET / HTTP/1.1\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                (b"GET /\r\n\r\n", 505),
                (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
                (b"GET / HTTP/9\r\nHost: x\r\n\r\n", 505),
                (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413),
                (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
                (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400)):
            self.assertEqual(self.statuses(request), [status], request)

    def test_a_head_that_is_too_long_is_refused(self):
        self.start("--root", self.root, "--header-max", 100)
        self.assertEqual(self.get(b"/digits.txt")[0], 200)
        self.assertEqual(self.statuses(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000), [431])

    def test_requests_in_one_piece_are_answered_in_order(self):
        self.start()
        request = b"GET /%s HTTP/1.1\r\nHost: x\r\n"
        sent = b"".join(request % path + b"\r\n" for path in (b"digits.txt", b"big", b"no", b""))
        answers = self.raw(sent + request % b"empty" + ENDS + request % b"never" + b"\r\n")
        self.assertEqual([(status, body) for status, _, body in answers],
                         [(200, b"0123456789"), (200, BIG), (404, b"404 Not Found\n"),
                          (200, b"<p>home"), (200, b"")])

    def test_a_head_may_come_byte_by_byte_behind_an_empty_line(self):
        self.start()
        peer = self.connect()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\r\nGET /digits.txt HTTP/1.1\r\nHost: x\r\n" + ENDS:
            peer.sendall(bytes([byte]))
        self.assertEqual(parse(receive_all(peer))[0][2], b"0123456789")

    def test_http_1_0_ends_after_one_answer(self):
        self.start()
        self.assertEqual(self.statuses(b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n"), [200])

    def test_who_sends_nothing_or_half_a_head_is_sent_away(self):
        self.start("--root", self.root, "--timeout-ms", 50)
        self.assertEqual(self.raw(b""), [])
        self.assertEqual(self.statuses(b"GET / HTTP/1.1\r\n"), [408])

    def test_who_does_not_take_the_answer_is_sent_away(self):
        self.start("--root", self.root, "--timeout-ms", 50, "--connections", 1)
        lazy = self.connect(receive_buffer=4096)
        lazy.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(self.get(b"/digits.txt")[0], 200)  # the only place was given up
        self.assertEqual(self.stop(), "")

    def test_a_file_that_may_not_be_read_is_forbidden(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        (self.root / "digits.txt").chmod(0)
        self.start()
        self.assertEqual(self.get(b"/digits.txt")[0], 403)

    def test_memory_does_not_follow_what_is_sent(self):
        with (self.root / "huge").open("wb") as huge:
            huge.truncate(1 << 28)
        self.start()
        self.assertEqual(self.get(b"/huge", "Range: bytes=-200000000")[0], 206)
        self.assert_memory_is_bounded()

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self):
        self.start()
        where = f"http://127.0.0.1:{self.port}"
        self.assertEqual(self.curl(f"{where}/big"), BIG)
        self.assertEqual(self.curl("-r", "10-19", f"{where}/big"), BIG[10:20])
        self.assertEqual(self.curl("-w", "%{num_connects}", f"{where}/digits.txt",
                                   f"{where}/nothing"), b"01234567891404 Not Found\n0")
        status = ("-o", "/dev/null", "-w", "%{http_code}")
        self.assertEqual(self.curl("-I", *status, f"{where}/big"), b"200")
        self.assertEqual(self.curl("-d", "a=b", *status, where), b"405")
        self.assertEqual(self.curl("--path-as-is", *status, f"{where}/../secret"), b"404")
        self.assertEqual(self.curl("-H", "X: " + "x" * 10_000, *status, where), b"431")

    @staticmethod
    def curl(*arguments):
        return subprocess.run(["curl", "-s", *arguments], stdout=subprocess.PIPE, check=True,
                              timeout=TIMEOUT_S).stdout

    @unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
    def test_wrk_meets_no_error(self):
        self.start()
        done = subprocess.run(["wrk", "-t1", "-c50", "-d1s",
                               f"http://127.0.0.1:{self.port}/digits.txt"],
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        self.assertNotIn("Socket errors", done.stdout)
        self.assertNotIn("Non-2xx", done.stdout)
        self.assertEqual(self.stop(), "")


if __name__ == "__main__":
    main(HttpFilesTest)
