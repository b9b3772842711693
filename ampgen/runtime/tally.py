"""A log that a flood cannot fill: at most one line a second."""

from __future__ import annotations

import asyncio
import logging

logger = logging.getLogger("ampgen")

_SECOND = 1.0


class Tally:
    """Says the first at once; counts those of the second after, and says how many."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._more = 0
        self._last = ""

    def warn(self, what: str) -> None:
        if self._timer is None:
            logger.warning("%s", what)
            self._wait()
        else:
            self._more += 1
            self._last = what

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_SECOND, self._second)

    def _second(self) -> None:
        self._timer = None
        if self._more:
            self._say()
            self._wait()

    def close(self) -> None:
        """Say what has not been said."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._more:
            self._say()

    def _say(self) -> None:
        logger.warning("%s; %s such within a second", self._last, f"{self._more:,}")
        self._more = 0
