"""Rules about the project: layers, lists of sources, umbrellas, mirrored tests, folder pages.

Each rule is a generator of (path, line, rule, message) for the whole Project.
"""

import pathlib
import re

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')

README_PROGRAM = re.compile(r"^```cpp\n// (examples/\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Ends at the next one or with its block.
README_EXCERPT = re.compile(r"^// from (examples/\S+)\n(.*?)(?=^// from |^```)",
                            re.MULTILINE | re.DOTALL)

# What each library folder may include, from the lowest layer up.
LAYERS = {"runtime": ("runtime",), "pool": ("pool", "runtime"),
          "redisq": ("redisq", "pool", "runtime")}
# redisq/resp parses and writes bytes, and knows nothing of tasks or sockets.
RESP_KNOWS = re.compile(r"redisq/resp/.*|runtime/(?:assert|result)\.hpp")
LIBURING_FILES = re.compile(r"runtime/(?:detail/)?uring\w*\.[ch]pp")
# What a folder includes of others that nobody else may, as those may be missing.
OPENSSL_FILES = re.compile(r"runtime/tls/(?:detail/\w+\.hpp|\w+\.cpp)")
# Folders below a layer's whose public headers have an umbrella of their own.
OWN_UMBRELLAS = {"runtime/tls": "tls"}
# Built on purpose not at all, or elsewhere.
UNLISTED = ("tests/install/",)


def includes(source):
    for number, line in enumerate(source.lines, 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found[1] == '"', found[2]


def layers(project):
    for source in project.cpp_sources():
        folder = source.path.parts[0]
        for line, quoted, name in includes(source):
            problem = None
            if folder in LAYERS:
                problem = library_include(source.path, folder, quoted, name)
            elif folder in ("bench", "tests", "examples", "tools") and quoted:
                parts = pathlib.PurePosixPath(name).parts
                if set(parts) & {"include", "weir"} or "runtime" in parts[:-1] \
                        or "pool" in parts[:-1] or "redisq" in parts[:-1]:
                    problem = "write <weir/...>, as users do"
            if problem:
                yield source.path, line, "layers", f"'{name}': {problem}"


def library_include(path, folder, quoted, name):
    """What is wrong with an include in the library, or None."""
    if name.startswith("weir/"):
        return "the library includes itself by relative path"
    if name == "liburing.h" or name.startswith("liburing/"):
        if LIBURING_FILES.fullmatch(str(path)):
            return None
        return "only runtime/uring* knows liburing"
    if name.startswith("openssl/") and not OPENSSL_FILES.fullmatch(str(path)):
        return "only what is not public in runtime/tls knows OpenSSL"
    if not quoted:
        return None
    target = resolve(path.parent, name)
    if target is None:
        return "leads out of the project"
    if target.parts[0] not in LAYERS[folder]:
        return f"{folder} may include only {', '.join(LAYERS[folder])}"
    if path.parts[:2] == ("redisq", "resp") and not RESP_KNOWS.fullmatch(str(target)):
        return "redisq/resp may include only itself, runtime/assert.hpp and runtime/result.hpp"
    return None


def resolve(folder, name):
    parts = list(folder.parts)
    for part in pathlib.PurePosixPath(name).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return pathlib.PurePosixPath(*parts)


def listed(project):
    """Every C++ file is named by the meson.build of its folder or of one above it."""
    for source in project.cpp_sources():
        path = source.path
        if str(path).startswith(UNLISTED) or path.parts[0] == "include":
            continue
        if path.suffix == ".hpp" and path.parts[0] not in LAYERS:
            continue
        if not any(names(project, folder, path.relative_to(folder)) for folder in path.parents):
            yield (path, 1, "unlisted",
                   f"no meson.build names it; add it to {path.parts[0]}/meson.build or below")


def names(project, folder, relative):
    build = project.texts.get(folder / "meson.build")
    if build is None:
        return False
    # A list of programs or cases gives the names without the suffix.
    return f"'{relative}'" in build or f"'{relative.with_suffix('')}'" in build


def umbrella_of(header):
    """The name of the umbrella that holds a public header; None: none does."""
    # liburing.h brings C macros and inline system calls; who wants it asks for it by name.
    # hiredis is the user's, where he has it.
    if any(name == "liburing.h" or name.startswith("hiredis/")
           for _, _, name in includes(header)):
        return None
    return OWN_UMBRELLAS.get(str(header.path.parent), header.path.parts[0])


def umbrellas(project):
    headers = [header for folder in LAYERS for header in project.public_headers(folder)]
    for umbrella_name in (*LAYERS, *OWN_UMBRELLAS.values()):
        path = pathlib.PurePosixPath(f"include/weir/{umbrella_name}.hpp")
        umbrella = project.sources.get(path)
        public = {str(header.path) for header in headers if umbrella_of(header) == umbrella_name}
        if umbrella is None:
            if public:
                yield path, 1, "umbrella", "is missing"
            continue
        included = {name for _, quoted, name in includes(umbrella) if quoted}
        for name in sorted(public - included):
            yield path, 1, "umbrella", f'lacks #include "{name}"'
        for name in sorted(included - public):
            yield (path, 1, "umbrella",
                   f"'{name}' is no public header of {umbrella_name}, or shows liburing or hiredis")


def mirrored(project):
    for folder in LAYERS:
        for header in project.public_headers(folder):
            test = "tests" / header.path.with_name(f"{header.path.stem}_test.cpp")
            if test not in project.sources:
                yield header.path, 1, "mirrored-test", f"{test} is missing"


def folder_pages(project):
    folders = {path.parents[-2] for path in project.texts if len(path.parts) > 1}
    folders |= {path.parent for path in project.texts
                if path.parts[0] == "bench" and len(path.parts) > 2}
    for folder in sorted(folders):
        if str(folder).startswith("."):
            continue
        if folder / "README.md" not in project.texts:
            yield (folder / "README.md", 1, "folder-page",
                   "is missing; it says what lives here and what may not")


def readme_example(project):
    """Programs in README.md, which name their file first, are that file, word for word; excerpts
    stand in it."""
    page = pathlib.PurePosixPath("README.md")
    text = project.texts.get(page, "")
    for block in README_PROGRAM.finditer(text):
        program = project.texts.get(pathlib.PurePosixPath(block[1]))
        if program != f"// {block[1]}\n{block[2]}":
            line = text.count("\n", 0, block.start()) + 2
            yield page, line, "readme-example", f"differs from {block[1]}"
    for block in README_EXCERPT.finditer(text):
        excerpt = block[2].strip("\n")
        if f"\n{excerpt}\n" not in project.texts.get(pathlib.PurePosixPath(block[1]), ""):
            line = text.count("\n", 0, block.start()) + 1
            yield page, line, "readme-example", f"does not stand in {block[1]}"


RULES = (layers, listed, umbrellas, mirrored, folder_pages, readme_example)
