"""A source file as the rules see it: its lines, its comments, and its code as tokens.

Tokens are cut without a preprocessor: comments and the text of literals are gone, the lines of a
directive are gone, the rest is identifiers, numbers and punctuation. Brackets know their partner,
and every brace knows what it opens (see Brace).
"""

import bisect
import enum
import pathlib
import re

LITERAL_OR_COMMENT = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | (?:u8|[uUL])?R"(?P<delimiter>[^\s()\\]{0,16})\(.*?\)(?P=delimiter)"
      | (?:u8|[uUL])?"(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+'""",
    re.VERBOSE | re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|::|->|&&|\S")
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Brace(enum.Enum):
    """What a `{` opens."""

    NAMESPACE = "namespace"
    CLASS = "class"
    FUNCTION = "function"
    LAMBDA = "lambda"
    BLOCK = "block"
    INIT = "init"


class Token:
    """`text` at `line` (counted from 1); brackets have `partner`, a brace has `opens`."""

    __slots__ = ("text", "line", "partner", "opens")

    def __init__(self, text, line):
        self.text = text
        self.line = line
        self.partner = None
        self.opens = None


class Source:
    """One file. `path` is relative to the root, with forward slashes."""

    def __init__(self, path, text):
        self.path = pathlib.PurePosixPath(path)
        self.text = text
        self.lines = text.splitlines()
        self._line_starts = [0] + [match.end() for match in re.finditer("\n", text)]
        self.comments = {}  # line -> the comment text that stands on it
        self.code = DIRECTIVE.sub(lambda match: blank(match[0]), self._strip(text))
        self._tokens = None

    @property
    def is_cpp(self):
        return self.path.suffix in (".hpp", ".cpp")

    @property
    def tokens(self):
        if self._tokens is None:
            self._tokens = [Token(match[0], self.line_of(match.start()))
                            for match in TOKEN.finditer(self.code)]
            pair_brackets(self._tokens)
            classify_braces(self._tokens)
        return self._tokens

    def line_of(self, offset):
        return bisect.bisect_right(self._line_starts, offset)

    def has_note(self, line, word):
        """Whether the comment on the line, or one directly above it, says `// word: reason`."""
        note = re.compile(rf"(?:^|[\s/]){re.escape(word)}: *\S")
        if note.search(self.comments.get(line, "")):
            return True
        line -= 1
        while line >= 1 and line in self.comments and self.is_comment_line(line):
            if note.search(self.comments[line]):
                return True
            line -= 1
        return False

    def is_comment_line(self, line):
        return self.lines[line - 1].lstrip().startswith(("//", "*", "/*"))

    def _strip(self, text):
        """The text without comments and literals, every line kept in its place."""

        def replace(match):
            found = match[0]
            if found.startswith(("//", "/*")):
                first = self.line_of(match.start())
                for index, part in enumerate(found.splitlines()):
                    self.comments[first + index] = self.comments.get(first + index, "") + part
                return blank(found)
            return '"' + blank(found[1:-1]) + '"'

        return LITERAL_OR_COMMENT.sub(replace, text)


def blank(text):
    """As long as the text and with its line breaks, so that offsets and lines stay."""
    return re.sub(r"[^\n]", " ", text)


def pair_brackets(tokens):
    open_brackets = []
    for index, token in enumerate(tokens):
        if token.text in CLOSING:
            open_brackets.append(index)
        elif token.text in CLOSING.values():
            while open_brackets:
                partner = open_brackets.pop()
                if CLOSING[tokens[partner].text] == token.text:
                    tokens[partner].partner = index
                    token.partner = partner
                    break


def classify_braces(tokens):
    for index, token in enumerate(tokens):
        if token.text == "{":
            token.opens = brace_kind(tokens, index)


CONTROL = ("if", "else", "for", "while", "do", "switch", "try", "catch", "case", "default")
BEFORE_BODY = (")", "}", "]", "const", "noexcept", "override", "final", "mutable", "&", "&&", "try")


def brace_kind(tokens, index):
    head = declaration_head(tokens, index)
    words = top_level(tokens, head)
    if not words:
        return Brace.BLOCK
    previous = words[-1]
    if any(is_lambda_introducer(tokens, at) and lambda_body(tokens, at) == index for at in head):
        return Brace.LAMBDA
    if previous in ("=", ",", "(", "[", "return", "co_return", "co_yield") or words[0] in "([":
        return Brace.INIT
    if "namespace" in words or (words[0] == "extern" and previous == '"'):
        return Brace.NAMESPACE
    if words[0] in CONTROL and previous in (")", "]", "else", "do", "try", ":"):
        return Brace.BLOCK
    if is_class_head(words):
        return Brace.CLASS
    return Brace.FUNCTION if is_function_head(words) else Brace.INIT


def declaration_head(tokens, index):
    """Indexes of the tokens before a brace, back to where its statement or argument starts."""
    head = []
    at = index - 1
    while at >= 0:
        token = tokens[at]
        if token.text in (")", "]") and token.partner is not None:
            head.extend(range(at, token.partner - 1, -1))
            at = token.partner - 1
            continue
        if token.text == "}" and token.partner is not None:
            opener = tokens[token.partner]
            # `: a_{1}, b_{2} {` goes on; any other brace ends the statement before.
            if opener.opens is not Brace.INIT or tokens[at + 1].text not in (",", "{"):
                break
            head.extend(range(at, token.partner - 1, -1))
            at = token.partner - 1
            continue
        if token.text in (";", "{", "}"):
            break
        if token.text in ("(", "["):
            head.append(at)
            break
        head.append(at)
        at -= 1
    return head[::-1]


def top_level(tokens, head):
    """The words of a head that stand in no bracket and in no template parameter list."""
    words = []
    at = 0
    while at < len(head):
        token = tokens[head[at]]
        words.append(token.text)
        if token.text in CLOSING and token.partner is not None and token.partner <= head[-1]:
            at += token.partner - head[at]
            continue
        if token.text == "template" and at + 1 < len(head) and tokens[head[at + 1]].text == "<":
            at = skip_angles(tokens, head, at + 1)
            continue
        at += 1
    return words


def skip_angles(tokens, head, at):
    """The position behind the `>` that closes the `<` at position `at` of the head."""
    depth = 0
    while at < len(head):
        text = tokens[head[at]].text
        depth += (text == "<") - (text == ">")
        at += 1
        if depth == 0:
            break
    return at


def is_class_head(words):
    keys = [at for at, word in enumerate(words) if word in ("class", "struct", "union", "enum")]
    if not keys:
        return False
    rest = words[keys[0]:]
    return all(rest[at - 1] == "alignas" for at, word in enumerate(rest) if word == "(")


def is_function_head(words):
    """A parameter list, then only specifiers, member initialisers or a trailing return type."""
    if "(" not in words or ("=" in words and "operator" not in words):
        return False
    if words.index("(") == 0 or words[0] in ("return", "co_return", "co_await", "throw"):
        return False
    behind = words[words.index("("):]
    return words[-1] in BEFORE_BODY or "->" in behind or "requires" in behind


def is_lambda_introducer(tokens, index):
    """Whether the `[` at index starts a lambda: no subscript, no attribute, no array bound."""
    token = tokens[index]
    if token.text != "[" or token.partner is None or token.partner + 1 >= len(tokens):
        return False
    if tokens[index + 1].text == "[" or index and tokens[index - 1].text == "[":
        return False
    if tokens[token.partner + 1].text not in ("(", "{", "<", "mutable", "noexcept", "->"):
        return False
    previous = tokens[index - 1].text if index else ";"
    if previous in ("return", "co_return", "co_await", "co_yield", "case", "throw"):
        return True
    return not (previous in (")", "]", "}", '"') or re.match(r"\w", previous))


def lambda_body(tokens, introducer):
    """The index of the `{` of the lambda that starts at the introducer, or None."""
    at = tokens[introducer].partner + 1
    if tokens[at].text == "<":
        at = skip_angles(tokens, range(len(tokens)), at)
    in_type = False
    while at < len(tokens):
        text = tokens[at].text
        if text == "{":
            return at
        if text in (";", ")", "}", "]") or (text == "," and not in_type):
            return None
        in_type = in_type or text == "->"
        at = tokens[at].partner + 1 if text in CLOSING and tokens[at].partner else at + 1
    return None
