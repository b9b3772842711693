"""``ampgen compile``: schemas to a Python package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ampgen.cli.streams import colour, standard_input
from ampgen.diagnostics.printers import PRINTERS, print_diagnostics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.output import Changes
    from ampgen.source import StandardInput

EPILOG = """\
Example: compile two schemas, whose imports also lie in `vendor`, into `pkg`:

\b
    ampgen compile schemas/text.amp schemas/chat.amp -I vendor -o pkg
"""


def folder(path: str) -> Path:
    """What an empty variable of a script leaves behind is no name of this folder."""
    if not path or "\0" in path:
        raise click.BadParameter("not the path of a folder")
    return Path(path)


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
@click.option(
    "-I",
    "--include",
    multiple=True,
    type=folder,
    metavar="DIR",
    help="A folder to look for imports in. May be given several times.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if the folder is not up to date."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(PRINTERS)),
    default="text",
    show_default=True,
    help="How diagnostics are printed.",
)
@click.option(
    "--name",
    metavar="FILE.amp",
    help="What the schema from standard input (`-`) is called.",
)
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    schemas: tuple[str, ...],
    output: Path,
    include: tuple[Path, ...],
    check: bool,
    format_: str,
    name: str | None,
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
        inputs = _inputs(schemas, name)
    except OSError as error:
        click.echo(f"error: standard input: {error.strerror}", err=True)
        return 1
    return _compile(inputs, include, output, format_, check=check)


def _compile(
    inputs: Sequence[Path | StandardInput],
    include: Sequence[Path],
    folder: Path,
    format_: str,
    *,
    check: bool,
) -> int:
    from ampgen import memo, output
    from ampgen.disk import RecordingDisk

    note = memo.note_path(inputs, include)
    made = memo.recall(note)
    if made is not None and output.holds(folder, made):
        print_diagnostics((), sys.stderr, format_, colour())
        return 0
    from ampgen.pipeline import compile_schemas  # half of the time of a small schema

    disk = RecordingDisk()
    compiled = compile_schemas(inputs, include, disk)
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


def _inputs(schemas: tuple[str, ...], name: str | None) -> list[Path | StandardInput]:
    from ampgen.source import StandardInput

    if "" in schemas:
        raise click.UsageError("the path of a schema is empty")
    if schemas.count("-") > 1:
        raise click.UsageError("standard input (`-`) can be read once only")
    if "-" in schemas and not name:
        raise click.UsageError(
            "a schema from standard input needs a name: --name text.amp"
        )
    if "-" not in schemas and name is not None:
        raise click.UsageError(
            "--name is for a schema from standard input: give `-` too"
        )
    inputs: list[Path | StandardInput] = []
    for schema in schemas:
        if schema == "-" and name is not None:
            inputs.append(StandardInput(name, standard_input()))
        else:
            inputs.append(Path(schema))
    return inputs


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
