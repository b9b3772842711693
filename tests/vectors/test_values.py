"""Every value, through client and server, is on the wire what Twisted has there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import DecodeError, EncodeError
from tests.raw import box, client_of, server_of
from tests.vectors.cases import SCHEMA, exact, load, readers, unpack

if TYPE_CHECKING:
    from tests.conftest import CompileSchema
    from tests.vectors.cases import Reader

VALUES = load("values.json")
READ = load("read.json")
REFUSED_VALUES = load("refused_values.json")
REFUSED_BYTES = load("refused_bytes.json")


def name_of(case: dict[str, Any]) -> str:
    told = case.get("refused") or str(case["value"])
    return f"{case['command']}-{told if len(told) < 60 else told[:57] + '...'}"


def cases(found: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", found, ids=name_of)


@pytest.fixture(scope="module")
def compiled(compile_schema: CompileSchema) -> Any:
    return compile_schema(SCHEMA)


@pytest.fixture(scope="module")
def reader(compiled: Any) -> dict[str, Reader]:
    return readers(compiled)


def method(command: str) -> str:
    """``EchoInts`` is called ``echo_ints``."""
    return f"echo_{command.removeprefix('Echo').lower()}"


def commands(compiled: Any) -> list[str]:
    return [name for name in dir(compiled.ValuesServer) if name.startswith("echo_")]


def service(compiled: Any, answer: Any) -> Any:
    """What every command of it answers is for ``answer`` to say."""

    def handle(_: Any, value: Any) -> Any:
        return answer(value)

    handlers = dict.fromkeys(commands(compiled), handle)
    return type("Values", (compiled.ValuesServer,), handlers)()


def request(command: str, value: bytes, ask: bytes = b"1") -> bytes:
    return box({b"_ask": ask, b"_command": command.encode(), b"value": value})


def same(value: Any, expected: Any) -> bool:
    """Also told apart: ``-0.0`` and ``0.0``, ``1`` and ``True``; ``nan`` is ``nan``."""
    return repr(value) == repr(expected)


def test_there_is_a_vector_for_every_command(compiled: Any) -> None:
    covered = {method(case["command"]) for case in VALUES}
    assert covered == set(commands(compiled))


@cases(VALUES)
async def test_a_client_writes_and_reads_what_twisted_writes(
    case: dict[str, Any], compiled: Any, reader: dict[str, Reader]
) -> None:
    command, data = case["command"], unpack(case["bytes"])
    value = reader[command](case["value"])
    async with client_of(compiled.ValuesClient) as (client, peer):
        call = asyncio.create_task(getattr(client, method(command))(value))
        expected = request(command, data)
        assert await peer.receive(len(expected)) == expected
        await peer.send(box({b"_answer": b"1", b"value": data}))
        assert same(await call, value)


@cases(VALUES)
async def test_a_server_reads_and_writes_what_twisted_writes(
    case: dict[str, Any], compiled: Any, reader: dict[str, Reader]
) -> None:
    command, data = case["command"], unpack(case["bytes"])
    seen: list[Any] = []

    def answer(value: Any) -> Any:
        seen.append(value)
        return value

    async with server_of(service(compiled, answer)) as peer:
        await peer.send(request(command, data))
        expected = box({b"_answer": b"1", b"value": data})
        assert await peer.receive(len(expected)) == expected
    [value] = seen
    assert same(value, reader[command](case["value"]))


@cases(READ)
async def test_a_client_reads_what_twisted_reads(
    case: dict[str, Any], compiled: Any, reader: dict[str, Reader]
) -> None:
    command = case["command"]
    value = reader[command](case["value"])
    async with client_of(compiled.ValuesClient) as (client, peer):
        call = asyncio.create_task(getattr(client, method(command))(value))
        await peer.receive_box()
        await peer.send(box({b"_answer": b"1", b"value": unpack(case["bytes"])}))
        assert same(await call, value)


@cases(READ)
async def test_a_server_reads_what_twisted_reads(
    case: dict[str, Any], compiled: Any, reader: dict[str, Reader]
) -> None:
    command = case["command"]
    seen: list[Any] = []

    def answer(value: Any) -> Any:
        seen.append(value)
        return value

    async with server_of(service(compiled, answer)) as peer:
        await peer.send(request(command, unpack(case["bytes"])))
        assert b"_answer" in await peer.receive_box()
    [value] = seen
    assert same(value, reader[command](case["value"]))


@cases(REFUSED_VALUES)
async def test_a_client_refuses_what_is_not_of_the_type_and_sends_nothing(
    case: dict[str, Any], compiled: Any
) -> None:
    command = case["command"]
    async with client_of(compiled.ValuesClient) as (client, peer):
        with pytest.raises(EncodeError) as refusal:
            await getattr(client, method(command))(exact(case["value"]))
        assert command in str(refusal.value)
        assert "value" in str(refusal.value)
        call = asyncio.create_task(client.echo_bool(True))
        sent = await peer.receive_box()
        assert sent[b"_command"] == b"EchoBool"
        await peer.send(box({b"_answer": sent[b"_ask"], b"value": b"True"}))
        assert await call is True


@cases(REFUSED_VALUES)
async def test_a_handler_that_returns_it_is_an_unknown_error(
    case: dict[str, Any], compiled: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = exact(case["value"])
    good = {
        one["command"]: unpack(one["bytes"]) for one in reversed(VALUES)
    }  # the first of each
    answers = iter([wrong, True])

    def answer(_: Any) -> Any:
        return next(answers)

    async with server_of(service(compiled, answer)) as peer:
        await peer.send(request(case["command"], good[case["command"]]))
        assert await peer.receive_box() == {
            b"_error": b"1",
            b"_error_code": b"UNKNOWN",
            b"_error_description": b"Unknown Error",
        }
        assert case["command"] in caplog.text
        await peer.send(request("EchoBool", b"True", b"2"))
        assert await peer.receive_box() == {b"_answer": b"2", b"value": b"True"}


@cases(REFUSED_BYTES)
async def test_a_client_refuses_bytes_and_the_connection_goes_on(
    case: dict[str, Any], compiled: Any, reader: dict[str, Reader]
) -> None:
    command = case["command"]
    good = next(one for one in VALUES if one["command"] == command)
    value = reader[command](good["value"])
    async with client_of(compiled.ValuesClient) as (client, peer):
        for data, fails in ((case["bytes"], True), (good["bytes"], False)):
            call = asyncio.create_task(getattr(client, method(command))(value))
            ask = (await peer.receive_box())[b"_ask"]
            await peer.send(box({b"_answer": ask, b"value": unpack(data)}))
            if fails:
                with pytest.raises(DecodeError) as refusal:
                    await call
                assert command in str(refusal.value)
                assert "value" in str(refusal.value)
            else:
                assert same(await call, value)


@cases(REFUSED_BYTES)
async def test_a_server_refuses_bytes_and_the_connection_goes_on(
    case: dict[str, Any], compiled: Any
) -> None:
    handled: list[Any] = []

    def answer(value: Any) -> Any:
        handled.append(value)
        return value

    async with server_of(service(compiled, answer)) as peer:
        await peer.send(request(case["command"], unpack(case["bytes"])))
        refusal = await peer.receive_box()
        assert refusal[b"_error"] == b"1"
        assert refusal[b"_error_code"] == b"INVALID_ARGUMENT"
        assert case["command"].encode() in refusal[b"_error_description"]
        assert b"value" in refusal[b"_error_description"]
        assert handled == []
        await peer.send(request("EchoBool", b"True", b"2"))
        assert await peer.receive_box() == {b"_answer": b"2", b"value": b"True"}
