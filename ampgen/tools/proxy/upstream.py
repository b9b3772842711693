"""The server that a tool talks to byte by byte, and how to get to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ampgen.runtime.dialling import dial_one
from ampgen.tools.oserrors import reason

if TYPE_CHECKING:
    from typing import Protocol

    from ampgen.runtime.addresses import Tcp, Unix
    from ampgen.runtime.dialling import Securing
    from ampgen.runtime.receiver import Shell
    from ampgen.runtime.wire import Limits

    class End(Shell, Protocol):
        """Who hears of the connection. ``limits``: of what is said before StartTLS."""

        limits: Limits


class NotConnected(Exception):
    """There is no connection to the server. The text says to which one, and why."""


class Upstream(NamedTuple):
    """``securing``: what TLS there is to be, if any; ``timeout`` is in seconds."""

    where: Tcp | Unix
    securing: Securing | None = None
    timeout: float = 10.0

    async def connect(self, end: End) -> None:
        """Raises :class:`NotConnected`."""
        try:
            # it asks for a shell of AMP's, and needs nothing else of it
            await dial_one(self.where, cast("Any", end), self.timeout, self.securing)
        except OSError as error:
            text = f"cannot connect to {self.where}: {reason(error)}"
            raise NotConnected(text) from error
