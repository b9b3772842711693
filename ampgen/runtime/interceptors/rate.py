"""So many calls a second, and no more."""

from __future__ import annotations

import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Literal, TypeAlias

from ampgen.runtime.errors import Overloaded

if TYPE_CHECKING:
    from ampgen.runtime.interceptedcall import InterceptedCall
    from ampgen.runtime.interception import Proceed

By: TypeAlias = (
    Literal["connection", "address", "identity"]
    | Callable[["InterceptedCall"], Hashable]
)


class RateLimit:
    """Refuses calls with ``Overloaded`` beyond ``rate`` a second.

    After a pause, up to ``burst`` may come at once (as many as in one second, unless it
    is given). Calls are counted for each connection; for each address (of a Unix
    socket, the user that the peer runs as); for each identity (where there is none, the
    address); or for each key that a function finds for a call.

    Of at most ``keys`` it is known what they have used: those that were seen least
    lately are forgotten, and begin anew.
    """

    def __init__(
        self,
        rate: float,
        *,
        burst: float | None = None,
        by: By = "connection",
        keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if burst is None:
            burst = max(rate, 1.0)
        if not (rate > 0 and burst >= 1 and keys >= 1):
            raise ValueError("a rate is above zero, a burst and keys are at least one")
        if not callable(by) and by not in _KEYS:
            raise ValueError(f"by is one of {', '.join(_KEYS)}, or a function: {by!r}")
        self._rate = rate
        self._burst = burst
        self._key = by if callable(by) else _KEYS[by]
        self._keys = keys
        self._clock = clock
        # key -> when its bucket is full again: nothing else has to be known of it
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        if not self._take(self._key(call)):
            raise Overloaded(f"more than {self._rate:g} calls a second")
        return await proceed(call)

    def _take(self, key: Hashable) -> bool:
        """One token out of the bucket of this key, if there is a whole one."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + 1 / self._rate
        if full_at - now > self._burst / self._rate * _ROUNDING:
            return False
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)
        return True


_ROUNDING = 1 + 1e-9


def _connection(call: InterceptedCall) -> Hashable:
    return weakref.ref(call.connection)


def _address(call: InterceptedCall) -> Hashable:
    uid = call.connection.peer_uid
    if uid is not None:
        return uid
    host, _colon, _port = call.peer_address.rpartition(":")
    return host


def _identity(call: InterceptedCall) -> Hashable:
    identity = call.identity
    return ("address", _address(call)) if identity is None else ("identity", identity)


_KEYS: dict[str, Callable[[InterceptedCall], Hashable]] = {
    "connection": _connection,
    "address": _address,
    "identity": _identity,
}
