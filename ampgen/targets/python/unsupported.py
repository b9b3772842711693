"""What the language has and this target not yet: one report for each place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Diagnostic, Label
from ampgen.model import Service
from ampgen.targets.python import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.diagnostics import Rule
    from ampgen.model import Command, Schema
    from ampgen.source import Span


def unsupported(schema: Schema) -> Iterator[Diagnostic]:
    for module in schema.modules:
        for declaration in module.declarations:
            if isinstance(declaration, Service):
                for command in declaration.commands:
                    yield from _command(command)


def _command(command: Command) -> Iterator[Diagnostic]:
    for argument in command.arguments:
        if argument.stream:
            yield _report(rules.NO_STREAM, "a stream of arguments", argument.type_span)
    if command.result is not None and command.result.stream_span is not None:
        span = command.result.stream_span
        yield _report(rules.NO_STREAM, "a stream of results", span)


def _report(rule: Rule, what: str, span: Span) -> Diagnostic:
    return Diagnostic(
        rule,
        f"{what} is not generated yet",
        Label(span, "read and checked, but there is no Python for it in this version"),
        help=f"`ampgen explain {rule.code}` tells what to do until then",
    )
