"""How long to wait before one tries again, and how often."""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Delays that grow: ``first`` seconds, each ``factor`` times the one before, at
    most ``most``; and less by a random part of up to ``jitter`` (0 to 1) of that, so
    that those who fail together do not come back together.

    Raises ``ValueError`` for numbers that make no such delays.
    """

    first: float = 0.1
    most: float = 30.0
    factor: float = 2.0
    jitter: float = 0.5

    def __post_init__(self) -> None:
        check_number("first", self.first, 0, math.inf)
        check_number("most", self.most, self.first, math.inf)
        check_number("factor", self.factor, 1, math.inf)
        check_number("jitter", self.jitter, 0, 1)
        if not 0 < self.first < math.inf > self.most:
            raise ValueError("first and most are seconds above zero, and finite")

    def whole(self, failures: int) -> float:
        """The delay after so many failures, 0 or more, without jitter."""
        try:
            return min(self.first * self.factor**failures, self.most)
        except OverflowError:
            return self.most

    def delay(self, failures: int, draw: Callable[[], float] = random.random) -> float:
        """The same with jitter. ``draw`` gives numbers from 0 to 1."""
        return self.whole(failures) * (1 - self.jitter * draw())


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Backoff):
    """When a call that failed is made again by itself.

    At most ``times`` for one call, with the delays of a ``Backoff``. All calls of a
    client share a budget, so that retries cannot multiply the load of a server that has
    too much of it: a retry takes 1 of it, an answer gives back ``share``, and it holds
    at most ``reserve``.
    """

    first: float = 0.05
    most: float = 2.0
    times: int = 3
    reserve: float = 10.0
    share: float = 0.1

    def __post_init__(self) -> None:
        # by name: with slots the class that `super()` means is not this one
        Backoff.__post_init__(self)
        check_number("times", self.times, 0, math.inf)
        check_number("reserve", self.reserve, 0, math.inf)
        check_number("share", self.share, 0, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnect(Backoff):
    """How a connection is made again when it ends, and what happens to calls then.

    The delays of a ``Backoff`` lie between the attempts, each of which tries all
    addresses. ``lazy``: do not wait for the first connection, nor fail without it;
    calls wait for it as for any later one. ``retry=None``: no call is made twice.
    """

    lazy: bool = False
    retry: Retry | None = field(default_factory=Retry)


class Budget:
    """The retries that all calls of a client have left."""

    __slots__ = ("_left", "_reserve", "_share")

    def __init__(self, retry: Retry) -> None:
        self._left = self._reserve = retry.reserve
        self._share = retry.share

    def answered(self) -> None:
        if self._left < self._reserve:
            self._left = min(self._left + self._share, self._reserve)

    def take(self) -> bool:
        """Is there a retry left? Then it is taken."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


def check_number(name: str, value: float, least: float, most: float) -> None:
    """``TypeError`` or ``ValueError`` that name the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} is a number, not a {type(value).__qualname__}")
    if not least <= value <= most:
        bound = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
        raise ValueError(f"{name} is {bound}, not {value:g}")
