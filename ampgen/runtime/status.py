"""What has become of a connection."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    OnState: TypeAlias = Callable[["ConnectionStatus"], object]

logger = logging.getLogger("ampgen")


class ConnectionState(StrEnum):
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"  # for the next attempt
    CLOSED = "closed"  # for good


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """The state of a connection, and how it came to it.

    ``address``: the peer's, while connected. ``attempt``: which attempt it is, or was,
    since there was a connection; 0 before the first. ``reason``: why the last one ended
    or could not be made. ``retry_in``: seconds between that and the next attempt, while
    waiting.
    """

    state: ConnectionState
    address: str = ""
    attempt: int = 1
    reason: str = ""
    retry_in: float | None = None


def tell_status(on_state: OnState, status: ConnectionStatus) -> None:
    """Call what a program has given; that it fails is no matter of the connection."""
    try:
        on_state(status)
    except Exception:
        logger.exception("on_state failed")


class States(AsyncIterator[ConnectionStatus]):
    """The status now, and after each change, until it is closed.

    No generator: whoever breaks out of a loop over it leaves nothing to be closed.
    ``status`` gives the status, ``changed`` waits for the next change.
    """

    def __init__(
        self,
        status: Callable[[], ConnectionStatus],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._status = status
        self._changed = changed
        self._seen: ConnectionStatus | None = None

    async def __anext__(self) -> ConnectionStatus:
        if self._seen is not None:
            if self._seen.state is ConnectionState.CLOSED:
                raise StopAsyncIteration
            if self._status() == self._seen:
                await self._changed()
        self._seen = self._status()
        return self._seen
