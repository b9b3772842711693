"""``ampgen import``: Twisted's ``Command`` classes to a schema."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ampgen.cli.completion import files, folders
from ampgen.cli.options import format_option
from ampgen.cli.reports import Report
from ampgen.cli.rules import NOT_IN_SCHEMA
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EPILOG = """\
Example: the commands of a Twisted program, whose package lies in `src`, and a type that
only it knows:

\b
    ampgen import --path src calculator.commands -o calculator.amp
    ampgen import calculator.protocol:Calculator --type calculator.args.Money=decimal
"""

_LARGE = (Scalar.STR, Scalar.BYTES, Scalar.JSON)
TYPES = (*Scalar, *(f"large {scalar}" for scalar in _LARGE))


@click.command("import", epilog=EPILOG)
@click.argument("named", nargs=-1, required=True, metavar="MODULE[:NAME]...")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=files,
    help="The schema to write; else it is printed.",
)
@click.option("--force", is_flag=True, help="Write over a FILE that is there already.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar="DIR",
    shell_complete=folders,
    help="A folder to look for modules in, beside this one. May be repeated.",
)
@click.option(
    "--service",
    metavar="NAME",
    help="What the service of commands is called that no class answers.",
)
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="CLASS=TYPE",
    help="What a class of arguments is in the schema: `shop.Money=decimal`.",
)
@click.option(
    "--keep-names",
    is_flag=True,
    help="Leave names as they are, where the language allows them.",
)
@format_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    named: tuple[str, ...],
    output: str | None,
    force: bool,
    paths: tuple[str, ...],
    service: str | None,
    types: tuple[str, ...],
    keep_names: bool,
    format_: str,
) -> int:
    """Make a schema of the `Command` classes of a Twisted program.

    MODULE is imported, so its code runs. NAME is a class, a list of classes, or a class
    that answers commands (of an AMP, its responders); without it all of the module is
    taken. What a schema cannot say is told on standard error.
    """
    given = dict(map(_type, types))
    if service is not None and not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", service):
        raise click.UsageError(f"--service: `{service}` is not a name")
    report = Report(format_)
    try:
        return _import(
            named,
            output,
            report,
            force=force,
            paths=paths,
            service=service,
            types=given,
            keep_names=keep_names,
        )
    finally:
        report.print()


def _import(
    named: Sequence[str],
    output: str | None,
    report: Report,
    *,
    force: bool,
    paths: Sequence[str],
    service: str | None,
    types: Mapping[str, str],
    keep_names: bool,
) -> int:
    try:
        from ampgen.fromtwisted import Problem, import_schema
    except ModuleNotFoundError:
        report.failed(
            "this needs Twisted, which is not installed: "
            "pip install 'ampgen-idl[twisted]'"
        )
        return 1
    sys.path[:0] = [os.path.abspath(path) for path in (*paths, os.curdir)]
    try:
        text, notes = import_schema(
            named, service=service, types=types, keep_names=keep_names
        )
    except Problem as problem:
        report.failed(str(problem))
        return 1
    for note in notes:
        report.note(NOT_IN_SCHEMA, note)
    if output is None:
        click.echo(text.encode(), nl=False)
    elif not _write(Path(output), text.encode(), report, force=force):
        return 1
    return _check(text, output, report)


def _type(given: str) -> tuple[str, str]:
    name, _, type_ = given.partition("=")
    if not all(part.isidentifier() for part in name.split(".")):
        raise click.UsageError(
            f"--type: `{name}` is not the name of a class; "
            "write `package.Class=decimal`"
        )
    if type_ not in TYPES:
        known = ", ".join(TYPES)
        raise click.UsageError(f"--type: `{type_}` is none of the types: {known}")
    return name, type_


def _write(path: Path, content: bytes, report: Report, *, force: bool) -> bool:
    from ampgen import output

    if path.exists() and not force:
        if path.is_file() and path.read_bytes() == content:
            return True
        report.failed(f"{path}: is there already; --force writes over it")
        return False
    try:
        if path.exists():
            output.replace({path: content})
        else:
            path.write_bytes(content)
    except output.OutputError as error:
        report.failed(str(error))
        return False
    return True


def _check(text: str, output: str | None, report: Report) -> int:
    """What a program has named so that no schema may is for its author to change."""
    from ampgen.pipeline import compile_schemas
    from ampgen.source import StandardInput

    name = Path(output).name if output else "imported.amp"
    compiled = compile_schemas([StandardInput(name, text.encode())])
    errors = [one for one in compiled.diagnostics if one.is_error]
    report.add(errors)
    return 1 if errors else 0
