"""What the verbs that read schemas make of the words on their command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ampgen.cli.streams import standard_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.disk import Disk
    from ampgen.source import StandardInput


def folder(path: str) -> Path:
    """What an empty variable of a script leaves behind is no name of this folder."""
    if not path or "\0" in path:
        raise click.BadParameter("not the path of a folder")
    return Path(path)


def check_paths(paths: Sequence[str]) -> None:
    """``UsageError`` for words that can be no schemas, or not all of them."""
    if "" in paths:
        raise click.UsageError("the path of a schema is empty")
    if paths.count("-") > 1:
        raise click.UsageError("standard input (`-`) can be read once only")


def check_name(schemas: Sequence[str], name: str) -> None:
    """``UsageError`` where ``--name`` is for nothing, or is nothing."""
    if "-" not in schemas:
        raise click.UsageError(
            "--name is for a schema from standard input: give `-` too"
        )
    if not name:
        raise click.UsageError(
            "a schema from standard input needs a name: --name text.amp"
        )


def inputs(schemas: Sequence[str], name: str | None) -> list[Path | StandardInput]:
    """Files as named, and standard input for ``-``, which ``name`` is for.

    Raises :class:`OSError` where standard input cannot be read.
    """
    from ampgen.source import StandardInput

    check_paths(schemas)
    if "-" in schemas and not name:
        raise click.UsageError(
            "a schema from standard input needs a name: --name text.amp"
        )
    if name is not None:
        check_name(schemas, name)
    inputs: list[Path | StandardInput] = []
    for schema in schemas:
        if schema == "-" and name is not None:
            inputs.append(StandardInput(name, standard_input()))
        else:
            inputs.append(Path(schema))
    return inputs


def inputs_and_found(
    paths: Sequence[str], name: str | None, disk: Disk | None = None
) -> tuple[list[Path | StandardInput], list[Path]]:
    """Schemas that are named, as :func:`inputs`, and those in folders that are.

    Raises :class:`OSError`.
    """
    check_folder()
    folders = [path for path in paths if os.path.isdir(path)]
    named = inputs([path for path in paths if path not in folders], name)
    return named, [path for folder in folders for path in found_in(folder, disk)]


def check_folder() -> None:
    """:class:`OSError` where the folder that paths are relative to is gone."""
    try:
        os.getcwd()
    except OSError as error:
        what = "the working directory is gone"
        raise FileNotFoundError(error.errno, "", what) from None


def found_in(folder: str, disk: Disk | None = None) -> list[Path]:
    """All schemas in a folder and below, but for hidden folders, in order.

    Raises :class:`OSError` where it cannot be read, and where there are none.
    """
    from ampgen.disk import DISK

    found = (disk or DISK).below(Path(folder), ".amp")
    if not found:
        raise FileNotFoundError(0, "no `.amp` file in this folder", folder)
    return found
