"""Whether compiling again would make the same, found out without compiling.

What is made depends on three things: what is asked for, the compiler itself, and what
the disk answers (:mod:`ampgen.disk`). A run that had nothing to say leaves a note of
them and of what it made, as digests. A later run asks the disk the same questions;
where an answer is another, or the note cannot be read, nothing is known and the schemas
are compiled. Notes lie in the user's cache folder; they hold no code, and no text of
theirs ever comes into a program.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ampgen.cache import cache_folder, keep
from ampgen.disk import RecordingDisk, ask_again, digest, digests, told
from ampgen.source import StandardInput
from ampgen.targets import TARGETS, TargetError
from ampgen.targets.templates import FOLDER as TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_NOTES = 256  # a few kilobytes each

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Known:
    """``made``: the digests of the files that would be made, by path. ``disk`` was
    asked for all that they depend on.
    """

    made: Mapping[str, str]
    disk: RecordingDisk


def note_path(
    schemas: Sequence[Path | StandardInput],
    include: Sequence[Path],
    target: str = "python",
    templates: Path | None = None,
) -> Path | None:
    """Where the note of this very request is, if there is one.

    ``None`` where no notes are kept: without a folder that is the user's own, and where
    the files of the compiler, or of a target that is not its own, cannot be read.
    """
    folder = cache_folder()
    if folder is None:
        return None
    asked = [
        [schema.name, digest(schema.content)]
        if isinstance(schema, StandardInput)
        else os.fspath(schema)
        for schema in schemas
    ]
    try:
        makers = [_compiler(), *_installed(target)]
        folders = list(map(os.fspath, include))
        own = None if templates is None else os.fspath(templates)
        request = [makers, os.getcwd(), asked, folders, target, own]
    except OSError:
        return None
    return folder / f"{digest(json.dumps(request).encode())}.json"


def recall(note: Path | None) -> Known | None:
    """What a run would make, if that is known."""
    if note is None:
        return None
    try:
        known: Any = json.loads(note.read_bytes())
        disk = ask_again(known)
        if disk.answers != {key: known[key] for key in disk.answers}:
            return None
        return Known(dict(known["made"].items()), disk)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def remember(note: Path | None, disk: RecordingDisk, files: Mapping[str, str]) -> None:
    """Note what a run made that asked ``disk`` and reported nothing."""
    if note is None or not disk.is_steady:
        return
    text = json.dumps({**disk.answers, "made": digests(files)})
    keep(note, text.encode())
    with suppress(OSError):
        _forget_oldest(note.parent)


def _compiler() -> str:
    """All that makes the files, as a digest: our own code, Python, and what we use.

    Raises :class:`OSError` where they are no plain files.
    """
    parts = [sys.version, digest(Path(__file__).read_bytes())]
    for root in (_PACKAGE, TEMPLATES):
        parts += told(root)
    for name in ("lark", "jinja2"):
        spec = find_spec(name)  # imports nothing
        if spec is None or spec.origin is None:
            raise FileNotFoundError(name)
        parts += told(Path(spec.origin).parent)
    return digest(json.dumps(parts).encode())


def _installed(target: str) -> Iterator[str]:
    """The same of a target that is not the compiler's own."""
    if target in TARGETS:
        return
    from ampgen.targets.installed import find  # it looks through what is installed

    try:
        entry = find(target)
    except TargetError as error:
        raise FileNotFoundError(str(error)) from None
    yield entry.distribution
    for root in entry.roots():
        if root.is_dir():
            yield from told(root)
        else:
            yield digest(root.read_bytes())


def _forget_oldest(folder: Path) -> None:
    notes = sorted(folder.glob("*.json"), key=lambda note: note.stat().st_mtime)
    for note in notes[:-MAX_NOTES]:
        note.unlink()
