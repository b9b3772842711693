"""The report and its plot, put into the docs."""

from __future__ import annotations

from typing import Any

from benchmarks.environment import ROOT
from benchmarks.plot import draw

PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"
BEGIN = "<!-- figures: begin (python -m benchmarks --publish) -->\n"
END = "<!-- figures: end -->\n"


def publish(results: dict[str, Any], report: str) -> None:
    """Replace what stands between the marks of the page."""
    text = PAGE.read_text()
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.relative_to(ROOT)} has lost its marks for the figures")
    PAGE.write_text(f"{before}{begin}\n{report}\n{end}{after}")
    draw(results, PLOT)
