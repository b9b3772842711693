"""Twisted programs made by `--target twisted`, with ours at the other end."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="misc,no-untyped-call,override,untyped-decorator"
# pyright: basic
from __future__ import annotations

import asyncio
import datetime
import decimal
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.defer import Deferred, succeed

from ampgen.runtime import ConnectionLost, InternalError, serve
from generated_example import everything as ours
from tests.interop.reactor import ask, reactor, there, twisted_client, twisted_server
from tests.interop.twisted_commands import End
from tests.targets.python.test_generated import NESTED, NODE, SCALARS, Everything

if TYPE_CHECKING:
    from tests.conftest import CompileSchema

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture(scope="module")
def theirs(compile_schema: CompileSchema) -> Any:
    return compile_schema(SCHEMAS / "everything.amp", "twisted")


@pytest.fixture(scope="module")
def archive(compile_schema: CompileSchema) -> Any:
    return compile_schema(SCHEMAS / "archive.amp", "twisted")


def twisted_end(theirs: Any, seen: list[Any]) -> Any:
    """A Twisted program that answers as our `Everything` does."""

    def echo(self: Any, **values: Any) -> Any:
        seen.append(values)
        return values

    class Program(theirs.EverythingServer, End):
        echo_scalars = echo_maybe = echo_defaults = echo_nested = echo_node = echo
        echo_target = echo_scalar_arguments = maybe = copy = echo

        def arguments(self, **values: Any) -> Any:
            seen.append(values)
            return succeed({"text": "t"})

        def render(self, page: str, **values: Any) -> Any:
            seen.append({"page": page, **values})
            return {"page": page.encode(), "target": {"path": page[:10]}}

        async def upper(self, text: str) -> Any:
            return {"result": text.upper()}

        def touch(self, target: Any) -> Any:
            seen.append(target)
            return {}

        def fail(self, how: str) -> Any:
            raise theirs.Corrupt("gone") if how == "fatal" else theirs.Rejected("no")

        def log(self, level: Any, line: str, entry: Any) -> Any:
            seen.append((level, line, entry))
            return {}

        def upper_case(self, **values: Any) -> Any:
            seen.append(values)
            return {"Answer": values["Key"], "zebra": "z"}

        def history(self, limit: int) -> Any:
            at = datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC)
            return {"result": [{"at": at, "who": "me"}] * limit}

    return Program


async def test_our_client_and_a_twisted_server(theirs: Any) -> None:
    seen: list[Any] = []
    async with (
        twisted_server(end=twisted_end(theirs, seen)) as server,
        ours.EverythingClient.connect(server.address) as client,
    ):
        assert await client.echo_scalars(SCALARS) == SCALARS
        assert await client.echo_node(NODE) == NODE
        assert await client.echo_nested(NESTED) == NESTED
        assert await client.echo_maybe(ours.MaybeScalars()) == ours.MaybeScalars()
        target = ours.TargetMany(
            [ours.TargetPath("x"), ours.TargetLevel(ours.Level.LOUD)]
        )
        assert await client.echo_target(target) == target
        defaults = await client.echo_defaults(ours.Defaults())
        assert (defaults.grid, defaults.level) == ([[1, 2], []], ours.Level.INFO)
        assert await client.upper("a") == "A"
        assert (await client.arguments("f", last="l")).count is None
        assert seen.pop()["level"] is theirs.Level.LOUD
        assert await client.maybe(None) is None
        assert (await client.upper_case("k", lower="low")).answer == "k"
        assert [entry.who for entry in await client.history(2)] == ["me", "me"]
        await client.touch(ours.TargetPath("p"))
        assert seen.pop() == {"path": "p"}

        page = "page " * 30_000
        answer = await client.render(page, any={"a": [1, None]}, fine="f")
        assert answer.page == page.encode()
        assert answer.target == ours.TargetPath(page[:10])
        assert seen.pop() == {
            "page": page,
            "size": None,
            "page.1": "f",
            "parts": [],
            "index": None,
            "Any": {"a": [1, None]},
        }
        assert await client.copy(None) is None

        await client.log(ours.Level.INFO, "line", None)
        with pytest.raises(ours.Rejected, match="no"):
            await client.fail("plain")
        assert seen.pop() == (theirs.Level.INFO, "line", None)
        with pytest.raises(ours.Corrupt, match="gone"):
            await client.fail("fatal")
        with pytest.raises(ConnectionLost):
            await client.upper("b")


class Ours(Everything):
    def render(self, page: str, *values: Any) -> ours.RenderResult:
        return ours.RenderResult(
            page=page.encode(),
            node=NODE,
            target=ours.TargetPath(page[:10]),
            count=None,
        )


async def test_a_twisted_client_and_our_server(theirs: Any) -> None:
    commands = theirs.Everything
    async with serve("127.0.0.1:0", Ours()) as server:
        [address] = server.addresses
        host, _, port = address.rpartition(":")
        async with twisted_client(f"{host}:{port}") as end:
            scalars = {
                "truth": True,
                "whole": 10**400,
                "real": 0.1,
                "text": "é\0",
                "raw": b"\xff",
                "exact": decimal.Decimal("1.50"),
                "moment": datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC),
                "day": datetime.date(2026, 1, 31),
                "span": datetime.timedelta(days=-1, microseconds=1),
                "id": uuid.UUID(int=7),
                "any": {"a": [1, None, {"b": 1.5}]},
                "file": Path("a/b"),
            }
            answer = await ask(end, commands.EchoScalars, value=scalars)
            assert answer == {"value": scalars}
            node = {"name": "a", "parent": {"name": "b", "children": []}}
            answer = await ask(end, commands.EchoNode, value=node)
            assert answer["value"]["parent"] == {
                "name": "b",
                "parent": None,
                "children": [],
                "named": {},
            }
            for target in ({"path": "p"}, {"many": [{"path": "q"}]}, {"level": "LOUD"}):
                answer = await ask(end, commands.EchoTarget, value=target)
                assert answer == {"value": target}
            # what is left out has its default, and is sent
            answer = await ask(end, commands.EchoDefaults, value={})
            assert answer["value"]["more"] == ["a", "b"]
            assert await ask(end, commands.Arguments, first="f", last="l") == {
                "text": "t",
                "count": None,
            }
            page = "page " * 30_000
            answer = await ask(end, commands.Render, page=page, Any=[])
            assert answer["page"] == page.encode()
            assert answer["target"] == {"path": page[:10]}
            with pytest.raises(theirs.Rejected, match="no"):
                await ask(end, commands.Fail, how="plain")
            assert await ask(end, commands.Touch, target={"path": "x"}) == {}
            assert (
                await there(end.callRemote, commands.Log, level="info", line="l")
                is None
            )
            with pytest.raises(theirs.Corrupt, match="gone"):
                await ask(end, commands.Fail, how="fatal")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"path": "p", "level": "LOUD"}, "one member"),
        ({}, "one member"),
        ({"nothing": 1}, "one member"),
        ({"level": "nothing"}, "not a valid Level"),
    ],
)
async def test_a_value_that_is_none_is_not_sent(
    value: Any, told: str, theirs: Any
) -> None:
    with pytest.raises(ValueError, match=told):
        theirs.Everything.Touch.makeArguments({"target": value}, None)


async def test_bytes_that_say_no_value_are_an_unknown_error(theirs: Any) -> None:
    """As all that goes wrong in Twisted: and the connection ends."""
    seen: list[Any] = []
    async with (
        twisted_server(end=twisted_end(theirs, seen)) as server,
        ours.EverythingClient.connect(server.address) as client,
    ):
        with pytest.raises(InternalError):
            await client.connection.call_box(b"Touch", {b"target": b"\0\4nope\0\0\0\0"})
    assert seen == []


def pairs(*members: tuple[bytes, bytes]) -> bytes:
    return b"".join(
        len(part).to_bytes(2, "big") + part for member in members for part in member
    )


@pytest.mark.parametrize(
    ("command", "key", "raw"),
    [
        ("EchoTarget", b"value", pairs((b"nope", b"")) + b"\0\0"),
        ("EchoTarget", b"value", b""),
        ("EchoTarget", b"value", pairs((b"path", b""), (b"level", b"LOUD")) + b"\0\0"),
        ("EchoNode", b"value", b""),
        (
            "Arguments",
            b"scores",
            2 * (pairs((b"key", b"a"), (b"value", b"1")) + b"\0\0"),
        ),
        ("Arguments", b"level", b"NOPE"),
        ("Render", b"Any", b"NaN"),
        ("Render", b"Any", b'{"a": 1, "a": 2}'),
        ("EchoScalarArguments", b"day", b"20260131"),
        ("EchoScalarArguments", b"day", b"2026-02-30"),
        ("EchoScalarArguments", b"span", b"1.1234567"),
        ("EchoScalarArguments", b"span", b"+1"),
        ("EchoScalarArguments", b"id", b"{%032d}" % 7),
        ("EchoScalarArguments", b"file", b"\xff"),
    ],
)
def test_what_our_own_reader_refuses_is_refused(
    command: str, key: bytes, raw: bytes, theirs: Any
) -> None:
    declared = getattr(theirs.Everything, command)
    (argument,) = [one for name, one in declared.arguments if name == key]
    with pytest.raises(ValueError):  # noqa: PT011 - what is told is not for programs
        argument.fromBox(key, {key: raw}, {}, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("day", datetime.datetime(2026, 1, 31)),
        ("day", "2026-01-31"),
        ("span", 1),
        ("id", "00000000-0000-0000-0000-000000000007"),
        ("any", {1: 2}),
        ("any", (1, 2)),
        ("any", float("nan")),
        ("file", b"a/b"),
    ],
)
def test_what_our_own_writer_refuses_is_refused(
    key: str, value: Any, theirs: Any
) -> None:
    arguments = dict(theirs.Everything.EchoScalarArguments.arguments)
    with pytest.raises((TypeError, ValueError)):
        arguments[key.encode()].toBox(key.encode(), {}, {key: value}, None)


def test_an_open_enum_keeps_what_it_does_not_know(theirs: Any) -> None:
    argument = dict(theirs._fields_Defaults)[b"region"].argument
    assert argument.fromString(b"mars") == "mars"
    assert argument.fromString(b"eu") is theirs.Region.EU
    assert argument.toString("mars") == b"mars"
    assert argument.toString(theirs.Region.EU) == b"eu"
    with pytest.raises(TypeError):
        argument.toString(1)


def test_a_large_value_has_all_its_pieces(theirs: Any) -> None:
    argument = dict(theirs.Everything.Render.arguments)[b"page"]
    box: Any = {}
    argument.toBox(b"page", box, {"page": "x" * 140_000}, None)
    assert sorted(box) == [b"page", b"page.2", b"page.3"]
    for key, value in ((b"page", b"x"), (b"page.2", b"x"), (b"page.3", b"")):
        with pytest.raises(ValueError, match="pieces"):
            argument.fromBox(b"page", {**box, key: value}, {}, None)
    with pytest.raises(KeyError):  # as Twisted tells of a key that is not there
        argument.fromBox(b"page", {b"page.2": b"x"}, {}, None)


@pytest.mark.skipif(os.name == "nt", reason="Unix sockets")
async def test_descriptors(tmp_path: Path, compile_schema: CompileSchema) -> None:
    theirs: Any = compile_schema(SCHEMAS / "everything.amp", "twisted")
    path = tmp_path / "file"
    path.write_bytes(b"content")

    class Program(theirs.FilesServer, End):  # type: ignore[name-defined,unused-ignore]
        def adopt(self, file: int, name: str, spare: int | None) -> Any:
            with os.fdopen(file) as given:
                return {"size": len(given.read())}

        def open(self, path: Path) -> Any:
            made = os.open(path, os.O_RDONLY)
            # the transport sends it in its own time
            reactor.callLater(1, os.close, made)
            return {"result": made}

    async with (
        twisted_server(str(tmp_path / "socket"), Program) as server,
        ours.FilesClient.connect(server.address) as files,
    ):
        with path.open("rb") as file:
            assert (await files.adopt(file.fileno(), "name")).size == 7
        with os.fdopen(await files.open(path)) as opened:
            assert opened.read() == "content"


# --- streams --------------------------------------------------------------------------


async def test_streams_of_a_twisted_server(archive: Any, compile_schema: Any) -> None:
    made: Any = compile_schema(SCHEMAS / "archive.amp")
    commands = archive.Archive

    class Program(archive.ArchiveServer, End):
        def __init__(self) -> None:
            super().__init__()
            self.chunks: list[bytes] = []
            self.done: Deferred[Any] = Deferred()
            self.stopped: Deferred[Any] = Deferred()
            self.ended: Deferred[Any] = Deferred()
            self.credit = 0

        def download(self, name: str, _stream: bytes, _credit: int) -> Any:
            if name != "there":
                raise archive.NoSuchFile(name)
            for chunk in (b"a", b"b"):
                self.callRemote(commands.Download.Item, _stream=_stream, chunk=chunk)
            return {"_stream": _stream}

        def tail(self, _stream: bytes, _credit: int, **_values: Any) -> Any:
            for number in range(_credit):
                self.callRemote(
                    commands.Tail.Item, _stream=_stream, number=number, line="x"
                )
            return self.stopped

        def tail_credit(self, _stream: bytes, _credit: int) -> None:
            self.credit += _credit

        def tail_stop(self, _stream: bytes) -> None:
            self.stopped.callback({"_stream": _stream})
            self.ended.callback(None)

        def upload(self, name: str, _stream: bytes) -> Any:
            self.callRemote(commands.Upload.SendCredit, _stream=_stream, _credit=10)
            return self.done

        def upload_send(self, _stream: bytes, item: bytes) -> None:
            self.chunks.append(item)

        def upload_send_end(
            self,
            _stream: bytes,
            _error_code: bytes | None,
            _error_description: str | None,
        ) -> None:
            size = sum(map(len, self.chunks))
            self.done.callback({"_stream": _stream, "size": size})

    async with (
        twisted_server(end=Program) as server,
        made.ArchiveClient.connect(server.address) as client,
    ):
        assert [chunk async for chunk in client.download("there")] == [b"a", b"b"]
        with pytest.raises(made.NoSuchFile, match="nowhere"):
            async for _ in client.download("nowhere"):
                pass
        assert (await client.upload("x", [b"abc", b"de"])).size == 5
        taken = 0
        async with client.tail("x") as lines:
            async for line in lines:
                taken += 1
                if line.number == 40:
                    break
        end: Any = server.ends[0]
        assert taken == 41
        await there(lambda: end.ended)
        assert end.credit > 0


async def test_streams_of_a_twisted_client(archive: Any, compile_schema: Any) -> None:
    made: Any = compile_schema(SCHEMAS / "archive.amp")
    commands = archive.Archive

    class Files(made.ArchiveServer):  # type: ignore[name-defined,unused-ignore]
        async def search(self, word: str, lines: Any) -> Any:
            async for line in lines:
                if word in line:
                    yield line

        def tail(self, *_: Any) -> Any:
            raise NotImplementedError

        download = upload = size = tail

    class Program(End):
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[str] = []

        @commands.Search.SendCredit.responder
        def send(self, _stream: bytes, _credit: int) -> Any:
            for line in ("one", "three", "four"):
                self.callRemote(commands.Search.Send, _stream=_stream, item=line)
            self.callRemote(commands.Search.SendEnd, _stream=_stream)
            return {}

        @commands.Search.Item.responder
        def found(self, _stream: bytes, item: str) -> Any:
            self.lines.append(item)
            return {}

    async with serve("127.0.0.1:0", Files()) as server:
        [address] = server.addresses
        host, _, port = address.rpartition(":")
        async with twisted_client(f"{host}:{port}", Program) as made_end:
            end: Any = made_end
            answer = await asyncio.wait_for(
                ask(end, commands.Search, word="o", _stream=b"s", _credit=10), 10
            )
            assert answer == {"_stream": b"s"}
            assert end.lines == ["one", "four"]
