"""Checks that a file does not compile, for the reason it names, and compiles with -DFIXED.

The file's first line is `// expect: REGEX`; the regex must be found in what the compiler says.
A second line `// compiler: gcc` (or clang) limits the case to that compiler: the others skip it.
Exit 0: as expected. Exit 1: not. Exit 77: skipped. Exit 2: bad arguments or a bad file.
"""

import argparse
import pathlib
import re
import subprocess
import sys

SKIPPED = 77


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", action="append", required=True,
                        help="a word of the compiler's command; may be repeated")
    parser.add_argument("--arg", action="append", default=[], help="a compiler argument")
    parser.add_argument("file", type=pathlib.Path)
    return parser.parse_args()


def bad_file(message):
    print(message, file=sys.stderr)
    sys.exit(2)


def header_of(file):
    """The expected regex, and the one compiler that the case is for (None: all)."""
    lines = file.read_text(encoding="utf-8").splitlines()
    expect = re.fullmatch(r"// expect: (.+)", lines[0]) if lines else None
    if not expect:
        bad_file(f"{file}:1: the first line must be '// expect: REGEX'")
    only = re.fullmatch(r"// compiler: (.+)", lines[1]) if len(lines) > 1 else None
    if only and only[1] not in ("gcc", "clang"):
        bad_file(f"{file}:2: compiler is '{only[1]}', allowed: gcc, clang")
    return re.compile(expect[1]), only[1] if only else None


def compile_file(options, file, *extra):
    command = [*options.compiler, *options.arg, "-fsyntax-only", *extra, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    options = parse_arguments()
    file = options.file
    expected, only = header_of(file)
    name = "clang" if "clang" in options.compiler[-1] else "gcc"
    if only and only != name:
        print(f"{file}: for {only} only, this is {name}")
        return SKIPPED

    status, output = compile_file(options, file)
    if status == 0:
        print(f"{file}: compiles, but must not")
        return 1
    if not expected.search(output):
        print(f"{file}: fails, but not with /{expected.pattern}/:\n{output}")
        return 1

    status, output = compile_file(options, file, "-DFIXED")
    if status != 0:
        print(f"{file}: must compile with -DFIXED, so the failure above proves nothing:\n{output}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
