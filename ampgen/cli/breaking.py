"""``ampgen breaking``: what a change of schemas does to programs that run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ampgen.cli.completion import schemas
from ampgen.cli.contract import printable
from ampgen.cli.inputs import inputs_and_found
from ampgen.cli.options import format_option, include_option, name_option
from ampgen.cli.reports import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.compat.changes import Change
    from ampgen.compat.verdicts import Peers, Rollout
    from ampgen.disk import Disk
    from ampgen.model import Schema
    from ampgen.source import StandardInput
    from ampgen.tools.pairing.proof import Proof

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
@click.argument("new", metavar="NEW", shell_complete=schemas)
@click.option(
    "--against",
    "old",
    required=True,
    metavar="OLD",
    shell_complete=schemas,
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
@click.option(
    "--prove", is_flag=True, help="Run both versions, and show the calls that break."
)
@format_option
@name_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    new: str,
    old: str,
    include: tuple[Path, ...],
    rollout: str,
    peers: str,
    source: bool,
    prove: bool,
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

    With `--prove` the code of both versions is made and run, in memory. For each change
    that is told, standard output shows a call that it breaks, the bytes of that, and
    what comes of it.
    """
    from ampgen.compat.verdicts import Peers, Rollout
    from ampgen.disk import DISK
    from ampgen.tools.breaking import tell
    from ampgen.tools.revision import PREFIX, RevisionError

    if not old:
        raise click.UsageError("the path of the old version is empty")
    if old == "-":
        raise click.UsageError("standard input (`-`) can be the new version alone")
    if not old.startswith(PREFIX):
        _check_alike(os.path.isdir(new), os.path.isdir(old))
    report = Report(format_)
    proofs: Iterator[Proof] = iter(())
    try:
        after = _load(_named(new, name), include, DISK, report)
        before = None
        if after is not None and old.startswith(PREFIX):
            before = _at_revision(old, new, name, include, report)
        elif after is not None:
            folders = [_beside(old, name or new, one) for one in include]
            before = _load(_named(old, None), folders, DISK, report)
        if before is not None and after is not None:
            order, ends = Rollout(rollout), Peers(peers)
            found = tell(before, after, rollout=order, source=source, peers=ends)
            report.add(found.diagnostics)
            if prove and found.changes:
                proofs = _proofs(before, after, found.changes, order, ends, report)
    except RevisionError as error:
        report.failed(str(error))
    except OSError as error:
        report.not_read(error, "standard input")
    report.print()
    if prove:
        sys.stderr.flush()
        _show(proofs)
    return 1 if report.has_errors else 0


def _proofs(
    before: Schema,
    after: Schema,
    changes: Sequence[Change],
    rollout: Rollout,
    peers: Peers,
    report: Report,
) -> Iterator[Proof]:
    """None where a version has no code in Python, which is told then."""
    from ampgen.tools.memory import SchemaError, load_schema
    from ampgen.tools.pairing.proof import prove

    try:
        old, new = load_schema(before), load_schema(after)
    except SchemaError as error:
        report.add(error.diagnostics)
        return iter(())
    return prove(old, new, changes, rollout, peers)


def _show(proofs: Iterator[Proof]) -> None:
    from ampgen.tools.pairing.proof import lines

    last: Change | None = None
    for proof in proofs:
        if proof.change is not last:
            last = proof.change
            click.echo(printable(f"\n{last.rule.code}: {last.message}"))
        for line in lines(proof):
            click.echo(f"  {printable(line)}")


def _check_alike(new_is_folder: bool, old_is_folder: bool) -> None:
    if new_is_folder is not old_is_folder:
        raise click.UsageError("compare a file with a file, or a folder with a folder")


def _named(path: str, name: str | None) -> Sequence[Path | StandardInput]:
    named, found = inputs_and_found([path], name)
    return [*named, *found]


def _beside(old: str, new: str, folder: Path) -> Path:
    """A folder of imports that lies in the new version, as the old one has it."""
    before, after = (
        one if os.path.isdir(one) else os.path.dirname(one) or os.curdir
        for one in (old, new)
    )
    inside = Path(os.path.relpath(folder, after))
    found = Path(before, inside)
    return found if os.pardir not in inside.parts and found.is_dir() else folder


def _at_revision(
    place: str, new: str, name: str | None, include: Sequence[Path], report: Report
) -> Schema | None:
    from ampgen.tools.revision import PREFIX, Revision, split

    ref, path = split(place)
    here = name if new == "-" and name is not None else new
    folder = here if os.path.isdir(here) else os.path.dirname(here)
    revision = Revision(ref, Path(folder or os.curdir))
    if path is None:
        named = revision.inside(here)
        revision.check(
            named, f"if it had another path there, say so: `{PREFIX}{ref}:PATH`"
        )
    else:
        named = revision.at(path)
    _check_alike(os.path.isdir(new), revision.is_folder(named))
    files = revision.schemas(named) if revision.is_folder(named) else [named]
    folders = [revision.included(one) for one in include]
    return _load(files, folders, revision, report)


def _load(
    files: Sequence[Path | StandardInput],
    include: Sequence[Path],
    disk: Disk,
    report: Report,
) -> Schema | None:
    """``None`` where it has errors, which are told then."""
    from ampgen.analysis import analyse

    schema, diagnostics = analyse(files, include, disk)
    errors = [one for one in diagnostics if one.is_error]
    report.add(errors)
    return None if errors else schema
