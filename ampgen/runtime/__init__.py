"""The runtime: what a program that speaks AMP needs beside the generated code.

A name is imported when it is asked for: the compiler, which reads the table of value
types alone, starts without asyncio.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from ampgen.runtime.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.runtime.addresses import Address, Addresses
    from ampgen.runtime.backoff import Reconnect, Retry
    from ampgen.runtime.blocking import BlockingClient
    from ampgen.runtime.blockingstreams import BlockingStream
    from ampgen.runtime.client import Client
    from ampgen.runtime.command import DEFAULT, Timeout
    from ampgen.runtime.connecting import Connecting, connect
    from ampgen.runtime.connection import Connection, CurrentCall, current_call
    from ampgen.runtime.descriptors import Handover
    from ampgen.runtime.errors import (
        AmpError,
        Cancelled,
        CommandError,
        ConnectionLost,
        DeadlineExceeded,
        DecodeError,
        EncodeError,
        InternalError,
        InvalidArgument,
        Overloaded,
        ProtocolError,
        RemoteError,
        TlsError,
        Unauthenticated,
        Unavailable,
        UnknownCommand,
    )
    from ampgen.runtime.extras import Metadata
    from ampgen.runtime.health import HealthClient, HealthService
    from ampgen.runtime.incoming import Stream
    from ampgen.runtime.intercepted import intercepted
    from ampgen.runtime.interceptedcall import InterceptedCall
    from ampgen.runtime.interception import Interceptor, Proceed
    from ampgen.runtime.jsonvalue import Json
    from ampgen.runtime.reflection import Schemas
    from ampgen.runtime.server import Listener, serve
    from ampgen.runtime.services import Server
    from ampgen.runtime.status import ConnectionState, ConnectionStatus
    from ampgen.runtime.tls import client_tls, server_tls
    from ampgen.runtime.wire import Limits
    from ampgen.runtime.workers import run

__all__ = [
    "DEFAULT",
    "Address",
    "Addresses",
    "AmpError",
    "BlockingClient",
    "BlockingStream",
    "Cancelled",
    "Client",
    "CommandError",
    "Connecting",
    "Connection",
    "ConnectionLost",
    "ConnectionState",
    "ConnectionStatus",
    "CurrentCall",
    "DeadlineExceeded",
    "DecodeError",
    "EncodeError",
    "Handover",
    "HealthClient",
    "HealthService",
    "InterceptedCall",
    "Interceptor",
    "InternalError",
    "InvalidArgument",
    "Json",
    "Limits",
    "Listener",
    "Metadata",
    "Overloaded",
    "Proceed",
    "ProtocolError",
    "Reconnect",
    "RemoteError",
    "Retry",
    "Schemas",
    "Server",
    "Stream",
    "Timeout",
    "TlsError",
    "Unauthenticated",
    "Unavailable",
    "UnknownCommand",
    "__version__",
    "client_tls",
    "connect",
    "current_call",
    "intercepted",
    "run",
    "serve",
    "server_tls",
]

# Name -> the module here that has it, as the imports above tell type checkers.
_HOME: Mapping[str, str] = MappingProxyType(
    {
        "DEFAULT": "command",
        "Address": "addresses",
        "Addresses": "addresses",
        "AmpError": "errors",
        "BlockingClient": "blocking",
        "BlockingStream": "blockingstreams",
        "Cancelled": "errors",
        "Client": "client",
        "CommandError": "errors",
        "Connecting": "connecting",
        "Connection": "connection",
        "ConnectionLost": "errors",
        "ConnectionState": "status",
        "ConnectionStatus": "status",
        "CurrentCall": "connection",
        "DeadlineExceeded": "errors",
        "DecodeError": "errors",
        "EncodeError": "errors",
        "Handover": "descriptors",
        "HealthClient": "health",
        "HealthService": "health",
        "InterceptedCall": "interceptedcall",
        "Interceptor": "interception",
        "InternalError": "errors",
        "InvalidArgument": "errors",
        "Json": "jsonvalue",
        "Limits": "wire",
        "Listener": "server",
        "Metadata": "extras",
        "Overloaded": "errors",
        "Proceed": "interception",
        "ProtocolError": "errors",
        "Reconnect": "backoff",
        "RemoteError": "errors",
        "Retry": "backoff",
        "Schemas": "reflection",
        "Server": "services",
        "Stream": "incoming",
        "Timeout": "command",
        "TlsError": "errors",
        "Unauthenticated": "errors",
        "Unavailable": "errors",
        "UnknownCommand": "errors",
        "client_tls": "tls",
        "connect": "connecting",
        "current_call": "connection",
        "intercepted": "intercepted",
        "run": "workers",
        "serve": "server",
        "server_tls": "tls",
    }
)


# For a type checker, which would take any misspelt name for one of these, there is no
# such function.
if not TYPE_CHECKING:  # pragma: no branch

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value  # found without this function from now on
        return value


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
