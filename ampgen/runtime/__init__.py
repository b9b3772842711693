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

    from ampgen.runtime.addresses import Address
    from ampgen.runtime.blocking import BlockingClient
    from ampgen.runtime.client import Client, Connecting, connect
    from ampgen.runtime.command import DEFAULT, Timeout
    from ampgen.runtime.connection import Connection, CurrentCall, current_call
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
        Unauthenticated,
        Unavailable,
        UnknownCommand,
    )
    from ampgen.runtime.extras import Metadata
    from ampgen.runtime.intercepted import intercepted
    from ampgen.runtime.interception import InterceptedCall, Interceptor, Proceed
    from ampgen.runtime.jsonvalue import Json
    from ampgen.runtime.server import Listener, serve
    from ampgen.runtime.services import Server
    from ampgen.runtime.wire import Limits

__all__ = [
    "DEFAULT",
    "Address",
    "AmpError",
    "BlockingClient",
    "Cancelled",
    "Client",
    "CommandError",
    "Connecting",
    "Connection",
    "ConnectionLost",
    "CurrentCall",
    "DeadlineExceeded",
    "DecodeError",
    "EncodeError",
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
    "RemoteError",
    "Server",
    "Timeout",
    "Unauthenticated",
    "Unavailable",
    "UnknownCommand",
    "__version__",
    "connect",
    "current_call",
    "intercepted",
    "serve",
]

# Name -> the module here that has it, as the imports above tell type checkers.
_HOME: Mapping[str, str] = MappingProxyType(
    {
        "DEFAULT": "command",
        "Address": "addresses",
        "AmpError": "errors",
        "BlockingClient": "blocking",
        "Cancelled": "errors",
        "Client": "client",
        "CommandError": "errors",
        "Connecting": "client",
        "Connection": "connection",
        "ConnectionLost": "errors",
        "CurrentCall": "connection",
        "DeadlineExceeded": "errors",
        "DecodeError": "errors",
        "EncodeError": "errors",
        "InterceptedCall": "interception",
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
        "RemoteError": "errors",
        "Server": "services",
        "Timeout": "command",
        "Unauthenticated": "errors",
        "Unavailable": "errors",
        "UnknownCommand": "errors",
        "connect": "client",
        "current_call": "connection",
        "intercepted": "intercepted",
        "serve": "server",
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
