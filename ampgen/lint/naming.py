"""Names as readers expect them, which also look native in the generated Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.diagnostics import Rule, Severity
from ampgen.language.tree import EnumMember as EnumMemberNode
from ampgen.language.tree import ErrorDeclaration
from ampgen.lint.finding import Finding, Lint
from ampgen.lint.written import written
from ampgen.model import Enum, Error, Service, Struct, Union
from ampgen.targets.python.names import cap_words, snake_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.diagnostics.fixes import Fix
    from ampgen.lint.written import Written
    from ampgen.model import (
        Command,
        Declaration,
        EnumMember,
        Field,
        Module,
        Schema,
    )

_is_cap_words = re.compile(r"[A-Z][A-Za-z0-9]*").fullmatch
_is_snake_case = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*").fullmatch
_is_upper_case = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*").fullmatch

_EDGES = re.compile(r"^_+|_+$|_(?=_)")


# --- declarations and commands --------------------------------------------------------


def _cap_words(schema: Schema) -> Iterator[Finding]:
    for module in schema.modules:
        for declaration in module.declarations:
            if not _is_cap_words(declaration.name):
                yield _declaration(declaration, written(schema))
            if isinstance(declaration, Service):
                for command in declaration.commands:
                    if _is_cap_words(command.name):
                        continue
                    yield _command(command, written(schema))


def _command(command: Command, text: Written) -> Finding:
    name, better = command.name, cap_words(command.name)
    help_ = f"call it `{better}`"
    if command.wire == name:
        help_ += f', with `@wire("{name}")`: callers send that'
    return Finding(
        f"command `{name}` is not in CapWords",
        command.span,
        help=help_,
        fix=text.renamed(command.service.module, command.span, better, command.wire),
    )


def _declaration(declaration: Declaration, text: Written) -> Finding:
    name, better = declaration.name, cap_words(declaration.name)
    help_, code = f"call it `{better}`: the name is not on the wire", ""
    if isinstance(declaration, Error) and declaration.code == name:
        help_ = f'call it `{better}`, with the code "{name}": peers know it by that'
        node = text.node(declaration.module, declaration.span)
        if isinstance(node, ErrorDeclaration) and node.code is None:
            code = f' "{name}"'
    kind = type(declaration).__name__.lower()
    return Finding(
        f"{kind} `{name}` is not in CapWords",
        declaration.span,
        help=help_,
        fix=text.replaced(declaration.span, better, code, text.uses(declaration)),
    )


CAP_WORDS = Lint(
    Rule(
        "AMP0801",
        "declaration or command not in CapWords",
        """\
Structs, unions, enums, errors, aliases, services and commands are written in CapWords,
so that a reader can tell them from fields. Most of them become classes in Python, where
the same is expected.

    struct geo_point { x: float; y: float; }
    service Map { command find() -> geo_point; }

Rename them. Declared names are not on the wire, except an error's that has no code of
its own; a command's name is, so pin it if programs already use it:

    struct GeoPoint { x: float; y: float; }
    service Map { @wire("find") command Find() -> GeoPoint; }
""",
        Severity.WARNING,
    ),
    _cap_words,
)


# --- fields ---------------------------------------------------------------------------


def _snake_case(schema: Schema) -> Iterator[Finding]:
    for module in schema.modules:
        for kind, field in _named_fields(module):
            if not _is_snake_case(field.name):
                yield _field(kind, field, module, written(schema))


def _field(kind: str, field: Field, module: Module, text: Written) -> Finding:
    better = _EDGES.sub("", snake_case(field.name))
    key = None if field.stream else field.key
    fix: Fix | None = text.renamed(module, field.span, better, key)
    if kind == "member":
        help_ = f"call it `{better}`, if nobody uses it yet: its name is its key"
        fix = None
    elif key == field.name:
        help_ = f'call it `{better}`, with `@wire("{key}")`: that is its key'
    else:
        help_ = f"call it `{better}`: the name is not on the wire"
    message = f"{kind} `{field.name}` is not in snake_case"
    return Finding(message, field.span, help=help_, fix=fix)


def _named_fields(module: Module) -> Iterator[tuple[str, Field]]:
    """All but bare results: nothing in Python is called like their key."""
    for declaration in module.declarations:
        match declaration:
            case Struct() | Error():
                for field in declaration.fields:
                    yield "field", field
            case Union():
                for field in declaration.members:
                    yield "member", field
            case Service():
                for command in declaration.commands:
                    for field in command.arguments:
                        yield "argument", field
                    if command.result is not None and not command.result.bare:
                        for field in command.result.fields:
                            yield "result", field
            case _:
                pass


SNAKE_CASE = Lint(
    Rule(
        "AMP0802",
        "field not in snake_case",
        """\
Fields, arguments, results and the members of unions are written in snake_case. They
become attributes and parameters in Python, where the same is expected.

    struct Person { firstName: str; }

Rename it. The name is the key on the wire, so pin that if programs already use it:

    struct Person { @wire("firstName") first_name: str; }

A union's member has no `@wire`: leave it, and silence this rule there, if programs
already use it.
""",
        Severity.WARNING,
    ),
    _snake_case,
)


# --- enum members ---------------------------------------------------------------------


def _upper_case(schema: Schema) -> Iterator[Finding]:
    for module in schema.modules:
        for declaration in module.declarations:
            if isinstance(declaration, Enum):
                for member in declaration.members:
                    if not _is_upper_case(member.name):
                        yield _member(member, module, written(schema))


def _member(member: EnumMember, module: Module, text: Written) -> Finding:
    better = _EDGES.sub("", snake_case(member.name)).upper()
    help_, value = f"call it `{better}`: the name is not on the wire", ""
    if member.value == member.name:
        help_ = f'write `{better} = "{member.value}"`: the value is what is on the wire'
        node = text.node(module, member.span)
        if isinstance(node, EnumMemberNode) and node.value is None:
            value = f' = "{member.value}"'
    return Finding(
        f"member `{member.name}` is not in UPPER_CASE",
        member.span,
        help=help_,
        fix=text.replaced(member.span, better, value, text.defaults(member)),
    )


UPPER_CASE = Lint(
    Rule(
        "AMP0803",
        "enum member not in UPPER_CASE",
        """\
The members of an enum are constants, and written in UPPER_CASE, as in Python.

    enum Level { debug; info; }

Rename them, and keep the values, which are what is on the wire:

    enum Level { DEBUG = "debug"; INFO = "info"; }
""",
        Severity.WARNING,
    ),
    _upper_case,
)
