"""Keys and names that were never to come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
from ampgen.compat.rules.fields import noun
from ampgen.diagnostics import Label, Rule
from ampgen.model import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.versions import Versions

_HELP = "take another one, and leave it reserved"


def _again(versions: Versions) -> Iterator[Found]:
    for pair in versions.boxes:
        for fields in pair.fields:
            new = fields.new
            if new is not None and new.key in pair.barred:
                yield Found(
                    f"{noun(pair, new)} has a key that was reserved, `{new.key}`",
                    Label(new.span, "means another thing than it once did"),
                    Label(pair.was, "has reserved it"),
                    tuple(pair.uses),
                    _meant_otherwise(new.key),
                    SAFE,
                    help=_HELP,
                )
    for commands in versions.commands.pairs:
        command = commands.new
        if command is None:
            continue
        service = versions.declarations.old_of.get(command.service)
        if isinstance(service, Service) and command.wire in service.reserved:
            yield Found(
                f"command `{command.name}` has a wire name that was reserved, "
                f"`{command.wire}`",
                Label(command.span, "does another thing than it once did"),
                Label(service.span, "has reserved it"),
                commands.of(Part.COMMAND),
                _meant_otherwise(command.wire),
                SAFE,
                help=_HELP,
            )


def _meant_otherwise(key: str) -> Outcome:
    key = quoted(key)
    words = f"a program from before {key} was reserved means by it another thing"
    return Outcome(Kind.WRONG, words)


AGAIN = Comparison(
    Rule(
        "AMP1058",
        "reserved key or name used again",
        """\
It was reserved because it has had a meaning, which programs that still run may know. To
those the new one says the old thing, and nobody notices.

    struct Author { name: str; reserved "age"; }         // before
    struct Author { name: str; age: str; }               // after

Within one schema the compiler refuses it; here the reservation has gone as well.
""",
    ),
    _again,
)
