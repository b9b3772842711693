"""``ampgen fmt``: schema files in their one canonical form."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ampgen.cli.inputs import check_paths, found_in
from ampgen.cli.options import format_option
from ampgen.cli.streams import colour, standard_input
from ampgen.diagnostics.printers import print_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.diagnostics import Diagnostic

EPILOG = """\
Example: format all schemas of a folder, and see what would change in a file:

\b
    ampgen fmt schemas
    ampgen fmt --diff schemas/text.amp
"""

_STDIN = "<stdin>"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class _File:
    """``path`` is ``None`` for standard input."""

    path: Path | None
    content: bytes

    @property
    def name(self) -> str:
        return _STDIN if self.path is None else self.path.as_posix()


@click.command("fmt", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if a file would change."
)
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@format_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    paths: tuple[str, ...], check: bool, diff: bool, format_: str
) -> int:
    """Bring schema files into their canonical form.

    A PATH is a file, a folder (all `.amp` files in it and below, but for hidden
    folders), or `-` for standard input, which is printed. A file with syntax errors is
    reported and left alone. Prints nothing when all is well.
    """
    check_paths(paths)
    diagnostics: list[Diagnostic] = []
    done = True
    for given in paths:
        try:
            for file in _files(given):
                done &= _format(file, diagnostics, check=check, diff=diff)
        except OSError as error:
            where = _STDIN if given == "-" else error.filename or given
            click.echo(f"error: {where}: {error.strerror}", err=True)
            done = False
    print_diagnostics(diagnostics, sys.stderr, format_, colour())
    return 0 if done else 1


def _files(given: str) -> Iterator[_File]:
    if given == "-":
        yield _File(None, standard_input())
        return
    if not os.path.isdir(given):
        yield _File(Path(given), Path(given).read_bytes())
        return
    for path in found_in(given):
        yield _File(path, path.read_bytes())


def _format(
    file: _File, diagnostics: list[Diagnostic], *, check: bool, diff: bool
) -> bool:
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
        click.echo(f"error: {file.name}: {reason}", err=True)
        return False
    _tree, found = parse(Source(file.name, text))
    errors = [one for one in found if one.is_error]
    if errors:
        diagnostics += errors
        return False
    printed = canonical(text)
    changed = printed.encode() != file.content
    if diff:
        click.echo("".join(_difference(file.name, text, printed)), nl=False)
    if check:
        if changed:
            click.echo(f"differs: {file.name}", err=True)
        return not changed
    if diff:
        return True
    if file.path is None:
        click.echo(printed.encode(), nl=False)
    elif changed:
        try:
            output.replace(file.path, printed.encode())
        except output.OutputError as error:
            click.echo(f"error: {error}", err=True)
            return False
    return True


def _difference(name: str, before: str, after: str) -> Iterator[str]:
    """In the form that ``patch`` takes."""
    old: list[str] = _LINE.findall(before)
    new: list[str] = _LINE.findall(after)
    for line in unified_diff(old, new, name, name):
        yield line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"
