"""What a call costs when there is more of something: it should cost the same.

The figures are costs (µs), and their ratios to the cost at the size that the table
names: 1 means that nothing has become dearer.
"""

from __future__ import annotations

import asyncio
import importlib
import math
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.figures import ratio, spread
from benchmarks.long_schemas import service
from benchmarks.processes import Pair
from benchmarks.progress import progress
from benchmarks.roster import OURS
from benchmarks.tables import Table, median, times
from benchmarks.values import TEXTS, TIMES, records
from benchmarks.workloads import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.plan import Plan

IN_FLIGHT = (1, 10, 100, 1000, 10_000)
CONNECTIONS = (1, 10, 100, 1000)
COMMANDS = (1, 10, 100, 1000)
LENGTHS = (1, 10, 100, 800)  # a value holds 64 KiB, about 850 records
WORDS = {
    "in flight": ("calls in flight on one connection", 10),
    "connections": ("connections, a call in flight on each", 1),
    "commands": ("commands in a service (both ends in one process)", 1),
    "length": ("records in a list, µs for each (codec alone)", 10),
}
"""What each axis is, and the size that its ratios refer to: one call in flight waits
for the network, and an empty list's fixed cost has nobody to share it.
"""


def measure(plan: Plan) -> dict[str, Any]:
    found: dict[str, dict[str, list[float]]] = {axis: {} for axis in WORDS}

    def note(axis: str, size: int, cost: float) -> None:
        found[axis].setdefault(str(size), []).append(cost)

    with Pair(OURS, plan.logs) as pair:
        for turn in range(plan.rounds):
            progress(f"round {turn + 1}/{plan.rounds}: growth")
            for size in IN_FLIGHT:
                load = Workload("", "repeat", size)
                note("in flight", size, _cost(pair, load, plan))
            for size in CONNECTIONS:
                load = Workload("", "repeat", size, connections=size)
                note("connections", size, _cost(pair, load, plan))
    for turn in range(plan.rounds):
        progress(f"round {turn + 1}/{plan.rounds}: growth")
        for size in COMMANDS:
            note("commands", size, asyncio.run(_local_calls(plan, size)))
        for size in LENGTHS:
            note("length", size, _codec(size, plan.seconds))
    return {"costs": found}


def _cost(pair: Pair, load: Workload, plan: Plan) -> float:
    """Processor time of both ends, where the system tells it: it is steadier."""
    pace = pair.closed_loop(load, plan.seconds)
    if pace.server is None or pace.client is None or not pace.calls:
        return 1e6 / (pace.calls or math.inf)
    return pace.server + pace.client


async def _local_calls(plan: Plan, commands: int) -> float:
    module = _wide(plan, commands)

    def answer(_self: object, text: str, times: int) -> str:
        return text * times

    names = [f"repeat{n}" for n in range(commands)]
    wide = type("Wide", (module.WideServer,), dict.fromkeys(names, answer))
    async with module.WideClient.local(wide()) as client:
        calls: list[Callable[..., Any]] = [getattr(client, name) for name in names]
        text, _expected = TEXTS[0]
        done = 0
        start = perf_counter()
        while perf_counter() < start + plan.seconds:
            batch = (calls[(done + n) % commands](text, TIMES) for n in range(64))
            await asyncio.gather(*batch)
            done += 64
        return (perf_counter() - start) / done * 1e6


def _wide(plan: Plan, commands: int) -> Any:
    name = f"wide{commands}"
    folder = plan.scratch / "wide"
    output = folder / "python" / name
    if not output.exists():
        folder.mkdir(exist_ok=True)
        schema = folder / f"{name}.amp"
        schema.write_text(service(commands))
        subprocess.run(
            [sys.executable, "-m", "ampgen", "compile", str(schema), "-o", str(output)],
            check=True,
        )
    if str(output.parent) not in sys.path:
        sys.path.append(str(output.parent))
    return importlib.import_module(f"{name}.{name}")


def _codec(length: int, seconds: float) -> float:
    from benchmarks.peers.codecs import CODECS

    codec = CODECS[OURS](records(length))
    rounds = 0
    start = perf_counter()
    while perf_counter() < start + seconds:
        codec.decode(codec.encode())
        rounds += 1
    return (perf_counter() - start) / rounds / length * 1e6


def tables(found: dict[str, Any]) -> Iterable[Table]:
    for axis, (words, base) in WORDS.items():
        costs: dict[str, list[float]] = found["costs"][axis]
        yield Table(
            f"Cost of a call by {words}",
            ("", *(f"{int(size):,}" for size in costs)),
            [
                ("µs", *(median(spread(rounds)) for rounds in costs.values())),
                (
                    f"times that at {base}",
                    *(
                        times(ratio(rounds, costs[str(base)]))
                        for rounds in costs.values()
                    ),
                ),
            ],
        )
