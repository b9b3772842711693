"""Streams between two ends of ours: over real sockets, and in one process."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    Cancelled,
    Connection,
    ConnectionLost,
    DeadlineExceeded,
    EncodeError,
    InternalError,
    Limits,
    Metadata,
    Overloaded,
    ProtocolError,
    Reconnect,
    RemoteError,
    Stream,
    current_call,
    serve,
)
from ampgen.runtime.testing import fake
from generated_example.archive import (
    ArchiveClient,
    ArchiveServer,
    NoSuchFile,
    TailItem,
    TooLarge,
    UploadResult,
)
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        AsyncIterator,
        Callable,
        Iterator,
    )

    from tests.conftest import CompileSchema


class Files(ArchiveServer):
    """``made`` counts the items of `Tail`, ``events`` tells how its generators go."""

    def __init__(self) -> None:
        self.made = 0
        self.events: list[str] = []
        self.ended = asyncio.Event()
        self.gate = asyncio.Event()
        self.got: list[Any] = []

    async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
        """`endless` has no end; `quiet` waits for the gate after three items."""
        try:
            if name == "nothing":
                raise NoSuchFile("nothing is there", name=name)
            while name == "endless" or self.made < 3:
                self.made += 1
                yield TailItem(number=from_ + self.made, line=name)
            if name == "quiet":
                await self.gate.wait()
            if name == "broken":
                raise LookupError("secret")
        except BaseException as error:
            self.events.append(type(error).__name__)
            raise
        finally:
            self.events.append("finally")
            self.ended.set()

    async def download(self, name: str) -> AsyncIterable[bytes]:
        for _ in range(int(name)):
            self.made += 1
            yield b"x" * 60_000

    async def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:
        size = 0
        if name == "ignored":
            return UploadResult(size=0)
        try:
            async for chunk in chunks:
                size += len(chunk)
                self.got.append(chunk)
                if name == "one":
                    break
                if name == "small" and size > 10:
                    raise TooLarge("ten bytes", limit=10)
        except BaseException as error:
            self.events.append(repr(error))
            raise
        finally:
            self.events.append("finally")
            self.ended.set()
        return UploadResult(size=size)

    async def search(self, word: str, lines: Stream[str]) -> AsyncIterator[str]:
        try:
            async for line in lines:
                if word in line:
                    yield line
        except BaseException as error:
            self.events.append(repr(error))
            raise
        finally:
            self.events.append("finally")
            self.ended.set()

    def size(self, name: str) -> int:
        return len(name)

    async def over(self) -> list[str]:
        """Wait for the end of a handler; how it went."""
        await asyncio.wait_for(self.ended.wait(), PATIENCE)
        return self.events


@contextlib.asynccontextmanager
async def socket_client(service: Any, **options: Any) -> AsyncGenerator[ArchiveClient]:
    async with (
        serve("127.0.0.1:0", service, **options) as server,
        ArchiveClient.connect(server.addresses[0], **options) as client,
    ):
        yield client


@pytest.fixture(params=["socket", "local"])
def connect(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A client of a service; all that has streamed is forgotten in the end."""
    how = socket_client if request.param == "socket" else ArchiveClient.local

    @contextlib.asynccontextmanager
    async def connected(service: Any, **options: Any) -> AsyncGenerator[ArchiveClient]:
        async with how(service, **options) as client:
            yield client
            if not client.connection.is_closed:
                assert await client.size("abc") == 3
                await eventually(lambda: nothing_is_left(client.connection))

    return connected


def nothing_is_left(connection: Connection) -> bool:
    protocol = connection._shell.protocol
    return not protocol.streams and not protocol.calls


async def eventually(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  # there is no event to wait for
        await asyncio.sleep(0.001)


async def numbers(stream: Stream[TailItem]) -> list[int]:
    return [item.number async for item in stream]


# --- streams of results ---------------------------------------------------------------


async def test_items_come_in_order_and_then_the_end(connect: Any) -> None:
    service = Files()
    async with connect(service) as client:
        assert await numbers(client.tail("a", 7)) == [8, 9, 10]
        assert await service.over() == ["finally"]
        stream = client.tail("b")
        assert await numbers(stream) == []
        assert await numbers(stream) == []  # once it is over, it stays so
        assert [chunk async for chunk in client.download("0")] == []


async def test_nothing_is_sent_before_somebody_asks_for_an_item() -> None:
    service = Files()
    async with ArchiveClient.local(service) as client:
        stream = client.tail("endless")
        await client.size("")
        assert service.made == 0
        await stream.aclose()
        assert await numbers(stream) == []
        async with stream:
            assert await numbers(stream) == []
        assert service.made == 0


async def test_an_error_comes_behind_the_items_that_were_made(connect: Any) -> None:
    seen: list[int] = []

    async def read(name: str) -> None:
        async for item in client.tail(name):
            seen.append(item.number)  # noqa: PERF401  # before the error

    service = Files()
    async with connect(service) as client:
        with pytest.raises(InternalError, match="Unknown Error"):
            await read("broken")
        assert seen == [1, 2, 3]
        with pytest.raises(NoSuchFile) as caught:
            await read("nothing")
        assert caught.value.name == "nothing"
        assert seen == [1, 2, 3]


async def test_an_error_is_raised_once() -> None:
    async with ArchiveClient.local(Files()) as client:
        stream = client.tail("nothing")
        with pytest.raises(NoSuchFile):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_arguments_that_cannot_be_sent(connect: Any) -> None:
    async with connect(Files()) as client:
        stream = client.tail("a", "b")
        with pytest.raises(EncodeError, match="Tail: from: expected an int, got str"):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        with pytest.raises(EncodeError):
            async with client.tail("a", "b"):
                pytest.fail("it was entered")


async def test_an_item_that_cannot_be_sent_ends_the_stream(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(Files):
        async def download(self, name: str) -> AsyncIterator[bytes]:
            try:
                yield b"good"
                yield "bad"  # type: ignore[misc]  # pyright: ignore[reportReturnType]
            finally:
                self.ended.set()

    class Long(Files):
        async def search(self, word: str, lines: Stream[str]) -> AsyncIterator[str]:
            yield "x" * 200

    service = Wrong()
    async with connect(service) as client:
        stream = client.download("x")
        assert await anext(stream) == b"good"
        with pytest.raises(InternalError):
            await anext(stream)
        await service.over()
    assert "Download: chunk: expected bytes, got str" in caplog.text
    async with connect(Long(), limits=Limits(box=100)) as client:
        with pytest.raises(InternalError):
            await anext(client.search("x", []))
    assert "Search: a box over 100 bytes of keys and values" in caplog.text


async def test_a_handler_may_give_any_async_iterable(connect: Any) -> None:
    class Numbers:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> Numbers:
            return self

        async def __anext__(self) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return b"%d" % self.left

    class Plain(Files):
        def download(self, name: str) -> AsyncIterable[bytes]:
            if name == "never":
                raise NoSuchFile("never")
            return Numbers()

    class Later(Files):
        async def download(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            self, name: str
        ) -> AsyncIterable[bytes]:
            await asyncio.sleep(0)
            return Numbers()

    for service in (Plain(), Later()):
        async with connect(service) as client:
            got = [chunk async for chunk in client.download("x")]
            assert got == [b"2", b"1", b"0"]
    async with connect(Plain()) as client:
        with pytest.raises(NoSuchFile):
            await anext(client.download("never"))


async def test_a_handler_that_gives_no_stream_is_told_so_in_the_log(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(Files):
        def download(self, name: str) -> Any:
            return b"a"

    async with connect(Wrong()) as client:
        with pytest.raises(InternalError):
            await anext(client.download("x"))
    assert "Download: a stream is an iterable, asynchronous or not; got bytes" in (
        caplog.text
    )


async def test_the_handler_knows_its_call(connect: Any) -> None:
    class Knowing(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            call = current_call()
            deadline = call.deadline
            assert deadline is not None
            left = deadline - asyncio.get_running_loop().time()
            yield TailItem(number=round(left), line=call.metadata["user"])
            await asyncio.sleep(0)
            yield TailItem(number=0, line=current_call().command)
            call.answer_metadata["lines"] = "2"

    async with connect(Knowing()) as client:
        metadata = Metadata({"user": "me"})
        stream = client.tail("x", timeout=20, metadata=metadata)
        assert [(item.number, item.line) async for item in stream] == [
            (20, "me"),
            (0, "Tail"),
        ]
        assert metadata.answer == {"lines": "2"}


# --- leaving --------------------------------------------------------------------------


async def test_leaving_the_block_ends_the_generator(connect: Any) -> None:
    service = Files()
    async with connect(service) as client:
        async with client.tail("endless") as lines:
            async for line in lines:
                if line.number == 1000:
                    break
        # in `yield`, or where it waits for its turn
        assert (await service.over())[-1] == "finally"
        with pytest.raises(StopAsyncIteration):
            await anext(lines)


async def test_leaving_interrupts_a_generator_that_waits(connect: Any) -> None:
    service = Files()
    async with connect(service) as client:
        async with client.tail("quiet") as lines:
            assert (await anext(lines)).number == 1
        assert await service.over() == ["CancelledError", "finally"]


async def test_leaving_before_the_first_item_cancels_the_call(connect: Any) -> None:
    class Silent(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            try:
                self.gate.set()
                await asyncio.Event().wait()
                yield TailItem(number=1, line="")
            except asyncio.CancelledError:
                self.ended.set()
                raise

    service = Silent()
    async with connect(service) as client:
        await client.size("the peer has said what it understands")
        async with client.tail("x"):
            await service.gate.wait()
        await service.over()


async def test_a_stream_that_is_dropped_ends(connect: Any) -> None:
    service = Files()
    async with connect(service) as client:
        async for _line in client.tail("quiet"):
            break
        gc.collect()
        assert await service.over() == ["CancelledError", "finally"]


async def test_a_stream_may_be_collected_in_any_thread() -> None:
    service = Files()
    async with ArchiveClient.local(service) as client:
        streams = [client.tail("quiet")]
        await anext(streams[0])
        thread = threading.Thread(target=streams.clear)
        thread.start()
        await asyncio.to_thread(thread.join)
        assert await service.over() == ["CancelledError", "finally"]


def test_a_stream_may_outlive_its_loop() -> None:
    async def begin() -> Stream[TailItem]:
        client = await ArchiveClient.local(Files())
        stream = client.tail("quiet")
        await anext(stream)
        client.connection._shell.transport.pause_reading()  # it hears of no end
        return stream

    async def end() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    loop = asyncio.new_event_loop()
    stream = loop.run_until_complete(begin())
    loop.run_until_complete(end())
    loop.close()
    assert not stream._incoming.ended
    del stream
    gc.collect()


async def test_cancelling_who_waits_leaves_the_stream_open(connect: Any) -> None:
    service = Files()
    async with connect(service) as client, client.tail("quiet") as lines:
        assert [(await anext(lines)).number for _ in range(3)] == [1, 2, 3]
        waiting = asyncio.create_task(anext(lines))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task waits"):
            await anext(lines)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        service.gate.set()
        with pytest.raises(StopAsyncIteration):
            await anext(lines)


async def test_two_tasks_may_take_turns() -> None:
    async with ArchiveClient.local(Files()) as client:
        stream = client.download("40")
        got = await asyncio.gather(*(anext(stream) for _ in range(1)))
        got += [await anext(stream) for _ in range(39)]
        assert len(got) == 40
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


# --- back-pressure --------------------------------------------------------------------


async def test_a_slow_consumer_stops_the_producer(connect: Any) -> None:
    service = Files()
    async with (
        connect(service, limits=Limits(credit=8)) as client,
        client.tail("endless") as lines,
    ):
        for taken in range(1, 50):
            await anext(lines)
            # all that it may make, and one more that waits for credit
            while service.made < taken + 4:
                await client.size("")
            await client.size("")
            assert service.made <= taken + 9


async def test_a_credit_of_one_is_enough(connect: Any) -> None:
    async with connect(Files(), limits=Limits(credit=1)) as client:
        assert await numbers(client.tail("x")) == [1, 2, 3]
        assert await client.upload("x", [b"ab"] * 5) == UploadResult(size=10)
        found = client.search("a", ["a", "b", "ab"])
        assert [line async for line in found] == ["a", "ab"]


async def test_large_items_lower_the_credit() -> None:
    service = Files()
    limits = Limits(credit=10, credit_bytes=200_000)
    async with (
        ArchiveClient.local(service, limits=limits) as client,
        client.download("1000") as chunks,
    ):
        for _ in range(10):
            await anext(chunks)
        for taken in range(10, 50):
            await anext(chunks)
            for _ in range(10):
                await client.size("")
            # three fit into the bytes; two more are on the way to be sent
            assert service.made <= taken + 5
        incoming = chunks._incoming
        assert incoming.window == 3
        assert incoming.granted + len(incoming.items) <= 3


async def test_a_producer_waits_for_a_peer_that_does_not_read() -> None:
    service = Files()
    limits = Limits(credit=1_000_000, credit_bytes=1 << 40)
    async with (
        socket_client(service, limits=limits) as client,
        client.download("10000") as chunks,
    ):
        await anext(chunks)
        transport: Any = client.connection._shell.transport
        transport.pause_reading()
        before = -1
        while service.made > before:
            before = service.made
            await asyncio.sleep(0.05)
        assert service.made < 1000
        transport.resume_reading()
        for _ in range(service.made):
            await anext(chunks)


@pytest.mark.parametrize("direction", ["results", "arguments", "both"])
async def test_a_stream_at_full_speed_does_not_starve_calls(direction: str) -> None:
    """A call takes no longer than a few turns of the streams."""
    service = Files()
    loop = asyncio.get_running_loop()

    def endless() -> Iterator[Any]:
        while True:
            yield "a" if direction == "both" else b"a"

    async def read(client: ArchiveClient) -> None:
        if direction == "results":
            await numbers(client.tail("endless"))
        elif direction == "arguments":
            service.got.append = lambda _: None  # type: ignore[method-assign]
            await client.upload("endless", endless())
        else:
            async for _ in client.search("a", endless()):
                pass

    class Forgetful(list[Any]):
        def append(self, item: Any) -> None:
            pass

    service.got = Forgetful()
    async with socket_client(service, drain_timeout=0.1) as client:
        busy = [asyncio.create_task(read(client)) for _ in range(3)]
        await client.size("")
        slowest = 0.0
        for _ in range(50):
            began = loop.time()
            await client.size("")
            slowest = max(slowest, loop.time() - began)
        for task in busy:
            assert not task.done()
            task.cancel()
        await asyncio.wait(busy)
    assert slowest < 0.5


# --- stream arguments -----------------------------------------------------------------


async def as_made(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


@pytest.mark.parametrize(
    "chunks",
    [
        lambda: [b"ab", b"", b"c"],
        lambda: iter((b"ab", b"", b"c")),
        lambda: (chunk for chunk in (b"ab", b"", b"c")),
        lambda: {b"ab": 1, b"": 2, b"c": 3},
        lambda: as_made(b"ab", b"", b"c"),
    ],
)
async def test_any_iterable_is_sent(chunks: Callable[[], Any], connect: Any) -> None:
    service = Files()
    async with connect(service) as client:
        assert await client.upload("x", chunks()) == UploadResult(size=3)
        assert service.got == [b"ab", b"", b"c"]
        assert await client.upload("x", chunks=[]) == UploadResult(size=0)


@pytest.mark.parametrize("chunks", ["text", b"bytes", bytearray(b"x"), 7, None])
async def test_what_is_no_stream_is_refused(chunks: Any, connect: Any) -> None:
    async with connect(Files()) as client:
        what = (
            f"a stream is an iterable, asynchronous or not; got {type(chunks).__name__}"
        )
        with pytest.raises(EncodeError, match=what):
            await client.upload("x", chunks)
        with pytest.raises(EncodeError, match=what):
            client.search("x", chunks)


async def test_more_than_the_credit_is_sent(connect: Any) -> None:
    async with connect(Files()) as client:
        assert await client.upload("x", [b"a"] * 1000) == UploadResult(size=1000)


async def test_a_stream_can_be_handed_on(connect: Any) -> None:
    """What one call gives is what the next one sends; and the other way round."""
    first, second = Files(), Files()
    async with connect(first) as source, connect(second) as sink:
        uploaded = await sink.upload("x", source.download("3"))
        assert uploaded == UploadResult(size=180_000)
        # who gets enough ends it at its source
        await sink.upload("one", source.download("1000000"))

    class Relay(Files):
        def download(self, name: str) -> AsyncIterable[bytes]:
            client: ArchiveClient = source
            return client.download(name)

    first = Files()
    async with (
        ArchiveClient.local(first) as source,
        ArchiveClient.local(Relay()) as relay,
    ):
        async with relay.download("1000000") as chunks:
            await anext(chunks)
        await eventually(lambda: nothing_is_left(source.connection))
        assert first.made < 200


async def test_what_makes_the_items_fails(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(error: BaseException) -> AsyncGenerator[bytes]:
        yield b"ab"
        await asyncio.sleep(0)
        raise error

    for error, told in (
        (LookupError("secret"), "InternalError('Unknown Error')"),
        (TooLarge("too large", limit=3), "TooLarge('too large')"),
        (asyncio.CancelledError(), "Cancelled('the caller has given up')"),
    ):
        service = Files()
        async with connect(service) as client:
            with pytest.raises(type(error)) as caught:
                await client.upload("x", failing(error))
            assert caught.value is error or isinstance(error, asyncio.CancelledError)
            assert await service.over() == [told, "finally"]
            assert service.got == [b"ab"]


async def test_an_argument_item_that_cannot_be_sent(connect: Any) -> None:
    wrong: Any = 7
    service = Files()
    async with connect(service) as client:
        with pytest.raises(EncodeError, match="Upload: item: expected bytes, got int"):
            await client.upload("x", [b"a", wrong])
        assert await service.over() == ["InternalError('Unknown Error')", "finally"]


async def test_an_answer_before_the_end_stops_the_producer(connect: Any) -> None:
    events: list[str] = []

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"abc"
        finally:
            await asyncio.sleep(0)
            events.append("finally")

    def plain() -> Iterator[bytes]:
        try:
            while True:
                yield b"abc"
        finally:
            events.append("plain")

    async def waiting() -> AsyncGenerator[bytes]:
        try:
            yield b"abc"
            await asyncio.Event().wait()
        finally:
            events.append("waited")

    service = Files()
    async with connect(service) as client:
        assert (await client.upload("one", endless())).size == 3
        assert events == ["finally"]
        assert (await client.upload("one", plain())).size == 3
        assert (await client.upload("one", waiting())).size == 3
        assert events == ["finally", "plain", "waited"]
        with pytest.raises(TooLarge, match="ten bytes"):
            await client.upload("small", endless())
        # one that never ran has nothing to end
        assert (await client.upload("ignored", endless())).size == 0
        assert events == ["finally", "plain", "waited", "finally"]


async def test_a_file_that_is_sent_is_left_open(connect: Any) -> None:
    with io.BytesIO(b"a\nb\nc") as file:
        async with connect(Files()) as client:
            assert (await client.upload("one", file)).size == 2
        assert not file.closed


async def test_a_handler_may_end_a_stream_and_go_on(connect: Any) -> None:
    events: list[str] = []
    stopped = asyncio.Event()

    class Choosy(Files):
        async def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:
            if name == "entered":
                async with chunks:
                    size = len(await anext(chunks))
            elif name == "dropped":
                size = len(await anext(chunks))
                del chunks
                gc.collect()
            else:
                size = 0
                await chunks.aclose()
                await chunks.aclose()
                with pytest.raises(StopAsyncIteration):
                    await anext(chunks)
                return UploadResult(size=size)
            await asyncio.wait_for(stopped.wait(), PATIENCE)
            return UploadResult(size=size)

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"abc"
        finally:
            events.append("finally")
            stopped.set()

    async with connect(Choosy()) as client:
        for name in ("entered", "dropped"):
            stopped.clear()
            assert (await client.upload(name, endless())).size == 3
        assert events == ["finally", "finally"]
        assert (await client.upload("never", endless())).size == 0
        assert events == ["finally", "finally"]


async def test_a_stream_ends_with_its_handler(connect: Any) -> None:
    kept: list[Stream[bytes]] = []

    class Keeping(Files):
        def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:  # type: ignore[override]
            kept.append(chunks)
            if name == "fails":
                raise TooLarge("at once")
            return UploadResult(size=7)

    class Begun(Files):
        async def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:
            kept.append(chunks)
            await anext(chunks)
            return UploadResult(size=7)

    def endless() -> Iterator[bytes]:
        while True:
            yield b""

    for service in (Keeping(), Begun()):
        async with connect(service) as client:
            assert (await client.upload("x", endless())).size == 7
            [stream] = kept
            with pytest.raises(RuntimeError, match="the call is answered"):
                _ = [chunk async for chunk in stream]
            kept.clear()
    async with connect(Keeping()) as client:
        with pytest.raises(TooLarge, match="at once"):
            await client.upload("fails", [b"a"])
    kept.clear()


async def test_an_older_handler_without_the_last_arguments() -> None:
    class Short(Files):
        async def tail(self, name: str) -> AsyncIterator[TailItem]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            yield TailItem(number=1, line=name)

    async with ArchiveClient.local(Short()) as client:
        assert await numbers(client.tail("x", 7)) == [1]


# --- both at once ---------------------------------------------------------------------


async def test_both_ways_at_once(connect: Any) -> None:
    service = Files()
    async with connect(service) as client:
        lines = [f"{number} abc"[: 2 + number % 3] for number in range(500)]
        found = [line async for line in client.search("a", lines)]
        assert found == [line for line in lines if "a" in line]


async def test_items_go_to_and_fro(connect: Any) -> None:
    """Each is made once the one before has been answered."""
    answers: asyncio.Queue[str] = asyncio.Queue()

    async def lines() -> AsyncGenerator[str]:
        line = "a"
        while len(line) < 10:
            yield line
            line = await answers.get() + "a"

    async with connect(Files()) as client, client.search("a", lines()) as found:
        line = ""
        async for line in found:
            answers.put_nowait(line)
        assert line == "a" * 9


@pytest.mark.parametrize("begun", [True, False])
async def test_a_handler_may_read_on_after_its_caller_has_left(
    begun: bool, connect: Any
) -> None:
    """It hears that no more comes, whatever has made it end."""

    class Thorough(Files):
        async def search(self, word: str, lines: Stream[str]) -> AsyncIterator[str]:
            try:
                async for line in lines:
                    if word in line:
                        yield line
                    else:
                        self.got.append(line)
            finally:
                with contextlib.suppress(Cancelled):
                    async for _ in lines:
                        pass
                self.ended.set()

    async def lines() -> AsyncGenerator[str]:
        yield "ab" if begun else "b"
        await asyncio.Event().wait()

    service = Thorough()
    async with connect(service) as client:
        async with client.search("a", lines()) as found:
            first = asyncio.ensure_future(anext(found))
            await eventually(lambda: first.done() or service.got)
        await service.over()
        if begun:
            assert await first == "ab"
        else:
            with pytest.raises(StopAsyncIteration):
                await first


async def test_leaving_ends_both_directions(connect: Any) -> None:
    events: list[str] = []

    async def lines() -> AsyncGenerator[str]:
        try:
            while True:
                yield "abc"
        finally:
            await asyncio.sleep(0)
            events.append("finally")

    service = Files()
    async with connect(service) as client:
        async with client.search("a", lines()) as found:
            await anext(found)
        assert events == ["finally"]
        assert (await service.over())[-1] == "finally"


async def test_a_failing_producer_is_the_error_of_the_whole_call(connect: Any) -> None:
    async def lines() -> AsyncGenerator[str]:
        yield "a"
        yield "b"
        raise LookupError("mine")

    service = Files()
    async with connect(service) as client:
        found = client.search("a", lines())
        with pytest.raises(LookupError, match="mine"):
            _ = [line async for line in found]
        assert await service.over() == ["InternalError('Unknown Error')", "finally"]


async def test_a_producer_that_fails_before_anything_is_found(connect: Any) -> None:
    async def lines() -> AsyncGenerator[str]:
        yield "b"
        raise LookupError("mine")

    service = Files()
    async with connect(service) as client:
        with pytest.raises(LookupError, match="mine"):
            await anext(client.search("a", lines()))
        assert await service.over() == ["InternalError('Unknown Error')", "finally"]


@pytest.mark.parametrize("waits", [True, False])
async def test_a_producer_may_end_the_stream_that_it_feeds(
    waits: bool, connect: Any
) -> None:
    opened: list[Stream[str]] = []

    async def lines() -> AsyncGenerator[str]:
        yield "a"
        await opened.pop().aclose()
        if waits:
            await asyncio.sleep(0)
        yield "b"

    async with connect(Files()) as client:
        opened.append(client.search("a", lines()))
        stream = opened[0]
        assert [line async for line in stream] == []


# --- the end of the connection, of the time, of the caller ----------------------------


async def test_the_end_of_the_connection_ends_both_halves(connect: Any) -> None:
    service = Files()
    async with connect(service, drain_timeout=0.1) as client:
        lines = client.tail("quiet")
        assert [(await anext(lines)).number for _ in range(2)] == [1, 2]
        client.connection._shell.abort()
        assert (await anext(lines)).number == 3  # it had come
        with pytest.raises(ConnectionLost) as caught:
            await anext(lines)
        assert caught.value.sent
        assert await service.over() == ["CancelledError", "finally"]
        with pytest.raises(ConnectionLost):
            await anext(client.tail("x"))
        with pytest.raises(ConnectionLost):
            await client.upload("x", [b"a"])


async def test_the_end_of_the_connection_ends_a_producer_without_credit() -> None:
    service = Files()
    async with socket_client(service, limits=Limits(credit=4)) as client:
        lines = client.tail("endless")
        await anext(lines)
        await client.size("")
        client.connection._shell.abort()
        assert await service.over() == ["GeneratorExit", "finally"]


async def test_the_end_of_the_connection_ends_an_argument_at_both_ends(
    connect: Any,
) -> None:
    events: list[str] = []

    async def chunks() -> AsyncGenerator[bytes]:
        try:
            yield b"a"
            await asyncio.Event().wait()
        finally:
            events.append("finally")

    service = Files()
    async with connect(service) as client:
        call = asyncio.create_task(client.upload("x", chunks()))
        await eventually(lambda: service.got)
        client.connection._shell.abort()
        with pytest.raises(ConnectionLost):
            await call
        assert events == ["finally"]
        [error, _] = await service.over()
        assert error.startswith(("ConnectionLost", "CancelledError"))


async def test_what_a_generator_awaits_in_the_end_is_not_cut_short(
    connect: Any,
) -> None:
    """Leaving the stream, and then the connection, is one end and not two."""

    class Careful(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            try:
                yield TailItem(number=1, line="")
                await asyncio.Event().wait()
            finally:
                await self.gate.wait()
                self.ended.set()

    service = Careful()
    async with connect(service) as client:
        async with client.tail("x") as lines:
            await anext(lines)
            await client.size("")
        await client.aclose()
        await asyncio.sleep(0)
        service.gate.set()
        await service.over()


async def test_a_deadline_is_for_all_of_a_stream(connect: Any) -> None:
    service = Files()
    async with connect(service) as client:
        lines = client.tail("quiet", timeout=0.2)
        assert [(await anext(lines)).number for _ in range(3)] == [1, 2, 3]
        with pytest.raises(DeadlineExceeded):
            await anext(lines)
        assert await service.over() == ["CancelledError", "finally"]
        with pytest.raises(DeadlineExceeded):
            await anext(client.tail("x", timeout=0))


async def test_a_deadline_ends_an_argument_stream(connect: Any) -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    service = Files()
    async with connect(service) as client:
        with pytest.raises(DeadlineExceeded):
            await client.upload("x", chunks(), timeout=0.1)
        assert (await service.over())[-1] == "finally"


async def test_the_clients_own_timeout_is_not_for_streams() -> None:
    service = Files()
    async with ArchiveClient.local(service, timeout=0.05) as client:
        stream = client.tail("quiet")
        assert [(await anext(stream)).number for _ in range(3)] == [1, 2, 3]
        waiting = asyncio.create_task(anext(stream, None))
        with pytest.raises(DeadlineExceeded):
            await client.size("x" * 0, timeout=0)
        await asyncio.sleep(0.1)
        service.gate.set()
        assert await waiting is None


async def test_cancelling_a_call_ends_what_it_sends(connect: Any) -> None:
    events: list[str] = []

    async def chunks() -> AsyncGenerator[bytes]:
        try:
            yield b"a"
            await asyncio.Event().wait()
        finally:
            events.append("finally")

    service = Files()
    async with connect(service) as client:
        call = asyncio.create_task(client.upload("x", chunks()))
        await eventually(lambda: service.got)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert events == ["finally"]
        assert (await service.over())[-1] == "finally"


async def test_a_handler_passes_its_time_on() -> None:
    inner = Files()

    class Outer(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            async with source.tail("quiet") as lines:
                async for line in lines:
                    yield line

    async with (
        ArchiveClient.local(inner) as source,
        ArchiveClient.local(Outer()) as client,
    ):
        stream = client.tail("x", timeout=0.2)
        assert [(await anext(stream)).number for _ in range(3)] == [1, 2, 3]
        with pytest.raises(DeadlineExceeded):
            await anext(stream)
        assert await inner.over() == ["CancelledError", "finally"]


async def test_draining_gives_a_stream_its_time() -> None:
    service = Files()
    server = serve("127.0.0.1:0", service, drain_timeout=PATIENCE)
    await server.__aenter__()
    async with ArchiveClient.connect(server.addresses[0]) as client:
        lines = client.tail("quiet")
        assert [(await anext(lines)).number for _ in range(3)] == [1, 2, 3]
        ending = asyncio.create_task(server.__aexit__(None, None, None))
        await asyncio.sleep(0.05)
        with pytest.raises(RemoteError):
            await client.size("")
        service.gate.set()
        assert await numbers(lines) == []
        await ending


async def test_after_the_drain_time_a_stream_is_cancelled() -> None:
    service = Files()
    async with socket_client(service, drain_timeout=0.1) as client:
        lines = client.tail("quiet")
        assert [(await anext(lines)).number for _ in range(3)] == [1, 2, 3]
        server_end = service

        async def end() -> None:
            await server_end.over()

        waiting = asyncio.create_task(end())
        client.connection.close()
        with pytest.raises((ConnectionLost, Cancelled)):
            await anext(lines)
        await waiting


# --- generators that do not end well --------------------------------------------------


async def test_generators_that_misbehave_in_the_end(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Bad(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            try:
                while True:
                    yield TailItem(number=1, line=name)
            except GeneratorExit:
                if name == "raises":
                    raise LookupError("in the end") from None
                yield TailItem(number=2, line=name)

    async with connect(Bad(), limits=Limits(credit=2)) as client:
        for name, said in (
            ("raises", "in the end"),
            ("ignores", "async generator ignored GeneratorExit"),
        ):
            async with client.tail(name) as lines:
                await anext(lines)
                await client.size("")
                await client.size("")
            while said not in caplog.text:
                await client.size("")
            assert "Tail: its items do not end well" in caplog.text


async def test_a_generator_that_swallows_its_cancellation(connect: Any) -> None:
    class Stubborn(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            yield TailItem(number=1, line=name)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            self.ended.set()
            yield TailItem(number=2, line=name)
            self.events.append("went on")

    service = Stubborn()
    async with connect(service) as client:
        async with client.tail("x") as lines:
            await anext(lines)
            await client.size("")
        await service.over()
        await client.size("")
        assert service.events == []


async def test_a_producer_of_ours_that_does_not_end_well(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        try:
            yield b"a"
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError("in the end") from None

    async with connect(Files()) as client:
        assert (await client.upload("one", chunks())).size == 1
    assert "Upload: its items do not end well" in caplog.text


async def test_a_producer_of_ours_that_is_cancelled_in_its_end() -> None:
    closing = asyncio.Event()

    async def chunks() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"a"
        finally:
            closing.set()
            await asyncio.Event().wait()

    async with ArchiveClient.local(Files()) as client:
        others = asyncio.all_tasks()
        call = asyncio.create_task(client.upload("one", chunks()))
        await closing.wait()
        [producer] = asyncio.all_tasks() - others - {call}
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not producer.done()
        producer.cancel()
        await asyncio.wait([producer])
        assert producer.cancelled()


async def test_a_generator_whose_wait_was_cancelled_by_others(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Stray(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            waited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waited.cancel()
            await waited
            yield TailItem(number=1, line="")

    async with connect(Stray()) as client:
        with pytest.raises(InternalError):
            await anext(client.tail("x"))
    assert "what the handler was waiting for was cancelled" in caplog.text


# --- load -----------------------------------------------------------------------------


async def test_at_the_limit_of_calls_a_stream_goes_on() -> None:
    service = Files()
    limits = Limits(calls=1, credit=4)
    async with socket_client(service, limits=limits) as client:
        assert len([chunk async for chunk in client.download("50")]) == 50
        async with client.tail("endless") as lines:
            for _ in range(50):
                await anext(lines)
            with pytest.raises(Overloaded):
                await client.size("")
        await service.over()
        assert (await client.upload("x", [b"a"] * 50)).size == 50


# --- large items ----------------------------------------------------------------------


async def test_items_may_be_large(compile_schema: CompileSchema) -> None:
    module: Any = compile_schema("""
        service Pages {
            command Print(size: int) -> stream (page: large str, number: int);
        }
    """)

    class Pages(module.PagesServer):  # type: ignore[misc]
        async def print(self, size: int) -> AsyncIterator[Any]:
            for number in range(3):
                yield module.PrintItem(page="x" * size, number=number)

    limits = Limits(large=300_000, box=1000)
    async with module.PagesClient.local(Pages(), limits=limits) as client:
        for size in (10, 70_000, 300_000):
            got = [(len(item.page), item.number) async for item in client.print(size)]
            assert got == [(size, 0), (size, 1), (size, 2)]
        with pytest.raises(InternalError):
            await anext(client.print(300_001))
    with pytest.raises(ProtocolError, match="large"):
        async with (
            serve("127.0.0.1:0", Pages()) as server,
            module.PagesClient.connect(server.addresses[0], limits=limits) as client,
        ):
            await anext(client.print(300_001))


# --- what other parts make of streams -------------------------------------------------


async def test_a_fake_gives_what_it_is_told() -> None:
    items = [TailItem(number=1, line="a"), TailItem(number=2, line="b")]

    async def lines(word: str, lines: Stream[str]) -> AsyncIterator[str]:
        async for line in lines:
            yield line + word

    with fake(
        ArchiveServer, tail=items, search=lines, upload=TooLarge("no")
    ) as service:
        async with ArchiveClient.local(service) as client:
            for _ in range(2):
                assert [item async for item in client.tail("x")] == items
            found = client.search("!", ["a", "b"])
            assert [line async for line in found] == ["a!", "b!"]
            with pytest.raises(TooLarge):
                await client.upload("x", [b"a"])


async def test_a_handlers_time_is_not_counted_twice_while_there_is_no_connection() -> (
    None
):
    """What waiting for a connection takes is within the handler's time, once."""

    class Relay(Files):
        async def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:
            stream._incoming.host.abort()  # type: ignore[attr-defined]
            with pytest.raises(ConnectionLost):
                await anext(stream)
            service.made = 0
            return UploadResult(size=len(await numbers(elsewhere.tail("x"))))

    service = Files()
    async with (
        serve("127.0.0.1:0", service, drain_timeout=0.1) as server,
        ArchiveClient.connect(
            server.addresses[0], reconnect=Reconnect(first=1.2, jitter=0)
        ) as elsewhere,
        socket_client(Relay()) as client,
    ):
        stream = elsewhere.tail("quiet")
        assert [(await anext(stream)).number for _ in range(3)] == [1, 2, 3]
        assert (await client.upload("x", [b"a"], timeout=2)).size == 3


async def test_a_stream_ends_with_its_connection_and_the_next_one_is_on_another() -> (
    None
):
    service = Files()
    async with (
        serve("127.0.0.1:0", service, drain_timeout=0.1) as server,
        ArchiveClient.connect(
            server.addresses[0], reconnect=Reconnect(first=0.01)
        ) as client,
    ):
        stream = client.tail("quiet")
        assert [(await anext(stream)).number for _ in range(3)] == [1, 2, 3]
        sending = asyncio.create_task(client.upload("x", as_made(b"a")))
        shell: Any = stream._incoming.host
        shell.abort()
        with pytest.raises(ConnectionLost):
            await anext(stream)
        with pytest.raises(ConnectionLost):
            await sending
        # there is no connection yet: both wait for the next one
        service.made = 0
        assert (await client.upload("x", [b"ab"])).size == 2
        assert await numbers(client.tail("x")) == [1, 2, 3]
        with pytest.raises(DeadlineExceeded):
            await anext(client.tail("x", timeout=-1))
