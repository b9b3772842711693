"""``ampgen mock``: a server for a schema, before there is one."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from ampgen.cli.completion import schemas, services
from ampgen.cli.contract import Contract, Failure, from_file, printable
from ampgen.cli.dialling import file_
from ampgen.cli.listening import Listening, listening, listening_on
from ampgen.cli.options import Number, include_option, name_option
from ampgen.cli.streams import lacks_characters

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from ampgen.model import Service
    from ampgen.runtime import RemoteError
    from ampgen.runtime.jsonvalue import Json
    from ampgen.runtime.server import Listener
    from ampgen.tools.memory import Loaded
    from ampgen.tools.mock.examples import Examples
    from ampgen.tools.mock.mocking import Told

EPILOG = """\
Example: serve a schema on a port of one's own, with the answers that matter from a
file, and call it:

\b
    ampgen mock stock.amp --listen 127.0.0.1:8000 --examples stock.json
    ampgen call 127.0.0.1:8000 Stock.Find name=flour

The file has examples by command; the first one that fits a call is its answer:

\b
    {"Stock.Find": [
        {"arguments": {"name": "flour"}, "result": {"name": "flour", "amount": 2}},
        {"error": {"code": "NO_SUCH_ITEM", "fields": {"near": ["flour"]}}}
    ]}
"""


@click.command("mock", epilog=EPILOG)
@click.argument("schema", shell_complete=schemas)
@click.option(
    "--listen",
    "address",
    metavar="ADDRESS",
    default="127.0.0.1:0",
    show_default=True,
    help="Where: `host:port` (0: any port that is free), or `unix:/path`.",
)
@click.option(
    "--service",
    "names",
    metavar="NAME",
    multiple=True,
    shell_complete=services,
    help="Serve this one alone. May be given several times.",
)
@click.option(
    "--examples",
    type=file_,
    metavar="FILE",
    help="Answers that are not to be made up (JSON, or TOML in a file `x.toml`).",
)
@click.option(
    "--seed",
    metavar="TEXT",
    default="0",
    show_default=True,
    help="Another one makes up other answers.",
)
@click.option(
    "--delay",
    type=Number(min=0, max=86_400),
    metavar="SECONDS",
    default=0.0,
    help="Wait so long before each answer, and before each item of a stream.",
)
@click.option(
    "--errors",
    type=Number(min=0, max=1),
    metavar="RATE",
    default=0.0,
    help="Let this part of the calls fail, as 0.1: one in ten.",
)
@click.option(
    "--call-back",
    is_flag=True,
    help="Call what the services call back, once for each call that comes.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to tell of calls: JSON has all of their values, text the start of each.",
)
@click.option("--starttls", is_flag=True, help="TLS when a client asks for it.")
@include_option("imports of SCHEMA")
@name_option
@listening
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    schema: str,
    address: str,
    names: tuple[str, ...],
    examples: str | None,
    seed: str,
    delay: float,
    errors: float,
    call_back: bool,
    format_: str,
    starttls: bool,
    include: tuple[Path, ...],
    name: str | None,
    **options: Any,
) -> int:
    """Serve a schema's commands with plausible values, and tell of each call.

    A SCHEMA is a file, or `-` for standard input. Values are of the right types, and
    look like what they are called. The same call gets the same answer, as long as the
    seed is the same. It serves until it is interrupted. What is `@sensitive` is not
    printed.
    """
    from ampgen.runtime import serve
    from ampgen.tools.mock.callingback import CallingBack
    from ampgen.tools.mock.mocking import Mock
    from ampgen.tools.mock.outcomes import Outcomes
    from ampgen.tools.mock.samples import Samples
    from ampgen.tools.mock.standin import stand_ins

    context = Listening(**options).context()
    if starttls and context is None:
        raise click.UsageError("TLS needs a certificate: give --tls-cert")
    contract = from_file(schema, include, name)
    served = _services(contract, names, name or schema)
    outcomes = Outcomes(seed, errors, _examples(examples, contract.loaded, served))
    gc.enable()  # it lives for long
    journal = _Journal(_LINES[format_])
    calling = None
    if call_back:
        calling = CallingBack(contract.loaded, served, Samples(seed))
    mock = Mock(
        *(contract.loaded, outcomes, journal.tell), delay=delay, calling_back=calling
    )
    try:
        listener = serve(
            address,
            *stand_ins(contract.loaded, served, mock.answer),
            tls=None if starttls else context,
            starttls=context if starttls else None,
            reflect=True,
        )
    except ValueError as error:
        raise click.UsageError(printable(str(error))) from None
    with _attended(mock.refused):
        asyncio.run(_serve(listener, address, served, journal))
    if journal.failure is not None:
        raise journal.failure
    return 0


async def _serve(
    listener: Listener, address: str, services: Sequence[Service], journal: _Journal
) -> None:
    async with listening_on(listener, address) as server:
        journal.failed = server.close
        journal.begin(server.addresses, [service.name for service in services])
        await server.serve_forever()


# --- what is served -------------------------------------------------------------------


def _services(
    contract: Contract, names: Sequence[str], schema: str
) -> Sequence[Service]:
    """Those that are named, else those that a server of the schema has.

    A service that another one calls back is the client's to answer; one that another
    one extends is served with it.
    """
    from ampgen.model import Service
    from ampgen.tools.mock.standin import clash

    if names:
        services = [contract.service(name) for name in dict.fromkeys(names)]
    else:
        declared = [
            one
            for module in contract.loaded.schema.roots
            for one in module.declarations
            if isinstance(one, Service)
        ]
        others = {
            id(other)
            for service in contract.services.values()
            for other in (*service.all_calls(), *service.extends)
        }
        services = [one for one in declared if id(one) not in others] or declared
    if not services:
        raise Failure(f"{schema} declares no service")
    both = clash(services)
    if both is not None:
        one, other = (f"{command.service.name}.{command.name}" for command in both)
        raise click.UsageError(
            f"{one} and {other} have one name on the wire, `{both[0].wire}`:"
            " choose with --service"
        )
    return services


def _examples(
    path: str | None, loaded: Loaded, services: Sequence[Service]
) -> Examples:
    from ampgen.tools.mock.examplefiles import ExamplesError, read_examples
    from ampgen.tools.mock.examples import NO_EXAMPLES

    if path is None:
        return NO_EXAMPLES
    try:
        return read_examples(Path(path), loaded, services)
    except ExamplesError as error:
        for reason in error.reasons:
            click.echo(f"error: {printable(reason)}", err=True)
        raise click.exceptions.Exit(1) from None


# --- what is told ---------------------------------------------------------------------


class _Journal:
    """Lines on standard output. ``failure``: why it took no more of them."""

    def __init__(self, line: Callable[[Told], str]) -> None:
        self._line = line
        self.failure: OSError | None = None
        self.failed: Callable[[], None] = lambda: None

    def begin(self, addresses: Sequence[str], services: Sequence[str]) -> None:
        from ampgen.tools.jsonvalues import dumps

        if self._line is _json:
            self._print(dumps({"listening": [*addresses], "services": [*services]}))
        else:
            self._print(f"{', '.join(services)} on {', '.join(addresses)}")

    def tell(self, told: Told) -> None:
        self._print(self._line(told))

    def _print(self, line: str) -> None:
        if self.failure is not None:
            return
        try:
            click.echo(line)
        except OSError as error:
            self.failure = error
            self.failed()


def _json(told: Told) -> str:
    from ampgen.tools.jsonvalues import dumps

    return dumps(told.to_json(), ascii_=lacks_characters())


def _text(told: Told) -> str:
    words = [f"{told.time:%H:%M:%S} #{told.call} {told.peer} {told.command}"]
    for kind, data in told.what.items():
        words.append(_MARKS[kind])
        if kind == "error":
            error = cast("dict[str, Json]", data)
            words.append(f"{error['code']}: {error['description']}")
            data = error.get("fields")
        if kind == "ended":
            words.append(str(data))
        elif data or kind != "error":
            words.append(_short(data))
    return printable(" ".join(filter(None, words))).replace("\n", "\\n")


_MARKS = {
    "arguments": "",
    "called_back": "<=",
    "received": "<-",
    "sent": "->",
    "answer": "=>",
    "error": "=>",
    "ended": "--",
}


def _short(data: Json) -> str:
    from ampgen.runtime.redaction import redact
    from ampgen.tools.jsonvalues import dumps

    return dumps(cast("Json", redact(data)))


_LINES = {"text": _text, "json": _json}


@contextmanager
def _attended(refused: Callable[[str, str, RemoteError], None]) -> Generator[None]:
    """What the runtime logs goes to standard error, and to those who listen."""
    logger = logging.getLogger("ampgen")
    handler = _Log(refused)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.propagate = propagate
        logger.removeHandler(handler)


class _Log(logging.Handler):
    def __init__(self, refused: Callable[[str, str, RemoteError], None]) -> None:
        super().__init__()
        self._refused = refused

    def emit(self, record: logging.LogRecord) -> None:
        from ampgen.runtime import RemoteError

        match record.args:  # of a request that no handler gets the log alone tells
            case (bytes(name), str(peer), RemoteError() as error, *_):
                self._refused(peer, name.decode("utf-8", "backslashreplace"), error)
                return
            case _:
                pass
        if record.levelno >= logging.WARNING:
            text = record.getMessage()
            raised = record.exc_info[1] if record.exc_info else None
            if raised is not None and (str(raised) or repr(raised)) not in text:
                text += f": {raised!r}"
            click.echo(f"{record.levelname.lower()}: {printable(text)}", err=True)
