"""Two ends in one process: a pair of transports that hand bytes to one another.

For tests of programs: everything but the socket is as it is on the wire, the encoding,
the batches, the back-pressure, the end of the connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ampgen.runtime.descriptors import Attached, close_all

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ampgen.runtime.receiver import DescriptorShell

_HIGH_WATER = 64 * 1024  # as asyncio's own transports
_LOW_WATER = 16 * 1024


class LocalTransport(asyncio.Transport):
    """One end. Bytes reach the other one in the loop's next round, never from
    ``write``.
    """

    def __init__(self, shell: DescriptorShell) -> None:
        super().__init__({"peername": "local"})
        self._loop = asyncio.get_running_loop()
        self._shell = shell
        self._peer: LocalTransport = self
        self._outgoing = bytearray()  # until the peer takes it
        self._on_its_way = 0  # bytes that have left, and have not arrived
        self._attached: Attached | None = None
        self._scheduled = False
        self._reading = True
        self._blocked = False
        self._closing = False
        self._lost = False
        self._ended = False  # and the peer has been told

    def join(self, peer: LocalTransport) -> None:
        self._peer = peer
        peer._peer = self

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._closing:
            return
        self._outgoing += data
        self._schedule()
        if len(self._outgoing) > _HIGH_WATER and not self._blocked:
            self._blocked = True
            self._shell.pause_writing()

    def send_descriptors(self, fds: list[int]) -> None:
        """They go along with the next byte that is written."""
        if self._closing:
            close_all(fds)
            return
        if self._attached is None:
            self._attached = Attached()
        self._attached.add(len(self._outgoing), fds)

    def _next(self) -> tuple[list[int], bytes]:
        """What the peer takes next: bytes, and the descriptors beside the first one."""
        attached = self._attached
        if not attached:
            data = bytes(self._outgoing)
            self._outgoing.clear()
            return [], data
        _fds, end = attached.next(len(self._outgoing))
        data = bytes(self._outgoing[:end])
        del self._outgoing[:end]
        return attached.sent(end), data

    def writelines(
        self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]
    ) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return len(self._outgoing)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._peer._schedule()

    def close(self) -> None:
        """Ends once the peer has taken everything."""
        self._closing = True
        self._schedule()

    def abort(self) -> None:
        self._closing = True
        self._outgoing.clear()
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._ended:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        peer = self._peer
        waiting = len(self._outgoing)
        while waiting > 0 and self._outgoing and (peer._reading or peer._lost):
            fds, data = self._next()
            waiting -= len(data)
            if peer._lost:
                close_all(fds)
            else:
                if fds:
                    peer._shell.descriptors_received(fds)
                self._hand_over(data)
            if self._blocked and len(self._outgoing) <= _LOW_WATER:
                self._blocked = False
                self._shell.resume_writing()
        if self._closing and not (self._outgoing or self._on_its_way or self._lost):
            self._lost = True
            if self._attached is not None:
                self._attached.close()
            self._shell.connection_lost(None)
            peer._schedule()  # what it has for us goes nowhere now
        # as on a socket: who does not read sees no end
        if self._lost and (peer._reading or peer._lost) and not self._ended:
            self._ended = True
            if not peer._lost:
                peer._shell.eof_received()

    def _hand_over(self, data: bytes) -> None:
        self._peer._shell.data_received(data)


def join(first: DescriptorShell, second: DescriptorShell) -> None:
    """Connect two shells."""
    connect(LocalTransport(first), LocalTransport(second))


def connect(one: LocalTransport, other: LocalTransport) -> None:
    """Make two transports the ends of one connection."""
    one.join(other)
    one._shell.connection_made(one)  # pyright: ignore[reportPrivateUsage]
    other._shell.connection_made(other)  # pyright: ignore[reportPrivateUsage]
