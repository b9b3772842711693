"""Where the places in a mended text were before it was mended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ampgen.diagnostics.fixes import Edit, Fix
from ampgen.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ampgen.diagnostics import Diagnostic, Label


@dataclass(slots=True)
class History:
    """The edits that were made, step by step; of each file its text at first."""

    _first: dict[str, Source] = field(default_factory=dict[str, Source])
    _steps: dict[str, list[list[Edit]]] = field(
        default_factory=dict[str, "list[list[Edit]]"]
    )

    def note(self, edits: Mapping[Source, Sequence[Edit]]) -> None:
        """One more step; the places are those of the texts before it."""
        for source, there in edits.items():
            self._first.setdefault(source.path, source)
            in_order = sorted(there, key=lambda edit: (edit.span.start, edit.span.end))
            self._steps.setdefault(source.path, []).append(in_order)

    def as_it_was(self, told: Diagnostic) -> Diagnostic:
        """The same with places in the texts before the first step."""
        return replace(
            told,
            primary=None if told.primary is None else self._label(told.primary),
            related=tuple(map(self._label, told.related)),
            fix=None if told.fix is None else self._fix(told.fix),
        )

    def _label(self, label: Label) -> Label:
        return replace(label, span=self._span(label.span))

    def _fix(self, fix: Fix) -> Fix:
        edits = (Edit(self._span(edit.span), edit.text) for edit in fix.edits)
        return replace(fix, edits=tuple(edits))

    def _span(self, span: Span) -> Span:
        path = span.source.path
        if path not in self._first:
            return span
        start, last = span.start, max(span.start, span.end - 1)
        for step in reversed(self._steps[path]):
            start, last = _before(step, start)[0], _before(step, last)[1]
        end = last + 1 if span.end > span.start else start
        size = len(self._first[path].text)
        return Span(self._first[path], min(start, size), min(max(start, end), size))


def _before(edits: Sequence[Edit], offset: int) -> tuple[int, int]:
    """The first and the last that a character may have been at before these edits.

    What an edit has written stands for all that it has replaced.
    """
    shift = 0  # how much further on the text is by now
    for edit in edits:
        start = edit.span.start + shift
        if offset < start:
            break
        if offset < start + len(edit.text):
            return edit.span.start, max(edit.span.start, edit.span.end - 1)
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return offset - shift, offset - shift
