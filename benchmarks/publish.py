"""The report and its plot, put into the docs: a place on the page for each Python."""

from __future__ import annotations

from typing import Any

from benchmarks.environment import ROOT
from benchmarks.plot import draw

PAGE = ROOT / "docs" / "performance.md"
END = "<!-- end of figures -->\n"


def publish(results: dict[str, Any], report: str) -> None:
    """Replace what stands between this Python's marks; draw the plot if it is shown."""
    python = results["about"]["python"].rpartition(".")[0]  # CPython 3.13
    begin = f"<!-- figures of {python}, by python -m benchmarks --publish -->\n"
    text = PAGE.read_text()
    before, mark, rest = text.partition(begin)
    _old, end, after = rest.partition(END)
    if not mark or not end:
        raise SystemExit(
            f"{PAGE.relative_to(ROOT)} has no place for these figures: mark one with"
            f"\n{begin}{END}"
        )
    PAGE.write_text(f"{before}{begin}\n{report}\n{end}{after}")
    plot = f"performance-{python.lower().replace(' ', '-')}.svg"
    if plot in text and "throughput" in results:
        draw(results, PAGE.with_name(plot))
