"""One change between two versions of a schema."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ampgen.compat.verdicts import Verdict, Wire
    from ampgen.diagnostics import Label, Rule
    from ampgen.model import Command, Service


class Part(Enum):
    """Where in a command something is that travels."""

    COMMAND = "command"  # the command itself
    ARGUMENT = "argument"
    SENT_ITEM = "item of a stream of arguments"
    RESULT = "result"
    ITEM = "item of a stream of results"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Use:
    """A command in which a change shows, as both versions have it.

    ``old`` or ``new`` is ``None`` where that version does not know it.
    ``is_called_back``: the server calls it on the client. ``through`` is the way to
    what has changed, from an argument or a result on: ``("author", "home")``.
    """

    part: Part
    old: Command | None
    new: Command | None
    service: Service
    is_called_back: bool = False
    through: tuple[str, ...] = ()

    def leading(self, through: tuple[str, ...]) -> Use:
        """The same, on that way to what has changed."""
        return Use(
            self.part, self.old, self.new, self.service, self.is_called_back, through
        )

    @property
    def command(self) -> Command:
        """The new one, or the old one where it is gone."""
        command = self.new or self.old
        assert command is not None  # noqa: S101 - one of them is there
        return command

    @property
    def name(self) -> str:
        """``Text.Repeat``."""
        return f"{self.service.name}.{self.command.name}"


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to one order of rolling out, in a sentence."""

    wire: Wire
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """``at`` is where it is told: at the new declaration, or at what has held it.

    ``was`` is its place in the old version, ``None`` where there is none. ``uses`` are
    the commands in which it shows on the wire, none where it shows in none.
    ``server_first`` and ``client_first`` tell what happens in a running system, for
    both orders; ``None`` where that is nothing.
    """

    rule: Rule
    verdict: Verdict
    message: str
    at: Label
    was: Label | None = None
    uses: tuple[Use, ...] = ()
    server_first: Effect | None = None
    client_first: Effect | None = None
    help: str | None = None
