"""The standard health service, ready to be served beside others.

What it speaks is ``health.amp``, as the compiler generates it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ampgen.runtime.generated.health import (
    CheckResult,
    HealthBlockingClient,
    HealthClient,
    HealthServer,
    Status,
    UnknownService,
    WatchItem,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

__all__ = [
    "CheckResult",
    "HealthBlockingClient",
    "HealthClient",
    "HealthServer",
    "HealthService",
    "Status",
    "UnknownService",
    "WatchItem",
]


class HealthService(HealthServer):
    """Answers what it has been told: ``serve(address, Text(), HealthService())``.

    The server, under the empty name, is serving until it is told otherwise. Of another
    name nothing is known until it is told; each stands for itself, whatever the server
    is. One object may be served in several places.
    """

    def __init__(self, statuses: Mapping[str, Status | str] | None = None) -> None:
        self._statuses: dict[str, Status | str] = {"": Status.SERVING}
        self._statuses.update(statuses or {})
        self._watching: set[asyncio.Future[None]] = set()

    def status(self, service: str = "") -> Status | str | None:
        """What it says of a service; ``None`` if nothing."""
        return self._statuses.get(service)

    def set_status(self, status: Status | str, service: str = "") -> None:
        """Say this of the server, or of one service, from now on. Any thread may."""
        self._statuses[service] = status
        for change in list(self._watching):
            change.get_loop().call_soon_threadsafe(_wake, change)

    def check(self, service: str) -> CheckResult:
        return CheckResult(status=self._known(service))

    async def watch(self, service: str) -> AsyncIterator[WatchItem]:
        """Of changes in quick succession the last one is told."""
        told: Status | str | None = None
        while True:
            change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watching.add(change)
            try:
                status = self._known(service)
                if status != told:
                    told = status
                    yield WatchItem(status=status)
                    continue
                await change
            finally:
                self._watching.discard(change)

    def _known(self, service: str) -> Status | str:
        status = self._statuses.get(service)
        if status is None:
            raise UnknownService(f"no service {service!r} here", service=service)
        return status


def _wake(change: asyncio.Future[None]) -> None:
    if not change.done():
        change.set_result(None)
