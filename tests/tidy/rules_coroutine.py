"""The traps around co_await that g++ 12 and lifetimes set; ../../CONTRIBUTING.md explains them.

Each rule is a generator of (line, rule, message) for one Source.
"""

import re

from source import (CLOSING, Brace, declaration_head, is_lambda_introducer, lambda_body,
                    skip_angles)

AWAITS = ("co_await", "co_yield")
COROUTINE_WORDS = ("co_await", "co_return", "co_yield")

SCALARS = ("bool", "char", "short", "int", "long", "unsigned", "float", "double")

# What is shared by tasks for longer than any of them runs, and cannot be copied: a reference to
# it says nothing that a reason beside it would not repeat. Any other needs `// ref: REASON`.
SHARED = ("scope", "pool", "event_loop", "event", "mutex", "guard", "semaphore", "channel",
          "condition", "latch", "job_context")


def capturing(tokens, introducer):
    return tokens[introducer].partner > introducer + 1


def lambda_in_await(source):
    tokens = source.tokens
    for start, end, _ in await_expressions(tokens):
        for at in outside_lambdas(tokens, start, end):
            if is_lambda_introducer(tokens, at) and capturing(tokens, at):
                yield (tokens[at].line, "lambda-in-await",
                       "a capturing lambda stands beside co_await and is destroyed twice by g++ 12;"
                       " pass function and arguments, or name the lambda first")


def braces_in_await(source):
    tokens = source.tokens
    for start, end, awaits in await_expressions(tokens):
        for at in outside_lambdas(tokens, start, end):
            token = tokens[at]
            if token.text != "{" or token.opens is not Brace.INIT or not token.partner:
                continue
            if is_scalar(tokens[at - 1].text) or declares(tokens, start, end, at, awaits):
                continue
            if not source.has_note(token.line, "braces"):
                yield (token.line, "braces-in-await",
                       "a braced temporary stands beside co_await; an aggregate is destroyed twice"
                       " by g++ 12: name it first, or use a constructor with parentheses"
                       " ('// braces: REASON' allows it)")


def is_scalar(type_name):
    """`long{x}` makes a number, which has no destructor to be run twice."""
    return type_name in SCALARS or type_name.endswith("_t")


def declares(tokens, start, end, brace, awaits):
    """`type name{co_await x}`: the braces initialise a variable, they make no temporary."""
    partner = tokens[brace].partner
    around = all(brace < at < partner for at in awaits)
    ends = partner + 1 >= end or tokens[partner + 1].text == ";"
    first = tokens[start].text
    return around and ends and first not in ("return", "co_return") and brace - start >= 2


def await_expressions(tokens):
    """(start, end, co_await indexes) of each full expression that awaits, each once."""
    found = {}
    for at, token in enumerate(tokens):
        if token.text in AWAITS and tokens[at - 1].text != "operator":
            bounds = (expression_start(tokens, at), expression_end(tokens, at))
            found.setdefault(bounds, []).append(at)
    for (start, end), awaits in found.items():
        yield start, end, awaits


def is_boundary_bracket(tokens, at):
    """Whether the opening bracket at `at` encloses whole expressions or statements."""
    if tokens[at].text == "{":
        return tokens[at].opens is not Brace.INIT
    if tokens[at].text == "(":
        previous = tokens[at - 1].text if at else ""
        if previous == "constexpr" and at >= 2:
            previous = tokens[at - 2].text
        return previous in ("if", "while", "for", "switch")
    return False


def await_in_condition(source):
    """g++ 12 puts the value of such a condition before the frame's own first fields when the
    outermost block of the coroutine declares nothing, and the handle of its promise is then wrong.
    """
    tokens = source.tokens
    for at, token in enumerate(tokens):
        if token.text not in ("if", "while", "switch", "for"):
            continue
        opening = at + 1
        while opening < len(tokens) and tokens[opening].text == "constexpr":
            opening += 1
        if opening >= len(tokens) or tokens[opening].text != "(" \
                or tokens[opening].partner is None:
            continue
        begin, end = condition_of(tokens, token.text, opening)
        awaits = [index for index in outside_lambdas(tokens, begin, end)
                  if tokens[index].text == "co_await"]
        if awaits and not declares_first(tokens, begin, awaits[0]):
            yield (tokens[awaits[0]].line, "await-in-condition",
                   "g++ 12 may lay out the frame of a coroutine wrongly that awaits in a condition:"
                   " await in a declaration, as in 'if (const bool ok = co_await f())'")


def condition_of(tokens, keyword, opening):
    """The index range of the condition; behind an init-statement where there is one."""
    closing = tokens[opening].partner
    ends = [index for index in outside_lambdas(tokens, opening + 1, closing)
            if tokens[index].text == ";"]
    if keyword == "for":
        # A range or a loop variable is a declaration, which makes the layout right.
        if len(ends) != 2 or ends[0] != opening + 1:
            return closing, closing
        return ends[0] + 1, ends[1]
    return (ends[-1] + 1 if ends else opening + 1), closing


def declares_first(tokens, begin, co_await):
    """`type name = co_await x` or `type name{co_await x}`."""
    before = co_await - 1
    return before - begin >= 2 and tokens[before].text in ("=", "{") \
        and (tokens[before - 1].text == "]" or re.match(r"[A-Za-z_]", tokens[before - 1].text))


def expression_start(tokens, at):
    at -= 1
    while at >= 0:
        token = tokens[at]
        if token.text == ";":
            break
        if token.text in CLOSING and is_boundary_bracket(tokens, at):
            break
        if token.text in CLOSING.values() and token.partner is not None:
            opener = tokens[token.partner]
            if opener.text == "{" and opener.opens not in (Brace.INIT, Brace.LAMBDA):
                break
            if opener.text == "(" and is_boundary_bracket(tokens, token.partner):
                break
            at = token.partner
        at -= 1
    return at + 1


def expression_end(tokens, at):
    at += 1
    while at < len(tokens):
        token = tokens[at]
        if token.text == ";":
            break
        if token.text in CLOSING and token.partner is not None:
            at = token.partner
        elif token.text in CLOSING.values() and token.partner is not None \
                and is_boundary_bracket(tokens, token.partner):
            break
        at += 1
    return at


def outside_lambdas(tokens, start, end):
    """The indexes of [start, end), except those within a lambda's body."""
    at = start
    while at < end:
        token = tokens[at]
        if token.text == "{" and token.opens is Brace.LAMBDA and token.partner:
            at = token.partner
        else:
            yield at
        at += 1


def capturing_coroutine(source):
    tokens = source.tokens
    for at, token in enumerate(tokens):
        if not is_lambda_introducer(tokens, at) or not capturing(tokens, at):
            continue
        body = lambda_body(tokens, at)
        if body is None or tokens[body].partner is None:
            continue
        inside = outside_lambdas(tokens, body + 1, tokens[body].partner)
        if any(tokens[index].text in COROUTINE_WORDS for index in inside):
            yield (token.line, "capturing-coroutine",
                   "a capturing lambda is a coroutine: its captures die with the lambda, not with"
                   " the task; pass them as parameters by value")


def reference_parameters(source):
    tokens = source.tokens
    for at, token in enumerate(tokens):
        if token.text != "task":
            continue
        parameters = parameters_of(tokens, at)
        if parameters is None:
            continue
        problems = [borrowed(tokens[begin:end], source.path.parts[0] == "tests")
                    for begin, end in parameters]
        problem = next(filter(None, problems), None)
        if problem is None:
            continue
        # A reason may stand above the template's head, or behind any line of the declaration.
        first = tokens[(declaration_head(tokens, at) or [at])[0]].line
        last = tokens[parameters[-1][1]].line
        if not any(source.has_note(line, "ref") for line in range(first, last + 1)):
            yield (token.line, "reference-parameter",
                   f"a function that returns task<> takes {problem}, which may die before the task"
                   " ends; take it by value, or say why it lives: '// ref: REASON'")


def parameters_of(tokens, at):
    """The parameters, as index ranges, of the function whose return type is the task at `at`;
    None where there is no such function, or where its body shows that it is no coroutine."""
    if at + 1 >= len(tokens) or tokens[at + 1].text != "<":
        return None
    behind = skip_angles(tokens, range(len(tokens)), at + 1)
    opening = trailing_parameters(tokens, at)
    if opening is None:
        opening = behind
        while opening < len(tokens) and re.match(r"::|\w", tokens[opening].text):
            opening += 1
        if opening == behind or opening == len(tokens) or tokens[opening].text != "(":
            return None
        behind = (tokens[opening].partner or opening) + 1
    while behind < len(tokens) and tokens[behind].text in ("const", "noexcept", "override", "&"):
        behind += 1
    if behind < len(tokens) and tokens[behind].text == "{" and tokens[behind].partner:
        body = outside_lambdas(tokens, behind + 1, tokens[behind].partner)
        if not any(tokens[index].text in COROUTINE_WORDS for index in body):
            return None
    return split(tokens, opening)


def trailing_parameters(tokens, at):
    """For `(...) -> weir::task<`, the index of that parameter list, else None."""
    at -= 1
    while at >= 0 and (tokens[at].text == "::" or tokens[at].text == "weir"):
        at -= 1
    if at < 1 or tokens[at].text != "->":
        return None
    at -= 1
    while at >= 0 and tokens[at].text in ("mutable", "noexcept", "const", "static"):
        at -= 1
    if at >= 0 and tokens[at].text == ")" and tokens[at].partner is not None:
        return tokens[at].partner
    return None


def split(tokens, opening):
    """The index ranges between the commas of a parameter list."""
    closing = tokens[opening].partner
    if closing is None:
        return None
    ranges = []
    begin = opening + 1
    angles = 0
    at = begin
    while at < closing:
        text = tokens[at].text
        if text in CLOSING and tokens[at].partner:
            at = tokens[at].partner
        angles += (text == "<") - (text == ">")
        if text == "," and angles == 0:
            ranges.append((begin, at))
            begin = at + 1
        at += 1
    if begin < closing:
        ranges.append((begin, closing))
    return ranges


def borrowed(parameter, in_test):
    """What a parameter borrows, in words, or None."""
    words = [token.text for token in parameter]
    if "=" in words:
        words = words[:words.index("=")]
    for view in ("string_view", "span"):
        if view in words:
            return f"a {view}"
    outer = outside_angles(words)
    if "&&" in outer:
        return "an rvalue reference"
    if "&" not in outer:
        return None
    if "const" in outer:
        return "a reference to const, which binds to temporaries"
    shared = outer[outer.index("&") - 1] in SHARED
    # A test's local outlives the run() below it.
    return None if shared or in_test else "a reference"


def outside_angles(words):
    outer = []
    depth = 0
    for word in words:
        depth -= word == ">"
        if depth == 0 and word != ">":
            outer.append(word)
        depth += word == "<"
    return [word for word in outer if word != "<"]


RULES = (lambda_in_await, braces_in_await, await_in_condition, capturing_coroutine,
         reference_parameters)
