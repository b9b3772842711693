"""Clients for programs without an event loop: threads, scripts, a REPL.

All of a process's blocking clients share one event loop, which runs in a thread of its
own. A method hands its call to that loop and waits for the answer.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import warnings
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from ampgen.runtime.blockingstreams import BlockingStream, supply_of
from ampgen.runtime.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from ampgen.runtime.blockingstreams import Supply
    from ampgen.runtime.client import Client
    from ampgen.runtime.command import Command, Timeout
    from ampgen.runtime.connecting import Connecting

A = TypeVar("A")
R = TypeVar("R")


class BlockingClient:
    """The base of the generated blocking clients. Any thread may call, many at once.

    Enter it, or ``close`` it in the end. What the client itself answers (``calls``)
    runs in the loop's thread, where no blocking client can be used. After a fork, the
    child needs clients of its own.

    Waiting can be interrupted (Ctrl-C): the call is then cancelled, at the peer too
    where that understands it.
    """

    def __init__(self, connecting: Connecting[Any]) -> None:
        self._closed = True  # until there is a connection
        self._loop = _loop_of_process()

        async def connect() -> Client:
            client: Client = await connecting
            return client

        self._client = self._wait(connect)
        self._loop.clients.add(self._client)
        self._closed = False

    def close(self) -> None:
        """Close the connection, and wait for its end. More than once does no harm."""
        if not self._closed:
            self._closed = True
            self._wait(self._client.aclose)

    def __del__(self) -> None:
        if not self._closed and self._loop.runs:
            warnings.warn(
                f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self
            )
            self._loop.loop.call_soon_threadsafe(self._client.connection.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _call(
        self,
        command: Command[A, R],
        arguments: A,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
    ) -> R:
        client = self._client
        return self._wait(lambda: client._call(command, arguments, timeout, metadata))

    def _send(
        self,
        command: Command[A, Any],
        arguments: A,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
    ) -> None:
        client = self._client
        self._wait(lambda: client._send(command, arguments, timeout, metadata))

    def _stream(
        self,
        command: Command[Any, None],
        arguments: Any,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
        sent: Iterable[Any] = (),
    ) -> BlockingStream[Any]:
        """A call with a stream of results; ``sent``: its stream argument."""
        supply = supply_of(sent)
        stream = self._client._stream(
            command, arguments, timeout, metadata, supply or sent
        )
        return BlockingStream(self._wait, stream, supply)

    def _call_sending(
        self,
        command: Command[Any, R],
        arguments: Any,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
        sent: Iterable[Any],
    ) -> R:
        """A call with a stream argument."""
        client, supply = self._client, supply_of(sent)
        items = supply or sent
        try:
            return self._wait(
                lambda: client._call_sending(
                    command, arguments, timeout, metadata, items
                ),
                supply,
            )
        finally:
            if supply is not None:
                supply.close()

    def _wait(
        self, start: Callable[[], Awaitable[R]], supply: Supply | None = None
    ) -> R:
        """The outcome of what runs in the loop; the supply is served until then."""
        loop = self._loop
        if loop.thread is threading.current_thread():
            raise RuntimeError(
                "a blocking client would wait here for its own thread:"
                " in a handler, await the asyncio client"
            )
        if not loop.runs:
            raise ConnectionLost(
                "the connection belongs to another process, or to one that is ending:"
                " connect anew",
                sent=False,
            )

        waiting: Future[R] = Future()
        tasks: list[asyncio.Task[None]] = []

        async def run() -> None:
            try:
                waiting.set_result(await start())
            except BaseException as error:
                waiting.set_exception(error)

        # asyncio.run_coroutine_threadsafe chains futures: that costs a fifth of a call
        loop.loop.call_soon_threadsafe(
            lambda: tasks.append(loop.loop.create_task(run()))
        )
        try:
            if supply is not None:
                supply.serve(waiting)
            return waiting.result()
        except BaseException:
            if not waiting.done():  # it is this wait that was interrupted
                loop.loop.call_soon_threadsafe(lambda: tasks[0].cancel())
            raise


class _Loop:
    """A loop and the thread that runs it, until the end of the process."""

    def __init__(self) -> None:
        self.clients: WeakSet[Client] = WeakSet()
        self.runs = True
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(
            target=self._run, name="ampgen blocking clients", daemon=True
        )
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def stop(self) -> None:
        """Connections that are open still end without a word."""
        self.runs = False
        asyncio.run_coroutine_threadsafe(self._abandon(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _abandon(self) -> None:
        for client in list(self.clients):
            client._shell.abort()
            await client.connection.wait_closed()


_lock = threading.Lock()
_loops: list[_Loop] = []  # this process's, at most one


def _loop_of_process() -> _Loop:
    with _lock:
        if not _loops:
            _loops.append(_Loop())
            atexit.register(_stop)
        return _loops[0]


def _stop() -> None:
    """Nothing of a thread is left running when the interpreter goes."""
    with _lock:
        while _loops:
            _loops.pop().stop()


def _forget() -> None:
    """A fork has the loop, and not the thread that runs it."""
    global _lock
    _lock = threading.Lock()
    while _loops:
        _loops.pop().runs = False


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(after_in_child=_forget)
