#!/usr/bin/python3
"""Puts the .cpp files that scripts/lint looks at into groups that clang-tidy reads in one go, as
most of its time goes into the headers that they share.

usage: lint_groups.py BUILD_FOLDER FILE...

Writes BUILD_FOLDER/groups/NAME.cpp, which include the files of one folder, and a
compile_commands.json for them. Prints a line a group: NAME.cpp and its files, separated by tabs; a
file that stays alone has no group file: "-".
"""

import json
import pathlib
import re
import sys

GROUP_FILES_MAX = 8
HAS_MAIN = re.compile(r"^int main\(|^BENCHMARK_MAIN", re.MULTILINE)


def groups_of(files):
    """Lists of files of one folder that may share a translation unit."""
    by_folder = {}
    for file in files:
        # A program's main file stands alone: there may be several in a folder.
        alone = HAS_MAIN.search(file.read_text(encoding="utf-8")) is not None
        by_folder.setdefault((file.parent, file if alone else None), []).append(file)
    for members in by_folder.values():
        count = -(-len(members) // GROUP_FILES_MAX)
        for number in range(count):
            yield members[number::count]


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    build = pathlib.Path(sys.argv[1])
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        commands[str((pathlib.Path(entry["directory"]) / entry["file"]).resolve())] = entry
    folder = build / "groups"
    folder.mkdir(exist_ok=True)
    written = []
    for number, files in enumerate(groups_of(map(pathlib.Path, sys.argv[2:]))):
        model = commands.get(str(files[0]))
        if len(files) == 1 or model is None:
            for file in files:
                print("-", file, sep="\t")
            continue
        unit = folder / f"{number}.cpp"
        unit.write_text("".join(f'#include "{file}"\n' for file in files))
        source = model["command"].split()[-1]
        written.append({"directory": model["directory"], "file": str(unit),
                        "command": model["command"].removesuffix(source) + str(unit)})
        print(unit, *files, sep="\t")
    (folder / "compile_commands.json").write_text(json.dumps(written, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
