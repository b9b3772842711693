"""Spans: of which kind, in which trace, and what is in them."""

from __future__ import annotations

import itertools
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from ampgen.runtime import (
    DeadlineExceeded,
    InvalidArgument,
    Reconnect,
    RemoteError,
    connect,
    current_call,
    intercepted,
    serve,
)
from ampgen.runtime.interceptors.otel import Tracing
from tests.runtime.interceptors.around import pair
from tests.runtime.made.text import RepeatResult, TextClient, TooLong
from tests.runtime.services import Events, Text
from tests.runtime.sockets import dead_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan


class Spans:
    """A tracer's provider, and the spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(self.provider)

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def one(self, kind: SpanKind, name: str = "Text/Repeat") -> ReadableSpan:
        (span,) = (s for s in self.all() if (s.kind, s.name) == (kind, name))
        return span


@pytest.fixture
def spans() -> Iterator[Spans]:
    spans = Spans()
    yield spans
    spans.provider.shutdown()


def ids(span: ReadableSpan) -> tuple[int, int]:
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id


async def test_a_span_on_each_end_in_one_trace(spans: Spans) -> None:
    async with pair(server=[spans.tracing], client=[spans.tracing]) as text:
        await text.repeat("secret"[:2], 2)
        peer = text.connection.peer_address
    client, server = spans.one(SpanKind.CLIENT), spans.one(SpanKind.SERVER)
    assert client.parent is None
    assert server.parent is not None
    assert (server.parent.trace_id, server.parent.span_id) == ids(client)
    assert server.parent.is_remote
    host, port = peer.split(":")
    assert client.attributes == {
        "rpc.system": "amp",
        "rpc.service": "Text",
        "rpc.method": "Repeat",
        "network.transport": "tcp",
        "server.address": host,
        "server.port": int(port),
    }
    attributes = dict(server.attributes or {})
    assert attributes.pop("client.address") == "127.0.0.1"
    assert isinstance(attributes.pop("client.port"), int)
    assert attributes == client.attributes
    for span in (client, server):
        assert span.status.status_code is StatusCode.UNSET
        assert span.events == ()


async def test_they_are_part_of_what_goes_on_around(spans: Spans) -> None:
    """The caller's span is the root; a call that a handler makes is below its own."""

    class Calling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            with spans.provider.get_tracer("mine").start_as_current_span("work"):
                await intercepted(self.events, [spans.tracing]).confirm(text)
            return await super().repeat(text, times)

    async with (
        serve("127.0.0.1:0", Calling(), interceptors=[spans.tracing]) as server,
        TextClient.connect(
            server.addresses[0],
            events=intercepted(Events(), [spans.tracing]),
            interceptors=[spans.tracing],
        ) as text,
    ):
        with spans.provider.get_tracer("mine").start_as_current_span("root"):
            await text.repeat("a")
    chain: list[ReadableSpan | None] = [
        next(s for s in spans.all() if s.name == "root"),
        spans.one(SpanKind.CLIENT),
        spans.one(SpanKind.SERVER),
        next(s for s in spans.all() if s.name == "work"),
        spans.one(SpanKind.CLIENT, "Events/Confirm"),
        spans.one(SpanKind.SERVER, "Events/Confirm"),
    ]
    for above, below in itertools.pairwise(chain):
        assert above is not None
        assert below is not None
        assert below.parent is not None
        assert (below.parent.trace_id, below.parent.span_id) == ids(above)


async def test_a_caller_without_spans_hands_a_trace_on(spans: Spans) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen: list[dict[str, str]] = []

    class Seeing(Text):
        def log(self, line: str) -> None:
            seen.append(dict(current_call().metadata))

    async with pair(Seeing(), server=[spans.tracing]) as text:
        await text.log("x", metadata={"traceparent": parent, "tracestate": "a=b"})
        await text.repeat("a")
    span = spans.one(SpanKind.SERVER, "Text/Log")
    assert span.parent is not None
    assert span.parent.span_id == 0xB7AD6B7169203331
    assert span.parent.trace_state.to_header() == "a=b"
    assert seen == [{"traceparent": parent, "tracestate": "a=b"}]


@pytest.mark.parametrize(
    ("error", "code", "failed"),
    [
        (TooLong("a secret"), "TOO_LONG", False),
        (InvalidArgument("a secret"), "INVALID_ARGUMENT", False),
        (LookupError("a secret"), "UNKNOWN", True),
    ],
)
async def test_errors(error: Exception, code: str, failed: bool, spans: Spans) -> None:
    """All are failures of a client's call; a server fails by its own fault alone."""

    class Failing(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            raise error

    around = [spans.tracing]
    async with pair(Failing(), server=around, client=around) as text:
        with pytest.raises(RemoteError):
            await text.repeat("a")
    for kind in (SpanKind.CLIENT, SpanKind.SERVER):
        span = spans.one(kind)
        attributes = span.attributes or {}
        assert attributes["error.type"] == code
        assert attributes["rpc.response.status_code"] == code
        bad = kind is SpanKind.CLIENT or failed
        assert span.status.status_code is (
            StatusCode.ERROR if bad else StatusCode.UNSET
        )
        assert "secret" not in span.to_json()


async def test_unix_sockets(spans: Spans, tmp_path: Path) -> None:
    path = f"{tmp_path}/socket"
    around = [spans.tracing]
    async with pair(server=around, client=around, address=f"unix:{path}") as text:
        await text.repeat("a")
    for kind in (SpanKind.CLIENT, SpanKind.SERVER):
        attributes = spans.one(kind).attributes or {}
        assert attributes["network.transport"] == "unix"
        assert attributes["server.address"] == path
        assert "server.port" not in attributes


async def test_in_one_process(spans: Spans) -> None:
    service = intercepted(Text(), [spans.tracing])
    async with TextClient.local(service, interceptors=[spans.tracing]) as text:
        await text.repeat("a")
    assert spans.one(SpanKind.CLIENT).attributes
    server = spans.one(SpanKind.SERVER).attributes or {}
    assert "server.address" not in server


async def test_boxes_without_a_schema(spans: Spans) -> None:
    async with (
        serve("127.0.0.1:0", Text()) as server,
        connect(server.addresses[0], interceptors=[spans.tracing]) as connection,
    ):
        await connection.call_box(b"Items", {b"items": b""})
    attributes = spans.one(SpanKind.CLIENT, "Items").attributes or {}
    assert attributes["rpc.method"] == "Items"
    assert "rpc.service" not in attributes


async def test_a_client_that_has_no_connection_yet(spans: Spans) -> None:
    async with (
        dead_address() as address,
        TextClient.connect(
            address, reconnect=Reconnect(lazy=True), interceptors=[spans.tracing]
        ) as text,
    ):
        with pytest.raises(DeadlineExceeded):
            await text.repeat("a", timeout=0.05)
    span = spans.one(SpanKind.CLIENT)
    assert span.attributes == {
        "rpc.system": "amp",
        "rpc.service": "Text",
        "rpc.method": "Repeat",
        "error.type": "DEADLINE_EXCEEDED",
        "rpc.response.status_code": "DEADLINE_EXCEEDED",
    }


async def test_another_way_to_travel(spans: Spans) -> None:
    class Mine(TextMapPropagator):
        def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
            seen.append(dict(carrier))
            return context

        def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
            carrier["mine"] = "1"

        @property
        def fields(self) -> set[str]:
            return {"mine"}

    seen: list[dict[str, str]] = []
    tracing = Tracing(spans.provider, propagator=Mine())
    async with pair(server=[tracing], client=[tracing]) as text:
        await text.repeat("a", metadata={"other": "2"})
    assert seen == [{"mine": "1", "other": "2"}]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "ampgen.runtime.interceptors.otel")
    with pytest.raises(ImportError, match=r"pip install 'ampgen-idl\[otel\]'"):
        __import__("ampgen.runtime.interceptors.otel")


async def test_without_an_sdk_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    tracing = Tracing()
    async with pair(server=[tracing], client=[tracing]) as text:
        assert (await text.repeat("a")).text == "a"
    assert caplog.records == []
