"""Boxes of streams in any order: nothing breaks, and nothing is left in the end."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from ampgen.runtime import Limits, Stream
from ampgen.runtime.connection import Connection
from ampgen.runtime.local import LocalTransport
from ampgen.runtime.services import Services
from ampgen.runtime.wire import read_box, write_box
from generated_example.archive import (
    ArchiveClient,
    ArchiveServer,
    TailItem,
    UploadResult,
)
from tests.properties.shell import pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Box = dict[bytes, bytes]


class Files(ArchiveServer):
    """Each argument says when its handler ends; none waits for the time of day."""

    async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
        for number in range(from_):
            yield TailItem(number=number, line=name)
        if name == "fail":
            raise LookupError
        if name == "wait":
            await asyncio.Event().wait()

    async def download(self, name: str) -> AsyncIterator[bytes]:
        while True:
            yield b""

    async def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if name == "one":
                break
        return UploadResult(size=size)

    async def search(self, word: str, lines: Stream[str]) -> AsyncIterator[str]:
        async for line in lines:
            yield line

    def size(self, name: str) -> int:
        return 0


class Raw:
    """The other end of a connection in this process: it sends what the test says."""

    def __init__(self) -> None:
        self.received = b""
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data

    def descriptors_received(self, fds: list[int]) -> None:
        pass

    def eof_received(self) -> None:
        self.transport.close()

    def pause_writing(self) -> None:
        pass

    def resume_writing(self) -> None:
        pass

    def connection_lost(self, exc: Exception | None) -> None:
        pass

    def boxes(self) -> list[Box]:
        boxes: list[Box] = []
        at = 0
        while at < len(self.received):
            box, at = read_box(self.received, at)
            boxes.append(box)
        self.received = b""
        return boxes


def connected(*services: Any) -> tuple[Connection, Raw]:
    raw = Raw()
    connection = Connection(
        Services(services).handlers, limits=Limits(credit=3), drain_timeout=0.0
    )
    one, other = LocalTransport(connection._shell), LocalTransport(raw)
    one.join(other)
    connection._shell.connection_made(one)
    raw.connection_made(other)
    return connection, raw


async def settle() -> None:
    """Let both ends do what they have to."""
    for _ in range(30):
        await asyncio.sleep(0)


async def end(connection: Connection, raw: Raw, *, abruptly: bool) -> None:
    """End it, and see that no task is left and no stream."""
    if abruptly:
        raw.transport.abort()
    connection._shell.abort()
    await connection.wait_closed()
    await asyncio.wait_for(asyncio.shield(connection._shell.idle), 10)
    await settle()
    protocol = connection._shell.protocol
    assert not protocol.streams
    assert not protocol.calls
    assert not protocol.in_flight
    assert len(asyncio.all_tasks()) == 1


IDS = st.sampled_from((b"a", b"b", b""))
ASKS = st.sampled_from((b"1", b"2", b"3", b"4", b"5"))
COMMANDS = st.sampled_from((b"Tail", b"Download", b"Upload", b"Search", b"Size"))
SUFFIXES = st.sampled_from(
    (
        b"._credit",
        b"._stop",
        b"._send",
        b"._send",
        b"._send_end",
        b"._item",
        b"._send_stop",
    )
)
CREDITS = st.sampled_from((b"0", b"1", b"7", b"-1", b"x"))
VALUES: dict[bytes, st.SearchStrategy[bytes]] = {
    b"name": st.sampled_from((b"fail", b"wait", b"one", b"", b"\xff")),
    b"from": st.sampled_from((b"0", b"2", b"9", b"?")),
    b"word": st.just(b""),
    b"item": st.sampled_from((b"", b"x", b"\xff")),
    b"result": st.just(b"1"),
}

requests = st.fixed_dictionaries(
    {b"_command": COMMANDS, b"_ask": ASKS, b"_stream": IDS, b"_credit": CREDITS},
    optional=VALUES,
)
stream_boxes = st.fixed_dictionaries(
    {
        b"_command": st.tuples(COMMANDS, SUFFIXES).map(b"".join),
        b"_stream": IDS,
    },
    optional={
        b"_credit": CREDITS,
        b"_error_code": st.just(b"CANCELLED"),
        b"item": VALUES[b"item"],
        b"_ask": ASKS,
    },
)
cancels = st.fixed_dictionaries({b"_command": st.just(b"_cancel"), b"id": ASKS})


@given(
    batches=st.lists(
        st.lists(requests | stream_boxes | stream_boxes | cancels, max_size=4),
        max_size=12,
    ),
    data=st.data(),
    abruptly=st.booleans(),
)
def test_a_server_forgets_all_that_any_peer_has_begun(
    batches: list[list[Box]], data: st.DataObject, abruptly: bool
) -> None:
    async def main() -> None:
        connection, raw = connected(Files())
        for batch in batches:
            written = b"".join(map(write_box, batch))
            places = data.draw(st.lists(st.integers(0, len(written)), max_size=3))
            for piece in pieces(written, places):
                raw.transport.write(piece)
                await settle()
        for ask in (b"1", b"2", b"3", b"4", b"5"):
            raw.transport.write(write_box({b"_command": b"_cancel", b"id": ask}))
        await settle()
        assert not connection._shell.protocol.streams
        await end(connection, raw, abruptly=abruptly)

    asyncio.run(main())


ANSWERS = st.sampled_from(
    ("item", "item", "bad item", "credit", "stop", "answer", "plain answer", "error")
)
CALLS = st.sampled_from(("tail", "upload", "search", "failing", "size"))
USES = st.sampled_from(("read", "leave", "cancel", "drop", "wait"))


def answer(request: Box, kind: str) -> Box:
    """What a peer may send to a request of ours."""
    command, ask = request[b"_command"], request[b"_ask"]
    stream = {b"_stream": request.get(b"_stream", b"")}
    item = {b"item": b"x", b"number": b"1", b"line": b""}
    match kind:
        case "item":
            return {b"_command": command + b"._item", **stream, **item}
        case "bad item":
            return {b"_command": command + b"._item", **stream, b"number": b"?"}
        case "credit":
            send = command + b"._send_credit"
            return {b"_command": send, **stream, b"_credit": b"2"}
        case "stop":
            return {b"_command": command + b"._send_stop", **stream}
        case "answer":
            return {b"_answer": ask, **stream, b"size": b"1", b"result": b"1"}
        case "plain answer":
            return {b"_answer": ask, b"size": b"1", b"result": b"1"}
        case _:
            return {b"_error": ask, b"_error_code": b"X", b"_error_description": b""}


@given(
    steps=st.lists(
        st.tuples(st.just("call"), CALLS)
        | st.tuples(st.just("use"), USES)
        | st.tuples(ANSWERS, st.integers(0, 3)),
        max_size=20,
    ),
    understood=st.booleans(),
    abruptly=st.booleans(),
)
def test_a_client_forgets_all_that_it_has_begun(
    steps: list[tuple[str, Any]], understood: bool, abruptly: bool
) -> None:
    async def failing() -> AsyncIterator[Any]:
        yield "x"
        raise LookupError

    async def main() -> None:
        connection, raw = connected()
        if understood:
            connection._shell.protocol.understood = frozenset({"cancel"})
        client = ArchiveClient(connection)
        asked: list[Box] = []
        streams: list[Stream[Any]] = []
        tasks: list[asyncio.Task[Any]] = []

        def call(kind: str) -> None:
            match kind:
                case "tail":
                    streams.append(client.tail("x"))
                case "search":
                    streams.append(client.search("x", iter("abcdef")))
                case "failing":
                    streams.append(client.search("x", failing()))
                case "upload":
                    tasks.append(asyncio.create_task(client.upload("x", [b"a"] * 5)))
                case _:
                    tasks.append(asyncio.create_task(client.size("x")))

        async def use(kind: str) -> None:
            if kind == "cancel" and tasks:
                tasks[-1].cancel()
                return
            if not streams:
                return
            match kind:
                case "read" | "wait":
                    tasks.append(asyncio.create_task(anext(streams[-1], None)))
                case "leave":
                    await streams.pop().aclose()
                case _:
                    streams.pop()

        for what, how in steps:
            if what == "call":
                call(how)
            elif what == "use":
                await use(how)
            else:
                asked += [box for box in raw.boxes() if b"_ask" in box]
                if asked:
                    back: int = how % len(asked)
                    request = asked[-1 - back]
                    raw.transport.write(write_box(answer(request, what)))
            await settle()
        for stream in streams:
            await stream.aclose()
        await end_calls(tasks)
        tasks.clear()  # their tracebacks hold streams
        streams.clear()
        gc.collect()
        await settle()
        for tag in list(connection._shell.protocol.calls._given_up):
            raw.transport.write(
                write_box(answer({b"_ask": tag, b"_command": b""}, "error"))
            )
        await settle()
        assert not connection._shell.protocol.streams
        await end(connection, raw, abruptly=abruptly)

    async def end_calls(tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
