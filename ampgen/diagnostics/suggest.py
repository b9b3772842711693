"""The known name that a wrong one was most likely meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH = 100  # the distance costs the product of the lengths


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The nearest of the known names, or ``None`` if none is near.

    A name that differs in case or underscores alone always wins. Else one slip (a
    letter too many, missing, wrong, or two exchanged) is forgiven for every three
    letters, so that names of one or two letters match nothing. Of several equally near
    the first is taken.
    """
    if len(name) > MAX_LENGTH:
        return None
    candidates = [candidate for candidate in known if candidate != name]
    plain = _plain(name)
    for candidate in candidates:
        if plain and _plain(candidate) == plain:
            return candidate
    best, allowed = None, len(name) // 3
    for candidate in candidates:
        if abs(len(candidate) - len(name)) > allowed or len(candidate) < 3:
            continue
        distance = _distance(name.lower(), candidate.lower())
        if distance <= allowed and 3 * distance <= len(candidate):
            best, allowed = candidate, distance - 1
    return best


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _distance(one: str, other: str) -> int:
    """Damerau's distance, in the form that never changes a letter twice."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, match in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != match))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == match:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
