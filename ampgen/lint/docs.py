"""What has no doc comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Rule, Severity
from ampgen.lint.finding import Finding, Lint
from ampgen.model import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.model import Command, Schema

NAMED = 5  # of the commands of a service: who writes docs sees the others


def _undocumented(schema: Schema) -> Iterator[Finding]:
    for module in schema.modules:
        for one in module.declarations:
            kind = type(one).__name__.lower()
            commands = one.commands if isinstance(one, Service) else ()
            bare = [command for command in commands if command.notes.doc is None]
            if one.notes.doc is None:
                message = f"{kind} `{one.name}` has no docs"
                if bare:
                    message += f", nor {_have(bare)} its {_listed(bare)}"
                at = one.span
            elif bare:
                message = f"{_listed(bare)} of `{one.name}` {_have(bare)} no docs"
                at = bare[0].span
            else:
                continue
            help_ = "say above it, behind `///`, what it is for"
            yield Finding(message, at, help=help_, inside=one.span)


def _listed(commands: Sequence[Command]) -> str:
    names = ", ".join(f"`{command.name}`" for command in commands[:NAMED])
    more = len(commands) - NAMED
    noun = "command" if len(commands) == 1 else "commands"
    return f"{noun} {names}" + (f" and {more} more" if more > 0 else "")


def _have(commands: Sequence[Command]) -> str:
    return "has" if len(commands) == 1 else "have"


UNDOCUMENTED = Lint(
    Rule(
        "AMP0804",
        "declaration or command without docs",
        """\
The schema is what both ends are written from; what a declaration or a command is for
stands in a doc comment before it, and becomes the docstring in Python.

    service Text { command Touch(path: path); }

Document it:

    /// Texts on the server's disk.
    service Text {
        /// Set the time of the last change to now; the file is made if need be.
        command Touch(path: path);
    }

The commands of a service are reported at once, at the first of them, or at the service
if that has no docs either. Fields and members are not asked for theirs.
""",
        Severity.NOTE,
    ),
    _undocumented,
)
