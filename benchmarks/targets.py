"""What this project wants to reach: its pace, divided by that of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.figures import ratio
from benchmarks.roster import OURS
from benchmarks.tables import NOTHING, Table, times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Rounds


@dataclass(frozen=True, slots=True)
class Target:
    """``aim`` is ``None`` where there is no more to want than ``must``."""

    against: str
    workload: str
    must: float
    aim: float | None = None


CODEC = "codec"

TARGETS = (
    Target("Twisted AMP", "seq", 1.7, 2.0),
    Target("Twisted AMP", "p64", 9.0, 13.0),
    Target("Twisted AMP", "p256", 10.0, 15.0),
    Target("Twisted AMP", "l1", 5.5, 7.0),
    Target("Twisted AMP", "l16", 6.0, 9.0),
    Target("Twisted AMP", CODEC, 6.5, 7.5),
    Target("grpc.aio", "seq", 3.3),
    Target("grpc.aio", "p64", 40.0),
    Target("grpc.aio", "l1", 0.9, 1.2),
    Target("grpc.aio", "l16", 0.9, 1.2),
    Target("floor", "seq", 0.65, 0.75),
)


def table(paces: Mapping[str, Mapping[str, Rounds]]) -> Table:
    """``paces``: by workload and peer; the codecs' are a workload of their own."""
    rows: list[tuple[str, ...]] = []
    for target in TARGETS:
        found = paces.get(target.workload, {})
        ours, theirs = found.get(OURS), found.get(target.against)
        if ours is None or theirs is None:
            continue
        reached = ratio(ours, theirs)
        if reached is None:
            continue
        rows.append(
            (
                f"{target.workload}, {target.against}",
                times(reached),
                _judge(reached.median, target.must),
                NOTHING if target.aim is None else _judge(reached.median, target.aim),
            )
        )
    return Table("Targets", ("ours against", "ratio", "must", "aim"), rows)


def _judge(reached: float, wanted: float) -> str:
    return f"{wanted:g} {'reached' if reached >= wanted else '**missed**'}"
