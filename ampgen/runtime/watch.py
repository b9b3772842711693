"""Peers that cost something and give nothing: found by looking now and then.

One timer for all connections of a server. It compares counters that are kept anyway, so
a connection pays nothing for being watched, and an end may come a quarter of the time
late.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from ampgen.runtime.shell import Shell
    from ampgen.runtime.wire import Limits

logger = logging.getLogger("ampgen")

_LONGEST = 5.0  # seconds between two looks
_PROGRESS = 64 * 1024  # bytes of a box without end that make up for its time


class Watch:
    """Ends connections of ``shells`` that are idle, stuck, or send half a box.

    It rests while there is none: ``wake`` it for the first.
    """

    def __init__(self, shells: Collection[Shell], limits: Limits) -> None:
        self._shells = shells
        self._limits = limits
        times = (limits.idle, limits.stuck, limits.partial)
        given = [seconds for seconds in times if seconds is not None]
        self._period = min(_LONGEST, *(t / 4 for t in given)) if given else None
        self._timer: asyncio.TimerHandle | None = None
        self._silent = _Unchanged()
        self._untaken = _NotMore()
        self._partial = _Unchanged()

    def wake(self) -> None:
        if self._timer is None and self._period is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._period, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for unchanged in (self._silent, self._untaken, self._partial):
            unchanged.turn()
        for shell in list(self._shells):
            if shell.is_connected:
                self._look_at(shell, now)
        if self._shells:
            self.wake()

    def _look_at(self, shell: Shell, now: float) -> None:
        protocol = shell.protocol
        unsent = shell.transport.get_write_buffer_size()
        stuck, partial, idle = (
            self._limits.stuck,
            self._limits.partial,
            self._limits.idle,
        )
        if unsent:
            taken = protocol.bytes_sent - unsent
            if stuck is not None and self._untaken.over(shell, taken, now, stuck):
                waits = f"has taken none of {unsent:,} bytes for {stuck:g} s"
                shell.give_up(f"the peer {waits}: closed (Limits.stuck)")
        elif protocol.calls or protocol.in_flight:
            pass
        elif idle is not None and self._silent.over(
            shell, protocol.bytes_received, now, idle
        ):
            logger.info("%s: idle for %g s: closed", shell.peer_address, idle)
            shell.close()
            return
        box = protocol.unfinished
        if box is not None and partial is not None and not shell.reading_paused:
            progress = (id(box), protocol.bytes_received // _PROGRESS)
            if self._partial.over(shell, progress, now, partial):
                begun = f"a box has begun and does not end for {partial:g} s"
                shell.give_up(f"{begun}: closed (Limits.partial)")


class _Unchanged:
    """Since when something about a connection is as it is.

    What was not asked for between two turns is forgotten.
    """

    def __init__(self) -> None:
        self._before: dict[Shell, tuple[Any, float]] = {}
        self._seen: dict[Shell, tuple[Any, float]] = {}

    def turn(self) -> None:
        self._before, self._seen = self._seen, {}

    def over(self, shell: Shell, value: Any, now: float, seconds: float) -> bool:
        since = self._before.get(shell)
        if since is None or since[0] != value:
            since = (value, now)
        self._seen[shell] = since
        return now - since[1] >= seconds


class _NotMore(_Unchanged):
    """Since when a number has not grown.

    What TLS puts around all that waits makes less of the bytes that have been taken.
    """

    def over(self, shell: Shell, value: int, now: float, seconds: float) -> bool:
        since = self._before.get(shell)
        if since is not None:
            value = max(value, since[0])
        return super().over(shell, value, now, seconds)
