"""The contract that the verbs which talk to a peer go by: a file's, or the peer's."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ampgen.cli.inputs import inputs
from ampgen.cli.streams import colour

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ampgen.model import Command, Service
    from ampgen.runtime import Connection
    from ampgen.source import StandardInput
    from ampgen.tools.memory import Loaded


class Failure(click.ClickException):
    """What could not be done, as one line on standard error; the status is 1."""

    def show(self, file: object = None) -> None:  # noqa: ARG002
        click.echo(f"error: {printable(self.message)}", err=True)


class Contract:
    """Services by name: those asked for, then those of the schemas they import."""

    def __init__(self, loaded: Loaded, offered: Iterable[str] | None = None) -> None:
        """``offered``: the names of those that are served, if that is known."""
        from ampgen.model import Service

        self.loaded = loaded
        self.services: dict[str, Service] = {}
        names = None if offered is None else set(offered)
        for module in (*loaded.schema.roots, *loaded.schema.modules):
            for one in module.declarations:
                if isinstance(one, Service) and (names is None or one.name in names):
                    self.services.setdefault(one.name, one)

    def service(self, name: str) -> Service:
        """``click.UsageError`` where there is none."""
        if name not in self.services:
            unknown("service", name, self.services)
        return self.services[name]

    def command(self, target: str) -> tuple[Service, Command]:
        """Of ``Service.Command``, or of a command's name that one service has alone.

        ``click.UsageError`` where there is none.
        """
        name, dot, command_name = target.rpartition(".")
        if dot:
            service = self.service(name)
            commands = {one.name: one for one in reversed(service.all_commands())}
            if command_name not in commands:
                unknown(f"command in {name}", command_name, list(commands)[::-1])
            return service, commands[command_name]
        found = [
            (service, command)
            for service in self.services.values()
            for command in service.all_commands()
            if command.name == target
        ]
        if not found:
            every = (
                f"{service.name}.{command.name}"
                for service in self.services.values()
                for command in service.all_commands()
            )
            unknown("command", target, list(every), target)
        if len({id(command) for _, command in found}) > 1:
            several = ", ".join(f"{service.name}.{target}" for service, _ in found)
            raise click.UsageError(f"several services have `{target}`: {several}")
        return found[0]


def unknown(
    kind: str, name: str, known: Iterable[str], last: str | None = None
) -> NoReturn:
    """``last``: compare with the last part of the known names alone."""
    from ampgen.diagnostics.suggest import did_you_mean

    known = list(known)
    near = did_you_mean(name, known)
    if near is None and last is not None:
        lasts = {one.rpartition(".")[2]: one for one in reversed(known)}
        near = lasts.get(did_you_mean(last, lasts) or "")
    if near is not None:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"there are {', '.join(known)}" if known else "there are none"
    raise click.UsageError(printable(f"no {kind} `{name}`; {hint}"))


def is_schema(word: str) -> bool:
    """Is it the path of a schema, and neither an address nor ``Service.Command``?"""
    return word.endswith(".amp") and not word.startswith("unix:")


def from_file(path: str, include: Sequence[Path], name: str | None = None) -> Contract:
    """As ``from_files``, of one; with ``name`` from standard input, if it is `-`."""
    if name is None and path != "-":
        return from_files([path], include)
    try:
        return _from_inputs(inputs([path], name), include)
    except OSError as error:
        raise Failure(f"standard input: {error.strerror}") from None


def from_files(paths: Sequence[str], include: Sequence[Path]) -> Contract:
    """Ends the verb with 1 where there are errors, with the diagnostics printed."""
    return _from_inputs([Path(path) for path in paths], include)


def _from_inputs(
    schemas: Sequence[Path | StandardInput], include: Sequence[Path]
) -> Contract:
    from ampgen.diagnostics.printers import print_diagnostics
    from ampgen.tools.memory import SchemaError, load_schemas

    try:
        return Contract(load_schemas(schemas, include))
    except SchemaError as error:
        print_diagnostics(error.diagnostics, sys.stderr, "text", colour())
        raise click.exceptions.Exit(1) from None


async def from_peer(
    connection: Connection, timeout: float | None, without: str
) -> Contract:
    """By reflection. ``without``: what to do where the peer tells nothing."""
    from ampgen.runtime import AmpError, UnknownCommand
    from ampgen.tools.memory import SchemaError, load_texts

    try:
        schemas = await connection.schemas(timeout=timeout)
    except UnknownCommand:
        raise Failure(
            "the peer does not tell its schemas (an ampgen server does with"
            f" `serve(…, reflect=True)`): {without}"
        ) from None
    except AmpError as error:
        raise Failure(f"the peer does not tell its schemas: {error}") from None
    roots = [path for _name, path in schemas.services]
    if not set(roots) <= set(schemas):
        raise Failure("the peer names services of schemas that it does not tell")
    if not roots:
        raise Failure("the peer serves nothing that has a schema")
    try:
        loaded = load_texts(schemas, roots)
    except SchemaError as error:
        raise Failure(f"the peer's schemas do not compile:\n{error}") from None
    return Contract(loaded, (name for name, _path in schemas.services))


def completions(words: Sequence[str], include: Sequence[Path]) -> list[str]:
    """What may follow a schema's path and the words behind it: nothing is compiled."""
    from ampgen.analysis import analyse
    from ampgen.tools.memory import Loaded

    schema, _ = analyse([Path(words[0])], include)
    if schema is None:
        return []
    contract = Contract(Loaded(schema, {}))
    if len(words) == 1:
        return [
            f"{service.name}.{command.name}"
            for service in contract.services.values()
            for command in service.all_commands()
        ]
    try:
        _, command = contract.command(words[1])
    except click.UsageError:
        return []
    given = {word.partition("=")[0] for word in words[2:]}
    return [
        f"{field.name}="
        for field in command.arguments
        if not field.stream and field.name not in given
    ]


def printable(text: str) -> str:
    """A peer's words must not steer a terminal."""
    return "".join(
        one
        if one.isprintable() or one == "\n"
        else one.encode("unicode_escape").decode()
        for one in text
    )


def harmless(text: str) -> str:
    """A peer's text, as it is but for what would steer a terminal."""
    from ampgen.tools.jsonvalues import STEERS

    return re.sub(f"[\0-\x08\x0b-\x1f{STEERS}]", lambda one: printable(one[0]), text)
