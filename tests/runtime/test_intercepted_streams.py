"""A client's interceptors around calls that stream."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry

from ampgen.runtime import (
    ConnectionLost,
    DeadlineExceeded,
    EncodeError,
    InterceptedCall,
    InvalidArgument,
    Metadata,
    Overloaded,
    Proceed,
    current_call,
    intercepted,
    serve,
)
from ampgen.runtime.interceptors import (
    LogCalls,
    RateLimit,
    require_identity,
    send_token,
    token_identity,
)
from ampgen.runtime.interceptors.otel import Tracing
from ampgen.runtime.interceptors.prometheus import Metrics
from generated_example.archive import (
    ArchiveClient,
    NoSuchFile,
    TailItem,
    UploadResult,
)
from tests.runtime.test_blocking import served
from tests.runtime.test_streams import Files, eventually, nothing_is_left, numbers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from opentelemetry.trace import SpanContext

    from ampgen.runtime import Interceptor


class Around:
    """Notes how calls end, after a while that they do not wait for."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.calls: list[InterceptedCall] = []

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        self.calls.append(call)
        try:
            result = await proceed(call)
        except BaseException as error:
            self.codes.append(call.code(error))
            raise
        for _ in range(5):
            await asyncio.sleep(0)
        self.codes.append("OK")
        return result


def for_streams(interceptor: Interceptor) -> Interceptor:
    """Around calls that stream alone."""

    async def chosen(call: InterceptedCall, proceed: Proceed) -> object:
        return await (interceptor(call, proceed) if call.streams else proceed(call))

    return chosen


@contextlib.asynccontextmanager
async def behind(
    *interceptors: Interceptor, service: Files | None = None, **options: Any
) -> AsyncGenerator[ArchiveClient]:
    """A client with them around what streams: of that no task and no call is left."""
    around = [for_streams(interceptor) for interceptor in interceptors]
    async with (
        serve("127.0.0.1:0", service or Files(), drain_timeout=0.1) as server,
        ArchiveClient.connect(
            server.addresses[0], interceptors=around, **options
        ) as client,
    ):
        assert await client.size("abc") == 3
        before = asyncio.all_tasks()
        yield client
        if not client.connection.is_closed:
            assert await client.size("abc") == 3
            await eventually(lambda: nothing_is_left(client.connection))
        await eventually(lambda: asyncio.all_tasks() <= before)


class Watching:
    """Sees calls begin and end, on either side."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        arguments = sorted(call.arguments)
        self.seen.append(f"{call.side} {call.command} {arguments}")
        if call.metadata.get("refuse") == call.side:
            raise Overloaded("refused")
        if call.metadata.get("empty"):
            return None
        if call.side == "client" and "token" not in call.metadata:
            call = call.replace(metadata={**call.metadata, "token": "secret"})
        try:
            return await proceed(call)
        except BaseException as error:
            self.seen.append(f"{call.side} {type(error).__name__}")
            raise
        finally:
            self.seen.append(f"{call.side} ended")


class Guarded(Files):
    async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
        assert current_call().metadata["token"] == "secret"
        async for item in super().tail(name, from_):
            yield item


@contextlib.asynccontextmanager
async def watched(
    service: Files,
) -> AsyncGenerator[tuple[ArchiveClient, list[str], list[str]]]:
    there, here = Watching(), Watching()
    async with (
        serve("127.0.0.1:0", service, interceptors=[there]) as server,
        ArchiveClient.connect(server.addresses[0], interceptors=[here]) as client,
    ):
        yield client, here.seen, there.seen


async def test_interceptors_see_a_stream_from_its_begin_to_its_end() -> None:
    async with watched(Guarded()) as (client, here, there):
        async with client.tail("x") as lines:
            first = await anext(lines)
            assert here == ["client Tail ['from_', 'name']"]
            assert there[0] == "server Tail ['from_', 'name']"
            assert [first.number, *await numbers(lines)] == [1, 2, 3]
        assert here[1:] == ["client ended"]
        assert there[1:] == ["server ended"]
        here.clear()
        there.clear()
        assert (await client.upload("x", [b"ab"])).size == 2
        assert here == ["client Upload ['name']", "client ended"]
        assert there == ["server Upload ['name']", "server ended"]


async def test_interceptors_hear_of_errors_and_may_raise_their_own() -> None:
    service = Guarded()
    async with watched(service) as (client, here, there):
        lines = client.tail("nothing")
        with pytest.raises(NoSuchFile):
            await anext(lines)
        await lines.aclose()
        assert here[1:] == ["client NoSuchFile", "client ended"]
        assert there[1:] == ["server NoSuchFile", "server ended"]
        for side in ("client", "server"):
            with pytest.raises(Overloaded):
                await anext(client.tail("x", metadata={"refuse": side}))
            with pytest.raises(Overloaded):
                await client.upload("x", [b"a"], metadata={"refuse": side})
        assert await numbers(client.tail("x", metadata={"empty": "yes"})) == []
        with pytest.raises(DeadlineExceeded):
            _ = await numbers(client.tail("quiet", timeout=0.1))
        assert here[-2:] == ["client DeadlineExceeded", "client ended"]
        async with client.tail("endless") as lines:
            await anext(lines)
        assert here[-1] == "client ended"
        assert nothing_is_left(client.connection)


async def test_a_call_that_streams_is_made_once() -> None:
    async def twice(call: InterceptedCall, proceed: Proceed) -> object:
        await proceed(call)
        return await proceed(call)

    async with ArchiveClient.local(Files()) as plain:
        client = ArchiveClient(plain.connection, interceptors=[twice])
        with pytest.raises(RuntimeError, match="is made once") as raised:
            await client.upload("x", [b"a"])
        assert raised.value.__cause__ is None
        assert await numbers(client.tail("x")) == [1, 2, 3]


async def test_a_stream_is_left_while_an_interceptor_waits() -> None:
    waiting = asyncio.Event()

    async def slow(call: InterceptedCall, proceed: Proceed) -> object:
        waiting.set()
        await asyncio.Event().wait()
        return await proceed(call)

    async with ArchiveClient.local(Files()) as plain:
        client = ArchiveClient(plain.connection, interceptors=[slow])
        stream = client.tail("x")
        first = asyncio.create_task(anext(stream, None))
        await waiting.wait()
        await stream.aclose()
        assert await first is None


async def test_an_interceptor_may_end_a_stream() -> None:
    async def short(call: InterceptedCall, proceed: Proceed) -> object:
        try:
            async with asyncio.timeout(0.1):
                return await proceed(call)
        except TimeoutError:
            raise Overloaded("enough") from None

    service = Files()
    async with ArchiveClient.local(service) as plain:
        client = ArchiveClient(plain.connection, interceptors=[short])
        stream = client.tail("quiet")
        assert [(await anext(stream)).number for _ in range(3)] == [1, 2, 3]
        with pytest.raises(Overloaded, match="enough"):
            await anext(stream)
        assert await service.over() == ["CancelledError", "finally"]


# --- what they see, and change --------------------------------------------------------


async def test_arguments_metadata_and_time_may_be_others() -> None:
    seen: list[tuple[dict[str, Any], dict[str, str], bool]] = []

    class Seeing(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            call = current_call()
            arguments = {"name": name, "from_": from_}
            seen.append((arguments, dict(call.metadata), call.deadline is not None))
            async for item in super().tail(name, from_):
                yield item

        async def upload(self, name: str, chunks: Any) -> UploadResult:
            call = current_call()
            metadata = dict(call.metadata)
            seen.append(({"name": name}, metadata, call.deadline is not None))
            return await super().upload(name, chunks)

    async def change(call: InterceptedCall, proceed: Proceed) -> object:
        assert call.timeout is None
        call = call.replace(
            arguments={"name": "quiet"}, metadata={"a": "b"}, timeout=0.2
        )
        return await proceed(call)

    around = Around()
    async with behind(around, change, service=Seeing()) as client:
        stream = client.tail("x", 5)
        with pytest.raises(DeadlineExceeded):
            await numbers(stream)
        result = await client.upload("x", [b"ab"])
        assert result == UploadResult(size=2)
    assert seen == [
        ({"name": "quiet", "from_": 5}, {"a": "b"}, True),
        ({"name": "quiet"}, {"a": "b"}, True),
    ]
    assert around.codes == ["DEADLINE_EXCEEDED", "OK"]
    assert [dict(call.arguments) for call in around.calls] == [
        {"name": "x", "from_": 5},
        {"name": "x"},
    ]


async def test_the_time_of_a_stream_includes_what_interceptors_take() -> None:
    async def slow(call: InterceptedCall, proceed: Proceed) -> object:
        await asyncio.Event().wait()
        return await proceed(call)

    async with behind(slow) as client:
        with pytest.raises(DeadlineExceeded):
            await anext(client.tail("x", timeout=0.05))
        with pytest.raises(DeadlineExceeded):
            await client.upload("x", [b"a"], timeout=0.05)


async def test_they_hear_of_the_end_before_whoever_takes_the_items() -> None:
    class Telling(Files):
        async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
            current_call().answer_metadata["hello"] = "there"
            async for item in super().tail(name, from_):
                yield item

    around = Around()
    async with behind(around, service=Telling()) as client:
        metadata = Metadata()
        assert await numbers(client.tail("x", metadata=metadata)) == [1, 2, 3]
        assert around.codes == ["OK"]
        assert metadata.answer == {"hello": "there"}
        assert dict(around.calls[-1].answer_metadata) == {"hello": "there"}
        with pytest.raises(NoSuchFile):
            await anext(client.tail("nothing"))
        assert around.codes == ["OK", "NO_SUCH_FILE"]


async def test_both_ways_at_once() -> None:
    around = Around()
    async with behind(around) as client:
        found = client.search("a", ["abc", "def", "cba"])
        assert [line async for line in found] == ["abc", "cba"]
        async with client.search("a", iter(["a"] * 1000)) as lines:
            await anext(lines)
    assert around.codes == ["OK", "OK"]


async def test_a_client_that_stays_connected() -> None:
    around = Around()
    async with (
        serve("127.0.0.1:0", Files()) as server,
        ArchiveClient.connect(
            server.addresses[0], interceptors=[around], reconnect=True
        ) as client,
    ):
        assert await numbers(client.tail("x")) == [1, 2, 3]
        assert (await client.upload("x", [b"a"])).size == 1
        stream = client.tail("endless")
        await anext(stream)
        client.connection._shell.transport.abort()
        with pytest.raises(ConnectionLost):
            await numbers(stream)
        assert await client.size("abc") == 3
    assert around.codes == ["OK", "OK", "CONNECTION_LOST", "OK"]


async def test_a_stream_that_is_dropped_ends_for_them_too() -> None:
    around = Around()
    async with behind(around) as client:
        async for _ in client.tail("endless"):
            break
        gc.collect()
        await eventually(lambda: around.codes == ["OK"])


# --- what they do of their own --------------------------------------------------------


@pytest.mark.parametrize("early", [False, True])
async def test_what_fails_behind_the_end_is_logged(
    early: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(call: InterceptedCall, proceed: Proceed) -> object:
        await proceed(call)
        raise LookupError("mine")

    name = "endless" if early else "x"
    async with behind(fail) as client, client.tail(name) as lines:
        assert (await anext(lines)).number == 1
        if not early:
            assert await numbers(lines) == [2, 3]
    [record] = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert record.getMessage().startswith("Tail: an interceptor has failed")
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


async def test_the_error_of_a_stream_stays_what_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def other(call: InterceptedCall, proceed: Proceed) -> object:
        try:
            return await proceed(call)
        except NoSuchFile:
            raise LookupError("mine") from None

    async with behind(other) as client:
        with pytest.raises(NoSuchFile):
            await anext(client.tail("nothing"))
    assert [r.exc_info is not None for r in caplog.records if r.levelno > 30] == [True]


async def test_what_has_not_left_may_be_tried_again() -> None:
    """Not what has: its source may be used up, its items have been taken."""

    async def patient(call: InterceptedCall, proceed: Proceed) -> object:
        try:
            bad: dict[str, object] = {"name": 5}
            return await proceed(call.replace(arguments=bad))
        except EncodeError:
            return await proceed(call)

    async def stubborn(call: InterceptedCall, proceed: Proceed) -> object:
        try:
            return await proceed(call)
        except InvalidArgument:
            return await proceed(call)

    class Refusing(Files):
        async def upload(self, name: str, chunks: Any) -> UploadResult:
            if name == "bad":
                raise InvalidArgument("no")
            return await super().upload(name, chunks)

    around = patient, stubborn
    async with behind(*around, service=Refusing()) as client:
        assert await numbers(client.tail("x")) == [1, 2, 3]
        assert (await client.upload("x", [b"a"])).size == 1
        with pytest.raises(RuntimeError, match="is made once") as raised:
            await client.upload("bad", [b"a"])
        assert isinstance(raised.value.__cause__, InvalidArgument)


async def test_a_stream_is_not_made_twice_at_once() -> None:
    async def both(call: InterceptedCall, proceed: Proceed) -> object:
        await asyncio.gather(proceed(call), proceed(call))
        return None

    async with behind(both) as client:
        with pytest.raises(RuntimeError, match="is made once"):
            await client.upload("x", [b"a"])


async def test_one_that_does_not_wait_for_the_end() -> None:
    going: list[asyncio.Future[object]] = []

    async def hasty(call: InterceptedCall, proceed: Proceed) -> object:
        going.append(asyncio.ensure_future(proceed(call)))
        await asyncio.wait(going[-1:], timeout=0.1)
        return UploadResult(size=7)

    service = Files()
    async with behind(hasty, service=service) as client:
        lines = client.tail("quiet")
        assert await numbers(lines) == [1, 2, 3]
        assert await going.pop() is None
        assert await service.over() == ["CancelledError", "finally"]
        service.ended.clear()

        async def chunks() -> AsyncGenerator[bytes]:
            try:
                yield b"a"
                await asyncio.Event().wait()
            finally:
                service.events.append("closed")

        assert await client.upload("x", chunks()) == UploadResult(size=7)
        assert "closed" in service.events
        with pytest.raises(asyncio.CancelledError):
            await going.pop()


async def test_an_upload_that_is_given_up_ends_at_once() -> None:
    service = Files()

    async def impatient(call: InterceptedCall, proceed: Proceed) -> object:
        try:
            return await asyncio.wait_for(proceed(call), 0.1)
        except TimeoutError:
            await service.over()
            return UploadResult(size=-1)

    async def chunks() -> AsyncGenerator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    async with behind(impatient, service=service) as client:
        assert await client.upload("x", chunks()) == UploadResult(size=-1)
        assert service.got == [b"a"]


async def test_one_that_closes_the_stream_that_it_is_around() -> None:
    streams: list[Any] = []

    async def close(call: InterceptedCall, proceed: Proceed) -> object:
        await streams[0].aclose()
        with pytest.raises(RuntimeError, match="is made once"):
            await proceed(call)
        return None

    async with behind(close) as client:
        streams.append(client.tail("x"))
        assert await numbers(streams[0]) == []


# --- cancellation ---------------------------------------------------------------------


async def test_cancelling_who_opens_a_stream_cancels_them() -> None:
    around = Around()
    waiting = asyncio.Event()

    async def slow(call: InterceptedCall, proceed: Proceed) -> object:
        waiting.set()
        await asyncio.Event().wait()
        return await proceed(call)

    async with behind(around, slow) as client:
        for enter in (True, False):
            stream = client.tail("x")
            opening = stream.__aenter__() if enter else anext(stream)
            task = asyncio.ensure_future(opening)
            await waiting.wait()
            waiting.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert around.codes[-1] == "CANCELLED"
            assert await numbers(stream) == []
        assert len(around.codes) == 2


async def test_cancelling_who_waits_for_room_cancels_them() -> None:
    around = Around()
    async with behind(around) as client:
        shell = client.connection._shell
        shell.pause_writing()
        task = asyncio.ensure_future(anext(client.tail("x")))
        await eventually(lambda: shell.protocol.sending)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert around.codes == ["CANCELLED"]
        shell.resume_writing()


async def test_cancelling_just_when_the_request_leaves() -> None:
    around = Around()
    tasks: list[asyncio.Task[Any]] = []

    async def cancel(call: InterceptedCall, proceed: Proceed) -> object:
        tasks[0].cancel()
        return await proceed(call)

    service = Files()
    async with behind(around, cancel, service=service) as client:
        stream = client.tail("endless")
        tasks.append(asyncio.create_task(stream.__aenter__()))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert around.codes == ["OK"]


async def test_cancelling_who_waits_for_their_end_cancels_them() -> None:
    """Whether a stream is left, or has come to its end."""
    ending = asyncio.Event()
    ended: list[str] = []

    async def lingering(call: InterceptedCall, proceed: Proceed) -> object:
        await proceed(call)
        ending.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(call.command)
        raise AssertionError

    async with behind(lingering) as client:

        async def leave() -> None:
            async with client.tail("endless") as lines:
                await anext(lines)

        for taking in (leave, lambda: numbers(client.tail("x"))):
            task = asyncio.ensure_future(taking())
            await ending.wait()
            ending.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert ended.pop() == "Tail"


async def test_an_upload_is_cancelled_through_them() -> None:
    around = Around()
    service = Files()

    async def chunks() -> AsyncGenerator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    async with behind(around, service=service) as client:
        task = asyncio.ensure_future(client.upload("x", chunks()))
        await eventually(lambda: service.got)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert around.codes == ["CANCELLED"]
        await service.over()


async def test_the_end_of_the_connection_reaches_them() -> None:
    around = Around()
    async with behind(around) as client:
        async with client.tail("quiet") as lines:
            await anext(lines)
            client.connection._shell.transport.abort()
            with pytest.raises(ConnectionLost):
                await numbers(lines)
        assert around.codes == ["CONNECTION_LOST"]


# --- those that come with the runtime -------------------------------------------------


def trace_of(context: SpanContext | None) -> int:
    assert context is not None
    return context.trace_id


class Everything:
    """All that are for clients, and how they tell of what they have seen."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider)
        self.around: list[Interceptor] = [
            LogCalls(),
            self.tracing,
            Metrics(self.registry),
            send_token("t0ken"),
            RateLimit(0.001, burst=5),
        ]

    def completed(self, command: str, code: str) -> float | None:
        labels = {"side": "client", "service": "Archive", "command": command}
        return self.registry.get_sample_value(
            "amp_calls_completed_total", {**labels, "code": code}
        )

    def check(self, caplog: pytest.LogCaptureFixture) -> None:
        """After the five calls, and one too many, that both tests make."""
        records = [vars(r) for r in caplog.records if r.name == "ampgen.calls"]
        expected = [
            ("Tail", "OK"),
            ("Tail", "NO_SUCH_FILE"),
            ("Tail", "OK"),  # it is left
            ("Upload", "OK"),
            ("Search", "OK"),
            ("Upload", "OVERLOADED"),
        ]
        assert [(r["command"], r["code"]) for r in records] == expected
        for command, code in expected:
            assert self.completed(command, code) == expected.count((command, code))
        spans = self.exporter.get_finished_spans()
        ours = [span for span in spans if span.kind is SpanKind.CLIENT]
        assert [s.name for s in ours] == [f"Archive/{name}" for name, _ in expected]
        traces = [trace_of(span.context) for span in ours]
        theirs = [span for span in spans if span.kind is SpanKind.SERVER]
        assert len(set(traces)) == 6
        assert len(theirs) == 5
        for span in theirs:
            assert span.parent is not None
            assert trace_of(span.context) in traces

    def server_side(self) -> list[Interceptor]:
        users = {"t0ken": "me"}
        return [self.tracing, token_identity(users.get), require_identity()]


async def test_all_of_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ampgen.calls")
    all_ = Everything()
    async with (
        serve("127.0.0.1:0", Files(), interceptors=all_.server_side()) as server,
        ArchiveClient.connect(server.addresses[0], interceptors=all_.around) as client,
    ):
        assert await numbers(client.tail("x")) == [1, 2, 3]
        with pytest.raises(NoSuchFile):
            await anext(client.tail("nothing"))
        async with client.tail("endless") as lines:
            await anext(lines)
        assert (await client.upload("x", iter([b"a"]))).size == 1
        found = client.search("a", iter(["a", "b"]))
        assert [line async for line in found] == ["a"]
        with pytest.raises(Overloaded, match="calls a second"):
            await client.upload("x", [b"a"])
    all_.check(caplog)


def test_all_of_them_without_an_event_loop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ampgen.calls")
    all_ = Everything()
    with (
        served(intercepted(Files(), all_.server_side())) as address,
        ArchiveClient.connect_blocking(address, interceptors=all_.around) as client,
    ):
        assert [line.number for line in client.tail("x")] == [1, 2, 3]
        with pytest.raises(NoSuchFile):
            next(client.tail("nothing"))
        with client.tail("endless") as lines:
            next(lines)
        assert client.upload("x", iter([b"a"])).size == 1
        assert list(client.search("a", iter(["a", "b"]))) == ["a"]
        with pytest.raises(Overloaded, match="calls a second"):
            client.upload("x", iter([b"a"]))
    all_.check(caplog)
