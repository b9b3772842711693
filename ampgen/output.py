"""The only writer of files: a folder becomes what was generated, whole or not at all,
and so does a schema that is formatted.

A file is ours if it begins with the mark of such files (:mod:`ampgen.targets.mark`).
Only such files are overwritten. Those that are made no more are removed if their names
end like one that is made; a file that already says the right thing is not touched.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ampgen.disk import digest, digests
from ampgen.targets.mark import LENGTH, is_marked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STAGING = ".ampgen."


class OutputError(Exception):
    """Files cannot be read or written; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be done to a folder, by path inside it, each in sorted order."""

    missing: tuple[str, ...]
    differing: tuple[str, ...]
    stale: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.differing or self.stale)


def compare(folder: Path, files: Mapping[str, str]) -> Changes:
    """How the folder differs from what was generated. Reads only."""
    return _compare(folder, digests(files))


def holds(folder: Path, made: Mapping[str, str]) -> bool:
    """Would :func:`compare` find no change, given files of these digests?"""
    try:
        return not _compare(folder, made)
    except OutputError:
        return False


def _compare(folder: Path, made: Mapping[str, str]) -> Changes:
    if os.path.exists(folder) and not os.path.isdir(folder):  # these do not raise
        raise OutputError(f"{folder}: is a file, and should be a folder")
    missing: list[str] = []
    differing: list[str] = []
    for name, expected in sorted(made.items()):
        there = _read(folder / name)
        if there is None:
            missing.append(name)
        elif digest(there) != expected:
            differing.append(name)
    suffixes = frozenset(Path(name).suffix for name in made)
    stale = sorted(name for name in _ours(folder, suffixes) if name not in made)
    return Changes(tuple(missing), tuple(differing), tuple(stale))


def write(folder: Path, files: Mapping[str, str]) -> Changes:
    """Make the folder so; what was done is returned.

    Raises :class:`OutputError`, with the folder as it was; so it is when the user
    interrupts.
    """
    changes = compare(folder, files)
    for name in changes.differing:
        if not is_marked(name, (_read(folder / name) or b"")[:LENGTH]):
            raise OutputError(
                f"{folder / name}: not written by ampgen, so it is left alone; "
                "move it away or choose another folder"
            )
    if not changes:
        return changes
    made: list[Path] = []
    try:
        _make_folder(folder, made)
        for name in changes.missing:
            _make_folder((folder / name).parent, made)
        with TemporaryDirectory(prefix=_STAGING, dir=folder) as staging:
            _put_in_place(folder, files, changes, Path(staging))
    except OSError as error:
        raise OutputError(_sentence(error, folder)) from None
    finally:
        for path in reversed(made):
            with suppress(OSError):  # not empty: all went well
                path.rmdir()
    for name in changes.stale:
        _remove_bytecode(folder / name)
        _remove_empty(folder, (folder / name).parent)
    return changes


def replace(files: Mapping[Path, bytes]) -> None:
    """Make files say something else: each at once, and all or none. A link stays one.

    One that is not there is made. Modes are kept, and owners where we may. Raises
    :class:`OutputError`, with the files as they were, also where one could not be
    written to in its place.
    """
    with ExitStack() as stack:
        staged = [
            _stage(Path(os.path.realpath(path)), content, stack)
            for path, content in files.items()
        ]
        done: list[tuple[Path, Path]] = []
        try:
            for path, new, old in staged:
                _rename(new, path)
                done.append((path, old))
        except BaseException:  # an interrupt too
            for path, old in done:
                with suppress(OSError):
                    os.replace(old, path) if old.exists() else path.unlink()
            raise


def _stage(path: Path, content: bytes, stack: ExitStack) -> tuple[Path, Path, Path]:
    """A file, and beside it what it is to say, and a copy of what it says."""
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: not a file that can be replaced")
    try:
        folder = TemporaryDirectory(prefix=_STAGING, dir=path.parent)
        staging = Path(stack.enter_context(folder))
        new, old = staging / "new", staging / "old"
        new.write_bytes(content)
        with suppress(FileNotFoundError):
            _keep_rights(path, new)
            shutil.copy2(path, old)
    except OSError as error:
        raise OutputError(_sentence(error, path)) from None
    return path, new, old


def _keep_rights(path: Path, new: Path) -> None:
    """Mode and owner. Raises :class:`PermissionError` where the file is read-only."""
    with path.open("r+b") as file:  # a rename would ask the folder alone
        owner = os.fstat(file.fileno())
    if sys.platform != "win32":
        with suppress(OSError):
            os.chown(new, owner.st_uid, owner.st_gid)
    shutil.copymode(path, new)


def _rename(new: Path, path: Path) -> None:
    try:
        os.replace(new, path)
    except OSError as error:
        raise OutputError(_sentence(error, path)) from None


def _put_in_place(
    folder: Path, files: Mapping[str, str], changes: Changes, staging: Path
) -> None:
    """Every rename, every removal; what was done is undone if one of them fails.

    All new texts, and copies of what will go, are written first: a full disk is noticed
    before anything has changed, and undoing takes no space.
    """
    new: dict[str, Path] = {}
    for at, name in enumerate((*changes.missing, *changes.differing)):
        new[name] = staging / f"{at}.new"
        new[name].write_bytes(files[name].encode())
    old: dict[str, Path] = {}
    for at, name in enumerate((*changes.differing, *changes.stale)):
        old[name] = staging / f"{at}.old"
        shutil.copy2(folder / name, old[name])
    try:
        for name, staged in new.items():
            os.replace(staged, folder / name)
        for name in changes.stale:
            (folder / name).unlink()
    except BaseException:  # an interrupt too
        for name in changes.missing:
            if not new[name].exists():
                with suppress(OSError):
                    (folder / name).unlink()
        for name, kept in old.items():
            with suppress(OSError):
                os.replace(kept, folder / name)
        raise


def _make_folder(path: Path, made: list[Path]) -> None:
    """Make the folder and those around it; ``made`` is told, outermost first."""
    missing: list[Path] = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        made.append(folder)
        folder.mkdir()


def _remove_bytecode(source: Path) -> None:
    """What Python has kept of it would keep its folder, and be a package still."""
    cache = source.parent / "__pycache__"
    with suppress(OSError):
        for compiled in cache.glob(f"{source.stem}.*.pyc"):
            compiled.unlink()
        cache.rmdir()


def _remove_empty(root: Path, folder: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty
        folder = folder.parent


def _read(path: Path) -> bytes | None:
    """The file's bytes, or ``None`` where there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(_sentence(error, path)) from None


def _ours(folder: Path, suffixes: frozenset[str]) -> Iterator[str]:
    """The files in the folder that the compiler wrote, of those that end so.

    A folder inside it with a ``py.typed`` of its own is the output of another run.
    """
    for current, folders, found in os.walk(folder):
        here = Path(current)
        folders[:] = sorted(
            name for name in folders if not os.path.exists(here / name / "py.typed")
        )
        for name in sorted(found):
            if Path(name).suffix in suffixes and _is_ours(here / name):
                yield (here / name).relative_to(folder).as_posix()


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_marked(path.name, file.read(LENGTH))
    except OSError:
        return False


def _sentence(error: OSError, path: Path) -> str:
    where = Path(os.fsdecode(error.filename2 or error.filename or path))
    for place in (where, *where.parents):
        if place.name.startswith(_STAGING):  # a name that tells the user nothing
            where = place.parent
    return f"{where}: {error.strerror or error}"
