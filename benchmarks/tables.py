"""Tables as Markdown: they are read in a terminal and in the docs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.figures import Spread

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """``notes`` stand below it, a paragraph each."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        columns = zip(self.header, *self.rows, strict=True)
        widths = [max(map(len, column)) for column in columns]
        lines = [
            _line(self.header, widths),
            _line(tuple("-" * width for width in widths), widths),
            *(_line(row, widths) for row in self.rows),
        ]
        paragraphs = [f"### {self.title}", "\n".join(lines), *self.notes]
        return "\n\n".join(paragraphs)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def number(value: float) -> str:
    """Three digits that count: more would be noise."""
    if value >= 1000:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def times(spread: Spread | None) -> str:
    """``9.1 (8.7–9.6)``: the median, and the range."""
    if spread is None:
        return NOTHING
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def median(spread: Spread | None) -> str:
    return NOTHING if spread is None else number(spread.median)
