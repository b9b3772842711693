"""``ampgen breaking``: what a change of schemas does to programs that run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ampgen.cli.contract import Failure
from ampgen.cli.inputs import found_in, inputs
from ampgen.cli.options import format_option, include_option, name_option
from ampgen.cli.streams import colour
from ampgen.diagnostics.printers import print_diagnostics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.disk import Disk
    from ampgen.model import Schema
    from ampgen.source import StandardInput

EPILOG = """\
Example: what has changed since the last release, and since the main branch, where the
servers are new first:

\b
    ampgen breaking schemas --against git:v1.2
    ampgen breaking schemas/text.amp --against git:main --rollout server-first

The levels of the rules are set in pyproject.toml:

\b
    [tool.ampgen.breaking]
    AMP1015 = "off"
"""


@click.command("breaking", epilog=EPILOG)
@click.argument("new", metavar="NEW")
@click.option(
    "--against",
    "old",
    required=True,
    metavar="OLD",
    help="The version before: a file, a folder, or git:REF[:PATH].",
)
@include_option()
@click.option(
    "--rollout",
    type=click.Choice(["any", "server-first", "client-first"]),
    default="any",
    show_default=True,
    help="Which end is new first; any: both orders have to be safe.",
)
@click.option(
    "--peers",
    type=click.Choice(["twisted", "ampgen"]),
    default="twisted",
    show_default=True,
    help="What may be at an end: twisted: Twisted's AMP as well.",
)
@click.option("--source", is_flag=True, help="Tell of code that breaks, too.")
@format_option
@name_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    new: str,
    old: str,
    include: tuple[Path, ...],
    rollout: str,
    peers: str,
    source: bool,
    format_: str,
    name: str | None,
) -> int:
    """Tell what becomes of programs that run when a schema changes.

    NEW is a file, a folder (all `.amp` files in it and below, but for hidden folders),
    or `-` for standard input. OLD is what it was before: a file, a folder, or
    `git:REF[:PATH]`, a revision in the git repository of NEW, there the same path as
    NEW if it has no other (from the top; with `./` from here).

    What is found goes to standard error; the status is 1 if there is an error among it:
    a call that fails, a connection that ends, a value that is wrong. Prints nothing
    where all is safe.
    """
    from ampgen.compat.verdicts import Peers, Rollout
    from ampgen.diagnostics import Severity
    from ampgen.disk import DISK
    from ampgen.tools.breaking import breaking
    from ampgen.tools.revision import PREFIX, RevisionError

    try:
        os.getcwd()
    except OSError:
        raise Failure("the working directory is gone") from None
    if not old:
        raise click.UsageError("the path of the old version is empty")
    if not old.startswith(PREFIX) and os.path.isdir(old) is not os.path.isdir(new):
        raise click.UsageError("compare a file with a file, or a folder with a folder")
    try:
        after = _load(_named(new, name), include, DISK, format_)
        if after is None:
            return 1
        if old.startswith(PREFIX):
            before = _at_revision(old, new, name, include, format_)
        else:
            before = _load(_named(old, None), include, DISK, format_)
        if before is None:
            return 1
        diagnostics = breaking(
            before,
            after,
            rollout=Rollout(rollout),
            source=source,
            peers=Peers(peers),
        )
    except RevisionError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        where = error.filename or "standard input"
        raise Failure(f"{where}: {error.strerror}") from None
    print_diagnostics(diagnostics, sys.stderr, format_, colour())
    fatal = any(one.rule.severity is Severity.ERROR for one in diagnostics)
    return 1 if fatal else 0


def _named(path: str, name: str | None) -> Sequence[Path | StandardInput]:
    if os.path.isdir(path):
        return found_in(path)
    return inputs([path], name)


def _at_revision(
    place: str, new: str, name: str | None, include: Sequence[Path], format_: str
) -> Schema | None:
    from ampgen.tools.revision import Revision, split

    ref, path = split(place)
    here = name if new == "-" and name is not None else new
    folder = here if os.path.isdir(here) else os.path.dirname(here)
    revision = Revision(ref, Path(folder or os.curdir))
    if path is None:
        named = revision.inside(here)
        revision.check(named)
    else:
        named = revision.at(path)
    if revision.is_folder(named) is not os.path.isdir(new):
        raise click.UsageError("compare a file with a file, or a folder with a folder")
    files = revision.schemas(named) if revision.is_folder(named) else [named]
    folders = [revision.included(one) for one in include]
    return _load(files, folders, revision, format_)


def _load(
    files: Sequence[Path | StandardInput],
    include: Sequence[Path],
    disk: Disk,
    format_: str,
) -> Schema | None:
    """``None`` where it has errors, which are told then."""
    from ampgen.analysis import analyse

    schema, diagnostics = analyse(files, include, disk)
    errors = [one for one in diagnostics if one.is_error]
    if errors:
        print_diagnostics(errors, sys.stderr, format_, colour())
        return None
    return schema
