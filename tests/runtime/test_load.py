"""Back-pressure and rude peers, over real sockets and in one process."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    Connection,
    ConnectionLost,
    DeadlineExceeded,
    Limits,
    Overloaded,
    ProtocolError,
    connect,
    serve,
)
from ampgen.runtime.wire import read_box, write_box
from tests.runtime.made.text import EventsClient, Item, RepeatResult, TextClient
from tests.runtime.peers import request
from tests.runtime.services import Events, Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

BIG = b"x" * 60_000


class Peer:
    """A peer without manners: bytes by hand, over a socket of its own."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.setblocking(False)
        self.loop = asyncio.get_running_loop()
        self.filled = 0

    async def send(self, *boxes: dict[bytes, bytes]) -> None:
        await self.loop.sock_sendall(self.socket, b"".join(map(write_box, boxes)))

    async def receive(self, count: int) -> list[dict[bytes, bytes]]:
        """The next boxes; as many as there are, where the connection ends before."""
        data = b""
        boxes: list[dict[bytes, bytes]] = []
        while len(boxes) < count:
            try:
                more = await self.loop.sock_recv(self.socket, 1 << 20)
            except ConnectionResetError:  # closed with bytes of ours unread
                break
            if not more:
                break
            data += more
            at = 0
            with contextlib.suppress(ValueError):
                while True:
                    box, at = read_box(data, at)
                    boxes.append(box)
            data = data[at:]
        return boxes

    async def fill(self, box: dict[bytes, bytes]) -> int:
        """Send one box over and over until no more is taken; how many bytes were."""
        data = memoryview(write_box(box) * 1000)
        before = self.filled
        idle = 0
        while idle < 20:
            try:
                self.filled += self.socket.send(data[self.filled % len(data) :])
                idle = 0
            except BlockingIOError:
                idle += 1
            await asyncio.sleep(0.001)
        return self.filled - before

    def reset(self) -> None:
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


@contextlib.asynccontextmanager
async def rude(service: Any, **options: Any) -> AsyncGenerator[Peer, None]:
    """A peer that calls our server."""
    async with serve("127.0.0.1:0", service, **options) as server:
        host, port = server.addresses[0].rsplit(":", 1)
        connected = socket.create_connection((host, int(port)))
        with contextlib.closing(Peer(connected)) as peer:
            yield peer


async def eventually(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  # there is no event to wait for
        await asyncio.sleep(0.001)


# --- two ends of ours -----------------------------------------------------------------


class Both(Text):
    """Served by both ends: each call makes one the other way."""

    connection: Connection

    async def repeat(self, text: str, times: int) -> RepeatResult:
        if times:
            await TextClient(self.connection).repeat(text, times - 1)
        return await super().repeat(text, times)


async def open_both(
    here: Text, there: Text, **options: Any
) -> tuple[Connection, Connection, Callable[[], Any]]:
    """Two ends that serve one another; how to close them."""
    ends: list[Connection] = []

    def factory(connection: Connection) -> Text:
        ends.append(connection)
        return there

    server = await serve("127.0.0.1:0", factory, **options).__aenter__()
    connection = await connect(server.addresses[0], serve=[here], **options)

    async def close() -> None:
        await connection.aclose()
        await server.__aexit__(None, None, None)

    await eventually(lambda: ends)
    return connection, ends[0], close


async def test_two_ends_at_their_limit_that_call_one_another_do_not_lock_up() -> None:
    here, there = Both(), Both()
    near, far, close = await open_both(here, there, limits=Limits(calls=2))
    here.connection, there.connection = near, far
    outcomes = await asyncio.wait_for(
        asyncio.gather(
            *(
                TextClient(end).repeat("a", n % 4)
                for n in range(200)
                for end in (near, far)
            ),
            return_exceptions=True,
        ),
        timeout=20,
    )
    await close()
    done = [o for o in outcomes if isinstance(o, RepeatResult)]
    shed = [o for o in outcomes if isinstance(o, Exception)]
    assert len(done) + len(shed) == 400
    assert done
    assert any(isinstance(o, Overloaded) for o in shed)


async def test_oneway_calls_both_ways_do_not_lock_up() -> None:
    here, there = Text(), Text()
    near, far, close = await open_both(here, there)

    async def flood(end: Connection) -> None:
        for _ in range(200):
            await end.call_box(b"Log", {b"line": BIG}, oneway=True)

    await asyncio.wait_for(asyncio.gather(flood(near), flood(far)), timeout=20)
    await eventually(lambda: len(here.lines) == len(there.lines) == 200)
    await close()


# --- a peer that floods ---------------------------------------------------------------


async def test_a_flood_is_read_no_faster_than_it_is_served() -> None:
    service = Text()
    async with rude(service, limits=Limits(calls=10)) as peer:
        box = request(b"Stop", None, padding=BIG)
        await peer.fill(box)
        for _ in range(10):
            await service.waiting.acquire()
        assert service.waiting.locked()  # no more than ten are being served
        await peer.fill(box)
        assert service.waiting.locked()
        service.gate.set()
        for _ in range(20):  # now it goes on
            await service.waiting.acquire()


async def test_what_was_held_back_is_served_in_the_end() -> None:
    service = Text()
    async with rude(service, limits=Limits(calls=3)) as peer:
        await peer.send(*(request(b"Stop", b"%d" % n) for n in range(500)))
        for _ in range(3):
            await service.waiting.acquire()
        assert service.waiting.locked()
        service.gate.set()
        answers = await peer.receive(500)
    assert [box[b"_answer"] for box in answers] == [b"%d" % n for n in range(500)]


async def test_a_peer_that_does_not_read_its_answers_is_not_read() -> None:
    served = 0

    class Counting(Text):
        def items(self, items: list[Item]) -> list[Item]:
            nonlocal served
            served += 1
            return [Item(id=1, name="x" * 60_000)]

    box = request(
        b"Items", b"1", items=write_box({b"id": b"1", b"name": b"n" * 60_000})
    )
    async with rude(Counting()) as peer:
        await peer.fill(box)
        before = served
        await peer.fill(box)
        assert served == before
        assert (await peer.receive(before))[-1].keys() == {b"_answer", b"result"}
        await eventually(lambda: served > before)


async def test_a_peer_that_never_reads_while_we_wait_for_it_is_cut_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lost: list[BaseException] = []

    class Asking(Text):
        async def stop(self) -> None:
            try:
                await EventsClient(self.events.connection).confirm("?")
            except ConnectionLost as error:
                lost.append(error)

        def items(self, items: list[Item]) -> list[Item]:
            return [Item(id=1, name="x" * 60_000)]

    limits = Limits(unsent=1_000_000)
    async with rude(Asking(), limits=limits) as peer:
        await peer.send(request(b"Stop", b"stop"))
        await peer.send(*[request(b"Items", b"1", items=b"")] * 1000)
        await eventually(lambda: lost)
    warnings = [r for r in caplog.records if r.name == "ampgen"]
    assert ["does not read" in r.getMessage() for r in warnings] == [True]


async def test_a_peer_that_sends_no_more_still_gets_its_answers() -> None:
    service = Text()
    async with rude(service) as peer:
        await peer.send(request(b"Stop", b"1"), request(b"Stop", b"2"))
        peer.socket.shutdown(socket.SHUT_WR)
        await service.waiting.acquire()
        await service.waiting.acquire()
        service.gate.set()
        answers = await peer.receive(3)
    assert [box[b"_answer"] for box in answers] == [b"1", b"2"]


async def test_after_a_violation_what_came_before_it_is_answered() -> None:
    service = Text()
    async with rude(service) as peer:
        await peer.send(request(b"Stop", b"1"), {}, request(b"Stop", b"2"))
        await service.waiting.acquire()
        await peer.send(request(b"Stop", b"3"))  # taken, and not looked at
        service.gate.set()
        answers = await peer.receive(3)
        assert service.waiting.locked()
    assert [box[b"_answer"] for box in answers] == [b"1"]


async def test_garbage_over_a_socket_only_ends_its_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "ampgen")
    async with rude(Text()) as peer:
        await peer.loop.sock_sendall(peer.socket, b"GET / HTTP/1.1\r\n\r\n")
        assert await peer.receive(1) == []
    [warning] = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "a key of 18,245 bytes" in warning.getMessage()
    assert [r for r in caplog.records if "connected to 127.0.0.1:" in r.getMessage()]


# --- a server without manners ---------------------------------------------------------


@contextlib.asynccontextmanager
async def rude_server(**options: Any) -> AsyncGenerator[tuple[TextClient, Peer], None]:
    """A client of ours that has connected to a server that does as the test says."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        client = await TextClient.connect(f"127.0.0.1:{port}", **options)
        with contextlib.closing(Peer(listening.accept()[0])) as peer:
            yield client, peer
        await client.aclose()


async def test_callers_wait_for_a_peer_that_does_not_read() -> None:
    async with rude_server(drain_timeout=0.05) as (text, peer):
        box = {b"text": BIG}
        call = text.connection.call_box
        calls = [asyncio.create_task(call(b"Repeat", box)) for _ in range(500)]
        await asyncio.sleep(0.02)
        start = asyncio.get_running_loop().time()
        with pytest.raises(DeadlineExceeded):
            await text.log("x", timeout=0.05)
        with pytest.raises(DeadlineExceeded):
            await text.repeat("x", timeout=0.05)
        assert asyncio.get_running_loop().time() - start < 1
        waiting = len(text.connection._shell._writers or ())
        for _ in range(10):
            with pytest.raises(DeadlineExceeded):
                await text.repeat("x", timeout=0.001)
        assert len(text.connection._shell._writers or ()) == waiting
        cancelled = asyncio.create_task(text.repeat("x"))
        await asyncio.sleep(0)
        cancelled.cancel()
        calls[-1].cancel()
        await asyncio.sleep(0)
        peer.reset()
        outcomes = await asyncio.gather(*calls[:-1], return_exceptions=True)
    assert all(isinstance(o, ConnectionLost) for o in outcomes)
    sent = [o.sent for o in outcomes if isinstance(o, ConnectionLost)]
    assert sent == sorted(sent, reverse=True)
    assert 1 <= sum(sent) < 200  # the buffers hold no more; the rest had not left


async def test_who_waits_for_room_is_woken_a_few_at_a_time_and_in_order() -> None:
    async with rude_server() as (text, peer):
        shell = text.connection._shell
        shell.pause_writing()
        calls = [asyncio.create_task(text.log(str(n))) for n in range(200)]
        await asyncio.sleep(0)
        assert shell._writers is not None
        assert len(shell._writers) == 200
        shell.resume_writing()
        shell.pause_writing()  # there was room for none of them
        woken = [waiter.done() for waiter in shell._writers.values()]
        assert 0 < sum(woken) < 50
        assert woken == sorted(woken, reverse=True)
        await asyncio.sleep(0)
        shell.resume_writing()
        async with asyncio.timeout(10):
            await asyncio.gather(*calls)
            boxes = await peer.receive(200)
    assert [box[b"line"] for box in boxes] == [b"%d" % n for n in range(200)]


async def test_who_is_cancelled_as_the_peer_reads_again_is_cancelled() -> None:
    async with TextClient.local(Text()) as text:
        shell = text.connection._shell
        shell.pause_writing()
        cancelled, other = (asyncio.create_task(text.repeat("x")) for _ in range(2))
        await asyncio.sleep(0)
        cancelled.cancel()
        shell.resume_writing()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert (await other).text == "x"


async def test_callers_go_on_when_the_peer_reads_again() -> None:
    async with rude_server() as (text, peer):
        call = text.connection.call_box
        calls = [
            asyncio.create_task(call(b"Repeat", {b"text": BIG}, oneway=n % 2 == 0))
            for n in range(300)
        ]
        await asyncio.sleep(0.02)
        got = await peer.receive(300)
        await peer.send(*({b"_answer": b[b"_ask"]} for b in got if b"_ask" in b))
        assert await asyncio.gather(*calls) == [{}] * 300


async def test_a_reset_connection_says_why() -> None:
    async with rude_server() as (text, peer):
        call = asyncio.create_task(text.repeat("x"))
        await peer.receive(1)
        peer.reset()
        with pytest.raises(ConnectionLost, match=r"the connection is lost: .*reset"):
            await call


async def test_a_server_that_closes_without_a_word_ends_every_call() -> None:
    async with rude_server() as (text, peer):
        calls = [asyncio.create_task(text.repeat("x")) for _ in range(10)]
        await peer.receive(10)
        peer.close()
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, ConnectionLost)
            assert (error.sent, str(error)) == (True, "the peer closed the connection")


async def test_what_the_peer_broke_is_what_every_call_says() -> None:
    async with rude_server() as (text, peer):
        calls = [asyncio.create_task(text.repeat("x")) for _ in range(10)]
        await peer.receive(10)
        await peer.send({b"_answer": b"nothing"})
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, ProtocolError)
            assert "an answer to nothing that was asked" in str(error)


async def test_a_peer_that_never_answers_does_not_grow_our_memory() -> None:
    async with rude_server(limits=Limits(given_up=10)) as (text, _peer):
        for _ in range(10):
            with pytest.raises(DeadlineExceeded):
                await text.repeat("x", timeout=0.001)
        with pytest.raises((DeadlineExceeded, ProtocolError)):
            await text.repeat("x", timeout=0.001)
        with pytest.raises(ProtocolError, match="10 calls that were given up"):
            await text.repeat("x")


async def test_closing_does_not_wait_for_a_peer_that_does_not_read() -> None:
    async with rude_server(drain_timeout=0.05) as (text, _peer):
        for _ in range(200):
            with contextlib.suppress(DeadlineExceeded):
                await text.connection.call_box(
                    b"Log", {b"line": BIG}, oneway=True, timeout=0.001
                )
        start = asyncio.get_running_loop().time()
        await text.aclose()
        assert asyncio.get_running_loop().time() - start < 1


async def test_a_paused_connection_reads_on_as_soon_as_we_ask_something() -> None:
    """At its limit the end reads nothing; a call of its own needs its answer read."""
    events = Events()

    class Late(Events):
        async def confirm(self, question: str) -> str:
            started.release()
            await gate.wait()
            return question

    started, gate = asyncio.Semaphore(0), asyncio.Event()
    events = Late()
    async with serve("127.0.0.1:0", lambda c: keep(c)) as server:
        ends: list[Connection] = []

        def keep(connection: Connection) -> Text:
            ends.append(connection)
            return Text()

        async with TextClient.connect(
            server.addresses[0], events=events, limits=Limits(calls=1)
        ) as text:
            await text.items([])
            asking = [
                asyncio.create_task(EventsClient(ends[0]).confirm(f"{n}"))
                for n in range(3)
            ]
            await started.acquire()
            assert (await text.repeat("x")).text == "x"
            gate.set()
            outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert outcomes[0] == "0"
    assert all(isinstance(o, (str, Overloaded)) for o in outcomes)


async def test_reading_that_pauses_again_at_once_stays_paused() -> None:
    async with (
        serve("127.0.0.1:0", Text()) as server,
        connect(server.addresses[0]) as connection,
    ):
        shell = connection._shell  # pyright: ignore[reportPrivateUsage]
        shell.pause_writing()
        shell.resume_writing()
        shell.pause_writing()
        await asyncio.sleep(0)  # what resumes reading has its turn
        assert not shell.transport.is_reading()
        shell.resume_writing()
        await asyncio.sleep(0)
        assert shell.transport.is_reading()
