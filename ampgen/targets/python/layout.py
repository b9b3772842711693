"""Lay out statements as ``ruff format`` with its defaults would.

A statement is a run of parts: text that is never broken, and bracketed groups. A part
is a string: its text on one line, worked out once, however often it is asked for. What
fits in 88 columns stands on one line; else groups are opened, the last one first, one
item a line, with the trailing comma that keeps them open. A name may be so long that
even this does not fit; such a statement ends in ``# fmt: skip``, since how a formatter
breaks it further is not worth copying.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Self

WIDTH = 88  # ruff's default
INDENT = " " * 4

# A formatter leaves a lone name or literal in a bracket as it is, however long.
_UNBREAKABLE = re.compile(r""" *(\w+=)?([\w.]+|b?"[^"]*"|b?'[^']*'),?""")


class Group(str):
    """Brackets and what they hold. ``open`` may begin with what stands before them, if
    that is never broken: ``f(``.

    ``bare``: no brackets are written while it fits on one line (an import's names).
    """

    __slots__ = ("close", "items", "open")
    open: str
    items: tuple[Part, ...]
    close: str

    def __new__(
        cls, open_: str, items: tuple[Part, ...], close: str, *, bare: bool = False
    ) -> Self:
        inside = ", ".join(items)
        self = str.__new__(cls, inside if bare else f"{open_}{inside}{close}")
        self.open = open_
        self.items = items
        self.close = close
        return self


class Either(str):
    """``A | B``. Where that is too long for a line, it stands in parentheses; inside
    other brackets without.
    """

    __slots__ = ("items",)
    items: tuple[Part, ...]

    def __new__(cls, items: tuple[Part, ...]) -> Self:
        self = str.__new__(cls, " | ".join(items))
        self.items = items
        return self


class Run(str):
    """Parts one behind the other."""

    __slots__ = ("parts",)
    parts: tuple[Part, ...]

    def __new__(cls, *parts: Part) -> Self:
        self = str.__new__(cls, "".join(parts))
        self.parts = parts
        return self


Part: TypeAlias = str  # of a class above, or never broken


def call(function: Part, *arguments: Part) -> Part:
    if type(function) is str:
        return Group(f"{function}(", arguments, ")")
    return Run(function, Group("(", arguments, ")"))


def subscript(name: str, *arguments: Part) -> Part:
    return Group(f"{name}[", arguments, "]")


def a_tuple(items: tuple[Part, ...]) -> Part:
    """``(a,)`` needs its comma even on one line."""
    return Group("(", items, ",)" if len(items) == 1 else ")")


def either(*items: Part) -> Part:
    """One of the types; an item may be such a choice itself."""
    parts: list[Part] = []
    for item in items:
        parts += item.items if isinstance(item, Either) else (item,)
    return Either(tuple(parts)) if parts[1:] else parts[0]


def statement(*parts: Part, indent: int = 0) -> str:
    """A whole statement, or the header of a compound one, ``indent`` levels in.

    The first line is indented as well; there is no line end behind the last.
    """
    margin = INDENT * indent
    line = margin + "".join(parts)
    if len(line) <= WIDTH:
        return line
    text = margin + _lay(Run(*parts), len(margin), 0)
    too_long = [line for line in text.split("\n") if len(line) > WIDTH]
    if not all(map(_UNBREAKABLE.fullmatch, too_long)):
        text += "  # fmt: skip"
    return text


def fits(*parts: Part, indent: int = 0) -> bool:
    """Does it stand on one line?"""
    return len(INDENT) * indent + sum(map(len, parts)) <= WIDTH


def _lay(part: Part, margin: int, after: int, *, inside: bool = False) -> str:
    """A part that does not fit on a line, begun at column ``margin`` of one that starts
    there, with ``after`` more columns to follow on its last. ``inside``: of brackets.
    """
    pieces = _pieces(part)
    groups = [
        at for at, one in enumerate(pieces) if type(one) is not str and _can_open(one)
    ]
    text = part
    for count in range(1, len(groups) + 1):
        for opened in _preferred(pieces, list(combinations(groups, count))):
            text = ""
            for at, piece in enumerate(pieces):
                if at not in opened:
                    text += piece
                elif isinstance(piece, Group):
                    text += _open(piece, margin)
                elif isinstance(piece, Either) and inside:
                    text = _open_inside(piece, margin, text)
                elif isinstance(piece, Either):
                    text += _open_either(piece, margin)
            lines = text.split("\n")
            if margin + len(lines[0]) <= WIDTH and len(lines[-1]) + after <= WIDTH:
                return text
    return text


def _preferred(
    pieces: list[Part], choices: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Of a function the parameters are opened first, else the last group."""
    if pieces[0].startswith(("def ", "async def ")):
        return [choice for choice in choices if choice[0] == 1]
    return choices[::-1]


def _pieces(part: Part) -> list[Part]:
    if not isinstance(part, Run):
        return [part]
    pieces: list[Part] = []
    for inner in part.parts:
        pieces += _pieces(inner) if isinstance(inner, Run) else (inner,)
    return pieces


def _can_open(piece: Part) -> bool:
    if not isinstance(piece, Group | Either):
        return False
    if len(piece.items) == 1 and isinstance(piece, Group):
        is_subscript = piece.open.endswith("[") and piece.open != "["
        return not is_subscript  # the comma would make a tuple of its one item
    return bool(piece.items)


def _open(group: Group, margin: int) -> str:
    inner = margin + len(INDENT)
    room = WIDTH - inner - 1
    lines = [
        item if len(item) <= room else _lay(item, inner, 1, inside=True)
        for item in group.items
    ]
    before = f"\n{' ' * inner}"
    text = f"{group.open}{before}{f',{before}'.join(lines)},"
    return f"{text}\n{' ' * margin}{group.close.removeprefix(',')}"


def _open_either(either: Either, margin: int) -> str:
    inner = margin + len(INDENT)
    body: str = either
    if inner + len(body) > WIDTH:
        body = _open_inside(either, inner, "")
    return f"(\n{' ' * inner}{body}\n{' ' * margin})"


def _open_inside(either: Either, margin: int, before: str) -> str:
    """One item a line, the first behind what stands ``before`` it."""
    first, *rest = either.items
    room = WIDTH - margin
    lines = [
        item if len(item) <= room else _lay(item, margin, 0, inside=True)
        for item in (Run(before, first), *(Run("| ", other) for other in rest))
    ]
    return f"\n{' ' * margin}".join(lines)


@lru_cache(maxsize=4096)  # of names mostly, and those come again
def string(text: str) -> str:
    """A string literal: in double quotes, unless single ones need fewer escapes."""
    quote = _quote(text.count('"'), text.count("'"))
    if '"' not in text and "'" not in text:
        return quote + repr(text)[1:-1] + quote
    return quote + "".join(_escape(c, repr(c)[1:-1], quote) for c in text) + quote


def byte_string(data: bytes, escaped: Collection[int] = ()) -> str:
    """A bytes literal; the bytes at the places ``escaped`` are written as ``\\xNN``."""
    quote = '"'
    if b'"' in data:
        shown = bytes(byte for at, byte in enumerate(data) if at not in escaped)
        quote = _quote(shown.count(b'"'), shown.count(b"'"))
    written = _BYTES[quote]
    text = "".join(
        [
            f"\\x{byte:02x}" if at in escaped else written[byte]
            for at, byte in enumerate(data)
        ]
    )
    return f"b{quote}{text}{quote}"


def _quote(double: int, single: int) -> str:
    return "'" if double > single else '"'


def _escape(character: str, shown: str, quote: str) -> str:
    if character in "'\"":
        return f"\\{character}" if character == quote else character
    return shown


# Quote -> how each byte is written between two of it.
_BYTES = {
    quote: tuple(
        _escape(chr(byte), repr(bytes([byte]))[2:-1], quote) for byte in range(256)
    )
    for quote in "'\""
}


def number(value: float) -> str:
    """A finite float's literal, the exponent without its plus."""
    return repr(value).replace("e+", "e")
