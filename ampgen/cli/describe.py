"""``ampgen describe``: what a schema, or a server, offers."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from ampgen.cli.completion import declared, schemas
from ampgen.cli.contract import (
    Contract,
    from_peer,
    harmless,
    is_schema,
    unknown,
)
from ampgen.cli.dialling import Dialling, dialling
from ampgen.cli.inputs import inputs
from ampgen.cli.options import format_option, include_option, name_option
from ampgen.cli.reports import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.language import tree
    from ampgen.model import (
        Command,
        Declaration,
        Enum,
        Error,
        Field,
        Module,
        Struct,
        Type,
        Union,
    )

EPILOG = """\
Example: what a server offers, one service of a schema, and one command:

\b
    ampgen describe 127.0.0.1:8000
    ampgen describe text.amp Text
    ampgen describe 127.0.0.1:8000 Text.Repeat
    git show HEAD~1:text.amp | ampgen describe - --name text.amp
"""


@click.command("describe", epilog=EPILOG)
@click.argument("place", metavar="ADDRESS|SCHEMA", shell_complete=schemas)
@click.argument(
    "target",
    required=False,
    metavar="[SERVICE[.COMMAND]]",
    shell_complete=declared,
)
@include_option("imports of SCHEMA")
@format_option
@name_option
@dialling
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    place: str,
    target: str | None,
    include: tuple[Path, ...],
    format_: str,
    name: str | None,
    **options: Any,
) -> int:
    """Print what a schema declares, or what a server tells of itself.

    It is the schema's text in its canonical form, with docs and without other comments:
    all of it, the service, or the command with the types and errors that it names. A
    SCHEMA is a file `x.amp`, or `-` for standard input; a server is asked for its
    schemas.
    """
    if place == "-" or is_schema(place):
        contract = _read(place, include, format_, name)
    else:
        import asyncio

        contract = asyncio.run(_ask(place, Dialling(**options)))
    click.echo(harmless(_text(contract, target)), nl=False)
    return 0


def _read(
    place: str, include: Sequence[Path], format_: str, name: str | None
) -> Contract:
    from ampgen.tools.memory import SchemaError, load_schemas

    report = Report(format_)
    try:
        return Contract(load_schemas(inputs([place], name), include))
    except SchemaError as error:
        report.add(error.diagnostics)
    except OSError as error:
        report.not_read(error, "standard input")
    report.print()
    raise click.exceptions.Exit(1)


async def _ask(address: str, dial: Dialling) -> Contract:
    async with dial.connected(address) as connection:
        instead = "describe a schema file instead: ampgen describe x.amp"
        return await from_peer(connection, dial.patience, instead)


def _text(contract: Contract, name: str | None) -> str:
    if name is None:
        modules = contract.loaded.schema.roots
        return "\n".join(_canonical(module) for module in modules)
    if "." not in name and name in contract.services:
        return _declared(contract.services[name])
    if "." not in name:
        commands = [
            command.name
            for service in contract.services.values()
            for command in service.all_commands()
        ]
        if name not in commands:
            every = dict.fromkeys([*contract.services, *commands])
            unknown("service or command", name, every)
    _, command = contract.command(name)
    texts = [_command(command), *(_declared(one) for one in _named_by(command))]
    return "\n".join(texts)


def _named_by(command: Command) -> list[Enum | Struct | Union | Error]:
    """What one has to know to call it: errors and types, and the types in those."""
    from ampgen.model import ListType, MapType, ScalarType, Struct, Union

    found: dict[Enum | Struct | Union | Error, None] = {}

    def visit(type_: Type) -> None:
        match type_:
            case ScalarType():
                pass
            case ListType(item):
                visit(item)
            case MapType(key, value):
                visit(key)
                visit(value)
            case _ if type_ not in found:
                found[type_] = None
                if isinstance(type_, Struct):
                    visit_all(type_.fields)
                elif isinstance(type_, Union):
                    visit_all(type_.members)
            case _:
                pass

    def visit_all(fields: Sequence[Field]) -> None:
        for field in fields:
            visit(field.type)

    visit_all(command.arguments)
    if command.result is not None:
        visit_all(command.result.fields)
    for error in command.errors:
        found[error] = None
        visit_all(error.fields)
    return list(found)


# --- the text of one declaration ------------------------------------------------------


def _canonical(module: Module) -> str:
    from ampgen.language.printer import canonical_docs

    return canonical_docs(module.source.text)


def _declared(declaration: Declaration) -> str:
    return _shown(_node(declaration))


def _command(command: Command) -> str:
    from ampgen.language.tree import CommandDeclaration, ServiceDeclaration

    service = _node(command.service)
    if isinstance(service, ServiceDeclaration):
        for member in service.members:
            if (
                isinstance(member, CommandDeclaration)
                and member.name.text == command.name
            ):
                return _shown(member)
    raise AssertionError("the text has all that the model has")


def _node(declaration: Declaration) -> tree.Declaration:
    from ampgen.language.parser import parse
    from ampgen.source import Source

    module = declaration.module
    file, _ = parse(Source(module.source.path, _canonical(module)))
    for node in file.declarations:
        if node.name.text == declaration.name:
            return node
    raise AssertionError("the text has all that the model has")


def _shown(node: tree.Declaration | tree.CommandDeclaration) -> str:
    """Whole lines, from the docs on."""
    text = node.span.source.text
    starts = [node.span.start, *(one.span.start for one in node.annotations)]
    if node.doc is not None:
        starts.append(node.doc.span.start)
    start = text.rfind("\n", 0, min(starts)) + 1
    end = text.find("\n", node.span.end)
    return textwrap.dedent(text[start : len(text) if end < 0 else end]) + "\n"
