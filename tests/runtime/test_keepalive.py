"""Peers that are gone without a word, and those that are merely quiet."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import ConnectionLost, ConnectionState, Limits, connect, serve
from tests.raw import PATIENCE, RawPeer, box, listen, server_of
from tests.runtime.made.text import TextClient
from tests.runtime.peers import Host, request
from tests.runtime.services import Text

if TYPE_CHECKING:
    from pathlib import Path

SOON = 0.1  # seconds: short enough to wait for, long enough for a peer to answer
UNHANDLED = {
    b"_error_code": b"UNHANDLED",
    b"_error_description": b"Unhandled Command: b'_ping'",
}


async def ping(peer: RawPeer) -> bytes:
    """Wait for a probe; returns its tag."""
    asked = await peer.receive_box()
    assert asked[b"_command"] == b"_ping"
    return asked[b"_ask"]


async def test_a_silent_peer_is_asked_and_then_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with listen() as listener:
        begun = time.monotonic()
        connection = await connect(listener.address, keepalive=SOON)
        peer = await listener.accept()
        await ping(peer)
        with pytest.raises(ConnectionLost, match="no sign of life") as caught:
            await connection.call_box(b"Any", {})
        assert caught.value.sent
        await asyncio.wait_for(connection.wait_closed(), PATIENCE)
        took = time.monotonic() - begun
    assert 1.5 * SOON <= took < 20 * SOON
    reason = f"no sign of life from {listener.address} for 0.1 s"
    assert connection.status.reason == reason
    [record] = [
        r for r in caplog.records if r.levelno >= logging.WARNING and r.name == "ampgen"
    ]
    assert record.getMessage() == f"{listener.address}: {reason}"


async def test_a_server_gives_up_a_silent_client() -> None:
    async with server_of(Text(), keepalive=SOON) as peer:
        await ping(peer)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(peer.reader.read(), PATIENCE) == b""


@pytest.mark.parametrize("kind", ["answer", "error"])
async def test_a_peer_that_answers_stays(kind: str) -> None:
    async with listen() as listener, connect(listener.address, keepalive=SOON) as end:
        peer = await listener.accept()
        tags: list[bytes] = []
        for _ in range(4):
            tag = await ping(peer)
            tags.append(tag)
            if kind == "answer":
                await peer.send(box({b"_answer": tag}))
            else:
                await peer.send(box({b"_error": tag} | UNHANDLED))
        assert tags == [b"1", b"2", b"3", b"4"]
        assert end.state is ConnectionState.CONNECTED


async def test_two_of_ours_keep_one_another() -> None:
    async with (
        serve("127.0.0.1:0", Text(), keepalive=SOON) as server,
        TextClient.connect(server.addresses[0], keepalive=SOON) as client,
    ):
        await asyncio.sleep(5 * SOON)  # as many silences as would end it
        assert (await client.repeat("abc")).text == "abc"


async def test_a_peer_that_sends_is_not_asked() -> None:
    async with listen() as listener, connect(listener.address, keepalive=SOON) as end:
        peer = await listener.accept()
        told = box({b"_command": b"Unknown"})
        until = time.monotonic() + 5 * SOON
        while time.monotonic() < until:
            await peer.send(told)
            await asyncio.sleep(SOON / 10)
        await end.call_box(b"First", {}, oneway=True)
        assert (await peer.receive_box())[b"_command"] == b"First"


async def test_what_was_asked_in_vain_is_forgotten_when_something_comes() -> None:
    async with listen() as listener, connect(listener.address, keepalive=SOON) as end:
        peer = await listener.accept()
        for tag in (b"1", b"2", b"3"):
            assert await ping(peer) == tag
            await peer.send(box({b"_command": b"Unknown"}))
        assert len(end._shell.protocol.calls) == 1  # pyright: ignore[reportPrivateUsage]
        assert not end.is_closed


async def test_too_much_asked_in_vain_is_a_violation() -> None:
    limits = Limits(given_up=1)
    async with listen() as listener:
        end = await connect(listener.address, keepalive=SOON, limits=limits)
        peer = await listener.accept()
        for _ in range(2):
            await ping(peer)
            await peer.send(box({b"_command": b"Unknown"}))
        await asyncio.wait_for(end.wait_closed(), PATIENCE)
    assert "given up" in end.status.reason


async def test_an_end_that_does_not_read_does_not_wonder_at_silence() -> None:
    service = Text()
    limits = Limits(calls=1)
    async with server_of(service, keepalive=SOON, limits=limits) as peer:
        stop = {b"_command": b"Stop"}
        await peer.send(box(stop | {b"_ask": b"1"}))
        await peer.send(box(stop | {b"_ask": b"2"}))
        await asyncio.wait_for(service.waiting.acquire(), PATIENCE)
        await asyncio.sleep(5 * SOON)
        service.gate.set()
        answers: list[bytes] = []
        while len(answers) < 2:  # it may wonder again as soon as it reads
            got = await peer.receive_box()
            if b"_answer" in got:
                answers.append(got[b"_answer"])
        assert answers == [b"1", b"2"]


async def test_a_connection_that_ends_is_not_asked() -> None:
    service = Text()
    async with server_of(service, keepalive=SOON) as peer:
        await peer.send(box({b"_command": b"Stop", b"_ask": b"1"}))
        await asyncio.wait_for(service.waiting.acquire(), PATIENCE)
        peer.writer.write_eof()
        await asyncio.sleep(3 * SOON)
        service.gate.set()
        assert await peer.receive_box() == {b"_answer": b"1"}
        assert await peer.ended()


@pytest.mark.parametrize("tcp", [True, False])
async def test_the_system_watches_tcp_too(tcp: bool, tmp_path: Path) -> None:
    address = "127.0.0.1:0" if tcp else f"unix:{tmp_path}/socket"
    async with (
        serve(address, Text()) as server,
        connect(server.addresses[0], keepalive=2.5) as connection,
    ):
        sock = connection._shell.transport.get_extra_info("socket")  # pyright: ignore[reportPrivateUsage]
        assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is tcp
        if tcp and hasattr(socket, "TCP_USER_TIMEOUT"):
            option = socket.TCP_USER_TIMEOUT
            assert sock.getsockopt(socket.IPPROTO_TCP, option) == 9000


async def test_what_the_system_cannot_is_left_out() -> None:
    async with (
        serve("127.0.0.1:0", Text(), keepalive=1e9) as server,
        TextClient.connect(server.addresses[0], keepalive=1e12) as client,
    ):
        assert (await client.repeat("abc")).text == "abc"


@pytest.mark.parametrize(
    ("keepalive", "error"),
    [(0, ValueError), (-1, ValueError), (math.inf, ValueError), ("1", TypeError)],
)
def test_what_is_no_time_is_refused(keepalive: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="keepalive"):
        connect("127.0.0.1:1", keepalive=keepalive)
    with pytest.raises(error, match="keepalive"):
        serve("127.0.0.1:1", keepalive=keepalive)


# --- what answers ---------------------------------------------------------------------


def test_a_probe_is_answered_at_once_whatever_the_load() -> None:
    host = Host(limits=Limits(calls=1))
    waiting = host.ask(host.protocol.handlers[b"Stop"].command)  # so it goes on reading
    host.sent()
    host.receive(request(b"Stop"), request(b"_ping", b"2"))
    assert host.sent() == [{b"_answer": b"2"}]
    host.protocol.drain()
    host.receive(request(b"_ping", b"3"), request(b"_ping", None))
    assert host.sent() == [{b"_answer": b"3"}]
    assert not waiting.done()


def test_a_probe_under_the_name_of_a_call_is_a_violation() -> None:
    host = Host()
    host.receive(request(b"Stop", b"1"), request(b"_ping", b"1"))
    assert host.is_ending


def test_a_fallback_sees_no_probe() -> None:
    host = Host(fallback=True)
    host.receive(request(b"_ping"))
    assert host.sent() == [{b"_answer": b"1"}]
    assert not host.requests


def test_what_comes_is_counted() -> None:
    host = Host()
    data = box(request(b"_ping"))
    host.protocol.receive_data(data)
    assert host.protocol.bytes_received == len(data)
