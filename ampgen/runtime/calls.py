"""The calls of one end that have no answer yet, by their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ampgen.runtime.errors import DeadlineExceeded, Malformed

if TYPE_CHECKING:
    from typing import Protocol

    from ampgen.runtime.command import AnyCommand
    from ampgen.runtime.extras import Metadata

    class Waiter(Protocol):
        """Who waits for an answer: a future."""

        def done(self) -> bool: ...
        def set_result(self, result: Any, /) -> None: ...
        def set_exception(self, exception: BaseException, /) -> None: ...


class Call:
    """A call of ours that has no answer yet.

    ``deadline`` is on the shell's clock; ``end`` is where the request ends in all the
    bytes that this end has queued. ``metadata`` takes what comes with the answer.
    """

    __slots__ = ("command", "deadline", "end", "metadata", "seconds", "tag", "waiter")

    def __init__(
        self,
        command: AnyCommand,
        waiter: Waiter,
        tag: bytes,
        deadline: float | None,
        seconds: float | None,
        end: int,
        metadata: Metadata | None,
    ) -> None:
        self.command = command
        self.waiter = waiter
        self.tag = tag
        self.deadline = deadline
        self.seconds = seconds
        self.end = end
        self.metadata = metadata


class Calls(dict[bytes, Call]):
    """Open calls, and the tags of those given up, whose answers may come late.

    ``count`` is how many requests there have been.
    """

    __slots__ = ("_given_up", "_limit", "count")

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.count = 0
        self._given_up: dict[bytes, None] = {}  # smaller than a set, while empty
        self._limit = limit

    def settle(self, tag: bytes) -> Call | None:
        """The call that an answer is for; ``None`` if nobody waits for it any more."""
        call = self.pop(tag, None)
        if call is None:
            if tag not in self._given_up:
                raise Malformed("an answer to nothing that was asked")
            del self._given_up[tag]
        return call

    def give_up(self, call: Call) -> bool:
        """False where too many have no answer: a peer must not grow our memory."""
        if self.pop(call.tag, None) is not None:
            self._given_up[call.tag] = None
        return len(self._given_up) <= self._limit

    def late(self, now: float) -> tuple[list[Call], float | None]:
        """The calls whose time is over, and the next deadline of the others."""
        late: list[Call] = []
        following: float | None = None
        for call in self.values():
            if call.deadline is None:
                continue
            if call.deadline <= now:
                late.append(call)
            elif following is None or call.deadline < following:
                following = call.deadline
        return late, following

    def take_all(self) -> list[Call]:
        calls = list(self.values())
        self.clear()
        return calls


def deadline_exceeded(command: AnyCommand, seconds: float | None) -> DeadlineExceeded:
    return DeadlineExceeded(f"{command.name}: no answer within {seconds:g} s")
