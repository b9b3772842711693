"""What a change does, in four respects: to two orders of rolling out, to two programs.

Two programs never change at the same moment. So of a change there is to be said what
happens when the server is new first, what happens when the client is, and what becomes
of the code that calls and of the code that implements.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import total_ordering


@total_ordering
class Wire(Enum):
    """What an old and a new program make of each other; each is worse than the one
    before.

    The worst counts that some value of the types can bring about. A value is as the
    schema that sends it has it: of an enum that is now open, and has been closed, the
    values that it declares; a number within the range of what reads it.

    What a request says and nobody reads is ``IGNORED``, for it was said in order to be
    done; keys of an answer, and fields of a struct, that the reader does not know are
    ``SAFE``.
    """

    SAFE = "S"
    IGNORED = "D"  # it works, and information is ignored or lost
    FAILS = "E"  # this call fails, the connection lives
    DROPS = "K"  # this call fails, and the connection ends with all calls on it
    WRONG = "X"  # nobody notices that it is wrong

    def __lt__(self, other: Wire) -> bool:
        return _WIRE.index(self) < _WIRE.index(other)


_WIRE = list(Wire)


@total_ordering
class Source(Enum):
    """What becomes of code that is written against the old schema's stubs."""

    SAFE = "S"
    WARNS = "w"  # a deprecation warning
    TYPES = "T"  # a type checker notices, nothing fails at run time
    BREAKS = "B"

    def __lt__(self, other: Source) -> bool:
        return _SOURCE.index(self) < _SOURCE.index(other)


_SOURCE = list(Source)


class Peers(Enum):
    """Who may be at either end.

    ``TWISTED``: Twisted's own AMP or this runtime, so that the worse of both counts.
    """

    TWISTED = "twisted"
    AMPGEN = "ampgen"


class Rollout(Enum):
    """Which of the two is new first; ``ANY``: it is not known, or some of both."""

    SERVER_FIRST = "server-first"
    CLIENT_FIRST = "client-first"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``server_first``: old client, new server; ``client_first``: the other way round.

    Of a command that the server calls on the client, too, *server* is the program that
    listens. ``caller`` and ``implementer`` are about the command, whoever has it.
    """

    server_first: Wire = Wire.SAFE
    client_first: Wire = Wire.SAFE
    caller: Source = Source.SAFE
    implementer: Source = Source.SAFE

    def __or__(self, other: Verdict) -> Verdict:
        """The worse of both, in each respect."""
        return Verdict(
            max(self.server_first, other.server_first),
            max(self.client_first, other.client_first),
            max(self.caller, other.caller),
            max(self.implementer, other.implementer),
        )

    def wire(self, rollout: Rollout = Rollout.ANY) -> Wire:
        """The worst that happens in the orders that count."""
        match rollout:
            case Rollout.SERVER_FIRST:
                return self.server_first
            case Rollout.CLIENT_FIRST:
                return self.client_first
            case Rollout.ANY:
                return max(self.server_first, self.client_first)

    @property
    def source(self) -> Source:
        return max(self.caller, self.implementer)
