"""``ampgen check``: what is wrong with schemas, and what may be regretted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from ampgen.cli.inputs import found_in, inputs
from ampgen.cli.options import format_option, include_option, name_option
from ampgen.cli.streams import colour
from ampgen.diagnostics.printers import print_diagnostics

if TYPE_CHECKING:
    from pathlib import Path

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
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@include_option()
@click.option("--strict", is_flag=True, help="Fail on warnings, too.")
@format_option
@name_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    paths: tuple[str, ...],
    include: tuple[Path, ...],
    strict: bool,
    format_: str,
    name: str | None,
) -> int:
    """Look for errors in schemas, and for what may be regretted later.

    A PATH is a file, a folder (all `.amp` files in it and below, but for hidden
    folders), or `-` for standard input. Nothing is written. What is found goes to
    standard error; the status is 1 if there is an error among it.
    """
    from ampgen.check import check_schemas
    from ampgen.diagnostics import Severity

    try:
        os.getcwd()
    except OSError:
        click.echo("error: the working directory is gone", err=True)
        return 1
    folders = [path for path in paths if os.path.isdir(path)]
    try:
        named = inputs([path for path in paths if path not in folders], name)
        found = [path for folder in folders for path in found_in(folder)]
        diagnostics = check_schemas(named, found, include)
    except OSError as error:
        where = error.filename or "standard input"
        click.echo(f"error: {where}: {error.strerror}", err=True)
        return 1
    print_diagnostics(diagnostics, sys.stderr, format_, colour())
    fatal = {Severity.ERROR, *([Severity.WARNING] if strict else [])}
    return 1 if any(one.rule.severity in fatal for one in diagnostics) else 0
