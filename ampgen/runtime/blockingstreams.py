"""Streams for programs without an event loop.

The items of a result are taken from the loop as many at a time as have come. What makes
the items of an argument may wait, so it does not run in the loop: it runs in the thread
of the caller, while that waits for the answer, or beside a stream of results, which
that thread reads meanwhile, in a thread of its own.
"""

# pyright: reportPrivateUsage=false, reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

import inspect
import threading
from asyncio import get_running_loop
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Self

    from ampgen.runtime.incoming import Stream


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_END = object()


class BlockingStream(Iterator[T_co]):
    """Items as they come: for ``for``, once, in one thread at a time.

    Enter it (``with``) or ``close`` it to end it early; one that is dropped ends as
    well, when it is collected. Raises what ended it, after the last item.
    """

    def __init__(
        self,
        wait: Callable[[Callable[[], Awaitable[Any]]], Any],
        stream: Stream[T_co],
        supply: Supply | None = None,
    ) -> None:
        self._wait = wait
        self._stream = stream
        self._supply = supply
        self._ended: Future[None] = Future()
        self._items: deque[T_co] = deque()  # taken from the loop

    def __next__(self) -> T_co:
        if not self._items:
            if self._supply is not None:
                supply, self._supply = self._supply, None
                supply.start(self._ended)
            stream = self._stream
            try:
                self._items = self._wait(lambda: _take(stream))
            except Exception:
                self._end()
                raise
            if not self._items:
                self._end()
                raise StopIteration
        return self._items.popleft()

    def close(self) -> None:
        """End it; what has come and was not taken is dropped."""
        self._items.clear()
        self._end()
        self._wait(self._stream.aclose)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def __del__(self) -> None:
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


async def _take(stream: Stream[T]) -> deque[T]:
    """What has come, at least one; none at the end."""
    items: deque[T] = deque()
    async for item in stream:
        items.append(item)
        if not stream._incoming.items:
            break
    return items


class Supply(AsyncIterator[Any]):
    """What makes items, for the loop to iterate over while a thread serves it."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._iterator = iter(items)
        self._wanted: SimpleQueue[asyncio.Future[Any] | None] = SimpleQueue()
        self._alone = False  # in a thread of its own

    async def __anext__(self) -> Any:
        wanted: asyncio.Future[Any] = get_running_loop().create_future()
        self._wanted.put(wanted)
        item = await wanted
        if item is _END:
            raise StopAsyncIteration
        return item

    def start(self, outcome: Future[Any]) -> None:
        """Serve it in a thread of its own, and close it there."""

        def run() -> None:
            self.serve(outcome)
            self.close()

        self._alone = True
        threading.Thread(target=run, name="ampgen stream", daemon=True).start()

    def serve(self, outcome: Future[Any]) -> None:
        """Make what is wanted, until there is an outcome."""
        outcome.add_done_callback(lambda _: self._wanted.put(None))
        while not outcome.done():
            wanted = self._wanted.get()
            if wanted is not None:
                self._make(wanted)

    def _make(self, wanted: asyncio.Future[Any]) -> None:
        item: Any = None
        error: Exception | None = None
        try:
            item = next(self._iterator, _END)
        except Exception as failure:
            error = failure
        except BaseException as failure:  # as `sys.exit` raises
            if not self._alone:
                raise  # at the caller, who waits here
            error = RuntimeError(f"what makes the items ended with {failure!r}")
            error.__cause__ = failure

        def give() -> None:
            if wanted.done():  # nobody wants it any more
                return
            if error is not None:
                wanted.set_exception(error)
            else:
                wanted.set_result(item)

        wanted.get_loop().call_soon_threadsafe(give)

    def close(self) -> None:
        if inspect.isgenerator(self._iterator):
            self._iterator.close()


def supply_of(items: Iterable[Any]) -> Supply | None:
    """``None`` where all items are there, and need no thread to make them; also where
    it is none, for the asyncio client to say so.
    """
    if isinstance(items, Collection) or not isinstance(items, Iterable):
        return None
    return Supply(items)
