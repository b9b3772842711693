"""Notice that a peer is gone, though nobody has said so.

A pulled cable, a peer's machine without power, a proxy that has stopped forwarding: no
end of the connection reaches this end. So after a time of silence something is asked
that every AMP peer answers, be it by "no such command"; where nothing comes then, the
connection is given up.
"""

from __future__ import annotations

import logging
import math
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from ampgen.runtime.backoff import check_number
from ampgen.runtime.calls import Call
from ampgen.runtime.command import raw_command

if TYPE_CHECKING:
    import asyncio
    from typing import Protocol

    from ampgen.runtime.protocol import AmpProtocol

    class Shell(Protocol):
        """What is watched."""

        loop: asyncio.AbstractEventLoop
        protocol: AmpProtocol
        transport: asyncio.Transport
        peer_address: str

        @property
        def reading_paused(self) -> bool: ...
        def give_up(self, reason: str) -> None: ...


logger = logging.getLogger("ampgen")

_PING = raw_command(b"_ping")
_MOST_SECONDS = 32_767  # that Linux takes
_GIVEN_UP_AT = 3  # looks, two each `seconds`, that have found nothing new


class Keepalive:
    """Looks twice in each ``seconds`` whether anything has come.

    A look that finds nothing asks, after at most that time of silence. Where nothing
    comes for another ``seconds``, the peer counts as dead: that is noticed within twice
    the time. While this end itself does not read, silence says nothing.
    """

    __slots__ = ("_probe", "_quiet", "_received", "_seconds", "_shell", "_timer")

    def __init__(self, shell: Shell, seconds: float) -> None:
        self._shell = shell
        self._seconds = seconds
        self._received = 0
        self._quiet = 0
        self._probe: _Probe | None = None
        _ask_the_system(shell.transport.get_extra_info("socket"), seconds)
        self._timer = self._later()

    def stop(self) -> None:
        self._timer.cancel()

    def _later(self) -> asyncio.TimerHandle:
        return self._shell.loop.call_later(self._seconds / 2, self._look)

    def _look(self) -> None:
        shell = self._shell
        protocol = shell.protocol
        if protocol.state:
            return  # it is ending: that has a time limit of its own
        if protocol.bytes_received != self._received or shell.reading_paused:
            self._received = protocol.bytes_received
            self._quiet = 0
        else:
            self._quiet += 1
            if self._quiet == 1:
                self._ask()
            elif self._quiet == _GIVEN_UP_AT:
                peer, seconds = shell.peer_address, self._seconds
                shell.give_up(f"no sign of life from {peer} for {seconds:g} s")
                return
        self._timer = self._later()

    def _ask(self) -> None:
        protocol = self._shell.protocol
        if self._probe is not None:  # it has answered other things since, but not this
            protocol.give_up(self._probe)
            self._probe = None
        if not protocol.state:
            self._probe = _Probe(self)
            protocol.ask(self._probe, ({},))

    def answered(self) -> None:
        self._probe = None


class _Probe(Call):
    """What is asked. Any answer will do, "no such command" too."""

    def __init__(self, keepalive: Keepalive) -> None:
        self._keepalive = keepalive
        self.command = _PING
        self.deadline = self.seconds = self.metadata = None

    def answered(self, result: object) -> None:  # noqa: ARG002
        self._keepalive.answered()

    def failed(self, error: BaseException) -> None:  # noqa: ARG002
        self._keepalive.answered()


def check_keepalive(seconds: float | None) -> None:
    """Raises ``TypeError`` or ``ValueError`` for what is no time."""
    if seconds is not None:
        check_number("keepalive", seconds, 0, math.inf)
        if not 0 < seconds < math.inf:
            raise ValueError("keepalive is seconds above zero, or None for none")


def _ask_the_system(sock: socket.socket | None, seconds: float) -> None:
    """Let the system watch a TCP connection, too, a little more patiently.

    It does so even while this end does not read, and notices what it has sent and
    nobody has acknowledged.
    """
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    whole = min(max(math.ceil(seconds), 1), _MOST_SECONDS)
    options = [
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", whole),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", whole),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 2),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", whole * 3000),  # milliseconds
    ]
    for level, name, value in options:
        number = getattr(socket, name, None)
        if number is not None:  # pragma: no branch  # not every system has them all
            with suppress(OSError):  # not for programs, here
                sock.setsockopt(level, number, value)
