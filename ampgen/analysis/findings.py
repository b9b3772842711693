"""Where analysis notes what is wrong: it goes on after each, and never raises.

What the parser has refused inside a literal or a name is not refused again: the text
that is looked at then is not the one that the user meant.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from ampgen.diagnostics import Diagnostic, Label
from ampgen.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ampgen.diagnostics import Rule
    from ampgen.diagnostics.fixes import Fix
    from ampgen.source import Source, Span


MAX_COMPARISONS = 20_000  # half a second; a thousand wrong names need no thousand hints


class Findings:
    """Diagnostics in the order found; :func:`ampgen.analysis.analyse` sorts them."""

    __slots__ = ("_comparisons", "_refused", "diagnostics")

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._comparisons = 0
        self._refused: dict[Source, list[int]] = {}

    def parsed(self, source: Source, diagnostics: Sequence[Diagnostic]) -> None:
        """Take over what the parser says of a file, in the order of the text."""
        self.diagnostics.extend(diagnostics)
        self._refused[source] = [
            diagnostic.primary.span.start
            for diagnostic in diagnostics
            if diagnostic.is_error and diagnostic.primary is not None
        ]

    def nearest(self, name: str, known: Collection[str]) -> str | None:
        """The known name that was most likely meant; ``None``, too, after very many."""
        if self._comparisons + len(known) > MAX_COMPARISONS:
            return None
        self._comparisons += len(known)
        return did_you_mean(name, known)

    def add(
        self,
        rule: Rule,
        message: str,
        at: Span | None,
        label: str = "",
        *,
        related: Iterable[tuple[Span, str]] = (),
        help: str | None = None,  # noqa: A002 - the field of that name
        fix: Fix | None = None,
    ) -> None:
        """Note one finding; ``label`` goes under the carets at ``at``."""
        related = tuple(related)
        if (at is not None and self._is_refused(at)) or any(
            self._is_refused(span) for span, _ in related
        ):
            return
        self.diagnostics.append(
            Diagnostic(
                rule,
                message,
                None if at is None else Label(at, label),
                tuple(Label(span, text) for span, text in related),
                help,
                fix,
            )
        )

    def _is_refused(self, span: Span) -> bool:
        """Has the parser refused this literal, or this name?"""
        text = span.text
        if text[:1] in _STARTS_OF_LITERALS:
            starts = self._refused.get(span.source, [])
            index = bisect_left(starts, span.start)
            return index < len(starts) and starts[index] < span.end
        return not text.isascii() and text.isidentifier()


_STARTS_OF_LITERALS = frozenset('"-0123456789')
