"""The arithmetic: medians, ratios within a round, percentiles.

A machine's pace changes from one minute to the next, by as much as what we compare.
Two peers are therefore compared within a round, where they ran one after the other; the
ratio of a run is the median of its rounds' ratios, with their range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

Rounds: TypeAlias = Sequence[float | None]
"""One figure for each round; ``None`` where it failed."""


@dataclass(frozen=True, slots=True)
class Spread:
    median: float
    low: float
    high: float


def spread(rounds: Rounds) -> Spread | None:
    """``None`` where no round gave a figure."""
    known = [figure for figure in rounds if figure is not None]
    if not known:
        return None
    return Spread(median(known), min(known), max(known))


def ratio(ours: Rounds, theirs: Rounds) -> Spread | None:
    """How many times theirs is ours, over the rounds in which both have a figure."""
    return spread(
        [
            a / b if a is not None and b else None
            for a, b in zip(ours, theirs, strict=True)
        ]
    )


def percentiles(ordered: Sequence[float]) -> dict[str, float]:
    """Of figures in ascending order: the least that this share does not exceed."""
    return {
        name: ordered[max(0, -(-len(ordered) * per_mille // 1000) - 1)]
        for name, per_mille in (("p50", 500), ("p99", 990), ("p99.9", 999))
    }
