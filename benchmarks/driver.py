"""Loads on a peer. *Closed*: a number of calls is in flight, an answer starts the next.
*Open*: calls start at a fixed rate, whether answers come or not.

In an open loop, a call's latency counts from the moment it was due: a client or server
that stalls does not hide what it made wait.
"""

from __future__ import annotations

from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.contract import Pump, same
from benchmarks.values import TEXTS, TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from typing import Any

    from benchmarks.contract import Caller, Endpoint
    from benchmarks.workloads import Workload

GIVE_UP = 30.0  # seconds after the last call of an open loop was due


async def connect(endpoint: Endpoint, count: int) -> list[Caller]:
    """One after the other: a server's backlog is shorter than what we open."""
    return [await endpoint.connect() for _ in range(count)]


async def closed_loop(
    endpoint: Endpoint, callers: Sequence[Caller], workload: Workload, seconds: float
) -> tuple[int, float]:
    """How many calls, in how many seconds."""
    start = perf_counter()
    if isinstance(callers[0], Pump):
        calls = await callers[0].pump(workload.in_flight, seconds)
    else:
        until = start + seconds
        texts = cycle(TEXTS)
        work: dict[str, Callable[[Caller], Coroutine[Any, Any, int]]] = {
            "repeat": lambda caller: _repeat(caller, texts, until),
            "echo": lambda caller: _echo(caller, until),
            "items": lambda caller: _items(caller, until),
        }
        workers = (
            work[workload.call](callers[n % len(callers)])
            for n in range(workload.in_flight)
        )
        calls = sum(await endpoint.gather(workers))
    return calls, perf_counter() - start


async def _repeat(
    caller: Caller, texts: Iterator[tuple[str, str]], until: float
) -> int:
    calls = 0
    repeat, text_of = caller.repeat, caller.text_of
    for text, expected in texts:
        if perf_counter() >= until:
            break
        answer = text_of(await repeat(text, TIMES))
        if answer != expected:  # a call of `same` would cost what a call of ours shows
            same(answer, expected)
        calls += 1
    return calls


async def _echo(caller: Caller, until: float) -> int:
    calls = 0
    while perf_counter() < until:
        await caller.echo()
        calls += 1
    return calls


async def _items(caller: Caller, until: float) -> int:
    """Streams of all the texts, one after the other."""
    items = 0
    while perf_counter() < until:
        expected = enumerate(text for text, _twice in TEXTS)
        async for item in caller.items(len(TEXTS)):
            same(item, next(expected))
            items += 1
        same(next(expected, None), None)
    return items


async def open_loop(
    endpoint: Endpoint, caller: Caller, rate: float, seconds: float
) -> list[float]:
    """The latencies of all calls, in seconds, sorted."""
    latencies: list[float] = []
    failures: list[BaseException] = []

    async def call(due: float, text: str, expected: str) -> None:
        try:
            same(caller.text_of(await caller.repeat(text, TIMES)), expected)
        except Exception as failure:
            failures.append(failure)
        latencies.append(perf_counter() - due)

    texts = cycle(TEXTS)
    start = due = perf_counter()
    calls = 0
    while due < start + seconds:
        now = min(perf_counter(), start + seconds)
        while due <= now:  # what is due later waits: the loop is to have its turn
            text, expected = next(texts)
            endpoint.spawn(call(due, text, expected))
            calls += 1
            due = start + calls / rate
        await endpoint.pause()
    while len(latencies) < calls and perf_counter() < due + GIVE_UP:
        await endpoint.pause()
    if failures:
        raise failures[0]
    if len(latencies) < calls:
        raise TimeoutError(f"{calls - len(latencies):,} calls have no answer")
    return sorted(latencies)
