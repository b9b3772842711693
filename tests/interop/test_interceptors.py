"""Interceptors beside Twisted, which knows nothing of them."""

# mypy: disable-error-code="misc,no-untyped-call"
# pyright: basic
# ruff: noqa: N815, RUF012
from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from twisted.protocols import amp

from ampgen.runtime import (
    InterceptedCall,
    Overloaded,
    Proceed,
    RemoteError,
    current_call,
    intercepted,
    serve,
)
from ampgen.runtime.interceptors import (
    LogCalls,
    RateLimit,
    require_identity,
    send_token,
    token_identity,
    uid_identity,
)
from ampgen.runtime.interceptors.otel import Tracing
from ampgen.runtime.interceptors.prometheus import Metrics
from tests.interop import twisted_commands as commands
from tests.interop.ours import events_service, interop_service
from tests.interop.reactor import ask, twisted_client, twisted_server

if TYPE_CHECKING:
    from pathlib import Path


class Nobody(Exception):
    pass


class Signed(amp.Command):
    """`Large`, with a token and what an answer without one may be."""

    commandName = b"Large"
    arguments = [
        (b"size", amp.Integer()),
        (b"_meta.authorization", amp.Unicode(optional=True)),
        (b"_meta.traceparent", amp.Unicode(optional=True)),
    ]
    response = [(b"raw", amp.String())]
    errors = {Nobody: b"UNAUTHENTICATED"}


class Everything:
    """All that come with the runtime, around calls of either end."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.around: list[Any] = [
            LogCalls(),
            Tracing(provider),
            Metrics(self.registry),
            RateLimit(1e6),
        ]

    def completed(self, side: str, command: str, code: str = "OK") -> float | None:
        labels = {"side": side, "service": "Interop", "command": command, "code": code}
        return self.registry.get_sample_value("amp_calls_completed_total", labels)


async def test_twisted_calls_us(interop: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ampgen.calls")
    all_ = Everything()
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service, interceptors=all_.around) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        assert await ask(end, commands.Large, size=2) == {"raw": b"xx"}
        with pytest.raises(commands.Refused, match="no, thanks"):
            await ask(end, commands.Fail, how="refused")
        answer = await ask(end, commands.Renamed, how_many=3, Upper="x")
        assert answer == {"the_end": 3, "Upper": "x"}
        await ask(end, commands.Log, line="x")
        assert await ask(end, commands.Large, size=0) == {"raw": b""}
    assert service.seen[-1] == {"line": "x"}
    assert all_.completed("server", "Large") == 2
    assert all_.completed("server", "Fail", "REFUSED") == 1
    assert all_.completed("server", "Log") == 1
    names = [span.name for span in all_.exporter.get_finished_spans()]
    assert names[:3] == ["Interop/Large", "Interop/Fail", "Interop/Renamed"]
    codes = [vars(r)["code"] for r in caplog.records if r.name == "ampgen.calls"]
    assert codes == ["OK", "REFUSED", "OK", "OK", "OK"]
    assert all_.registry.get_sample_value("amp_received_bytes_total")


async def test_we_call_twisted(interop: Any) -> None:
    all_ = Everything()
    around = [*all_.around, send_token("t0ken")]
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address, interceptors=around) as client,
    ):
        assert await client.large(2) == b"xx"
        with pytest.raises(interop.Refused):
            await client.fail("refused")
        with pytest.raises(RemoteError):
            await client.fail("strange")
        await client.log("x")
        assert await client.logged() == ["x"]
        answer = await client.connection.call_box(b"Logged", {})
        assert list(answer) == [b"lines"]
    assert all_.completed("client", "Large") == 1
    assert all_.completed("client", "Fail", "REFUSED") == 1
    assert all_.completed("client", "Fail", "OTHER") == 1
    assert all_.completed("client", "Log") == 1


async def test_twisted_calls_back(interop: Any) -> None:
    """What our client answers, and what our server calls."""
    seen: list[str] = []

    async def note(call: InterceptedCall, proceed: Proceed) -> object:
        seen.append(f"{call.side} {call.name}")
        return await proceed(call)

    events = intercepted(events_service(interop), [note])

    class Service(type(interop_service(interop))):
        async def call_back(self, text: str) -> Any:
            answer = await intercepted(self.events, [note]).question(text)
            return interop.CallBackResult(answer=answer.answer)

    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address, events=events) as client,
    ):
        await client.logged()
        [end] = server.ends
        answer = await ask(end, commands.Question, text="a")
        assert answer == {"answer": "A"}
    async with (
        serve("127.0.0.1:0", Service()) as ours,
        twisted_client(ours.addresses[0]) as end,
    ):
        assert "answer" in await ask(end, commands.CallBack, text="a")
    assert seen == ["server Events.Question", "client Events.Question"]


async def test_twisted_has_to_say_who_it_is(interop: Any) -> None:
    """The connection stays; what Twisted does not declare it cannot name."""
    users = {"t0ken": "me"}
    who: list[Any] = []

    class Service(type(interop_service(interop))):
        def large(self, size: int) -> bytes:
            who.append(current_call().identity)
            return b"x" * size

    around = [token_identity(users.get), require_identity()]
    async with (
        serve("127.0.0.1:0", Service(), interceptors=around) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(Nobody, match=r"Interop\.Large is not for everybody"):
            await ask(end, Signed, size=1)
        with pytest.raises(Nobody, match="is not good"):
            await ask(end, Signed, size=1, **{"_meta.authorization": "Bearer x"})
        with pytest.raises(amp.UnknownRemoteError):
            await ask(end, commands.Large, size=1)
        good = {"_meta.authorization": "Bearer t0ken"}
        assert await ask(end, Signed, size=1, **good) == {"raw": b"x"}
    assert who == ["me"]


async def test_twisted_at_a_unix_socket_is_known(interop: Any, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/socket"
    around = [uid_identity(lambda uid: f"user {uid}"), require_identity()]
    async with (
        serve(address, interop_service(interop), interceptors=around),
        twisted_client(address) as end,
    ):
        assert await ask(end, commands.Large, size=1) == {"raw": b"x"}


async def test_twisted_is_told_that_it_asks_too_much(interop: Any) -> None:
    class Busy(Exception):
        pass

    class Hasty(amp.Command):
        commandName = b"Large"
        arguments = [(b"size", amp.Integer())]
        response = [(b"raw", amp.String())]
        errors = {Busy: Overloaded.code.encode()}

    limit = RateLimit(0.001, by="address")
    async with (
        serve("127.0.0.1:0", interop_service(interop), interceptors=[limit]) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        assert await ask(end, Hasty, size=1) == {"raw": b"x"}
        with pytest.raises(Busy, match=r"more than 0\.001 calls a second"):
            await ask(end, Hasty, size=1)


async def test_a_trace_that_begins_at_twisted(interop: Any) -> None:
    all_ = Everything()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with (
        serve(
            "127.0.0.1:0", interop_service(interop), interceptors=all_.around
        ) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        await ask(end, Signed, size=1, **{"_meta.traceparent": parent})
    (span,) = all_.exporter.get_finished_spans()
    assert span.parent is not None
    assert span.parent.span_id == 0xB7AD6B7169203331
