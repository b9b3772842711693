"""Who runs the program at the other end of a Unix socket, as the system knows it."""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

_UCRED = struct.Struct("3i")  # pid, uid, gid, as Linux has them
_XUCRED = struct.Struct("II")  # version and uid: what macOS begins with
_XUCRED_SIZE = 76
_SOL_LOCAL = 0
_LOCAL_PEERCRED = 1


def peer_uid(transport: asyncio.BaseTransport | None) -> int | None:
    """The peer's user id; ``None`` where it is no Unix socket, or nobody knows."""
    sock: Any = None if transport is None else transport.get_extra_info("socket")
    if sock is None or sock.family != getattr(socket, "AF_UNIX", None):
        return None
    try:
        return _uid(sock)
    except (OSError, ValueError):  # the connection is gone, as each loop has it
        return None


if hasattr(socket, "SO_PEERCRED"):

    def _uid(sock: socket.socket) -> int | None:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _pid, uid, _gid = _UCRED.unpack(raw)
        return int(uid)

elif sys.platform == "darwin":  # pragma: no cover

    def _uid(sock: socket.socket) -> int | None:
        raw = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_SIZE)
        _version, uid = _XUCRED.unpack_from(raw)
        return int(uid)

else:  # pragma: no cover

    def _uid(sock: socket.socket) -> int | None:  # noqa: ARG001
        return None
