"""What a relay has of one client: its connection, and the one to the server for it."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from ampgen.runtime.addresses import format_address
from ampgen.runtime.descriptors import close_all
from ampgen.runtime.unix import UnixTransport
from ampgen.runtime.wire import Limits
from ampgen.tools.oserrors import reason
from ampgen.tools.proxy.upstream import NotConnected
from ampgen.tools.seeing.seen import Side

if TYPE_CHECKING:
    from ampgen.runtime.errors import TlsError
    from ampgen.runtime.tlslayer import TlsLayer
    from ampgen.tools.proxy.upstream import Upstream

LAST_WORDS = 2.0  # seconds that an end has to take what is left, and to close

# `struct linger`: on, for no seconds. Then an abort is a reset, for the other end too.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Watcher(Protocol):
    """Hears of all that passes, on the loop: it must not wait for anything.

    Connections have numbers, from 1. ``dropped``: descriptors that the other end cannot
    have. ``failed``: a connection broke off at that end; or, without a ``side``, there
    never was one to the server, or no TLS with the client.
    """

    def opened(self, number: int, peer: str) -> None: ...
    def passed(self, number: int, sender: Side, data: bytes) -> None: ...
    def dropped(self, number: int, sender: Side, descriptors: int) -> None: ...
    def ended(self, number: int, sender: Side) -> None: ...
    def failed(self, number: int, side: Side | None, reason: str) -> None: ...
    def closed(self, number: int) -> None: ...


class Pair:
    """A connection from a client, and the one to the server that is for it.

    ``done``: both are gone. ``wanted``: if it is not, it ends as soon as it begins.
    """

    def __init__(
        self, number: int, upstream: Upstream, watcher: Watcher, *, wanted: bool
    ) -> None:
        self.number = number
        self.watcher = watcher
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.client = End(self, Side.CLIENT)
        self.server = End(self, Side.SERVER)
        self.client.other = self.server
        self.server.other = self.client
        self.layer: TlsLayer | None = None  # between the client and its transport
        self._upstream = upstream
        self._wanted = wanted
        self._dialling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def settled(self, layer: TlsLayer, error: TlsError | None) -> None:
        """Is there TLS with the client?"""
        if error is None:
            return
        if not layer.unnoticed:
            self.watcher.failed(self.number, None, f"the client: {error}")
        self._finish()

    def made(self, end: End) -> None:
        if end is self.client:
            peer: Any = end.open.get_extra_info("peername")
            self.watcher.opened(self.number, format_address(peer))
            self._dialling = asyncio.create_task(self._dial())
            if not self._wanted:
                self.abort()
        elif self.client.is_open:
            self.client.go_on()
        else:  # it has gone at the same moment
            end.reset()

    async def _dial(self) -> None:
        try:
            await self._upstream.connect(self.server)
        except NotConnected as error:
            self.watcher.failed(self.number, None, str(error))
            self.client.reset()
        finally:
            self._dialling = None

    def lost(self, end: End, error: Exception | None) -> None:
        """An end is gone: the other one goes the same way."""
        other = end.other
        if self._dialling is not None:
            self._dialling.cancel()
        if error is not None:
            why = reason(error) if isinstance(error, OSError) else str(error)
            self.watcher.failed(self.number, end.side, why)
            other.reset()
        elif other.is_open:
            other.shut()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LAST_WORDS, other.close)
        if not other.is_open:
            self._finish()

    def close(self) -> None:
        """Both ends, once what was written to them is out."""
        self._give_up()
        self.client.close()
        self.server.close()

    def _give_up(self) -> None:
        """What does not come about yet never will."""
        if self._dialling is not None:
            self._dialling.cancel()
        if self.layer is not None and not self.client.was_open:
            self.layer.abort()

    def abort(self) -> None:
        self._give_up()
        for end in (self.client, self.server):
            end.reset()
        if not (self.client.is_open or self.server.is_open):
            self._finish()  # there is no TLS yet

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.done.done():
            self.done.set_result(None)
            if self.client.was_open:
                self.watcher.closed(self.number)


class End:
    """One end of a pair, as its transport reports it, or the TLS on that."""

    other: End
    limits = Limits()  # what connecting wants to know of it

    def __init__(self, pair: Pair, side: Side) -> None:
        self.side = side
        self.was_open = False
        self._pair = pair
        self._transport: asyncio.Transport | None = None
        self._ended = False  # it sends no more
        self._full = False  # it does not take what is sent to it
        self._early: list[bytes | list[int]] = []  # until there is the other end

    @property
    def open(self) -> asyncio.Transport:
        assert self._transport is not None  # noqa: S101 - it is asked once it is there
        return self._transport

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    # --- what comes from it -----------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.was_open = True
        self._pair.made(self)

    def data_received(self, data: bytes) -> None:
        if not self.other.was_open:
            self._early.append(data)
            self.open.pause_reading()
            return
        self.other.write(data)
        self._pair.watcher.passed(self._pair.number, self.side, data)

    def descriptors_received(self, fds: list[int]) -> None:
        if not self.other.was_open:
            self._early.append(fds)
            return
        count = len(fds)
        if not self.other.send_descriptors(fds):
            self._pair.watcher.dropped(self._pair.number, self.side, count)

    def eof_received(self) -> None:
        self._ended = True
        if self.other.was_open:
            self._pass_end()

    def _pass_end(self) -> None:
        self._pair.watcher.ended(self._pair.number, self.side)
        if self.other._ended:
            self._pair.close()
        else:
            self.other.shut()

    def pause_writing(self) -> None:
        self._full = True
        if self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        self._full = False
        if self.other._transport is not None:
            self.other._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        for early in self._early:
            if isinstance(early, list):
                close_all(early)
        self._early.clear()
        if self._transport is not None:  # else somebody waits for it, and is told
            self._transport = None
            self._pair.lost(self, exc)

    # --- what goes to it --------------------------------------------------------------

    def go_on(self) -> None:
        """The other end is there: what has come meanwhile goes to it, and all else."""
        early, self._early = self._early, []
        for one in early:
            if isinstance(one, list):
                self.descriptors_received(one)
            else:
                self.data_received(one)
        if self._ended:
            self._pass_end()
        elif self._transport is not None and not self.other._full:
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def send_descriptors(self, fds: list[int]) -> bool:
        """They are closed in any case; false where they cannot be sent."""
        if isinstance(self._transport, UnixTransport):
            self._transport.send_descriptors(fds)
            return True
        close_all(fds)
        return False

    def shut(self) -> None:
        """Tell it that no more comes. With TLS that is the end of both directions."""
        transport = self._transport
        if transport is None:
            return
        if transport.can_write_eof():
            with suppress(OSError):  # it is gone, and that is told in a moment
                transport.write_eof()
        else:
            transport.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is None:
            return
        sock: Any = self._transport.get_extra_info("socket")
        if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()
