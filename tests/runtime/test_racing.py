"""Names with several addresses, of which some refuse and some are silent."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from ampgen.runtime import connect, racing, serve
from ampgen.runtime.racing import addresses_of, race
from tests.raw import PATIENCE
from tests.runtime.services import Text
from tests.runtime.sockets import dead_address, silent_address


def info(address: str) -> Any:
    host, _, port = address.rpartition(":")
    return socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]


async def test_a_numeric_address_is_not_looked_up() -> None:
    assert await addresses_of("127.0.0.1", 1) == []
    assert await addresses_of("::1", 1) == []
    assert await addresses_of("fe80::1%eth0", 1) == []


async def test_a_name_is_looked_up() -> None:
    found = await addresses_of("localhost", 1)
    assert {found[4][0] for found in found} <= {"127.0.0.1", "::1"}
    assert found
    with pytest.raises(OSError, match=r".") as caught:
        await connect("no-such-host.invalid:1")
    assert isinstance(caught.value, socket.gaierror)


async def test_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    four, six = socket.AF_INET, socket.AF_INET6
    found = [(six, 1), (six, 2), (six, 3), (four, 4)]

    async def look_up(*_args: Any, **_options: Any) -> Any:
        return found

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    assert [n for _, n in await addresses_of("name", 1)] == [1, 4, 2, 3]  # type: ignore[misc]


async def test_one_silent_address_of_a_name_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        serve("127.0.0.1:0", Text()) as server,
        dead_address() as dead,
        silent_address() as silent,
    ):
        found = [info(dead), info(silent), info(server.addresses[0])]

        async def look_up(_host: str, _port: int) -> Any:
            return found

        monkeypatch.setattr("ampgen.runtime.dialling.addresses_of", look_up)
        async with connect("name:1", connect_timeout=5) as connection:
            assert connection.peer_address == server.addresses[0]


async def test_what_each_address_says_is_told() -> None:
    async with dead_address() as one, dead_address() as other:
        with pytest.raises(ConnectionRefusedError, match="no address of name") as error:
            await race("name", [info(one), info(other)])
        assert "127.0.0.1: " in str(error.value)
        with pytest.raises(ConnectionRefusedError):
            await race("name", [info(one)])


async def test_one_connection_alone_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several connect in the same moment: those that are not taken are closed."""
    ends: asyncio.Queue[bytes] = asyncio.Queue()

    async def arrive(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        ends.put_nowait(await reader.read())
        writer.close()

    monkeypatch.setattr("ampgen.runtime.racing.HEAD_START", 0)
    async with silent_address() as silent:
        server = await asyncio.start_server(arrive, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        fine = info(f"{host}:{port}")
        for _ in range(20):
            sock = await race("name", [info(silent), fine, fine, fine])
            assert sock.getpeername() == (host, port)
            sock.close()
            assert await asyncio.wait_for(ends.get(), PATIENCE) == b""
        server.close()


@pytest.fixture
def contenders(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """The sockets of a race in which two connect in the same moment."""
    made: list[socket.socket] = []

    async def connected(_info: Any) -> socket.socket:
        sock = socket.socket()
        made.append(sock)
        try:
            while len(made) % 2:  # noqa: ASYNC110  # until there are two
                await asyncio.sleep(0)
        except asyncio.CancelledError:  # the other one was seen first
            sock.close()
            raise
        return sock

    monkeypatch.setattr(racing, "HEAD_START", 0)
    monkeypatch.setattr(racing, "_connect", connected)
    return made


TWO = [info("127.0.0.1:1"), info("127.0.0.1:2")]


async def are_closed(sockets: list[socket.socket]) -> bool:
    """At once, or within a few turns of the loop."""
    for _ in range(10):
        await asyncio.sleep(0)
    return all(sock.fileno() < 0 for sock in sockets)


async def test_of_two_that_connect_at_once_one_is_left(
    contenders: list[socket.socket],
) -> None:
    winner = await race("two", TWO)
    assert winner.fileno() >= 0
    assert await are_closed([sock for sock in contenders if sock is not winner])
    assert len(contenders) == 2
    winner.close()


async def test_a_race_that_is_cancelled_leaves_no_socket(
    contenders: list[socket.socket],
) -> None:
    """At whatever moment: also where one of them has won already."""
    cancelled = True
    steps = 0
    while cancelled:
        running = asyncio.create_task(race("two", TWO))
        for _ in range(steps):
            await asyncio.sleep(0)
        cancelled = running.cancel()
        if cancelled:
            with pytest.raises(asyncio.CancelledError):
                await running
        else:
            running.result().close()
        assert await are_closed(contenders)
        contenders.clear()
        steps += 1
    assert steps > 3


async def test_a_race_may_be_cancelled() -> None:
    async with silent_address() as one, silent_address() as other:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(race("name", [info(one), info(other)]), 0.4)


async def test_what_is_no_failure_of_an_address_is_raised() -> None:
    async with dead_address() as address:
        bad = ("no family", *info(address)[1:])
        with pytest.raises(TypeError):
            await race("name", [bad])
