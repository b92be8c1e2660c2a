#!/usr/bin/env python3
"""Small runs of bench/echo, with its own servers and with bad ones.

usage: echo_test.py PATH_OF_ECHO [UNITTEST_ARGUMENT...]
"""

import json
import os
import shutil
import sys
import xml.dom.minidom

import bench_program
from bench_program import BadOptions, Files, run

OWN = ("liburing_link", "liburing_multishot", "epoll")
LIBRARIES = ("asio_epoll", "asio_uring", "libuv")
KEYS = [
    "server", "connections", "depth", "size", "rounds",
    "messages_per_s", "messages_per_s_min", "messages_per_s_max",
    "server_cpu_ns", "server_cpu_ns_min", "server_cpu_ns_max", "server_user_ns",
    "p50_us", "p99_us", "p999_us", "syscalls_per_message", "rss_bytes",
    "idle_bytes_per_connection",
]
SHORT = ("--rounds", "1", "--seconds", "0.02")


def built():
    """The servers that this build has, as --list tells."""
    lines = run("--list").stdout.splitlines()
    return [line.split()[0] for line in lines if "not built" not in line]


class MeasuringTest(Files):
    def rows(self, *arguments):
        out = self.folder / "out.json"
        done = run("--json", out, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(out.read_text()), done.stdout


class RunTest(MeasuringTest):
    def test_every_server_answers_under_every_shape(self):
        servers = built()
        rows, text = self.rows("--connections", "1,20", "--depth", "1,5", "--size", "1,3000,65536",
                               *SHORT)
        found = {(row["server"], row["connections"], row["depth"], row["size"]) for row in rows}
        asked = {(server, connections, depth, size) for server in servers
                 for connections in (1, 20) for depth in (1, 5) for size in (1, 3000, 65536)}
        self.assertEqual(found, asked)
        self.assertEqual(len(rows), len(asked))
        for server in servers:
            self.assertIn(f"\n{server} ", text)

    def test_an_idle_connection_is_weighed(self):
        rows, text = self.rows("--servers", "weir_buffers,epoll", "--connections", 1, "--depth", 1,
                               "--idle", 500, *SHORT)
        for row in rows:
            # At least what any server has to remember, at most a few pages.
            self.assertGreater(row["idle_bytes_per_connection"], 0)
            self.assertLess(row["idle_bytes_per_connection"], 65536)

    def test_the_servers_by_hand_are_always_built(self):
        self.assertLessEqual(set(OWN), set(built()))

    def test_a_queue_of_sends_longer_than_the_sockets_hold_comes_back_whole(self):
        rows, _ = self.rows("--connections", 2, "--depth", 200, "--size", 65536, *SHORT)
        self.assertEqual([row["server"] for row in rows], built())

    def test_json_has_exactly_the_documented_keys_and_medians_within_their_bounds(self):
        rows, _ = self.rows("--servers", ",".join(OWN), "--connections", 10, "--depth", 2,
                            "--rounds", 3, "--seconds", 0.02)
        self.assertEqual([row["server"] for row in rows], list(OWN))
        for row in rows:
            self.assertEqual(list(row), KEYS)
            self.assertEqual(row["rounds"], 3)
            for key in ("messages_per_s", "server_cpu_ns"):
                self.assertLessEqual(row[key + "_min"], row[key])
                self.assertLessEqual(row[key], row[key + "_max"])
                self.assertGreater(row[key + "_min"], 0)
            self.assertLessEqual(row["server_user_ns"], row["server_cpu_ns"])
            self.assertLessEqual(row["p50_us"], row["p99_us"])
            self.assertLessEqual(row["p99_us"], row["p999_us"])
            self.assertGreater(row["rss_bytes"], 100_000)

    def test_every_server_counts_its_system_calls(self):
        # A server may add its calls up now and then; so some hundred messages at the least.
        rows, _ = self.rows("--connections", 1, "--depth", 1, "--rounds", 1, "--seconds", 0.3)
        for row in rows:
            with self.subTest(server=row["server"]):
                self.assertGreater(row["syscalls_per_message"], 0.5)
                self.assertLess(row["syscalls_per_message"], 6)

    def test_an_open_loop_sends_what_is_due_and_no_more(self):
        rows, text = self.rows("--servers", "epoll", "--connections", 10, "--depth", 10,
                               "--rate", 2000, "--rounds", 1, "--seconds", 0.2)
        # Ten times what is due: far less than an epoll server does where nothing holds it back.
        self.assertLess(rows[0]["messages_per_s"], 20_000)
        self.assertIn("2.00 k messages due a second", text)

    def test_quick_obeys_a_shorter_window(self):
        rows, _ = self.rows("--quick", "--servers", "epoll", "--connections", "2,3", "--depth", 1,
                            "--seconds", 0.02)
        self.assertEqual([row["rounds"] for row in rows], [5, 5])

    def test_servers_keep_the_order_in_which_they_are_asked_for(self):
        rows, _ = self.rows("--servers", "epoll,liburing_link", "--connections", 2, "--depth", 1,
                            *SHORT)
        self.assertEqual([row["server"] for row in rows], ["epoll", "liburing_link"])

    def test_the_plot_is_a_well_formed_picture(self):
        out = self.folder / "out.svg"
        self.rows("--servers", "epoll", "--connections", "2,3", *SHORT, "--plot", out)
        root = xml.dom.minidom.parse(str(out)).documentElement
        self.assertEqual(root.tagName, "svg")
        self.assertIn("3 connections, depth 16, 64 bytes", out.read_text())

    def test_list_and_help_end_with_0(self):
        done = run("--list")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in (*OWN, *LIBRARIES):
            self.assertIn(f"{name} ", done.stdout)
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--rate", done.stdout)


class BadServerTest(Files):
    """bench/echo in a folder with another echo_server."""

    # Descriptor 3 takes the port; the rest is an ordinary server. {answer} sends `data` back.
    SERVER = """#!{python}
import os, select, socket, struct, sys
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
os.write(3, struct.pack("=H", listener.getsockname()[1]))
os.close(3)
watched = [listener]
while True:
    for each in select.select(watched, [], [])[0]:
        if each is listener:
            watched.append(listener.accept()[0])
            continue
        data = each.recv(65536)
        if not data:
            watched.remove(each)
            continue
        {answer}
"""

    def failing(self, script, *arguments):
        program = self.folder / "echo"
        shutil.copy(bench_program.PROGRAM, program)
        if script is not None:
            server = self.folder / "echo_server"
            server.write_text(script)
            server.chmod(0o755)
        out = self.folder / "out.json"
        done = run("--servers", "epoll", "--connections", 1, "--depth", 1, "--json", out, *SHORT,
                   *arguments, program=(program,))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(json.loads(out.read_text()), [])
        self.assertIn("epoll: ", done.stderr)
        return done.stderr

    def answering(self, how):
        return self.SERVER.format(python=sys.executable, answer=how)

    def test_a_missing_server_program_is_named(self):
        text = self.failing(None)
        self.assertIn(str(self.folder / "echo_server"), text)

    def test_a_server_that_ends_at_once_is_an_error_with_its_status(self):
        text = self.failing("#!/bin/sh\nexit 3\n")
        self.assertIn("before it was ready (exit status 3)", text)

    def test_wrong_bytes_are_an_error(self):
        text = self.failing(self.answering("each.send(bytes(c ^ 1 for c in data))"))
        self.assertIn("other bytes", text)

    def test_more_bytes_than_were_sent_are_an_error(self):
        text = self.failing(self.answering("each.send(data + data)"))
        # Which of both is said depends on how the answers are cut.
        self.assertRegex(text, "sent more|other bytes")

    def test_a_closed_connection_is_an_error(self):
        text = self.failing(self.answering("watched.remove(each), each.close()"))
        self.assertIn("the server closed it", text)

    def test_a_missing_answer_is_an_error(self):
        text = self.failing(self.answering("pass"))
        self.assertIn("did not come back", text)

    def test_a_server_that_does_not_end_with_0_is_an_error(self):
        # Python ends by SIGTERM itself.
        text = self.failing(self.answering("each.send(data)"))
        self.assertIn("signal 15", text)


class BadOptionTest(BadOptions, Files):
    CASES = (
        (("--servers", "best"), ("--servers", "'best'", "liburing_link", "epoll")),
        (("--servers", "epoll,"), ("--servers", "''", "epoll")),
        (("--servers", "epoll,epoll"), ("--servers", "'epoll,epoll'", "once")),
        (("--servers",), ("--servers", "missing", "epoll")),
        (("--connections", "0"), ("--connections", "'0'", "1..16384")),
        (("--connections", "16385"), ("--connections", "'16385'", "1..16384")),
        (("--connections", "1,,2"), ("--connections", "''", "1..16384")),
        (("--connections", "5,5"), ("--connections", "'5,5'", "once")),
        (("--depth", "0"), ("--depth", "'0'", "1..1024")),
        (("--depth", "1025"), ("--depth", "'1025'", "1..1024")),
        (("--depth", "1,x"), ("--depth", "'x'", "1..1024")),
        (("--size", "0"), ("--size", "'0'", "1..65536")),
        (("--size", "65537"), ("--size", "'65537'", "1..65536")),
        (("--size", "-1"), ("--size", "'-1'", "1..65536")),
        (("--connections", "16384", "--depth", "1,1024", "--size", "65536"),
         ("--connections, --depth, --size", "'16384 x 1024 x 65536'", "1073741824 bytes")),
        (("--rate", "-1"), ("--rate", "'-1'", "0..100000000")),
        (("--idle", "0"), ("--idle", "'0'", "1..16384")),
        (("--rate", "1e9"), ("--rate", "'1e9'", "0..100000000")),
        (("--plot", "/"), ("--plot", "'/'")),
        (("--depth", "5", "--depth", "6"), ("--depth", "2 times", "once")),
        *bench_program.OF_ROUNDS,
    )

    def test_a_server_that_was_not_built_is_named_with_what_was_missing(self):
        missing = set((*OWN, *LIBRARIES)) - set(built())
        if not missing:
            self.skipTest("all servers were built")
        for name in missing:
            done = run("--servers", name)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f"'{name}' was not built", done.stderr)


if __name__ == "__main__":
    bench_program.main(__doc__)
