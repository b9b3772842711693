"""The tokens of a file, and the comments between them.

The text is one that the parser has read without an error, so that nothing here can be
unexpected. What the grammar tells apart by context (a keyword, a name) is one kind of
token here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from ampgen.language.literals import decode_string

# The same tokens that grammar.lark has; the test of this module compares the two.
_PIECE = re.compile(
    r"(?P<space>[ \t\r\n\f\uFEFF]*)(?:"
    r"(?P<comment>//[^\n]*|/\*(?s:.)*?\*/)"
    r'|(?P<token>"(?:\\.|[^"\\])*"|->|-?[0-9](?:[eE][+-](?=[0-9])|[\w.])*|-inf\b|\w+|.)'
    r"|\Z)"
)
_ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
)


class Kind(Enum):
    LINE = auto()
    BLOCK = auto()
    DOC = auto()
    FILE_DOC = auto()


@dataclass(slots=True)
class Comment:
    """``text`` in its canonical form. The rest says where it stood: on a line of its
    own, behind a blank line, as the last thing of its line.
    """

    kind: Kind
    text: str
    own_line: bool
    blank_before: bool
    ends_line: bool = True

    def lines(self, column: int) -> list[str]:
        """The comment as it stands at a column: stars are below the first one."""
        first, *rest = self.text.split("\n")
        if all(line.lstrip().startswith("*") for line in rest):
            rest = [f"{' ' * (column + 1)}{line.lstrip()}" for line in rest]
        return [first, *rest]

    @property
    def is_inline(self) -> bool:
        """May something stand behind it on its line, and nothing be broken by it?"""
        return self.kind is Kind.BLOCK and "\n" not in self.text


@dataclass(slots=True)
class Token:
    """``before``: the comments between the last token and this one."""

    text: str
    before: tuple[Comment, ...] = ()
    own_line: bool = False
    blank_before: bool = False


def tokenise(text: str) -> list[Token]:
    """All tokens, and an empty one for the end of the file."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    lines = 1  # line ends since the last token or comment: a file begins on a new line
    for space, comment, token in _PIECE.findall(text):
        if space:
            lines += space.count("\n")
        if comments and (comment or token):
            comments[-1].ends_line = lines > 0
        if token:
            written = canonical_string(token) if token[0] == '"' else token
            before = tuple(comments) if comments else ()
            tokens.append(Token(written, before, lines > 0, lines > 1))
            comments = []
        elif comment:
            comments.append(_comment(comment, own_line=lines > 0, blank=lines > 1))
        lines = 0
    tokens.append(Token("", tuple(comments), own_line=True))
    return tokens


def canonical_string(raw: str) -> str:
    """A string with the escapes that it needs, and no others."""
    if "\\" not in raw and raw.isascii() and raw.isprintable():
        return raw
    value, _faults = decode_string(raw)
    return quoted(value)


def quoted(value: str) -> str:
    """The string that has this value."""
    escaped = value.translate(_ESCAPES)
    if not escaped.isprintable():
        escaped = "".join(
            c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped
        )
    return f'"{escaped}"'


def _comment(raw: str, *, own_line: bool, blank: bool) -> Comment:
    if raw.startswith("/*"):
        text = "\n".join(line.rstrip() for line in raw.split("\n"))
        return Comment(Kind.BLOCK, text, own_line, blank)
    text = raw.rstrip()
    kind = Kind.LINE
    if text.startswith("//!"):
        kind = Kind.FILE_DOC
    elif text.startswith("///") and not text.startswith("////"):
        kind = Kind.DOC
    if kind is not Kind.LINE and len(text) > 3 and text[3] != " ":
        text = f"{text[:3]} {text[3:]}"
    return Comment(kind, text, own_line, blank)
