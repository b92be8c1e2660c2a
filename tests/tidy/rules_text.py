"""Rules about one file's text: sizes, words, headers, suppressions, forbidden calls.

Each rule is a generator of (line, rule, message) for one Source.
"""

import re

from source import Brace

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_WIDTH_MAX = 100

# Spelled in halves, so that this file passes its own rule.
UNFINISHED = re.compile(r"\b(" + "|".join(
    ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
LINTER_OFF = re.compile(r"NO" + r"LINT(?:NEXTLINE|BEGIN)?\b(\([\w\-.,* ]+\))?(.*)")
LINTER_OFF_END = "NO" + "LINTEND"

LIBRARY = ("runtime", "pool", "redisq")

# Time, chance and threads reach the library through its driver and its clock, so that tests can
# put simulated ones in their place.
CALLS = (
    (r"\b(?:steady|system|high_resolution)_clock::now\b", "reads a clock"),
    (r"(?<![\w.>])(?:std::|::)?(?:time|clock|gettimeofday|clock_gettime)\s*\(", "reads a clock"),
    (r"(?<![\w.>])(?:std::|::)?(?:rand|srand|random|drand48)\s*\(", "is random"),
    (r"\bstd::random_device\b", "is random"),
    (r"\bstd::(?:thread|jthread|async)\b(?!::)", "starts a thread"),
    (r"\bpthread_create\b", "starts a thread"),
    (r"\bstd::this_thread::sleep_(?:for|until)\b|(?<![\w.>])(?:::)?(?:u|nano)?sleep\s*\(",
     "blocks the thread"),
)
# Where such a call is the file's very purpose.
CALLS_ALLOWED = {
    "reads a clock": re.compile(r"runtime/(?:uring_driver|clock)\.[ch]pp"),
    "starts a thread": re.compile(r"runtime/thread/native_thread\.cpp"),
}


def long_file(source):
    if len(source.lines) > FILE_LINES_MAX:
        yield (len(source.lines), "long-file",
               f"{len(source.lines)} lines, allowed: {FILE_LINES_MAX}")


def long_line(source):
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_WIDTH_MAX:
            yield (number, "long-line", f"{len(line)} columns, allowed: {LINE_WIDTH_MAX}")


def long_function(source):
    if not source.is_cpp:
        return
    for token in source.tokens:
        if token.opens is Brace.FUNCTION and token.partner is not None:
            lines = source.tokens[token.partner].line - token.line + 1
            if lines > FUNCTION_LINES_MAX:
                yield (token.line, "long-function",
                       f"{lines} lines, allowed: {FUNCTION_LINES_MAX}")


def pragma_once(source):
    if source.path.suffix == ".hpp" and "#pragma once" not in source.lines:
        yield (1, "pragma-once", "a header needs '#pragma once'")


def unfinished(source):
    for number, line in enumerate(source.lines, 1):
        found = UNFINISHED.search(line)
        if found:
            yield (number, "unfinished", f"'{found[1]}': finish it, or write an issue")


def bare_suppression(source):
    for number, line in enumerate(source.lines, 1):
        found = LINTER_OFF.search(line)
        if not found or LINTER_OFF_END in line:
            continue
        reason = found[2].strip(" :-.*/")
        above = source.lines[number - 2] if number > 1 else ""
        if above.lstrip().startswith("//") and not LINTER_OFF.search(above):
            reason += above.strip(" /")
        if not found[1] or len(reason) < 8:
            yield (number, "bare-suppression",
                   "a suppressed finding names its check, and says why behind it or in the line"
                   " above")


def forbidden_call(source):
    if source.path.parts[0] not in LIBRARY:
        return
    for number, line in enumerate(source.code.splitlines(), 1):
        for pattern, what in CALLS:
            found = re.search(pattern, line)
            if not found:
                continue
            allowed = CALLS_ALLOWED.get(what)
            if allowed and allowed.fullmatch(str(source.path)):
                continue
            yield (number, "forbidden-call",
                   f"'{found[0].strip(' (')}' {what}; that belongs behind the driver")


EVERY_FILE = (long_line, unfinished, bare_suppression)
CODE_FILES = (long_file, long_function, pragma_once, forbidden_call)
