"""Puts figures of the microbenchmarks side by side: weir, the floor, Asio and the others.

usage: table.py [--markdown] FILE...

FILE is what a microbenchmark wrote with --benchmark_out. A benchmark is called WHO/WHAT: one line
a WHAT, one column a WHO. Where a file holds repetitions, their median counts. The figure is the
processor time of one operation in nanoseconds; where the benchmark says so (real_time, manual_time)
it is the time on the clock, or what the benchmark itself took down.
"""

import json
import pathlib
import re
import statistics
import sys

FIRST_COLUMNS = ("weir", "floor", "asio")
RATIOS = (("weir", "floor"), ("asio", "weir"))
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
# What Google Benchmark adds to a name to say how it was run.
HOW = re.compile(r"/(?:iterations:\d+|repeats:\d+|process_time|threads:\d+)")
ON_THE_CLOCK = re.compile(r"/(?:real_time|manual_time)")


class BadInput(Exception):
    pass


def read(path):
    try:
        text = pathlib.Path(path).read_text()
        return json.loads(text) if text else {}  # empty where a filter matched nothing
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {error}") from error


def samples(report):
    """(who, what, nanoseconds) of each run; of medians only, where there are any."""
    runs = report.get("benchmarks", [])
    if any(run.get("aggregate_name") == "median" for run in runs):
        runs = [run for run in runs if run.get("aggregate_name") == "median"]
    # Interleaved runs come in any order.
    for run in sorted(runs, key=lambda run: (run.get("family_index", 0),
                                             run.get("per_family_instance_index", 0))):
        if run.get("error_occurred") or run.get("run_type") == "aggregate" \
                and run.get("aggregate_name") != "median":
            continue
        name = run.get("run_name", run["name"])
        time = run["real_time" if ON_THE_CLOCK.search(name) else "cpu_time"]
        who, _, what = ON_THE_CLOCK.sub("", HOW.sub("", name)).partition("/")
        yield who, what, time * NANOSECONDS[run.get("time_unit", "ns")]


def collect(reports):
    """{what: {who: nanoseconds}}, in the order of the files."""
    found = {}
    for report in reports:
        for who, what, time in samples(report):
            found.setdefault(what, {}).setdefault(who, []).append(time)
    return {what: {who: statistics.median(times) for who, times in row.items()}
            for what, row in found.items()}


def columns(rows):
    seen = {who: None for row in rows.values() for who in row}
    return [who for who in FIRST_COLUMNS if who in seen] + \
           [who for who in seen if who not in FIRST_COLUMNS]


def figure(value):
    if value is None:
        return ""
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def ratio(row, over, under):
    if over not in row or under not in row or row[under] == 0:
        return ""
    return f"{row[over] / row[under]:.2f}"


def lines(rows):
    """The table as lists of words, the head first."""
    whos = columns(rows)
    ratios = [(over, under) for over, under in RATIOS if over in whos and under in whos]
    yield ["ns an operation", *whos, *(f"{over}/{under}" for over, under in ratios)]
    for what, row in rows.items():
        yield [what, *(figure(row.get(who)) for who in whos),
               *(ratio(row, over, under) for over, under in ratios)]


def show(table, markdown):
    widths = [max(len(line[at]) for line in table) for at in range(len(table[0]))]
    for number, line in enumerate(table):
        cells = [word.ljust(width) if at == 0 else word.rjust(width)
                 for at, (word, width) in enumerate(zip(line, widths))]
        if markdown:
            print("| " + " | ".join(cells) + " |")
            if number == 0:
                print("|---|" + "---:|" * (len(cells) - 1))
        else:
            print("  ".join(cells).rstrip())


def main(arguments):
    markdown = "--markdown" in arguments
    paths = [argument for argument in arguments if argument != "--markdown"]
    if paths and paths[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    unknown = [path for path in paths if path.startswith("-")]
    if unknown or not paths:
        print(f"table.py: unknown option '{unknown[0]}', allowed: --markdown --help"
              if unknown else "table.py: needs at least one FILE", file=sys.stderr)
        return 2
    try:
        rows = collect([read(path) for path in paths])
    except BadInput as error:
        print(f"table.py: {error}", file=sys.stderr)
        return 2
    if not rows:
        print("table.py: no figures in " + " ".join(paths), file=sys.stderr)
        return 1
    show(list(lines(rows)), markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
