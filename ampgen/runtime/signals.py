"""The signals that end a server, beside the handlers that the program has."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ampgen.runtime.systemd import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

ENDING = (signal.SIGTERM, signal.SIGINT)

_attended: WeakKeyDictionary[asyncio.AbstractEventLoop, _Attended] = WeakKeyDictionary()


@contextmanager
def on_signals(
    numbers: Iterable[signal.Signals], callback: Callable[[signal.Signals], object]
) -> Generator[None, None, None]:
    """Call back in the running loop at these signals; elsewhere than in the main
    thread do nothing.

    What ``signal.signal`` had set comes back afterwards. What the program gave to the
    loop (``add_signal_handler``) is called as well, and stays: the loop is told by
    another way (``set_wakeup_fd``).
    """
    loop = asyncio.get_running_loop()
    replaced: list[tuple[signal.Signals, Any]] = []

    def handle(number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(callback, signal.Signals(number))

    for number in numbers:
        try:
            replaced.append((number, signal.signal(number, handle)))
        except ValueError:  # not the main thread
            break
    try:
        yield
    finally:
        for number, before in replaced:
            # None: set by something else than Python, and not to be set from here
            signal.signal(number, signal.SIG_DFL if before is None else before)


@contextmanager
def attended(callback: Callable[[], object]) -> Generator[None, None, None]:
    """Call back at SIGTERM and SIGINT, beside the other servers of this loop.

    Meanwhile the service manager knows that the program is ready, and alive.
    """
    loop = asyncio.get_running_loop()
    group = _attended.get(loop)
    if group is None:
        group = _attended[loop] = _Attended()
    with group.joined(callback):
        yield


class _Attended:
    """The servers of one loop: the first one sets the handlers, the last one takes
    them back.
    """

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], object]] = []
        self._notifier = Notifier()
        self._signals: Any = None

    @contextmanager
    def joined(self, callback: Callable[[], object]) -> Generator[None, None, None]:
        self._callbacks.append(callback)
        if len(self._callbacks) == 1:
            self._signals = on_signals(ENDING, self._call)
            self._signals.__enter__()
            self._notifier.ready()
        try:
            yield
        finally:
            self._callbacks.remove(callback)
            if not self._callbacks:
                self._notifier.stop()
                self._signals.__exit__(None, None, None)

    def _call(self, _number: signal.Signals) -> None:
        self._notifier.stopping()
        for callback in list(self._callbacks):
            callback()
