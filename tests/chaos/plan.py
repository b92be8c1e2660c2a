"""What happens when, as it follows from a seed: kills, stops, cuts of memory, jumps of clocks.

make_plan(seed, seconds, lease_s) gives a list of Step in the order of their times. Each kind of
fault draws from a random source of its own, so that the plan of a short run is the beginning of
that of a long one.
"""

import dataclasses
import random

# Seconds between two of a kind, in the mean.
MEAN_INTERVAL_S = {
    "kill": 0.9,
    "stop": 5.0,
    "pause": 4.0,
    "terminate": 6.0,
    "kill_producer": 6.0,
    "kill_redis": 8.0,
    "pause_redis": 9.0,
    "flush_scripts": 4.0,
    "fill_memory": 7.0,
    "move_clock": 3.0,
    "blackhole": 7.0,
}
HOUR_NS = 3600 * 10**9
# The last faults come so long before the end that the run meets their consequences.
QUIET_END_S = 1.0


@dataclasses.dataclass(frozen=True)
class Step:
    """At `at_s` of the run; `pick` chooses the victim, `length_s` is how long the fault lasts."""
    at_s: float
    kind: str
    pick: int
    length_s: float = 0.0
    shift_ns: int = 0


def length_of(kind, source, lease_s):
    """How long a fault of this kind lasts."""
    draw = source.random()
    if kind in ("kill", "terminate", "kill_producer"):
        return 0.4 * draw
    if kind == "stop":
        return lease_s * (1.3 + draw)
    if kind == "pause":
        return lease_s * 0.5 * draw
    if kind == "kill_redis":
        # One in six is away for longer than a lease.
        return lease_s * 1.3 if source.random() < 1 / 6 else 0.6 * draw
    if kind in ("pause_redis", "blackhole"):
        return lease_s * 0.3 * draw
    if kind == "fill_memory":
        return 0.3 + 1.2 * draw
    return 0.0


def steps_of(kind, seed, seconds, lease_s):
    """The steps of one kind, the first of them early enough to come in a short run too."""
    source = random.Random(f"{seed} {kind}")
    mean = MEAN_INTERVAL_S[kind]
    at = 0.3 + mean * source.uniform(0.1, 0.6)
    while at < seconds - QUIET_END_S:
        shift = source.choice((-1, 1)) * source.randrange(HOUR_NS) if kind == "move_clock" else 0
        yield Step(at, kind, source.randrange(1 << 30), length_of(kind, source, lease_s), shift)
        at += mean * source.uniform(0.4, 1.6)


def make_plan(seed, seconds, lease_s):
    """All steps of a run, in the order of their times."""
    steps = []
    for kind in MEAN_INTERVAL_S:
        steps += steps_of(kind, seed, seconds, lease_s)
    return sorted(steps, key=lambda step: step.at_s)
