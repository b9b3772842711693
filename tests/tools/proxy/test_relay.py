"""The relay, between real sockets: nothing changed, no more held than must be."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime.addresses import Unix, parse_address
from ampgen.runtime.dialling import securing_of
from ampgen.runtime.receiver import receiver_for
from ampgen.tools.proxy.relay import Entrance, Relay
from ampgen.tools.proxy.upstream import Upstream
from ampgen.tools.seeing.seen import Side
from tests.raw import PATIENCE, RawPeer, dial, listen

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.certificates import Certificates

CLIENT, SERVER = Side.CLIENT, Side.SERVER


class Seen:
    """What a relay tells, as it comes."""

    relay: Any

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.bytes = {CLIENT: bytearray(), SERVER: bytearray()}
        self._changed = asyncio.Event()

    def _tell(self, *what: Any) -> None:
        self.told.append(what)
        self._changed.set()

    def opened(self, number: int, peer: str) -> None:
        self._tell("opened", number, bool(peer))

    def passed(self, number: int, sender: Side, data: bytes) -> None:
        self.bytes[sender] += data
        self._changed.set()

    def dropped(self, number: int, sender: Side, descriptors: int) -> None:
        self._tell("dropped", number, sender, descriptors)

    def ended(self, number: int, sender: Side) -> None:
        self._tell("ended", number, sender)

    def failed(self, number: int, side: Side | None, reason: str) -> None:
        self._tell("failed", number, side, reason)

    def closed(self, number: int) -> None:
        self._tell("closed", number)

    async def until(self, *what: Any) -> None:
        """Until it has been told."""
        async with asyncio.timeout(PATIENCE):
            while what not in self.told:
                self._changed.clear()
                await self._changed.wait()

    async def until_some(self, kind: str) -> tuple[Any, ...]:
        async with asyncio.timeout(PATIENCE):
            while True:
                for one in self.told:
                    if one[0] == kind:
                        return one
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def relayed(
    upstream: str,
    where: str = "127.0.0.1:0",
    *,
    starttls: bool = False,
    tls: ssl.SSLContext | None = None,
    up_tls: ssl.SSLContext | None = None,
    host: str | None = None,
) -> AsyncGenerator[tuple[str, Seen]]:
    seen = Seen()
    target = parse_address(upstream)
    securing = securing_of(
        target, None if starttls else up_tls, up_tls if starttls else None, host
    )
    entrance = Entrance(parse_address(where), tls, starttls)
    async with Relay(entrance, Upstream(target, securing, PATIENCE), seen) as relay:
        seen.relay = relay
        yield relay.addresses[0], seen


@pytest.fixture(params=["tcp", "unix"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "127.0.0.1:0" if request.param == "tcp" else f"unix:{tmp_path / 'relay'}"


async def test_bytes_pass_unchanged_both_ways_and_each_end_ends_alone(
    where: str,
) -> None:
    sent = os.urandom(300_000)
    answer = os.urandom(200_000)
    async with (
        listen() as server,
        relayed(server.address, where) as (address, seen),
        dial(address) as client,
    ):
        await client.send(sent)
        client.writer.write_eof()
        there = await server.accept()
        assert await there.receive(len(sent)) == sent
        assert await there.ended()
        await there.send(answer)
        there.writer.write_eof()
        assert await client.receive(len(answer)) == answer
        assert await client.ended()
        await seen.until("closed", 1)
    assert seen.bytes == {CLIENT: sent, SERVER: answer}
    assert seen.told == [
        ("opened", 1, where == "127.0.0.1:0"),
        ("ended", 1, CLIENT),
        ("ended", 1, SERVER),
        ("closed", 1),
    ]


async def test_each_client_has_a_connection_of_its_own() -> None:
    async with (
        listen() as server,
        relayed(server.address) as (address, seen),
        dial(address) as one,
        dial(address) as two,
    ):
        for client, word in ((one, b"one"), (two, b"two")):
            await client.send(word)
            there = await server.accept()
            assert await there.receive(3) == word
            await there.send(word.upper())
        assert await one.receive(3) == b"ONE"
        assert await two.receive(3) == b"TWO"
        assert {("opened", 1, True), ("opened", 2, True)} <= set(seen.told)


def reset(peer: RawPeer) -> None:
    sock = peer.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.writer.transport.abort()


@pytest.mark.parametrize("breaking", [CLIENT, SERVER])
async def test_an_end_that_breaks_off_does_so_at_the_other_one(breaking: Side) -> None:
    async with (
        listen() as server,
        relayed(server.address) as (address, seen),
        dial(address) as client,
    ):
        await client.send(b"hello")
        there = await server.accept()
        assert await there.receive(5) == b"hello"
        ends = {CLIENT: client, SERVER: there}
        reset(ends[breaking])
        with pytest.raises(ConnectionResetError):
            await ends[breaking.other].ended()
        await seen.until("failed", 1, breaking, os.strerror(errno.ECONNRESET))
        await seen.until("closed", 1)


async def test_who_connects_is_cut_off_where_there_is_no_server(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{deaf.getsockname()[1]}"
        for upstream, why in (
            (nobody, os.strerror(errno.ECONNREFUSED)),
            (f"unix:{tmp_path / 'none'}", os.strerror(errno.ENOENT)),
        ):
            async with relayed(upstream) as (address, seen):
                with pytest.raises(ConnectionResetError):
                    async with dial(address) as client:
                        await client.ended()
                reason = f"cannot connect to {upstream}: {why}"
                await seen.until("failed", 1, None, reason)
                await seen.until("closed", 1)


@asynccontextmanager
async def busy(path: str) -> AsyncGenerator[socket.socket]:
    """A server that listens, and does not accept: connecting to it takes long."""
    with (
        socket.socket(socket.AF_UNIX) as listening,
        socket.socket(socket.AF_UNIX) as first,
    ):
        listening.bind(path)
        listening.listen(0)
        listening.settimeout(PATIENCE)
        first.connect(path)  # the backlog is full
        yield listening


async def accepted(listening: socket.socket) -> socket.socket:
    """The second one that connects, once the first one is out of the way."""
    first, _ = listening.accept()
    first.close()
    second, _ = await asyncio.to_thread(listening.accept)
    second.settimeout(PATIENCE)
    return second


async def test_what_comes_before_the_server_is_there_waits(tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    data = os.urandom(30 * 1024 * 1024)
    async with (
        busy(path) as listening,
        relayed(f"unix:{path}") as (address, seen),
        dial(address) as one,
    ):
        one.writer.write(data)
        one.writer.write_eof()
        await seen.until("opened", 1, True)
        transport: Any = one.writer.transport
        left = -1
        while left != transport.get_write_buffer_size():  # until nothing moves
            left = transport.get_write_buffer_size()
            await asyncio.sleep(0.1)
        [pair] = seen.relay._pairs.values()
        assert sum(map(len, pair.client._early)) <= 256 * 1024
        assert not seen.bytes[CLIENT]
        with await accepted(listening) as there, there.makefile("rb") as file:
            assert await asyncio.to_thread(file.read) == data


class Narrow:
    """A server that can be got to once ``open`` is set, and to which little fits."""

    where = Unix("nowhere")

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._address = host, int(port)
        self.open = asyncio.Event()

    async def connect(self, end: Any) -> None:
        await self.open.wait()
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await loop.sock_connect(sock, self._address)
        await loop.create_connection(lambda: receiver_for(end), sock=sock)


async def test_what_came_early_does_not_fit_and_the_client_still_waits() -> None:
    seen = Seen()
    data = os.urandom(30 * 1024 * 1024)
    async with listen() as server:
        narrow: Any = Narrow(server.address)
        entrance = Entrance(parse_address("127.0.0.1:0"))
        async with (
            Relay(entrance, narrow, seen) as relay,
            dial(relay.addresses[0]) as one,
        ):
            one.writer.write(data)
            await seen.until("opened", 1, True)
            seen.relay = relay
            [pair] = seen.relay._pairs.values()
            async with asyncio.timeout(PATIENCE):
                while not pair.client._early:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0)
            narrow.open.set()
            there = await server.accept()
            transport: Any = there.writer.transport
            transport.pause_reading()
            before = -1
            while before < len(seen.bytes[CLIENT]):  # until nothing moves any more
                before = len(seen.bytes[CLIENT])
                await asyncio.sleep(0.2)
            held = pair.server.open.get_write_buffer_size()
            room = pair.server.open.get_extra_info("socket")
            room.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1024 * 1024)
            transport.resume_reading()
            assert await there.receive(len(data)) == data
            assert 0 < held <= 256 * 1024


async def test_an_end_before_the_server_is_there_waits_too(tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    async with (
        busy(path) as listening,
        relayed(f"unix:{path}") as (address, seen),
        dial(address) as one,
    ):
        one.writer.write_eof()
        await seen.until("opened", 1, True)
        assert await one.reader.read(0) == b""
        with await accepted(listening) as there:
            assert await asyncio.to_thread(there.recv, 1) == b""
            there.sendall(b"answer")
        assert await one.receive(6) == b"answer"


async def test_a_client_that_is_gone_before_the_server_is_there(tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    async with busy(path) as server, relayed(f"unix:{path}") as (address, seen):
        async with dial(address) as one:
            await seen.until("opened", 1, True)
            reset(one)
        await seen.until("failed", 1, CLIENT, os.strerror(errno.ECONNRESET))
        await seen.until("closed", 1)
        server.accept()[0].close()
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):  # nobody connects for nobody
            await asyncio.to_thread(server.accept)


async def test_a_handshake_that_is_under_way_does_not_hold_up_the_end(
    certificates: Certificates,
) -> None:
    loop = asyncio.get_running_loop()
    async with listen() as server:
        async with relayed(server.address, tls=certificates.server_tls()) as (a, seen):
            host, port = a.split(":")
            client = await asyncio.open_connection(host, port)
            tls = certificates.client_tls()
            other = await asyncio.open_connection(host, int(port), ssl=tls)
            await seen.until("opened", 2, True)  # behind the first one
            began = loop.time()
        assert loop.time() - began < 1.5
        assert await asyncio.wait_for(client[0].read(), PATIENCE) == b""
        client[1].close()
        other[1].close()
        assert ("closed", 1) not in seen.told


@pytest.mark.parametrize("sender", [CLIENT, SERVER])
async def test_who_does_not_read_is_waited_for(sender: Side) -> None:
    size = 64 * 1024
    total = 400  # of these, 25 MiB: more than all systems on the way hold
    async with (
        listen() as server,
        relayed(server.address) as (address, seen),
        dial(address) as client,
    ):
        await client.send(b"x")
        there = await server.accept()
        await there.receive(1)
        ends = {CLIENT: client, SERVER: there}
        reader = ends[sender.other].reader
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer = ends[sender].writer

        async def send() -> None:
            for number in range(total):
                writer.write(bytes([number % 256]) * size)
                await writer.drain()

        sending = asyncio.create_task(send())
        before = -1
        while before < len(seen.bytes[sender]):  # until nothing moves any more
            before = len(seen.bytes[sender])
            await asyncio.wait([sending], timeout=0.3)
        assert not sending.done()
        [pair] = seen.relay._pairs.values()
        held = [one.open.get_write_buffer_size() for one in (pair.client, pair.server)]
        assert 0 < max(held) <= 64 * 1024 + 256 * 1024  # and what one read brings
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        for number in range(total):
            got = await ends[sender.other].receive(size)
            assert got == bytes([number % 256]) * size
        await sending


async def test_descriptors_pass_between_unix_sockets(tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        listening.settimeout(PATIENCE)
        relay = f"unix:{tmp_path / 'relay'}"
        (tmp_path / "note").write_text("a note")
        async with relayed(f"unix:{path}", relay):
            with (
                socket.socket(socket.AF_UNIX) as client,
                (tmp_path / "note").open() as note,
            ):
                client.connect(str(tmp_path / "relay"))
                socket.send_fds(client, [b"here"], [note.fileno()])
                there, _ = await asyncio.to_thread(listening.accept)
                with there:
                    there.settimeout(PATIENCE)
                    data, fds, *_ = await asyncio.to_thread(
                        socket.recv_fds, there, 100, 4
                    )
        assert data == b"here"
        (fd,) = fds
        with os.fdopen(fd) as got:
            assert got.read() == "a note"


async def test_descriptors_that_cannot_pass_are_told_and_closed(tmp_path: Path) -> None:
    async with (
        listen() as server,
        relayed(server.address, f"unix:{tmp_path / 'relay'}") as (_, seen),
    ):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "relay"))
            reading, writing = os.pipe()
            socket.send_fds(client, [b"here"], [writing])
            os.close(writing)
            there = await server.accept()
            assert await there.receive(4) == b"here"
            await seen.until("dropped", 1, CLIENT, 1)
            assert os.read(reading, 1) == b""  # nobody holds the other end any more
            os.close(reading)


async def test_tls_ends_at_the_relay_and_begins_again(
    certificates: Certificates,
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(5)).upper())
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(
        serve, "127.0.0.1", 0, ssl=certificates.server_tls()
    )
    upstream = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with relayed(
        upstream, tls=certificates.server_tls(), up_tls=certificates.client_tls()
    ) as (address, seen):
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(
            host, int(port), ssl=certificates.client_tls()
        )
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
        writer.close()
        await seen.until("closed", 1)
    assert seen.bytes == {CLIENT: b"hello", SERVER: b"HELLO"}
    server.close()


async def test_to_a_server_with_tls_half_an_end_is_a_whole_one(
    certificates: Certificates,
) -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b"hello"
        ended.set()
        writer.close()

    server = await asyncio.start_server(
        serve, "127.0.0.1", 0, ssl=certificates.server_tls()
    )
    upstream = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        relayed(upstream, up_tls=certificates.client_tls()) as (address, seen),
        dial(address) as client,
    ):
        await client.send(b"hello")
        client.writer.write_eof()
        await asyncio.wait_for(ended.wait(), PATIENCE)
        assert await client.ended()
        await seen.until("closed", 1)
    server.close()


async def test_why_there_is_no_tls_is_told(certificates: Certificates) -> None:
    async with listen() as server:
        async with (
            relayed(server.address, up_tls=certificates.client_tls()) as (a, seen),
            dial(a) as client,
        ):
            there = await server.accept()
            await there.send(b"\0\0what is this, and why?")
            _, _, side, reason = await seen.until_some("failed")
            assert side is None
            assert "the peer speaks no TLS" in reason
            with pytest.raises(ConnectionResetError):
                await client.ended()
        async with (
            relayed(server.address, tls=certificates.server_tls()) as (a, seen),
            dial(a) as client,
        ):
            await client.send(b"\0\0what is this, and why?")
            _, _, side, reason = await seen.until_some("failed")
            assert side is None
            assert reason.startswith("the client: no TLS with 127.0.0.1:")
            assert "the peer speaks no TLS" in reason


async def test_the_end_of_the_relay_is_that_of_all_its_connections() -> None:
    async with listen() as server:
        async with relayed(server.address) as (address, seen):
            client = await asyncio.open_connection(*address.split(":"))
            client[1].write(b"hello")
            there = await server.accept()
            assert await there.receive(5) == b"hello"
        assert await there.ended()
        assert await asyncio.wait_for(client[0].read(), PATIENCE) == b""
        client[1].close()
        assert seen.told[-1] == ("closed", 1)
