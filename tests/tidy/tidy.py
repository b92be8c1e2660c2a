#!/usr/bin/python3
"""Checks the rules of the house that no compiler checks.

usage: tidy.py ROOT

Prints one line a finding, FILE:LINE: RULE: MESSAGE, and a closing count. Exit 0: no finding;
1: findings; 2: bad arguments. README.md beside this file lists the rules.
"""

import os
import pathlib
import sys

import rules_coroutine
import rules_project
import rules_text
from source import Source

# Text that is ours, by suffix; a file without suffix counts when it starts with "#!".
TEXT_SUFFIXES = (".hpp", ".cpp", ".py", ".sh", ".md", ".build", ".in", ".txt", ".cmake")
SKIPPED_FOLDERS = (".git", "build", "subprojects", "__pycache__", ".cache")
PROSE = (".md", ".txt")


class Project:
    """All texts of the tree; the C++ files and scripts among them as Source."""

    def __init__(self, texts):
        self.texts = {pathlib.PurePosixPath(path): text for path, text in texts.items()}
        self.sources = {path: Source(path, text) for path, text in self.texts.items()}

    def cpp_sources(self):
        return [source for source in self.sources.values() if source.is_cpp]

    def public_headers(self, folder):
        return [source for path, source in sorted(self.sources.items())
                if path.parts[0] == folder and path.suffix == ".hpp" and "detail" not in path.parts]


def read_tree(root):
    texts = {}
    for folder, subfolders, files in os.walk(root):
        # Links (include/weir/runtime) would show files twice; os.walk does not follow them.
        subfolders[:] = [name for name in subfolders
                         if name not in SKIPPED_FOLDERS and not name.startswith("build-")]
        for name in files:
            path = pathlib.Path(folder, name)
            if path.is_symlink():
                continue
            if path.suffix in TEXT_SUFFIXES or (not path.suffix and is_script(path)):
                texts[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return texts


def is_script(path):
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def is_code(path):
    return path.suffix in (".hpp", ".cpp", ".py", ".sh") or not path.suffix


def findings(project):
    """Every finding as (path, line, rule, message)."""
    for path, source in sorted(project.sources.items()):
        rules = [rule for rule in rules_text.EVERY_FILE
                 if not (path.suffix in PROSE and rule is rules_text.long_line)]
        if is_code(path):
            rules += rules_text.CODE_FILES
        # What must not compile shows the traps on purpose.
        if source.is_cpp and path.parent.name != "compile_fail":
            rules += rules_coroutine.RULES
        for rule in rules:
            for line, name, message in rule(source):
                yield path, line, name, message
    for rule in rules_project.RULES:
        yield from rule(project)


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1], "meson.build").is_file():
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(sys.argv[1])
    project = Project(read_tree(root))
    count = 0
    for path, line, rule, message in findings(project):
        print(f"{path}:{line}: {rule}: {message}")
        count += 1
    print(f"tidy: {len(project.sources)} files, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
