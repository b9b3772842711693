"""The health service, asked by Twisted, and served by it."""

# mypy: disable-error-code="misc,no-untyped-call"
# pyright: basic
# ruff: noqa: N815, RUF012
from __future__ import annotations

import pytest
from twisted.protocols import amp

from ampgen.runtime import HealthService, serve
from ampgen.runtime.health import Status
from tests.interop.reactor import ask, twisted_client


class UnknownServiceError(Exception):
    pass


class Check(amp.Command):
    """As docs/health.md has it."""

    commandName = b"health.Check"
    arguments = [(b"service", amp.Unicode(optional=True))]
    response = [(b"status", amp.Unicode())]
    errors = {UnknownServiceError: b"health.UNKNOWN_SERVICE"}


async def test_twisted_may_ask_for_the_health() -> None:
    service = HealthService({"Text": Status.NOT_SERVING})
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        assert await ask(end, Check) == {"status": "serving"}
        assert await ask(end, Check, service="Text") == {"status": "not-serving"}
        with pytest.raises(UnknownServiceError):
            await ask(end, Check, service="Other")
