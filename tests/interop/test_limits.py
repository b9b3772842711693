"""What a Twisted client sees of a server at its limits, and of one that ends."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import asyncio
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.protocols import amp

from ampgen.runtime import Limits, serve
from tests.interop import twisted_commands as commands
from tests.interop.ours import interop_service
from tests.interop.reactor import ask, there, twisted_client
from tests.raw import PATIENCE


class Full(Exception):
    pass


class Ending(Exception):
    pass


class Wait(amp.Command):
    """One that knows the errors of a server that cannot."""

    arguments = [(b"number", amp.Integer())]  # noqa: RUF012  # Twisted's way
    response = [(b"number", amp.Integer())]  # noqa: RUF012
    errors = {Full: b"OVERLOADED", Ending: b"UNAVAILABLE"}  # noqa: RUF012


GONE = (ConnectionDone, ConnectionLost)


async def test_a_server_that_is_full_tells_so(interop: Any) -> None:
    service = interop_service(interop)
    limits = Limits(server_calls=2)
    async with (
        serve("127.0.0.1:0", service, limits=limits) as server,
        twisted_client(server.addresses[0]) as first,
        twisted_client(server.addresses[0]) as second,
    ):
        service.expect(2)
        calls = [
            asyncio.create_task(ask(end, commands.Wait, number=number))
            for number, end in enumerate((first, second))
        ]
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        with pytest.raises(Full, match="2 calls are in flight on this server"):
            await ask(first, Wait, number=7)
        service.release(0, 1)
        assert [a["number"] for a in await asyncio.gather(*calls)] == [0, 1]


async def test_a_server_that_drains_tells_so_and_finishes(interop: Any) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        service.expect(1)
        call = asyncio.create_task(ask(end, commands.Wait, number=1))
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        draining = asyncio.create_task(server.drain())
        await asyncio.sleep(0)
        with pytest.raises(Ending):
            await ask(end, Wait, number=2)
        service.release(1)
        assert (await call)["number"] == 1
        await draining
        await there(lambda: end.lost)


async def test_a_connection_too_many_is_closed(interop: Any) -> None:
    limits = Limits(connections=1)
    async with (
        serve("127.0.0.1:0", interop_service(interop), limits=limits) as server,
        twisted_client(server.addresses[0]) as first,
    ):
        assert (await ask(first, commands.Large, size=1))["raw"] == b"x"
        async with twisted_client(server.addresses[0]) as second:
            await asyncio.wait_for(there(lambda: second.lost), PATIENCE)
            with pytest.raises(GONE):
                await ask(second, commands.Large, size=1)
        assert (await ask(first, commands.Large, size=1))["raw"] == b"x"


async def test_who_says_nothing_is_closed(interop: Any) -> None:
    limits = Limits(idle=0.1)
    async with (
        serve("127.0.0.1:0", interop_service(interop), limits=limits) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        assert (await ask(end, commands.Large, size=1))["raw"] == b"x"
        await asyncio.wait_for(there(lambda: end.lost), PATIENCE)


async def test_who_does_not_read_is_cut_off(
    interop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(stuck=0.3)
    async with (
        serve("127.0.0.1:0", interop_service(interop), limits=limits) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        await there(end.stop_reading)
        calls = [
            asyncio.create_task(ask(end, commands.Large, size=60_000))
            for _ in range(400)
        ]
        async with asyncio.timeout(PATIENCE):
            while "Limits.stuck" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await there(end.go_on_reading)
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert any(isinstance(one, GONE) for one in ended)
