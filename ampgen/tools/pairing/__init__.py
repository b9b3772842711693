"""What really happens between two versions of a schema: each is run against the other.

Of both versions the code is generated and imported; each command is called by the one
version's client on the other's server, with values that show where they differ, through
the runtime and in memory. What both ends understood is compared, each by its own
schema. What a Twisted program would have made of the same bytes is told from those.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ampgen.compat.verdicts import Peers, Rollout, Wire
from ampgen.runtime.errors import EncodeError, InternalError
from ampgen.tools.pairing.judging import Course, Finding, judge
from ampgen.tools.pairing.running import Ends, Written, quiet
from ampgen.tools.pairing.samples import Samples
from ampgen.tools.pairing.trials import (
    NOTHING,
    Pair,
    Trial,
    asked,
    commands,
    opened,
    outcomes,
    pairs,
)
from ampgen.tools.pairing.twistedpeers import with_twisted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container, Hashable, Iterator, Sequence

    from ampgen.model import Command, Enum, Service
    from ampgen.tools.memory import Loaded
    from ampgen.tools.pairing.asread import Raw
    from ampgen.tools.pairing.trials import Asked, Outcome

__all__ = ["Observation", "Setting", "observe", "settings"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One service, and who is the caller and who the implementer of its commands.

    ``calls`` is the caller's version of it, ``serves`` the implementer's.
    """

    order: Rollout
    is_called_back: bool
    caller: Loaded
    calls: Service
    implementer: Loaded
    serves: Service | None
    is_new_caller: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """One call between two versions, and what it came to.

    ``sent`` and ``came`` are the boxes of both ends. ``findings``: between two ends of
    this runtime; ``with_twisted``: where one or both are Twisted programs.
    """

    setting: Setting
    trial: Trial
    course: Course
    sent: tuple[Written, ...]
    came: tuple[Written, ...]
    findings: tuple[Finding, ...]
    with_twisted: tuple[Finding, ...]

    def among(self, peers: Peers) -> tuple[Finding, ...]:
        """With Twisted's, ours as well: either may be there."""
        if peers is Peers.AMPGEN:
            return self.findings
        return (*self.findings, *self.with_twisted)

    def wire(self, peers: Peers = Peers.TWISTED) -> Wire:
        """The worst of it."""
        return max((one.wire for one in self.among(peers)), default=Wire.SAFE)

    @property
    def old(self) -> Command | None:
        trial = self.trial
        return trial.implementer if self.setting.is_new_caller else trial.caller

    @property
    def new(self) -> Command | None:
        trial = self.trial
        return trial.caller if self.setting.is_new_caller else trial.implementer


def observe(
    old: Loaded, new: Loaded, only: Container[Command | None] | None = None
) -> list[Observation]:
    """Every pairing, in both orders; the runtime's log is not written meanwhile.

    ``only``: commands of either version, of which no others are called. There must be
    no event loop in this thread.
    """

    found: list[Observation] = []

    async def collect() -> None:  # no result: asyncio would make a text of it
        async for one in _observations(old, new, only):
            found.append(one)  # noqa: PERF401

    asyncio.run(collect())
    return found


def settings(old: Loaded, new: Loaded) -> Iterator[Setting]:
    """Who calls whom, where the one that listens is new first, and the other way."""
    for pair in pairs(old.schema, new.schema):
        for order in (Rollout.SERVER_FIRST, Rollout.CLIENT_FIRST):
            # old client, new server; but what is called back, the server calls
            is_new_caller = (order is Rollout.CLIENT_FIRST) is not pair.is_called_back
            found = _setting(old, new, pair, order, is_new_caller)
            if found is not None:
                yield found


def _setting(
    old: Loaded, new: Loaded, pair: Pair, order: Rollout, is_new_caller: bool
) -> Setting | None:
    calls, serves = pair.old, pair.new
    caller, implementer = old, new
    if is_new_caller:
        calls, serves = serves, calls
        caller, implementer = new, old
    if calls is None:
        return None
    return Setting(
        *(order, pair.is_called_back, caller, calls, implementer, serves),
        is_new_caller,
    )


def trials(setting: Setting, command: Command) -> Iterator[tuple[Trial, bool]]:
    """The calls of one command; ``True`` with those that are about what comes back.

    These have to be tried with arguments that do come through.
    """
    implementer = commands(setting.serves).get(command.wire)
    old, new = (
        (implementer, command) if setting.is_new_caller else (command, implementer)
    )
    closed: list[frozenset[Enum]] = [frozenset(), opened(old, new)]
    of_caller = closed[setting.is_new_caller]
    of_implementer = closed[not setting.is_new_caller]
    caller = Samples(setting.caller, of_caller, Samples(setting.implementer))
    all_asked = asked(caller, command, implementer)
    back: Sequence[Outcome] = [NOTHING]
    if implementer is not None:
        samples = Samples(setting.implementer, of_implementer, Samples(setting.caller))
        back = outcomes(setting.implementer, samples, implementer, command)
    if not all_asked or not back:
        return
    yield from ((Trial(command, implementer, one, back[0]), False) for one in all_asked)
    yield from (
        (Trial(command, implementer, all_asked[0], one), True) for one in back[1:]
    )


async def _observations(
    old: Loaded, new: Loaded, only: Container[Command | None] | None
) -> AsyncIterator[Observation]:
    called: set[Hashable] = (
        set()
    )  # a service that extends another has its commands, too
    with quiet() as words:
        for setting in settings(old, new):
            ends = Ends(
                *(setting.caller, setting.calls, setting.implementer),
                *(setting.serves, words),
            )
            async with ends:
                served = commands(setting.serves)
                for command in commands(setting.calls).values():
                    both = command, served.get(command.wire)
                    key = setting.order, setting.is_called_back, *both
                    if key in called:
                        continue
                    if only is None or any(one in only for one in both):
                        called.add(key)
                        async for observed in _of_command(ends, setting, command):
                            yield observed


async def _of_command(
    ends: Ends, setting: Setting, command: Command
) -> AsyncIterator[Observation]:
    through: Asked | None = None
    for made, is_back in trials(setting, command):
        trial = made
        if is_back and through is not None:
            trial = replace(made, asked=through)
        course, sent, came = await ends.run(trial)
        if isinstance(course.error, EncodeError | InternalError):
            continue  # a value of ours that is too much for a box: it says nothing
        if through is None and course.arguments is not None:
            through = trial.asked
        yield Observation(
            *(setting, trial, course, tuple(sent), tuple(came)),
            tuple(judge(trial, course)),
            tuple(with_twisted(trial, _pairs(sent), _pairs(came))),
        )


def _pairs(boxes: Sequence[Written]) -> list[Raw]:
    return [box.pairs for box in boxes]
