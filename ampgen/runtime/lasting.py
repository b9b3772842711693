"""A connection that outlives its sockets: made again, one of several, calls retried.

To programs and to the generated clients it is a ``Connection``. Behind it stand links,
each of which keeps one real connection; a call goes over the one with the fewest calls.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from ampgen.runtime.answers import CLOSING
from ampgen.runtime.backoff import Budget
from ampgen.runtime.calls import deadline_exceeded
from ampgen.runtime.connection import Connection
from ampgen.runtime.errors import (
    CommandError,
    ConnectionLost,
    DeadlineExceeded,
    Overloaded,
    ProtocolError,
    Unavailable,
)
from ampgen.runtime.link import Link
from ampgen.runtime.serving import current
from ampgen.runtime.status import (
    ConnectionState,
    ConnectionStatus,
    States,
    tell_status,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from ampgen.runtime.addresses import Tcp, Unix
    from ampgen.runtime.backoff import Reconnect
    from ampgen.runtime.command import AnyCommand, Command
    from ampgen.runtime.link import Dial
    from ampgen.runtime.shell import Shell
    from ampgen.runtime.status import OnState

R = TypeVar("R")

_LATE = 0.01  # seconds: the peer's clock may run a little ahead of ours
_BEST = {  # of several links, the status is that of the one that is furthest
    ConnectionState.CONNECTED: 0,
    ConnectionState.CONNECTING: 1,
    ConnectionState.WAITING: 2,
}


class LastingCaller:
    """Makes calls over whichever link has a connection, and waits where none has."""

    def __init__(
        self,
        dial: Dial,
        addresses: Sequence[Tcp | Unix],
        reconnect: Reconnect,
        *,
        pool: int,
        connect_timeout: float | None,
        on_state: OnState | None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self.connections: set[Connection] = set()  # that have not ended yet
        self.connection: object = None  # as programs see it
        self.peer_address = ""  # where the last connection led to
        self.past_received = self.past_sent = 0  # bytes of those that have ended
        self._reconnect = reconnect
        self._retry = reconnect.retry
        self._budget = None if self._retry is None else Budget(self._retry)
        self._on_state = on_state
        self._closing = False
        # each link begins with another address, so that a pool spreads over them
        self._links = [
            Link(
                dial,
                [*addresses[n % len(addresses) :], *addresses[: n % len(addresses)]],
                reconnect,
                connect_timeout=connect_timeout,
                tell=self._changed,
                add=self._add,
            )
            for n in range(pool)
        ]
        self.status = self._links[0].status
        self._keeping: list[asyncio.Task[None]] = []
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._watching: dict[asyncio.Future[None], None] = {}

    async def open(self) -> None:
        """Connect, unless that may wait, and keep all connections up from now on."""
        if not self._reconnect.lazy:
            await self._links[0].open()
        self._keeping = [self.loop.create_task(link.keep()) for link in self._links]

    # --- calls ------------------------------------------------------------------------

    async def call(
        self,
        command: Command[Any, R],
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None = None,
    ) -> R:
        """As that of one connection, and again where that is right and of use.

        What has certainly not left, or was refused by a server that is closing, waits
        for the next connection as if it were made now. What the peer refused otherwise,
        and what it may have served if that does no harm, is made again as often as
        ``Retry`` allows.
        """
        outer = current.get(None)
        if outer is not None and outer.open:
            seconds = outer.time_left(seconds)
        deadline = None if seconds is None else self.loop.time() + seconds
        failures = 0
        last: Shell | None = None
        at_once = True
        while True:
            shell = self._least_loaded(last)
            if shell is None:
                shell = await self._connected(command, deadline, seconds)
                at_once = False
            left = seconds if at_once else self._left(deadline)
            at_once = False
            last = shell
            try:
                result = await shell.call(command, arguments, left, metadata)
            except ConnectionLost as error:
                if not error.sent:
                    continue
                again = command.idempotent and not isinstance(error, ProtocolError)
                if not again or not await self._rest(failures, deadline):
                    raise
            except (Overloaded, Unavailable) as error:
                if error.description == CLOSING and isinstance(error, Unavailable):
                    self._leave(shell)
                    continue
                if not await self._rest(failures, deadline):
                    raise
            except DeadlineExceeded as error:
                early = deadline is None or self.loop.time() < deadline - _LATE
                if error._received and early:
                    raise  # it means something else by it
                raise deadline_exceeded(command, seconds) from None
            except CommandError:
                self._answered()
                raise
            else:
                self._answered()
                return result
            failures += 1

    async def tell(
        self,
        command: AnyCommand,
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """As that of one connection, once there is one."""
        deadline = None if seconds is None else self.loop.time() + seconds
        while True:
            shell = await self._connected(command, deadline, seconds)
            left = self._left(deadline)
            try:
                return await shell.tell(command, arguments, left, metadata)
            except ConnectionLost:  # while it waited for room: nothing has left
                continue
            except DeadlineExceeded:
                raise deadline_exceeded(command, seconds) from None

    async def reach(self, command: AnyCommand, seconds: float | None) -> Shell:
        """A connection for what lives and dies with it, once there is one."""
        deadline = None if seconds is None else self.loop.time() + seconds
        return await self._connected(command, deadline, seconds)

    def _answered(self) -> None:
        if self._budget is not None:
            self._budget.answered()

    def _left(self, deadline: float | None) -> float | None:
        return None if deadline is None else deadline - self.loop.time()

    async def _connected(
        self, command: AnyCommand, deadline: float | None, seconds: float | None
    ) -> Shell:
        while True:
            if self._closing:
                raise ConnectionLost
            shell = self._least_loaded()
            if shell is not None:
                return shell
            waiter: asyncio.Future[None] = self.loop.create_future()
            self._waiting[waiter] = None
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                told = f"{command.name}: no connection within {seconds:g} s"
                if self.status.reason:
                    told += f" ({self.status.reason})"
                raise DeadlineExceeded(told) from None
            finally:
                self._waiting.pop(waiter, None)

    def _least_loaded(self, last: Shell | None = None) -> Shell | None:
        """Of those that are good for a call, ``last`` only if there is no other."""
        best: Shell | None = None
        least = 0
        for link in self._links:
            shell = link.shell
            if shell is None:
                continue
            protocol = shell.protocol
            if protocol.state:  # it is ending
                link.lose(str(protocol.lost(sent=False)))
                continue
            load = len(protocol.calls) + protocol.sending
            if best is None or best is last or (load < least and shell is not last):
                best, least = shell, load
        return best

    def _leave(self, shell: Shell) -> None:
        """Its server finishes what it has, and takes no more: look for another."""
        for link in self._links:
            if link.shell is shell:
                link.lose(CLOSING, drains=True)

    async def _rest(self, failures: int, deadline: float | None) -> bool:
        """Wait before a call is made again; false if it should not be."""
        retry, budget = self._retry, self._budget
        if self._closing or retry is None or budget is None:
            return False
        if failures >= retry.times:
            return False
        delay = retry.delay(failures)
        if deadline is not None and self.loop.time() + delay >= deadline:
            return False
        if not budget.take():
            return False
        await asyncio.sleep(delay)
        return not self._closing

    # --- the links --------------------------------------------------------------------

    @property
    def shell(self) -> Shell:
        """That of a connection there is now; raises ``ConnectionLost`` without one."""
        for link in self._links:
            if link.shell is not None:
                return link.shell
        raise ConnectionLost(self.status.reason or "there is no connection yet")

    def _add(self, connection: Connection) -> None:
        self.peer_address = connection.peer_address
        self.connections.add(connection)
        connection.add_close_callback(self._ended)

    def _ended(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.past_received += connection.bytes_received
        self.past_sent += connection.bytes_sent
        self._check_closed()

    def _changed(self) -> None:
        best = min((link.status for link in self._links), key=lambda s: _BEST[s.state])
        if best.state is ConnectionState.CONNECTED:
            _wake(self._waiting)
        self._tell(best)

    def _tell(self, status: ConnectionStatus) -> None:
        if status == self.status:
            return
        self.status = status
        _wake(self._watching)
        if self._on_state is not None:
            tell_status(self._on_state, status)

    async def changed(self) -> None:
        """Wait for the next change of the status."""
        change: asyncio.Future[None] = self.loop.create_future()
        self._watching[change] = None
        try:
            await change
        finally:
            self._watching.pop(change, None)

    # --- the end ----------------------------------------------------------------------

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        for task in self._keeping:
            task.cancel()
            task.add_done_callback(self._kept)
        for link in self._links:
            link.stop()
        for connection in self.connections:
            connection.close()
        _wake(self._waiting)
        reason = "the connection is closed"
        self._tell(ConnectionStatus(state=ConnectionState.CLOSED, reason=reason))

    def abort(self) -> None:
        """End at once: handlers are cancelled, and nothing more is sent."""
        self.close()
        for connection in self.connections:
            connection._shell.abort()

    def _kept(self, task: asyncio.Task[None]) -> None:
        self._keeping.remove(task)
        self._check_closed()

    def _check_closed(self) -> None:
        if self._closing and not self._keeping and not self.connections:
            self.closed.set_result(None)


class LastingConnection(Connection):
    """What ``connect`` gives with ``reconnect=``: ends when it is closed, only then.

    A handler's ``current_call().connection``, and what a factory of services is called
    with, is the one real connection behind it that the call or the peer has come by.
    """

    def __init__(self, caller: LastingCaller) -> None:
        self._lasting = caller
        caller.connection = self

    @property
    def _shell(self) -> Shell:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """What asks for more than calls asks it of a connection that there is now."""
        return self._lasting.shell

    @property
    def _caller(self) -> LastingCaller:
        return self._lasting

    @property
    def status(self) -> ConnectionStatus:
        return self._lasting.status

    def states(self) -> AsyncIterator[ConnectionStatus]:
        return States(lambda: self.status, self._lasting.changed)

    @property
    def peer_address(self) -> str:
        """That of a connection there is now, else of the last one."""
        return self._lasting.status.address or self._lasting.peer_address

    @property
    def bytes_received(self) -> int:
        """By all connections that there have been."""
        now = sum(each.bytes_received for each in self._lasting.connections)
        return self._lasting.past_received + now

    @property
    def bytes_sent(self) -> int:
        now = sum(each.bytes_sent for each in self._lasting.connections)
        return self._lasting.past_sent + now

    @property
    def is_closed(self) -> bool:
        return self._lasting.closed.done()

    async def wait_closed(self) -> None:
        await asyncio.shield(self._lasting.closed)

    def add_close_callback(self, callback: Callable[[Connection], object]) -> None:
        self._lasting.closed.add_done_callback(lambda _closed: callback(self))

    def close(self) -> None:
        """Close all of it: who waits for a connection waits in vain."""
        self._lasting.close()


def _wake(waiters: dict[asyncio.Future[None], None]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()
