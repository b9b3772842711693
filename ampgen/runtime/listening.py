"""Sockets that listen: files of Unix sockets, and addresses that several share."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ampgen.runtime.addresses import name_path

if sys.platform != "win32":  # pragma: no branch
    import resource

_BACKLOG = 100  # as asyncio's own; so many are accepted at once
_SPARE = 64  # descriptors left for the program, and for those accepted to be refused


def descriptors_allowed() -> int:
    """For how many connections this process has descriptors, and some to spare.

    One that has none left can neither accept nor refuse, nor open a file.
    """
    if sys.platform == "win32":  # pragma: no cover
        return sys.maxsize
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(soft - _SPARE, 16)


class SocketFile:
    """A Unix socket that listens, and its file, which is removed if it is still ours.

    That of a dead server is replaced; that of one that lives is an ``OSError``.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._inode: int | None = None

    def listen(self) -> socket.socket:
        _remove_stale(self._path)
        listening = socket.socket(socket.AF_UNIX)
        try:
            listening.bind(self._path)
            self._inode = os.stat(self._path).st_ino
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            name_path(error, self._path)
            raise
        return listening

    def remove(self) -> None:
        inode, self._inode = self._inode, None
        with suppress(FileNotFoundError):
            if inode is not None and os.stat(self._path).st_ino == inode:
                os.unlink(self._path)


@dataclass(frozen=True, slots=True)
class SharedPort:
    """An address of TCP that several processes listen on, each with its own socket."""

    family: int
    name: Any


def open_tcp(host: str, port: int) -> tuple[list[socket.socket], list[SharedPort]]:
    """A socket for each address of a host, all of one port, and how to share them.

    Where the system lets each process have its own, these do not listen: they keep the
    port. Else they listen, for all.
    """
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    ports: list[SharedPort] = []
    try:
        for family, _kind, _protocol, _canonical, found_name in dict.fromkeys(found):
            name: Any = (found_name[0], port, *found_name[2:])
            listening = _bind(family, name)
            sockets.append(listening)
            name = listening.getsockname()
            port = name[1]  # all have the one that the first one picked
            if hasattr(socket, "SO_REUSEPORT"):
                # the first bind has found out whether the port is free
                listening.close()
                sockets[-1] = _bind(family, name, shared=True)
                ports.append(SharedPort(family, name))
            else:
                listening.listen(_BACKLOG)
    except BaseException:
        for one in sockets:
            one.close()
        raise
    return sockets, ports


def share_socket(share: socket.socket | SharedPort) -> socket.socket:
    """A socket of this process that listens at a shared address."""
    if isinstance(share, socket.socket):
        return share
    listening = _bind(share.family, share.name, shared=True)
    listening.listen(_BACKLOG)
    return listening


def _bind(family: int, name: Any, *, shared: bool = False) -> socket.socket:
    bound = socket.socket(family)
    try:
        if sys.platform != "win32":  # pragma: no branch
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(name)
    except OSError as error:
        bound.close()
        where = f"{name[0]!r}, port {name[1]}"
        raise OSError(
            error.errno, f"cannot listen on {where}: {error.strerror}"
        ) from None
    return bound


def _remove_stale(path: str) -> None:
    """Remove the socket file of a dead server; refuse that of one that lives."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise FileExistsError(f"{path} is there, and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:  # alive, with a full backlog
            pass
    raise OSError(errno.EADDRINUSE, f"another server listens on {path}")
