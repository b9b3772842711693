"""Compiling into a folder: what `ampgen compile` and the build hook do in common.

Where the same has been made before nothing is compiled (:mod:`ampgen.memo`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen import memo, output
from ampgen.disk import RecordingDisk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.diagnostics import Diagnostic
    from ampgen.source import StandardInput


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be made of which schemas: as ``compile_schemas`` takes it."""

    schemas: Sequence[Path | StandardInput]
    include: Sequence[Path] = ()
    target: str = "python"
    templates: Path | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """What came of it.

    ``changes``: what has been done to the folder, or would have to be; ``None`` where
    there is nothing to make. ``problem``: why the folder could not be written, or the
    target not be used. ``files``: all that are made, by path in the folder. ``disk``
    was asked for all that they depend on.
    """

    disk: RecordingDisk
    diagnostics: tuple[Diagnostic, ...] = ()
    files: tuple[str, ...] = ()
    changes: output.Changes | None = None
    problem: str | None = None


def build(
    request: Request, folder: Path, *, write: bool = True, noted: bool = True
) -> Built:
    """Make the folder what the schemas say; or compare it, where not to ``write``.

    Not to be ``noted`` is what a process compiles later than at its start: the code
    that it has imported may have been replaced, and notes go by what is on the disk.
    """
    note = _note_of(request) if noted else None
    known = memo.recall(note)
    if known is not None and output.holds(folder, known.made):
        nothing = output.Changes((), (), ())
        return Built(known.disk, (), tuple(known.made), nothing)
    from ampgen import pipeline  # half of the time of a small schema

    disk = RecordingDisk()
    try:
        compiled = pipeline.compile_schemas(
            request.schemas, request.include, disk, request.target, request.templates
        )
    except pipeline.TargetError as error:
        return Built(disk, problem=str(error))
    diagnostics, files = compiled.diagnostics, compiled.files
    if files is None:
        return Built(disk, diagnostics)
    if not diagnostics:
        memo.remember(note, disk, files)
    try:
        change = output.write if write else output.compare
        return Built(disk, diagnostics, tuple(files), change(folder, files))
    except output.OutputError as error:
        return Built(disk, diagnostics, problem=str(error))


def _note_of(request: Request) -> Path | None:
    return memo.note_path(
        request.schemas, request.include, request.target, request.templates
    )
