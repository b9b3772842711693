"""One record of each call: its fields, its level, and what is never in it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    ConnectionLost,
    InvalidArgument,
    Overloaded,
    RemoteError,
    intercepted,
)
from ampgen.runtime.interceptors import LogCalls
from tests.runtime.interceptors.around import pair
from tests.runtime.made.text import RepeatResult, TextClient, TooLong
from tests.runtime.services import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.runtime import InterceptedCall, Proceed


class Records:
    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __iter__(self) -> Iterator[logging.LogRecord]:
        return (r for r in self._caplog.records if r.name == "ampgen.calls")


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Records:
    caplog.set_level(logging.INFO, "ampgen.calls")
    return Records(caplog)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    names = ("side", "service", "command", "oneway", "code", "arguments")
    return {name: vars(record)[name] for name in names}


async def test_a_record_for_each_call_on_each_end(
    records: Records,
) -> None:
    async with pair(server=[LogCalls()], client=[LogCalls()]) as text:
        await text.repeat("abc", 2)
        server, client = records
        assert fields(server) == {
            "side": "server",
            "service": "Text",
            "command": "Repeat",
            "oneway": False,
            "code": "OK",
            "arguments": {"text": "abc", "times": 2},
        }
        assert fields(client) == {**fields(server), "side": "client"}
        assert vars(client)["peer"] == text.connection.peer_address
        assert 0 < vars(server)["duration"] <= vars(client)["duration"]
        assert server.name == "ampgen.calls"
        message = client.getMessage()
        assert message.startswith(f"Text.Repeat to {text.connection.peer_address}: OK")
        assert "Text.Repeat from 127.0.0.1:" in server.getMessage()
        json.dumps([vars(server)["arguments"], vars(client)["duration"]])


@pytest.mark.parametrize(
    ("error", "code", "level"),
    [
        (TooLong("a secret"), "TOO_LONG", logging.INFO),
        (InvalidArgument("a secret"), "INVALID_ARGUMENT", logging.WARNING),
        (Overloaded("a secret"), "OVERLOADED", logging.WARNING),
        (LookupError("a secret"), "UNKNOWN", logging.ERROR),
    ],
)
async def test_the_level_is_that_of_the_outcome(
    error: Exception, code: str, level: int, records: Records
) -> None:
    class Failing(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            raise error

    async with pair(Failing(), server=[LogCalls()], client=[LogCalls()]) as text:
        with pytest.raises(RemoteError):
            await text.repeat("abc")
    assert [vars(record)["code"] for record in records] == [code, code]
    assert [record.levelno for record in records] == [level, level]
    assert "secret" not in "".join(str(vars(record)) for record in records)


async def test_a_declared_error_may_have_a_code_of_the_runtime(
    compile_schema: Any, records: Records
) -> None:
    """What is declared is part of the conversation, whatever its code."""
    made = compile_schema(
        """
        error Busy "OVERLOADED";
        service Desk { command Ask() raises Busy; }
        """
    )

    class Desk(made.DeskServer):  # type: ignore[name-defined,misc]
        def ask(self) -> None:
            raise made.Busy("no")

    async with made.DeskClient.local(intercepted(Desk(), [LogCalls()])) as desk:
        with pytest.raises(made.Busy):
            await desk.ask()
    assert [record.levelno for record in records] == [logging.INFO]


async def test_what_a_program_wants_otherwise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("mine")
    log = LogCalls(
        logger,
        arguments=False,
        levels={"OK": logging.DEBUG, "TOO_LONG": logging.CRITICAL},
        extra=lambda call: {"trace": call.metadata.get("trace")},
    )
    async with pair(server=[log]) as text:
        caplog.set_level(logging.INFO, "mine")
        await text.repeat("abc")
        with pytest.raises(TooLong):
            await text.repeat("abc", 99, metadata={"trace": "x"})
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert vars(record)["trace"] == "x"
    assert not hasattr(record, "arguments")


async def test_sensitive_arguments_are_in_no_record(
    compile_schema: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made = compile_schema(
        """
        struct Login { name: str; @sensitive password: str; }
        service Gate { command Enter(login: Login, @sensitive pin: str) -> Login; }
        """
    )

    class Gate(made.GateServer):  # type: ignore[name-defined,misc]
        def enter(self, login: Any, pin: str) -> Any:
            return login

    caplog.set_level(logging.DEBUG)
    service = intercepted(Gate(), [LogCalls()])
    async with made.GateClient.local(service, interceptors=[LogCalls()]) as gate:
        await gate.enter(made.Login(name="me", password="hush"), "hush")
    everything = "".join(str(vars(record)) for record in caplog.records)
    assert "[hidden]" in everything
    assert "'name': 'me'" in everything
    assert "hush" not in everything


async def test_a_lost_connection(records: Records) -> None:
    service = Text()
    async with TextClient.local(service, interceptors=[LogCalls()]) as text:

        async def end(call: InterceptedCall, proceed: Proceed) -> object:
            await text.aclose()
            return await proceed(call)

        with pytest.raises(ConnectionLost):
            await intercepted(text, [end]).repeat("a")
    (record,) = records
    assert (record.levelno, vars(record)["code"]) == (
        *(logging.WARNING, "CONNECTION_LOST"),
    )
