"""The standard health service, ready to be served beside others.

What it speaks is ``health.amp``, as the compiler generates it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ampgen.runtime.connection import current_call
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

    from ampgen.runtime.connection import Connection

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
        self._watches: set[_Watch] = set()

    def status(self, service: str = "") -> Status | str | None:
        """What it says of a service; ``None`` if nothing."""
        return self._statuses.get(service)

    def set_status(self, status: Status | str, service: str = "") -> None:
        """Say this of the server, or of one service, from now on.

        Any thread may. Those who watch hear of the last of several changes.
        """
        self._statuses[service] = status
        for watch in tuple(self._watches):
            watch.loop.call_soon_threadsafe(watch.changed.set)

    def check(self, service: str) -> CheckResult:
        return CheckResult(status=self._known(service))

    async def watch(self, service: str) -> AsyncIterator[WatchItem]:
        """A server that drains is not serving: that is the last that is told."""
        told = self._known(service)
        yield WatchItem(status=told)
        watch = _Watch()
        connection = current_call().connection
        connection.add_drain_callback(watch.drain)
        self._watches.add(watch)
        try:
            while not watch.draining:
                watch.changed.clear()
                status = self._known(service)
                if status == told:
                    await watch.changed.wait()
                else:
                    told = status
                    yield WatchItem(status=told)
        finally:
            self._watches.discard(watch)
            connection.remove_drain_callback(watch.drain)
        if told != Status.NOT_SERVING:
            yield WatchItem(status=Status.NOT_SERVING)

    def _known(self, service: str) -> Status | str:
        status = self._statuses.get(service)
        if status is None:
            raise UnknownService(f"no service {service!r} here", service=service)
        return status


class _Watch:
    """Somebody who watches."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.changed = asyncio.Event()
        self.draining = False

    def drain(self, _connection: Connection) -> None:
        self.draining = True
        self.changed.set()
