"""``ampgen describe``: what a schema, or a server, offers."""

from __future__ import annotations

import asyncio
import textwrap
from typing import TYPE_CHECKING, Any

import click

from ampgen.cli.contract import Contract, from_file, from_peer, is_schema, unknown
from ampgen.cli.dialling import Dialling, dialling
from ampgen.cli.inputs import folder

if TYPE_CHECKING:
    from pathlib import Path

    from ampgen.language.tree import CommandDeclaration, ServiceDeclaration
    from ampgen.model import Module

EPILOG = """\
Example: what a server offers, one service of a schema, and one command:

\b
    ampgen describe 127.0.0.1:8000
    ampgen describe text.amp Text
    ampgen describe 127.0.0.1:8000 Text.Repeat
"""


@click.command("describe", epilog=EPILOG)
@click.argument("place", metavar="ADDRESS|SCHEMA")
@click.argument("name", required=False, metavar="[SERVICE[.COMMAND]]")
@click.option(
    "-I",
    "--include",
    multiple=True,
    type=folder,
    metavar="DIR",
    help="A folder to look for imports of SCHEMA in. May be given several times.",
)
@dialling
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    place: str, name: str | None, include: tuple[Path, ...], **options: Any
) -> int:
    """Print what a schema declares, or what a server tells of itself.

    It is the schema's text in its canonical form, with docs and without other comments:
    all of it, the service, or the command. A server is asked for its schemas.
    """
    if is_schema(place):
        contract = from_file(place, include)
    else:
        contract = asyncio.run(_ask(place, Dialling(**options)))
    click.echo(_text(contract, name), nl=False)
    return 0


async def _ask(address: str, dial: Dialling) -> Contract:
    async with dial.connected(address) as connection:
        instead = "describe a schema file instead: ampgen describe x.amp"
        return await from_peer(connection, dial.patience, instead)


def _text(contract: Contract, name: str | None) -> str:
    from ampgen.language.tree import CommandDeclaration

    if name is None:
        texts = [_canonical(module) for module in contract.loaded.schema.roots]
        return "\n".join(texts)
    if "." not in name and name in contract.services:
        service = contract.services[name]
        return _shown(_canonical(service.module), _service(service.module, name))
    if "." not in name:
        commands = {
            command.name
            for service in contract.services.values()
            for command in service.all_commands()
        }
        if name not in commands:
            unknown("service or command", name, [*contract.services, *sorted(commands)])
    _, command = contract.command(name)
    declared = _service(command.service.module, command.service.name)
    for member in declared.members:
        if isinstance(member, CommandDeclaration) and member.name.text == command.name:
            return _shown(_canonical(command.service.module), member)
    raise AssertionError("the text has all that the model has")


def _canonical(module: Module) -> str:
    from ampgen.language.printer import canonical_docs

    return canonical_docs(module.source.text)


def _service(module: Module, name: str) -> ServiceDeclaration:
    from ampgen.language.parser import parse
    from ampgen.language.tree import ServiceDeclaration
    from ampgen.source import Source

    tree, _ = parse(Source(module.source.path, _canonical(module)))
    for declared in tree.declarations:
        if isinstance(declared, ServiceDeclaration) and declared.name.text == name:
            return declared
    raise AssertionError("the text has all that the model has")


def _shown(text: str, declared: ServiceDeclaration | CommandDeclaration) -> str:
    """Whole lines, from the docs on."""
    starts = [declared.span.start, *(one.span.start for one in declared.annotations)]
    if declared.doc is not None:
        starts.append(declared.doc.span.start)
    start = text.rfind("\n", 0, min(starts)) + 1
    end = text.find("\n", declared.span.end)
    return textwrap.dedent(text[start : len(text) if end < 0 else end]) + "\n"
