"""Runs weirq as users do, against a private redis-server.

usage: weirq_test.py PROGRAM COMPLETION_FILE MANUAL_PAGE
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))

from private_redis import PrivateRedis, RedisTest  # pylint: disable=wrong-import-position

PROGRAM = sys.argv.pop(1)
COMPLETION = sys.argv.pop(1)
MANUAL_PAGE = pathlib.Path(sys.argv.pop(1))
TIMEOUT_S = 100

COMMANDS = {"bench", "dead", "enqueue", "kill", "ls", "pause", "purge", "resume", "retry", "show",
            "stats", "top", "workers"}


def clean_environment(**more):
    return {**{k: v for k, v in os.environ.items() if k != "WEIR_REDIS_URL"}, **more}


def run(*arguments, text="", **environment):
    return subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False,
                          env=clean_environment(**environment))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


class OptionsTest(unittest.TestCase):
    def assert_refused(self, message, *arguments, **environment):
        done = run(*arguments, **environment)
        self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_bad_options_are_named_with_value_and_range(self):
        self.assert_refused("--limit is '0'; allowed: 1 to 10000", "ls", "--limit", 0)
        self.assert_refused("--limit is '10001'; allowed: 1 to 10000", "dead", "--limit", 10001)
        self.assert_refused("--limit is '5x'; allowed: 1 to 10000", "ls", "--limit", "5x")
        self.assert_refused("--limit is '-1'; allowed: 1 to 10000", "ls", "--limit=-1")
        self.assert_refused("--lane is '4'; allowed: 0 to 3", "enqueue", "t", "--lane", 4)
        self.assert_refused("--delay is '5'; allowed: 0s to 3650d", "enqueue", "t", "--delay", 5)
        self.assert_refused("--interval is '1ms'; allowed: 100ms to 1h", "top", "--interval",
                            "1ms")
        self.assert_refused("STATE is 'lost'; allowed: waiting, running, delayed, dead", "ls",
                            "lost")
        self.assert_refused("WHAT is 'all'; allowed: waiting, dead, everything", "purge", "all")
        self.assert_refused("--format is 'pickle'; allowed: json, raw", "enqueue", "t", "--format",
                            "pickle")
        self.assert_refused("--jobs is '0'; allowed: 1 to 10000000", "bench", "--jobs", 0)
        self.assert_refused("allowed: 1 to 128 bytes", "--queue", "a b", "stats")
        self.assert_refused("either an ID or --all", "retry")
        self.assert_refused("either an ID or --all", "retry", "--all", "1-1.1")
        self.assert_refused("PAYLOAD: ", "enqueue", "t", "{'a': 1}")
        self.assert_refused("TYPE is ''; allowed: 1 to 255 bytes", "enqueue", "")

    def test_unknown_missing_and_repeated_words_are_refused(self):
        self.assert_refused("--lmit", "ls", "--lmit", 5)
        self.assert_refused("--queue", "--queue", "a", "--queue", "b", "stats")
        self.assert_refused("subcommand", "--json")
        self.assert_refused("subcommand", "list")
        self.assert_refused("ID", "show")
        self.assert_refused("--limit", "ls", "--limit")

    def test_bad_addresses_are_named_and_show_no_password(self):
        for url in ("http://:secret@localhost", "redis://:secret@localhost:65536",
                    "redis://:secret@host/x"):
            self.assert_refused("--url: ", "--url", url, "stats")
            self.assert_refused("WEIR_REDIS_URL: ", "stats", WEIR_REDIS_URL=url)
            self.assertNotIn("secret", run("--url", url, "stats").stderr)
        for url in ("unix:///run/redis", "redis://a,b/1", "redis+sentinel://a/m"):
            self.assert_refused("allowed for a cluster: redis://", "--cluster", "--url", url,
                                "stats")
        self.assert_refused("--password-file is '/nowhere'", "--password-file", "/nowhere", "stats")

    def test_a_server_that_does_not_answer_is_one_error(self):
        for url in ("unix:///nowhere/redis", "redis://:secret@127.0.0.1:1"):
            for command in (["stats"], ["top"], ["enqueue", "t"], ["purge", "dead"]):
                done = run("--url", url, *command)
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                self.assertTrue(done.stderr.startswith("weirq: "), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertNotIn("secret", done.stderr)

    def test_help_names_all_commands_and_each_its_options(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for name in COMMANDS:
            self.assertIn(f"\n  {name} ", done.stdout)
            self.assertEqual(run(name, "--help").returncode, 0)
        self.assertRegex(run("--version").stdout, r"^weirq [0-9.]+\n$")


class CompletionTest(unittest.TestCase):
    def complete(self, *words):
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weirq; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", COMPLETION, "weirq", *words],
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_commands_and_their_words_are_completed(self):
        self.assertEqual({word for word in self.complete("") if word[0] != "-"}, COMMANDS)
        self.assertEqual(self.complete("st"), {"stats"})
        self.assertEqual(self.complete("ls", "d"), {"delayed", "dead"})
        self.assertEqual(self.complete("--queue", "dead", "p"), {"pause", "purge"})
        self.assertEqual(self.complete("enqueue", "t", "--format", ""), {"json", "raw"})

    def test_what_is_completed_is_an_option(self):
        for name in COMMANDS:
            text = run(name, "--help").stdout + run("--help").stdout
            for word in self.complete(name, "--"):
                self.assertIn(word, text, name)


class ManualPageTest(unittest.TestCase):
    def test_it_has_the_options_and_commands_of_the_help_and_no_others(self):
        page = MANUAL_PAGE.read_text(encoding="utf-8").replace("\\-", "-")
        page = re.sub(r"\\f[BIR]", "", page)
        helps = run("--help").stdout + "".join(run(name, "--help").stdout for name in COMMANDS)
        option = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
        self.assertEqual(set(option.findall(page)), set(option.findall(helps)))
        for name in COMMANDS:
            self.assertRegex(page, rf'(?m)^(\.B[RI]? )?(pause ", " )?{name}\b')

    @unittest.skipIf(shutil.which("groff") is None, "groff is not installed")
    def test_it_is_set_without_a_warning(self):
        done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-z", str(MANUAL_PAGE)],
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        self.assertEqual(done.stderr, "")


class WeirqTest(RedisTest):
    def weirq(self, *arguments, status=0, **more):
        done = run(*arguments, WEIR_REDIS_URL=self.redis.url, **more)
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done

    def json(self, *arguments, **more):
        return json.loads(self.weirq(*arguments, "--json", **more).stdout)

    def enqueue(self, *arguments, **more):
        return self.json("enqueue", *arguments, **more)["id"]

    def bury(self, job):
        """As a worker does that gives a job up."""
        entry = job.rsplit(".", 1)[0]
        envelope = self.redis.command("XRANGE", "weir:{default}:s1", entry, entry)[0][1][1]
        self.redis.command("XDEL", "weir:{default}:s1", entry)
        self.redis.command("ZADD", "weir:{default}:dead", "1795380296359", job)
        self.redis.command("HSET", "weir:{default}:d", job, envelope)

    def test_a_job_is_enqueued_listed_shown_and_killed(self):
        job = self.enqueue("thumbnail", '{"url": "a.png"}')
        (listed,) = self.json("ls")
        self.assertEqual((listed["id"], listed["state"], listed["type"], listed["lane"]),
                         (job, "waiting", "thumbnail", 1))
        self.assertNotIn("payload", listed)
        shown = self.json("show", job)
        self.assertEqual((shown["payload"], shown["format"], shown["history"]),
                         ('{"url": "a.png"}', "json", []))
        for text in (self.weirq("show", job).stdout, self.weirq("ls").stdout):
            self.assertIn(job, text)
            self.assertIn("thumbnail", text)
        self.assertEqual(self.json("kill", job)["outcome"], "removed")
        self.assertEqual(self.json("ls"), [])
        for command in ("kill", "show"):
            self.assertIn(job, self.weirq(command, job, status=1).stderr)

    def test_lanes_delays_and_unique_keys(self):
        self.enqueue("t", "1", "--lane", 3, "--queue", "mail")
        later = self.enqueue("t", "2", "--delay", "1h", "--queue", "mail", "--unique", "user 7")
        again = self.json("enqueue", "t", "--queue", "mail", "--unique", "user 7")
        self.assertEqual((again["id"], again["duplicate"]), (later, True))
        counts = self.json("stats", "--queue", "mail")
        self.assertEqual((counts["lanes"], counts["waiting"], counts["delayed"]),
                         ([0, 0, 0, 1], 1, 1))
        (delayed,) = self.json("ls", "delayed", "--queue", "mail")
        self.assertEqual(delayed["id"], later)
        self.assertRegex(self.weirq("ls", "delayed", "--queue", "mail").stdout, r"due 20\d\d-")
        self.assertEqual(self.json("stats")["waiting"], 0)
        self.enqueue("t")
        self.assertEqual([one["queue"] for one in self.json("stats", "--all")],
                         ["default", "mail"])

    def test_a_payload_may_be_raw_and_come_from_standard_input(self):
        job = self.enqueue("t", "-", "--format", "raw", text="no JSON\x1b\n")
        self.assertEqual(self.json("show", job)["payload"], "no JSON\x1b\n")
        self.assertIn(r"no JSON\x1b\x0a", self.weirq("show", job).stdout)
        self.weirq("enqueue", "t", "-", status=2, text="no JSON")

    def test_dead_jobs_are_listed_and_retried(self):
        jobs = [self.enqueue("t", str(i)) for i in range(3)]
        for job in jobs:
            self.bury(job)
        self.assertEqual({one["id"] for one in self.json("dead")}, set(jobs))
        self.assertEqual(len(self.json("dead", "--limit", 2)), 2)
        self.assertEqual(self.json("ls", "dead"), self.json("dead"))
        self.assertEqual(self.json("retry", jobs[0])["retried"], 1)
        self.assertIn("no dead job", self.weirq("retry", jobs[0], status=1).stderr)
        self.assertEqual(self.json("retry", "--all")["retried"], 2)
        self.assertEqual(self.json("dead"), [])
        self.assertEqual(self.json("stats")["waiting"], 3)

    def test_pause_and_resume(self):
        self.assertEqual(self.json("pause")["paused"], True)
        self.assertEqual(self.json("stats")["paused"], True)
        self.assertIn("(paused)", self.weirq("stats").stdout)
        self.weirq("resume")
        self.assertEqual(self.json("stats")["paused"], False)

    def test_purge_asks_first(self):
        self.enqueue("t")
        self.enqueue("t", "--delay", "1h")
        self.bury(self.enqueue("t"))
        for answer in ("", "n\n", "Yes please\n"):
            done = self.weirq("purge", "everything", status=1, text=answer)
            self.assertIn("1 waiting and 1 delayed and 1 dead jobs for good?", done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertEqual(self.json("purge", "dead", "--yes")["removed"], 1)
        self.assertEqual(self.json("purge", "waiting", text="y\n")["removed"], 2)
        counts = self.json("stats")
        self.assertEqual((counts["waiting"], counts["delayed"], counts["dead"]), (0, 0, 0))

    def test_workers_are_listed_with_what_they_run(self):
        self.assertEqual(self.json("workers"), [])
        self.enqueue("t")
        self.redis.command("XGROUP", "CREATE", "weir:{default}:s1", "w", "0")
        self.redis.command("ZADD", "weir:{default}:w", "9999999999999", "w.one")
        self.redis.command("HSET", "weir:{default}:i", "w.one", '{"pid":7}')
        self.redis.command("XREADGROUP", "GROUP", "w", "w.one", "STREAMS", "weir:{default}:s1",
                           ">")
        (one,) = self.json("workers")
        self.assertEqual((one["name"], one["running"], one["info"]), ("w.one", 1, {"pid": 7}))
        self.assertGreater(one["lease_left_ms"], 0)
        (job,) = self.json("ls", "running")
        self.assertEqual((job["worker"], job["deliveries"]), ("w.one", 1))
        self.assertEqual(self.json("kill", job["id"])["outcome"], "asked")

    def test_top_prints_rounds_until_it_is_interrupted(self):
        done = self.weirq("top", "--json", "--count", 2, "--interval", "100ms")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["done_per_s"] for line in lines], [0, 0])
        with subprocess.Popen([PROGRAM, "top", "--url", self.redis.url], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=clean_environment()) as live:
            self.assertEqual(live.stdout.readline(), "default\n")
            live.send_signal(signal.SIGINT)
            _, errors = live.communicate(timeout=TIMEOUT_S)
            self.assertEqual((live.returncode, errors), (0, ""))

    def test_bench_leaves_nothing_behind(self):
        self.enqueue("t")
        before = self.redis.command("DBSIZE")
        got = self.json("bench", "--jobs", 3000, "--payload", 10)
        for key in ("submit_one_jobs_per_s", "submit_bulk_jobs_per_s", "drain_jobs_per_s"):
            self.assertGreater(got[key], 0)
        self.assertIn("drain", self.weirq("bench", "--jobs", 1).stdout)
        self.assertEqual(self.redis.command("DBSIZE"), before)

    def test_a_password_comes_from_a_file(self):
        server = PrivateRedis("--requirepass", "s@cret")
        self.addCleanup(server.close)
        path = pathlib.Path(server.folder) / "password"
        for text, status in (("s@cret\n", 0), ("wr0ng\n", 1)):
            path.write_text(text, encoding="ascii")
            done = run("--url", server.url, "--password-file", path, "stats")
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertNotIn(text.strip(), done.stderr + done.stdout)
        self.assertEqual(run("--url", server.url, "stats").returncode, 1)

    def test_a_cluster_of_one_node_is_served(self):
        port = free_port()
        server = PrivateRedis("--port", port, "--cluster-enabled", "yes", "--cluster-port",
                              free_port())
        self.addCleanup(server.close)
        server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        url = f"redis://127.0.0.1:{port}"
        while server.command("CLUSTER", "INFO").find("cluster_state:ok") < 0:
            time.sleep(0.01)
        for words in (["enqueue", "t", "1"], ["stats", "--all"], ["bench", "--jobs", 100]):
            done = run("--cluster", "--url", url, *words)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_key_of_another_kind_is_one_error(self):
        self.redis.command("SET", "weir:{default}:s1", "x")
        done = self.weirq("stats", status=1)
        self.assertIn("WRONGTYPE", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
