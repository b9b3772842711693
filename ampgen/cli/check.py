"""``ampgen check``: what is wrong with schemas, and what may be regretted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ampgen.cli.inputs import inputs_and_found
from ampgen.cli.options import (
    format_option,
    include_option,
    name_option,
    paths_argument,
    watch_option,
)
from ampgen.cli.reports import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.disk import RecordingDisk

EPILOG = """\
Example: check all schemas of a folder, and fail on warnings, too:

\b
    ampgen check schemas --strict

The levels of the rules are set in pyproject.toml, and a comment silences one:

\b
    [tool.ampgen.lint]
    AMP0804 = "off"

\b
    // ampgen: allow AMP0807 (the server is rolled out first)
    oneway command Log(line: str);
"""


@click.command("check", epilog=EPILOG)
@paths_argument
@include_option()
@click.option("--strict", is_flag=True, help="Fail on warnings, too.")
@format_option
@name_option
@watch_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    paths: tuple[str, ...],
    include: tuple[Path, ...],
    strict: bool,
    format_: str,
    name: str | None,
    watch: bool,
) -> int:
    """Look for errors in schemas, and for what may be regretted later.

    A PATH is a file, a folder (all `.amp` files in it and below, but for hidden
    folders), or `-` for standard input. Nothing is written. What is found goes to
    standard error; the status is 1 if there is an error among it.
    """
    if watch and "-" in paths:
        raise click.UsageError("--watch: standard input cannot be watched")
    from ampgen.disk import RecordingDisk

    def once() -> tuple[int, RecordingDisk]:
        disk = RecordingDisk()
        return _check(paths, include, name, format_, disk, strict=strict), disk

    if not watch:
        return once()[0]
    from ampgen.cli.watching import keep_on

    def around() -> tuple[str, RecordingDisk]:
        status, disk = once()
        return "not as it should be" if status else "no errors", disk

    return keep_on(around)


def _check(
    paths: Sequence[str],
    include: Sequence[Path],
    name: str | None,
    format_: str,
    disk: RecordingDisk,
    *,
    strict: bool,
) -> int:
    from ampgen.check import check_schemas
    from ampgen.diagnostics import Severity

    report = Report(format_)
    try:
        named, found = inputs_and_found(paths, name, disk)
        diagnostics = check_schemas(named, found, include, disk)
    except OSError as error:
        report.not_read(error, "standard input")
        report.print()
        return 1
    report.add(diagnostics)
    report.print()
    report.tell_fixes()
    fatal = {Severity.ERROR, *([Severity.WARNING] if strict else [])}
    return 1 if any(one.rule.severity in fatal for one in diagnostics) else 0
