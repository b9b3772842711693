"""Clients that stay up while connections come and go."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    ConnectionLost,
    ConnectionState,
    ConnectionStatus,
    DeadlineExceeded,
    InternalError,
    Limits,
    Overloaded,
    ProtocolError,
    Reconnect,
    Retry,
    Unavailable,
    connect,
    current_call,
    serve,
)
from ampgen.runtime.answers import CLOSING
from tests.raw import PATIENCE, RawPeer, box, listen
from tests.runtime.made.text import RepeatResult, TextClient, TooLong
from tests.runtime.services import Events, Text
from tests.runtime.sockets import dead_address, silent_address

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.certificates import Certificates
    from tests.conftest import CompileSchema

ROOT = Path(__file__).parents[2]

SOON = Retry(first=0.001, most=0.01)
FAST = Reconnect(first=0.01, most=0.05, retry=SOON)
CONNECTING, CONNECTED, WAITING, CLOSED = ConnectionState


@pytest.fixture(scope="session")
def store(compile_schema: CompileSchema) -> Any:
    return compile_schema(Path(__file__).parent / "store.amp")


@pytest.fixture
def service(store: Any) -> Any:
    """Does in `Get` and `Put` what the test puts into ``then``, one after the other."""

    class Store(store.StoreServer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.then: list[Callable[[], Any]] = []
            self.lines: list[str] = []
            self.seen: list[str] = []

        async def get(self, key: str) -> str:
            self.seen.append(key)
            if self.then:
                done = self.then.pop(0)()
                if done is not None:
                    await done
            return key.upper()

        put = get

        def note(self, line: str) -> None:
            self.lines.append(line)

    return Store()


def refuse(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def hang_up() -> None:
    """Cut the connection of the call that is being handled, with a reset."""
    current_call().connection._shell.abort()


async def within(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, PATIENCE)


async def until(condition: Callable[[], object]) -> None:
    """For what nobody can be told of."""

    async def look() -> None:
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    await within(look())


Told = asyncio.Queue[ConnectionStatus]


async def reached(told: Told, state: ConnectionState) -> ConnectionStatus:
    """Wait until a state has been told of; returns the status."""
    while True:
        status: ConnectionStatus = await within(told.get())
        if status.state is state:
            return status


@contextlib.asynccontextmanager
async def client_of(
    store: Any, address: Any, **options: Any
) -> AsyncGenerator[Any, None]:
    """``told`` hears of its states."""
    told: Told = asyncio.Queue()
    options = {
        "reconnect": FAST,
        "timeout": PATIENCE,
        "on_state": told.put_nowait,
    } | options
    async with store.StoreClient.connect(address, **options) as client:
        client.told = told
        yield client


async def fill(connection: Any) -> None:
    """Send until the peer, which does not read, and the system take nothing more."""
    quiet = 0
    while quiet < 20:
        if connection._shell.protocol.blocked:
            quiet += 1
            await asyncio.sleep(0.005)
        else:
            quiet = 0
            await connection.call_box(b"Fill", {b"raw": b"x" * 60_000}, oneway=True)


async def answer(peer: RawPeer, key: bytes = b"result") -> bytes:
    """Answer a `Get` or `Put`; returns what was asked for."""
    asked = await peer.receive_box()
    wanted = asked[b"key"]
    await peer.send(box({b"_answer": asked[b"_ask"], key: wanted.upper()}))
    return wanted


def cut(peer: RawPeer) -> None:
    peer.writer.transport.abort()


# --- connections that end -------------------------------------------------------------


async def test_a_server_that_is_killed_and_started_again() -> None:
    """Real processes, SIGKILL: nothing is said at the end."""
    program = """
import asyncio, sys
from ampgen.runtime import serve

async def echo(command, box, call):
    return box

async def main():
    async with serve(sys.argv[1], fallback=echo) as server:
        print(server.addresses[0], flush=True)
        await server.serve_forever()

asyncio.run(main())
"""

    async def start(address: str) -> tuple[asyncio.subprocess.Process, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            address,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        return process, (await within(process.stdout.readline())).decode().strip()

    process, address = await start("127.0.0.1:0")
    told: Told = asyncio.Queue()
    async with connect(address, reconnect=FAST, on_state=told.put_nowait) as connection:
        for number in (b"1", b"2", b"3"):
            assert await connection.call_box(b"Echo", {b"n": number}, timeout=20) == {
                b"n": number
            }
            process.send_signal(signal.SIGKILL)
            await within(process.wait())
            await reached(told, WAITING)
            waiting = asyncio.create_task(
                connection.call_box(b"Echo", {b"n": b"waited"}, timeout=20)
            )
            process, _address = await start(address)
            assert await within(waiting) == {b"n": b"waited"}
    process.send_signal(signal.SIGKILL)
    await within(process.wait())


async def test_calls_wait_for_the_next_connection(store: Any, service: Any) -> None:
    async with listen() as listener, client_of(store, listener.address) as client:
        cut(await listener.accept())
        await reached(client.told, WAITING)
        calls = [asyncio.create_task(client.put(str(n))) for n in range(3)]
        told = asyncio.create_task(client.note("line", timeout=None))
        peer = await listener.accept()
        assert sorted([await answer(peer) for _ in calls]) == [b"0", b"1", b"2"]
        asked = await peer.receive_box()
        assert asked[b"line"] == b"line"
        await within(asyncio.gather(*calls, told))


async def test_a_call_waits_up_to_its_deadline(store: Any) -> None:
    async with (
        dead_address() as address,
        client_of(store, address, reconnect=Reconnect(lazy=True, first=0.01)) as client,
    ):
        await reached(client.told, WAITING)
        for call in (client.get, client.note):
            with pytest.raises(
                DeadlineExceeded, match=r"no connection within 0.05 s \(.*\)$"
            ):
                await call("x", timeout=0.05)
        with pytest.raises(ConnectionLost):
            client.connection._shell  # noqa: B018
        with pytest.raises(DeadlineExceeded):
            await client.get("x", timeout=0)


async def test_waiting_for_a_connection_takes_from_the_time_of_a_call(
    store: Any,
) -> None:
    async with listen() as listener, client_of(store, listener.address) as client:
        cut(await listener.accept())
        await reached(client.told, WAITING)
        call = asyncio.create_task(client.put("x", timeout=0.5))
        peer = await listener.accept()
        asked = await peer.receive_box()
        assert 0 < int(asked[b"_timeout"]) < 500
        with pytest.raises(DeadlineExceeded, match=r"Put: no answer within 0.5 s"):
            await within(call)


async def test_a_oneway_command_waits_for_room_up_to_its_deadline(store: Any) -> None:
    async with (
        listen() as listener,
        client_of(store, listener.address, drain_timeout=0.1) as client,
    ):
        await listener.accept()
        await fill(client.connection)
        with pytest.raises(DeadlineExceeded, match=r"Note: .* within 0.05 s"):
            await client.note("line", timeout=0.05)


async def test_the_first_wait_has_no_reason_to_tell(store: Any) -> None:
    """A silent address: connecting takes longer than the call may."""
    async with (
        silent_address() as address,
        client_of(store, address, reconnect=Reconnect(lazy=True)) as client,
    ):
        with pytest.raises(DeadlineExceeded, match=r"no connection within 0.05 s$"):
            await client.get("x", timeout=0.05)
        with pytest.raises(ConnectionLost, match="no connection yet"):
            client.connection._shell  # noqa: B018


async def test_what_has_not_left_goes_over_the_next_connection(store: Any) -> None:
    async with listen() as listener, client_of(store, listener.address) as client:
        first = await listener.accept()
        connection = client.connection
        left = asyncio.create_task(connection.call_box(b"Fill", {}))
        await first.receive_box()
        await fill(connection)
        put = asyncio.create_task(client.put("x"))
        note = asyncio.create_task(client.note("line"))
        await until(lambda: connection._shell.protocol.sending >= 2)
        cut(first)
        second = await listener.accept()
        for _ in range(2):  # in the order in which they waited
            asked = await second.receive_box()
            if asked[b"_command"] == b"Put":
                reply = {b"_answer": asked[b"_ask"], b"result": b"X"}
                await second.send(box(reply))
            else:
                assert asked[b"line"] == b"line"
        assert await within(put) == "X"
        await within(note)
        with pytest.raises(ConnectionLost) as lost:
            await within(left)
        assert lost.value.sent


async def test_an_end_that_is_not_over_yet_is_not_used(store: Any) -> None:
    """The peer has closed, and a handler of ours still works for it."""
    gate = asyncio.Event()

    class Watcher(store.WatcherServer):  # type: ignore[misc]
        async def check(self, text: str) -> str:
            await gate.wait()
            return text

    async with (
        listen() as listener,
        client_of(store, listener.address, watcher=Watcher()) as client,
    ):
        first = await listener.accept()
        await first.send(box({b"_command": b"Check", b"_ask": b"1", b"text": b"x"}))
        lost = asyncio.create_task(client.put("lost"))
        await first.receive_box()
        first.writer.write_eof()
        with pytest.raises(ConnectionLost, match="the peer closed the connection"):
            await within(lost)
        put = asyncio.create_task(client.put("x"))
        second = await listener.accept()
        assert await answer(second) == b"x"
        assert await within(put) == "X"
        gate.set()
        assert await first.receive_box() == {b"_answer": b"1", b"result": b"x"}


async def test_what_is_served_is_served_on_the_next_connection(store: Any) -> None:
    made: list[Any] = []

    def make(connection: Any) -> Any:
        class Watcher(store.WatcherServer):  # type: ignore[misc]
            def check(self, text: str) -> str:
                assert current_call().connection is connection
                return text.upper()

        made.append(connection)
        return Watcher()

    async with (
        listen() as listener,
        client_of(store, listener.address, watcher=make),
    ):
        for count in (1, 2, 3):
            peer = await listener.accept()
            await peer.send(box({b"_command": b"Check", b"_ask": b"1", b"text": b"x"}))
            assert await peer.receive_box() == {b"_answer": b"1", b"result": b"X"}
            assert len(made) == count
            cut(peer)


async def test_a_service_that_cannot_be_made_is_made_again_later(
    store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[Exception] = []

    def make(_connection: Any) -> Any:
        if faults:
            raise faults.pop()
        return Events()

    async with (
        listen() as listener,
        connect(listener.address, serve=[make], reconnect=FAST) as connection,
    ):
        faults.append(LookupError("not today"))
        seen = connection.states()
        await anext(seen)
        cut(await listener.accept())
        reasons = [(await within(anext(seen))).reason for _ in range(3)]
        assert reasons[-1] == "LookupError: not today"
        await listener.accept()
    assert "a connection could not be made" in caplog.text


async def test_who_waits_and_is_cancelled_is_forgotten(
    store: Any, service: Any
) -> None:
    async with (
        dead_address() as address,
        client_of(store, address, reconnect=Reconnect(lazy=True)) as client,
    ):
        caller = client._shell
        call = asyncio.create_task(client.get("x", timeout=None))
        await until(lambda: caller._waiting)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not caller._waiting
        call = asyncio.create_task(client.get("x", timeout=None))
        await until(lambda: caller._waiting)
        call.cancel()
        client.connection.close()  # in the same moment
        with pytest.raises(asyncio.CancelledError):
            await call


# --- calls that are made again --------------------------------------------------------


async def test_what_may_have_been_served_is_asked_again_if_that_does_no_harm(
    store: Any, service: Any
) -> None:
    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(store, server.addresses[0]) as client,
    ):
        service.then = [hang_up, hang_up]
        assert await client.get("a") == "A"
        assert service.seen == ["a"] * 3
        service.then = [hang_up]
        with pytest.raises(ConnectionLost) as caught:
            await client.put("b")
        assert caught.value.sent
        assert service.seen == ["a"] * 3 + ["b"]


@pytest.mark.parametrize("error", [Overloaded("full"), Unavailable("closing")])
async def test_what_was_refused_is_asked_again(
    error: Exception, store: Any, service: Any
) -> None:
    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(store, server.addresses[0]) as client,
    ):
        service.then = [refuse(error)] * 3
        assert await client.put("a") == "A"
        service.then = [refuse(error)] * 4
        with pytest.raises(type(error), match=str(error)):
            await client.put("b")
        assert service.seen == ["a"] * 4 + ["b"] * 4


async def test_other_errors_are_final(store: Any, service: Any) -> None:
    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(store, server.addresses[0]) as client,
    ):
        service.then = [refuse(ValueError("wrong"))]
        with pytest.raises(InternalError):
            await client.get("a")
        service.then = [refuse(DeadlineExceeded("its own"))]
        with pytest.raises(InternalError):
            await client.get("a")
        assert service.seen == ["a"] * 2


async def test_a_peer_that_breaks_the_protocol_is_not_asked_again(store: Any) -> None:
    async with listen() as listener, client_of(store, listener.address) as client:
        peer = await listener.accept()
        get = asyncio.create_task(client.get("x"))
        await peer.receive_box()
        await peer.send(box({b"_answer": b"nobody"}))
        with pytest.raises(ProtocolError):
            await within(get)


async def test_no_call_is_made_again_where_that_is_not_wanted(
    store: Any, service: Any
) -> None:
    plain = Reconnect(first=0.01, retry=None)
    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(store, server.addresses[0], reconnect=plain) as client,
    ):
        service.then = [refuse(Overloaded("full")), hang_up]
        with pytest.raises(Overloaded):
            await client.get("x")
        with pytest.raises(ConnectionLost):
            await client.get("x")
        assert await client.get("x") == "X"


async def test_all_calls_share_a_budget(store: Any, service: Any) -> None:
    retry = Retry(first=0.001, reserve=2, share=0.5)
    scarce = Reconnect(first=0.01, retry=retry)
    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(store, server.addresses[0], reconnect=scarce) as client,
    ):
        service.then = [refuse(Overloaded("full"))] * 3
        with pytest.raises(Overloaded):
            await client.put("a")
        assert service.seen == ["a"] * 3
        for _ in range(2):
            await client.put("b")
        service.then = [refuse(Overloaded("full"))] * 2
        with pytest.raises(Overloaded):
            await client.put("c")
        assert service.seen[-2:] == ["c", "c"]


async def test_a_declared_error_is_an_answer_too() -> None:
    class Busy(Text):
        refusals = 0

        async def repeat(self, text: str, times: int) -> RepeatResult:
            if self.refusals:
                self.refusals -= 1
                raise Overloaded("full")
            return await super().repeat(text, times)

    service = Busy()
    scarce = Reconnect(retry=Retry(first=0.001, reserve=1, share=1))
    async with (
        serve("127.0.0.1:0", service) as server,
        TextClient.connect(
            server.addresses[0], reconnect=scarce, timeout=PATIENCE
        ) as text,
    ):
        for _ in range(2):
            service.refusals = 1
            with pytest.raises(TooLong):
                await text.repeat("x" * 101)


async def test_no_call_is_made_again_after_its_deadline(
    store: Any, service: Any
) -> None:
    slow = Reconnect(retry=Retry(first=5, most=5))
    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(store, server.addresses[0], reconnect=slow) as client,
    ):
        service.then = [refuse(Overloaded("full"))]
        begun = time.monotonic()
        with pytest.raises(Overloaded):
            await client.put("a", timeout=2)
        assert time.monotonic() - begun < 2


async def test_the_deadline_is_that_of_all_attempts(store: Any, service: Any) -> None:
    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(store, server.addresses[0]) as client,
    ):
        never = asyncio.Event().wait
        service.then = [refuse(Overloaded("full")), never]
        with pytest.raises(DeadlineExceeded, match=r"Put: no answer within 0.2 s"):
            await client.put("a", timeout=0.2)
        service.then = [never]
        with pytest.raises(DeadlineExceeded, match=r"Put: no answer within 0.1 s"):
            await client.put("a", timeout=0.1)
        assert service.seen == ["a"] * 3


async def test_what_the_peer_says_of_a_deadline_is_left_as_it_is(store: Any) -> None:
    async with listen() as listener, client_of(store, listener.address) as client:
        peer = await listener.accept()
        put = asyncio.create_task(client.put("x"))
        asked = await peer.receive_box()
        code = {b"_error_code": b"DEADLINE_EXCEEDED", b"_error_description": b"late"}
        await peer.send(box({b"_error": asked[b"_ask"]} | code))
        with pytest.raises(DeadlineExceeded, match=r"^late$"):
            await within(put)


async def test_a_handlers_calls_share_its_deadline(store: Any, service: Any) -> None:
    async with (
        dead_address() as address,
        client_of(
            store, address, reconnect=Reconnect(lazy=True), timeout=None
        ) as inner,
    ):
        asked: list[float] = []

        async def ask() -> None:
            asked.append(time.monotonic())
            await inner.get("x")

        service.then = [ask]
        async with (
            serve("127.0.0.1:0", service) as server,
            store.StoreClient.connect(server.addresses[0]) as outer,
        ):
            with pytest.raises(DeadlineExceeded):
                await outer.get("y", timeout=0.2)
            await until(lambda: not inner._shell._waiting)
            assert asked


async def test_a_server_that_drains_is_left_for_another(store: Any) -> None:
    """A rolling restart: what was on its way when it closed is asked again."""

    class Store(store.StoreServer):  # type: ignore[misc]
        async def get(self, key: str) -> str:
            await asyncio.sleep(0.005)
            return key.upper()

        put = get

        def note(self, line: str) -> None: ...

    async with serve("127.0.0.1:0", Store()) as steady:
        address = "127.0.0.1:0"
        async with serve(address, Store()) as ending:
            addresses = [ending.addresses[0], steady.addresses[0]]
            client = await store.StoreClient.connect(
                addresses, pool=2, reconnect=FAST, timeout=PATIENCE
            )
            calls: list[Any] = []
            for _ in range(20):
                calls += [asyncio.create_task(client.get("x")) for _ in range(5)]
                await asyncio.sleep(0.001)
        for _ in range(20):
            calls += [asyncio.create_task(client.get("x")) for _ in range(5)]
            await asyncio.sleep(0.001)
        assert await within(asyncio.gather(*calls)) == ["X"] * 200
        await client.aclose()


@pytest.mark.parametrize(("lasts", "delay"), [(True, 0.0), (False, 30.0)])
async def test_where_a_server_drains_the_next_is_found_at_once(
    lasts: bool, delay: float, store: Any
) -> None:
    """Unless that happens again and again."""
    first = 0.001 if lasts else 30.0
    unhurried = Reconnect(first=first, most=30.0, factor=30_000, jitter=0)
    async with (
        listen() as other,
        client_of(store, other.address, reconnect=unhurried) as client,
    ):
        peer = await within(other.accept())
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await until(lambda: loop.time() > begun + 0.002)
        call = asyncio.create_task(client.put("a"))
        asked = await peer.receive_box()
        refused = {b"_error": asked[b"_ask"], b"_error_code": b"UNAVAILABLE"}
        await peer.send(box(refused | {b"_error_description": CLOSING.encode()}))
        waiting = await reached(client.told, WAITING)
        assert waiting.retry_in == delay
        if lasts:
            assert await answer(await within(other.accept())) == b"a"
            assert await call == "A"
        else:
            call.cancel()


async def test_a_server_that_drains_finishes_what_it_has(
    store: Any, service: Any
) -> None:
    """While it does, further calls go elsewhere, whether they are idempotent or not."""
    gate = asyncio.Event()
    service.then = [gate.wait]
    async with contextlib.AsyncExitStack() as stack, listen() as other:
        server = await stack.enter_async_context(serve("127.0.0.1:0", service))
        addresses = [server.addresses[0], other.address]
        async with client_of(store, addresses) as client:
            old = asyncio.create_task(client.put("old"))
            await until(lambda: service.seen)
            drained = asyncio.create_task(stack.aclose())
            await asyncio.sleep(0)
            new = asyncio.create_task(client.put("new"))
            peer = await other.accept()
            assert await answer(peer) == b"new"
            assert await within(new) == "NEW"
            assert client.connection.peer_address == other.address
            assert len(client._shell.connections) == 2
            gate.set()
            assert await within(old) == "OLD"
            await within(drained)
            await until(lambda: len(client._shell.connections) == 1)
            assert service.seen == ["old"]


async def test_a_pool_leaves_the_one_server_that_drains(store: Any) -> None:
    async with (
        listen() as one,
        listen() as two,
        client_of(store, [one.address, two.address], pool=2) as client,
    ):
        peers = [await one.accept(), await two.accept()]
        await until(lambda: len(client._shell.connections) == 2)
        put = asyncio.create_task(client.put("x"))
        closing, other = await _first_of(peers)
        asked = await closing.receive_box()
        code = {
            b"_error_code": b"UNAVAILABLE",
            b"_error_description": b"the server is closing",
        }
        await closing.send(box({b"_error": asked[b"_ask"]} | code))
        assert await answer(other) == b"x"
        assert await within(put) == "X"


class BlackHole:
    """A proxy whose connections can stop forwarding without an end."""

    def __init__(self, address: str) -> None:
        self.address = ""
        self._to = address.rpartition(":")
        self._pumps: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Any:
        self._server = await asyncio.start_server(self._arrive, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.swallow()
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def swallow(self) -> None:
        """From now on nothing comes through those connections that there are."""
        for pump in self._pumps:
            pump.cancel()
        self._pumps.clear()

    async def _arrive(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there = await asyncio.open_connection(self._to[0], int(self._to[2]))
        self._writers += [writer, there[1]]
        for source, sink in ((reader, there[1]), (there[0], writer)):
            self._pumps.append(asyncio.create_task(self._pump(source, sink)))

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()


async def test_a_path_that_swallows_everything_is_left(
    store: Any, service: Any
) -> None:
    """Both ends notice, by themselves."""
    made: list[Any] = []

    def make(connection: Any) -> Any:
        made.append(connection)
        return service

    async with (
        serve("127.0.0.1:0", make, keepalive=0.1) as server,
        BlackHole(server.addresses[0]) as proxy,
        client_of(store, proxy.address, keepalive=0.1) as client,
    ):
        assert await client.get("a") == "A"
        proxy.swallow()
        begun = time.monotonic()
        assert await client.get("b") == "B"
        assert time.monotonic() - begun < PATIENCE
        reason = (await reached(client.told, WAITING)).reason
        assert reason == f"no sign of life from {proxy.address} for 0.1 s"
        await within(made[0].wait_closed())
        assert made[0].status.reason.startswith("no sign of life from 127.0.0.1:")


# --- several addresses, several connections -------------------------------------------


@pytest.mark.parametrize("reconnect", [None, FAST])
async def test_the_first_address_that_works_is_taken(
    reconnect: Any, store: Any, service: Any
) -> None:
    async with (
        dead_address() as dead,
        serve("127.0.0.1:0", service) as server,
        client_of(store, [dead, server.addresses[0]], reconnect=reconnect) as client,
    ):
        assert await client.get("x") == "X"
        assert client.connection.peer_address == server.addresses[0]


async def test_a_silent_address_leaves_time_for_the_others(
    store: Any, service: Any
) -> None:
    async with (
        silent_address() as silent,
        serve("127.0.0.1:0", service) as server,
        client_of(store, [silent, server.addresses[0]], connect_timeout=1.0) as client,
    ):
        assert await client.get("x") == "X"


@pytest.mark.parametrize("reconnect", [None, True])
async def test_what_no_address_says_is_told(reconnect: Any, tmp_path: Path) -> None:
    async with dead_address() as dead:
        nobody = f"unix:{tmp_path}/nobody"
        with pytest.raises(OSError, match="no address can be connected to") as caught:
            await connect([dead, nobody], reconnect=reconnect)
        assert not isinstance(caught.value, TimeoutError)
        assert f"{dead}: " in str(caught.value)
        assert f"; {nobody}: " in str(caught.value)
        with pytest.raises(ConnectionRefusedError):
            await connect(dead, reconnect=reconnect)


async def test_all_addresses_together_take_no_longer_than_they_may() -> None:
    async with silent_address() as one, silent_address() as other:
        begun = time.monotonic()
        with pytest.raises(TimeoutError, match="no address can be connected to"):
            await connect([one, other], connect_timeout=0.2)
        assert time.monotonic() - begun < 5


async def test_the_address_of_a_lost_connection_comes_last(store: Any) -> None:
    async with (
        listen() as first,
        listen() as second,
        client_of(store, [first.address, second.address]) as client,
    ):
        for listener in (first, second, first):
            peer = await listener.accept()
            put = asyncio.create_task(client.put("x"))
            assert await answer(peer) == b"x"
            await within(put)
            assert client.connection.peer_address == listener.address
            cut(peer)


async def test_calls_go_where_the_fewest_are(store: Any) -> None:
    async with (
        listen() as listener,
        client_of(store, listener.address, pool=3, reconnect=None) as client,
    ):
        peers = [await listener.accept() for _ in range(3)]
        await until(lambda: len(client._shell.connections) == 3)
        calls = [asyncio.create_task(client.put(str(n))) for n in range(6)]
        for peer in peers:  # each has two
            await answer(peer)
            await answer(peer)
        await within(asyncio.gather(*calls))


async def test_a_pool_spreads_over_addresses_and_outlives_one(store: Any) -> None:
    slow = Reconnect(first=0.3, jitter=0)
    async with (
        listen() as first,
        listen() as second,
        client_of(
            store, [first.address, second.address], pool=2, reconnect=slow
        ) as client,
    ):
        peers = [await first.accept(), await second.accept()]
        await until(lambda: len(client._shell.connections) == 2)
        cut(peers[0])
        await until(lambda: len(client._shell.connections) == 1)
        put = asyncio.create_task(client.put("x"))
        await answer(peers[1])
        assert await within(put) == "X"
        assert client.connection.state is CONNECTED
        await second.accept()  # the other one went on there


async def test_who_refused_is_not_asked_next(store: Any) -> None:
    async with (
        listen() as listener,
        client_of(store, listener.address, pool=2) as client,
    ):
        peers = [await listener.accept() for _ in range(2)]
        await until(lambda: len(client._shell.connections) == 2)
        put = asyncio.create_task(client.put("x"))
        refused, other = await _first_of(peers)
        asked = await refused.receive_box()
        code = {b"_error_code": b"UNAVAILABLE", b"_error_description": b""}
        await refused.send(box({b"_error": asked[b"_ask"]} | code))
        assert await answer(other) == b"x"
        assert await within(put) == "X"


async def _first_of(peers: list[Any]) -> tuple[RawPeer, RawPeer]:
    """Which of two peers is asked something, and which is not."""

    async def look() -> int:
        while True:
            for n, peer in enumerate(peers):
                if peer.reader._buffer:
                    return n
            await asyncio.sleep(0)

    n = await within(look())
    return peers[n], peers[1 - n]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"pool": 0}, ValueError, "pool is how many connections"),
        ({"pool": True}, ValueError, "pool is how many connections"),
        ({"pool": "2"}, ValueError, "pool is how many connections"),
        ({"pool": 2, "reconnect": False}, ValueError, "needs reconnect="),
        ({"reconnect": 1}, TypeError, "reconnect is a Reconnect"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        connect("127.0.0.1:1", **options)


# --- what is told of it ---------------------------------------------------------------


async def test_the_state_can_be_watched(
    store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ampgen")
    told: list[ConnectionStatus] = []
    async with listen() as listener:
        address = listener.address
        async with client_of(store, address, on_state=told.append) as client:
            states = client.connection.states()
            seen = [await anext(states)]
            cut(await listener.accept())
            seen += [await within(anext(states)) for _ in range(3)]
            peer = await listener.accept()
            await peer.close()
            seen.append(await within(anext(states)))
        assert [status.state async for status in states][-1] is CLOSED
    assert [s.state for s in seen] == [
        CONNECTED,
        WAITING,
        CONNECTING,
        CONNECTED,
        WAITING,
    ]
    assert [s.attempt for s in seen] == [1, 0, 1, 1, 0]
    assert seen[0].address == address
    assert seen[1].reason
    assert seen[1].retry_in is not None
    assert 0 < seen[1].retry_in <= 0.01
    assert seen[4].reason == "the peer closed the connection"
    assert told[:5] == seen
    assert told[-1] == ConnectionStatus(
        state=CLOSED, attempt=1, reason="the connection is closed"
    )
    lines = [
        r.getMessage()
        for r in caplog.records
        if r.levelno == logging.INFO and r.name == "ampgen"
    ]
    assert lines[0] == f"{address}: {seen[1].reason}; connecting again"
    assert lines[1] == f"connected to {address}, attempt 1"


async def test_one_line_is_logged_for_each_time_without_connection(
    store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ampgen")
    lazy = Reconnect(lazy=True, first=0.001, most=0.002)
    async with (
        dead_address() as address,
        client_of(store, address, reconnect=lazy) as client,
    ):
        async for status in client.connection.states():  # pragma: no branch
            if status.attempt > 5:
                assert "connect" in status.reason.lower()
                break
    [line] = [
        r.getMessage()
        for r in caplog.records
        if r.levelno >= logging.INFO and r.name == "ampgen"
    ]
    assert line.startswith("no connection: ")
    assert line.endswith("; trying again")


async def test_connections_that_do_not_last_are_failures(store: Any) -> None:
    """A server that takes connections and drops them is not called ever faster."""
    slow = Reconnect(first=0.02, most=10, factor=4, jitter=0)
    async with (
        listen() as listener,
        client_of(store, listener.address, reconnect=slow) as client,
    ):
        told: list[float] = []
        states = client.connection.states()
        for _ in range(3):
            cut(await listener.accept())
            async for status in states:
                if status.state is WAITING:
                    assert status.retry_in is not None
                    told.append(status.retry_in)
                    break
    assert told == [0.02, 0.08, 0.32]


@pytest.mark.parametrize("reconnect", [FAST, None])
async def test_who_watches_and_fails_disturbs_nothing(
    reconnect: Reconnect | None,
    store: Any,
    service: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_status: ConnectionStatus) -> None:
        raise LookupError("no such screen")

    async with (
        serve("127.0.0.1:0", service) as server,
        client_of(
            store, server.addresses[0], on_state=fail, reconnect=reconnect
        ) as client,
    ):
        assert await client.get("x") == "X"
    assert "on_state failed" in caplog.text


async def test_a_plain_connection_has_a_state_too(store: Any, service: Any) -> None:
    told: list[ConnectionStatus] = []
    made: list[ConnectionStatus] = []

    def make(connection: Any) -> Any:
        made.append(connection.status)
        return service

    async with serve("127.0.0.1:0", make) as server:
        address = server.addresses[0]
        async with client_of(
            store, address, reconnect=None, on_state=told.append
        ) as client:
            states = client.connection.states()
            assert await anext(states) == ConnectionStatus(
                state=CONNECTED, address=address
            )
            assert client.connection.state is CONNECTED
            await client.get("x")
        closed = [status async for status in states]
        assert [s.state for s in closed] == [CLOSED]
        assert closed[0].reason
        assert [s async for s in client.connection.states()] == closed
        await asyncio.sleep(0)
        assert told == [ConnectionStatus(state=CONNECTED, address=address), *closed]
    assert [s.state for s in made] == [CONNECTING]


async def test_a_stream_can_reach_one_connection(store: Any, service: Any) -> None:
    """What lives and dies with a connection asks for one, lasting or not."""
    async with serve("127.0.0.1:0", service) as server:
        for reconnect in (None, FAST):
            async with client_of(
                store, server.addresses[0], reconnect=reconnect
            ) as client:
                shell = await client._shell.reach(store._GET, 1.0)
                assert shell is client.connection._shell
    async with (
        dead_address() as address,
        client_of(store, address, reconnect=Reconnect(lazy=True)) as client,
    ):
        for seconds in (0.01, None):
            reach = asyncio.create_task(client._shell.reach(store._GET, seconds))
            if seconds is None:
                await asyncio.sleep(0)
                client.connection.close()
            with pytest.raises((DeadlineExceeded, ConnectionLost)):
                await within(reach)


# --- the end --------------------------------------------------------------------------


async def test_closing_ends_what_waits(store: Any) -> None:
    async with dead_address() as address:
        client = await store.StoreClient.connect(
            address, reconnect=Reconnect(lazy=True)
        )
        ended: list[Any] = []
        client.connection.add_close_callback(ended.append)
        waiting = [asyncio.create_task(call("x")) for call in (client.get, client.note)]
        await asyncio.sleep(0)
        assert not client.connection.is_closed
        await within(client.aclose())
        client.connection.close()  # a second time
        for task in waiting:
            with pytest.raises(ConnectionLost) as caught:
                await task
            assert not caught.value.sent
        with pytest.raises(ConnectionLost):
            await client.get("x")
        assert client.connection.is_closed
        await within(client.connection.wait_closed())
        assert ended == [client.connection]
        assert client.connection.peer_address == ""
        with pytest.raises(ConnectionLost):
            client.connection._shell  # noqa: B018


async def test_closing_ends_calls_and_retries(store: Any, service: Any) -> None:
    slow = Reconnect(retry=Retry(first=30, most=30))
    async with serve("127.0.0.1:0", service, drain_timeout=0.1) as server:
        client = await store.StoreClient.connect(server.addresses[0], reconnect=slow)
        service.then = [asyncio.Event().wait]
        get = asyncio.create_task(client.get("x"))
        await until(lambda: service.seen)
        await within(client.aclose())
        with pytest.raises(ConnectionLost):
            await within(get)


async def test_closing_between_two_attempts_of_a_call(store: Any, service: Any) -> None:
    slow = Reconnect(retry=Retry(first=0.2, most=0.2, jitter=0))
    async with serve("127.0.0.1:0", service) as server:
        client = await store.StoreClient.connect(server.addresses[0], reconnect=slow)
        service.then = [refuse(Overloaded("full"))]
        put = asyncio.create_task(client.put("x"))
        await until(lambda: client._shell._budget._left < 10)
        await within(client.aclose())
        with pytest.raises(Overloaded):
            await within(put)
        assert service.seen == ["x"]


async def test_what_is_being_served_is_finished(store: Any) -> None:
    gate = asyncio.Event()

    class Watcher(store.WatcherServer):  # type: ignore[misc]
        async def check(self, text: str) -> str:
            begun.set()
            await gate.wait()
            return text

    begun = asyncio.Event()
    async with listen() as listener:
        client = await store.StoreClient.connect(
            listener.address, watcher=Watcher(), reconnect=True
        )
        peer = await listener.accept()
        await peer.send(box({b"_command": b"Check", b"_ask": b"1", b"text": b"x"}))
        await within(begun.wait())
        client.connection.close()
        assert not client.connection.is_closed
        gate.set()
        assert await peer.receive_box() == {b"_answer": b"1", b"result": b"x"}
        assert await peer.ended()
        await within(client.connection.wait_closed())


async def test_it_can_end_at_once(store: Any) -> None:
    async with listen() as listener:
        client = await store.StoreClient.connect(listener.address, reconnect=True)
        peer = await listener.accept()
        await fill(client.connection)
        client._shell.abort()
        await within(client.connection.wait_closed())
        cut(peer)


async def test_a_blocking_client_stays_up_too(store: Any, service: Any) -> None:
    async with listen() as listener:
        blocking = await asyncio.to_thread(
            store.StoreClient.connect_blocking, [listener.address], reconnect=FAST
        )
        cut(await listener.accept())
        get = asyncio.create_task(asyncio.to_thread(blocking.get, "x"))
        while True:  # it may have asked the first one
            peer = await listener.accept()
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                assert await answer(peer) == b"x"
                break
        assert await within(get) == "X"
        await asyncio.to_thread(blocking.close)


@pytest.mark.parametrize("option", ["tls", "starttls"])
async def test_each_connection_is_encrypted(
    option: str, store: Any, service: Any, certificates: Certificates
) -> None:
    server_context: dict[str, Any] = {option: certificates.server_tls()}
    client_context = {option: certificates.client_tls()}
    async with (
        dead_address() as dead,
        serve("127.0.0.1:0", service, keepalive=5.0, **server_context) as server,
        client_of(
            store,
            [dead, server.addresses[0]],
            server_hostname="localhost",
            keepalive=5.0,
            **client_context,
        ) as client,
    ):
        service.then = [hang_up]
        assert await client.get("x") == "X"
        assert client.connection.is_encrypted


async def test_connecting_for_the_first_time_may_be_cancelled() -> None:
    async with silent_address() as address:
        connecting = asyncio.ensure_future(
            asyncio.wait_for(connect(address, reconnect=True), 0.05)
        )
        with pytest.raises(TimeoutError):
            await connecting


async def test_text_goes_both_ways_through_a_client_that_lasts() -> None:
    """The generated classes of another schema, and the general form."""
    events = Events()
    limits = Limits(calls=10)
    async with (
        serve("127.0.0.1:0", Text()) as server,
        connect(
            server.addresses, serve=[events], reconnect=True, limits=limits
        ) as connection,
    ):
        text = TextClient(connection)
        assert (await text.repeat("abc", 2)).text == "abcabc"
        assert connection.peer_address == server.addresses[0]
