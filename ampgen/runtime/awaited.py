"""A call that a task waits for: a future of our own, for that one task.

asyncio lets a task wait for any object that has ``_asyncio_future_blocking``
(``asyncio.isfuture``). One object for the call and its future costs less than two, and
who waits goes on while its answer is being read, without a turn of the event loop in
between: together a tenth of what a call takes.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ampgen.runtime.calls import Call

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Generator
    from contextvars import Context

    from ampgen.runtime.command import Command
    from ampgen.runtime.extras import Metadata

R = TypeVar("R")


class AwaitedCall(Call, Generic[R]):
    """Await it once, in the task that made it."""

    __slots__ = (
        "_asyncio_future_blocking",
        "_context",
        "_error",
        "_loop",
        "_result",
        "_wake",
        "done",
    )

    def __init__(
        self,
        loop: AbstractEventLoop,
        command: Command[Any, R],
        deadline: float | None,
        seconds: float | None,
        metadata: Metadata | None,
    ) -> None:
        # the base's, too: a call of its `__init__` would cost as much as all of this
        self.command = command
        self.deadline = deadline
        self.seconds = seconds
        self.metadata = metadata
        self.done = False
        self._loop = loop
        self._wake: Callable[[Any], object] | None = None
        self._error: BaseException | None = None

    def __await__(self) -> Generator[Any, Any, R]:
        if not self.done:
            self._asyncio_future_blocking = True
            yield self
        if self._error is not None:
            raise self._error
        return self._result

    # --- for the protocol -------------------------------------------------------------

    def answered(self, result: R) -> None:
        """Whoever waits goes on at once: no other task may be running."""
        if not self.done:
            self.done = True
            self._result = result
            if self._wake is not None:
                self._context.run(self._wake, self)

    def failed(self, error: BaseException) -> None:
        """Whoever waits goes on soon: this happens anywhere."""
        if not self.done:
            self.done = True
            self._error = error
            if self._wake is not None:
                self._loop.call_soon(self._wake, self, context=self._context)

    # --- for the task -----------------------------------------------------------------

    def add_done_callback(
        self, callback: Callable[[Any], object], *, context: Context
    ) -> None:
        self._wake = callback
        self._context = context

    def result(self) -> None:
        """The task asks whether to throw; the result goes by ``__await__``."""
        if self._error is not None:
            raise self._error

    def cancel(self, msg: object = None) -> bool:
        if self.done:
            return False
        self.failed(CancelledError() if msg is None else CancelledError(msg))
        return True
