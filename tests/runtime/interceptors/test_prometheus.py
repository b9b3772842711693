"""Metrics: what is counted, under which labels, and what cannot grow."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ampgen.runtime import (
    ConnectionState,
    ConnectionStatus,
    InternalError,
    RemoteError,
    connect,
    serve,
)
from ampgen.runtime.interceptors.prometheus import Metrics
from tests.raw import PATIENCE
from tests.runtime.interceptors.around import pair
from tests.runtime.made.text import TextClient, TooLong
from tests.runtime.services import Text

if TYPE_CHECKING:
    from ampgen.runtime import InterceptedCall, Proceed


class Read:
    """A registry, and what it says."""

    def __init__(self, **options: Any) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, **options)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels or None)

    def calls(self, name: str, side: str, command: str, **more: str) -> float | None:
        return self(name, side=side, service="Text", command=command, **more)


@pytest.mark.parametrize("side", ["server", "client"])
async def test_calls_are_counted(side: str) -> None:
    read = Read()
    around: Any = {side: [read.metrics]}
    async with pair(**around) as text:
        await text.repeat("a")
        await text.repeat("b")
        with pytest.raises(TooLong):
            await text.repeat("a", 101)
        with pytest.raises(InternalError):
            await text.repeat("secret")
        await text.log("x")
        await text.items([])
    assert read.calls("amp_calls_started_total", side, "Repeat") == 4
    for code, count in (
        ("OK", 2),
        ("TOO_LONG", 1),
        ("UNKNOWN", 1),
        ("CANCELLED", None),
    ):
        ended = read.calls("amp_calls_completed_total", side, "Repeat", code=code)
        assert ended == count
    assert read.calls("amp_calls_completed_total", side, "Log", code="OK") == 1
    assert read.calls("amp_calls_in_flight", side, "Repeat") == 0
    assert read.calls("amp_call_duration_seconds_count", side, "Repeat") == 4
    seconds = read.calls("amp_call_duration_seconds_sum", side, "Repeat")
    assert seconds is not None
    assert 0 < seconds < 4 * PATIENCE


async def test_calls_in_flight() -> None:
    read, service = Read(), Text()
    async with pair(service, server=[read.metrics]) as text:
        calls = [asyncio.ensure_future(text.stop(timeout=None)) for _ in range(3)]
        for _ in calls:
            await asyncio.wait_for(service.waiting.acquire(), PATIENCE)
        assert read.calls("amp_calls_in_flight", "server", "Stop") == 3
        assert (
            read.calls("amp_calls_completed_total", "server", "Stop", code="OK") is None
        )
        service.gate.set()
        await asyncio.gather(*calls)
        assert read.calls("amp_calls_in_flight", "server", "Stop") == 0


async def test_bytes_of_open_and_of_closed_connections() -> None:
    ours, theirs = Read(), Read()
    async with serve("127.0.0.1:0", Text(), interceptors=[theirs.metrics]) as server:
        total = 0
        for _ in range(2):
            async with TextClient.connect(
                server.addresses[0], interceptors=[ours.metrics]
            ) as text:
                await text.repeat("x" * 90)
                await text.repeat("x" * 90)
                connection = text.connection
                assert connection.bytes_sent > 180
                total += connection.bytes_sent
                assert ours("amp_sent_bytes_total") == total
                assert theirs("amp_received_bytes_total") == total
            assert ours("amp_sent_bytes_total") == total
    assert theirs("amp_received_bytes_total") == total
    assert theirs("amp_sent_bytes_total") == ours("amp_received_bytes_total")


async def test_bytes_of_a_client_that_stays_up() -> None:
    """Also while it has no connection, and of all that it has had."""
    ours, theirs = Read(), Read()
    lost = asyncio.Event()

    def tell(status: ConnectionStatus) -> None:
        if status.state is not ConnectionState.CONNECTED:
            lost.set()

    async with serve("127.0.0.1:0", Text(), interceptors=[theirs.metrics]) as server:
        text = await TextClient.connect(
            server.addresses[0],
            reconnect=True,
            on_state=tell,
            interceptors=[ours.metrics],
        )
        await text.repeat("x" * 90)
        assert ours("amp_sent_bytes_total") == theirs("amp_received_bytes_total")
    await asyncio.wait_for(lost.wait(), PATIENCE)
    for _ in range(2):
        sent = ours("amp_sent_bytes_total")
        assert sent == theirs("amp_received_bytes_total")
        assert sent is not None
        assert sent > 90
        assert ours("amp_received_bytes_total") == theirs("amp_sent_bytes_total")
        await text.aclose()


async def test_what_a_peer_chooses_makes_no_series() -> None:
    read = Read()

    async def fallback(_name: bytes, box: dict[bytes, bytes], _call: Any) -> Any:
        return box

    async with (
        serve("127.0.0.1:0", fallback=fallback, interceptors=[read.metrics]) as server,
        connect(server.addresses[0]) as connection,
    ):
        for number in range(5):
            await connection.call_box(b"name%d" % number, {})
    labels = {"side": "server", "service": "", "command": "*"}
    assert read("amp_calls_started_total", **labels) == 5

    async def strange(call: InterceptedCall, proceed: Proceed) -> object:
        raise RemoteError("no", code=f"STRANGE{call.arguments['times']}")

    async with pair(client=[read.metrics, strange]) as text:
        for times in range(3):
            with pytest.raises(RemoteError):
                await text.repeat("a", times)
    other = read.calls("amp_calls_completed_total", "client", "Repeat", code="OTHER")
    assert other == 3


async def test_other_names_and_buckets() -> None:
    read = Read(prefix="mine", buckets=(1, 2))
    async with pair(server=[read.metrics]) as text:
        await text.repeat("a")
    text_ = generate_latest(read.registry).decode()
    assert "mine_calls_started_total{" in text_
    assert 'le="2.0"' in text_
    assert "mine_sent_bytes_total " in text_


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "ampgen.runtime.interceptors.prometheus")
    with pytest.raises(ImportError, match=r"pip install 'ampgen-idl\[prometheus\]'"):
        __import__("ampgen.runtime.interceptors.prometheus")
