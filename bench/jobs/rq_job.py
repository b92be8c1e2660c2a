"""The job that rq_baseline.py has RQ run, in a module of its own since RQ imports it by name."""

import time

latencies = []  # ns, of jobs that were due at `sampled_from` or later
sampled_from = 0


def task(due, _payload):
    """Does nothing, but notes when it started where it is told when it was due."""
    if due >= sampled_from > 0:
        latencies.append(time.monotonic_ns() - due)
