#!/usr/bin/python3
"""What scripts/test needs to know about tests.

tests.py select BUILD_DIR FILTER   the meson tests to run for a filter, one a line
tests.py count BUILD_DIR           the cases of the last run, closing with "N passed, N failed"

Counted are the cases of each unit test program, and every other test as one. Meson's own JUnit
report is not used: it shows a test that timed out, or a program that failed after its last case,
as passed.
"""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

FINISHED = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] (\S+) \(\d+ ms\)")
STARTED = re.compile(r"\[ RUN +\] (\S+)")
OUTCOMES = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped", "EXPECTEDFAIL": "passed"}


def select(build_dir, text):
    tests = json.loads((build_dir / "meson-info/intro-tests.json").read_text())
    for test in tests:
        # A unit test program filters its cases itself.
        if test["protocol"] == "gtest" or text in test["name"]:
            print(test["name"])
    return 0


def cases_from_report(path):
    """(name, outcome) of each case in the report of a program that ran to its end."""
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.get("status") == "notrun":
            continue  # filtered out, or disabled
        if case.find("failure") is not None:
            yield name, "failed"
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            yield name, "skipped"
        else:
            yield name, "passed"


def cases_from_output(output):
    """The same from what a program printed before it died; the case that it died in failed."""
    finished = {name: OUTCOMES[word] for word, name in FINISHED.findall(output)}
    yield from finished.items()
    for name in STARTED.findall(output):
        if name not in finished:
            yield name, "failed"


def cases_of(build_dir, test):
    """(name, outcome) of each case of one meson test."""
    name = test["name"].rpartition(" / ")[2]
    outcome = OUTCOMES.get(test["result"], "skipped" if test["result"] == "SKIP" else "failed")
    report = build_dir / f"{name}.xml"
    output = test.get("stdout") or ""
    if report.exists():
        cases = list(cases_from_report(report))
    elif STARTED.search(output):
        cases = list(cases_from_output(output))
    else:
        return [(name, outcome)]
    if outcome == "failed" and "failed" not in (result for _, result in cases):
        # Every case passed, but not the program: a leak or a race reported at its end.
        cases.append((f"{name}: {test['result'].lower()}, exit {test['returncode']}", "failed"))
    return cases


def count(build_dir):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    log = build_dir / "meson-logs/testlog.json"
    for line in log.read_text().splitlines() if log.exists() else []:
        for name, outcome in cases_of(build_dir, json.loads(line)):
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome}: {name}")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] or not counts["passed"] else 0


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "select":
        return select(pathlib.Path(sys.argv[2]), sys.argv[3])
    if len(sys.argv) == 3 and sys.argv[1] == "count":
        return count(pathlib.Path(sys.argv[2]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
