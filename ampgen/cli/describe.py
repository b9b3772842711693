"""``ampgen describe``: what a schema, or a server, offers."""

from __future__ import annotations

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
    from ampgen.tools.describing import command_text, declaration_text, module_text

    if name is None:
        modules = contract.loaded.schema.roots
        return "\n".join(module_text(module) for module in modules)
    if "." not in name and name in contract.services:
        return declaration_text(contract.services[name])
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
    return command_text(command)
