"""What systemd gives a service and wants of it: sockets, readiness, signs of life.

See ``sd_listen_fds(3)`` and ``sd_notify(3)``. Where the environment has none of their
variables, nothing is done.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket

logger = logging.getLogger("ampgen")

_FIRST = 3  # the descriptor of the first socket


def inherited_sockets(name: str = "") -> list[socket.socket]:
    """The listening sockets that this process was started with, or those of a name.

    Raises ``OSError`` where there is none. They are copies: closing them closes nothing
    of systemd's.
    """
    sockets: list[socket.socket] = []
    try:
        for descriptor in _descriptors(name):
            sockets.append(_copy(descriptor))
            _check(sockets[-1], descriptor)
    except BaseException:
        for one in sockets:
            one.close()
        raise
    return sockets


def _descriptors(name: str) -> list[int]:
    wanted = f'"systemd:{name}"'
    pid, count = os.environ.get("LISTEN_PID", ""), os.environ.get("LISTEN_FDS", "")
    if not pid or not count:
        raise OSError(
            f"{wanted}: systemd has passed no socket (LISTEN_PID and LISTEN_FDS are not"
            " set): start the service by its .socket unit, or `systemd-socket-activate`"
        )
    if pid != str(os.getpid()):
        raise OSError(
            f"{wanted}: the sockets are for the process {pid} (LISTEN_PID), not for"
            f" {os.getpid()}: start Python itself, not a shell around it (`exec`)"
        )
    if not (count.isascii() and count.isdigit() and 0 < int(count) < 10_000):
        raise OSError(f"{wanted}: LISTEN_FDS={count!r} is not how many sockets")
    descriptors = list(range(_FIRST, _FIRST + int(count)))
    if not name:
        return descriptors
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    found = [fd for fd, its in zip(descriptors, names, strict=False) if its == name]
    if not found:
        there = ", ".join(names)
        raise OSError(
            f"{wanted}: no socket has that name (FileDescriptorName=), only {there}"
        )
    return found


def _copy(descriptor: int) -> socket.socket:
    """A socket of its own; raises ``OSError`` for what is none."""
    copy = -1
    try:
        os.set_inheritable(descriptor, False)
        copy = os.dup(descriptor)
        return socket.socket(fileno=copy)
    except OSError as error:
        if copy != -1:
            os.close(copy)
        raise OSError(
            error.errno,
            f"descriptor {descriptor} is no socket of systemd, though LISTEN_FDS counts"
            f" it: {error.strerror}",
        ) from None


def _check(inherited: socket.socket, descriptor: int) -> None:
    is_stream = inherited.type == socket.SOCK_STREAM
    if not is_stream or not inherited.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    ):
        raise OSError(
            f"descriptor {descriptor} of systemd is no listening stream socket: the"
            " .socket unit needs ListenStream=, and Accept=no"
        )


class Notifier:
    """Tells the service manager how this process is, as far as it wants to know."""

    def __init__(self) -> None:
        self._watchdog: asyncio.TimerHandle | None = None
        self._is_stopping = False

    def ready(self) -> None:
        """Everything is there; from now on there are signs of life."""
        self._is_stopping = False
        notify("READY=1")
        seconds = watchdog_seconds()
        if seconds is not None:
            self._live(seconds / 2)

    def stopping(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            notify("STOPPING=1")

    def stop(self) -> None:
        self.stopping()
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

    def _live(self, period: float) -> None:
        notify("WATCHDOG=1")
        loop = asyncio.get_running_loop()
        self._watchdog = loop.call_later(period, self._live, period)


def watchdog_seconds() -> float | None:
    """How often a sign of life is due, where one is."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    if not (microseconds.isascii() and microseconds.isdigit() and int(microseconds)):
        return None
    return int(microseconds) / 1_000_000


def notify(state: str) -> None:
    """Send a state to the service manager, if there is one; a failure is logged."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(state.encode(), address)
    except (OSError, AttributeError) as error:
        logger.warning("cannot tell systemd %s at NOTIFY_SOCKET: %s", state, error)
