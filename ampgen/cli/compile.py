"""``ampgen compile``: schemas to a Python package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ampgen.cli.completion import folders
from ampgen.cli.completion import schemas as schemas_in
from ampgen.cli.inputs import check_folder, folder, inputs
from ampgen.cli.options import format_option, include_option, name_option, watch_option
from ampgen.cli.reports import Report
from ampgen.cli.rules import NOT_UP_TO_DATE
from ampgen.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from ampgen.disk import RecordingDisk
    from ampgen.output import Changes
    from ampgen.tools.building import Built, Request

    _ParamType = click.ParamType[str]
else:
    _ParamType = click.ParamType  # no generic class in older versions of click

EPILOG = """\
Example: compile two schemas, whose imports also lie in `vendor`, into `pkg`:

\b
    ampgen compile schemas/text.amp schemas/chat.amp -I vendor -o pkg

Make them again whenever one of the schemas changes, until Ctrl-C:

\b
    ampgen compile schemas/text.amp -o pkg --watch
"""


class _Target(_ParamType):
    """One of ours, or one that a package brings: nothing is imported to know it."""

    name = "target"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        if value not in TARGETS:
            from ampgen.targets import TargetError
            from ampgen.targets.installed import UnknownTarget, find

            try:
                find(value)
            except UnknownTarget as error:
                self.fail(str(error), param, ctx)
            except TargetError:
                pass  # it is there: what is wrong with it is no matter of usage
        return str(value)

    def get_metavar(
        self,
        param: click.Parameter,  # noqa: ARG002
        ctx: click.Context | None = None,  # noqa: ARG002
    ) -> str:
        return f"[{'|'.join(self._all())}]"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(n) for n in self._all() if n.startswith(incomplete)]

    def _all(self) -> list[str]:
        from ampgen.targets.installed import names

        return [*TARGETS, *names()]


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
    type=_Target(),
    default="python",
    show_default=True,
    help="What to make: Python for asyncio, classes for Twisted's AMP, or what an"
    " installed package adds.",
)
@click.option(
    "--templates",
    type=folder,
    metavar="DIR",
    shell_complete=folders,
    help="A folder of Jinja templates that go before ours.",
)
@watch_option
@click.option(
    "--depfile",
    metavar="FILE",
    help="Write there, for make or ninja, what the package depends on.",
)
@click.option(
    "--depfile-target",
    "depfile_targets",
    multiple=True,
    metavar="PATH",
    help="What depends on it there, instead of all files made. May be repeated.",
)
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    schemas: tuple[str, ...],
    output: Path,
    include: tuple[Path, ...],
    check: bool,
    format_: str,
    name: str | None,
    target: str,
    templates: Path | None,
    watch: bool,
    depfile: str | None,
    depfile_targets: tuple[str, ...],
) -> int:
    """Make a Python package of schemas, and of all that they import.

    A SCHEMA is a file, or `-` for standard input. Prints nothing when all is well.
    """
    _refuse(
        (watch and "-" in schemas, "--watch: standard input cannot be watched"),
        (check and depfile is not None, "--check writes nothing, so no --depfile"),
        (depfile == "", "--depfile: the path is empty"),
        ("" in depfile_targets, "--depfile-target: the path is empty"),
        (
            bool(depfile_targets) and depfile is None,
            "--depfile-target is for what --depfile writes: give that too",
        ),
        (
            templates is not None and target not in TARGETS,
            f"--templates: the target `{target}` has no templates of ours",
        ),
    )
    try:
        check_folder()
        given = inputs(schemas, name)
    except OSError as error:
        report = Report(format_)
        report.not_read(error, "standard input")
        report.print()
        return 1
    from ampgen.tools.building import Request, build

    request = Request(given, include, target, templates)

    def once(*, noted: bool = True) -> tuple[int, Built]:
        report = Report(format_)
        built = build(request, output, write=not check, noted=noted)
        status = _tell(built, output, report, check=check)
        if status == 0 and depfile is not None:
            targets = depfile_targets or [f"{output / made}" for made in built.files]
            status = _write_depfile(depfile, targets, request, built, report)
        report.print()
        return status, built

    if not watch:
        return once()[0]
    from itertools import count

    from ampgen.cli.watching import keep_on

    rounds = count()

    def around() -> tuple[str, RecordingDisk]:
        status, built = once(noted=next(rounds) == 0)
        return _summary(output, built, status), built.disk

    return keep_on(around)


def _refuse(*cases: tuple[bool, str]) -> None:
    for is_wrong, message in cases:
        if is_wrong:
            raise click.UsageError(message)


def _tell(built: Built, folder: Path, report: Report, *, check: bool) -> int:
    """Say what there is to say; the status is returned."""
    report.add(built.diagnostics)
    if built.problem is not None:
        report.failed(built.problem)
    if built.changes is None:
        return 1
    return _differences(folder, built.changes, report) if check else 0


def _differences(folder: Path, changes: Changes, report: Report) -> int:
    """What `--check` found, one file a line."""
    for what, paths in (
        ("missing", changes.missing),
        ("differs", changes.differing),
        ("stale", changes.stale),
    ):
        for path in paths:
            report.file(NOT_UP_TO_DATE, what, folder / path)
    return 1 if changes else 0


def _summary(folder: Path, built: Built, status: int) -> str:
    """What has become of the folder, in a few words."""
    changes = built.changes
    if status or changes is None:
        return f"{folder}: left as it is" if changes is None else f"{folder}: differs"
    written = len(changes.missing) + len(changes.differing)
    done = [f"{written} written"] if written else []
    done += [f"{len(changes.stale)} removed"] if changes.stale else []
    return f"{folder}: {', '.join(done) or 'up to date'}"


def _write_depfile(
    path: str, targets: Sequence[str], request: Request, built: Built, report: Report
) -> int:
    from pathlib import Path

    from ampgen.output import OutputError
    from ampgen.tools.depfile import NotExpressible, dependencies, depfile, write

    made = [Path(target).as_posix() for target in targets]
    try:
        write(Path(path), depfile(made, dependencies(request, built.disk)))
    except (NotExpressible, OutputError) as error:
        report.failed(str(error))
        return 1
    return 0
