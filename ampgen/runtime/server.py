"""The serving end: listen, accept, drain."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import os
import signal
import socket
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from ampgen.runtime.addresses import Tcp, format_address, parse_address
from ampgen.runtime.command import Handler, raw_command
from ampgen.runtime.connection import (
    DRAIN_TIMEOUT,
    Connection,
    CurrentCall,
    current_call,
)
from ampgen.runtime.interception import intercepted_handler
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.services import Services
from ampgen.runtime.shell import LAST_WORDS
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable
    from types import TracebackType
    from typing import Self

    from ampgen.runtime.addresses import Address
    from ampgen.runtime.interception import Interceptor
    from ampgen.runtime.services import Service
    from ampgen.runtime.shell import Shell

logger = logging.getLogger("ampgen")

Fallback: TypeAlias = (
    "Callable[[bytes, dict[bytes, bytes], CurrentCall], Awaitable[dict[bytes, bytes]]]"
)
"""Answers the commands that no service knows: ``(command, box, call) -> box``."""


def serve(
    address: Address | socket.socket,
    *services: Service,
    drain_timeout: float = DRAIN_TIMEOUT,
    limits: Limits | None = None,
    fallback: Fallback | None = None,
    interceptors: Iterable[Interceptor] = (),
) -> Listener:
    """Serve objects of generated server classes, or factories of such.

    ``address`` is text (port 0 picks a free one) or a socket that listens, which is
    closed in the end. Enter what this returns to listen; leaving it drains.
    ``interceptors`` are around all that is answered, the fallback too; the first one is
    outermost.
    """
    return Listener(
        address,
        Services(services, interceptors),
        drain_timeout=drain_timeout,
        limits=limits or Limits(),
        fallback=fallback,
    )


class Listener:
    """What ``serve`` returns. ``addresses`` are those it listens on, once it does."""

    def __init__(
        self,
        address: Address | socket.socket,
        services: Services,
        *,
        drain_timeout: float,
        limits: Limits,
        fallback: Fallback | None,
    ) -> None:
        self.addresses: list[str] = []
        self._where = (
            address if isinstance(address, socket.socket) else parse_address(address)
        )
        self._services = services
        self._drain_timeout = drain_timeout
        self._limits = limits
        self._fallback = (
            None
            if fallback is None
            else functools.partial(_handler, fallback, services.interceptors)
        )
        self._shells: dict[asyncio.Future[None], Shell] = {}  # by their `idle`
        self._forget = self._shells.pop
        self._server: asyncio.Server | None = None
        self._socket_file: tuple[str, int] | None = None  # ours, by its inode
        self._closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        where = self._where
        if isinstance(where, socket.socket):
            if where.family == getattr(socket, "AF_UNIX", None):
                self._server = await loop.create_unix_server(self._accept, sock=where)
            else:
                self._server = await loop.create_server(self._accept, sock=where)
        elif isinstance(where, Tcp):
            self._server = await loop.create_server(
                self._accept, where.host, where.port
            )
        else:
            _remove_stale(where.path)
            self._server = await loop.create_unix_server(self._accept, where.path)
            self._socket_file = where.path, os.stat(where.path).st_ino
        self.addresses = [format_address(s.getsockname()) for s in self._server.sockets]
        logger.debug("listening on %s", ", ".join(self.addresses))
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop accepting; finish what is being served, for at most the drain time.

        Who cancels this does not want to wait: then every connection ends at once.
        """
        self.close()
        for shell in self._shells.values():
            shell.close()
        if self._shells:
            try:
                _done, waiting = await asyncio.wait(
                    list(self._shells), timeout=self._drain_timeout + 2 * LAST_WORDS
                )
            except asyncio.CancelledError:
                for shell in self._shells.values():
                    shell.abort()
                raise
            if waiting:
                logger.error("handlers of %s connections do not end", len(waiting))

    def close(self) -> None:
        """Accept no more connections; those that there are stay."""
        if self._socket_file is not None:
            path, inode = self._socket_file
            self._socket_file = None
            with suppress(FileNotFoundError):
                if os.stat(path).st_ino == inode:
                    os.unlink(path)
        if self._server is not None:
            self._server.close()
        self._closed.set()

    async def serve_forever(self) -> None:
        """Wait for SIGTERM, SIGINT or ``close``; leaving the ``async with`` drains.

        Where this thread or system has no signal handlers, those of the program stay.
        """
        with _signals(self._closed.set):
            await self._closed.wait()
        self.close()

    def _accept(self) -> asyncio.BaseProtocol:
        if self._closed.is_set():  # it came in while the server closed
            return _Refused()
        try:
            connection = Connection(
                self._services.handlers,
                limits=self._limits,
                drain_timeout=self._drain_timeout,
                fallback=self._fallback,
            )
        except Exception:
            logger.exception("a service could not be made: the connection is closed")
            return _Refused()
        shell = connection._shell
        self._shells[shell.idle] = shell
        shell.idle.add_done_callback(self._forget)
        return receiver_for(shell)


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _handler(
    fallback: Fallback, interceptors: tuple[Interceptor, ...], name: bytes
) -> Handler:
    def method(box: dict[bytes, bytes]) -> Awaitable[dict[bytes, bytes]]:
        return fallback(name, box, current_call())

    handler = Handler(raw_command(name), method, 1)
    return intercepted_handler(handler, interceptors) if interceptors else handler


def _remove_stale(path: str) -> None:
    """Remove the socket file of a dead server; refuse that of one that lives."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise FileExistsError(f"{path} is there, and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:  # alive, with a full backlog
            pass
    raise OSError(errno.EADDRINUSE, f"another server listens on {path}")


_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, _Signals] = WeakKeyDictionary()


@contextmanager
def _signals(callback: Callable[[], None]) -> Generator[None, None, None]:
    """Call back at SIGTERM and SIGINT, beside the other servers of this loop."""
    loop = asyncio.get_running_loop()
    signals = _waiting.get(loop)
    if signals is None:
        signals = _waiting[loop] = _Signals()
    signals.add(loop, callback)
    try:
        yield
    finally:
        signals.remove(loop, callback)


class _Signals:
    """Whom SIGTERM and SIGINT call back in one loop: it has one handler for each.

    The first one puts it there, the last one puts back those that were there before.
    """

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._replaced: list[tuple[signal.Signals, Any]] = []

    def add(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]
    ) -> None:
        self._callbacks.append(callback)
        if len(self._callbacks) > 1:
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            previous = signal.getsignal(number)
            try:
                loop.add_signal_handler(number, self._call)
            except (NotImplementedError, RuntimeError, ValueError):
                continue  # Windows, or not the main thread
            self._replaced.append((number, previous))

    def remove(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]
    ) -> None:
        self._callbacks.remove(callback)
        if self._callbacks:
            return
        for number, previous in self._replaced:
            loop.remove_signal_handler(number)
            signal.signal(number, previous)
        self._replaced.clear()

    def _call(self) -> None:
        for callback in self._callbacks:
            callback()
