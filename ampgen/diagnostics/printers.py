"""Diagnostics -> text: the formats, in one table.

A printer takes diagnostics that are already in order, and whether to colour, and
returns the text, with its last line end. Columns count code points from 1; an end is
where the span has ended, so a span of one character ends one column further.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from ampgen.diagnostics.machine import github, json_lines, sarif, short
from ampgen.diagnostics.text import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TextIO

    from ampgen.diagnostics import Diagnostic

Printer: TypeAlias = "Callable[[Sequence[Diagnostic], bool], str]"

PRINTERS: Mapping[str, Printer] = MappingProxyType(
    {
        "text": text,
        "short": lambda diagnostics, _colour: short(diagnostics),
        "json": lambda diagnostics, _colour: json_lines(diagnostics),
        "github": lambda diagnostics, _colour: github(diagnostics),
        "sarif": lambda diagnostics, _colour: sarif(diagnostics),
    }
)


def print_diagnostics(
    diagnostics: Iterable[Diagnostic],
    stream: TextIO,
    format: str = "text",  # noqa: A002 (as the option is called)
    colour: bool = False,
) -> None:
    """Write diagnostics to a stream, ordered by file and place.

    ``format`` is a key of :data:`PRINTERS`; ``text`` alone has colour. A character that
    the stream's encoding lacks is written as an escape: a report never fails for the
    terminal that it is shown on.
    """
    written = PRINTERS[format](in_order(diagnostics), colour)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(written.encode(encoding, "backslashreplace").decode(encoding))


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file and place; those without a place come first."""

    def place(diagnostic: Diagnostic) -> tuple[str, int, int]:
        if diagnostic.primary is None:
            return ("", -1, -1)
        span = diagnostic.primary.span
        return (span.source.path, span.start, span.end)

    return sorted(diagnostics, key=place)
