"""Declarations that no command needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Rule, Severity
from ampgen.diagnostics.fixes import removing
from ampgen.lint.finding import Finding, Lint
from ampgen.lint.reach import commands, reach
from ampgen.lint.written import written
from ampgen.model import Alias, Enum, Error, Service, Struct, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.model import Declaration, Field, Module, Schema
    from ampgen.source import Span


def _unused(schema: Schema) -> Iterator[Finding]:
    raised = {id(error) for command in commands(schema) for error in command.errors}
    used: set[int] = set()
    for _ in reach(_roots(schema), used):
        pass  # it is what is then in `used` that is wanted
    for module in filter(_has_service, schema.modules):
        for declaration in module.declarations:
            match declaration:
                case Alias():
                    is_used, how = declaration.used, "no type is written with it"
                case Error():
                    is_used, how = id(declaration) in raised, "no command raises it"
                case Enum() | Struct() | Union():
                    is_used = id(declaration) in used
                    how = "no command needs it"
                case Service():
                    continue
            if not is_used:
                whole = written(schema).whole(declaration)
                yield _finding(declaration, how, whole)


def _roots(schema: Schema) -> Iterator[Field]:
    """The fields of what is used anyway: commands, and files without a service."""
    for command in commands(schema):
        yield from command.arguments
        if command.result is not None:
            yield from command.result.fields
        for error in command.errors:
            yield from error.fields
    for module in schema.modules:
        if not _has_service(module):
            for declaration in module.declarations:
                match declaration:
                    case Struct() | Error():
                        yield from declaration.fields
                    case Union():
                        yield from declaration.members
                    case _:
                        pass


def _has_service(module: Module) -> bool:
    return any(isinstance(one, Service) for one in module.declarations)


def _finding(declaration: Declaration, how: str, whole: Span) -> Finding:
    kind = type(declaration).__name__.lower()
    return Finding(
        f"{kind} `{declaration.name}` is not used",
        declaration.span,
        how,
        help="remove it, or check the schemas that use it together with this one",
        fix=removing(whole, f"{kind} `{declaration.name}`"),
    )


UNUSED = Lint(
    Rule(
        "AMP0805",
        "declaration that nothing uses",
        """\
A type that no command needs, neither as an argument or a result nor inside one, is
never sent; an error that no command raises cannot be raised (the other end would get
`UNKNOWN`).

    struct Point { x: int; y: int; }
    service Text { command Upper(text: str) -> str; }

Remove it. A file without a service is a library, whose users may be anywhere: nothing
is said of what it declares. If the users of this file are elsewhere, check them
together:

    ampgen check schemas
""",
        Severity.WARNING,
    ),
    _unused,
)
