"""What a comparison is, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ampgen.compat.changes import Change
from ampgen.compat.outcomes import SAFE, Outcome, judged
from ampgen.compat.verdicts import Rollout, Source, Verdict, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ampgen.compat.changes import Use
    from ampgen.compat.verdicts import Peers
    from ampgen.compat.versions import Versions
    from ampgen.diagnostics import Label, Rule


@dataclass(frozen=True, slots=True)
class Found:
    """A change, and what the messages of the two versions are to one another.

    ``source``: what becomes of code that calls, and of code that implements.
    """

    message: str
    at: Label
    was: Label | None = None
    uses: tuple[Use, ...] = ()
    old_to_new: Outcome = SAFE
    new_to_old: Outcome = SAFE
    source: tuple[Source, Source] = (Source.SAFE, Source.SAFE)
    help: str | None = None

    def told_by(self, rule: Rule, peers: Peers) -> Change:
        effects = judged(self.uses, self.old_to_new, self.new_to_old, peers)
        server_first = effects.get(Rollout.SERVER_FIRST)
        client_first = effects.get(Rollout.CLIENT_FIRST)
        verdict = Verdict(
            Wire.SAFE if server_first is None else server_first.wire,
            Wire.SAFE if client_first is None else client_first.wire,
            *self.source,
        )
        return Change(
            rule,
            verdict,
            self.message,
            self.at,
            self.was,
            self.uses,
            server_first,
            client_first,
            self.help,
        )


Search: TypeAlias = "Callable[[Versions], Iterator[Found]]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A rule, and how the changes that it is about are found."""

    rule: Rule
    search: Search
