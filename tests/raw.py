"""Peers that speak AMP box by box and nothing of ours: plain sockets, exact bytes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ampgen.runtime import serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

PATIENCE = 10.0  # seconds: what should have come by then does not come


def box(pairs: Mapping[bytes, bytes]) -> bytes:
    """A box as it is on the wire, its keys sorted."""
    parts = [part for pair in sorted(pairs.items()) for part in pair]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts) + b"\0\0"


@dataclass(frozen=True, slots=True)
class RawPeer:
    """One connection, seen from the other end."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), PATIENCE)

    async def receive(self, size: int) -> bytes:
        """Exactly so many bytes, or those that came before the end."""
        try:
            return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE)
        except asyncio.IncompleteReadError as ended:
            return ended.partial

    async def receive_box(self) -> dict[bytes, bytes]:
        pairs: dict[bytes, bytes] = {}
        while key := await self._receive_sized():
            pairs[key] = await self._receive_sized()
        return pairs

    async def _receive_sized(self) -> bytes:
        size = await asyncio.wait_for(self.reader.readexactly(2), PATIENCE)
        return await self.receive(int.from_bytes(size, "big"))

    async def ended(self) -> bool:
        """Wait for the other end to close; was that all?"""
        return await asyncio.wait_for(self.reader.read(1), PATIENCE) == b""

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):  # the other end was faster, and abrupt
            await self.writer.wait_closed()


@asynccontextmanager
async def dial(address: str) -> AsyncGenerator[RawPeer]:
    """A peer that connects to ``host:port`` or ``unix:/path``."""
    if address.startswith("unix:"):
        streams = await asyncio.open_unix_connection(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        streams = await asyncio.open_connection(host, int(port))
    peer = RawPeer(*streams)
    try:
        yield peer
    finally:
        await peer.close()


@dataclass(frozen=True, slots=True)
class RawListener:
    address: str
    _arrived: asyncio.Queue[RawPeer]

    async def accept(self) -> RawPeer:
        return await asyncio.wait_for(self._arrived.get(), PATIENCE)


@asynccontextmanager
async def listen() -> AsyncGenerator[RawListener]:
    """A place on the loopback to connect to, and whoever does."""
    arrived: asyncio.Queue[RawPeer] = asyncio.Queue()
    peers: list[RawPeer] = []

    def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(RawPeer(reader, writer))
        arrived.put_nowait(peers[-1])

    server = await asyncio.start_server(arrive, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield RawListener(f"{host}:{port}", arrived)
    finally:
        server.close()
        for peer in peers:
            await peer.close()
        await server.wait_closed()


@asynccontextmanager
async def client_of(cls: Any, **options: Any) -> AsyncGenerator[tuple[Any, RawPeer]]:
    """A client of ours and what it is connected to: as if it had said already what it
    understands beyond AMP.
    """
    async with listen() as listener, cls.connect(listener.address, **options) as client:
        client._shell.protocol.greets = False
        yield client, await listener.accept()


@asynccontextmanager
async def server_of(*services: Any, **options: Any) -> AsyncGenerator[RawPeer]:
    """What is connected to a server of ours."""
    async with (
        serve("127.0.0.1:0", *services, **options) as server,
        dial(server.addresses[0]) as peer,
    ):
        yield peer
