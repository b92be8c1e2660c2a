"""Checks that every public header holds an example, and that its lines stand in a program of
examples/, where they are compiled and run.

usage: header_examples.py ROOT

An example is a block of comment lines that start with five spaces. Its lines have to appear in
examples/header_examples_FOLDER.cpp (the folder's last part) in their order, whatever their spacing,
with at most EXTRA_LINES_MAX lines of surroundings among them.
"""

import pathlib
import re
import sys

FOLDERS = ("runtime", "runtime/thread", "runtime/net", "runtime/file", "runtime/process",
           "runtime/tls", "pool", "redisq/resp", "redisq", "redisq/jobs")
EXTRA_LINES_MAX = 3
FIRST_LINE = re.compile(r"^// {5}\S")
NEXT_LINE = re.compile(r"^// {5,}\S")


def words(line):
    """The line with single spaces: indentation and the column of a comment do not count."""
    return " ".join(line.split())


def examples(text):
    """(line number, lines) of each example."""
    found = []
    block = None
    for number, line in enumerate(text.splitlines(), 1):
        if (NEXT_LINE if block else FIRST_LINE).match(line):
            if block is None:
                block = (number, [])
                found.append(block)
            block[1].append(words(line[2:]))
        else:
            block = None
    return found


def stands_in(program, example):
    """Whether the lines of `example` appear in `program` in order and close together."""
    for start, line in enumerate(program):
        if line != example[0]:
            continue
        wanted = 0
        for at in range(start, min(len(program), start + len(example) + EXTRA_LINES_MAX)):
            if program[at] == example[wanted]:
                wanted += 1
                if wanted == len(example):
                    return True
    return False


def problems(root):
    for folder in FOLDERS:
        headers = sorted((root / folder).glob("*.hpp"))
        if not headers:
            continue
        name = f"examples/header_examples_{pathlib.PurePath(folder).name}.cpp"
        program = [words(line) for line in (root / name).read_text().splitlines()]
        for header in headers:
            found = examples(header.read_text())
            path = header.relative_to(root)
            if not found:
                yield f"{path}:1: holds no example"
            for line, example in found:
                if not stands_in(program, example):
                    yield f"{path}:{line}: this example does not stand in {name}: {example[0]}"


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "every header's example is compiled")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
