"""What programs on Twisted cannot do with a schema that is legal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Rule, Severity
from ampgen.lint.finding import Finding, Lint
from ampgen.lint.reach import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.model import Schema


def _arguments_f(schema: Schema) -> Iterator[Finding]:
    for command in commands(schema):
        for argument in command.arguments:
            if argument.key == "f" and not argument.stream:
                yield Finding(
                    f"a Twisted program cannot answer `{command.name}`: an argument "
                    "has the key `f`",
                    argument.span,
                    help="choose another key",
                )


ARGUMENT_F = Lint(
    Rule(
        "AMP0812",
        "argument with the key `f`",
        """\
Twisted hands the arguments of a command, by their keys, to a function that has a
parameter `f` of its own (`maybeDeferred`, seen in 26.10): the call fails with
`UNKNOWN`, and the connection closes.

    command Apply(f: str, x: int) -> (y: int);

Choose another key:

    command Apply(function: str, x: int) -> (y: int);

Where no program on Twisted will ever answer the command, nothing is wrong.
""",
        Severity.WARNING,
    ),
    _arguments_f,
)
