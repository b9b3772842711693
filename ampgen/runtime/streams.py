"""Streams: items one by one, as many at a time as their consumer has room for.

Each stream has two halves, one at each end. The consumer's holds what has come and
nobody has taken yet, and grants credit: that many items may come. The producer's runs
whatever makes the items, as long as there is credit and the peer takes our bytes. So
memory is bounded at both ends, however long the stream is.

Neither half keeps the event loop to itself: one that has worked for a millisecond lets
others have their turn.
"""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ampgen.runtime.errors import FAULTS, EncodeError, Fault, Malformed, as_fault
from ampgen.runtime.wire import box_size, check_size, plain, write_box

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from types import TracebackType
    from typing import Protocol, Self

    from ampgen.runtime.command import AnyCommand, Items
    from ampgen.runtime.errors import ConnectionLost
    from ampgen.runtime.extras import Extras
    from ampgen.runtime.wire import Limits

    class Port(Protocol):
        """What takes the boxes of a stream that is open."""

        large: tuple[bytes, ...]

        def read(self, data: bytes, at: int, start: int, /) -> int:
            """An item where it lies, its values from ``start`` on: where it ends.

            That is ``at`` for all that does not go the short way.
            """
            ...

        def take(self, name: bytes, box: dict[bytes, bytes], extras: Extras, /) -> None:
            """Any box of the stream."""

        def lost(self, error: ConnectionLost, /) -> None:
            """Nothing comes any more."""

    class Link(Protocol):
        """What a stream needs of the protocol of its connection."""

        streams: dict[bytes, Port]
        blocked: bool
        limits: Limits

        @property
        def deaf(self) -> bool: ...

    class Host(Protocol):
        """What a stream needs of the shell of its connection."""

        @property
        def loop(self) -> asyncio.AbstractEventLoop: ...
        @property
        def protocol(self) -> Link: ...
        def queue(self, data: bytes) -> None: ...
        async def room(self, command: AnyCommand) -> None: ...


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

logger = logging.getLogger("ampgen")

_SLICE = 0.001  # seconds that a stream may take before others have their turn


@dataclass(frozen=True, slots=True)
class Suffixes:
    """What the commands of a stream are called, behind the name of its command."""

    item: bytes
    credit: bytes
    stop: bytes
    end: bytes = b""


RESULTS: Final = Suffixes(b"._item", b"._credit", b"._stop")
ARGUMENTS: Final = Suffixes(b"._send", b"._send_credit", b"._send_stop", b"._send_end")
SUFFIXES: Final = (
    *(RESULTS.item, RESULTS.credit, RESULTS.stop),
    *(ARGUMENTS.item, ARGUMENTS.credit, ARGUMENTS.stop, ARGUMENTS.end),
)


def head_of(name: bytes, stream: bytes) -> bytes:
    """The first pairs of a stream's box."""
    return write_box({b"_command": name, b"_stream": stream})[:-2]


def box_of(
    name: bytes, stream: bytes, pairs: Mapping[bytes, bytes] | None = None
) -> bytes:
    """A box of a stream that is no item."""
    return write_box({b"_command": name, b"_stream": stream, **(pairs or {})})


class Starved(Exception):
    """A producer waits for credit, and the peer cannot send any more."""


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
        self.turn = monotonic() + _SLICE

    def close(self) -> None:
        """What has come is dropped."""
        self.items.clear()
        self.finish(None)
        self._error = None


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
        turn = monotonic() + _SLICE
        if self.stopped:
            return
        async for item in source:
            while (self.credit < 1 or self.host.protocol.blocked) and not self.stopped:
                await self._wait()
                turn = monotonic() + _SLICE
            if self.stopped:
                break
            self.credit -= 1
            self._send(item)
            if monotonic() > turn:
                await asyncio.sleep(0)
                turn = monotonic() + _SLICE

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

    def _send(self, item: Any) -> None:
        limits = self.host.protocol.limits
        try:
            data = self._write(self._head, item, limits.depth)
            if len(data) > min(limits.box, limits.large):
                check_size(data, limits, self.large)
        except FAULTS as error:
            fault = as_fault(error)
            raise EncodeError(self._command.name, fault.path, fault.rule) from None
        self.host.queue(data)


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
