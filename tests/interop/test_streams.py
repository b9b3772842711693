"""Streams beside Twisted, which declares the commands that they are made of."""

# mypy: disable-error-code="misc,no-untyped-call,untyped-decorator"
# pyright: basic
# ruff: noqa: N802, N815, RUF012
from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    clientFromString,
    connectProtocol,
    serverFromString,
)
from twisted.internet.protocol import Factory
from twisted.protocols import amp

from ampgen.runtime import DecodeError, Limits, UnknownCommand, serve
from ampgen.runtime.interceptors import LogCalls, send_token
from generated_example.archive import ArchiveClient, NoSuchFile, TailItem, UploadResult
from tests.interop.reactor import ask, reactor, there
from tests.raw import PATIENCE
from tests.runtime.test_streams import Files, eventually, nothing_is_left

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

STREAM = (b"_stream", amp.String())
CREDIT = (b"_credit", amp.Integer())


def oneway(name: bytes, *arguments: tuple[bytes, amp.Argument]) -> Any:
    attributes = {
        "commandName": name,
        "arguments": [STREAM, *arguments],
        "requiresAnswer": False,
    }
    metaclass: Any = type(amp.Command)
    return metaclass("Box", (amp.Command,), attributes)


class Missing(Exception):
    pass


class Tail(amp.Command):
    arguments = [
        (b"name", amp.Unicode()),
        (b"from", amp.Integer(optional=True)),
        (b"_meta.authorization", amp.Unicode(optional=True)),
        STREAM,
        CREDIT,
    ]
    response = [STREAM]
    errors = {Missing: b"NO_SUCH_FILE"}


TailItemBox = oneway(
    b"Tail._item", (b"number", amp.Integer()), (b"line", amp.Unicode())
)
TailCredit = oneway(b"Tail._credit", CREDIT)
TailStop = oneway(b"Tail._stop")


class Upload(amp.Command):
    arguments = [(b"name", amp.Unicode()), STREAM]
    response = [(b"size", amp.Integer()), STREAM]


UploadSend = oneway(b"Upload._send", (b"item", amp.String()))
UploadEnd = oneway(
    b"Upload._send_end",
    (b"_error_code", amp.String(optional=True)),
    (b"_error_description", amp.Unicode(optional=True)),
)
UploadCredit = oneway(b"Upload._send_credit", CREDIT)
UploadStop = oneway(b"Upload._send_stop")


class Size(amp.Command):
    arguments = [(b"name", amp.Unicode())]
    response = [(b"result", amp.Integer())]


class PlainTail(amp.Command):
    """As a program declares it that has never heard of streams."""

    commandName = b"Tail"
    arguments = [(b"name", amp.Unicode()), (b"from", amp.Integer(optional=True))]


class End(amp.AMP):
    """A Twisted program that streams both ways, with what AMP has alone."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: Deferred[None] = Deferred()
        self.items: list[Any] = []
        self.credit = 0
        self.made = 0
        self.stopped = False
        self.ended: list[Any] = []
        self.answers: list[Deferred[Any]] = []
        self.streams: list[bytes] = []
        self.tokens: list[Any] = []
        self.on_credit = self.tell

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)
        self.lost.callback(None)

    # --- it produces results ----------------------------------------------------------

    @Tail.responder
    def tail(self, name: str, _stream: bytes, _credit: int, **others: Any) -> Any:
        self.tokens.append(others.get("_meta.authorization"))
        if name == "missing":
            raise Missing("nothing is there")
        self.streams.append(_stream)
        self.last = 5 if name == "five" else 1_000_000
        self.credit += _credit
        self.answers.append(Deferred())
        self.tell()
        return self.answers[-1]

    def tell(self) -> None:
        """As many lines as there is credit for."""
        stream = self.streams[-1]
        while self.credit and self.made < self.last and not self.stopped:
            self.credit -= 1
            self.made += 1
            self.callRemote(TailItemBox, _stream=stream, number=self.made, line="x")
        if self.made == self.last and self.answers:
            self.answers.pop().callback({"_stream": stream})

    @TailCredit.responder
    def tail_credit(self, _stream: bytes, _credit: int) -> Any:
        self.credit += _credit
        self.tell()
        return {}

    @TailStop.responder
    def tail_stop(self, _stream: bytes) -> Any:
        self.stopped = True
        self.answers.pop().callback({"_stream": _stream})
        return {}

    # --- it consumes arguments --------------------------------------------------------

    @Upload.responder
    def upload(self, name: str, _stream: bytes) -> Any:
        self.answers.append(Deferred())
        self.enough = name == "enough"
        self.callRemote(UploadCredit, _stream=_stream, _credit=2)
        return self.answers[-1]

    @UploadSend.responder
    def upload_send(self, _stream: bytes, item: bytes) -> Any:
        self.items.append(item)
        if self.enough and self.answers:
            self.callRemote(UploadStop, _stream=_stream)
            self.answer(_stream)
        elif not self.enough:
            self.callRemote(UploadCredit, _stream=_stream, _credit=1)
        return {}

    @UploadEnd.responder
    def upload_end(self, _stream: bytes, **error: Any) -> Any:
        self.ended.append(error)
        self.answer(_stream)
        return {}

    def answer(self, stream: bytes) -> None:
        size = sum(map(len, self.items))
        self.answers.pop().callback({"_stream": stream, "size": size})

    # --- it consumes results, and produces arguments ----------------------------------

    @TailItemBox.responder
    def tail_item(self, _stream: bytes, number: int, line: str) -> Any:
        self.items.append(number)
        if len(self.items) % 2 == 0:
            self.callRemote(TailCredit, _stream=_stream, _credit=2)
        if len(self.items) == 50:
            self.callRemote(TailStop, _stream=_stream)
        return {}

    @UploadCredit.responder
    def upload_credit(self, _stream: bytes, _credit: int) -> Any:
        for _ in range(_credit):
            self.made += 1
            if self.made <= 10:
                self.callRemote(UploadSend, _stream=_stream, item=b"ab")
            elif self.made == 11:
                self.callRemote(UploadEnd, _stream=_stream)
        return {}

    @Size.responder
    def size(self, name: str) -> Any:
        return {"result": len(name)}

    def abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


class Old(amp.AMP):
    """One that has never heard of streams."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: Deferred[None] = Deferred()

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)
        self.lost.callback(None)

    @PlainTail.responder
    def tail(self, name: str, **_from: Any) -> Any:
        return {}

    @Size.responder
    def size(self, name: str) -> Any:
        return {"result": len(name)}

    def abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


@asynccontextmanager
async def client_of(kind: type[Any], **options: Any) -> AsyncGenerator[Any]:
    """A client of ours and the Twisted server that it calls."""
    ends: list[Any] = []

    def build() -> Any:
        ends.append(kind())
        return ends[-1]

    factory = Factory.forProtocol(build)
    described = "tcp:0:interface=127.0.0.1"
    port = await there(lambda: serverFromString(reactor, described).listen(factory))
    address = f"127.0.0.1:{port.getHost().port}"
    try:
        async with ArchiveClient.connect(address, **options) as client:
            assert await client.size("abc") == 3
            [end] = ends
            yield client, end
            assert await client.size("abc") == 3
            assert nothing_is_left(client.connection)
    finally:
        await there(port.stopListening)
        for end in ends:
            await there(end.abort)
            await there(lambda end=end: end.lost)


@asynccontextmanager
async def calling(service: Any, **options: Any) -> AsyncGenerator[End]:
    """A Twisted client of a server of ours."""
    async with serve("127.0.0.1:0", service, **options) as server:
        end = End()
        described = f"tcp:{server.addresses[0]}"
        await there(lambda: connectProtocol(clientFromString(reactor, described), end))
        yield end
        assert await ask(end, Size, name="abc") == {"result": 3}  # type: ignore[arg-type]
        await there(end.abort)
        await there(lambda: end.lost)


async def test_twisted_produces_results() -> None:
    async with client_of(End, limits=Limits(credit=3)) as (client, _end):
        got = [item async for item in client.tail("five", 1)]
        assert got == [TailItem(number=number, line="x") for number in range(1, 6)]


async def test_twisted_has_an_error_in_the_place_of_results() -> None:
    async with client_of(End) as (client, _end):
        with pytest.raises(NoSuchFile, match="nothing is there"):
            await anext(client.tail("missing"))


async def test_twisted_is_told_to_stop() -> None:
    async with client_of(End, limits=Limits(credit=4)) as (client, end):
        async with client.tail("endless") as lines:
            async for line in lines:
                if line.number == 30:
                    break
        await eventually(lambda: end.stopped)
        assert end.made < 40


async def test_twisted_consumes_arguments() -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield b"ab"

    async with client_of(End) as (client, end):
        assert await client.upload("all", chunks()) == UploadResult(size=40)
        assert [ended["_error_code"] for ended in end.ended] == [None]
        end.items.clear()
        assert await client.upload("enough", chunks()) == UploadResult(size=2)


async def test_twisted_hears_of_a_producer_that_fails() -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        yield b"ab"
        raise LookupError("mine")

    async with client_of(End) as (client, end):
        with pytest.raises(LookupError):
            await client.upload("all", chunks())
        await eventually(lambda: end.ended)
        [ended] = end.ended
        assert ended["_error_code"] == b"UNKNOWN"


async def test_twisted_does_not_notice_interceptors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "ampgen.calls")
    around = [LogCalls(), send_token("t0ken")]
    limits = Limits(credit=3)
    async with client_of(End, interceptors=around, limits=limits) as (client, end):
        assert len([item async for item in client.tail("five", 1)]) == 5
        with pytest.raises(NoSuchFile):
            await anext(client.tail("missing"))
        assert await client.upload("all", [b"ab"] * 20) == UploadResult(size=40)
        async with client.tail("endless") as lines:
            await anext(lines)
        await eventually(lambda: end.stopped)
    assert end.tokens == ["Bearer t0ken"] * 3
    records = [vars(r) for r in caplog.records if r.name == "ampgen.calls"]
    codes = [(r["command"], r["code"]) for r in records if r["command"] != "Size"]
    assert codes == [
        ("Tail", "OK"),
        ("Tail", "NO_SUCH_FILE"),
        ("Upload", "OK"),
        ("Tail", "OK"),
    ]


async def test_twisted_that_does_not_stream_does_not_notice() -> None:
    async with client_of(Old) as (client, _end):
        with pytest.raises(DecodeError, match="the peer does not stream"):
            await anext(client.tail("x"))
        async with client.tail("x"):
            pass
        with pytest.raises(UnknownCommand):
            await client.upload("x", [b"a"])


async def test_twisted_consumes_results() -> None:
    service = Files()
    async with calling(service) as end:
        answer = await ask(end, Tail, name="endless", _stream=b"mine", _credit=3)  # type: ignore[arg-type]
        assert answer == {"_stream": b"mine"}
        assert end.items[:50] == list(range(1, 51))
        assert len(end.items) <= 53
        await service.over()


async def test_twisted_produces_arguments() -> None:
    async with calling(Files(), limits=Limits(credit=4)) as end:
        answer = await ask(end, Upload, name="x", _stream=b"7")  # type: ignore[arg-type]
        assert answer == {"_stream": b"7", "size": 20}


async def test_twisted_gets_enough_said() -> None:
    async with calling(Files()) as end:
        answer = await ask(end, Upload, name="one", _stream=b"7")  # type: ignore[arg-type]
        assert answer == {"_stream": b"7", "size": 2}
        await asyncio.wait_for(there(lambda: None), PATIENCE)
