#!/usr/bin/env python3
"""The workload of million_tasks in plain asyncio: every task created at once, each waits for a
semaphore. Options and JSON keys are those of million_tasks; the strategy is asyncio_semaphore.
Needs nothing beyond Python 3.11's standard library."""

import argparse
import asyncio
import json
import os
import platform
import re
import resource
import statistics
import sys
import threading
import time

TASKS_MAX = 10_000_000_000
CONCURRENCY_MAX = 16_777_216
QUEUE_MAX = 16_777_216
PAYLOAD_MAX = 1_048_576
SLEEP_MAX_S = 24 * 3600
UNITS_S = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
DURATION_RULE = "0s..24h as a number and a unit: ns, us, ms, s or m"


class Workload:
    """What a task is given, what it makes of it, and the sum that all results must give."""

    def __init__(self, payload_bytes):
        self.payload_bytes = payload_bytes
        self.prefix = ("task" * (payload_bytes // 4 + 1))[:payload_bytes]

    def payload(self, index):
        return f"{self.prefix}_{index}" if self.payload_bytes else index

    def result(self, payload, index):
        if not self.payload_bytes:
            return 3 * index + 1
        return f"result_{'x' * 200}_{index}_{payload[:50]}"

    def digest(self, result):
        """Reads the result: its length, and its index back from its digits."""
        if not self.payload_bytes:
            return result
        return len(result) + 31 * int(result[208 : result.index("_", 208)])

    def expected(self, tasks):
        indices = tasks * (tasks - 1) // 2
        if not self.payload_bytes:
            return 3 * indices + tasks
        total, first, digits = 31 * indices, 0, 1
        while first < tasks:
            end = min(10**digits, tasks)
            taken = min(50, self.payload_bytes + 1 + digits)
            total += (end - first) * (208 + digits + 1 + taken)
            first, digits = end, digits + 1
        return total

    def floor_ns(self):
        """Nanoseconds a task's strings cost in a plain loop: the median of five short rounds."""
        count = 20_000 if self.payload_bytes < 4_096 else 500
        rounds = []
        for _ in range(5):
            total, begin = 0, time.perf_counter()
            for index in range(count):
                total += self.digest(self.result(self.payload(index), index))
            rounds.append((time.perf_counter() - begin) * 1e9 / count)
        return statistics.median(rounds)


class Progress(threading.Thread):
    """A line on the terminal: how far the run is, its pace, memory and CPU."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.run_shown, self.ended = run, threading.Event()

    def run(self):
        tasks, begin = self.run_shown.options.tasks, time.perf_counter()
        then, done_then, cpu_then = begin, 0, time.process_time()
        while not self.ended.wait(0.2):
            now, done, cpu = time.perf_counter(), self.run_shown.completed, time.process_time()
            rate, busy = (done - done_then) / (now - then), 100 * (cpu - cpu_then) / (now - then)
            left = f"{(tasks - done) * (now - begin) / done:.0f} s left" if done else ""
            sys.stderr.write(
                f"\r\033[Kasyncio_semaphore  {100 * done / tasks:.1f} %  {rate:,.0f} tasks/s"
                f"  {left or 'no task has ended yet'}  {resident_bytes() / 2**20:,.1f} MiB"
                f"  CPU {busy:.0f} %"
            )
            sys.stderr.flush()
            then, done_then, cpu_then = now, done, cpu

    def stop(self):
        self.ended.set()
        self.join()
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()


class Run:
    """One run: its tasks, and what they have done so far."""

    def __init__(self, options):
        self.options = options
        self.workload = Workload(options.payload)
        self.completed = self.checksum = self.running = self.max_running = self.created = 0

    def pause_of(self, index):
        straggler = self.options.straggler
        if straggler and index % straggler[1] == straggler[1] - 1:
            return straggler[0]
        return self.options.sleep

    async def work(self, semaphore, payload, index):
        async with semaphore:
            self.running += 1
            self.max_running = max(self.max_running, self.running)
            if pause := self.pause_of(index):
                await asyncio.sleep(pause)
            result = self.workload.result(payload, index)
            self.checksum += self.workload.digest(result)
            self.completed += 1
            self.running -= 1
            return result

    async def main(self):
        semaphore = asyncio.Semaphore(self.options.concurrency)
        tasks = []
        for index in range(self.options.tasks):
            coroutine = self.work(semaphore, self.workload.payload(index), index)
            tasks.append(asyncio.create_task(coroutine))
            self.created = index + 1
        await asyncio.gather(*tasks)

    def measure(self):
        """Returns the figures, and whether the run was interrupted."""
        floor_ns = self.workload.floor_ns()
        rss_before = resident_bytes()
        cpu, begin = time.process_time(), time.perf_counter()
        interrupted = False
        progress = None
        if (self.options.progress or not self.options.quiet) and sys.stderr.isatty():
            progress = Progress(self)
            progress.start()
        # Not asyncio.run: after an interrupt it would cancel a million tasks one by one.
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self.main())
        except KeyboardInterrupt:
            interrupted = True
        wall = time.perf_counter() - begin
        cpu = time.process_time() - cpu
        if progress:
            progress.stop()
        return self.figures(wall, cpu, floor_ns, rss_before), interrupted

    def figures(self, wall_s, cpu_s, floor_ns, rss_before):
        options, done = self.options, self.completed
        right = self.checksum == self.workload.expected(options.tasks)
        figures = {
            "strategy": "asyncio_semaphore",
            "tasks": options.tasks,
            "completed": done,
            "checksum_ok": right if done == options.tasks else None,
            "concurrency": options.concurrency,
            "queue": options.queue,
            "payload_bytes": options.payload,
            "sleep_ms": options.sleep * 1e3,
            "clock": "real",
            "wall_s": wall_s,
            "cpu_s": cpu_s,
            "tasks_per_s": done / wall_s,
            "ns_per_task": wall_s * 1e9 / done if done else 0,
            "floor_ns_per_task": floor_ns,
            "rss_before_bytes": rss_before,
            "rss_peak_bytes": peak_bytes(),
            "max_running": self.max_running,
            "max_queued": self.created,
            "allocations_per_task": None,
            "loop": None,
            "machine": machine(),
        }
        if options.straggler:
            figures["straggler_ms"] = options.straggler[0] * 1e3
            figures["straggler_every"] = options.straggler[1]
        return figures


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def peak_bytes():
    # ru_maxrss may count what the parent held before exec; the kernel's own mark does not.
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1]) * 1024
    except (OSError, TypeError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def machine():
    cpu = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
            if found := re.search(r"model name\s*: (.*)", cpuinfo.read()):
                cpu = found[1]
    except OSError:
        pass
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "compiler": f"{platform.python_implementation()} {platform.python_version()}",
        "flags": "",
    }


def refuse(value, allowed):
    raise argparse.ArgumentTypeError(f"'{value}' is not allowed; allowed: {allowed}")


def count(low, high):
    def parse(value):
        if not re.fullmatch(r"[0-9]{1,20}", value) or not low <= int(value) <= high:
            refuse(value, f"{low}..{high}")
        return int(value)

    return parse


def duration(value):
    """Seconds."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m)", value)
    if value == "0":
        return 0.0
    if not found or float(found[1]) * UNITS_S[found[2]] > SLEEP_MAX_S:
        refuse(value, DURATION_RULE)
    return float(found[1]) * UNITS_S[found[2]]


def straggler(value):
    length, _, every = value.partition(":")
    try:
        parsed = duration(length), count(1, TASKS_MAX)(every)
    except argparse.ArgumentTypeError:
        parsed = (0, 0)
    if not parsed[0]:
        refuse(value, "DURATION:EVERY such as 1s:1000")
    return parsed


def only(allowed):
    def parse(value):
        if value != allowed:
            refuse(value, allowed)
        return value

    return parse


class Once(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        if self.dest in namespace.given:
            parser.error(f"{option_string}: given twice; allowed: once")
        namespace.given.add(self.dest)
        setattr(namespace, self.dest, True if self.nargs == 0 else values)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        text = message.removeprefix("argument ")
        self.exit(2, f"asyncio_baseline.py: {text}\n")


def parse_options(arguments):
    parser = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
        epilog="Example:\n  asyncio_baseline.py --tasks 100000 --sleep 10ms --json out.json",
    )

    def add(name, meta, parse, default, text):
        parser.add_argument(
            name, metavar=meta, type=parse, default=default, help=text, action=Once
        )

    parser.add_argument("--help", action="help", help="print this help and exit")
    add("--strategy", "NAME", only("asyncio_semaphore"), None, "asyncio_semaphore: the only one")
    add("--tasks", "COUNT", count(1, TASKS_MAX), 1_000_000, "default 1000000")
    add("--concurrency", "COUNT", count(1, CONCURRENCY_MAX), 1_000, "default 1000")
    add("--queue", "COUNT", count(0, QUEUE_MAX), 10_000, "written to the JSON; not used here")
    add("--payload", "BYTES", count(0, PAYLOAD_MAX), 400, "0..1048576, default 400")
    add("--sleep", "DURATION", duration, 0.0, "0s, 10ms, 5s, ...; default 0s")
    add("--straggler", "DURATION:EVERY", straggler, None, "one task in EVERY sleeps for DURATION")
    add("--clock", "CLOCK", only("real"), "real", "real: asyncio has no other")
    add("--json", "FILE", str, None, "write the figures as a JSON array of one object")
    parser.add_argument("--quiet", nargs=0, default=False, action=Once, help="print only errors")
    text = "with --quiet: the progress line all the same, on a terminal"
    parser.add_argument("--progress", nargs=0, default=False, action=Once, help=text)
    return parser, parser.parse_args(arguments, argparse.Namespace(given=set()))


def summary(figures):
    if figures["completed"] < figures["tasks"]:
        outcome = f"interrupted after {figures['completed']:,} of {figures['tasks']:,} tasks"
    else:
        outcome = "every result checked" if figures["checksum_ok"] else "RESULTS ARE WRONG"
    return (
        f"asyncio_semaphore: {figures['tasks']:,} tasks, {outcome}\n"
        f"  {figures['wall_s']:.2f} s, {figures['tasks_per_s']:,.0f} tasks/s,"
        f" CPU {figures['cpu_s']:.2f} s, peak memory {figures['rss_peak_bytes'] / 2**20:,.1f} MiB"
    )


def main():
    parser, options = parse_options(sys.argv[1:])
    out = None
    if options.json is not None:
        try:
            out = open(options.json, "w", encoding="utf-8")  # before the run, to fail early
        except OSError as error:
            parser.error(f"--json: '{options.json}' cannot be written ({error.strerror})")
    figures, interrupted = Run(options).measure()
    try:
        if out:
            out.write(json.dumps([figures], indent=2) + "\n")
            out.flush()
        if not options.quiet:
            print(summary(figures), flush=True)
    except OSError as error:
        os.write(2, f"asyncio_baseline.py: {error.strerror}\n".encode())
        os._exit(1)
    # Freeing an interrupted million one by one, each with a complaint, tells nobody anything.
    os._exit(130 if interrupted else 0 if figures["checksum_ok"] else 1)


if __name__ == "__main__":
    main()
