"""The runtime: what a program that speaks AMP needs beside the generated code."""

from __future__ import annotations

from ampgen.runtime.addresses import Address
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
    Unavailable,
    UnknownCommand,
)
from ampgen.runtime.jsonvalue import Json
from ampgen.runtime.server import Listener, serve
from ampgen.runtime.services import Server
from ampgen.runtime.version import __version__
from ampgen.runtime.wire import Limits

__all__ = [
    "DEFAULT",
    "Address",
    "AmpError",
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
    "InternalError",
    "InvalidArgument",
    "Json",
    "Limits",
    "Listener",
    "Overloaded",
    "ProtocolError",
    "RemoteError",
    "Server",
    "Timeout",
    "Unavailable",
    "UnknownCommand",
    "__version__",
    "connect",
    "current_call",
    "serve",
]
