"""The consumer's half of a stream, and ``Stream``, what programs see of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from ampgen.runtime.errors import Fault, Malformed
from ampgen.runtime.streams import SLICE, box_of, head_of
from ampgen.runtime.wire import box_size, plain

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ampgen.runtime.command import AnyCommand, Items
    from ampgen.runtime.errors import ConnectionLost
    from ampgen.runtime.extras import Extras
    from ampgen.runtime.streams import Host, Suffixes

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Stream(AsyncIterator[T_co]):
    """Items as they come: for ``async for``, once.

    Enter it (``async with``) or call ``aclose`` to end it early: the producer is told,
    and its generator closed. One that is dropped ends as well, when it is collected;
    until then its credit bounds what comes. Raises what ended it, after the last item:
    the error of the other end, ``ConnectionLost``, ``DeadlineExceeded``.
    """

    __slots__ = ("__weakref__", "_incoming")

    def __init__(self, incoming: Incoming[T_co]) -> None:
        self._incoming = incoming

    async def __anext__(self) -> T_co:
        incoming = self._incoming
        items = incoming.items
        if not items or monotonic() > incoming.turn:
            await incoming.wait()
        item = items.popleft()
        if incoming.granted + len(items) <= incoming.low:
            incoming.refill()
        return item

    async def __aenter__(self) -> Self:
        await self._incoming.begin()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End it; what has come and was not taken is dropped."""
        await self._incoming.aclose()

    def __del__(self) -> None:
        incoming = self._incoming
        if incoming.begun and not incoming.ended:
            # garbage is collected in any thread; with the loop all is closed
            with suppress(RuntimeError):
                incoming.host.loop.call_soon_threadsafe(incoming.leave)


class Incoming(Generic[T]):
    """The consumer's half.

    ``items`` have come and wait. ``granted``: how many more may come. ``window``: of
    both together, and it is filled up again once they are down to ``low``. ``heard``:
    an item has come. ``left``: the next one is answered by telling its producer to
    stop. ``turn``: when others are to have theirs.
    """

    __slots__ = (
        "_error",
        "_largest",
        "_read",
        "_stream",
        "_suffixes",
        "_waiter",
        "_wire",
        "begun",
        "ended",
        "granted",
        "head",
        "heard",
        "host",
        "items",
        "large",
        "left",
        "low",
        "turn",
        "window",
    )

    host: Host  # once it is open

    def __init__(
        self, command: AnyCommand, items: Items[T], suffixes: Suffixes
    ) -> None:
        self.items: deque[T] = deque()
        self.window = self.granted = 0
        self.low = -1
        self.begun = self.heard = self.ended = self.left = False
        self.turn = 0.0
        self.head = b""
        self._wire = command.wire
        self._stream = b""
        self._read = items.read
        self.large = items.large
        self._suffixes = suffixes
        self._largest = 0
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    def attach(self, host: Host) -> None:
        """It is for this connection."""
        self.host = host
        self.window = host.protocol.limits.credit

    def register(self, stream: bytes) -> None:
        """From now on its boxes come here."""
        self.low = self.window // 2
        self._stream = stream
        self.head = head_of(self._wire + self._suffixes.item, stream)
        self.host.protocol.streams[self.head] = self

    def unregister(self) -> None:
        self.host.protocol.streams.pop(self.head, None)

    def linger(self) -> None:
        """Nobody takes any more; its producer is told with the next item."""
        self.left = True
        self.register(self._stream)
        self.low = -1  # what has come is still taken, and makes room for nothing

    # --- from the peer ----------------------------------------------------------------

    def read(self, data: bytes, at: int, start: int) -> int:
        if self.left or not self.granted:
            return at
        limits = self.host.protocol.limits
        item, end = self._read(data, start, limits.depth)
        size = end - at
        if size > min(limits.box, limits.large):
            return at
        self._add(item, size)
        return end

    def take(self, _name: bytes, box: dict[bytes, bytes], _extras: Extras, /) -> None:
        if self.left:
            self.unregister()
            self.stop()
            return
        if not self.granted:
            raise Malformed("an item of a stream beyond its credit")
        try:
            item, _end = self._read(plain(box), 0, self.host.protocol.limits.depth)
        except Fault as fault:
            self.heard = True
            self.refuse(fault)
        else:
            self._add(item, box_size(box))

    def _add(self, item: T, size: int) -> None:
        self.granted -= 1
        self.heard = True
        if size > self._largest:
            self._largest = size
            limits = self.host.protocol.limits
            self.window = max(1, min(limits.credit, limits.credit_bytes // size))
            self.low = self.window // 2
        self.items.append(item)
        self._wake()

    def lost(self, error: ConnectionLost, /) -> None:
        self.finish(error)

    def refuse(self, fault: Fault) -> None:
        """An item does not decode."""
        raise NotImplementedError

    def finish(self, error: BaseException | None) -> None:
        """No more comes: what has come can still be taken, then ``error`` is raised."""
        if not self.ended:
            self.ended = True
            self.low = -1
            self._error = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- to the peer ------------------------------------------------------------------

    def refill(self) -> None:
        """Grant as many as there is room for."""
        more = self.window - self.granted - len(self.items)
        self.granted += more
        name = self._wire + self._suffixes.credit
        self.host.queue(box_of(name, self._stream, {b"_credit": b"%d" % more}))

    def stop(self) -> None:
        """Tell the producer that nobody wants any more."""
        self.host.queue(box_of(self._wire + self._suffixes.stop, self._stream))

    # --- whoever takes the items ------------------------------------------------------

    async def begin(self) -> None:
        if self.begun or self.ended:
            return
        self.begun = True
        try:
            await self.open()
        except BaseException:
            self.close()
            raise

    async def open(self) -> None:
        """Let the items come."""
        raise NotImplementedError

    def leave(self) -> None:
        """Nobody takes any more: tell the producer."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Leave, and wait for what has to end at this end."""
        raise NotImplementedError

    async def over(self) -> None:
        """Wait for who is to hear of the end before whoever takes the items."""

    async def wait(self) -> None:
        """Until there are items; where there are some, others have their turn first."""
        await self.begin()
        if self.items:
            await asyncio.sleep(0)
        while not self.items:
            if self.ended:
                await self.over()
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            if self._waiter is not None:
                raise RuntimeError("another task waits for an item of this stream")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self.turn = monotonic() + SLICE

    def close(self) -> None:
        """What has come is dropped."""
        self.items.clear()
        self.finish(None)
        self._error = None
