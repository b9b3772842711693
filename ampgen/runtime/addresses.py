"""Addresses as text: ``host:port``, ``[::1]:8000``, ``unix:/run/text.sock``.

To listen there is ``systemd:``, too, and ``systemd:NAME``.
"""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

Address: TypeAlias = str
Addresses: TypeAlias = Address | Sequence[Address]


@dataclass(frozen=True, slots=True)
class Tcp:
    host: str
    port: int

    def __str__(self) -> str:
        return format_address((self.host, self.port))


@dataclass(frozen=True, slots=True)
class Unix:
    path: str

    def __str__(self) -> str:
        return format_address(self.path)


@dataclass(frozen=True, slots=True)
class Systemd:
    name: str  # or none, for all that there are


def parse_listening(address: str) -> Tcp | Unix | Systemd:
    """An address to listen on."""
    if isinstance(address, str) and address.startswith("systemd:"):
        return Systemd(address.removeprefix("systemd:"))
    return parse_address(address)


def parse_address(address: str) -> Tcp | Unix:
    """Raises ``ValueError`` with what an address looks like."""
    if not isinstance(address, str):
        raise TypeError(f"an address is a str, not a {type(address).__qualname__}")
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        if not path or "\0" in path:
            raise _bad(address, "`unix:` needs the path of a socket behind it")
        if not hasattr(socket, "AF_UNIX"):
            raise _bad(address, "this system has no Unix sockets")
        return Unix(path)
    host, colon, port = address.rpartition(":")
    if not colon:
        raise _bad(address, "the port is missing")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise _bad(address, "an IPv6 address stands in brackets")
    if not host:
        raise _bad(
            address, "the host is missing; `0.0.0.0` or `[::]` means all interfaces"
        )
    if not (
        port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535
    ):
        raise _bad(address, "the port is a number from 0 to 65535")
    return Tcp(host, int(port))


def parse_addresses(addresses: Addresses) -> list[Tcp | Unix]:
    """Each of one or several addresses; ``ValueError`` where there is none."""
    if isinstance(addresses, str):
        return [parse_address(addresses)]
    if not isinstance(addresses, Sequence):
        kind = type(addresses).__qualname__
        raise TypeError(f"an address is a str, several are a list of str, not a {kind}")
    if not addresses:
        raise ValueError("no address to connect to: the list is empty")
    return [parse_address(address) for address in addresses]


def _bad(address: str, reason: str) -> ValueError:
    return ValueError(
        f"{address!r} is not an address: {reason}"
        ' (write "host:port", "[::1]:8000" or "unix:/run/text.sock")'
    )


def name_path(error: OSError, path: str) -> None:
    """Let what went wrong with a Unix socket say with which one."""
    if error.errno is None:  # Python itself finds it too long: it gives a text alone
        error.errno, error.strerror = errno.ENAMETOOLONG, str(error)
    error.filename = path


def format_address(name: Any) -> str:
    """What a socket calls itself, as an address; ``""`` where it has no name."""
    if isinstance(name, tuple):
        host, port = cast("tuple[str, int]", name[:2])
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(name, bytes):
        name = name.decode("utf-8", "backslashreplace")
    return f"unix:{name}" if name else ""
