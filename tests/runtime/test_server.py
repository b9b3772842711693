"""Listening, draining, signals, socket files."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    Cancelled,
    Connection,
    ConnectionLost,
    Unavailable,
    connect,
    serve,
)
from tests.raw import PATIENCE, box, dial
from tests.runtime.made.text import EventsClient, Item, RepeatResult, TextClient
from tests.runtime.services import Events, Text

if TYPE_CHECKING:
    from pathlib import Path


class FakeTransport(asyncio.Transport):
    closing = False

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing


async def repeat(address: str) -> str:
    async with TextClient.connect(address) as text:
        return (await text.repeat("abc")).text


async def repeat_on(text: TextClient) -> None:
    while True:
        await text.repeat("a")


async def test_the_addresses_are_those_that_can_be_called(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    for address in ("127.0.0.1:0", "[::1]:0", f"unix:{path}", "localhost:0"):
        server = serve(address, Text())
        assert server.addresses == []
        async with server:
            assert server.addresses
            for resolved in server.addresses:
                assert not resolved.endswith(":0")
                assert await repeat(resolved) == "abc"


async def test_half_way_through_a_batch_the_first_answers_are_with_the_peer() -> None:
    arrived: list[int] = []

    class Watched(Text):
        def items(self, items: list[Item]) -> list[Item]:
            with contextlib.suppress(BlockingIOError):
                arrived.append(len(client.recv(10_000, socket.MSG_DONTWAIT)))
            return [Item(id=1, name="a" * 20)]

    batch = b"".join(
        box({b"_ask": b"%x" % n, b"_command": b"Items", b"items": b""})
        for n in range(16)
    )
    async with serve("127.0.0.1:0", Watched()) as server:
        host, _, port = server.addresses[0].rpartition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(batch)
            async with asyncio.timeout(PATIENCE):
                while not arrived:  # noqa: ASYNC110  # the server runs beside
                    await asyncio.sleep(0)
    assert len(batch) // 2 <= arrived[0] < len(batch)


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX"])
async def test_a_socket_that_listens_can_be_given(family: str, tmp_path: Path) -> None:
    listening = socket.socket(getattr(socket, family))
    name = str(tmp_path / "socket")
    host = "::1" if family == "AF_INET6" else "127.0.0.1"
    listening.bind(name if family == "AF_UNIX" else (host, 0))
    listening.listen()
    async with serve(listening, Text()) as server:
        [address] = server.addresses
        assert await repeat(address) == "abc"
    assert listening.fileno() == -1


async def test_several_services_and_factories_are_served_together() -> None:
    made: list[Connection] = []

    def factory(connection: Connection) -> Events:
        made.append(connection)
        return Events()

    async with serve("127.0.0.1:0", Text(), factory) as server:
        for _ in range(2):
            async with connect(server.addresses[0]) as connection:
                answer = await connection.call_box(b"Confirm", {b"question": b"q"})
                assert answer == {b"result": b"q: yes"}
                assert await TextClient(connection).items([]) == []
    assert len(set(made)) == 2
    assert all(connection.is_closed for connection in made)


async def test_a_factory_that_fails_closes_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def factory(_connection: Connection) -> Events:
        raise LookupError("no room")

    async with serve("127.0.0.1:0", factory) as server:
        connection = await connect(server.addresses[0])
        await connection.wait_closed()
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert "no room" in caplog.text


async def test_a_factory_may_call_its_client_at_once() -> None:
    async def greet(connection: Connection) -> None:
        answers.append(await EventsClient(connection).confirm("there"))
        greeted.set()

    def factory(connection: Connection) -> Text:
        tasks.append(asyncio.create_task(greet(connection)))
        return Text()

    answers: list[str] = []
    tasks: list[asyncio.Task[None]] = []
    greeted = asyncio.Event()
    async with (
        serve("127.0.0.1:0", factory) as server,
        connect(server.addresses[0], serve=[Events()]),
    ):
        await greeted.wait()
    assert answers == ["there: yes"]


async def test_a_factory_that_calls_who_is_never_reached_is_told() -> None:
    def factory(connection: Connection) -> Text:
        for seconds in (None, 5):
            client = TextClient(connection, timeout=seconds)
            tasks.append(asyncio.create_task(client.repeat("a")))
        asyncio.get_running_loop().call_soon(tasks[1].cancel)
        return Text()

    tasks: list[asyncio.Task[Any]] = []
    with pytest.raises(OSError, match="Connect"):
        await connect("127.0.0.1:1", serve=[factory])
    lost, _cancelled = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(lost, ConnectionLost)
    assert not lost.sent


async def test_what_a_factory_began_before_it_failed_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def factory(connection: Connection) -> Events:
        client = TextClient(connection)
        tasks.append(asyncio.create_task(client.repeat("a")))
        raise LookupError("no room")

    tasks: list[asyncio.Task[Any]] = []
    async with serve("127.0.0.1:0", factory) as server:
        connection = await connect(server.addresses[0])
        await connection.wait_closed()
        [lost] = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(lost, ConnectionLost)
    assert "no room" in caplog.text


async def test_a_factory_may_close_its_connection() -> None:
    def factory(connection: Connection) -> Text:
        connection.close()
        return Text()

    async with serve("127.0.0.1:0", factory) as server:
        connection = await connect(server.addresses[0])
        await connection.wait_closed()


async def test_a_taken_address_is_an_error() -> None:
    async with serve("127.0.0.1:0", Text()) as server:
        with pytest.raises(OSError, match="in use"):
            async with serve(server.addresses[0], Text()):
                raise AssertionError


# --- draining -------------------------------------------------------------------------


async def test_leaving_the_block_finishes_the_calls_in_flight() -> None:
    service = Text()
    async with serve("127.0.0.1:0", service) as server:
        text = await TextClient.connect(server.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
        asyncio.get_running_loop().call_later(0.05, service.gate.set)
    await call
    await text.connection.wait_closed()
    with pytest.raises(OSError, match="Connect"):
        await repeat(server.addresses[0])
    await text.aclose()


async def test_a_handler_that_outlives_the_drain_time_is_cancelled() -> None:
    service = Text()
    async with serve("127.0.0.1:0", service, drain_timeout=0.05) as server:
        text = await TextClient.connect(server.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
    with pytest.raises(Cancelled):
        await call
    await text.aclose()


async def test_a_handler_that_will_not_end_is_left_behind_after_its_last_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ampgen.runtime.shell.LAST_WORDS", 0.05)
    monkeypatch.setattr("ampgen.runtime.server.LAST_WORDS", 0.05)
    release, ended = asyncio.Event(), asyncio.Event()

    class Stubborn(Text):
        async def stop(self) -> None:
            self.waiting.release()
            while not release.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await release.wait()
            ended.set()

    service = Stubborn()
    async with serve("127.0.0.1:0", service, drain_timeout=0.05) as server:
        text = await TextClient.connect(server.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
    with pytest.raises(ConnectionLost):
        await call
    await text.aclose()
    assert "handlers of 1 connections do not end" in caplog.text
    release.set()
    await ended.wait()


async def test_who_cancels_the_draining_ends_every_connection_at_once() -> None:
    texts = Text()
    server = serve("127.0.0.1:0", texts, drain_timeout=600)
    await server.__aenter__()
    text = await TextClient.connect(server.addresses[0])
    call = asyncio.create_task(text.stop())
    await texts.waiting.acquire()
    draining = asyncio.create_task(server.__aexit__(None, None, None))
    await asyncio.sleep(0)
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining
    with pytest.raises(ConnectionLost):
        await call
    await text.connection.wait_closed()
    mine = asyncio.current_task()
    assert asyncio.all_tasks() == {mine}


async def test_a_draining_that_is_cancelled_before_there_is_a_peer_ends_too() -> None:
    server = serve("127.0.0.1:0", Text(), drain_timeout=600)
    await server.__aenter__()
    receiver = server._accept()
    draining = asyncio.create_task(server.__aexit__(None, None, None))
    await asyncio.sleep(0)
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining
    transport = FakeTransport()
    receiver.connection_made(transport)
    assert transport.is_closing()


async def test_what_comes_in_while_the_server_closes_is_closed() -> None:
    async with serve("127.0.0.1:0", Text()) as server:
        server.close()
        receiver = server._accept()
        transport = FakeTransport()
        receiver.connection_made(transport)
        assert transport.is_closing()


async def test_a_handler_whose_caller_is_gone_is_waited_for() -> None:
    done: list[str] = []

    class Slow(Text):
        async def stop(self) -> None:
            self.waiting.release()
            await self.gate.wait()
            done.append("stop")

    service = Slow()
    async with serve("127.0.0.1:0", service) as server:
        async with TextClient.connect(server.addresses[0]) as text:
            call = asyncio.create_task(text.stop(timeout=None))
            await service.waiting.acquire()
        with pytest.raises(ConnectionLost):
            await call
        asyncio.get_running_loop().call_later(0.05, service.gate.set)
    assert done == ["stop"]


async def test_a_handler_whose_caller_is_gone_is_cancelled_after_the_drain_time() -> (
    None
):
    class Waiting(Text):
        async def stop(self) -> None:
            try:
                await super().stop()
            except asyncio.CancelledError:
                cancelled.set()
                raise

    cancelled = asyncio.Event()
    service = Waiting()
    async with serve("127.0.0.1:0", service, drain_timeout=0.05) as server:
        listening = socket.create_connection(
            ("127.0.0.1", int(server.addresses[0].split(":")[1]))
        )
        listening.sendall(b"\0\x08_command\0\4Stop\0\0")
        await service.waiting.acquire()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        listening.close()  # a reset: no end of what it sends, no answer wanted
        await asyncio.wait_for(cancelled.wait(), 10)  # the server serves on


async def test_close_stops_accepting_and_nothing_else() -> None:
    async with serve("127.0.0.1:0", Text()) as server:
        text = await TextClient.connect(server.addresses[0])
        server.close()
        server.close()
        assert (await text.repeat("a")).text == "a"
        with pytest.raises(OSError, match="Connect"):
            await repeat(server.addresses[0])
        await server.serve_forever()  # there is nothing to wait for
        await text.aclose()


# --- signals --------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_and_the_handlers_of_the_program_come_back(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    mine: list[int] = []
    signal.signal(number, lambda got, _frame: mine.append(got))
    try:
        async with serve("127.0.0.1:0", Text()) as server:
            forever = asyncio.create_task(server.serve_forever())
            assert await repeat(server.addresses[0]) == "abc"
            os.kill(os.getpid(), number)
            await forever
            assert mine == []
            os.kill(os.getpid(), number)
            assert mine == [number]
    finally:
        signal.signal(number, before)


async def test_a_signal_reaches_every_server_of_the_loop_that_still_serves() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with contextlib.AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(serve("127.0.0.1:0", Text()))
            for _ in range(3)
        ]
        forever = [asyncio.create_task(server.serve_forever()) for server in servers]
        await repeat(servers[2].addresses[0])
        servers[0].close()
        await forever[0]
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.gather(*forever)
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_signals_it_serves_until_it_is_closed() -> None:
    served: list[str] = []

    async def main() -> None:
        async with serve("127.0.0.1:0", Text()) as server:
            forever = asyncio.create_task(server.serve_forever())
            served.append(await repeat(server.addresses[0]))
            server.close()
            await forever

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    thread.join()
    assert served == ["abc"]


async def test_a_second_signal_ends_everything_at_once() -> None:
    service = Text()
    async with serve("127.0.0.1:0", service, drain_timeout=600) as server:
        forever = asyncio.create_task(server.serve_forever())
        text = await TextClient.connect(server.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Unavailable):
            await repeat_on(text)
        os.kill(os.getpid(), signal.SIGTERM)
        await forever
        with pytest.raises(ConnectionLost):
            await call
        await text.aclose()


async def test_a_second_signal_does_not_wait_for_a_handler_that_will_not_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ampgen.runtime.server.LAST_WORDS", 0.05)
    release, ended = asyncio.Event(), asyncio.Event()

    class Stubborn(Text):
        async def stop(self) -> None:
            self.waiting.release()
            while not release.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await release.wait()
            ended.set()

    service = Stubborn()
    async with serve("127.0.0.1:0", service, drain_timeout=600) as server:
        forever = asyncio.create_task(server.serve_forever())
        text = await TextClient.connect(server.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
        await forever
        with pytest.raises(ConnectionLost):
            await call
        await text.aclose()
    assert caplog.text.count("handlers of 1 connections do not end") == 1
    release.set()
    await ended.wait()


async def test_a_handler_that_the_program_gave_to_the_loop_stays() -> None:
    loop = asyncio.get_running_loop()
    mine = asyncio.Queue[int]()
    loop.add_signal_handler(signal.SIGTERM, mine.put_nowait, 1)
    try:
        async with serve("127.0.0.1:0", Text()) as server:
            forever = asyncio.create_task(server.serve_forever())
            await repeat(server.addresses[0])
            os.kill(os.getpid(), signal.SIGTERM)
            await forever
            assert await mine.get() == 1
        os.kill(os.getpid(), signal.SIGTERM)
        assert await mine.get() == 1
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def test_a_handler_that_is_cancelled_before_its_first_step_warns_of_nothing() -> (
    None
):
    loop = asyncio.get_running_loop()

    def cancel(shell: Any) -> None:
        """Before the loop comes to what has just been started."""
        for task in shell._tasks:
            task.cancel()
        if not shell._tasks:
            loop.call_soon(cancel, shell)

    async with (
        serve("127.0.0.1:0", Text()) as server,
        dial(server.addresses[0]) as peer,
    ):
        while not server._shells:  # noqa: ASYNC110
            await asyncio.sleep(0)
        cancel(*server._shells.values())
        await peer.send(box({b"_ask": b"1", b"_command": b"Stop"}))
        assert (await peer.receive_box())[b"_error"] == b"1"
    gc.collect()


# --- draining while it serves ---------------------------------------------------------


async def test_drain_refuses_requests_and_returns_when_all_is_finished() -> None:
    service = Text()
    async with serve("127.0.0.1:0", service) as server:
        forever = asyncio.create_task(server.serve_forever())
        idle = await TextClient.connect(server.addresses[0])
        await idle.repeat("a")
        text = await TextClient.connect(server.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
        draining = [asyncio.create_task(server.drain()) for _ in range(2)]
        await idle.connection.wait_closed()
        with pytest.raises(Unavailable):
            await text.repeat("a")
        with pytest.raises(OSError, match="Connect"):
            await repeat(server.addresses[0])
        assert not any(one.done() for one in draining)
        service.gate.set()
        await asyncio.gather(call, forever, *draining)
        await server.drain()
        await text.aclose()
        await idle.aclose()


# --- socket files ---------------------------------------------------------------------


async def test_a_socket_file_goes_with_its_server(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with serve(f"unix:{path}", Text()):
        assert stat.S_ISSOCK(path.stat().st_mode)
    assert not path.exists()


async def test_a_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    async with serve(f"unix:{path}", Text()) as server:
        assert await repeat(server.addresses[0]) == "abc"


async def test_a_live_socket_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with serve(f"unix:{path}", Text()) as server:
        with pytest.raises(OSError, match="another server listens"):
            async with serve(f"unix:{path}", Text()):
                raise AssertionError
        assert await repeat(server.addresses[0]) == "abc"


async def test_a_server_too_busy_to_accept_is_alive(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path))
        busy.listen(0)
        waiting: list[socket.socket] = []
        for _ in range(3):
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            try:
                waiting[-1].connect(str(path))
            except BlockingIOError:
                break
        with pytest.raises(OSError, match="another server listens"):
            async with serve(f"unix:{path}", Text()):
                raise AssertionError
        for one in waiting:
            one.close()


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("x")
    with pytest.raises(FileExistsError, match="is no socket"):
        async with serve(f"unix:{path}", Text()):
            raise AssertionError
    assert path.read_text() == "x"


async def test_a_socket_file_that_another_has_replaced_or_removed_is_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "socket"
    async with serve(f"unix:{path}", Text()):
        path.unlink()
    async with serve(f"unix:{path}", Text()):
        path.rename(tmp_path / "away")
        path.write_text("another's")
    assert path.read_text() == "another's"


async def test_a_server_that_never_listened_has_nothing_to_close() -> None:
    server = serve("127.0.0.1:0", Text())
    server.close()


async def test_bad_services_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="two services"):
        serve("127.0.0.1:0", Text(), Text())
    with pytest.raises(ValueError, match="is not an address"):
        serve("nowhere", Text())


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("inline", [True, False])
def test_a_handler_may_end_the_program(
    error: type[BaseException], inline: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Exiting(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            raise error

        def log(self, line: str) -> None:
            raise error

    async def main() -> None:
        async with TextClient.local(Exiting()) as text:
            if inline:
                await text.log("x")
            await text.repeat("x")

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    with pytest.raises(error):
        loop.run_until_complete(main())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    gc.collect()  # here, and not in the midst of another test
    assert [r.getMessage() for r in caplog.records if r.name == "ampgen"] == [
        f"{'Log' if inline else 'Repeat'}: the handler failed"
    ]
