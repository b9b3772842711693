"""The producer's half of a stream, and what programs give it to send."""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from time import monotonic
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from ampgen.runtime.errors import FAULTS, EncodeError, not_encoded
from ampgen.runtime.streams import SHARE, SLICE, head_of
from ampgen.runtime.wire import check_size

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ampgen.runtime.command import AnyCommand, Items
    from ampgen.runtime.errors import ConnectionLost
    from ampgen.runtime.extras import Extras
    from ampgen.runtime.streams import Host, Suffixes

logger = logging.getLogger("ampgen")


class Starved(Exception):
    """A producer waits for credit, and the peer cannot send any more."""


class Outgoing:
    """The producer's half. ``credit``: how many items may go; ``stopped``: no more may,
    and it is no error.
    """

    __slots__ = (
        "_command",
        "_head",
        "_pumping",
        "_stream",
        "_suffixes",
        "_waiter",
        "_wire",
        "_write",
        "cancelled",
        "credit",
        "host",
        "large",
        "stopped",
        "task",
    )

    host: Host  # once it is open

    def __init__(
        self, command: AnyCommand, items: Items[Any], suffixes: Suffixes
    ) -> None:
        self.credit = 0
        self.stopped = False
        self._command = command
        self._wire = command.wire
        self._write = items.write
        self.large = items.large
        self._suffixes = suffixes
        self._head = self._stream = b""
        self.task: asyncio.Task[Any] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._pumping = False
        self.cancelled = False

    def register(self, stream: bytes) -> None:
        """From now on its boxes come here."""
        self._stream = stream
        self._head = head_of(self._wire + self._suffixes.item, stream)
        for suffix in (self._suffixes.credit, self._suffixes.stop):
            self.host.protocol.streams[head_of(self._wire + suffix, stream)] = self

    def unregister(self) -> None:
        streams = self.host.protocol.streams
        for suffix in (self._suffixes.credit, self._suffixes.stop):
            streams.pop(head_of(self._wire + suffix, self._stream), None)

    # --- from the peer ----------------------------------------------------------------

    def read(self, _data: bytes, at: int, _start: int, /) -> int:
        return at

    def take(self, name: bytes, _box: dict[bytes, bytes], extras: Extras, /) -> None:
        if name.endswith(self._suffixes.stop):
            self.stop()
        elif extras.credit is not None:
            self.grant(extras.credit)

    def grant(self, count: int) -> None:
        self.credit += count
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def lost(self, _error: ConnectionLost, /) -> None:
        """There is no more credit than this."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(self.starved())

    def starved(self) -> Starved:
        """Why it ends where there is no more credit."""
        return Starved()

    def stop(self) -> None:
        """Send no more, and close what makes the items."""
        self.stopped = True
        if self._pumping and self.task is not None and not self.cancelled:
            self.cancelled = True
            self.task.cancel("the stream is over")

    # --- items ------------------------------------------------------------------------

    async def run(self, source: AsyncIterator[Any]) -> None:
        """Send what comes of ``source``, and close it in the end."""
        self.task = task = asyncio.current_task()
        self._pumping = True
        try:
            await self._pump(source)
        except asyncio.CancelledError:
            if not self.cancelled or (task is not None and task.cancelling() > 1):
                raise
        finally:
            self._pumping = False
            if self.cancelled and task is not None:
                task.uncancel()
            await close_source(source, self._command)

    async def _pump(self, source: AsyncIterator[Any]) -> None:
        turn, share = monotonic() + SLICE, SHARE
        if self.stopped:
            return
        async for item in source:
            while (self.credit < 1 or self.host.protocol.blocked) and not self.stopped:
                await self._wait()
                turn, share = monotonic() + SLICE, SHARE
            if self.stopped:
                break
            self.credit -= 1
            share -= self._send(item)
            if share <= 0 or monotonic() > turn:
                await asyncio.sleep(0)
                turn, share = monotonic() + SLICE, SHARE

    async def _wait(self) -> None:
        """For credit, or for the peer to take our bytes."""
        if self.credit:
            await self.host.room(self._command)
            return
        if self.host.protocol.deaf:
            raise self.starved()
        self._waiter = self.host.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _send(self, item: Any) -> int:
        """How many bytes it is."""
        limits = self.host.protocol.limits
        try:
            data = self._write(self._head, item, limits.depth)
            if len(data) > min(limits.box, limits.large):
                check_size(data, limits, self.large)
        except FAULTS as error:
            raise not_encoded(self._command.name, error) from None
        self.host.queue(data)
        return len(data)


async def close_source(source: AsyncIterator[Any], command: AnyCommand) -> None:
    """End what makes the items: where it fails, that is nobody's business but ours."""
    aclose = getattr(source, "aclose", None)
    if aclose is None:
        return
    try:
        await aclose()
    except Exception:
        logger.exception("%s: its items do not end well", command.name)


def items_of(
    given: AsyncIterable[Any] | Iterable[Any], command: AnyCommand
) -> AsyncIterator[Any]:
    """What a program gives as a stream, as one kind of iterator."""
    if isinstance(given, AsyncIterable):
        return aiter(given)
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | bytearray):
        return _one_by_one(given)
    rule = f"a stream is an iterable, asynchronous or not; got {type(given).__name__}"
    raise EncodeError(command.name, "", rule)


async def _one_by_one(given: Iterable[Any]) -> AsyncGenerator[Any]:
    iterator = iter(given)
    try:
        for item in iterator:
            yield item
    finally:
        if isinstance(iterator, GeneratorType):
            iterator.close()
