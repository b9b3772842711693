"""How long a call takes at half of the peak, and all peers at one and the same rate."""

from __future__ import annotations

import statistics
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
        for name in names:
            try:
                pairs[name] = stack.enter_context(Pair(name, plan.logs))
            except Failed as failure:
                failed[name] = str(failure)
        peaks = _peaks(plan, pairs, failed)
        rates = {
            "own": {name: peak / 2 for name, peak in peaks.items()},
            "common": dict.fromkeys(peaks, min(peaks.values(), default=0.0) / 2),
        }
        found: dict[str, Any] = {kind: {} for kind in rates}
        for turn in range(plan.rounds):
            for kind, by_peer in rates.items():
                for name in plan.rotated(tuple(peaks), turn):
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


def _peaks(
    plan: Plan, pairs: dict[str, Pair], failed: dict[str, str]
) -> dict[str, float]:
    """What each peer holds out: half of the rounds had fewer calls a second, of the
    workload that it is better at. The best second would be a lucky one.
    """
    rates: dict[str, dict[str, list[float]]] = {}
    for turn in range(plan.rounds):
        for name in plan.rotated(tuple(pairs), turn):
            if name in failed:
                continue
            progress(f"round {turn + 1}/{plan.rounds}: peak, {name}")
            try:
                for workload in ("p64", "p256"):
                    came = pairs[name].closed_loop(WORKLOADS[workload], plan.seconds)
                    by_workload = rates.setdefault(name, {})
                    by_workload.setdefault(workload, []).append(came.calls or 0.0)
            except Failed as failure:
                failed[name] = str(failure)
    return {
        name: max(map(statistics.median, by_workload.values()))
        for name, by_workload in rates.items()
        if name not in failed
    }


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
