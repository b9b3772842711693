"""Calls between programs: over sockets of each kind, and in one process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import re
import time
import weakref
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pytest

from ampgen.runtime import (
    Connection,
    ConnectionLost,
    DeadlineExceeded,
    EncodeError,
    InternalError,
    Limits,
    RemoteError,
    Server,
    connect,
    current_call,
    serve,
)
from tests.runtime.made.text import (
    Corrupt,
    EventsClient,
    Item,
    RepeatResult,
    TextClient,
    TooLong,
)
from tests.runtime.services import Events, Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

ADDRESSES = ["127.0.0.1:0", "[::1]:0", "localhost:0", "unix:{}/socket"]


@contextlib.asynccontextmanager
async def pair(
    service: Server, events: Events | None = None, **options: Any
) -> AsyncGenerator[TextClient, None]:
    async with (
        serve("127.0.0.1:0", service) as server,
        TextClient.connect(server.addresses[0], events=events, **options) as client,
    ):
        yield client


Open: TypeAlias = "Callable[..., contextlib.AbstractAsyncContextManager[TextClient]]"
BOTH = pytest.mark.parametrize("open_", [pair, TextClient.local])


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_call_over_each_kind_of_socket(address: str, tmp_path: Path) -> None:
    service = Text()
    async with (
        serve(address.format(tmp_path), service) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        answer = await text.repeat("abc", times=3)
        assert answer == RepeatResult(text="abcabcabc", length=9)
        with pytest.raises(TooLong, match="120 characters") as caught:
            await text.repeat("abc", 40)
        assert caught.value.limit == 100
        items = [Item(id=n, name=str(n)) for n in range(200)]
        assert await text.items(items) == items
        await text.log("line")
        service.gate.set()
        await text.stop()
    assert service.lines == ["line from Log"]


@BOTH
async def test_many_calls_share_a_connection(open_: Open) -> None:
    async with open_(Text()) as text:
        answers = await asyncio.gather(
            *(text.repeat(f"{n}", n % 30) for n in range(1000))
        )
    assert [a.text for a in answers] == [f"{n}" * (n % 30) for n in range(1000)]


@BOTH
async def test_a_fatal_error_arrives_and_the_connection_ends(open_: Open) -> None:
    async with open_(Text()) as text:
        with pytest.raises(Corrupt, match="all is lost"):
            await text.repeat("corrupt")
        await text.connection.wait_closed()
        assert text.connection.is_closed
        with pytest.raises(ConnectionLost) as caught:
            await text.repeat("x")
        assert not caught.value.sent


@BOTH
async def test_what_is_not_declared_says_nothing_to_the_peer(
    open_: Open, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_(Text()) as text:
        with pytest.raises(InternalError) as caught:
            await text.repeat("secret")
        assert "secret" not in str(caught.value)
        await text.log("secret")
        assert (await text.repeat("a")).text == "a"
    assert [r.levelno for r in caplog.records] == [logging.ERROR] * 2


@BOTH
async def test_the_server_calls_its_client_while_it_answers(open_: Open) -> None:
    class Asking(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            await self.events.progress(times)
            answer = await self.events.confirm(text)
            return RepeatResult(text=answer, length=times)

    events = Events()
    async with open_(Asking(), events=events) as text:
        answers = await asyncio.gather(*(text.repeat("sure", n) for n in range(50)))
    assert {a.text for a in answers} == {"sure: yes"}
    assert sorted(events.seen) == list(range(50))


@BOTH
async def test_the_connection_is_the_same_for_all_who_use_it(open_: Open) -> None:
    seen: list[Any] = []

    class Looking(Text):
        def log(self, line: str) -> None:
            call = current_call()
            seen.append((call.command, call.connection, call.peer_address))

    async with open_(Looking()) as text:
        await text.log("x")
        await text.log("x")
        await text.items([])
        assert text.connection.peer_address
    (command, connection, peer), second = seen
    assert command == "Log"
    assert second == (command, connection, peer)
    assert connection.peer_address == peer
    with pytest.raises(RuntimeError, match="for handlers"):
        current_call()


# --- deadlines ------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("client", "call", "seconds"),
    [
        ({}, {"timeout": 0.05}, 0.05),
        ({"timeout": 0.05}, {}, 0.05),
        ({"timeout": 9.0}, {"timeout": 0.05}, 0.05),
        ({"timeout": None}, {"timeout": 0.05}, 0.05),
        ({}, {}, 0.25),  # the schema's
    ],
)
async def test_the_calls_deadline_counts_then_the_clients_then_the_schemas(
    open_: Open, client: Any, call: Any, seconds: float
) -> None:
    service = Text()
    async with open_(service, drain_timeout=0.1, **client) as text:
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=f"within {seconds:g} s"):
            await text.stop(**call)
        late = time.monotonic() - start - seconds
        assert -0.01 < late < 0.2
        service.gate.set()
        assert (await text.repeat("a")).text == "a"  # the late answer is dropped


@BOTH
async def test_a_time_that_is_over_is_not_even_sent(open_: Open) -> None:
    service = Text()
    async with open_(service) as text:
        for seconds in (0, -1, float("nan")):
            with pytest.raises(DeadlineExceeded):
                await text.stop(timeout=seconds)
            with pytest.raises(DeadlineExceeded):
                await text.log("x", timeout=seconds)
        await text.repeat("a")
        assert service.waiting.locked()
    assert service.lines == []


@BOTH
async def test_none_is_no_deadline_and_each_call_has_its_own(open_: Open) -> None:
    service = Text()
    async with open_(service, timeout=0.02) as text:
        order: list[str] = []

        async def stop(name: str, seconds: float | None) -> None:
            try:
                await text.stop(timeout=seconds)
            except DeadlineExceeded:
                name += " late"
            order.append(name)

        async with asyncio.TaskGroup() as group:
            for name, seconds in (
                ("forever", None),
                ("long", 0.15),
                ("short", 0.03),
                ("middle", 0.08),
            ):
                group.create_task(stop(name, seconds))
            while len(order) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            service.gate.set()
    assert order == ["short late", "middle late", "long late", "forever"]


@BOTH
async def test_cancelling_drops_the_call_and_nothing_else(open_: Open) -> None:
    service = Text()
    async with open_(service) as text:
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        service.gate.set()
        assert (await text.repeat("a")).text == "a"


# --- the end of a connection ----------------------------------------------------------


@BOTH
async def test_every_call_in_flight_ends_with_the_connection(open_: Open) -> None:
    service = Text()
    async with open_(service, drain_timeout=0.05) as text:
        calls = [asyncio.create_task(text.stop(timeout=None)) for _ in range(100)]
        for _ in calls:
            await service.waiting.acquire()
        await text.aclose()
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, ConnectionLost)
            assert error.sent
        service.gate.set()


@BOTH
async def test_who_wants_to_know_of_the_end_is_told(open_: Open) -> None:
    ended: list[object] = []
    async with open_(Text()) as text:
        connection = text.connection
        connection.add_close_callback(ended.append)
        assert not connection.is_closed
    await connection.wait_closed()
    connection.add_close_callback(ended.append)
    await asyncio.sleep(0)
    assert ended == [connection, connection]


async def test_a_client_closes_what_it_was_given_and_can_be_awaited() -> None:
    async with serve("127.0.0.1:0", Text()) as server:
        connection = await connect(server.addresses[0])
        async with TextClient(connection) as text:
            assert (await text.repeat("a")).text == "a"
        assert connection.is_closed
        text = await TextClient.connect(server.addresses[0])
        assert (await text.repeat("a")).text == "a"
        await text.aclose()


async def test_a_loop_that_keeps_its_buffers_gets_them_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "_proactor", object(), raising=False)
    async with pair(Text()) as text:
        assert (await text.repeat("abc")).text == "abc"


async def test_a_client_without_calls_connects_as_it_is() -> None:
    async with (
        serve("127.0.0.1:0", Events()) as server,
        EventsClient.connect(server.addresses[0], timeout=5) as there,
        EventsClient.local(Events(), timeout=5) as here,
    ):
        assert await there.confirm("a") == await here.confirm("a") == "a: yes"


async def test_nothing_is_closed_where_nothing_was_connected() -> None:
    connecting = connect("127.0.0.1:1")
    with pytest.raises(OSError, match="Connect"):
        async with connecting:
            raise AssertionError
    await connecting.__aexit__(None, None, None)


async def test_connecting_takes_no_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_args: object, **_kwargs: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    with pytest.raises(
        TimeoutError, match=r"no connection to 127\.0\.0\.1:1 within 0.01 s"
    ):
        await TextClient.connect("127.0.0.1:1", connect_timeout=0.01)


async def test_a_system_that_gives_up_sooner_speaks_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(*_args: object, **_kwargs: object) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "the system's words")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    with pytest.raises(TimeoutError, match="the system's words"):
        await TextClient.connect("127.0.0.1:1")


async def test_connecting_that_fails_at_the_last_moment_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    create = loop.create_connection
    made: list[Connection] = []

    async def late(*args: Any) -> None:
        transport, _protocol = await create(*args)
        transport.abort()
        raise OSError("at the last moment")

    def factory(connection: Connection) -> Events:
        made.append(connection)
        return Events()

    async with serve("127.0.0.1:0", Text()) as server:
        monkeypatch.setattr(loop, "create_connection", late)
        with pytest.raises(OSError, match="at the last moment"):
            await connect(server.addresses[0], serve=[factory])
        await made[0].wait_closed()


# --- boxes without a schema -----------------------------------------------------------


@BOTH
async def test_any_box_can_be_called(open_: Open) -> None:
    service = Text()
    async with open_(service) as text:
        call = text.connection.call_box
        answer = await call(b"Repeat", {b"text": b"abc"}, timeout=5)
        assert answer == {b"text": b"abc", b"length": b"3"}
        assert await call(b"Log", {b"line": b"x"}, oneway=True) == {}
        with pytest.raises(RemoteError, match="TOO_LONG: 101 characters"):
            await call(b"Repeat", {b"text": b"a" * 101})
        bad: list[tuple[Any, str]] = [
            ({b"_ask": b"1"}, "Repeat: a key has 1 to 255 bytes"),
            ({b"": b"1"}, "Repeat: a key has 1 to 255 bytes"),
            ({b"k" * 256: b""}, "Repeat: a key has 1 to 255 bytes"),
            ({b"k": "text"}, "Repeat: k: expected bytes, got str"),
            ({"k": b""}, "Repeat: expected bytes, got str"),
            ({b"k": b"x" * 65536}, "Repeat: k: over 65,535 bytes, the most"),
            ([(b"k", b"")], "Repeat: a box is a mapping of bytes to bytes"),
        ]
        for box, rule in bad:
            with pytest.raises(EncodeError, match=rule):
                await call(b"Repeat", box)
        with pytest.raises(
            TypeError, match="a command is named by bytes, not by a str"
        ):
            await call(cast("bytes", "Repeat"), {})
    assert service.lines == ["x from Log"]


async def test_a_fallback_sees_the_command_the_box_and_the_call() -> None:
    async def fallback(command: bytes, box: dict[bytes, bytes], call: Any) -> Any:
        if command == b"Bad":
            return {b"_ask": b""}
        return {b"command": command, b"name": call.command.encode(), **box}

    async with (
        serve("127.0.0.1:0", Text(), fallback=fallback) as server,
        connect(server.addresses[0]) as connection,
    ):
        answer = await connection.call_box(b"\xff", {b"a": b"1"})
        assert answer == {b"command": b"\xff", b"name": rb"\xff", b"a": b"1"}
        with pytest.raises(InternalError):
            await connection.call_box(b"Bad", {})
        assert (await TextClient(connection).repeat("a")).text == "a"


# --- handlers -------------------------------------------------------------------------


@BOTH
async def test_an_older_handler_is_called_without_what_it_does_not_know(
    open_: Open,
) -> None:
    class Older(Text):
        async def repeat(self, text: str) -> RepeatResult:  # type: ignore[override]
            return RepeatResult(text=text, length=1)

    async with open_(Older()) as text:
        assert (await text.repeat("abc", 5)).text == "abc"


@BOTH
async def test_a_handler_runs_in_a_task_of_its_own(open_: Open) -> None:
    class Timing(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            async with asyncio.timeout(5):
                async with asyncio.TaskGroup() as group:
                    group.create_task(asyncio.sleep(0))
            assert current_call().command == "Repeat"
            return RepeatResult(text=text, length=times)

        async def log(self, line: str) -> None:
            """Ends at once: on 3.12 and later its task never waits."""

    async with open_(Timing()) as text:
        await text.log("x")
        assert (await text.repeat("abc", 5)).length == 5


@BOTH
async def test_what_a_handler_has_answered_is_not_left_to_the_collector(
    open_: Open,
) -> None:
    class Waiting(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            await asyncio.sleep(0)
            tasks.append(weakref.ref(asyncio.current_task()))
            return RepeatResult(text=text, length=times)

    tasks: list[weakref.ref[Any]] = []
    async with open_(Waiting()) as text:
        gc.disable()
        try:
            await text.repeat("abc")
            await asyncio.sleep(0.01)
            assert [task() for task in tasks] == [None]
        finally:
            gc.enable()


@pytest.mark.parametrize(
    "what", ["at once", "later", "of another", "by a bad result", "as a request"]
)
@BOTH
async def test_what_has_failed_is_not_left_to_the_collector(
    open_: Open, what: str
) -> None:
    class Failing(Text):
        def repeat(self, text: str, times: int) -> Any:
            return self._another() if what == "of another" else self._repeat()

        async def _repeat(self) -> Any:
            if what == "later":
                await asyncio.sleep(0)
            if what == "by a bad result":
                return RepeatResult(text="a", length=cast("int", "1"))
            raise TooLong("x", limit=1)

        def _another(self) -> asyncio.Future[Any]:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(
                lambda: future.set_exception(TooLong("x", limit=1))
            )
            return future

    times = cast("int", "1") if what == "as a request" else 1
    async with open_(Failing()) as text:

        async def fail() -> None:
            with contextlib.suppress(TooLong, InternalError, EncodeError):
                await text.repeat("a", times)
                raise AssertionError
            await asyncio.sleep(0.01)

        await fail()
        gc.collect()
        gc.disable()
        try:
            await fail()
            assert gc.collect() == 0
        finally:
            gc.enable()


@BOTH
async def test_a_handler_that_waits_for_what_is_cancelled_has_failed(
    open_: Open, caplog: pytest.LogCaptureFixture
) -> None:
    class Stray(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            future: asyncio.Future[RepeatResult] = asyncio.Future()
            future.cancel()
            return await future

        def items(self, items: list[Item]) -> list[Item]:
            raise asyncio.CancelledError

    async with open_(Stray()) as text:
        with pytest.raises(InternalError):
            await text.repeat("a")
        with pytest.raises(RemoteError, match="cancelled"):
            await text.items([])
    assert "what the handler was waiting for was cancelled" in caplog.text


# --- limits over a connection ---------------------------------------------------------


@BOTH
async def test_limits_hold_on_a_connection(open_: Open) -> None:
    async with open_(Text(), limits=Limits(box=200)) as text:
        with pytest.raises(EncodeError, match="a box over 200 bytes"):
            await text.repeat("a" * 200)
        assert (await text.repeat("a")).text == "a"


async def test_a_socket_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with pytest.raises(FileNotFoundError, match=re.escape(str(path))):
        await connect(f"unix:{path}")


async def test_a_port_that_nobody_listens_on_is_named() -> None:
    async with serve("127.0.0.1:0", Text()) as server:
        address = server.addresses[0]
    with pytest.raises(ConnectionRefusedError, match=address.rpartition(":")[2]):
        await connect(address)
