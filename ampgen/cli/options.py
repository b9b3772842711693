"""Options that several verbs have: the same words mean the same everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ampgen.cli.completion import folders, schemas
from ampgen.cli.inputs import folder
from ampgen.diagnostics.printers import PRINTERS

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


class Number(click.FloatRange):
    """A number within a range; ``nan`` is in none, which click does not see."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail("`nan` is no number", param, ctx)
        return number


def include_option(what: str = "imports") -> Callable[[F], F]:
    return click.option(
        "-I",
        "--include",
        multiple=True,
        type=folder,
        metavar="DIR",
        shell_complete=folders,
        help=f"A folder to look for {what} in. May be given several times.",
    )


paths_argument = click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", shell_complete=schemas
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(list(PRINTERS)),
    default="text",
    show_default=True,
    help="How diagnostics are printed.",
)
name_option = click.option(
    "--name",
    metavar="FILE.amp",
    help="What the schema from standard input (`-`) is called.",
)
watch_option = click.option(
    "--watch",
    is_flag=True,
    help="Do it again whenever a file has changed, until Ctrl-C (needs watchfiles).",
)
