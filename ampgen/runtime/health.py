"""The standard health service, ready to be served beside others.

What it speaks is ``health.amp``, as the compiler generates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.generated.health import (
    CheckResult,
    HealthBlockingClient,
    HealthClient,
    HealthServer,
    Status,
    UnknownService,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CheckResult",
    "HealthBlockingClient",
    "HealthClient",
    "HealthServer",
    "HealthService",
    "Status",
    "UnknownService",
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

    def status(self, service: str = "") -> Status | str | None:
        """What it says of a service; ``None`` if nothing."""
        return self._statuses.get(service)

    def set_status(self, status: Status | str, service: str = "") -> None:
        """Say this of the server, or of one service, from now on."""
        self._statuses[service] = status

    def check(self, service: str) -> CheckResult:
        status = self._statuses.get(service)
        if status is None:
            raise UnknownService(f"no service {service!r} here", service=service)
        return CheckResult(status=status)
