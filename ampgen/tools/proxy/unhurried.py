"""Lines for an output that may be slow: whoever has them does not wait for it."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_WAITING = 4 * 1024 * 1024
"""Characters that may wait for the output, if it is more than one line; lines beyond it
are dropped, and counted."""


class UnhurriedOutput:
    """Writes lines in a thread of its own.

    ``write`` may wait as long as it likes. ``missed(count)`` makes the line that says
    how many are not there, in their place. ``broken`` is called in that thread, once,
    if ``write`` raises ``OSError``: nothing is written any more then.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        missed: Callable[[int], str],
        broken: Callable[[OSError], object],
        most: int = MAX_WAITING,
    ) -> None:
        self._write = write
        self._missed = missed
        self._broken = broken
        self._most = most
        self._lines: deque[str] = deque()
        self._size = 0
        self._left_out = 0
        self._ending = False
        self._changed = threading.Condition()
        # a daemon: an output that nobody reads must not keep the process alive
        self._thread = threading.Thread(
            target=self._run, name="unhurried output", daemon=True
        )
        self._thread.start()

    def put(self, line: str) -> None:
        """To be written in a while, if there is room."""
        with self._changed:
            if self._ending:
                return
            if self._size and self._size + len(line) > self._most:
                self._left_out += 1
                return
            self._flush_missed()
            self._lines.append(line)
            self._size += len(line)
            self._changed.notify()

    def close(self, seconds: float) -> bool:
        """Wait so long at most for all to be written; was it?"""
        with self._changed:
            self._flush_missed()
            self._ending = True
            self._changed.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _flush_missed(self) -> None:
        if self._left_out:
            line, self._left_out = self._missed(self._left_out), 0
            self._lines.append(line)
            self._size += len(line)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines:
                    if self._ending:
                        return
                    self._changed.wait()
                several = "".join(self._lines)
                self._lines.clear()
            try:
                self._write(several)
            except OSError as error:
                with self._changed:
                    self._ending = True
                    self._lines.clear()
                self._broken(error)
                return
            with self._changed:
                self._size -= len(several)
