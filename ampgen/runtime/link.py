"""One connection that is made again whenever it ends."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

from ampgen.runtime.racing import all_failed
from ampgen.runtime.status import ConnectionState, ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeAlias

    from ampgen.runtime.addresses import Tcp, Unix
    from ampgen.runtime.backoff import Backoff
    from ampgen.runtime.connection import Connection
    from ampgen.runtime.shell import Shell

    Dial: TypeAlias = Callable[[Tcp | Unix, float | None], Awaitable[Connection]]
    """Connect to an address within so many seconds; raises ``OSError`` if it fails."""

logger = logging.getLogger("ampgen")


async def dial_in_turn(
    dial: Dial, order: list[Tcp | Unix], seconds: float | None
) -> Connection:
    """The first address that can be connected to; those that fail go to the end.

    Each has its share of the ``seconds``: one that is silent leaves the others theirs.
    Raises an ``OSError`` that says what became of each.
    """
    loop = asyncio.get_running_loop()
    end = math.inf if seconds is None else loop.time() + seconds
    failures: list[tuple[object, OSError]] = []
    for untried in range(len(order), 0, -1):
        share = None if seconds is None else seconds / untried
        try:
            return await dial(order[0], share)
        except OSError as error:
            failures.append((order[0], error))
            order.append(order.pop(0))
            seconds = None if seconds is None else max(end - loop.time(), 0)
    raise all_failed("no address can be connected to", failures)


class Link:
    """Keeps one connection to one of some addresses.

    ``shell`` is that of the connection, ``None`` while there is none. ``tell`` hears of
    each new ``status``, ``add`` of each connection.
    """

    def __init__(
        self,
        dial: Dial,
        addresses: Sequence[Tcp | Unix],
        backoff: Backoff,
        *,
        connect_timeout: float | None,
        tell: Callable[[], None],
        add: Callable[[Connection], None],
    ) -> None:
        self.shell: Shell | None = None
        self.status = ConnectionStatus(state=ConnectionState.CONNECTING, attempt=0)
        self._dial = dial
        self._order = list(addresses)
        self._backoff = backoff
        self._connect_timeout = connect_timeout
        self._tell = tell
        self._add = add
        self._lost = asyncio.Event()
        self._since = 0.0  # when the connection was made
        self._failures = 0  # a connection that does not last is one, too
        self._missed = False  # the log has it that there is no connection

    async def open(self) -> None:
        """Connect for the first time; raises what that raises."""
        self._connected(await self._dial_in_turn(), 1)

    async def keep(self) -> None:
        """Connect again whenever there is no connection, until this is cancelled."""
        while True:
            if self.shell is None:
                await self._attempt(self.status.attempt + 1)
            if self.shell is not None:
                await self._lost.wait()
            await asyncio.sleep(self.status.retry_in or 0)

    def lose(self, reason: str, *, drains: bool = False) -> None:
        """The connection is of no use any more, even if it has not ended yet.

        Where its server ``drains``, another one is likely there already: if this one
        has lasted, the next is made without a delay.
        """
        lasted = asyncio.get_running_loop().time() - self._since
        if lasted >= self._backoff.whole(self._failures):
            self._failures = 0
        else:
            drains = False
        self._miss(f"{self.status.address}: {reason}; connecting again")
        self._order.append(self._order.pop(0))
        self.shell = None
        self._rest(0, reason, at_once=drains)
        self._lost.set()

    def stop(self) -> None:
        """The end of the connection is nobody's business any more."""
        self.shell = None

    async def _attempt(self, attempt: int) -> None:
        reason = self.status.reason
        self._change(ConnectionState.CONNECTING, attempt=attempt, reason=reason)
        try:
            connection = await self._dial_in_turn()
        except OSError as error:
            reason = str(error) or type(error).__name__
        except Exception as error:
            # a factory of what is served here, say: it may do better the next time
            logger.exception("a connection could not be made")
            reason = f"{type(error).__name__}: {error}"
        else:
            self._connected(connection, attempt)
            return
        self._miss(f"no connection: {reason}; trying again")
        self._rest(attempt, reason)

    async def _dial_in_turn(self) -> Connection:
        return await dial_in_turn(self._dial, self._order, self._connect_timeout)

    def _connected(self, connection: Connection, attempt: int) -> None:
        shell = connection._shell
        self.shell = shell
        self._since = asyncio.get_running_loop().time()
        self._lost.clear()
        self._add(connection)
        if self._missed:
            logger.info("connected to %s, attempt %s", shell.peer_address, attempt)
            self._missed = False
        self._change(
            ConnectionState.CONNECTED, address=shell.peer_address, attempt=attempt
        )

        def ended(_closed: asyncio.Future[None]) -> None:
            if self.shell is shell:
                self.lose(str(shell.protocol.lost(sent=False)))

        shell.closed.add_done_callback(ended)

    def _rest(self, attempt: int, reason: str, *, at_once: bool = False) -> None:
        delay = 0.0 if at_once else self._backoff.delay(self._failures)
        self._failures += 1
        self._change(
            ConnectionState.WAITING, attempt=attempt, reason=reason, retry_in=delay
        )

    def _miss(self, message: str) -> None:
        """Once for each time that there is no connection; the rest is for debugging."""
        logger.log(logging.DEBUG if self._missed else logging.INFO, "%s", message)
        self._missed = True

    def _change(
        self,
        state: ConnectionState,
        *,
        address: str = "",
        attempt: int,
        reason: str = "",
        retry_in: float | None = None,
    ) -> None:
        self.status = ConnectionStatus(
            state=state,
            address=address,
            attempt=attempt,
            reason=reason,
            retry_in=retry_in,
        )
        self._tell()
