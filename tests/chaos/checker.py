#!/usr/bin/python3
"""Judges a chaos run from what it left: journals, events.jsonl, state.json. Touches no server.

usage: checker.py FOLDER

Every acknowledged submit has to be done, still queued, or dead with a reason. Counted as a
duplicate is each start of an attempt that had been started before, but for those that a worker
handed back in order. Unexpected is what a queue must not do at all: see Run.find_unexpected.
"""

import collections
import dataclasses
import json
import math
import pathlib
import sys

# A delayed job's due time is on the server's clock, its milliseconds rounded down.
EARLY_NS = 5_000_000
HOPELESS = "chaos: hopeless"
QUARANTINED = "quarantined: "


@dataclasses.dataclass
class Submit:
    at: int
    how: str
    delay_ms: int
    outcome: str = ""  # A acknowledged, N not queued, E unknown, empty: its producer was killed
    job: str = ""


@dataclasses.dataclass
class Start:
    at: int
    actor: str
    job: str
    attempt: int


@dataclasses.dataclass
class Report:
    figures: dict
    unexpected: list
    lost: list


class Run:
    """All that was told of a run."""

    def __init__(self):
        self.submits = {}
        self.starts = collections.defaultdict(list)
        self.ends = collections.defaultdict(list)  # token: (at, actor, letter)
        self.lease_losses = 0
        self.events = []
        self.queued = []
        self.dead = []
        self.left = 0
        self.unexpected = []

    # -- reading -------------------------------------------------------------------------------

    def read_line(self, actor, line):
        fields = line.rstrip("\n").split("\t")
        if not line.endswith("\n") or len(fields) != 5:
            raise ValueError("not five fields and an end")
        at, letter, token, second, text = int(fields[0]), *fields[1:]
        if letter == "T":
            if token in self.submits:
                raise ValueError("a token for the second time")
            self.submits[token] = Submit(at, second, int(text))
        elif letter in "ANE":
            submit = self.submits[token]
            if submit.outcome:
                raise ValueError("a second outcome")
            submit.outcome, submit.job = letter, second
        elif letter == "S":
            self.starts[token].append(Start(at, actor, second, int(text.split()[0])))
        elif letter in "DFC":
            self.ends[token].append((at, actor, letter))
        elif letter == "R":
            self.lease_losses += "lease lost" in text
        elif letter not in "BX":
            raise ValueError("an unknown letter")

    def read_journal(self, path):
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                try:
                    self.read_line(path.stem, line)
                except (ValueError, KeyError, IndexError) as problem:
                    self.unexpected.append(f"{path.name}:{number}: cannot be read: {problem!r}")

    def read_folder(self, folder):
        for path in sorted(folder.glob("*.journal")):
            self.read_journal(path)
        for starts in self.starts.values():
            starts.sort(key=lambda start: start.at)
        with open(folder / "events.jsonl", encoding="utf-8") as file:
            self.events = [json.loads(line) for line in file]
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        self.queued, self.dead, strays = state["queued"], state["dead"], state["strays"]
        if strays:
            self.unexpected.append(f"{strays} records in Redis of jobs that are gone")

    # -- judging -------------------------------------------------------------------------------

    def of_kind(self, *kinds):
        return [event for event in self.events if event["event"] in kinds]

    def done(self):
        return {token for token, ends in self.ends.items() if any(end[2] == "D" for end in ends)}

    def lost(self):
        """Tokens that were acknowledged and are nowhere."""
        kept = self.done() | {job["token"] for job in self.queued} | \
            {job["token"] for job in self.dead if job["reason"]}
        return sorted(token for token, submit in self.submits.items()
                      if submit.outcome == "A" and token not in kept)

    def duplicates(self):
        terminated = {event["actor"]: event["t"] for event in self.of_kind("terminate")}
        count = 0
        for token, starts in self.starts.items():
            handed_back = sum(letter == "C" and at >= terminated.get(actor, math.inf)
                              for at, actor, letter in self.ends[token])
            distinct = len({(start.job, start.attempt) for start in starts})
            count += max(0, len(starts) - distinct - handed_back)
        return count

    def find_unexpected(self):
        """Appends to `unexpected`, a line each."""
        note = self.unexpected.append
        seen = collections.defaultdict(set)  # token: ids
        for token, starts in self.starts.items():
            seen[token] |= {start.job for start in starts}
        for job in self.queued + self.dead:
            seen[job["token"]].add(job["id"])
        for token, submit in self.submits.items():
            if submit.outcome == "A" and submit.job != "-":
                seen[token].add(submit.job)
            elif submit.outcome == "N" and token in seen:
                note(f"{token} ({submit.how}) was refused, and is there: {sorted(seen[token])}")
            due = submit.at + submit.delay_ms * 1_000_000 - EARLY_NS
            if token in self.starts and self.starts[token][0].at < due:
                note(f"{token} started {(due - self.starts[token][0].at) / 1e9:.3f} s early")
        for token, ids in seen.items():
            if token not in self.submits:
                note(f"'{token}' was never submitted: {sorted(ids)}")
            elif len(ids) > 1:
                note(f"{token} ({self.submits[token].how}) is several jobs: {sorted(ids)}")
        done = self.done()
        for job in self.dead:
            reason = job["reason"]
            if not reason:
                note(f"{job['token']} is dead without a reason")
            elif not reason.startswith((HOPELESS, QUARANTINED)):
                note(f"{job['token']} is dead: {reason}")
            elif reason.startswith(HOPELESS) and job["token"] in done:
                note(f"{job['token']} is done, and dead: {reason}")
        for event in self.of_kind("exit"):
            if not event["excused"]:
                note(f"{event['actor']} ended with {event['code']}: {event['text']}")
        for event in self.of_kind("drained"):
            if event["left"]:
                note(f"{event['left']} jobs were left when the queue was to run empty")

    # -- kills ---------------------------------------------------------------------------------

    def unavailable(self):
        """Spans of time without a Redis."""
        spans = []
        for event in self.of_kind("redis_away", "redis_back"):
            if event["event"] == "redis_away":
                spans.append([event["t"], math.inf])
            elif spans:
                spans[-1][1] = event["t"]
        return spans

    def unfinished(self, actor, at, since):
        """Tokens that this actor had started by `at` and not ended by `since`."""
        return {token for token, starts in self.starts.items()
                if any(start.actor == actor and start.at <= at for start in starts)
                and not any(end[1] == actor and end[0] <= since for end in self.ends[token])}

    def held_at(self, event, spans):
        """Tokens of the jobs that Redis took for this actor's when it was killed or stopped."""
        if event["held"] is not None:
            return set(event["held"])
        # Redis was away: what ended meanwhile could not be told.
        gone = [begin for begin, end in spans if begin <= event["at"] <= end]
        return self.unfinished(event["actor"], event["at"], gone[0] if gone else event["at"])

    def started_by(self, token, actor, until):
        return any(start.actor == actor and start.at <= until
                   for start in self.starts.get(token, []))

    def in_flight_at_kills(self, spans):
        """Jobs that had been started by whom a kill or a long stop struck, and were not settled;
        each kill of Redis strikes all workers."""
        count = 0
        for event in self.of_kind("kill", "stop"):
            count += sum(self.started_by(token, event["actor"], event["at"])
                         for token in self.held_at(event, spans))
        actors = {start.actor for starts in self.starts.values() for start in starts}
        gone = {event["actor"]: event["at"] for event in self.of_kind("kill")}
        running = self.running_spans()
        for event in self.of_kind("redis_killed"):
            at = event["t"]
            alive = {actor for actor in actors if gone.get(actor, math.inf) > at}
            count += sum(begin <= at < end and actor in alive for begin, end, actor in running)
        return count

    def running_spans(self):
        """(from, to, actor) of each run."""
        spans = []
        for token, starts in self.starts.items():
            for start in starts:
                ends = [end[0] for end in self.ends[token]
                        if end[1] == start.actor and end[0] >= start.at]
                spans.append((start.at, min(ends, default=math.inf), start.actor))
        return spans

    def recoveries(self, spans):
        """Seconds from each kill until each job in flight was started elsewhere, time without Redis
        left out. A job that fell to another victim before is that one's."""
        struck = [(event["at"], event, self.held_at(event, spans))
                  for event in self.of_kind("kill", "stop")]
        by_token = collections.defaultdict(list)
        for at, _, held in struck:
            for token in held:
                by_token[token].append(at)
        found = []
        for at, event, held in struck:
            if event["event"] != "kill":
                continue
            for token in held:
                if not self.started_by(token, event["actor"], at):
                    continue
                again = [start.at for start in self.starts[token]
                         if start.at > at and start.actor != event["actor"]]
                if not again or any(at < other < again[0] for other in by_token[token]):
                    continue
                away = sum(max(0, min(end, again[0]) - max(begin, at)) for begin, end in spans)
                found.append((again[0] - at - away) / 1e9)
        return sorted(found)

    def report(self):
        self.find_unexpected()
        lost = self.lost()
        spans = self.unavailable()
        recoveries = self.recoveries(spans)
        outcomes = collections.Counter(submit.outcome for submit in self.submits.values())
        done = self.done()
        figures = {
            "kills": len(self.of_kind("kill")),
            "redis_kills": len(self.of_kind("redis_killed")),
            "submitted": len(self.submits),
            "acknowledged": outcomes["A"],
            "done": len(done),
            "dead": len(self.dead),
            "queued": len(self.queued),
            "lost": len(lost),
            "unexpected": len(self.unexpected),
            "duplicates": self.duplicates(),
            "done_twice": sum(sum(end[2] == "D" for end in ends) > 1
                              for ends in self.ends.values()),
            "in_flight_at_kills": self.in_flight_at_kills(spans),
            "recovered": len(recoveries),
            "recovery_p50_s": percentile(recoveries, 0.5),
            "recovery_p99_s": percentile(recoveries, 0.99),
            "recovery_max_s": percentile(recoveries, 1),
            "leases_lost": self.lease_losses,
            "quarantined": sum(job["reason"].startswith(QUARANTINED) for job in self.dead),
            "refused": outcomes["N"],
            "unsure": outcomes["E"] + outcomes[""],
        }
        for kind in ("stop", "pause", "terminate", "kill_producer", "flush_scripts", "memory_full",
                     "move_clock", "blackhole"):
            figures[kind] = len(self.of_kind(kind))
        return Report(figures, self.unexpected, lost)


def percentile(values, share):
    """Of sorted values; 0 of none."""
    if not values:
        return 0.0
    return round(values[max(0, math.ceil(share * len(values)) - 1)], 3)


def check_folder(folder):
    run = Run()
    run.read_folder(pathlib.Path(folder))
    return run.report()


def problems_of(report, lease_s):
    """What is wrong with a run, a line each."""
    figures = report.figures
    problems = [f"lost: {token}" for token in report.lost[:20]]
    problems += [f"unexpected: {text}" for text in report.unexpected[:20]]
    if figures["duplicates"] > figures["in_flight_at_kills"]:
        problems.append(f"{figures['duplicates']} duplicates; allowed: the jobs in flight at the "
                        f"kills, {figures['in_flight_at_kills']}")
    if figures["recovery_p99_s"] > lease_s + 1:
        problems.append(f"recovery_p99_s is {figures['recovery_p99_s']}; allowed: the lease and a "
                        f"second, {lease_s + 1:g}")
    return problems


def main(arguments):
    if len(arguments) != 1 or not pathlib.Path(arguments[0], "events.jsonl").is_file():
        print(__doc__, file=sys.stderr)
        return 2
    report = check_folder(arguments[0])
    print(json.dumps(report.figures, indent=1))
    for token in report.lost:
        print(f"lost: {token}")
    for text in report.unexpected:
        print(f"unexpected: {text}")
    return 1 if report.lost or report.unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
