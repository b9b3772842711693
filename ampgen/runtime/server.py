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
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
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
from ampgen.runtime.keepalive import check_keepalive
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.services import Services
from ampgen.runtime.shell import LAST_WORDS
from ampgen.runtime.starttls import STARTTLS, Answering
from ampgen.runtime.starttls import handler_of as starttls_handler
from ampgen.runtime.tls import check_context
from ampgen.runtime.tlslayer import HANDSHAKE_TIMEOUT, TlsLayer
from ampgen.runtime.unix import listen_unix
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Generator, Iterable
    from types import TracebackType
    from typing import Self

    from ampgen.runtime.addresses import Address
    from ampgen.runtime.errors import TlsError
    from ampgen.runtime.interception import Interceptor
    from ampgen.runtime.services import Service
    from ampgen.runtime.shell import Shell
    from ampgen.runtime.starttls import Established
    from ampgen.runtime.unix import UnixListener

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
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    starttls_required: bool = True,
    handshake_timeout: float = HANDSHAKE_TIMEOUT,
    keepalive: float | None = None,
    interceptors: Iterable[Interceptor] = (),
    reflect: bool = False,
) -> Listener:
    """Serve objects of generated server classes, or factories of such.

    ``address`` is text (port 0 picks a free one) or a socket that listens, which is
    closed in the end. Enter what this returns to listen; leaving it drains.

    ``tls``: every connection begins with TLS (``server_tls`` makes a context).
    ``starttls``: TLS begins when the client asks ``StartTLS``; what it asks before is
    refused, unless ``starttls_required`` is false. A client that has not got so far
    within ``handshake_timeout`` seconds is cut off.
    ``keepalive``: seconds of silence after which a peer is asked for a sign of life.
    ``interceptors`` are around all that is answered, the fallback too; the first one is
    outermost.
    ``reflect``: a peer may ask for the schemas of the services.
    """
    for option, context in (("tls", tls), ("starttls", starttls)):
        if context is not None:
            check_context(context, option, server_side=True)
    if tls is not None and starttls is not None:
        raise ValueError("tls= and starttls=: one of them, TLS begins only once")
    return Listener(
        address,
        Services(services, interceptors, reflect=reflect),
        drain_timeout=drain_timeout,
        limits=limits or Limits(),
        fallback=fallback,
        security=_Security(tls, starttls, starttls_required, handshake_timeout),
        keepalive=keepalive,
    )


class _Security(NamedTuple):
    tls: ssl.SSLContext | None
    starttls: ssl.SSLContext | None
    required: bool
    timeout: float


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
        security: _Security,
        keepalive: float | None,
    ) -> None:
        check_keepalive(keepalive)
        self.addresses: list[str] = []
        self._where = (
            address if isinstance(address, socket.socket) else parse_address(address)
        )
        self._services = services
        self._drain_timeout = drain_timeout
        self._limits = limits
        self._keepalive = keepalive
        self._fallback = (
            None
            if fallback is None
            else functools.partial(_handler, fallback, services.interceptors)
        )
        self._security = security
        self._securing: set[TlsLayer] = set()  # there is no TLS yet
        if security.starttls is not None:
            services.add(STARTTLS, starttls_handler(self._start_tls))
        self._shells: dict[asyncio.Future[None], Shell] = {}  # by their `idle`
        self._forget = self._shells.pop
        self._server: asyncio.Server | UnixListener | None = None
        self._socket_file: tuple[str, int] | None = None  # ours, by its inode
        self._closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        where = self._where
        if isinstance(where, socket.socket):
            if where.family == getattr(socket, "AF_UNIX", None):
                self._server = listen_unix(where, self._accept)
            else:
                self._server = await loop.create_server(self._accept, sock=where)
        elif isinstance(where, Tcp):
            self._server = await loop.create_server(
                self._accept, where.host, where.port
            )
        else:
            _remove_stale(where.path)
            self._server = listen_unix(where.path, self._accept)
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
        for layer in list(self._securing):
            layer.abort()
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
                keepalive=self._keepalive,
            )
        except Exception:
            logger.exception("a service could not be made: the connection is closed")
            return _Refused()
        shell = connection._shell
        self._shells[shell.idle] = shell
        shell.idle.add_done_callback(self._forget)
        return receiver_for(self._secured(shell))

    def _secured(self, shell: Shell) -> Shell | TlsLayer:
        """What hears of the bytes: the shell, or the TLS between."""
        tls, starttls, required, _timeout = self._security
        if tls is not None:
            return self._layer(shell, tls, shell.connection_made)
        if starttls is not None and required:
            preamble = Answering(self._limits.box)
            return self._layer(shell, starttls, shell.connection_made, preamble)
        return shell

    def _start_tls(self, shell: Shell, established: Established) -> TlsLayer:
        context: Any = self._security.starttls
        return self._layer(shell, context, established)

    def _layer(
        self,
        shell: Shell,
        context: ssl.SSLContext,
        established: Established,
        preamble: Answering | None = None,
    ) -> TlsLayer:
        layer = TlsLayer(
            shell,
            context,
            server_side=True,
            established=established,
            settled=self._settled,
            preamble=preamble,
            timeout=self._security.timeout,
        )
        self._securing.add(layer)
        return layer

    def _settled(self, layer: TlsLayer, error: TlsError | None) -> None:
        self._securing.discard(layer)
        if error is not None:
            level = logging.DEBUG if layer.unnoticed else logging.WARNING
            logger.log(level, "%s", error)


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
