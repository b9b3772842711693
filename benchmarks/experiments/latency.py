"""How long a call takes at half of the peak, and all peers at one and the same rate."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from benchmarks.figures import spread
from benchmarks.processes import Failed, Pair
from benchmarks.progress import progress
from benchmarks.roster import PEERS
from benchmarks.tables import Table, median, number
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.plan import Plan

PERCENTILES = ("p50", "p99", "p99.9")


def measure(plan: Plan) -> dict[str, Any]:
    """``own``: at half of the peer's own peak; ``common``: of the slowest peer's."""
    names = [name for name in plan.peers if PEERS[name].latency]
    failed: dict[str, str] = {}
    with ExitStack() as stack:
        pairs: dict[str, Pair] = {}
        peaks: dict[str, float] = {}
        for name in names:
            try:
                pair = stack.enter_context(Pair(name, plan.logs))
                peaks[name] = max(
                    pair.closed_loop(WORKLOADS[workload], plan.seconds).calls or 0.0
                    for workload in ("p64", "p256")
                )
                pairs[name] = pair
            except Failed as failure:
                failed[name] = str(failure)
        rates = {
            "own": {name: peak / 2 for name, peak in peaks.items()},
            "common": dict.fromkeys(peaks, min(peaks.values(), default=0.0) / 2),
        }
        found: dict[str, Any] = {kind: {} for kind in rates}
        for turn in range(plan.rounds):
            for kind, by_peer in rates.items():
                for name in plan.rotated(tuple(pairs), turn):
                    progress(f"round {turn + 1}/{plan.rounds}: latency, {name}")
                    row = found[kind].setdefault(
                        name, {"rate": by_peer[name], **{p: [] for p in PERCENTILES}}
                    )
                    try:
                        came = pairs[name].open_loop(by_peer[name], plan.seconds * 2)
                    except Failed as failure:
                        failed[f"{name}, {kind}"] = str(failure)
                    else:
                        for percentile in PERCENTILES:
                            row[percentile].append(came[percentile])
    return {**found, "failed": failed}


def tables(found: dict[str, Any]) -> Iterable[Table]:
    titles = {
        "own": "Latency at half of each one's own peak (ms)",
        "common": "Latency, all at one rate: half of the slowest one's peak (ms)",
    }
    for kind, title in titles.items():
        yield Table(
            title,
            ("", "calls/s", *PERCENTILES),
            [
                (
                    name,
                    number(row["rate"]),
                    *(
                        median(spread([1000 * figure for figure in row[percentile]]))
                        for percentile in PERCENTILES
                    ),
                )
                for name, row in found[kind].items()
            ],
            tuple(f"Not measured: {w}: {why}" for w, why in found["failed"].items()),
        )
