"""``ampgen compile``: schemas to a Python package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ampgen.cli.completion import folders
from ampgen.cli.completion import schemas as schemas_in
from ampgen.cli.inputs import check_folder, folder, inputs
from ampgen.cli.options import format_option, include_option, name_option
from ampgen.cli.reports import Report
from ampgen.cli.rules import NOT_UP_TO_DATE
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
@click.argument(
    "schemas", nargs=-1, required=True, metavar="SCHEMA...", shell_complete=schemas_in
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=folder,
    metavar="DIR",
    shell_complete=folders,
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
    report = Report(format_)
    try:
        check_folder()
        given = inputs(schemas, name)
        return _compile(given, include, output, report, target, check=check)
    except OSError as error:
        report.not_read(error, "standard input")
        return 1
    finally:
        report.print()


def _compile(
    inputs: Sequence[Path | StandardInput],
    include: Sequence[Path],
    folder: Path,
    report: Report,
    target: str,
    *,
    check: bool,
) -> int:
    from ampgen import memo, output
    from ampgen.disk import RecordingDisk

    note = memo.note_path(inputs, include, target)
    made = memo.recall(note)
    if made is not None and output.holds(folder, made):
        return 0
    from ampgen.pipeline import compile_schemas  # half of the time of a small schema

    disk = RecordingDisk()
    compiled = compile_schemas(inputs, include, disk, target)
    report.add(compiled.diagnostics)
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
        report.failed(str(error))
        return 1
    return _tell(folder, changes, report)


def _tell(folder: Path, changes: Changes, report: Report) -> int:
    """What `--check` found, one file a line."""
    for what, paths in (
        ("missing", changes.missing),
        ("differs", changes.differing),
        ("stale", changes.stale),
    ):
        for path in paths:
            report.file(NOT_UP_TO_DATE, what, folder / path)
    return 1 if changes else 0
