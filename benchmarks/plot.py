"""The plot: calls per second of each peer, one panel for each workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

if TYPE_CHECKING:
    from pathlib import Path

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "ampgen"  # the same figures, the same bytes

from matplotlib import pyplot as plt  # noqa: E402

from benchmarks.figures import spread  # noqa: E402
from benchmarks.roster import OURS, PEERS  # noqa: E402
from benchmarks.tables import number  # noqa: E402

PANELS = {
    "seq": "one call at a time",
    "p16": "16 calls in flight",
    "p64": "64 calls in flight",
    "p256": "256 calls in flight",
    "l1": "a list of 200 records there and back",
    "l16": "16 such calls in flight",
    "c1000": "1,000 connections",
}


def draw(results: dict[str, Any], path: Path) -> None:
    paces = results["throughput"]["paces"]
    panels = [workload for workload in PANELS if workload in paces]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(8, 2.1 * len(panels)), squeeze=False
    )
    for axis, workload in zip(axes.flat, panels, strict=True):
        found = {
            name: spread(paces[workload][name])
            for name in reversed(PEERS)
            if name in paces[workload] and name != "floor"
        }
        found = {name: pace for name, pace in found.items() if pace is not None}
        medians = [pace.median for pace in found.values()]
        errors = [
            [pace.median - pace.low for pace in found.values()],
            [pace.high - pace.median for pace in found.values()],
        ]
        colours = ["#2a6f97" if n.startswith(OURS) else "#b8b8b8" for n in found]
        bars = axis.barh(
            list(found), medians, xerr=errors, color=colours, ecolor="#666666"
        )
        axis.bar_label(bars, [number(m) for m in medians], padding=6, fontsize=8)
        axis.set_title(PANELS[workload], loc="left", fontsize=10)
        axis.margins(x=0.15)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes.flat[-1].set_xlabel("calls per second: median, and range over the rounds")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
