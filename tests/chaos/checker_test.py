#!/usr/bin/python3
"""The checker and the plan of the chaos run: whatever goes wrong with a job is seen."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checker import check_folder, problems_of  # noqa: E402
from plan import MEAN_INTERVAL_S, make_plan  # noqa: E402
from queue_state import last_reason, token_in  # noqa: E402

MS = 1_000_000
SOUND = {
    "p0-1": [(10, "B", "", "", ""), (20, "T", "a", "plain", "0"), (25, "A", "a", "1-0.1", ""),
             (30, "T", "b", "delayed", "100"), (35, "A", "b", "2-0.d", ""),
             (40, "T", "c", "plain", "0"), (45, "E", "c", "", "connection lost"),
             (50, "T", "d", "safe", "0"), (55, "A", "d", "3-0.1", ""),
             (60, "T", "e", "plain", "0"), (65, "N", "e", "", "OOM")],
    "w0-2": [(10, "B", "", "", ""), (30, "S", "a", "1-0.1", "1 0"), (40, "D", "a", "1-0.1", ""),
             (70, "S", "d", "3-0.1", "1 0")],
    "w1-3": [(135, "S", "b", "2-0.d", "1 0"), (140, "F", "b", "2-0.d", "on purpose"),
             (240, "S", "b", "2-0.d", "2 0"), (250, "D", "b", "2-0.d", ""),
             (1580, "S", "d", "3-0.1", "1 1"), (1590, "D", "d", "3-0.1", "")],
}
EVENTS = [{"t": 81 * MS, "at": 80 * MS, "event": "kill", "actor": "w0-2", "held": ["d"]}]
STATE = {"queued": [], "dead": [], "strays": 0}
# A worker is stopped in a job, which another one does.
STOPPED = {
    "w2-4": [(300, "S", "c", "4-0.1", "1 0"), (320, "C", "c", "4-0.1", "")],
    "w1-3": [(400, "S", "c", "4-0.1", "1 0"), (410, "D", "c", "4-0.1", "")],
}


class CheckerTest(unittest.TestCase):
    def check(self, more=None, without=(), events=(), state=None):
        """The report of a sound run with lines more, and without those of these tokens."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for actor in {*SOUND, *(more or {})}:
                lines = [line for line in SOUND.get(actor, [])
                         if (line[1], line[2]) not in without] + (more or {}).get(actor, [])
                text = "".join(f"{line[0] * MS}\t" + "\t".join(line[1:]) + "\n" for line in lines)
                (folder / f"{actor}.journal").write_text(text)
            (folder / "events.jsonl").write_text(
                "".join(json.dumps(event) + "\n" for event in [*EVENTS, *events]))
            (folder / "state.json").write_text(json.dumps({**STATE, **(state or {})}))
            return check_folder(folder)

    def assert_unexpected(self, report, text):
        self.assertTrue(any(text in line for line in report.unexpected), report.unexpected)
        self.assertTrue(any(text in line for line in problems_of(report, 1.5)))

    def test_sound_run_passes(self):
        report = self.check()
        self.assertEqual((report.lost, report.unexpected), ([], []))
        figures = report.figures
        self.assertEqual(figures["submitted"], 5)
        self.assertEqual(figures["acknowledged"], 3)
        self.assertEqual(figures["done"], 3)
        self.assertEqual(figures["kills"], 1)
        self.assertEqual(figures["duplicates"], 1)
        self.assertEqual(figures["in_flight_at_kills"], 1)
        self.assertEqual(figures["recovery_p99_s"], 1.5)
        self.assertEqual(problems_of(report, 1.5), [])

    def test_lost_job_is_seen(self):
        report = self.check(without=[("S", "a"), ("D", "a")])
        self.assertEqual(report.lost, ["a"])
        self.assertEqual(problems_of(report, 1.5), ["lost: a"])

    def test_job_that_started_and_never_ended_is_lost(self):
        self.assertEqual(self.check(without=[("D", "a")]).lost, ["a"])

    def test_queued_job_is_not_lost(self):
        report = self.check(without=[("S", "a"), ("D", "a")],
                            state={"queued": [{"token": "a", "id": "1-0.1"}]})
        self.assertEqual(report.lost, [])

    def test_dead_job_needs_its_reason(self):
        dead = {"token": "a", "id": "1-0.1", "reason": "chaos: hopeless"}
        gone = [("D", "a")]
        report = self.check(without=gone, state={"dead": [dead]})
        self.assertEqual((report.lost, report.unexpected), ([], []))
        report = self.check(without=gone, state={"dead": [{**dead, "reason": ""}]})
        self.assertEqual(report.lost, ["a"])
        self.assert_unexpected(report, "dead without a reason")
        report = self.check(without=gone, state={"dead": [{**dead, "reason": "damaged envelope"}]})
        self.assert_unexpected(report, "a is dead: damaged envelope")

    def test_duplicate_beyond_the_kills_is_seen(self):
        report = self.check({"w1-3": [(2000, "S", "a", "1-0.1", "1 0"),
                                      (2010, "D", "a", "1-0.1", "")]})
        self.assertEqual(report.figures["duplicates"], 2)
        self.assertEqual(report.figures["done_twice"], 1)
        self.assertEqual(len(problems_of(report, 1.5)), 1)
        self.assertIn("2 duplicates", problems_of(report, 1.5)[0])

    def test_job_handed_back_is_no_duplicate(self):
        report = self.check(STOPPED, events=[{"t": 310 * MS, "event": "terminate",
                                              "actor": "w2-4"}])
        self.assertEqual(report.figures["duplicates"], 1)

    def test_job_stopped_by_a_lost_lease_is_a_duplicate(self):
        self.assertEqual(self.check(STOPPED).figures["duplicates"], 2)

    def test_submit_that_became_two_jobs_is_seen(self):
        report = self.check({"w1-3": [(300, "S", "d", "9-0.1", "1 0"),
                                      (310, "D", "d", "9-0.1", "")]})
        self.assert_unexpected(report, "d (safe) is several jobs")

    def test_job_that_nobody_submitted_is_seen(self):
        report = self.check({"w1-3": [(300, "S", "x", "9-0.1", "1 0")]})
        self.assert_unexpected(report, "'x' was never submitted")
        report = self.check(state={"queued": [{"token": "y", "id": "9-0.1"}]})
        self.assert_unexpected(report, "'y' was never submitted")

    def test_refused_job_that_runs_is_seen(self):
        report = self.check({"w1-3": [(300, "S", "e", "9-0.1", "1 0")]})
        self.assert_unexpected(report, "e (plain) was refused")

    def test_delayed_job_that_starts_early_is_seen(self):
        report = self.check({"w2-4": [(120, "S", "b", "2-0.d", "1 0")]})
        self.assert_unexpected(report, "b started 0.005 s early")

    def test_actor_that_ends_by_itself_is_seen(self):
        end = {"t": 1, "event": "exit", "actor": "w1-3", "code": -6, "text": "assertion"}
        report = self.check(events=[{**end, "excused": False}])
        self.assert_unexpected(report, "w1-3 ended with -6: assertion")
        self.assertEqual(self.check(events=[{**end, "excused": True}]).unexpected, [])

    def test_queue_that_does_not_run_empty_is_seen(self):
        report = self.check(events=[{"t": 1, "event": "drained", "left": 3}])
        self.assert_unexpected(report, "3 jobs were left")

    def test_damaged_journal_is_seen(self):
        self.assert_unexpected(self.check({"w1-3": [(300, "S", "a")]}), "cannot be read")
        self.assert_unexpected(self.check({"p0-1": [(300, "A", "a", "1-0.1", "")]}),
                               "a second outcome")

    def test_records_left_behind_are_seen(self):
        self.assert_unexpected(self.check(state={"strays": 2}), "2 records in Redis")

    def test_slow_recovery_is_seen(self):
        report = self.check()
        self.assertEqual(len(problems_of(report, 0.4)), 1)
        self.assertIn("recovery_p99_s is 1.5", problems_of(report, 0.4)[0])

    def test_time_without_redis_is_no_recovery(self):
        report = self.check(events=[{"t": 100 * MS, "event": "redis_away", "kill": True},
                                    {"t": 600 * MS, "event": "redis_back"}])
        self.assertEqual(report.figures["recovery_p99_s"], 1.0)

    def test_kill_while_redis_is_away_counts_what_was_not_told(self):
        report = self.check({"w2-4": [(1600, "S", "c", "4-0.1", "1 0"),
                                      (1620, "D", "c", "4-0.1", "")],
                             "w1-3": [(3200, "S", "c", "4-0.1", "1 1"),
                                      (3210, "D", "c", "4-0.1", "")]},
                            events=[{"t": 1610 * MS, "event": "redis_away", "kill": True},
                                    {"t": 1640 * MS, "event": "kill", "actor": "w2-4",
                                     "at": 1640 * MS, "held": None},
                                    {"t": 1700 * MS, "event": "redis_back"}])
        self.assertEqual(report.figures["in_flight_at_kills"], 2)
        self.assertEqual(report.figures["duplicates"], 2)


class PlanTest(unittest.TestCase):
    def test_seed_makes_the_plan(self):
        self.assertEqual(make_plan(7, 30, 1.5), make_plan(7, 30, 1.5))
        self.assertNotEqual(make_plan(7, 30, 1.5), make_plan(8, 30, 1.5))

    def test_short_run_has_every_fault_and_ten_kills_in_half_a_minute(self):
        for seed in range(50):
            kinds = [step.kind for step in make_plan(seed, 12, 1.5)]
            self.assertEqual(set(kinds), set(MEAN_INTERVAL_S))
            kills = [step for step in make_plan(seed, 30, 1.5) if step.kind == "kill"]
            self.assertGreater(len(kills), 15)

    def test_short_plan_begins_a_long_one(self):
        short = [step for step in make_plan(3, 12, 1.5) if step.at_s < 10]
        long = [step for step in make_plan(3, 60, 1.5) if step.at_s < 10]
        self.assertEqual(short, long)


class EnvelopeTest(unittest.TestCase):
    def test_last_reason_is_found(self):
        history = b"1\t5\tw0-1.x\tfirst\n2\t9\tw0-1.x\tchaos: hopeless\n"
        fields = b"a\x011" + b"h" + bytes([len(history)]) + history
        envelope = b"\x01\x05\x05order" + bytes([len(fields)]) + fields + b'{"token":"p.1"}'
        self.assertEqual(last_reason(envelope), "chaos: hopeless")
        self.assertEqual(token_in(envelope), "p.1")
        self.assertEqual(last_reason(b"\x01\x01\x05order{}"), "")
        self.assertEqual(last_reason(envelope[:12]), "")


if __name__ == "__main__":
    unittest.main()
