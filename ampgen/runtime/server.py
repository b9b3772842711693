"""The serving end: listen, accept, drain."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import functools
import logging
import math
import socket
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ampgen.runtime.addresses import (
    Systemd,
    Tcp,
    format_address,
    parse_listening,
)
from ampgen.runtime.backoff import check_number
from ampgen.runtime.command import Handler, raw_command
from ampgen.runtime.connection import (
    DRAIN_TIMEOUT,
    Connection,
    CurrentCall,
    current_call,
)
from ampgen.runtime.interception import intercepted_handler
from ampgen.runtime.keepalive import check_keepalive
from ampgen.runtime.listening import SocketFile, descriptors_allowed
from ampgen.runtime.load import Load
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.services import Services
from ampgen.runtime.shell import LAST_WORDS
from ampgen.runtime.signals import attended
from ampgen.runtime.starttls import STARTTLS, Answering
from ampgen.runtime.starttls import handler_of as starttls_handler
from ampgen.runtime.systemd import inherited_sockets
from ampgen.runtime.tally import Tally
from ampgen.runtime.tls import check_context
from ampgen.runtime.tlslayer import HANDSHAKE_TIMEOUT, TlsLayer
from ampgen.runtime.unix import listen_unix
from ampgen.runtime.watch import Watch
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Sequence
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
    address: Address | socket.socket | Sequence[socket.socket],
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

    ``address`` is text (port 0 picks a free one; ``systemd:`` stands for the sockets
    that systemd passes, ``systemd:NAME`` for those of that name) or a socket that
    listens, or several, which are closed in the end. Enter what this returns to listen;
    leaving it drains.

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
    check_number("handshake_timeout", handshake_timeout, 0, math.inf)
    if not 0 < handshake_timeout < math.inf:
        raise ValueError("handshake_timeout is seconds above zero")
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
        address: Address | socket.socket | Sequence[socket.socket],
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
        if isinstance(address, socket.socket):
            address = [address]
        self._where = (
            parse_listening(address) if isinstance(address, str) else list(address)
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
        self._load = Load(limits.server_calls)
        self._room = min(limits.connections, descriptors_allowed())
        self._shells: dict[asyncio.Future[None], Shell] = {}  # by their `idle`
        self._forget = self._left  # one for all: each connection would keep its own
        self._context = copy_context()
        self._hosts: dict[str, int] = {}  # connections from each
        self._host_of: dict[asyncio.Future[None], str] = {}
        self._refused: set[asyncio.Future[None]] = set()  # that are not closed yet
        self._refusals = Tally()
        self._watch = Watch(self._shells.values(), limits)
        self._servers: list[asyncio.Server | UnixListener] = []
        self._socket_file: SocketFile | None = None
        self._closed = asyncio.Event()
        self._signalled = False
        self._drained_by: float | None = None  # on the loop's clock, once it drains
        self._waits: set[asyncio.Timeout] = set()  # for the end of the draining

    async def __aenter__(self) -> Self:
        where = self._where
        if isinstance(where, Systemd):
            where = inherited_sockets(where.name)
        if isinstance(where, list):
            try:
                for listening in where:
                    self._servers.append(await self._listen(listening))
            except BaseException:
                self.close()
                for listening in where:
                    listening.close()
                raise
        elif isinstance(where, Tcp):
            loop = asyncio.get_running_loop()
            self._servers.append(
                await loop.create_server(self._arrive, where.host, where.port)
            )
        else:
            self._socket_file = SocketFile(where.path)
            self._servers.append(await self._listen(self._socket_file.listen()))
        self.addresses = [
            format_address(s.getsockname())
            for server in self._servers
            for s in server.sockets
        ]
        logger.debug("listening on %s", ", ".join(self.addresses))
        return self

    async def _listen(self, listening: socket.socket) -> asyncio.Server | UnixListener:
        if listening.family == getattr(socket, "AF_UNIX", None):
            return listen_unix(listening, self._accept)
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._arrive, sock=listening)

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """``drain``."""
        await self.drain()

    async def drain(self) -> None:
        """Stop accepting; refuse requests; finish what is served, in the drain time.

        Returns when every connection has ended. Who cancels this does not want to wait:
        then every one ends at once. Not for handlers: it would wait for the one that
        calls it.
        """
        self.close()
        for layer in list(self._securing):
            layer.abort()
        for shell in list(self._shells.values()):
            shell.close()
        now = asyncio.get_running_loop().time()
        first = self._drained_by is None
        if self._drained_by is None:
            self._drained_by = now + self._drain_timeout + 2 * LAST_WORDS
        if self._shells:
            try:
                async with asyncio.timeout_at(self._drained_by) as wait:
                    self._waits.add(wait)
                    try:
                        await asyncio.wait(list(self._shells))
                    finally:
                        self._waits.discard(wait)
            except TimeoutError:
                for shell in list(self._shells.values()):
                    shell.abort()
                if first:
                    count = f"{len(self._shells):,}"
                    logger.error("handlers of %s connections do not end", count)
            except asyncio.CancelledError:
                self._abort()
                raise
        for _ in range(2):  # turns of the loop for what it has accepted meanwhile
            await asyncio.sleep(0)
        if self._refused:
            await asyncio.wait(self._refused, timeout=LAST_WORDS)
        self._watch.stop()

    def _abort(self) -> None:
        """End every connection at once; a handler that is cancelled may still clean up
        for a moment.
        """
        for shell in list(self._shells.values()):
            shell.abort()
        now = asyncio.get_running_loop().time()
        self._drained_by = now + LAST_WORDS
        for wait in self._waits:
            wait.reschedule(self._drained_by)

    def close(self) -> None:
        """Accept no more connections; those that there are stay."""
        if self._socket_file is not None:
            self._socket_file.remove()
        for server in self._servers:
            server.close()
        self._refusals.close()
        self._closed.set()

    async def serve_forever(self) -> None:
        """Wait for SIGTERM, SIGINT or ``close``. A signal drains; a second one ends all
        connections at once.

        Where this thread has no signal handlers, those of the program stay. Under
        systemd this tells that the program is ready, and that it lives.
        """
        with attended(self._end):
            await self._until_closed()

    async def _until_closed(self) -> None:
        await self._closed.wait()
        if self._signalled:
            await self.drain()

    def _end(self) -> None:
        """Drain, or, the second time, end at once."""
        if self._signalled:
            self._abort()
        self._signalled = True
        self.close()

    # --- connections ------------------------------------------------------------------

    def _arrive(self) -> asyncio.BaseProtocol:
        return _Arrival(self._admit)

    def _admit(self, transport: asyncio.Transport) -> asyncio.BaseProtocol:
        """What is to hear of a connection by TCP, now that it is known from where."""
        peer = transport.get_extra_info("peername")
        return self._accept(str(peer[0]) if peer else "")

    def _accept(self, host: str = "") -> asyncio.BaseProtocol:
        limits = self._limits
        if self._closed.is_set():  # it came in while the server closed
            return _Refused(self._refused)
        if len(self._shells) >= self._room:
            limit = f"{self._room:,} connections are open (Limits.connections)"
            self._refusals.warn(f"a connection is refused: {limit}")
            return _Refused(self._refused)
        from_host = self._hosts.get(host, 0)
        if host and from_host >= limits.connections_per_host:
            limit = f"{from_host:,} are open from {host} (Limits.connections_per_host)"
            self._refusals.warn(f"a connection is refused: {limit}")
            return _Refused(self._refused)
        try:
            connection = Connection(
                self._services.handlers,
                limits=limits,
                drain_timeout=self._drain_timeout,
                fallback=self._fallback,
                keepalive=self._keepalive,
                load=self._load,
            )
        except Exception:
            logger.exception("a service could not be made: the connection is closed")
            return _Refused(self._refused)
        shell = connection._shell
        self._shells[shell.idle] = shell
        if host:
            self._hosts[host] = from_host + 1
            self._host_of[shell.idle] = host
        shell.idle.add_done_callback(self._forget, context=self._context)
        self._watch.wake()
        return receiver_for(self._secured(shell))

    def _left(self, idle: asyncio.Future[None]) -> None:
        del self._shells[idle]
        host = self._host_of.pop(idle, "")
        if host:
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

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


class _Arrival(asyncio.Protocol):
    """A connection of which it is not known yet whence it comes."""

    def __init__(
        self, admit: Callable[[asyncio.Transport], asyncio.BaseProtocol]
    ) -> None:
        self._admit = admit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connected: asyncio.Transport = transport  # type: ignore[assignment]
        protocol = self._admit(connected)
        connected.set_protocol(protocol)
        protocol.connection_made(connected)


class _Refused(asyncio.Protocol):
    """A connection that is closed at once; ``open_`` has it until that is done."""

    def __init__(self, open_: set[asyncio.Future[None]]) -> None:
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed.add_done_callback(open_.discard)
        open_.add(self._closed)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        self._closed.set_result(None)


def _handler(
    fallback: Fallback, interceptors: tuple[Interceptor, ...], name: bytes
) -> Handler:
    def method(box: dict[bytes, bytes]) -> Awaitable[dict[bytes, bytes]]:
        return fallback(name, box, current_call())

    handler = Handler(raw_command(name), method, 1)
    return intercepted_handler(handler, interceptors) if interceptors else handler
