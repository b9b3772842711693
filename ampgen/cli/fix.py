"""``ampgen fix``: the fixes that diagnostics carry, applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ampgen.cli.completion import codes_in_schemas
from ampgen.cli.differences import difference
from ampgen.cli.inputs import inputs_and_found
from ampgen.cli.options import (
    format_option,
    include_option,
    name_option,
    paths_argument,
)
from ampgen.cli.reports import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.diagnostics import Diagnostic
    from ampgen.fix import Change, Fixed
    from ampgen.source import StandardInput

EPILOG = """\
Example: see what could be mended in all schemas of a folder, mend what is sure, and
then the names that one file has misspelt:

\b
    ampgen fix schemas --diff
    ampgen fix schemas
    ampgen fix schemas/text.amp --unsafe --only AMP0204
"""


@click.command("fix", epilog=EPILOG)
@paths_argument
@include_option()
@click.option(
    "--unsafe",
    is_flag=True,
    help="Make guesses, too, and changes that programs notice, such as new names.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="CODE",
    shell_complete=codes_in_schemas,
    help="Mend what this rule reports. May be given several times.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if something could be mended."
)
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@format_option
@name_option
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    paths: tuple[str, ...],
    include: tuple[Path, ...],
    unsafe: bool,
    only: tuple[str, ...],
    check: bool,
    diff: bool,
    format_: str,
    name: str | None,
) -> int:
    """Mend what `ampgen check` reports, where it is clear what to write.

    A PATH is a file, a folder (all `.amp` files in it and below, but for hidden
    folders), or `-` for standard input, which is printed as mended. What was mended and
    what is left goes to standard error; the status is 1 if there is an error left. A
    fix that would lead to another error is not made.
    """
    from ampgen.fix import fix_schemas

    report = Report(format_)
    try:
        named, found = inputs_and_found(paths, name)
        fixed = fix_schemas(named, found, include, unsafe=unsafe, only=_rules(only))
    except OSError as error:
        report.not_read(error, "standard input")
        report.print()
        return 1
    written = False
    if diff:
        for change in fixed.changes:
            shown = difference(change.name, change.before, change.after)
            click.echo(shown, nl=False)
    elif check:
        _tell("fixable", fixed.done, report)
    elif written := _write(named, fixed.changes, report):
        _tell("fixed", fixed.done, report)
    report.add(fixed.left if written else fixed.left_before)
    report.print()
    if report.is_text:
        _tell_left(fixed)
    bad = report.has_errors or (check and fixed.done)
    return 1 if bad else 0


def _write(
    named: Sequence[Path | StandardInput], changes: Sequence[Change], report: Report
) -> bool:
    from ampgen import output
    from ampgen.source import StandardInput

    contents = {change.path: change.after.encode() for change in changes}
    for one in named:
        if isinstance(one, StandardInput):
            click.echo(contents.pop(None, one.content), nl=False)
    try:
        output.replace({path: new for path, new in contents.items() if path})
    except output.OutputError as error:
        report.failed(str(error))
        return False
    return True


def _tell(word: str, done: Sequence[Diagnostic], report: Report) -> None:
    """One line each, or a note each in the formats for programs."""
    from ampgen.diagnostics import Severity
    from ampgen.diagnostics.printers import in_order
    from ampgen.diagnostics.snippet import visible

    for one in in_order(done):
        if one.fix is None or one.primary is None:
            continue
        if report.is_text:
            place = f"{one.primary.span.place}: {one.rule.code}"
            click.echo(visible(f"{word}: {place}: {one.fix.title}"), err=True)
        else:
            note = replace(one.rule, severity=Severity.NOTE)
            message = f"{word}: {one.fix.title} ({one.message})"
            report.add([replace(one, rule=note, message=message)])


def _tell_left(fixed: Fixed) -> None:
    """What could have been mended, and was not."""
    from ampgen.diagnostics.snippet import visible

    refused = len(fixed.refused)
    if fixed.gave_up:
        told = "not all fixes were tried: too many lead to other errors; mend some of "
        click.echo(f"{told}what is told, and run it again", err=True)
    elif refused:
        click.echo(
            "1 fix is not made: it would lead to another error"
            if refused == 1
            else f"{refused} fixes are not made: they would lead to other errors",
            err=True,
        )
    for name, count in fixed.elsewhere.items():
        what = "1 fix is" if count == 1 else f"{count} fixes are"
        click.echo(f"{what} not made: {visible(name)} was not named", err=True)
    if fixed.guesses:
        click.echo(f"--unsafe can mend {fixed.guesses} more", err=True)


def _rules(codes: Sequence[str]) -> frozenset[str]:
    from ampgen.check import RULES
    from ampgen.diagnostics.suggest import did_you_mean

    known = [rule.code for rule in RULES]
    for code in codes:
        if code.upper() not in known:
            near = did_you_mean(code.upper(), known)
            hint = f"did you mean {near}?" if near else "`ampgen explain` lists them"
            raise click.UsageError(f"--only: there is no rule {code}; {hint}")
    return frozenset(code.upper() for code in codes)
