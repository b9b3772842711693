"""What becomes of one message that the two versions do not see alike.

A rule says what an old program's message is to a new one, and a new one's to an old.
Here that becomes a verdict and a sentence for both orders of rolling out: who calls
whom, what fails, with which code, and whether the connection lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from ampgen.compat.changes import Effect, Part
from ampgen.compat.verdicts import Peers, Rollout, Wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ampgen.compat.changes import Use
    from ampgen.model import Command


class Kind(IntEnum):
    """In the order of badness, as far as readings of a value are compared."""

    SAFE = 0
    IGNORED = 1
    UNDECODED = 2  # the value does not decode, or is missing
    WRONG = 3
    UNKNOWN = 4  # there is no such command
    UNANSWERED = 5  # the answer lacks what the caller needs
    REFUSED = 6  # the request lacks what only a stream has
    UNHEARD = 7  # it fails, and there is no answer to say so in
    LOST = 8  # it works, and the caller learns less than there was to say
    ENDS = 9  # the connection ends, with peers of any kind
    STUCK = 10  # both ends wait for the other


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the reader makes of a message.

    ``words`` say why; of what is ignored, lost or wrong they are the whole sentence.
    They may name ``{caller}``, ``{answerer}``, ``{sender}``, ``{reader}`` and
    ``{command}``; what comes from a schema is put in by :func:`quoted`. ``in_errors``:
    the same in a field of an error, where that is another thing: no Twisted program
    reads these.
    """

    kind: Kind = Kind.SAFE
    words: str = ""
    in_errors: Outcome | None = None


SAFE = Outcome()


def quoted(text: str) -> str:
    """A name, key or type, as messages show it."""
    return f"`{text.replace('{', '{{').replace('}', '}}')}`"


def judged(
    uses: Iterable[Use], old_to_new: Outcome, new_to_old: Outcome, peers: Peers
) -> dict[Rollout, Effect]:
    """The worst of all uses, for each order in which anything happens."""
    messages: dict[Rollout, list[tuple[Wire, _Message]]] = {}
    for use in uses:
        for either, sender_is_old in ((old_to_new, True), (new_to_old, False)):
            is_read_by_us = use.part is Part.ERROR and either.in_errors is not None
            outcome = either.in_errors or either if is_read_by_us else either
            if outcome.kind is not Kind.SAFE:
                message = _Message(use, outcome, sender_is_old, peers)
                rollout = _rollout(use, sender_is_old=sender_is_old)
                messages.setdefault(rollout, []).append((message.wire(), message))
    return {rollout: _worst(told) for rollout, told in messages.items()}


def _worst(told: Sequence[tuple[Wire, _Message]]) -> Effect:
    """The first of the worst tells for all of them."""
    worst, first = max(told, key=lambda one: one[0])
    others = {message.use.name for wire, message in told if wire is worst}
    others.discard(first.use.name)
    further = ""
    if others:
        commands = "command" if len(others) == 1 else "commands"
        further = f" (and so in {len(others)} other {commands})"
    return Effect(worst, first.words() + further)


def _rollout(use: Use, *, sender_is_old: bool) -> Rollout:
    """In which order does this message ever travel?"""
    sender_is_client = _goes_to_answerer(use.part) is not use.is_called_back
    client_is_old = sender_is_client is sender_is_old
    return Rollout.SERVER_FIRST if client_is_old else Rollout.CLIENT_FIRST


def _goes_to_answerer(part: Part) -> bool:
    return part in (Part.COMMAND, Part.ARGUMENT, Part.SENT_ITEM)


@dataclass(frozen=True, slots=True)
class _Message:
    use: Use
    outcome: Outcome
    sender_is_old: bool
    peers: Peers

    @property
    def _caller_is_old(self) -> bool:
        return self.sender_is_old is _goes_to_answerer(self.use.part)

    @property
    def _command(self) -> Command:
        """As the caller knows it."""
        command = self.use.old if self._caller_is_old else self.use.new
        return command or self.use.command

    @property
    def _has_no_answer(self) -> bool:
        return self._command.oneway

    def wire(self) -> Wire:
        twisted = self.peers is Peers.TWISTED
        match self.outcome.kind:
            case Kind.SAFE:
                return Wire.SAFE
            case Kind.IGNORED | Kind.LOST:
                return Wire.IGNORED
            case Kind.WRONG:
                return Wire.WRONG
            case Kind.ENDS:
                return Wire.DROPS
            case Kind.UNANSWERED:
                return Wire.FAILS
            case Kind.UNHEARD:
                return Wire.DROPS if twisted else Wire.IGNORED
            case Kind.REFUSED | Kind.STUCK:
                return Wire.DROPS if twisted else Wire.FAILS
            case Kind.UNKNOWN:
                if not self._has_no_answer:
                    return Wire.FAILS
                return Wire.DROPS if twisted else Wire.IGNORED
            case Kind.UNDECODED:
                if self.use.part in (Part.RESULT, Part.ERROR):
                    return Wire.FAILS
                if twisted:
                    return Wire.DROPS
                lost = self.use.part is Part.ARGUMENT and self._has_no_answer
                return Wire.IGNORED if lost else Wire.FAILS

    def words(self) -> str:
        """The sentence."""
        kind, why = self.outcome.kind, self._filled(self.outcome.words)
        call = f"{self._caller}'s `{self._command.name}`"
        answerer = "client" if self.use.is_called_back else "server"
        caller = "server" if self.use.is_called_back else "client"
        because = f"{' ' if why.startswith('where ') else ': '}{why}" if why else ""
        drops = "also drops the connection"
        match kind:
            case Kind.UNKNOWN if self._has_no_answer:
                what = f"{call} is unknown to {self._answerer}, and lost"
                return what + self._twisted(answerer, "drops the connection")
            case Kind.UNKNOWN:
                return f"{call} fails with UNHANDLED at {self._answerer}{because}"
            case Kind.UNANSWERED:
                return f"{call} fails with DecodeError{because}"
            case Kind.REFUSED:
                what = f"{call} fails with INVALID_ARGUMENT{because}"
                return what + self._twisted(answerer, drops)
            case Kind.UNHEARD:
                return why + self._twisted(answerer, "drops the connection")
            case Kind.STUCK:
                return why + self._twisted(caller, "drops the connection")
            case Kind.UNDECODED:
                return self._undecoded(call, because, caller, answerer)
            case _:
                return why

    def _undecoded(self, call: str, because: str, caller: str, answerer: str) -> str:
        drops = "also drops the connection"
        match self.use.part:
            case Part.RESULT:
                return f"{call} is done, and then fails with DecodeError{because}"
            case Part.ERROR:
                return f"{call} fails with DecodeError instead of the error{because}"
            case Part.ITEM:
                what = f"{call} ends with DecodeError amid its stream{because}"
                return what + self._twisted(caller, drops)
            case _ if self._has_no_answer:
                what = f"{call} is lost (the {answerer} logs it){because}"
                return what + self._twisted(answerer, "drops the connection")
            case _:
                what = f"{call} fails with INVALID_ARGUMENT{because}"
                return what + self._twisted(answerer, drops)

    def _twisted(self, program: str, what: str) -> str:
        if self.peers is Peers.AMPGEN:
            return ""
        return f"; a Twisted {program} {what}"

    @property
    def _caller(self) -> str:
        program = "server" if self.use.is_called_back else "client"
        return _aged(program, is_old=self._caller_is_old)

    @property
    def _answerer(self) -> str:
        program = "client" if self.use.is_called_back else "server"
        return _aged(program, is_old=not self._caller_is_old)

    def _filled(self, words: str) -> str:
        forward = _goes_to_answerer(self.use.part)
        caller, answerer = self._caller, self._answerer
        return words.format(
            caller=caller,
            answerer=answerer,
            sender=caller if forward else answerer,
            reader=answerer if forward else caller,
            command=f"`{self._command.name}`",
        )


def _aged(program: str, *, is_old: bool) -> str:
    return f"an old {program}" if is_old else f"a new {program}"
