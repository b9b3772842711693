"""How many handlers run, on all connections of a server together."""

from __future__ import annotations

import math


class Load:
    """Handlers that wait for something; one that never waits does not pile up.

    ``full`` once there are ``most`` of them: no further handler is to be called.
    """

    __slots__ = ("full", "most", "running")

    def __init__(self, most: float) -> None:
        self.most = most
        self.running = 0
        self.full = False

    def add(self) -> None:
        self.running += 1
        if self.running >= self.most:
            self.full = True

    def remove(self) -> None:
        self.running -= 1
        self.full = False

    @property
    def reason(self) -> str:
        return f"{self.most:,} calls are in flight on this server"


UNBOUNDED = Load(math.inf)
"""That of connections which no server accepted."""
