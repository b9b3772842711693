"""``ampgen fmt``: schema files in their one canonical form."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ampgen.cli.differences import difference
from ampgen.cli.inputs import check_name, check_paths, found_in
from ampgen.cli.options import format_option, name_option, paths_argument
from ampgen.cli.reports import Report
from ampgen.cli.rules import NOT_CANONICAL
from ampgen.cli.streams import standard_input

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = """\
Example: format all schemas of a folder, and see what would change in a file:

\b
    ampgen fmt schemas
    ampgen fmt --diff schemas/text.amp
    git show HEAD:schemas/text.amp | ampgen fmt - --check
"""


@dataclass(frozen=True, slots=True)
class _File:
    """``path`` is ``None`` for standard input."""

    path: Path | None
    name: str
    content: bytes


@click.command("fmt", epilog=EPILOG)
@paths_argument
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if a file would change."
)
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@format_option
@name_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    paths: tuple[str, ...], check: bool, diff: bool, format_: str, name: str | None
) -> int:
    """Bring schema files into their canonical form.

    A PATH is a file, a folder (all `.amp` files in it and below, but for hidden
    folders), or `-` for standard input, which is printed. A file with syntax errors is
    reported and left alone. Prints nothing when all is well.
    """
    check_paths(paths)
    if name is not None:
        check_name(paths, name)
    stdin = name or "<stdin>"
    report = Report(format_)
    done = True
    for given in paths:
        try:
            for file in _files(given, stdin):
                done &= _format(file, report, check=check, diff=diff)
        except OSError as error:
            report.not_read(error, stdin if given == "-" else given)
            done = False
    report.print()
    return 0 if done else 1


def _files(given: str, stdin: str) -> Iterator[_File]:
    if given == "-":
        yield _File(None, stdin, standard_input())
        return
    paths = found_in(given) if os.path.isdir(given) else [Path(given)]
    for path in paths:
        yield _File(path, path.as_posix(), path.read_bytes())


def _format(file: _File, report: Report, *, check: bool, diff: bool) -> bool:
    """Is the file as it should be now?"""
    from ampgen import output
    from ampgen.language.parser import parse
    from ampgen.language.printer import canonical
    from ampgen.source import Source

    try:
        text = file.content.decode()
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8: byte 0x{file.content[error.start]:02x} in line {line}"
        report.failed(f"{file.name}: {reason}")
        return False
    _tree, found = parse(Source(file.name, text))
    errors = [one for one in found if one.is_error]
    if errors:
        report.add(errors)
        return False
    printed = canonical(text)
    changed = printed.encode() != file.content
    if diff:
        click.echo(difference(file.name, text, printed), nl=False)
    if check:
        if changed:
            report.file(NOT_CANONICAL, "differs", file.name)
        return not changed
    if diff:
        return True
    if file.path is None:
        click.echo(printed.encode(), nl=False)
    elif changed:
        try:
            output.replace({file.path: printed.encode()})
        except output.OutputError as error:
            report.failed(str(error))
            return False
    return True
