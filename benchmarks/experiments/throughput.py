"""Calls per second under each workload, in rounds that take every peer in turn."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

from benchmarks.figures import ratio, spread
from benchmarks.processes import Failed, Pace, Pair
from benchmarks.progress import progress
from benchmarks.roster import BEFORE, OURS, PEERS
from benchmarks.tables import NOTHING, Table, median, times
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.figures import Rounds
    from benchmarks.plan import Plan

_ByWorkload: TypeAlias = dict[str, dict[str, list[float | None]]]

COMPARED = ("Twisted AMP", "grpc.aio", "floor", BEFORE)


def measure(plan: Plan) -> dict[str, Any]:
    paces: _ByWorkload = {}
    server: _ByWorkload = {}
    client: _ByWorkload = {}
    failed: dict[str, str] = {}
    with ExitStack() as stack:
        pairs: dict[str, Pair] = {}
        for name in plan.peers:
            try:
                first = plan.before if name == BEFORE else None
                pairs[name] = stack.enter_context(Pair(name, plan.logs, first))
            except Failed as failure:
                failed[name] = str(failure)
        for turn in range(plan.rounds):
            for workload in plan.workloads:
                for name in plan.rotated(tuple(pairs), turn):
                    if workload not in PEERS[name].workloads:
                        continue
                    progress(f"round {turn + 1}/{plan.rounds}: {workload}, {name}")
                    pace = Pace(None, None, None)
                    try:
                        pace = pairs[name].closed_loop(
                            WORKLOADS[workload], plan.seconds
                        )
                    except Failed as failure:
                        failed[f"{name}, {workload}"] = str(failure)
                    for kept, figure in (
                        (paces, pace.calls),
                        (server, pace.server),
                        (client, pace.client),
                    ):
                        kept.setdefault(workload, {}).setdefault(name, []).append(
                            figure
                        )
    return {"paces": paces, "server": server, "client": client, "failed": failed}


def tables(found: dict[str, Any]) -> Iterable[Table]:
    paces: dict[str, dict[str, Rounds]] = found["paces"]
    names = [name for name in PEERS if any(name in by for by in paces.values())]
    yield Table(
        "Calls per second (medians of the rounds)",
        ("", *paces),
        [
            (name, *(median(spread(by.get(name, ()))) for by in paces.values()))
            for name in names
        ],
        tuple(f"Not measured: {who}: {why}" for who, why in found["failed"].items()),
    )
    yield Table(
        "Processor time of a call, server + client (µs)",
        ("", *paces),
        [
            (name, *(_processor(found, workload, name) for workload in paces))
            for name in names
        ],
    )
    for other in COMPARED:
        if other in names:
            yield Table(
                f"Ratios to {other}: median (range) over the rounds",
                ("", *paces),
                [
                    (name, *(_ratio(by, name, other) for by in paces.values()))
                    for name in names
                    if name.startswith(OURS)
                ],
            )


def _processor(found: dict[str, Any], workload: str, name: str) -> str:
    ends = [spread(found[end][workload].get(name, ())) for end in ("server", "client")]
    return NOTHING if None in ends else " + ".join(map(median, ends))


def _ratio(by_peer: dict[str, Rounds], ours: str, theirs: str) -> str:
    if ours not in by_peer or theirs not in by_peer:
        return times(None)
    return times(ratio(by_peer[ours], by_peer[theirs]))
