"""What a server does not bear: too many, too slow, too quiet."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import Limits, Overloaded, serve
from ampgen.runtime.listening import descriptors_allowed
from ampgen.runtime.tally import Tally
from tests.logs import warnings_in
from tests.raw import PATIENCE, box, dial, server_of
from tests.runtime.made.text import Item, RepeatResult, TextClient
from tests.runtime.services import Text
from tests.runtime.test_tls import dial_tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.certificates import Certificates

REPEAT = {b"_ask": b"1", b"_command": b"Repeat", b"text": b"abc"}


async def refused(address: str) -> bool:
    """Is a further connection closed at once?"""
    try:
        async with dial(address) as peer:
            await peer.send(box(REPEAT))
            return not await peer.receive(1)
    except ConnectionError:
        return True


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0.001)


# --- how many -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["all", "host", "unix"])
async def test_a_connection_too_many_is_closed_and_room_is_used_again(
    kind: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    limits = Limits(connections_per_host=2) if kind == "host" else Limits(connections=2)
    address = f"unix:{tmp_path / 'socket'}" if kind == "unix" else "127.0.0.1:0"
    async with (
        serve(address, Text(), limits=limits) as server,
        AsyncExitStack() as open_,
    ):
        [address] = server.addresses
        first = await TextClient.connect(address)
        await first.repeat("a")
        second = await open_.enter_async_context(TextClient.connect(address))
        await second.repeat("a")
        for _ in range(20):
            assert await refused(address)
        await first.aclose()
        await eventually(lambda: len(server._shells) == 1)
        third = await open_.enter_async_context(TextClient.connect(address))
        assert (await third.repeat("a")).text == "a"
    said = [r.getMessage() for r in caplog.records if r.name == "ampgen"]
    name = "Limits.connections_per_host" if kind == "host" else "Limits.connections"
    assert len(said) == 2, said  # of twenty: the first, and how many more
    assert said[0].startswith("a connection is refused: 2 ")
    assert said[1].endswith(f"({name}); 19 such within a second")
    assert not server._hosts
    assert not server._host_of


async def test_a_flood_is_told_of_once_a_second(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ampgen.runtime.tally._SECOND", 0.01)
    tally = Tally()
    tally.warn("one")
    tally.warn("two")
    tally.warn("three")
    await eventually(lambda: len(caplog.records) == 2)
    await eventually(lambda: tally._timer is None)
    tally.warn("four")
    tally.close()
    tally.close()
    assert [r.getMessage() for r in caplog.records] == [
        "one",
        "three; 2 such within a second",
        "four",
    ]


async def test_a_flood_of_what_is_dropped_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with server_of(Text()) as peer:
        await peer.send(box({b"_command": b"Nope"}) * 1000 + box(REPEAT))
        await peer.receive_box()
    said = warnings_in(caplog)
    assert len(said) == 10
    assert said[0].startswith("dropped b'Nope' of ")
    assert said[-1].endswith(" (512 so far)")


async def test_calls_too_many_for_the_whole_server_are_told() -> None:
    service = Text()
    limits = Limits(server_calls=3)
    async with (
        serve("127.0.0.1:0", service, limits=limits) as server,
        AsyncExitStack() as open_,
    ):
        clients = [
            await open_.enter_async_context(TextClient.connect(server.addresses[0]))
            for _ in range(3)
        ]
        for client in clients:
            await client.repeat("a")
        calls = [asyncio.create_task(client.stop(timeout=None)) for client in clients]
        for _ in calls:
            await service.waiting.acquire()
        with pytest.raises(Overloaded, match="3 calls are in flight on this server"):
            await clients[0].repeat("a")
        calls.pop().cancel()
        await eventually(lambda: not server._load.full)
        assert (await clients[0].repeat("a")).text == "a"
        service.gate.set()
        await asyncio.gather(*calls)
        assert not server._load.running


def test_there_are_never_more_connections_than_descriptors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        assert descriptors_allowed() == 960
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    endless = resource.RLIM_INFINITY

    def getrlimit(_: int) -> tuple[int, int]:
        return endless, endless

    monkeypatch.setattr(resource, "getrlimit", getrlimit)
    assert descriptors_allowed() == sys.maxsize


EXHAUSTED = """
import asyncio, logging, resource, os, socket
from ampgen.runtime import serve
from tests.runtime.made.text import TextClient
from tests.runtime.services import Text

logging.getLogger("asyncio").setLevel(logging.CRITICAL)

async def main():
    async with serve("127.0.0.1:0", Text()) as server:
        address = server.addresses[0]
        client = await TextClient.connect(address)
        # sockets of this end now, so that the server alone has no descriptor left
        waiting = [socket.socket() for _ in range(5)]
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        taken = [open(os.devnull) for _ in range(3)]
        last = max(one.fileno() for one in taken)
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1, hard))
        while True:
            try:
                taken.append(open(os.devnull))
            except OSError:
                break
        host, port = address.split(":")
        for one in waiting:
            one.connect((host, int(port)))
        before = os.times()
        await asyncio.sleep(0.5)
        after = os.times()
        assert (await client.repeat("abc")).text == "abc"
        print("alive", after.user + after.system - before.user - before.system < 0.4)
        for one in taken:
            one.close()
        for one in waiting:
            one.close()
        async with TextClient.connect(address, timeout=10) as text:
            print((await text.repeat("again")).text)
        await client.aclose()

asyncio.run(main())
"""


async def test_a_process_without_descriptors_neither_dies_nor_spins() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        EXHAUSTED,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONASYNCIODEBUG": ""},
    )
    out, _ = await asyncio.wait_for(process.communicate(), 3 * PATIENCE)
    assert out.decode() == "alive True\nagain\n"


# --- how long -------------------------------------------------------------------------


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "ampgen")
    service = Text()
    limits = Limits(idle=0.2, stuck=None, partial=None)
    async with serve("127.0.0.1:0", service, limits=limits) as server:
        idle = await TextClient.connect(server.addresses[0])
        busy = await TextClient.connect(server.addresses[0])
        await idle.repeat("a")
        call = asyncio.create_task(busy.stop(timeout=None))
        await service.waiting.acquire()
        await asyncio.wait_for(idle.connection.wait_closed(), PATIENCE)
        assert not busy.connection.is_closed
        service.gate.set()
        await call
        await asyncio.wait_for(busy.connection.wait_closed(), PATIENCE)
        await eventually(lambda: server._watch._timer is None)  # nobody is left
        await idle.aclose()
        await busy.aclose()
    assert [r.getMessage().split(": ", 1)[1] for r in caplog.records] == [
        "idle for 0.2 s: closed"
    ] * 2


async def test_a_peer_that_takes_nothing_is_cut_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = Limits(stuck=0.2)
    async with serve("127.0.0.1:0", Text(), limits=limits) as server:
        host, _, port = server.addresses[0].rpartition(":")
        with socket.create_connection((host, int(port))) as peer:
            peer.setblocking(False)
            loop = asyncio.get_running_loop()
            item = box({b"id": b"1", b"name": b"x" * 60_000})
            more = b"".join(
                box({b"_command": b"Items", b"_ask": b"%x" % n, b"items": item})
                for n in range(400)
            )
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(loop.sock_sendall(peer, more), PATIENCE)
    assert "the peer has taken none of" in caplog.text
    assert "for 0.2 s: closed (Limits.stuck)" in caplog.text


async def test_a_peer_that_takes_nothing_of_more_and_more_is_cut_off_under_tls(
    certificates: Certificates, warned: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    class Slow(Text):
        answered = 0

        async def repeat(self, text: str, times: int) -> RepeatResult:
            await asyncio.sleep(times * 0.05)
            self.answered += 1
            return RepeatResult(text=text, length=0)

    service = Slow()
    async with (
        serve(
            "127.0.0.1:0",
            service,
            limits=Limits(stuck=0.3),
            tls=certificates.server_tls(),
        ) as server,
        dial_tls(server.addresses[0], certificates.client_tls()) as peer,
    ):
        transport: Any = peer.writer.transport
        transport.pause_reading()
        for n in range(200):
            ask = {**REPEAT, b"_ask": b"%x" % n, b"times": b"%d" % n}
            peer.writer.write(box(ask))
        item = box({b"id": b"1", b"name": b"x" * 60_000})
        for n in range(400):
            ask = {b"_command": b"Items", b"_ask": b"i%d" % n, b"items": item}
            peer.writer.write(box(ask))
        await asyncio.wait_for(warned.wait(), PATIENCE)
        assert service.answered < 150
    assert "for 0.3 s: closed (Limits.stuck)" in caplog.text


async def test_a_peer_that_takes_a_little_now_and_then_is_borne() -> None:
    limits = Limits(stuck=0.3)
    async with (
        serve("127.0.0.1:0", Text(), limits=limits) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        items = [Item(id=1, name="x" * 50_000)]
        calls = [asyncio.create_task(text.items(items)) for _ in range(300)]
        await eventually(lambda: any(call.done() for call in calls))
        transport = text.connection._shell.transport
        for _ in range(8):
            transport.pause_reading()
            await asyncio.sleep(0.1)
            transport.resume_reading()
            await asyncio.sleep(0.001)
        assert await asyncio.gather(*calls) == [items] * 300


@pytest.mark.parametrize("drips", [False, True])
async def test_half_a_box_is_not_waited_for_for_ever(
    drips: bool, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(partial=0.2)
    async with (
        serve("127.0.0.1:0", Text(), limits=limits) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(box(REPEAT))
        assert (await peer.receive_box())[b"_answer"] == b"1"
        await peer.send(box(REPEAT)[:-10])
        ended = asyncio.create_task(peer.ended())
        while drips and not ended.done():
            peer.writer.write(b"\0\1a\0\0")
            await asyncio.sleep(0.02)
        if drips:
            await asyncio.gather(ended, return_exceptions=True)
        else:
            assert await ended
    assert "a box has begun and does not end for 0.2 s: closed" in caplog.text


async def test_a_box_that_grows_is_waited_for() -> None:
    limits = Limits(partial=0.2)
    large = box({**REPEAT, **{b"x%d" % n: b"x" * 65_000 for n in range(12)}})
    async with (
        serve("127.0.0.1:0", Text(), limits=limits) as server,
        dial(server.addresses[0]) as peer,
    ):
        for at in range(0, len(large), 70_000):
            await peer.send(large[at : at + 70_000])
            await asyncio.sleep(0.06)
        assert (await peer.receive_box())[b"_answer"] == b"1"


async def test_half_a_box_that_this_end_does_not_read_on_is_no_fault() -> None:
    service = Text()
    limits = Limits(partial=0.1, calls=1)
    async with (
        serve("127.0.0.1:0", service, limits=limits) as server,
        dial(server.addresses[0]) as peer,
    ):
        stop = {b"_ask": b"2", b"_command": b"Stop"}
        await peer.send(box(REPEAT)[:-10])
        [shell] = server._shells.values()
        await eventually(lambda: shell.protocol.unfinished)
        await peer.send(box(REPEAT)[-10:] + box(stop) + box({**REPEAT, b"_ask": b"3"}))
        await service.waiting.acquire()
        await eventually(lambda: shell.reading_paused)
        await asyncio.sleep(0.3)
        service.gate.set()
        assert (await peer.receive_box())[b"_answer"] == b"1"
        assert (await peer.receive_box())[b"_answer"] == b"2"
        assert (await peer.receive_box())[b"_answer"] == b"3"


async def test_without_times_nobody_looks() -> None:
    limits = Limits(stuck=None, partial=None)
    async with (
        serve("127.0.0.1:0", Text(), limits=limits) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        await text.repeat("a")
        assert server._watch._timer is None


@pytest.mark.parametrize("name", ["idle", "stuck", "partial"])
def test_times_are_above_zero_or_none(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has to be above 0, or None"):
        Limits(**{name: 0})


def test_numbers_are_needed() -> None:
    with pytest.raises(ValueError, match="connections has to be at least 1"):
        Limits(connections=None)  # type: ignore[arg-type]


async def test_a_connection_that_is_gone_and_has_a_handler_left_is_no_matter() -> None:
    service = Text()
    async with (
        serve("127.0.0.1:0", service, limits=Limits(partial=0.05)) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(box({b"_command": b"Stop"}))
        await service.waiting.acquire()
        [shell] = server._shells.values()
        shell.transport.abort()
        await eventually(lambda: shell.is_closed)
        before = server._watch._timer
        await eventually(lambda: server._watch._timer is not before)
        assert server._shells
        service.gate.set()
        await eventually(lambda: not server._shells)
