"""OpenTelemetry: a span for each call, at both ends, in one trace.

Needs the extra ``otel``, which is the API alone; an SDK is the program's choice.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.addresses import Tcp, format_address, parse_address

try:
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import (
        TraceContextTextMapPropagator,
    )
except ImportError as error:
    raise ImportError(
        "tracing needs the OpenTelemetry API: pip install 'ampgen-idl[otel]'",
        name=error.name,
    ) from error

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.trace import Span, TracerProvider

    from ampgen.runtime.interceptedcall import InterceptedCall
    from ampgen.runtime.interception import Proceed

_FAULTS_OF_SERVERS = frozenset(("UNKNOWN", "DEADLINE_EXCEEDED", "UNAVAILABLE"))
"""Other errors are something that a server says, and no failure of its own."""


class Tracing:
    """A span of kind CLIENT or SERVER for each call: ``Service/Command``.

    A client's span travels in the metadata ``traceparent`` and ``tracestate``, and the
    server's is its child. ``propagator``: another way to travel; its fields have to be
    names of metadata. ``provider``: where spans go, unless to the global one.

    No argument, no description of an error and no traceback is in a span.
    """

    def __init__(
        self,
        provider: TracerProvider | None = None,
        *,
        propagator: TextMapPropagator | None = None,
    ) -> None:
        self._tracer = trace.get_tracer("ampgen", tracer_provider=provider)
        self._propagator = propagator or TraceContextTextMapPropagator()

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        client = call.side == "client"
        context = None if client else self._propagator.extract(call.metadata)
        with self._tracer.start_as_current_span(
            f"{call.service}/{call.command}" if call.service else call.command,
            context,
            SpanKind.CLIENT if client else SpanKind.SERVER,
            attributes=_attributes(call),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            if client:
                metadata: MutableMapping[str, str] = dict(call.metadata)
                self._propagator.inject(metadata)  # pyright: ignore[reportArgumentType]  # its own default
                call = call.replace(metadata=metadata)
            try:
                return await proceed(call)
            except BaseException as error:
                _note(span, call, error)
                raise


def _attributes(call: InterceptedCall) -> dict[str, str | int]:
    peer = _place(call.peer_address)
    attributes: dict[str, str | int] = {
        "rpc.system": "amp",
        "rpc.method": call.command,
    }
    if peer:  # a client may wait for its connection
        attributes["network.transport"] = "tcp" if len(peer) == _WITH_PORT else "unix"
    if call.service:
        attributes["rpc.service"] = call.service
    if call.side == "client":
        server = peer
    else:
        server = _place(_own_address(call))
        attributes |= zip(("client.address", "client.port"), peer, strict=False)
    attributes |= zip(("server.address", "server.port"), server, strict=False)
    return attributes


_WITH_PORT = 2


def _place(address: str) -> tuple[str, int] | tuple[str] | tuple[()]:
    """Host and port; the path of a Unix socket; nothing where there is no name."""
    if not address:
        return ()
    where = parse_address(address)
    return (where.host, where.port) if isinstance(where, Tcp) else (where.path,)


def _own_address(call: InterceptedCall) -> str:
    return format_address(call.connection._shell.transport.get_extra_info("sockname"))


def _note(span: Span, call: InterceptedCall, error: BaseException) -> None:
    code = call.code(error)
    span.set_attribute("error.type", code)
    span.set_attribute("rpc.response.status_code", code)
    if call.side == "client" or code in _FAULTS_OF_SERVERS:
        span.set_status(Status(StatusCode.ERROR, code))
