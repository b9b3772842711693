"""How what a diagnostic reports can be mended: edits of the text, as values.

A stage that knows exactly what to write says so beside its help; `ampgen fix` applies
it (:mod:`ampgen.fix`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPACE = " \t"
_BLANK = re.compile(r"[ \t]*\r?\n")
_BLANK_LINES = ("\n\n", "\r\n\r\n")
_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|(//|/\*)')  # or a string, which may look so


@dataclass(frozen=True, slots=True)
class Edit:
    """``text`` is to stand where ``span`` is, which is empty for an insertion."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend what is reported; its edits belong together.

    ``title`` says what is done, in the imperative mood: "write `Point`". ``safe`` tells
    that nobody need look: what is meant is sure, no comment goes, and a schema that was
    sound has the same bytes on the wire and the same names in Python. All else is a
    good guess, or a change that programs notice.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


def writing(span: Span, text: str, *, safe: bool = False) -> Fix:
    """The text of a span is to be another; spaces at its ends are not told."""
    safe = safe and not _has_comment(span)
    return Fix(f"write `{text.strip()}`", (Edit(span, text),), safe)


def inserting(span: Span, text: str, *, safe: bool = False) -> Fix:
    """A text is to stand before a span; spaces at its ends are not told."""
    at = Span(span.source, span.start, span.start)
    return Fix(f"insert `{text.strip()}`", (Edit(at, text),), safe)


def removing(span: Span, what: str = "", *, safe: bool = False) -> Fix:
    """A span is to go, with its line where it has that for itself.

    ``what`` is how it is called, where the text itself would be too long.
    """
    safe = safe and not _has_comment(span)
    return Fix(f"remove {what or f'`{span.text}`'}", (removal(span),), safe)


def _has_comment(span: Span) -> bool:
    return any(found[1] for found in _COMMENT.finditer(span.text))


def removal(span: Span) -> Edit:
    """The edit that takes a span away, with the space that only it needs.

    That is its line, if it has that for itself, and a blank line behind it where there
    is one before it.
    """
    text, start, end = span.source.text, span.start, span.end
    while start and text[start - 1] in _SPACE:
        start -= 1
    while end < len(text) and text[end] in _SPACE:
        end += 1
    begins_line = start == 0 or text[start - 1] == "\n"
    ends_line = end == len(text) or text[end] in "\r\n"
    if begins_line and ends_line:
        end = text.find("\n", end) + 1 or len(text)
        if start == 0 or text[:start].endswith(_BLANK_LINES):
            blank = _BLANK.match(text, end)
            end = blank.end() if blank else end
    elif begins_line or text[start - 1] in "([{":
        start = span.start
    elif not (ends_line or text[end] in ";,)]}"):
        # Between two pieces of text the space stays that was before it, or else behind.
        start, end = span.start, end if start < span.start else span.end
    elif start == span.start and not ends_line:
        end = span.end
    return Edit(Span(span.source, start, end), "")


def applied(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits made that do not overlap; of one place, in the order given."""
    in_order = sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))
    pieces: list[str] = []
    at = 0
    for edit in in_order:
        pieces += (text[at : edit.span.start], edit.text)
        at = edit.span.end
    return "".join((*pieces, text[at:]))
