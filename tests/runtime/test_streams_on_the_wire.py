"""Streams box by box: what we send to a peer, and what a bad one does to us."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    DeadlineExceeded,
    DecodeError,
    Limits,
    ProtocolError,
    RemoteError,
    Stream,
    serve,
)
from ampgen.runtime.streams import SLICE
from generated_example.archive import ArchiveClient, TailItem, UploadResult
from tests.raw import PATIENCE, box, client_of, dial, server_of
from tests.runtime.test_streams import Files, as_made, eventually, nothing_is_left

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.raw import RawPeer

Box = dict[bytes, bytes]


def a(command: bytes, stream: bytes | None, **pairs: bytes) -> Box:
    """A box of a stream, or a request that begins one."""
    made = {b"_command": command} | {k.encode(): v for k, v in pairs.items()}
    return made if stream is None else made | {b"_stream": stream}


def tail(
    ask: bytes = b"1", stream: bytes = b"s", credit: bytes = b"2", **more: bytes
) -> Box:
    return a(b"Tail", stream, _ask=ask, _credit=credit, name=b"endless", **more)


def upload(ask: bytes = b"1", stream: bytes = b"s", name: bytes = b"x") -> Box:
    return a(b"Upload", stream, _ask=ask, name=name)


def line(number: int, stream: bytes = b"s", **pairs: bytes) -> Box:
    item = a(b"Tail._item", stream, number=b"%d" % number, **pairs)
    return item | {b"line": b"endless"}


SIZE = {b"_command": b"Size", b"_ask": b"77", b"name": b"abc"}
SIZED = {b"_answer": b"77", b"result": b"3"}


async def lives(peer: RawPeer) -> None:
    """The connection does, and there was nothing else to come."""
    await peer.send(box(SIZE))
    assert await peer.receive_box() == SIZED


async def begin(peer: RawPeer, *boxes: Box) -> None:
    await peer.send(b"".join(map(box, boxes)))


# --- our server -----------------------------------------------------------------------


async def test_a_stream_of_results_is_ordinary_boxes() -> None:
    service = Files()
    async with server_of(service) as peer:
        await begin(peer, tail(**{"from": b"7"}))
        item = (
            b"\0\x08_command\0\x0aTail._item\0\x07_stream\0\1s"
            b"\0\4line\0\7endless\0\6number\0\1%d\0\0"
        )
        for number in (8, 9):
            assert await peer.receive(len(item) - 1) == item % number
        await lives(peer)
        await begin(peer, a(b"Tail._credit", b"s", _credit=b"1"))
        assert await peer.receive_box() == line(10)
        await begin(peer, a(b"Tail._stop", b"s"))
        assert await peer.receive_box() == {b"_answer": b"1", b"_stream": b"s"}
        assert (await service.over())[-1] == "finally"
        # what is still on the way to a stream that is over
        await begin(
            peer, a(b"Tail._credit", b"s", _credit=b"1"), a(b"Tail._stop", b"s")
        )
        await lives(peer)


async def test_the_end_and_an_error_need_no_credit() -> None:
    async with server_of(Files()) as peer:
        request = tail(credit=b"3") | {b"name": b"three"}
        await begin(peer, request)
        for _ in range(3):
            await peer.receive_box()
        assert await peer.receive_box() == {b"_answer": b"1", b"_stream": b"s"}
        await begin(peer, tail(credit=b"0") | {b"name": b"nothing"})
        error = await peer.receive_box()
        assert error[b"_error_code"] == b"NO_SUCH_FILE"


async def test_an_argument_stream_is_ordinary_boxes() -> None:
    service = Files()
    async with server_of(service, limits=Limits(credit=4)) as peer:
        await begin(peer, upload())
        credit = a(b"Upload._send_credit", b"s", _credit=b"4")
        assert await peer.receive_box() == credit
        await begin(peer, *(a(b"Upload._send", b"s", item=b"ab") for _ in range(2)))
        assert await peer.receive_box() == credit | {b"_credit": b"2"}
        # whatever the order of the keys
        raw = b"\0\4item\0\1c\0\7_stream\0\1s\0\x08_command\0\x0cUpload._send\0\0"
        await peer.send(raw)
        await begin(peer, a(b"Upload._send_end", b"s"))
        assert await peer.receive_box() == {
            b"_answer": b"1",
            b"_stream": b"s",
            b"size": b"5",
        }
        await begin(peer, a(b"Upload._send", b"s", item=b"ab"))  # after its end
        await lives(peer)


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ({b"_error_code": b"CANCELLED"}, "Cancelled('')"),
        (
            {b"_error_code": b"TOO_LARGE", b"_error_description": b"too large"},
            "TooLarge('too large')",
        ),
        (
            {b"_error_code": b"X", b"_error_description": b"\xff"},
            "RemoteError('\ufffd')",
        ),
    ],
)
async def test_an_argument_stream_may_end_with_an_error(
    code: Box, seen: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = Files()
    async with server_of(service) as peer:
        await begin(peer, upload())
        await peer.receive_box()
        await begin(peer, a(b"Upload._send_end", b"s") | code)
        error = await peer.receive_box()
        assert await service.over() == [seen, "finally"]
        # a declared one goes back as it is; the others are no fault of the handler's
        declared = code[b"_error_code"] == b"TOO_LARGE"
        assert error[b"_error_code"] == (b"TOO_LARGE" if declared else b"CANCELLED")
        await lives(peer)
    assert not [each for each in caplog.records if each.name == "ampgen"]


async def test_a_handler_may_raise_another_error_than_that_of_its_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Other(Files):
        async def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:
            with contextlib.suppress(RemoteError):
                _ = [chunk async for chunk in chunks]
            raise RemoteError("of another call", code="X")

    async with server_of(Other()) as peer:
        await begin(peer, upload())
        await peer.receive_box()
        await begin(peer, a(b"Upload._send_end", b"s", _error_code=b"Y"))
        assert (await peer.receive_box())[b"_error_code"] == b"UNKNOWN"
    assert "the handler failed" in caplog.text


REFUSED = [
    (a(b"Tail", None, _ask=b"1", _credit=b"1", name=b""), "`_stream`: required"),
    (a(b"Tail", b"s" * 256, _ask=b"1", _credit=b"1", name=b""), "`_stream`: required"),
    (a(b"Tail", b"s", _ask=b"1", name=b""), "`_credit`: required, and missing"),
    (tail(credit=b"-1"), "`_credit`: required, and missing"),
    (a(b"Upload", None, _ask=b"1", name=b""), "`_stream`: required, and missing"),
    (a(b"Search", b"s", _ask=b"1", word=b""), "`_credit`: required, and missing"),
]


@pytest.mark.parametrize(("request_", "rule"), REFUSED)
async def test_a_request_that_does_not_stream_is_refused(
    request_: Box, rule: str
) -> None:
    async with server_of(Files()) as peer:
        await begin(peer, request_)
        error = await peer.receive_box()
        assert error[b"_error"] == b"1"
        assert error[b"_error_code"] == b"INVALID_ARGUMENT"
        assert rule in error[b"_error_description"].decode()
        await lives(peer)


async def test_a_stream_that_wants_no_answer_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with server_of(Files()) as peer:
        request = tail()
        del request[b"_ask"]
        await begin(peer, request)
        await lives(peer)
    assert "INVALID_ARGUMENT" in caplog.text


@pytest.mark.parametrize("command", [b"Tail", b"Upload", b"Search"])
async def test_an_id_is_for_one_open_stream(command: bytes) -> None:
    service = Files()
    async with server_of(service) as peer:
        request = a(command, b"s", _ask=b"1", _credit=b"0", name=b"x", word=b"x")
        await begin(peer, request)
        if command != b"Tail":
            await peer.receive_box()
        await begin(peer, request | {b"_ask": b"2"})
        error = await peer.receive_box()
        assert (error[b"_error"], error[b"_error_code"]) == (b"2", b"INVALID_ARGUMENT")
        assert b"of one that is still open" in error[b"_error_description"]
        await lives(peer)


VIOLATIONS = [
    (upload(), a(b"Upload._send", b"s", item=b""), "beyond its credit"),
    (tail(), a(b"Tail._stop", b"s", _ask=b"1"), "an `_ask` that is still being served"),
]


@pytest.mark.parametrize(("request_", "bad", "what"), VIOLATIONS)
async def test_what_breaks_the_protocol_ends_the_connection(
    request_: Box, bad: Box, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = Files()
    async with server_of(service, limits=Limits(credit=1), drain_timeout=0.1) as peer:
        await begin(peer, request_)
        for _ in range(2 if request_[b"_command"] == b"Tail" else 1):
            await peer.receive_box()
        await begin(peer, bad, bad)
        while not await peer.ended():
            pass
        assert (await service.over())[-1] == "finally"
    assert what in caplog.text


async def test_an_item_that_does_not_decode_fails_the_call() -> None:
    service = Files()
    async with server_of(service) as peer:
        await begin(
            peer, upload(), a(b"Search", b"t", _ask=b"2", _credit=b"1", word=b"")
        )
        await peer.receive_box()
        await peer.receive_box()
        await begin(peer, a(b"Search._send", b"t", item=b"\xff"))
        assert await peer.receive_box() == a(b"Search._send_stop", b"t")
        error = await peer.receive_box()
        assert error[b"_error_code"] == b"INVALID_ARGUMENT"
        assert b"Search: item: not UTF-8 at byte 0" in error[b"_error_description"]
        await begin(peer, a(b"Upload._send", b"s"))
        assert await peer.receive_box() == a(b"Upload._send_stop", b"s")
        error = await peer.receive_box()
        assert b"Upload: item: required, and missing" in error[b"_error_description"]
        await lives(peer)


async def test_a_box_of_a_stream_that_asks_is_answered() -> None:
    service = Files()
    async with server_of(service) as peer:
        await begin(peer, a(b"Tail._stop", b"unknown", _ask=b"5"))
        assert await peer.receive_box() == {b"_answer": b"5"}
        await begin(peer, upload())
        await peer.receive_box()
        await begin(peer, a(b"Upload._send", b"s", _ask=b"6", item=b"ab"))
        assert await peer.receive_box() == {b"_answer": b"6"}
        await begin(peer, a(b"Upload._send_end", b"s", _ask=b"7"))
        assert await peer.receive_box() == {b"_answer": b"7"}
        assert (await peer.receive_box())[b"size"] == b"2"


async def test_a_credit_that_does_not_read_is_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with server_of(Files()) as peer:
        await begin(peer, tail(credit=b"1"))
        assert await peer.receive_box() == line(1)
        await begin(
            peer,
            a(b"Tail._credit", b"s", _credit=b"x"),
            a(b"Tail._credit", b"s"),
        )
        await lives(peer)
        await begin(peer, a(b"Tail._stop", b"s"))
        await peer.receive_box()
    assert "`_credit`: not a number" in caplog.text


async def test_what_comes_with_the_request(caplog: pytest.LogCaptureFixture) -> None:
    """Stopped, or cancelled, before the handler has begun: nothing is left of it."""
    service = Files()
    async with server_of(service) as peer:
        await begin(peer, tail(), a(b"Tail._stop", b"s"))
        boxes = [await peer.receive_box()]
        while b"_answer" not in boxes[-1]:
            boxes.append(await peer.receive_box())
        assert boxes[-1] == {b"_answer": b"1", b"_stream": b"s"}
        cancel = {b"_command": b"_cancel", b"id": b"1"}
        search = a(b"Search", b"s", _ask=b"1", _credit=b"0", word=b"")
        for request in (tail(credit=b"0"), upload(), search):
            await begin(peer, request, cancel)
            while b"_error" not in (answer := await peer.receive_box()):
                pass
            assert answer[b"_error_code"] == b"CANCELLED"
            assert answer[b"_stream"] == b"s"
        await begin(peer, upload(), a(b"Upload._send_end", b"s"))
        ended = await peer.receive_box()
        if ended.get(b"_command") == b"Upload._send_credit":  # it had begun
            ended = await peer.receive_box()
        assert ended[b"size"] == b"0"
        await lives(peer)
    assert "never awaited" not in caplog.text


async def test_a_peer_that_sends_no_more_gets_what_it_gave_credit_for() -> None:
    service = Files()
    async with server_of(service, drain_timeout=PATIENCE) as peer:
        await begin(peer, tail(credit=b"3"), tail(b"2", b"t", b"0"))
        assert await peer.receive_box() == line(1)
        peer.writer.write_eof()
        boxes = [await peer.receive_box() for _ in range(4)]
        assert boxes.count(line(2)) + boxes.count(line(3)) == 2
        errors = [each for each in boxes if b"_error" in each]
        assert [error[b"_error_code"] for error in errors] == [b"CANCELLED"] * 2
        assert await peer.ended()


async def test_a_producer_that_needs_credit_after_the_end_of_it() -> None:
    class Late(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            yield TailItem(number=1, line="")
            await self.gate.wait()
            yield TailItem(number=2, line="")

    service = Late()
    async with server_of(service, drain_timeout=PATIENCE) as peer:
        await begin(peer, tail(credit=b"1"))
        await peer.receive_box()
        peer.writer.write_eof()
        await asyncio.sleep(0.05)
        service.gate.set()
        assert (await peer.receive_box())[b"_error_code"] == b"CANCELLED"
        assert await peer.ended()


async def test_a_handler_hears_that_its_caller_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Files()
    async with server_of(service, drain_timeout=PATIENCE) as peer:
        await begin(peer, upload())
        await peer.receive_box()
        peer.writer.write_eof()
        assert (await peer.receive_box())[b"_error_code"] == b"CANCELLED"
        assert await peer.ended()
    assert service.events == [
        "ConnectionLost('the peer closed the connection')",
        "finally",
    ]
    assert not [each for each in caplog.records if each.name == "ampgen"]


# --- our client -----------------------------------------------------------------------


@contextlib.asynccontextmanager
async def talk(**options: Any) -> AsyncGenerator[tuple[ArchiveClient, RawPeer]]:
    async with client_of(ArchiveClient, **options) as (client, peer):
        yield client, peer
        if not client.connection.is_closed:
            await in_step(client, peer)
            assert nothing_is_left(client.connection)


async def in_step(client: ArchiveClient, peer: RawPeer, *expected: Box) -> None:
    """These boxes came from the client, and no more than that."""
    asked = asyncio.create_task(client.size("abc"))
    got: list[Box] = []
    while (request := await peer.receive_box()).get(b"_command") != b"Size":
        got.append(request)
    assert got == list(expected)
    await peer.send(box({b"_answer": request[b"_ask"], b"result": b"3"}))
    assert await asked == 3


def answer(request: Box, **pairs: bytes) -> Box:
    told = {b"_answer": request[b"_ask"], b"_stream": request[b"_stream"]}
    return told | {k.encode(): v for k, v in pairs.items()}


async def test_what_a_caller_of_a_stream_sends() -> None:
    async with talk(limits=Limits(credit=4)) as (client, peer):
        stream = client.tail("f", 7)
        first = asyncio.create_task(anext(stream))
        request = (
            b"\0\4_ask\0\x011\0\x08_command\0\4Tail\0\7_credit\0\x014\0\7_stream\0\x011"
            b"\0\4from\0\x017\0\4name\0\1f\0\0"
        )
        assert await peer.receive(len(request)) == request
        await begin(peer, line(1, b"1"), line(2, b"1"))
        assert (await first).number == 1
        await in_step(client, peer)
        assert (await anext(stream)).number == 2
        credit = a(b"Tail._credit", b"1", _credit=b"2")
        await in_step(client, peer, credit)
        await begin(peer, *(line(number, b"1") for number in range(3, 7)))
        for number in range(3, 7):
            assert (await anext(stream)).number == number
        assert await peer.receive_box() == credit
        assert await peer.receive_box() == credit
        await begin(peer, {b"_answer": b"1", b"_stream": b"1"})
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        await begin(peer, line(7, b"1"))  # of a stream that is over


async def test_a_peer_that_does_not_stream() -> None:
    async with talk() as (client, peer):
        for call in (anext(client.tail("x")), client.upload("x", as_made(b"a"))):
            task = asyncio.ensure_future(call)
            ask = (await peer.receive_box())[b"_ask"]
            await peer.send(box({b"_answer": ask, b"size": b"7"}))
            with pytest.raises(DecodeError, match="_stream: missing from the answer"):
                await task


async def test_an_item_over_the_bound_of_a_box_ends_the_connection() -> None:
    async with talk(limits=Limits(box=200)) as (client, peer):
        first = asyncio.create_task(anext(client.tail("x")))
        await peer.receive_box()
        await begin(peer, line(1, b"1") | {b"line": b"x" * 300})
        with pytest.raises(ProtocolError, match="a box over 200 bytes"):
            await first


async def test_an_unknown_command_is_the_error_of_a_stream() -> None:
    async with talk() as (client, peer):
        first = asyncio.ensure_future(anext(client.tail("x")))
        ask = (await peer.receive_box())[b"_ask"]
        error = {b"_error": ask, b"_error_code": b"UNHANDLED"}
        await peer.send(box(error | {b"_error_description": b"no"}))
        with pytest.raises(RemoteError, match="no"):
            await first


async def test_items_beyond_the_credit_end_the_connection() -> None:
    async with talk(limits=Limits(credit=2)) as (client, peer):
        stream = client.tail("x")
        first = asyncio.create_task(anext(stream))
        await peer.receive_box()
        await begin(peer, *(line(number, b"1") for number in range(1, 4)))
        assert (await first).number == 1
        assert (await anext(stream)).number == 2
        with pytest.raises(ProtocolError, match="beyond its credit"):
            await anext(stream)


@pytest.mark.parametrize("bad", [{b"number": b"x"}, {b"line": b"\xff"}])
async def test_an_item_that_does_not_decode_ends_the_stream(bad: Box) -> None:
    async with talk() as (client, peer):
        stream = client.tail("x")
        first = asyncio.create_task(anext(stream))
        request = await peer.receive_box()
        await begin(peer, line(1, b"1"), line(2, b"1") | bad, line(3, b"1"))
        assert (await first).number == 1
        with pytest.raises(DecodeError, match=f"Tail: {next(iter(bad)).decode()}: "):
            await anext(stream)
        assert await peer.receive_box() == a(b"Tail._stop", b"1")
        await begin(peer, answer(request))
        await in_step(client, peer)


async def test_leaving_is_told_once_an_item_has_come() -> None:
    async with talk() as (client, peer):
        async with client.tail("x"):
            request = await peer.receive_box()
        await in_step(client, peer)
        await begin(peer, line(1, b"1"), line(2, b"1"))
        assert await peer.receive_box() == a(b"Tail._stop", b"1")
        await begin(peer, answer(request))
        await in_step(client, peer)


async def test_leaving_is_not_told_to_a_peer_that_answers_without_items() -> None:
    async with talk() as (client, peer):
        async with client.tail("x"):
            request = await peer.receive_box()
        await begin(peer, answer(request))
        await in_step(client, peer)
        await begin(peer, line(1, b"1"))


async def test_leaving_after_an_item_is_told_at_once() -> None:
    async with talk() as (client, peer):
        async with client.tail("x") as lines:
            request = await peer.receive_box()
            await begin(peer, line(1, b"1"))
            await anext(lines)
        assert await peer.receive_box() == a(b"Tail._stop", b"1")
        await begin(peer, line(2, b"1"), answer(request))


async def test_a_peer_that_understands_it_is_cancelled_before_the_first_item() -> None:
    async with talk() as (client, peer):
        client.connection._shell.protocol.understood = frozenset({"cancel"})
        async with client.tail("x"):
            request = await peer.receive_box()
        assert await peer.receive_box() == {b"_command": b"_cancel", b"id": b"1"}
        await begin(peer, answer(request))


async def test_a_deadline_is_told_once_an_item_has_come() -> None:
    async with talk() as (client, peer):
        first = asyncio.create_task(anext(client.tail("x", timeout=0.05)))
        request = await peer.receive_box()
        with pytest.raises(DeadlineExceeded):
            await first
        await in_step(client, peer)
        await begin(peer, line(1, b"1"))
        assert await peer.receive_box() == a(b"Tail._stop", b"1")
        await begin(peer, answer(request))


async def test_what_a_caller_with_an_argument_stream_sends() -> None:
    async with talk() as (client, peer):
        call = asyncio.create_task(client.upload("f", [b"a", b"b", b"c"]))
        request = (
            b"\0\4_ask\0\x011\0\x08_command\0\6Upload\0\7_stream\0\x011"
            b"\0\4name\0\1f\0\0"
        )
        assert await peer.receive(len(request)) == request
        await in_step(client, peer)
        await begin(peer, a(b"Upload._send_credit", b"1", _credit=b"2"))
        for item in (b"a", b"b"):
            assert await peer.receive_box() == a(b"Upload._send", b"1", item=item)
        await in_step(client, peer)
        await begin(peer, a(b"Upload._send_credit", b"1", _credit=b"1"))
        assert await peer.receive_box() == a(b"Upload._send", b"1", item=b"c")
        assert await peer.receive_box() == a(b"Upload._send_end", b"1")
        await begin(peer, {b"_answer": b"1", b"_stream": b"1", b"size": b"3"})
        assert (await call).size == 3


async def test_a_consumer_may_stop_the_producer() -> None:
    async with talk() as (client, peer):
        call = asyncio.create_task(client.upload("f", iter([b"a"] * 10)))
        request = await peer.receive_box()
        await begin(peer, a(b"Upload._send_credit", b"1", _credit=b"1"))
        await peer.receive_box()
        await begin(peer, a(b"Upload._send_stop", b"1"))
        await begin(peer, a(b"Upload._send_credit", b"1", _credit=b"9"))
        await in_step(client, peer)
        assert not call.done()
        await begin(peer, answer(request, size=b"1"))
        assert (await call).size == 1


async def test_a_consumer_may_stop_what_it_never_began() -> None:
    async with talk() as (client, peer):
        call = asyncio.create_task(client.upload("f", [b"a"]))
        request = await peer.receive_box()
        await begin(
            peer,
            a(b"Upload._send_stop", b"1"),
            a(b"Upload._send_credit", b"1", _credit=b"9"),
        )
        await in_step(client, peer)
        await begin(peer, answer(request, size=b"0"))
        assert (await call).size == 0


@pytest.mark.parametrize("credit", ["before", "after", "never"])
async def test_a_call_that_is_given_up_ends_its_argument_stream(credit: str) -> None:
    ended = a(b"Upload._send_end", b"1", _error_code=b"CANCELLED")
    ended[b"_error_description"] = b"the caller has given up"
    granted = a(b"Upload._send_credit", b"1", _credit=b"1")
    async with talk() as (client, peer):
        waiting = asyncio.Event()

        async def chunks() -> AsyncGenerator[bytes]:
            await waiting.wait()
            yield b""

        call = asyncio.create_task(client.upload("f", chunks()))
        request = await peer.receive_box()
        if credit == "before":
            await begin(peer, granted)
            await in_step(client, peer)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        if credit == "after":
            await in_step(client, peer)
            await begin(peer, granted)
        if credit != "never":
            assert await peer.receive_box() == ended
        await begin(peer, answer(request, size=b"1"))


async def test_a_stream_that_was_all_sent_is_not_ended_again() -> None:
    async with talk() as (client, peer):
        call = asyncio.create_task(client.upload("f", []))
        request = await peer.receive_box()
        await begin(peer, a(b"Upload._send_credit", b"1", _credit=b"1"))
        assert await peer.receive_box() == a(b"Upload._send_end", b"1")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await in_step(client, peer)
        await begin(peer, answer(request, size=b"1"))


async def test_a_failure_is_told_and_the_answer_not_waited_for() -> None:
    async def failing() -> AsyncGenerator[bytes]:
        yield b"a"
        raise LookupError("secret")

    async with talk() as (client, peer):
        call = asyncio.create_task(client.upload("f", failing()))
        request = await peer.receive_box()
        await begin(peer, a(b"Upload._send_credit", b"1", _credit=b"5"))
        await peer.receive_box()
        ended = await peer.receive_box()
        assert ended[b"_error_code"] == b"UNKNOWN"
        assert ended[b"_error_description"] == b"Unknown Error"
        with pytest.raises(LookupError, match="secret"):
            await call
        await begin(peer, answer(request, size=b"1"))


@pytest.mark.parametrize("credit", [1, 5])
async def test_a_failure_ends_the_results_too(credit: int) -> None:
    """At once where their producer may wait for credit, else with the next item."""
    gate = asyncio.Event()

    async def failing() -> AsyncGenerator[str]:
        await gate.wait()
        raise LookupError("secret")
        yield ""

    item = a(b"Search._item", b"1", item=b"x")
    async with talk(limits=Limits(credit=credit)) as (client, peer):
        stream = client.search("x", failing())
        first = asyncio.create_task(anext(stream))
        request = await peer.receive_box()
        await begin(peer, a(b"Search._send_credit", b"1", _credit=b"5"), item)
        assert await first == "x"
        if credit == 1:
            assert await peer.receive_box() == a(b"Search._credit", b"1", _credit=b"1")
            await begin(peer, item)
            await in_step(client, peer)
        gate.set()
        assert (await peer.receive_box())[b"_command"] == b"Search._send_end"
        if credit == 5:
            await in_step(client, peer)
            await begin(peer, item)
        assert await peer.receive_box() == a(b"Search._stop", b"1")
        if credit == 1:
            assert await anext(stream) == "x"
        with pytest.raises(LookupError, match="secret"):
            await anext(stream)
        await begin(peer, answer(request))


async def test_there_is_no_more_credit_after_a_failure() -> None:
    gate = asyncio.Event()

    async def failing() -> AsyncGenerator[str]:
        await gate.wait()
        raise LookupError("secret")
        yield ""

    item = a(b"Search._item", b"1", item=b"x")
    async with talk(limits=Limits(credit=4)) as (client, peer):
        stream = client.search("x", failing())
        first = asyncio.create_task(anext(stream))
        request = await peer.receive_box()
        await begin(peer, a(b"Search._send_credit", b"1", _credit=b"5"), *[item] * 3)
        assert await first == "x"
        gate.set()
        assert (await peer.receive_box())[b"_command"] == b"Search._send_end"
        assert [await anext(stream) for _ in range(2)] == ["x", "x"]
        with pytest.raises(LookupError, match="secret"):
            await anext(stream)
        await in_step(client, peer)
        await begin(peer, answer(request))


async def test_a_stream_that_is_left_before_there_is_room_for_its_request() -> None:
    async with talk() as (client, peer):
        shell = client.connection._shell
        shell.pause_writing()
        stream = client.tail("x")
        first = asyncio.create_task(anext(stream))
        await eventually(lambda: shell.protocol.sending)
        await stream.aclose()
        shell.resume_writing()
        with pytest.raises(StopAsyncIteration):
            await first
        request = await peer.receive_box()
        await begin(peer, answer(request))


async def test_a_deadline_may_pass_before_there_is_room() -> None:
    async with talk() as (client, _peer):
        shell = client.connection._shell
        shell.pause_writing()
        with pytest.raises(DeadlineExceeded):
            await anext(client.tail("x", timeout=0.05))
        waiting = asyncio.create_task(anext(client.tail("x", timeout=PATIENCE)))
        await eventually(lambda: shell.protocol.sending)
        shell.resume_writing()
        request = await _peer.receive_box()
        assert 0 < int(request[b"_timeout"]) <= PATIENCE * 1000
        await begin(_peer, answer(request))
        with pytest.raises(StopAsyncIteration):
            await waiting


# --- a peer that reads more slowly than we write --------------------------------------


async def boxes(peer: RawPeer, count: int) -> Counter[bytes | None]:
    """How many have come of each stream; ``None``: beside all streams."""
    return Counter([(await peer.receive_box()).get(b"_stream") for _ in range(count)])


class Endless(Files):
    async def download(self, name: str) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 60_000


async def take_turns(peer: RawPeer, filled: int) -> None:
    """Three streams do; ``filled``: more boxes than the buffers hold."""
    streams = (b"1", b"2", b"3")
    pairs = {"_credit": b"1000000"}
    await begin(
        peer, *(a(b"Download", id_, _ask=id_, name=id_, **pairs) for id_ in streams)
    )
    await boxes(peer, filled)
    seen = await boxes(peer, 100)
    assert set(seen) == set(streams)
    assert min(seen.values()) > 10


async def test_streams_that_wait_for_room_take_turns() -> None:
    """Where there is room for one box at a time."""
    async with (
        serve("127.0.0.1:0", Endless()) as server,
        dial(server.addresses[0]) as peer,
    ):
        await eventually(lambda: server._shells)
        (shell,) = server._shells.values()
        for end, buffer in (
            (shell.transport, socket.SO_SNDBUF),
            (peer.writer, socket.SO_RCVBUF),
        ):
            sock = end.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, buffer, 16_384)
        await take_turns(peer, filled=20)


async def test_a_stream_whose_items_take_long_has_its_turns() -> None:
    """Where there is room for many boxes, when there is any."""

    class Uneven(Endless):
        async def download(self, name: str) -> AsyncIterator[bytes]:
            async for item in super().download(name):
                if name == "1":
                    time.sleep(2 * SLICE)  # noqa: ASYNC251  # it is at work
                yield item

    async with server_of(Uneven()) as peer:
        await take_turns(peer, filled=250)


async def test_a_call_that_waits_for_room_is_not_behind_all_of_a_stream() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 60_000

    async with client_of(ArchiveClient) as (client, peer):
        sending = asyncio.create_task(client.upload("x", endless()))
        id_ = (await peer.receive_box())[b"_stream"]
        await begin(peer, a(b"Upload._send_credit", id_, _credit=b"1000000"))
        await eventually(lambda: client.connection._shell.protocol.blocked)
        size = asyncio.create_task(client.size("abc"))
        for _ in range(1000):
            box_ = await peer.receive_box()
            if box_[b"_command"] == b"Size":
                break
        else:
            pytest.fail("a thousand items, and no call")
        await begin(
            peer,
            {b"_answer": box_[b"_ask"], b"result": b"3"},
            {b"_answer": id_, b"_stream": id_, b"size": b"0"},
        )
        await asyncio.gather(size, sending)
        client.connection._shell.abort()  # nobody reads what is left
