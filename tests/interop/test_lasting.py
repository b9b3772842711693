"""Clients of ours that stay up, and Twisted servers that know nothing of it."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ampgen.runtime import ConnectionState, ConnectionStatus, Reconnect, connect, serve
from tests.interop import twisted_commands as commands
from tests.interop.ours import events_service, interop_service
from tests.interop.reactor import ask, there, twisted_client, twisted_server
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

FAST = Reconnect(first=0.01, most=0.05)
SOON = 0.1


async def test_twisted_answers_a_probe_and_stays(interop: Any) -> None:
    """Silences that would end the connection many times over."""
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address, keepalive=SOON) as client,
    ):
        protocol = client._shell.protocol
        for count in range(4):
            async with asyncio.timeout(PATIENCE):
                while protocol.calls.count <= count or protocol.calls:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert (await client.large(1)) == b"x"
        assert protocol.calls.count >= 5
        assert len(server.ends) == 1


async def test_a_twisted_client_answers_a_probe_and_stays(interop: Any) -> None:
    made: list[Any] = []

    def make(connection: Any) -> Any:
        made.append(connection)
        return interop_service(interop)

    async with (
        serve("127.0.0.1:0", make, keepalive=SOON) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        await ask(end, commands.Large, size=1)
        protocol = made[0]._shell.protocol
        async with asyncio.timeout(PATIENCE):
            while protocol.calls.count < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await ask(end, commands.Large, size=1) == {"raw": b"x"}


async def test_twisted_answers_any_probe() -> None:
    """What the probe is, and that Twisted leaves the connection open."""
    async with twisted_server() as server, connect(server.address) as connection:
        for _ in range(3):
            answer = asyncio.create_task(connection.call_box(b"_ping", {}))
            done, _ = await asyncio.wait([answer], timeout=PATIENCE)
            assert done
            assert type(answer.exception()).__name__ == "UnknownCommand"
        assert not connection.is_closed


async def test_a_twisted_server_that_hangs_is_left(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(
            server.address, keepalive=SOON, reconnect=FAST, timeout=PATIENCE
        ) as client,
    ):
        assert await client.large(1) == b"x"
        await there(server.ends[0].stop_reading)
        async with asyncio.timeout(PATIENCE):
            while len(server.ends) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await client.large(2) == b"xx"


async def test_a_twisted_server_is_found_again(interop: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    told: asyncio.Queue[ConnectionStatus] = asyncio.Queue()

    async def reached(state: ConnectionState) -> None:
        while (await asyncio.wait_for(told.get(), PATIENCE)).state is not state:
            pass

    events = events_service(interop)
    async with twisted_server(path) as server:
        client = await interop.InteropClient.connect(
            server.address,
            events=events,
            reconnect=FAST,
            timeout=PATIENCE,
            on_state=told.put_nowait,
        )
        await reached(ConnectionState.CONNECTED)
        assert (await client.call_back("abc")).answer == "ABC"
        [end] = server.ends
        await there(end.abort)
        await reached(ConnectionState.CONNECTED)
        assert (await client.call_back("def")).answer == "DEF"
    await reached(ConnectionState.WAITING)
    waiting = asyncio.create_task(client.call_back("ghi"))
    async with twisted_server(path):
        assert (await waiting).answer == "GHI"
        await client.aclose()
    assert events.notices == ["abc", "def", "ghi"]


async def test_a_pool_of_connections_to_twisted(interop: Any) -> None:
    async with (
        twisted_server() as one,
        twisted_server() as other,
        interop.InteropClient.connect(
            [one.address, other.address], pool=4, timeout=PATIENCE
        ) as client,
    ):
        async with asyncio.timeout(PATIENCE):
            while len(client._shell.connections) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        texts = await asyncio.gather(*(client.large(n) for n in range(40)))
        assert [len(text) for text in texts] == list(range(40))
        assert (len(one.ends), len(other.ends)) == (2, 2)
