#!/usr/bin/python3
"""Kills, stops and cuts a job queue's workers, producers and Redis, then counts every job.

The seed makes the plan of faults and what producers submit; which of them meet is up to the
machine. Exits with 0 when nothing was lost or unexpected, no more jobs ran twice than were in
flight at the kills, and those were started again within the lease and a second; with 1 when not,
with 2 for a bad command line.
"""

import argparse
import json
import math
import pathlib
import random
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checker import check_folder, problems_of  # noqa: E402
from driver import Driver, Unfit  # noqa: E402
from plan import make_plan  # noqa: E402
from redis_process import RedisError  # noqa: E402

MINUTES_MAX = 10_000
SEED_MAX = 2**31


def minutes(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.05 <= value <= MINUTES_MAX:
        raise argparse.ArgumentTypeError(f"'{text}'; allowed: 0.05 to {MINUTES_MAX}")
    return value


def seed(text):
    if not text.isascii() or not text.isdigit() or int(text) >= SEED_MAX:
        raise argparse.ArgumentTypeError(f"'{text}'; allowed: 0 to {SEED_MAX - 1}")
    return int(text)


def lease(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.5 <= value <= 60:
        raise argparse.ArgumentTypeError(f"'{text}'; allowed: 0.5 to 60 seconds")
    return value


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"chaos: {message}\nchaos: see scripts/chaos --help\n")


def parse(arguments):
    about, details = __doc__.split("\n\n", maxsplit=1)
    parser = Parser(prog="scripts/chaos", allow_abbrev=False, description=about, epilog=details)
    parser.add_argument("--minutes", type=minutes, default=1.0,
                        help="of faults, 0.05 to 10000 (default 1); then the queue is drained")
    parser.add_argument("--seed", type=seed, help="0 to 2147483647 (default: drawn, and printed)")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the figures there")
    parser.add_argument("--lease", type=lease, default=1.5,
                        help="of workers, in seconds, 0.5 to 60 (default 1.5)")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path,
                        help="keep journals and Redis's files in this folder, which is made; "
                             "without it they are kept only where something is wrong")
    # Of scripts/chaos: the program that it has built, and to judge the command line alone.
    parser.add_argument("--actor", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.json is not None and not chosen.json.resolve().parent.is_dir():
        parser.error(f"argument --json: '{chosen.json}': its folder does not exist")
    if chosen.keep is not None and chosen.keep.exists():
        parser.error(f"argument --keep: '{chosen.keep}' exists; allowed: a new folder")
    if chosen.actor is None and not chosen.check:
        parser.error("argument --actor is missing; scripts/chaos gives it")
    return chosen


def say(text):
    print(f"chaos: {text}", file=sys.stderr, flush=True)


def run(chosen, folder):
    """The checker's report, or None where there was no run."""
    driver = None
    try:
        driver = Driver(chosen.actor, folder, chosen.seed, chosen.lease, say)
        seconds = chosen.minutes * 60
        driver.run(make_plan(chosen.seed, seconds, chosen.lease), seconds)
    except (Unfit, RedisError, OSError) as problem:
        say(f"the run failed: {problem}")
        return None
    finally:
        if driver is not None:
            driver.close()
    return check_folder(folder)


def main(arguments):
    chosen = parse(arguments)
    if chosen.check:
        return 0
    if chosen.seed is None:
        chosen.seed = random.randrange(SEED_MAX)
    say(f"seed {chosen.seed}, {chosen.minutes:g} minutes of faults, lease {chosen.lease:g} s")
    # Short, as the path of a Unix socket has to be.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weir_chaos_"))
    report = None
    try:
        report = run(chosen, folder)
    finally:
        if chosen.keep is not None:
            shutil.move(folder, chosen.keep)
            folder = chosen.keep
    if report is None:
        say(f"what it left is in {folder}")
        return 1
    figures = {"seed": chosen.seed, "minutes": chosen.minutes, "lease_s": chosen.lease,
               **report.figures}
    text = json.dumps(figures, indent=1)
    print(text)
    if chosen.json is not None:
        chosen.json.write_text(text + "\n", encoding="utf-8")
    problems = problems_of(report, chosen.lease)
    for problem in problems:
        say(problem)
    if problems:
        say(f"journals and Redis's files are in {folder}; "
            f"again: --seed {chosen.seed} --minutes {chosen.minutes:g}")
        return 1
    if chosen.keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
