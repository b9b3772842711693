"""The processes that are measured: ``serve PEER`` or ``call PEER PORT``.

A server prints its port. A client reads orders from its standard input, one line of
JSON each, and prints what it found out, one line each. It stays for the whole run, as
its server does: what a peer warms up stays warm.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import driver
from benchmarks.figures import percentiles
from benchmarks.processes import FIRST
from benchmarks.roster import load
from benchmarks.workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from benchmarks.contract import Endpoint

WARM_UP = 0.15  # of the time measured


def say(value: object) -> None:
    print(json.dumps(value), flush=True)


async def session(endpoint: Endpoint) -> None:
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        try:
            say({"value": await _carry_out(endpoint, order)})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


async def _carry_out(endpoint: Endpoint, order: dict[str, Any]) -> Any:
    seconds: float = order["seconds"]
    if "rate" in order:
        [caller] = await driver.connect(endpoint, 1)
        await driver.closed_loop(endpoint, [caller], WORKLOADS["p64"], seconds / 10)
        latencies = await driver.open_loop(endpoint, caller, order["rate"], seconds)
        await caller.close()
        return percentiles(latencies)
    workload = Workload(
        "", order["call"], order["in_flight"], connections=order["connections"]
    )
    callers = await driver.connect(endpoint, workload.connections)
    await driver.closed_loop(endpoint, callers, workload, seconds * WARM_UP)
    processes = order["server"], os.getpid()
    before = [cpu_seconds(process) for process in processes]
    calls, elapsed = await driver.closed_loop(endpoint, callers, workload, seconds)
    after = [cpu_seconds(process) for process in processes]
    for caller in callers:
        await caller.close()
    return {
        "pace": calls / elapsed,
        "cpu": [
            None if a is None or b is None else (a - b) / calls * 1e6
            for a, b in zip(after, before, strict=True)
        ],
    }


def cpu_seconds(process: int) -> float | None:
    """Of all its threads; ``None`` where the system does not tell (it does on Linux).

    Not ``time.process_time``: it cannot look at the server.
    """
    try:
        return sum(
            int(thread.read_text().split()[0]) / 1e9
            for thread in Path(f"/proc/{process}/task").glob("*/schedstat")
        )
    except OSError:
        return None


def main(arguments: list[str]) -> None:
    what, name, *rest = arguments
    # `benchmarks` is loaded already, and stays that of this checkout
    sys.path[:0] = filter(None, os.environ[FIRST].split(os.pathsep))
    peer = load(name)
    if what == "serve":
        peer.serve(say)
    else:
        peer.call(int(rest[0]), session)


if __name__ == "__main__":
    main(sys.argv[1:])
