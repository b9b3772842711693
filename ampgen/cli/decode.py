"""``ampgen decode``: what bytes that were written down or captured say, box by box."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from ampgen.cli import completion
from ampgen.cli.contract import Failure
from ampgen.cli.seen import SeenPrinter, loaded, seeing

if TYPE_CHECKING:
    from collections.abc import Generator
    from io import BufferedReader
    from pathlib import Path

    from ampgen.tools.memory import Loaded

EPILOG = """\
Example: a capture of a server on port 8000, and a dump from a log, by a schema:

\b
    tcpdump -i any -w talk.pcap tcp port 8000
    ampgen decode talk.pcap --schema text.amp --port 8000
    ampgen decode --schema text.amp < dump.txt
"""

_FORMS = ("hex", "raw", "pcap", "recording")


@click.command("decode", epilog=EPILOG)
@click.argument(
    "file", required=False, metavar="[FILE|-]", shell_complete=completion.files
)
@click.option(
    "-s",
    "--schema",
    "schemas",
    multiple=True,
    metavar="SCHEMA",
    shell_complete=completion.schemas,
    help="A file `x.amp` to go by. May be given several times.",
)
@click.option(
    "--from",
    "form",
    type=click.Choice(_FORMS),
    help="What FILE has; found out if left out.",
)
@click.option(
    "--client",
    metavar="FILE",
    shell_complete=completion.files,
    help="What the client has sent.",
)
@click.option(
    "--server",
    metavar="FILE",
    shell_complete=completion.files,
    help="What the server has sent.",
)
@click.option(
    "--side",
    type=click.Choice(("client", "server")),
    default="client",
    show_default=True,
    help="Who has sent what FILE has, where nothing in it says so.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Of a capture: nothing but connections to a server on this port.",
)
@seeing
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    file: str | None,
    schemas: tuple[str, ...],
    form: str | None,
    client: str | None,
    server: str | None,
    side: str,
    port: int | None,
    include: tuple[Path, ...],
    raw: bool,
    full: bool,
    format_: str,
) -> int:
    """Print the boxes in bytes that were written down or captured.

    FILE is a hex dump in any usual form, the bytes themselves, a capture of packets
    (pcap, pcapng), or a recording of `ampgen proxy`; standard input if left out, or
    `-`. In a dump, `>` in front of a line says that the client has sent it, `<` the
    server. Bytes of both directions come from two files: --client FILE --server FILE.

    With a schema, values are shown by name, and what is @sensitive is hidden; without
    one there are their lengths. A recording has its own. The status is 1 if something
    does not decode: all that does is shown.
    """
    two = client is not None or server is not None
    if two and (file is not None or form not in (None, "raw")):
        raise click.UsageError(
            "--client and --server stand for FILE, and are raw bytes"
        )
    if client == server == "-":
        raise click.UsageError("standard input (`-`) is of one side only")
    if port is not None and (two or form in ("hex", "raw", "recording")):
        raise click.UsageError("--port is for captures")
    by = loaded(schemas, include)
    printer = SeenPrinter(format_, by is not None, False, raw, full)
    if two:
        _decode_two(client, server, by, printer)
    else:
        with _opened("-" if file is None else file) as (name, content):
            _decode(name, content, form, side, port, by, printer)
    return 1 if printer.faults else 0


def _decode_two(
    client: str | None, server: str | None, by: Loaded | None, printer: SeenPrinter
) -> None:
    from ampgen.tools.decoding import decode_raw
    from ampgen.tools.seeing.seen import Side

    sent: dict[Side, bytes] = {}
    for side, path in ((Side.CLIENT, client), (Side.SERVER, server)):
        if path is not None:
            with _opened(path) as (name, content), _readable(name):
                sent[side] = content.read()
    for seen in decode_raw(sent, by):
        printer.seen(seen)


def _decode(
    name: str,
    content: BinaryIO,
    form: str | None,
    side: str,
    port: int | None,
    by: Loaded | None,
    printer: SeenPrinter,
) -> None:
    from ampgen.tools.decoding import decode_hex, decode_raw, form_of
    from ampgen.tools.seeing.hexdump import HexError
    from ampgen.tools.seeing.seen import Side

    guessed = form is None
    if form is None:
        with _readable(name):
            form = form_of(cast("BufferedReader", content).peek(4096)[:4096])
    if form == "pcap":
        _decode_capture(name, content, port, by, printer)
        return
    if port is not None:
        raise click.UsageError(f"--port is for captures, and {name} is none")
    if form == "recording":
        _decode_recording(name, content, by, printer)
        return
    with _readable(name):
        data = content.read()
    if form == "raw":
        found = decode_raw({Side(side): data}, by)
    else:
        try:
            found = decode_hex(data, Side(side), by)
        except HexError as error:
            place = f"{name}:{error.line}:{error.column}"
            raise Failure(f"{place}: {error.rule}") from None
    empty = True
    for seen in found:
        empty = False
        printer.seen(seen)
    if empty:
        click.echo(f"note: {name}: nothing in it", err=True)
    elif guessed and form == "raw" and data[0]:  # no box begins so
        rule = "no dump and no capture: read as the bytes that one side has sent"
        click.echo(f"note: {name}: {rule} (see --from)", err=True)


def _decode_capture(
    name: str,
    content: BinaryIO,
    port: int | None,
    by: Loaded | None,
    printer: SeenPrinter,
) -> None:
    from ampgen.tools.decoding import CaptureDecoding
    from ampgen.tools.seeing.capture import Link

    printer.timed = True
    decoding = CaptureDecoding(content, port, by)
    connections = 0
    for one in decoding.seen():
        if isinstance(one, Link):
            connections += 1
            printer.opened(
                one.number, one.client, one.server, midway=one.midway, at=one.at
            )
        else:
            link, seen = one
            printer.seen(seen, link.number)
    for what, number in decoding.skipped.items():
        click.echo(f"note: {name}: {what}: skipped {number:,}", err=True)
    if decoding.failure is not None:
        raise Failure(f"{name}: {decoding.failure}")
    if not connections:
        where = "" if port is None else f" to port {port}"
        click.echo(f"note: {name}: no TCP connection{where} in it", err=True)


def _decode_recording(
    name: str, content: BinaryIO, by: Loaded | None, printer: SeenPrinter
) -> None:
    from ampgen.cli.passing import display
    from ampgen.tools.recordings.events import Values
    from ampgen.tools.recordings.reader import Recording, RecordingError, load_recorded
    from ampgen.tools.recordings.seenagain import decode_recording

    if by is not None:
        raise click.UsageError(f"--schema: {name} is a recording, and has its schema")
    try:
        recording = Recording(content)
        by = load_recorded(recording.header)
        # what is not in it cannot be shown
        raw = printer.raw and recording.header.values is Values.ALL
        shown = display(
            printer.format_, schema=by is not None, raw=raw, full=printer.full
        )
        for one in decode_recording(recording, by):
            if isinstance(one, tuple):
                number, seen = one
                printer.faults += seen.fault
                shown.see(number, seen)
            else:
                shown.tell(one)
    except RecordingError as error:
        raise Failure(f"{name}: {error}") from None
    if recording.cut:
        click.echo(f"note: {name}: the last line is not whole", err=True)


@contextmanager
def _opened(path: str) -> Generator[tuple[str, BinaryIO]]:
    """Its name, for messages, and a reader. :class:`Failure`"""
    if path == "-":
        if sys.stdin is None:
            raise Failure(f"standard input: {os.strerror(errno.EBADF)}")
        yield "standard input", sys.stdin.buffer
        return
    with _readable(path):
        file = open(path, "rb")  # noqa: SIM115 (what goes wrong later is not its fault)
    with file:
        yield path, file


@contextmanager
def _readable(name: str) -> Generator[None]:
    """:class:`Failure` where it cannot be read."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}") from None
    except ValueError as error:  # a NUL in the path
        raise Failure(f"{name}: {error}") from None
