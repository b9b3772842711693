"""``ampgen proxy``: stand between clients and a server, and tell what they say."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import AsyncExitStack
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from ampgen.cli import completion
from ampgen.cli.contract import Failure, from_peer, printable
from ampgen.cli.dialling import Dialling, dialling
from ampgen.cli.listening import Listening, listening
from ampgen.cli.seen import loaded, seeing

if TYPE_CHECKING:
    from pathlib import Path

    from ampgen.cli.passing import Lines, Text
    from ampgen.tools.memory import Loaded
    from ampgen.tools.proxy.onlooker import Counts
    from ampgen.tools.proxy.relay import Entrance
    from ampgen.tools.proxy.upstream import Upstream
    from ampgen.tools.recordings.recorder import Recorder

EPILOG = """\
Example: see what the clients of a server on port 8000 say, once they connect to port
8001, and record it:

\b
    ampgen proxy 127.0.0.1:8001 127.0.0.1:8000 text.amp
    ampgen proxy 127.0.0.1:8001 127.0.0.1:8000 --reflect --record calls.jsonl
    ampgen proxy unix:/tmp/seen.sock unix:/run/text.sock text.amp

A recording is read by `ampgen decode`, and said again by `ampgen replay`.
"""


@click.command("proxy", epilog=EPILOG)
@click.argument("listen")
@click.argument("upstream")
@click.argument(
    "schemas", nargs=-1, metavar="[SCHEMA]...", shell_complete=completion.schemas
)
@click.option("--reflect", is_flag=True, help="Ask UPSTREAM for its schemas.")
@click.option(
    "--record",
    metavar="FILE",
    shell_complete=completion.files,
    help="Write all that passes to a new file, without what is secret, or may be.",
)
@click.option(
    "--record-secrets",
    is_flag=True,
    help="Write everything, to a file that nobody else may read.",
)
@listening
@seeing
@dialling
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    listen: str,
    upstream: str,
    schemas: tuple[str, ...],
    reflect: bool,
    record: str | None,
    record_secrets: bool,
    include: tuple[Path, ...],
    raw: bool,
    full: bool,
    format_: str,
    **options: Any,
) -> int:
    """Pass everything on between clients, who connect to LISTEN, and UPSTREAM, and
    print each box.

    The bytes are passed on as they are. By the SCHEMAs each box is shown with its
    command and its fields; what they call `@sensitive` is hidden. Without one, and of
    what they do not know, there are the lengths of values. Ctrl-C ends it.

    With --tls, or an option about it, TLS is spoken with UPSTREAM; with --tls-cert with
    the clients, from the beginning or, if there is --starttls, when they ask.
    """
    if record_secrets and record is None:
        raise click.UsageError("--record-secrets: give --record FILE, too")
    if reflect and schemas:
        raise click.UsageError("--reflect is for where there is no SCHEMA")
    from ampgen.cli.passing import display

    own = {field.name: options.pop(field.name) for field in fields(Listening)}
    dial = Dialling(**options)
    target = dial.upstream(upstream)
    entrance = _entrance(listen, Listening(**own), starttls=dial.starttls)
    if entrance.where == target.where:
        raise click.UsageError("LISTEN and UPSTREAM are the same address")
    logging.getLogger("ampgen").addHandler(logging.NullHandler())  # it is all told
    gc.enable()  # this may go on for long
    by = asyncio.run(_ask(upstream, dial)) if reflect else loaded(schemas, include)
    recorder = None
    if record is not None:
        recorder = _recorder(record, by, upstream, secrets=record_secrets)
    shown = display(format_, schema=by is not None, raw=raw, full=full)
    return asyncio.run(_run(entrance, target, by, recorder, shown))


def _entrance(address: str, listens: Listening, *, starttls: bool) -> Entrance:
    from ampgen.runtime.addresses import parse_address
    from ampgen.tools.proxy.relay import Entrance

    try:
        where = parse_address(address)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return Entrance(where, listens.context(), starttls)


async def _ask(address: str, dial: Dialling) -> Loaded:
    async with dial.connected(address) as connection:
        instead = "name one: ampgen proxy LISTEN UPSTREAM x.amp"
        return (await from_peer(connection, dial.patience, instead)).loaded


def _recorder(
    path: str, loaded: Loaded | None, upstream: str, *, secrets: bool
) -> Recorder:
    from ampgen.tools.recordings.recorder import Recorder

    try:
        return Recorder(path, loaded, upstream, secrets=secrets)
    except FileExistsError:
        raise Failure(f"{path}: it is there already; name a new file") from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None


async def _run(
    entrance: Entrance,
    upstream: Upstream,
    by: Loaded | None,
    recorder: Recorder | None,
    shown: Text | Lines,
) -> int:
    from ampgen.runtime.signals import ENDING, on_signals
    from ampgen.tools.oserrors import reason
    from ampgen.tools.proxy.onlooker import Onlooker
    from ampgen.tools.proxy.relay import Relay

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    status = 0

    def failed(what: str) -> None:
        nonlocal status
        status = 1
        if what:
            click.echo(f"error: {printable(what)}", err=True)

    def cannot_record(error: OSError) -> None:
        failed(f"nothing more is recorded: {error.strerror}")

    def cannot_print(error: OSError) -> None:
        # a reader may have had enough, as of `ampgen proxy … | head`
        had_enough = isinstance(error, BrokenPipeError)
        failed("" if had_enough else f"cannot write the output: {error.strerror}")
        stop.set()

    troubles: set[str] = set()

    def troubled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):
            loop.default_exception_handler(context)
        elif (why := reason(error)) not in troubles:  # of each client's, once is enough
            troubles.add(why)
            click.echo(f"error: cannot accept a connection: {why}", err=True)

    loop.set_exception_handler(troubled)
    onlooker = Onlooker(by, shown, recorder, cannot_record)
    async with AsyncExitStack() as stack:
        if recorder is not None:
            stack.callback(recorder.close)
        stack.enter_context(
            shown.unhurried(lambda why: loop.call_soon_threadsafe(cannot_print, why))
        )
        relay = Relay(entrance, upstream, onlooker)
        try:
            await stack.enter_async_context(relay)
        except OSError as error:
            if recorder is not None:
                recorder.discard()
            where = f"cannot listen on {entrance.where}"
            raise Failure(f"{where}: {reason(error)}") from None
        stack.enter_context(on_signals(ENDING, lambda _signal: stop.set()))
        where = f"{', '.join(relay.addresses)} for {upstream.where}"
        click.echo(f"listening on {where}", err=True)
        if recorder is not None:
            click.echo(f"recording {recorder.what}", err=True)
        await stop.wait()
    click.echo(_summary(onlooker.counts), err=True)
    return status


def _summary(counts: Counts) -> str:
    from ampgen.cli.passing import many
    from ampgen.tools.seeing.seen import Side

    boxes = counts.kinds.total()
    parts = [many(counts.connections, "connection"), many(boxes, "box", "boxes")]
    if boxes:
        kinds = (many(count, kind.value) for kind, count in counts.kinds.items())
        parts[-1] += f" ({', '.join(kinds)})"
    sent, back = (many(counts.sent[side], "byte") for side in Side)
    parts += [f"{sent} to the server", f"{back} back"]
    for count, what in ((counts.faults, "fault"), (counts.failures, "failure")):
        if count:
            parts.append(many(count, what))
    return ", ".join(parts)
