"""What a connection costs a server that waits: resident memory, the kernel's aside.

Each connection has made one call before it falls idle.
"""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from benchmarks.peers.floor import MESSAGE
from benchmarks.processes import Failed, Pair
from benchmarks.progress import progress
from benchmarks.roster import PEERS
from benchmarks.tables import Table, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.plan import Plan

WARM_UP = 200  # connections that are open before the first look
COUNT = 10_000


def measure(plan: Plan) -> dict[str, Any]:
    count = COUNT // 10 if plan.quick else COUNT
    found: dict[str, float] = {}
    failed: dict[str, str] = {}
    if not sys.platform.startswith("linux"):
        return {"count": count, "bytes": found, "failed": {"all": "needs Linux"}}
    _allow_open_files(count + WARM_UP + 100)
    for name in plan.peers:
        if PEERS[name].idle:
            progress(f"{count:,} idle connections, {name}")
            try:
                found[name] = _bytes_each(name, plan, count)
            except (Failed, OSError) as failure:
                failed[name] = str(failure)
    return {"count": count, "bytes": found, "failed": failed}


def _bytes_each(name: str, plan: Plan, count: int) -> float:
    with Pair(name, plan.logs) as pair, ExitStack() as stack:
        for _ in range(WARM_UP):
            stack.enter_context(_connection(pair.port))
        before = pair.server_memory
        for _ in range(count):
            stack.enter_context(_connection(pair.port))
        return (pair.server_memory - before) / count


def _connection(port: int) -> socket.socket:
    """AMP's bytes are the same for all who are asked here; the answers are not read
    but for their first bytes: it is the server that we look at.
    """
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(MESSAGE)
    connection.recv(1)
    return connection


def _allow_open_files(count: int) -> None:
    """For this process, and those that it starts."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        with suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def tables(found: dict[str, Any]) -> Iterable[Table]:
    yield Table(
        f"Memory of an idle connection ({found['count']:,} of them)",
        ("", "bytes each"),
        [(name, number(each)) for name, each in found["bytes"].items()],
        tuple(f"Not measured: {who}: {why}" for who, why in found["failed"].items()),
    )
