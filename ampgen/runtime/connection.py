"""One connection, as programs see it; and the call that a handler is in."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ampgen.runtime.command import raw_command
from ampgen.runtime.credentials import peer_uid
from ampgen.runtime.errors import UnknownCommand
from ampgen.runtime.load import UNBOUNDED
from ampgen.runtime.reflection import SCHEMA
from ampgen.runtime.serving import current
from ampgen.runtime.shell import Shell
from ampgen.runtime.status import ConnectionState, ConnectionStatus, States

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from typing import Any, Protocol, TypeVar

    from ampgen.runtime.command import AnyCommand, Command, Handler
    from ampgen.runtime.load import Load
    from ampgen.runtime.reflection import Schemas
    from ampgen.runtime.serving import Serving
    from ampgen.runtime.wire import Limits

    R = TypeVar("R")

    class Caller(Protocol):
        """What makes calls to a peer, over one connection or several."""

        @property
        def loop(self) -> asyncio.AbstractEventLoop: ...

        @property
        def connection(self) -> object: ...

        @property
        def peer_address(self) -> str: ...

        def call(
            self,
            command: Command[Any, R],
            arguments: Any,
            seconds: float | None,
            metadata: Mapping[str, str] | None = None,
        ) -> Awaitable[R]:
            """The result, to be awaited at once; it may raise before that."""
            ...

        async def tell(
            self,
            command: AnyCommand,
            arguments: Any,
            seconds: float | None,
            metadata: Mapping[str, str] | None = None,
        ) -> None: ...

        async def reach(self, command: AnyCommand, seconds: float | None) -> Shell:
            """The shell of one connection, for what ends with it: a stream."""
            ...

        def abort(self) -> None:
            """End at once."""


DRAIN_TIMEOUT = 10.0  # seconds that what is being served has left at the end


class CurrentCall:
    """The call that is being handled."""

    __slots__ = ("_serving",)

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    @property
    def connection(self) -> Connection:
        connection: Connection = self._serving.host.connection
        return connection

    @property
    def command(self) -> str:
        """Its name on the wire."""
        return self._serving.handler.command.wire.decode("utf-8", "backslashreplace")

    @property
    def peer_address(self) -> str:
        return self.connection.peer_address

    @property
    def peer_certificate(self) -> dict[str, Any] | None:
        """``Connection.peer_certificate``"""
        return self.connection.peer_certificate

    @property
    def identity(self) -> Any:
        """Who calls: what an interceptor found out for this one call, else the
        connection's identity, else ``None``.
        """
        if self._serving.identity is not None:
            return self._serving.identity
        return self.connection.identity

    @property
    def peer_uid(self) -> int | None:
        """The user that the peer runs as: see ``Connection.peer_uid``."""
        return self.connection.peer_uid

    @property
    def deadline(self) -> float | None:
        """When the caller gives up, on the loop's clock, as far as it has said.

        The handler is cancelled then; its own calls have no more time than that.
        """
        return self._serving.deadline

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the caller sent along with the call."""
        extras = self._serving.extras
        return MappingProxyType({} if extras is None else extras.metadata)

    @property
    def answer_metadata(self) -> dict[str, str]:
        """Fill it to send metadata along with the answer, or with the error.

        Names are ``[a-z0-9.-]{1,64}``, values are text, 8 KiB in all.
        """
        return self._serving.answer_metadata


def current_call() -> CurrentCall:
    """The call that the running handler answers; ``RuntimeError`` outside of one."""
    try:
        return CurrentCall(current.get())
    except LookupError:
        raise RuntimeError(
            "current_call() is for handlers: no call is being handled"
        ) from None


class Connection:
    """One connection to a peer, whichever end opened it.

    ``identity``: who the peer is, as the program has found out; ``None`` until it says.
    ``interceptors`` are around the calls that are made on it.
    """

    # most connections have none of these: as defaults of the class they take no room
    identity: Any = None
    interceptors: tuple[Any, ...] = ()
    _around: Any = None
    _drain_callbacks: tuple[Callable[[Connection], object], ...] = ()

    def __init__(
        self,
        handlers: Callable[[Connection], Mapping[bytes, Handler]],
        *,
        limits: Limits,
        drain_timeout: float = DRAIN_TIMEOUT,
        fallback: Callable[[bytes], Handler] | None = None,
        keepalive: float | None = None,
        load: Load = UNBOUNDED,
    ) -> None:
        self._shell = Shell(
            limits=limits,
            drain_timeout=drain_timeout,
            connection=self,
            fallback=fallback,
            keepalive=keepalive,
            load=load,
        )
        # last: a factory may make clients of this connection
        try:
            self._shell.protocol.handlers = handlers(self)
        except BaseException:
            self._shell.never_connected()
            raise

    @property
    def _caller(self) -> Caller:
        """What makes calls to the peer."""
        return self._shell

    @property
    def state(self) -> ConnectionState:
        return self.status.state

    @property
    def status(self) -> ConnectionStatus:
        """The state, and how it came to it."""
        shell = self._shell
        if shell.is_connected:
            return ConnectionStatus(
                state=ConnectionState.CONNECTED, address=shell.peer_address
            )
        if not shell.is_closed:  # a factory of the server asks
            return ConnectionStatus(state=ConnectionState.CONNECTING)
        reason = str(shell.protocol.lost(sent=False))
        return ConnectionStatus(state=ConnectionState.CLOSED, reason=reason)

    def states(self) -> AsyncIterator[ConnectionStatus]:
        """The status now, and after each change, until it is closed.

        Who is slow to ask for the next one sees the last of several changes.
        """
        return States(lambda: self.status, self.wait_closed)

    @property
    def peer_address(self) -> str:
        """``host:port``, or ``unix:path``, as far as the system tells."""
        return self._shell.peer_address

    @property
    def is_encrypted(self) -> bool:
        """Does TLS protect it? With ``StartTLS`` that may be true only later on."""
        return self._shell.tls is not None

    @property
    def peer_certificate(self) -> dict[str, Any] | None:
        """The peer's, if it showed one and this end verified it.

        As ``ssl.SSLSocket.getpeercert`` returns it: ``subject``, ``subjectAltName`` and
        so on.
        """
        tls = self._shell.tls
        return None if tls is None else tls.getpeercert() or None

    @property
    def peer_uid(self) -> int | None:
        """The user that the peer ran as when it connected, as the system knows it.

        ``None`` where it does not tell: it does for Unix sockets alone, and not on
        every system.
        """
        return peer_uid(getattr(self._shell, "transport", None))

    @property
    def bytes_received(self) -> int:
        return self._shell.protocol.bytes_received

    @property
    def bytes_sent(self) -> int:
        """What has been handed to the system."""
        return self._shell.protocol.bytes_sent

    @property
    def is_closed(self) -> bool:
        return self._shell.is_closed

    async def wait_closed(self) -> None:
        """Wait for the end of the connection. Cancelling is safe."""
        await asyncio.shield(self._shell.closed)

    def add_close_callback(self, callback: Callable[[Connection], object]) -> None:
        """Call ``callback(connection)`` soon after the end of the connection."""
        self._shell.closed.add_done_callback(lambda _closed: callback(self))

    def add_drain_callback(self, callback: Callable[[Connection], object]) -> None:
        """Call ``callback(connection)`` soon after the end has begun: what is being
        served is still finished, and nothing new is served.

        For what would not end by itself, as a stream of events.
        """
        self._drain_callbacks += (callback,)
        if self._shell.protocol.state:
            self._drain()

    def remove_drain_callback(self, callback: Callable[[Connection], object]) -> None:
        """Do not call it, unless that has been done."""
        self._drain_callbacks = tuple(
            one for one in self._drain_callbacks if one != callback
        )

    def _drain(self) -> None:
        callbacks, self._drain_callbacks = self._drain_callbacks, ()
        for callback in callbacks:
            self._shell.loop.call_soon(callback, self)

    async def call_box(
        self,
        command: bytes,
        box: Mapping[bytes, bytes],
        *,
        oneway: bool = False,
        timeout: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> dict[bytes, bytes]:
        """Send any box, and return that of the answer (empty if ``oneway``).

        Keys that start with ``_`` are AMP's own: they are refused, and not returned.
        """
        raw = raw_command(command)
        if self._around is not None:
            arguments = (box,)
            answer = await self._around(raw, arguments, timeout, metadata, oneway)
            return {} if oneway else answer
        if oneway:
            await self._caller.tell(raw, (box,), timeout, metadata)
            return {}
        return await self._caller.call(raw, (box,), timeout, metadata)

    async def schemas(self, *, timeout: float | None = None) -> Schemas:
        """The schemas of what the peer serves: a text for each path.

        ``UnknownCommand`` where it does not tell them.
        """
        try:
            return await self._caller.call(SCHEMA, (), timeout)
        except UnknownCommand:
            raise UnknownCommand(
                "the peer does not tell its schemas: an ampgen server does if it is"
                " started with `serve(…, reflect=True)`"
            ) from None

    def close(self) -> None:
        """Refuse further requests, finish those being served, and close."""
        self._shell.close()

    async def aclose(self) -> None:
        """``close``, and wait for the end; at most the drain time."""
        self.close()
        await self.wait_closed()
