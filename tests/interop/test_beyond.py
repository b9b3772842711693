"""What goes beyond AMP, beside Twisted: it does not notice, or takes part by declaring
the keys and commands as its own.
"""

# mypy: disable-error-code="misc,no-untyped-call"
# pyright: basic
# ruff: noqa: N815, RUF012
from __future__ import annotations

import asyncio
from typing import Any

import pytest
from twisted.protocols import amp

from ampgen.runtime import Metadata, current_call, serve
from tests.interop import twisted_commands as commands
from tests.interop.ours import interop_service
from tests.interop.reactor import ask, there, twisted_client, twisted_server
from tests.interop.test_calls import waiting
from tests.raw import PATIENCE


class TimedWait(amp.Command):
    """`Wait`, with the keys that a caller may send beside its argument."""

    commandName = b"Wait"
    arguments = [
        (b"number", amp.Integer()),
        (b"_timeout", amp.Integer(optional=True)),
        (b"_meta.user", amp.Unicode(optional=True)),
        (b"_peer", amp.String(optional=True)),
    ]
    response = [
        (b"number", amp.Integer()),
        (b"_meta.took", amp.Unicode(optional=True)),
        (b"_peer", amp.String(optional=True)),
    ]
    errors = {TimeoutError: b"DEADLINE_EXCEEDED", InterruptedError: b"CANCELLED"}


class Cancel(amp.Command):
    commandName = b"_cancel"
    arguments = [(b"id", amp.String())]
    requiresAnswer = False


async def test_twisted_does_not_notice(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address, timeout=PATIENCE) as client,
    ):
        assert await client.large(1) == b"x"
        metadata = Metadata({"user": "me"})
        call = asyncio.create_task(client.wait(1, metadata=metadata))
        given_up = asyncio.create_task(client.wait(2, timeout=5))
        [end] = server.ends
        await waiting(end, 2)
        given_up.cancel()
        await there(end.release, 2, 1)
        assert (await call).number == 1
        assert metadata.answer == {}
        await client.log("still here", metadata=metadata)
        assert await client.logged() == ["still here"]
        # a command that it does not know would have closed the connection
        assert not client.connection.is_closed


async def test_twisted_may_tell_how_much_time_it_has(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(TimeoutError):
            await ask(end, TimedWait, number=1, _timeout=50)
        assert await ask(end, commands.Large, size=1) == {"raw": b"x"}


async def test_twisted_may_cancel(interop: Any) -> None:
    service = interop_service(interop)
    service.expect(1)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        call = asyncio.create_task(ask(end, TimedWait, number=1))
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        await ask(end, Cancel, id=b"1")
        with pytest.raises(InterruptedError):
            await call
        assert await ask(end, commands.Large, size=1) == {"raw": b"x"}


async def test_twisted_may_send_metadata_and_hear_some(interop: Any) -> None:
    seen: list[dict[str, str]] = []

    class Service(type(interop_service(interop))):
        async def wait(self, number: int) -> Any:
            seen.append(dict(current_call().metadata))
            current_call().answer_metadata["took"] = "3 ms"
            return interop.WaitResult(number=number)

    async with (
        serve("127.0.0.1:0", Service()) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        told = {"_meta.user": "ä", "_peer": b"cancel"}
        answer = await ask(end, TimedWait, number=1, **told)
    assert seen == [{"user": "ä"}]
    assert answer == {"number": 1, "_meta.took": "3 ms", "_peer": b"cancel stream"}
