"""Which fixes can be made at once, and whether a schema is better for them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from typing import TYPE_CHECKING

from ampgen.check import RULES
from ampgen.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.diagnostics import Diagnostic
    from ampgen.diagnostics.fixes import Edit
    from ampgen.source import Source

ERRORS = frozenset(rule.code for rule in RULES if rule.severity is Severity.ERROR)


def edits_of(diagnostics: Sequence[Diagnostic]) -> dict[Source, list[Edit]]:
    """Of the fixes of diagnostics, by file."""
    edits: dict[Source, list[Edit]] = {}
    for one in diagnostics:
        for edit in one.fix.edits if one.fix else ():
            edits.setdefault(edit.span.source, []).append(edit)
    return edits


def compatible(
    wanted: Sequence[Diagnostic],
) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Those that do not change the text of one before them, and the others."""
    first: list[Diagnostic] = []
    others: list[Diagnostic] = []
    taken: dict[Source, list[tuple[int, int]]] = {}
    for one in wanted:
        places = [
            (source, edit.span.start, edit.span.end)
            for source, edits in edits_of([one]).items()
            for edit in edits
        ]
        if any(_meets(taken.get(source, ()), *place) for source, *place in places):
            others.append(one)
            continue
        first.append(one)
        for source, start, end in places:
            insort(taken.setdefault(source, []), (start, end))
    return first, others


def _meets(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Does one of the places overlap with this, or lie at its edge if one is empty?"""
    at = bisect_left(taken, (start, end))
    return any(
        first < end and start < last
        if first < last and start < end
        else first <= end and start <= last
        for first, last in taken[max(at - 1, 0) : at + 1]
    )


def is_better(
    before: Sequence[Diagnostic],
    after: Sequence[Diagnostic],
    made: Sequence[Diagnostic],
) -> bool:
    """Is there no further error, and is what was mended gone?

    A lint that the project has made an error is none: it comes to light, for lints are
    silent where there are errors.
    """
    known, told = counted(before), counted(after)
    gone = counted(made)
    return all(told[one] <= known[one] - gone[one] for one in gone) and all(
        told[one] <= known[one] for one in told if one[1] in ERRORS
    )


def counted(diagnostics: Sequence[Diagnostic]) -> Counter[tuple[str, str, str]]:
    return Counter(map(key, diagnostics))


def key(one: Diagnostic) -> tuple[str, str, str]:
    """By which it is known again when the text around it has changed."""
    path = one.primary.span.source.path if one.primary else ""
    return path, one.rule.code, one.message
