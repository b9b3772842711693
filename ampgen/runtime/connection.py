"""One connection, as programs see it; and the call that a handler is in."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ampgen.runtime.command import raw_command
from ampgen.runtime.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ampgen.runtime.command import Handler
    from ampgen.runtime.wire import Limits

DRAIN_TIMEOUT = 10.0  # seconds that what is being served has left at the end


class CurrentCall:
    """The call that is being handled."""

    __slots__ = ("_handler", "connection")

    def __init__(self, connection: Connection, handler: Handler) -> None:
        self.connection = connection
        self._handler = handler

    @property
    def command(self) -> str:
        """Its name on the wire."""
        return self._handler.command.wire.decode("utf-8", "backslashreplace")

    @property
    def peer_address(self) -> str:
        return self.connection.peer_address


# What a ``CurrentCall`` is made of: most handlers never ask for theirs.
_current: ContextVar[tuple[Connection, Handler]] = ContextVar("ampgen.current_call")


def current_call() -> CurrentCall:
    """The call that the running handler answers; ``RuntimeError`` outside of one."""
    try:
        return CurrentCall(*_current.get())
    except LookupError:
        raise RuntimeError(
            "current_call() is for handlers: no call is being handled"
        ) from None


class Connection:
    """One connection to a peer, whichever end opened it."""

    def __init__(
        self,
        handlers: Callable[[Connection], Mapping[bytes, Handler]],
        *,
        limits: Limits,
        drain_timeout: float = DRAIN_TIMEOUT,
        fallback: Callable[[bytes], Handler] | None = None,
    ) -> None:
        self._shell = Shell(
            limits=limits,
            drain_timeout=drain_timeout,
            current=_current,
            connection=self,
            fallback=fallback,
        )
        # last: a factory may make clients of this connection
        try:
            self._shell.protocol.handlers = handlers(self)
        except BaseException:
            self._shell.never_connected()
            raise

    @property
    def peer_address(self) -> str:
        """``host:port``, or ``unix:path``, as far as the system tells."""
        return self._shell.peer_address

    @property
    def is_closed(self) -> bool:
        return self._shell.is_closed

    async def wait_closed(self) -> None:
        """Wait for the end of the connection. Cancelling is safe."""
        await asyncio.shield(self._shell.closed)

    def add_close_callback(self, callback: Callable[[Connection], object]) -> None:
        """Call ``callback(connection)`` soon after the end of the connection."""
        self._shell.closed.add_done_callback(lambda _closed: callback(self))

    async def call_box(
        self,
        command: bytes,
        box: Mapping[bytes, bytes],
        *,
        oneway: bool = False,
        timeout: float | None = None,
    ) -> dict[bytes, bytes]:
        """Send any box, and return that of the answer (empty if ``oneway``).

        Keys that start with ``_`` are AMP's own: they are refused, and not returned.
        """
        raw = raw_command(command)
        if oneway:
            await self._shell.tell(raw, (box,), timeout)
            return {}
        return await self._shell.call(raw, (box,), timeout)

    def close(self) -> None:
        """Refuse further requests, finish those being served, and close."""
        self._shell.close()

    async def aclose(self) -> None:
        """``close``, and wait for the end; at most the drain time."""
        self.close()
        await self.wait_closed()
