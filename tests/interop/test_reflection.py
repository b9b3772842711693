"""Reflection beside Twisted: it asks by declaring the command, and does not answer."""

# mypy: disable-error-code="misc,no-untyped-call"
# pyright: basic
# ruff: noqa: N815, RUF012
from __future__ import annotations

from typing import Any

import pytest
from twisted.protocols import amp

from ampgen.runtime import UnknownCommand, serve
from tests.interop import twisted_commands as commands
from tests.interop.ours import interop_service
from tests.interop.reactor import ask, twisted_client, twisted_server
from tests.raw import PATIENCE


class Schema(amp.Command):
    """As docs/reflection.md has it."""

    commandName = b"_schema"
    response = [
        (
            b"schemas",
            amp.AmpList([(b"path", amp.Unicode()), (b"source", amp.Unicode())]),
        ),
        (
            b"services",
            amp.AmpList([(b"name", amp.Unicode()), (b"path", amp.Unicode())]),
        ),
    ]


async def test_twisted_may_ask_for_the_schemas(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop), reflect=True) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        answer = await ask(end, Schema)
    [schema] = answer["schemas"]
    assert schema["path"] == "interop.amp"
    assert schema["source"] == interop.__ampgen_schema__.text
    assert answer["services"] == [{"name": "Interop", "path": "interop.amp"}]


async def test_it_is_told_that_there_are_none(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(amp.UnhandledCommand):
            await ask(end, Schema)
        assert await ask(end, commands.Large, size=1) == {"raw": b"x"}


async def test_twisted_does_not_tell_and_stays(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address, timeout=PATIENCE) as client,
    ):
        with pytest.raises(UnknownCommand, match="does not tell its schemas"):
            await client.connection.schemas(timeout=PATIENCE)
        await client.log("still here")
        assert await client.logged() == ["still here"]
