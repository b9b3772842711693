"""Encoding and decoding 200 records, with no connection in between."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.contract import same
from benchmarks.figures import ratio, spread
from benchmarks.peers.codecs import CODECS, TWISTED
from benchmarks.progress import progress
from benchmarks.tables import Table, median, times
from benchmarks.values import RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.figures import Rounds
    from benchmarks.plan import Plan


def measure(plan: Plan) -> dict[str, Any]:
    """Microseconds for each of the two steps, by codec and round."""
    found: dict[str, dict[str, list[float]]] = {}
    failed: dict[str, str] = {}
    for turn in range(plan.rounds):
        for name in plan.rotated(tuple(CODECS), turn):
            progress(f"round {turn + 1}/{plan.rounds}: codec, {name}")
            try:
                codec = CODECS[name](RECORDS)
            except ImportError as failure:
                failed[name] = str(failure)
                continue
            data = codec.encode()
            same(codec.decode(data), codec.expected)
            row = found.setdefault(name, {"encode": [], "decode": []})
            seconds = plan.seconds / 4
            row["encode"].append(_microseconds(codec.encode, seconds))
            row["decode"].append(_microseconds(partial(codec.decode, data), seconds))
    return {"codecs": found, "failed": failed}


def _microseconds(step: Callable[[], object], seconds: float) -> float:
    """Of the fastest of several goes: what disturbs only ever adds."""
    best = float("inf")
    until = perf_counter() + seconds
    while perf_counter() < until:
        start = perf_counter()
        for _ in range(5):
            step()
        best = min(best, perf_counter() - start)
    return best / 5 * 1e6


def paces(found: dict[str, Any]) -> dict[str, Rounds]:
    """Both steps together, as a rate, so that more is better as everywhere."""
    return {
        name: [
            1e6 / (encode + decode)
            for encode, decode in zip(row["encode"], row["decode"], strict=True)
        ]
        for name, row in found["codecs"].items()
    }


def tables(found: dict[str, Any]) -> Iterable[Table]:
    rates = paces(found)
    yield Table(
        "The codec alone, 200 records (µs)",
        ("", "encode", "decode", "both", "times Twisted's pace"),
        [
            (
                name,
                median(spread(row["encode"])),
                median(spread(row["decode"])),
                median(spread([1e6 / rate for rate in rates[name] if rate])),
                times(ratio(rates[name], rates[TWISTED])) if TWISTED in rates else "",
            )
            for name, row in found["codecs"].items()
        ],
        tuple(f"Not measured: {who}: {why}" for who, why in found["failed"].items()),
    )
