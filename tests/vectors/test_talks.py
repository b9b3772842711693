"""Whole conversations: each end of ours in the place of Twisted's, byte for byte."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import InternalError, RemoteError, UnknownCommand
from tests.raw import PATIENCE, box, client_of, server_of
from tests.vectors.cases import SCHEMA, load, unpack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import CompileSchema
    from tests.raw import RawPeer

TALKS = load("talks.json")
talks = pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk["name"])


@pytest.fixture(scope="module")
def compiled(compile_schema: CompileSchema) -> Any:
    return compile_schema(SCHEMA)


def client_services(compiled: Any) -> dict[str, Any]:
    class TalkBack(compiled.TalkBackServer):  # type: ignore[misc]
        def ping(self, number: int) -> Any:
            return compiled.PingResult(number=number)

        def notice(self, text: str) -> None:
            pass

    return {"talk_back": TalkBack()}


def talk_server(compiled: Any, holds: bool) -> Any:
    class Talk(compiled.TalkServer):  # type: ignore[misc]
        """Answers at once; if it ``holds``, then `sum` when it is told to."""

        def __init__(self) -> None:
            self.held: dict[int, asyncio.Event] = {}

        def release(self, total: int) -> None:
            self.held.setdefault(total, asyncio.Event()).set()

        async def sum(self, a: int, b: int) -> Any:
            if holds:
                await self.held.setdefault(a + b, asyncio.Event()).wait()
            return compiled.SumResult(total=a + b)

        def capital(self, *given: Any) -> Any:
            zoo, lower, upper = given
            return compiled.CapitalResult(Zoo=zoo, ant=lower, Ant=upper)

        def maybe(self, must: int, may: str | None) -> Any:
            return compiled.MaybeResult(must=must, may=may)

        def nothing(self) -> None:
            pass

        def fail(self, how: str) -> Any:
            raise {
                "refused": compiled.Refused("no, thanks: ä€"),
                "silent": compiled.Refused(),
                "named": compiled.Named("by its name"),
                "broken": compiled.Broken("for good"),
            }.get(how, ValueError("a secret"))

        def log(self, line: str) -> None:
            pass

        def renamed(self, times: int) -> Any:
            return compiled.RenamedResult(answer=times)

    return Talk()


# How our clients make the calls of the conversations: whose method it is, and how each
# argument is read from the notation, in the schema's order.
CALLS: dict[str, tuple[str, str, dict[str, Callable[[str], object]]]] = {
    "Sum": ("talk", "sum", {"a": int, "b": int}),
    "Capital": ("talk", "capital", {"Zoo": int, "ant": str, "Ant": str}),
    "Maybe": ("talk", "maybe", {"must": int, "may": str}),
    "Nothing": ("talk", "nothing", {}),
    "Renamed": ("talk", "renamed", {"how_many": int}),
    "Fail": ("talk", "fail", {"how": str}),
    "Log": ("talk", "log", {"line": str}),
    "Missing": ("unknown", "missing", {"a": int}),
    "Apostrophe": ("unknown", "apostrophe", {}),
    "Backslash": ("unknown", "backslash", {}),
    "Quotes": ("unknown", "quotes", {}),
    "Ping": ("back", "ping", {"number": int}),
    "Notice": ("back", "notice", {"text": str}),
}
# What only a caller without the schema can ask for: the command, and is it oneway?
RAW_CALLS = {"AskedLog": (b"Log", False), "UnaskedSum": (b"Sum", True)}


class Ends:
    """Calls of either end, as they are written in the conversations."""

    def __init__(self, compiled: Any, connection: Any) -> None:
        self.connection = connection
        self.clients = {
            "talk": compiled.TalkClient(connection),
            "back": compiled.TalkBackClient(connection),
            "unknown": compiled.UnknownClient(connection),
        }
        self.release: Callable[[int], None] = lambda _: None

    async def call(self, command: str, given: dict[str, str]) -> Any:
        if command in RAW_CALLS:
            name, oneway = RAW_CALLS[command]
            pairs = {key.encode(): value.encode() for key, value in given.items()}
            return await self.connection.call_box(name, pairs, oneway=oneway)
        client, method, types = CALLS[command]
        arguments = [read(given[key]) for key, read in types.items() if key in given]
        return await getattr(self.clients[client], method)(*arguments)


def noted(result: Any) -> dict[str, str]:
    """A result as `notation.note` has it, by the names of its keys on the wire."""
    if result is None:
        return {}
    renamed = {"answer": "the_answer"}
    names = [field.name for field in dataclasses.fields(result)]
    values = {name: getattr(result, name) for name in names}
    return {
        renamed.get(name, name): str(value)
        for name, value in values.items()
        if value is not None
    }


async def outcome(call: Awaitable[Any]) -> Any:
    """What a call comes to: its result, or the error that the peer answered with."""
    try:
        return await call
    except RemoteError as error:
        return error


def check_outcome(step: dict[str, Any], came: Any, of: Any) -> None:
    """The call came to what it came to between two ends of Twisted's."""
    if "error" in step:
        errors = {
            "UnknownRemoteError": InternalError,
            "UnhandledCommand": UnknownCommand,
        }
        expected = errors.get(step["error"]) or getattr(of, step["error"])
        assert type(came) is expected
    elif step["command"] in RAW_CALLS:
        assert came == {}  # no keys, or no answer
    else:
        assert noted(came) == step.get("result", {})


async def play(
    talk: dict[str, Any], us: str, ends: Ends, peer: RawPeer, of: Any
) -> None:
    """Go through a conversation in which ``us`` is ours, and the other end is bytes."""
    calls: list[tuple[dict[str, Any], asyncio.Task[Any]]] = []
    async with asyncio.TaskGroup() as tasks:
        for step in talk["steps"]:
            if step.get("caller") == us:
                said = ends.call(step["command"], step["with"])
                task = tasks.create_task(outcome(said))
                calls.append((step, task))
            elif step.get("from") == us:
                expected = unpack(step["bytes"])
                assert await peer.receive(len(expected)) == expected
            elif "from" in step:
                await peer.send(unpack(step["bytes"]))
            elif "release" in step and us == "server":
                ends.release(step["release"])
    for step, call in calls:
        check_outcome(step, call.result(), of)


@talks
async def test_our_client_says_and_hears_what_twisteds_does(
    talk: dict[str, Any], compiled: Any
) -> None:
    services = client_services(compiled)
    async with client_of(compiled.TalkClient, **services) as (client, peer):
        await play(talk, "client", Ends(compiled, client.connection), peer, compiled)


@talks
async def test_our_server_says_and_hears_what_twisteds_does(
    talk: dict[str, Any], compiled: Any
) -> None:
    served: asyncio.Queue[Any] = asyncio.Queue()
    holds = any("release" in step for step in talk["steps"])

    def serve_one(connection: Any) -> Any:
        service = talk_server(compiled, holds)
        ends = Ends(compiled, connection)
        ends.release = service.release
        connection._shell.protocol.greets = False  # as if it had called before
        served.put_nowait(ends)
        return service

    async with server_of(serve_one) as peer:
        ends = await asyncio.wait_for(served.get(), PATIENCE)
        await play(talk, "server", ends, peer, compiled)
        if talk["name"] == "an error: broken":
            assert await peer.ended()
        else:  # Twisted closes after UNKNOWN, we do not
            await peer.send(box({b"_ask": b"more", b"_command": b"Nothing"}))
            assert await peer.receive_box() == {b"_answer": b"more"}
