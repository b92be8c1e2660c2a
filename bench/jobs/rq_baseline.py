#!/usr/bin/env python3
"""What bench/jobs measures of RQ (Debian: python3-rq), one phase a call.

usage: rq_baseline.py --check
       rq_baseline.py PHASE SOCKET NUMBER [RATE or SECONDS]

--check prints the version, or one line that says what is missing, and ends with 1.
PHASE is submit_one (for NUMBER seconds), submit_bulk (of NUMBER jobs), drain (of NUMBER jobs that
wait, or what is done of them in SECONDS) or steady (NUMBER jobs, RATE of them due a second, by a
producer in a process of its own). What was measured is one JSON object on stdout: jobs, jobs_per_s,
cpu_ns (a job), rss_bytes, and p50_us and p99_us where there are any; or `error`.

The worker is rq.SimpleWorker, which runs jobs in its own process: the fork a job of rq.Worker takes
longer than everything else. No results are kept.
"""

import json
import os
import resource
import sys
import time

import rq_job

try:
    import redis
    import rq
except ImportError as error:
    print(f"{sys.executable} has no module {error.name} (Debian: python3-rq)")
    sys.exit(1)

PAYLOAD = "p" * 100
QUEUE = "bench"
BATCH = 1_000
LOOK_EVERY = 20  # jobs that a drain runs before it looks at the clock
SETTLING_SHARE = 0.1


class Meter:
    """Wall time and CPU of this process from here on."""

    def __init__(self):
        self.began = time.monotonic()
        self.cpu = time.process_time()

    def elapsed(self):
        return time.monotonic() - self.began

    def figures(self, jobs):
        wall = self.elapsed()
        cpu = time.process_time() - self.cpu
        found = {
            "jobs": jobs, "jobs_per_s": jobs / wall, "cpu_ns": cpu * 1e9 / jobs,
            "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        if rq_job.latencies:
            ordered = sorted(rq_job.latencies)
            for name, share in (("p50_us", 0.5), ("p99_us", 0.99)):
                found[name] = ordered[int(share * (len(ordered) - 1))] / 1e3
        return found


def queue_on(path):
    connection = redis.Redis(unix_socket_path=path)
    return rq.Queue(QUEUE, connection=connection)


def submit_one(path, seconds):
    queue = queue_on(path)
    jobs = 0
    meter = Meter()
    while meter.elapsed() < float(seconds):
        began = time.monotonic_ns()
        queue.enqueue(rq_job.task, 0, PAYLOAD, result_ttl=0)
        rq_job.latencies.append(time.monotonic_ns() - began)
        jobs += 1
    return meter.figures(jobs)


def submit_bulk(path, count):
    queue = queue_on(path)
    meter = Meter()
    for first in range(0, int(count), BATCH):
        batch = min(BATCH, int(count) - first)
        queue.enqueue_many([rq.Queue.prepare_data(rq_job.task, (0, PAYLOAD), result_ttl=0)
                            for _ in range(batch)])
    return meter.figures(int(count))


def work(queue, count):
    """Until so many jobs have run."""
    worker = rq.SimpleWorker([queue], connection=queue.connection)
    worker.work(max_jobs=count, logging_level="ERROR")


def drain(path, count, seconds):
    queue = queue_on(path)
    left = int(count)
    meter = Meter()
    while left and meter.elapsed() < float(seconds):
        part = min(left, LOOK_EVERY)
        work(queue, part)
        left -= part
    found = meter.figures(int(count) - left)
    if queue.count != left:
        raise RuntimeError(f"the worker has left {queue.count} jobs instead of {left}")
    return found


def produce(path, began, count, gap):
    """Submits when due, however late it is."""
    queue = queue_on(path)
    for number in range(count):
        due = began + number * gap
        if (early := due - time.monotonic_ns()) > 0:
            time.sleep(early / 1e9)
        queue.enqueue(rq_job.task, due, PAYLOAD, result_ttl=0)


def steady(path, count, rate):
    count = int(count)
    gap = int(1e9 / float(rate))
    began = time.monotonic_ns() + 200_000_000  # both are connected then
    producer = os.fork()
    if producer == 0:
        try:
            produce(path, began, count, gap)
        finally:
            os._exit(0)
    rq_job.sampled_from = began + int(count * SETTLING_SHARE) * gap
    meter = Meter()
    work(queue_on(path), count)
    found = meter.figures(count)
    found["jobs_per_s"] = count / ((time.monotonic_ns() - began) / 1e9)
    os.waitpid(producer, 0)
    return found


PHASES = {"submit_one": submit_one, "submit_bulk": submit_bulk, "drain": drain, "steady": steady}


def main(arguments):
    if arguments == ["--check"]:
        print(f"rq {rq.VERSION}")
        return
    if len(arguments) < 3 or arguments[0] not in PHASES:
        sys.exit(__doc__)
    try:
        found = PHASES[arguments[0]](*arguments[1:])
    except Exception as problem:  # whatever it is becomes one line of the benchmark's report
        found = {"error": f"{type(problem).__name__}: {problem}"}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
