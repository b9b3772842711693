"""``ampgen compile``: schemas to a Python package."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from ampgen.cli.inputs import folder, inputs
from ampgen.cli.options import format_option, include_option, name_option
from ampgen.cli.streams import colour
from ampgen.diagnostics.printers import print_diagnostics
from ampgen.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.output import Changes
    from ampgen.source import StandardInput

EPILOG = """\
Example: compile two schemas, whose imports also lie in `vendor`, into `pkg`:

\b
    ampgen compile schemas/text.amp schemas/chat.amp -I vendor -o pkg
"""


@click.command("compile", epilog=EPILOG)
@click.argument("schemas", nargs=-1, required=True, metavar="SCHEMA...")
@click.option(
    "-o",
    "--output",
    required=True,
    type=folder,
    metavar="DIR",
    help="The folder of the package to write.",
)
@include_option()
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if the folder is not up to date."
)
@format_option
@name_option
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    default="python",
    show_default=True,
    help="What to make: Python for asyncio, or classes for Twisted's AMP.",
)
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    schemas: tuple[str, ...],
    output: Path,
    include: tuple[Path, ...],
    check: bool,
    format_: str,
    name: str | None,
    target: str,
) -> int:
    """Make a Python package of schemas, and of all that they import.

    A SCHEMA is a file, or `-` for standard input. Prints nothing when all is well.
    """
    try:
        os.getcwd()
    except OSError:
        click.echo("error: the working directory is gone", err=True)
        return 1
    try:
        given = inputs(schemas, name)
    except OSError as error:
        click.echo(f"error: standard input: {error.strerror}", err=True)
        return 1
    return _compile(given, include, output, format_, target, check=check)


def _compile(
    inputs: Sequence[Path | StandardInput],
    include: Sequence[Path],
    folder: Path,
    format_: str,
    target: str,
    *,
    check: bool,
) -> int:
    from ampgen import memo, output
    from ampgen.disk import RecordingDisk

    note = memo.note_path(inputs, include, target)
    made = memo.recall(note)
    if made is not None and output.holds(folder, made):
        print_diagnostics((), sys.stderr, format_, colour())
        return 0
    from ampgen.pipeline import compile_schemas  # half of the time of a small schema

    disk = RecordingDisk()
    compiled = compile_schemas(inputs, include, disk, target)
    print_diagnostics(compiled.diagnostics, sys.stderr, format_, colour())
    if compiled.files is None:
        return 1
    if not compiled.diagnostics:
        memo.remember(note, disk, compiled.files)
    try:
        if not check:
            output.write(folder, compiled.files)
            return 0
        changes = output.compare(folder, compiled.files)
    except output.OutputError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    return _report(folder, changes)


def _report(folder: Path, changes: Changes) -> int:
    """What `--check` found, one file a line."""
    for what, paths in (
        ("missing", changes.missing),
        ("differs", changes.differing),
        ("stale", changes.stale),
    ):
        for path in paths:
            click.echo(f"{what}: {folder / path}", err=True)
    return 1 if changes else 0
