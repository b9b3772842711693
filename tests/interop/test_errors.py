"""Every kind of error, both ways, and what each end does to the connection."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from twisted.protocols import amp

from ampgen.runtime import (
    ConnectionLost,
    InternalError,
    RemoteError,
    UnknownCommand,
    serve,
)
from tests.interop import twisted_commands as commands
from tests.interop.ours import interop_service
from tests.interop.reactor import ask, there, twisted_client, twisted_server
from tests.raw import PATIENCE, box, dial

# --- our client, Twisted's server ---------------------------------------------------


@pytest.mark.parametrize(
    ("how", "name", "description"),
    [("refused", "Refused", "no, thanks: ä€"), ("missing", "NotFound", "nowhere")],
)
async def test_a_declared_error_of_twisted_is_raised_without_its_fields(
    how: str, name: str, description: str, interop: Any
) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        with pytest.raises(getattr(interop, name)) as raised:
            await client.fail(how)
        assert raised.value.description == description
        if name == "Refused":
            error = raised.value
            assert (error.limit, error.colour, error.spare) == (None, None, [])
        assert await client.large(3) == b"xxx"


async def test_after_a_fatal_error_of_twisted_the_connection_ends(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        with pytest.raises(interop.Corrupt) as raised:
            await client.fail("corrupt")
        assert raised.value.description == "for good"
        assert raised.value.at is None
        await asyncio.wait_for(client.connection.wait_closed(), PATIENCE)
        with pytest.raises(ConnectionLost) as lost:
            await client.large(3)
        assert not lost.value.sent


async def test_a_code_that_the_schema_does_not_know_is_a_remote_error(
    interop: Any,
) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        with pytest.raises(RemoteError) as raised:
            await client.fail("strange")
        assert raised.type is RemoteError
        assert raised.value.code == "STRANGE"
        assert raised.value.description == "never heard of"
        assert await client.large(3) == b"xxx"


async def test_an_undeclared_exception_in_twisted_is_an_internal_error(
    interop: Any,
) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        with pytest.raises(InternalError) as raised:
            await client.fail("surprise")
        assert raised.value.code == "UNKNOWN"
        assert raised.value.description == "Unknown Error"
        await asyncio.wait_for(client.connection.wait_closed(), PATIENCE)


async def test_a_command_that_twisted_does_not_know_is_unknown(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        with pytest.raises(UnknownCommand) as raised:
            await client.unserved()
        assert raised.value.code == "UNHANDLED"
        assert raised.value.description == "Unhandled Command: b'Unserved'"
        assert await client.large(3) == b"xxx"


async def test_when_twisted_drops_an_answer_over_64_kib_the_call_is_lost(
    interop: Any,
) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        assert await client.large(65535) == b"x" * 65535
        with pytest.raises(ConnectionLost) as lost:
            await client.large(65536)
        assert lost.value.sent


async def test_a_oneway_command_that_fails_in_twisted_ends_the_connection(
    interop: Any,
) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        await client.log("fail")
        await asyncio.wait_for(client.connection.wait_closed(), PATIENCE)


# --- Twisted's client, our server ---------------------------------------------------


@pytest.mark.parametrize(
    ("how", "error", "description"),
    [
        ("refused", commands.Refused, "no, thanks: ä€"),
        ("missing", commands.NotFound, "nowhere"),
    ],
)
async def test_a_declared_error_of_ours_is_raised_in_twisted(
    how: str, error: type[Exception], description: str, interop: Any
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(error) as raised:
            await ask(end, commands.Fail, how=how)
        assert str(raised.value) == description
        answer = await ask(end, commands.Large, size=3)
        assert answer == {"raw": b"xxx"}


async def test_the_fields_of_an_error_are_further_keys(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        dial(server.addresses[0]) as peer,
    ):
        asked = {b"_ask": b"1", b"_command": b"Fail", b"how": b"refused"}
        await peer.send(box(asked))
        assert await peer.receive_box() == {
            b"_error": b"1",
            b"_error_code": b"REFUSED",
            b"_error_description": "no, thanks: ä€".encode(),
            b"limit": b"5",
            b"colour": b"red",
            b"spare": b"\0\0011",
        }


async def test_a_fatal_error_of_ours_ends_the_connection(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(commands.Corrupt, match="for good"):
            await ask(end, commands.Fail, how="corrupt")
        await there(lambda: end.lost)


async def test_of_an_undeclared_exception_of_ours_no_detail_leaves(
    interop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(amp.UnknownRemoteError) as raised:
            await ask(end, commands.Fail, how="surprise")
        assert "Unknown Error" in str(raised.value)
        assert "a secret" not in str(raised.value)
        answer = await ask(end, commands.Large, size=3)
        assert answer == {"raw": b"xxx"}
    [record] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.name.split(".")[0] == "ampgen"
    assert "a secret" in caplog.text  # with its traceback, in our log


async def test_a_command_that_we_do_not_know_is_unhandled_in_twisted(
    interop: Any,
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(amp.UnhandledCommand) as raised:
            await ask(end, commands.Question, text="?")
        assert "Unhandled Command: b'Question'" in str(raised.value)
        answer = await ask(end, commands.Large, size=3)
        assert answer == {"raw": b"xxx"}


async def test_arguments_that_do_not_decode_are_an_invalid_argument(
    interop: Any,
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(ValueError, match=r"Wait.*number") as raised:
            await ask(end, commands.MisspeltWait, number="+5")
        assert "+5" not in str(raised.value)


async def test_an_answer_of_ours_over_64_kib_is_an_unknown_error(
    interop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        assert await ask(end, commands.Large, size=65535) == {"raw": b"x" * 65535}
        with pytest.raises(amp.UnknownRemoteError):
            await ask(end, commands.Large, size=65536)
        assert "Large" in caplog.text
        assert await ask(end, commands.Large, size=3) == {"raw": b"xxx"}


@pytest.mark.parametrize("command", [commands.Log, commands.UnknownOneway])
async def test_a_oneway_command_that_fails_in_ours_is_logged_and_no_more(
    command: type[amp.Command], interop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"line": "fail"} if command is commands.Log else {}
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        await ask(end, command, **given)
        answer = await ask(end, commands.Large, size=3)
        assert answer == {"raw": b"xxx"}
    assert command.__name__ in caplog.text


async def test_twisted_may_end_the_connection_in_the_midst_of_its_own_error(
    interop: Any,
) -> None:
    """A call beside one that comes to UNKNOWN is lost with the connection."""
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        beside = asyncio.create_task(client.wait(1))
        with pytest.raises(InternalError):
            await client.fail("surprise")
        with pytest.raises(ConnectionLost) as lost:
            await beside
        assert lost.value.sent
