"""One source line as a terminal shows it, and the carets under it.

What is counted here are the cells of a terminal: a tab is four, a wide character two, a
combining one none. Nothing reaches the terminal that could move its cursor.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ampgen.source import Span

TAB = "    "
MAX_WIDTH = 160  # a longer line is cut around its carets
_LEAD = 40  # how much of a cut line is shown before the carets
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # they end lines, turn them round, or act


def visible(text: str) -> str:
    """The text with everything replaced that a terminal would act upon."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == "\t":
        return TAB
    if character < " ":
        return chr(0x2400 + ord(character))  # its picture: ␛ for escape
    if unicodedata.category(character) in _UNSAFE and character not in _JOINERS:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def width(shown: str) -> int:
    """How many cells a text takes that :func:`visible` has returned."""
    return sum(_cells(character) for character in shown)


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in {"Mn", "Me"} or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


@dataclass(frozen=True, slots=True)
class Snippet:
    """A line; in cells, where its carets begin and how many they are (one or more)."""

    line: str
    indent: int
    carets: int


def snippet(span: Span) -> Snippet:
    """The first line of a span, with carets under as much of the span as lies in it."""
    number, column = span.source.position(span.start)
    line = span.source.line(number)
    start = min(column - 1, len(line))
    end = min(start + max(span.end - span.start, 0), len(line))
    before, under, after = (
        visible(line[:start]),
        visible(line[start:end]),
        visible(line[end:]),
    )
    indent, carets = width(before), max(width(under), 1)
    if indent + width(under) + width(after) <= MAX_WIDTH:
        return Snippet(before + under + after, indent, carets)
    before = _end_of(before, _LEAD)
    room = MAX_WIDTH - width(before)
    under = _start_of(under, room)
    after = _start_of(after, room - width(under)) if width(under) < room else ""
    return Snippet(before + under + after, width(before), max(width(under), 1))


def _end_of(text: str, room: int) -> str:
    """The end of a text in so many cells; `…` stands for what is cut off."""
    if width(text) <= room:
        return text
    taken, used = len(text), 1
    while used + _cells(text[taken - 1]) <= room:
        taken -= 1
        used += _cells(text[taken])
    return "…" + text[taken:]


def _start_of(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    taken, used = 0, 1
    while used + _cells(text[taken]) <= room:
        used += _cells(text[taken])
        taken += 1
    return text[:taken] + "…"
