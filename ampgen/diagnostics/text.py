"""For people: each finding with its source lines.

error[AMP0204]: unknown type `Piont`
  --> schemas/text.amp:12:9
   |
12 |     at: Piont;
   |         ^^^^^ not declared here or in an import
   |
   = help: did you mean `Point`?
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from ampgen.diagnostics import Severity
from ampgen.diagnostics.snippet import Snippet, snippet, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.diagnostics import Diagnostic, Label

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"
_RED = "\x1b[1;31m"
_YELLOW = "\x1b[1;33m"
_CYAN = "\x1b[1;36m"
_BLUE = "\x1b[1;34m"

_COLOURS = {
    Severity.ERROR: _RED,
    Severity.WARNING: _YELLOW,
    Severity.NOTE: _CYAN,
}


def text(diagnostics: Sequence[Diagnostic], colour: bool) -> str:
    """All findings, a blank line behind each, and how many they are."""
    if not diagnostics:
        return ""
    pieces = [
        "\n".join(_Block(diagnostic, colour).lines()) for diagnostic in diagnostics
    ]
    return "\n\n".join([*pieces, summary(diagnostics)]) + "\n"


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """``3 errors, 1 warning``."""
    counts = Counter(diagnostic.rule.severity for diagnostic in diagnostics)
    return ", ".join(
        f"{counts[severity]} {severity.value}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    )


class _Block:
    def __init__(self, diagnostic: Diagnostic, colour: bool) -> None:
        self._diagnostic = diagnostic
        self._colour = colour
        self._main_colour = _COLOURS[diagnostic.rule.severity]
        lines = [_line(label) for label in _labels(diagnostic)]
        self._gutter = " " * len(str(max(lines, default=0)))

    def lines(self) -> Iterator[str]:
        rule, primary = self._diagnostic.rule, self._diagnostic.primary
        kind = self._paint(f"{rule.severity.value}[{rule.code}]", self._main_colour)
        yield f"{kind}{self._paint(f': {visible(self._diagnostic.message)}', _BOLD)}"
        if primary is not None:
            arrow = "-->"
            for labels in _by_file(primary, self._diagnostic.related):
                first = primary if primary in labels else labels[0]
                place = visible(first.span.place)
                yield f"{self._gutter}{self._paint(arrow, _BLUE)} {place}"
                yield self._bar()
                yield from self._snippets(labels)
                arrow = ":::"
        told = [("note", note) for note in self._diagnostic.notes]
        if self._diagnostic.help is not None:
            told.append(("help", self._diagnostic.help))
        if told and primary is not None:
            yield self._bar()
        for word, sentences in told:
            yield from self._told(word, sentences)

    def _snippets(self, labels: Sequence[Label]) -> Iterator[str]:
        last = 0  # the number of the line before
        in_order = sorted(labels, key=lambda label: label.span.start)
        for number, on_line in groupby(in_order, key=_line):
            if last and number > last + 1:
                yield self._paint("...", _BLUE)
            last = number
            marks = [(snippet(label.span), label) for label in on_line]
            if _collide([mark for mark, _label in marks]):
                for mark in marks:
                    yield from self._marked_line(number, [mark])
            else:
                yield from self._marked_line(number, marks)

    def _marked_line(
        self, number: int, marks: Sequence[tuple[Snippet, Label]]
    ) -> Iterator[str]:
        """A source line, its carets, the last label beside them, the others below."""
        margin = self._paint(f"{number:>{len(self._gutter)}} |", _BLUE)
        yield f"{margin} {marks[0][0].line}".rstrip()
        row, at = f"{self._bar()} ", 0
        for mark, label in marks:
            is_last = mark is marks[-1][0]
            text_beside = f" {visible(label.text)}".rstrip() if is_last else ""
            carets = self._caret(label) * mark.carets
            row += " " * (mark.indent - at)
            row += self._paint(f"{carets}{text_beside}", self._colour_of(label))
            at = mark.indent + mark.carets
        yield row
        for mark, label in reversed(marks[:-1]):
            if label.text:
                below = self._paint(visible(label.text), self._colour_of(label))
                yield f"{self._bar()} {' ' * mark.indent}{below}"

    def _caret(self, label: Label) -> str:
        return "^" if label is self._diagnostic.primary else "-"

    def _colour_of(self, label: Label) -> str:
        is_primary = label is self._diagnostic.primary
        return self._main_colour if is_primary else _BLUE

    def _told(self, word: str, sentences: str) -> Iterator[str]:
        lead = f"{self._gutter} {self._paint('=', _BLUE)} {self._paint(word, _BOLD)}: "
        first, *further = sentences.splitlines() or [""]
        yield f"{lead}{visible(first)}"
        for line in further:
            yield f"{self._gutter}         {visible(line)}".rstrip()

    def _bar(self) -> str:
        return f"{self._gutter} {self._paint('|', _BLUE)}"

    def _paint(self, piece: str, colour: str) -> str:
        return f"{colour}{piece}{_RESET}" if self._colour else piece


def _labels(diagnostic: Diagnostic) -> list[Label]:
    primary = diagnostic.primary
    return [*diagnostic.related] if primary is None else [primary, *diagnostic.related]


def _collide(marks: Sequence[Snippet]) -> bool:
    """Whether marks of one line overlap, or the line was cut differently for them."""
    return any(
        one.line != other.line or one.indent + one.carets > other.indent
        for one, other in pairwise(marks)
    )


def _line(label: Label) -> int:
    return label.span.source.position(label.span.start)[0]


def _by_file(primary: Label, related: Sequence[Label]) -> list[list[Label]]:
    """The labels of each file, the primary label's first."""
    files: dict[int, list[Label]] = {}
    for label in (primary, *related):
        files.setdefault(id(label.span.source), []).append(label)
    return list(files.values())
