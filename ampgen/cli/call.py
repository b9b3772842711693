"""``ampgen call``: one call of one command, from a shell."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from ampgen.cli.completion import called
from ampgen.cli.contract import (
    Contract,
    Failure,
    from_file,
    from_peer,
    is_schema,
    printable,
    unknown,
)
from ampgen.cli.dialling import Dialling, dialling
from ampgen.cli.options import include_option
from ampgen.cli.streams import arriving_lines, lacks_characters, standard_input

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from ampgen.model import Command, Field, Service
    from ampgen.runtime import CommandError, RemoteError
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.jsonvalues import JsonValues

EPILOG = """\
Example: call a command, with the schema from a file, and from the server itself:

\b
    ampgen call 127.0.0.1:8000 text.amp Text.Repeat text=abc times=3
    ampgen call 127.0.0.1:8000 Text.Repeat --json '{"text": "abc", "times": 3}'
    ampgen call unix:/run/text.sock text.amp Text.Repeat @arguments.json

A stream argument is read from standard input, an item a line, in JSON; a stream that
comes back is printed so:

\b
    ampgen call 127.0.0.1:8000 archive.amp Archive.Tail name=/var/log/x | jq .line
"""


@click.command("call", epilog=EPILOG)
@click.argument("address")
@click.argument(
    "words",
    nargs=-1,
    metavar="[SCHEMA] SERVICE.COMMAND [KEY=VALUE... | @FILE]",
    shell_complete=called,
)
@click.option("--json", "json_", metavar="OBJECT", help="All arguments, in JSON.")
@include_option("imports of SCHEMA")
@click.option(
    "--metadata",
    multiple=True,
    metavar="KEY=VALUE",
    help="To be sent along with the call. May be given several times.",
)
@click.option(
    "--secrets",
    is_flag=True,
    help="Print what the schema calls `@sensitive`, too.",
)
@dialling
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    address: str,
    words: tuple[str, ...],
    json_: str | None,
    include: tuple[Path, ...],
    metadata: tuple[str, ...],
    secrets: bool,
    **options: Any,
) -> int:
    """Call a command of a server, and print its answer in JSON.

    ADDRESS is `host:port`, `[::1]:8000` or `unix:/run/text.sock`. Without SCHEMA, a
    file `x.amp`, the server is asked for its schemas. Values are as in JSON, but that
    strings, dates, numbers and the like need no quotes. An error goes to standard error
    with its code, its description and its fields; the status is 1. What the schema
    calls `@sensitive` is hidden, of both.
    """
    left = list(words)
    schema = left.pop(0) if left and is_schema(left[0]) else None
    if not left:
        raise click.UsageError("which command? Name it as in Text.Repeat")
    target, *given = left
    if "=" in target or target.startswith("@"):
        raise click.UsageError(f"`{target}` stands where Service.Command should")
    import asyncio

    gc.enable()  # a stream may go on for long
    pairs = _pairs(metadata, "--metadata")
    asking = Asking(target, _given(given, json_), pairs, secrets)
    dial = Dialling(**options)
    contract = request = None
    if schema is not None:
        contract = from_file(schema, include)
        request = asking.resolve(contract)
    return asyncio.run(_run(address, asking, request, dial))


async def _run(
    address: str, asking: Asking, request: Request | None, dial: Dialling
) -> int:
    async with dial.connected(address) as connection:
        if request is None:
            instead = f"name one: ampgen call {address} x.amp {asking.target} …"
            contract = await from_peer(connection, dial.patience, instead)
            request = asking.resolve(contract)
        return await request.perform(connection, dial.timeout, asking.metadata)


# --- what is asked for ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whole:
    """All arguments as one JSON value, which should be an object."""

    data: Json


@dataclass(frozen=True, slots=True)
class Asking:
    """The words of the command line; arguments are pairs as typed, or JSON.

    ``secrets``: what is ``@sensitive`` is to be printed as well.
    """

    target: str
    arguments: dict[str, str] | Whole
    metadata: dict[str, str]
    secrets: bool

    def resolve(self, contract: Contract) -> Request:
        """``click.UsageError`` where the contract has no such thing."""
        from ampgen.runtime.errors import Fault
        from ampgen.targets.python.names import argument_name
        from ampgen.tools.jsonvalues import JsonValues

        service, command = contract.command(self.target)
        values = JsonValues(contract.loaded)
        fields = [field for field in command.arguments if not field.stream]
        sent = next((field for field in command.arguments if field.stream), None)
        given = self.arguments
        _check_names(command, given.data if isinstance(given, Whole) else given)
        try:
            if isinstance(given, Whole):
                made = values.fields_from_json(fields, given.data, argument_name)
            else:
                made = _typed(values, fields, given)
        except Fault as fault:
            text = f"{service.name}.{command.name}: {fault}"
            raise click.UsageError(printable(text)) from None
        return Request(contract, service, command, values, made, sent, self.secrets)


def _check_names(command: Command, given: object) -> None:
    if not isinstance(given, dict):
        return  # it is refused for that
    known = [field.name for field in command.arguments if not field.stream]
    streams = [field.name for field in command.arguments if field.stream]
    for name in cast("dict[str, object]", given):
        if name in streams:
            raise click.UsageError(
                f"`{name}` is a stream: its items come from standard input, one a line,"
                " in JSON"
            )
        if name not in known:
            unknown(f"argument of {command.name}", name, known)


def _typed(
    values: JsonValues, fields: Sequence[Field], given: dict[str, str]
) -> dict[str, Any]:
    """Arguments for the method, of texts by the names in the schema. ``Fault``"""
    from ampgen.runtime.errors import Fault, fault_at, missing
    from ampgen.targets.python.names import argument_name

    made: dict[str, Any] = {}
    for field in fields:
        if field.name in given:
            try:
                value = values.from_text(field.type, given[field.name])
            except Fault as fault:
                raise fault_at(field.name, fault) from None
            made[argument_name(field)] = value
        elif field.required:
            raise fault_at(field.name, missing())
    return made


def _given(words: Sequence[str], json_: str | None) -> dict[str, str] | Whole:
    """The arguments, which are given in one of three ways."""
    files = [word for word in words if word.startswith("@") and "=" not in word]
    ways = (json_ is not None, bool(files), len(words) > len(files))
    if sum(ways) > 1 or len(files) > 1:
        raise click.UsageError(
            "give the arguments in one way: KEY=VALUE…, --json OBJECT, or @FILE"
        )
    if json_ is not None:
        return Whole(_parsed(json_, "--json"))
    if files:
        return Whole(_parsed(_content(files[0][1:]), files[0]))
    return _pairs(words, "an argument")


def _content(path: str) -> bytes:
    try:
        return standard_input() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        where = "standard input" if path == "-" else path
        raise Failure(f"{where}: {error.strerror}") from None


def _parsed(text: str | bytes, where: str) -> Json:
    from ampgen.runtime.errors import Fault
    from ampgen.tools.jsonvalues import parse

    try:
        return parse(text)
    except Fault as fault:
        raise click.UsageError(f"{where}: {fault}") from None


def _pairs(words: Sequence[str], what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise click.UsageError(f"`{word}`: {what} is written KEY=VALUE")
        if key in found:
            raise click.UsageError(f"`{key}` is given twice")
        found[key] = value
    return found


# --- the call -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    contract: Contract
    service: Service
    command: Command
    values: JsonValues
    arguments: dict[str, Any]
    sent: Field | None
    secrets: bool

    async def perform(
        self, connection: Any, timeout: float | None, metadata: dict[str, str]
    ) -> int:
        """Call, and print what comes; the status is returned. :class:`Failure`"""
        from ampgen.runtime import AmpError, CommandError, RemoteError
        from ampgen.targets.python import names

        made = self.contract.loaded.python(
            self.service.module, names.client_class(self.service)
        )
        method = getattr(made(connection), names.method_name(self.command))
        arguments: dict[str, Any] = dict(self.arguments)
        if timeout is not None:
            arguments["timeout"] = timeout
        if metadata:
            arguments["metadata"] = metadata
        source = None
        if self.sent is not None:
            source = _Source(self.values, self.sent)
            arguments[names.argument_name(self.sent)] = source.items()
        try:
            await self._print_answer(method(**arguments))
        except CommandError as error:
            self._tell(error, self._fields(error))
            return 1
        except RemoteError as error:
            self._tell(error, {})
            return 1
        except AmpError as error:
            if source is None or source.failure is None:
                raise Failure(str(error)) from None
        except Failure:
            pass  # of the source
        if source is not None and source.failure is not None:
            raise source.failure
        return 0

    async def _print_answer(self, answer: Any) -> None:
        result = self.command.result
        if result is not None and result.stream:
            async with answer as items:
                async for item in items:
                    _print(self._shown(item), indent=None)
            return
        value = await answer
        if not self.command.oneway:
            _print(self._shown(value), indent=2)

    def _shown(self, value: Any) -> Json:
        """An answer, or an item of one, as it may be seen."""
        from ampgen.tools.hiding import hide_result

        data = self.values.result_to_json(self.command.result, value)
        return data if self.secrets else hide_result(self.command.result, data)

    def _fields(self, error: CommandError) -> dict[str, Json]:
        from ampgen.tools.hiding import hide_fields

        for declared in self.command.errors:
            if declared.code == error.code:
                data = self.values.error_to_json(declared, error)
                return data if self.secrets else hide_fields(declared.fields, data)
        return {}

    def _tell(self, error: RemoteError, fields: dict[str, Json]) -> None:
        from ampgen.tools.jsonvalues import dumps

        text = printable(error.description)
        click.echo(f"error: {printable(error.code)}: {text}", err=True)
        for name, value in fields.items():
            click.echo(f"  {name}: {dumps(value)}", err=True)


def _print(data: Json, indent: int | None) -> None:
    from ampgen.tools.jsonvalues import dumps

    click.echo(dumps(data, indent=indent, ascii_=lacks_characters()))


class _Source:
    """The items of a stream argument, from standard input.

    ``failure``: why it ended early.
    """

    def __init__(self, values: JsonValues, field: Field) -> None:
        self._values = values
        self._field = field
        self.failure: Failure | None = None

    async def items(self) -> AsyncGenerator[Any]:
        from ampgen.runtime.errors import Fault
        from ampgen.tools.jsonvalues import parse

        number = 0
        try:
            async for line in arriving_lines():
                number += 1
                if line.strip():
                    yield self._values.from_json(self._field.type, parse(line))
        except Fault as fault:
            text = f"standard input, line {number}: {self._field.name}: {fault}"
            self.failure = Failure(text)
            raise self.failure from None
        except OSError as error:
            self.failure = Failure(f"standard input: {error.strerror}")
            raise self.failure from None
