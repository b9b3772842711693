"""The calls of one end that have no answer yet, by their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ampgen.runtime.errors import DeadlineExceeded, Malformed

if TYPE_CHECKING:
    from ampgen.runtime.command import AnyCommand
    from ampgen.runtime.extras import Metadata


class Call:
    """A call of ours that has no answer yet; what waits for one derives from this, and
    has both methods.

    ``deadline`` is on the shell's clock, ``seconds`` is how long that was when the call
    was made; ``metadata`` takes what comes with the answer. The protocol gives it its
    ``tag``, and ``end``: where the request ends in all that this end has queued.
    ``done``: it has its answer, or needs none any more.

    No slots, and no abstract base: one is made for each call, and the interpreter makes
    what has neither in half the time.
    """

    command: AnyCommand
    deadline: float | None
    seconds: float | None
    metadata: Metadata | None
    tag: bytes
    end: int
    done: bool

    def answered(self, result: Any) -> None:
        """Here is the answer; if it has ended already, nothing happens."""

    def failed(self, error: BaseException) -> None:
        """There is an error in its place; the same holds."""


_NONE: dict[bytes, tuple[AnyCommand, Call | None]] = {}
"""What is shared by all who have given none up: most never do."""


class Calls(dict[bytes, Call]):
    """Open calls, and the tags of those given up, whose answers may come late.

    ``count`` is how many requests there have been.
    """

    __slots__ = ("_given_up", "_limit", "count")

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.count = 0
        # the call, too, where its answer brings descriptors, which are to be closed, or
        # ends streams
        self._given_up = _NONE
        self._limit = limit

    def asked(self, tag: bytes) -> AnyCommand | None:
        """What an answer is the answer to, even if nobody waits for it any more."""
        call = self.get(tag)
        if call is not None:
            return call.command
        command, _call = self._given_up.get(tag, (None, None))
        return command

    def settle(self, tag: bytes) -> Call | None:
        """The call that an answer is for; ``None`` if nobody waits for it any more.

        A call that streams, or whose answer brings descriptors, is never ``None``: it
        is ``done``.
        """
        call = self.pop(tag, None)
        if call is None:
            if tag not in self._given_up:
                raise Malformed("an answer to nothing that was asked")
            _command, call = self._given_up.pop(tag)
        return call

    def give_up(self, call: Call) -> bool:
        """False where too many have no answer: a peer must not grow our memory."""
        if self.pop(call.tag, None) is not None:
            command = call.command
            kept = call if command.result_fds or command.streams else None
            if self._given_up is _NONE:
                self._given_up = {}
            self._given_up[call.tag] = command, kept
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
