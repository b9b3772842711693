"""Schemas as they were at a revision of a git repository, as if they lay on the disk.

They stand in a folder that there is not, `git:REF:`, and are read by `git`; imports are
looked up in the same tree. What lies outside that folder is the real disk's.
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ampgen.disk import Disk

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "git:"

_REF = re.compile(r"(?:[^:{]|\{[^}]*\}|\{)*")  # in braces there may be times and words
_PLACES = ("GIT_DIR", "GIT_WORK_TREE")
_LINK = "120000"  # the mode of a symbolic link
_MAX_LINKS = 40  # as Linux has it: more are a circle


class RevisionError(Exception):
    """Why there is nothing to be read, as a sentence."""


def split(place: str) -> tuple[str, str | None]:
    """Of `git:REF[:PATH]`, `REF` and `PATH`; ``None``: it says none."""
    rest = place.removeprefix(PREFIX)
    ref = _REF.match(rest)
    if not ref or not ref[0] or ref[0].startswith("-"):
        raise RevisionError(f"`{place}` names no revision: write `git:REF[:PATH]`")
    return ref[0], rest[ref.end() + 1 :] if ref[0] != rest else None


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object: str


class Revision(Disk):
    """The tree of ``ref`` in the repository in which ``folder`` lies.

    Raises :class:`RevisionError` where there is no git, no repository, or no such
    revision.
    """

    def __init__(self, ref: str, folder: Path) -> None:
        self.ref = ref
        self._folder = folder
        self._environment = _environment()
        self._root = Path(f"{PREFIX}{ref}:")
        self._top = self._git("rev-parse", "--show-toplevel").decode().rstrip("\n")
        asked = f"{ref}^{{tree}}"
        try:
            tree = self._git("rev-parse", "--verify", "--quiet", asked)
        except RevisionError:
            raise RevisionError(
                f"there is no revision `{ref}` in {self._top}"
            ) from None
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", tree.decode().strip())
        self._entries = dict(_entries(listed.decode(errors="surrogateescape")))
        self._folders = {
            parent.as_posix() for name in self._entries for parent in Path(name).parents
        }

    def inside(self, path: str | os.PathLike[str]) -> Path:
        """Where a file or folder of the working tree stands in here; there or not.

        Raises :class:`RevisionError` for what lies outside the repository.
        """
        parent, name = os.path.split(os.path.abspath(path))
        real = os.path.join(os.path.realpath(parent), name)
        relative = os.path.relpath(real, os.path.realpath(self._top))
        if relative.split(os.sep)[0] == os.pardir:
            shown = os.fspath(path)
            raise RevisionError(f"`{shown}` lies outside the repository {self._top}")
        return self._root / relative

    def at(self, path: str) -> Path:
        """What is `PATH` in `git:REF:PATH`: from the top, or with `./` from here.

        Raises :class:`RevisionError` where nothing is there.
        """
        if path.startswith(("./", "../")) or path in (".", ".."):
            found = self.inside(path)
        else:
            found = self._root / os.path.normpath(path.lstrip("/") or ".")
        self.check(
            found, "PATH is from the top of the repository, or with `./` from here"
        )
        return found

    def included(self, folder: Path) -> Path:
        """A folder of imports: as it was, or as it is where it lies outside."""
        try:
            return self.inside(folder)
        except RevisionError:
            return folder

    def check(self, path: Path, advice: str) -> None:
        """:class:`RevisionError`, with advice, where nothing is at a path in here."""
        name = self._resolved(path)
        if name not in self._entries and name not in self._folders:
            shown = self.shown(path.as_posix())
            name = shown.removeprefix(PREFIX)
            raise RevisionError(f"there is no `{name}`: {advice}")

    def is_folder(self, path: Path) -> bool:
        return self._resolved(path) in self._folders

    def schemas(self, folder: Path) -> list[Path]:
        """All schemas in a folder and below, but for hidden folders, in order."""
        inside = self._resolved(folder)
        found: list[Path] = []
        for name in sorted(self._entries):
            parts = Path(os.path.relpath(name, inside)).parts
            if name.endswith(".amp") and not any(one.startswith(".") for one in parts):
                found.append(folder.joinpath(*parts))
        if not found:
            shown = self.shown(folder.as_posix())
            raise RevisionError(f"no `.amp` file in `{shown.removeprefix(PREFIX)}`")
        return found

    # --- as a disk --------------------------------------------------------------------

    def real_path(self, path: str | os.PathLike[str]) -> str:
        name = self._resolved(Path(path))
        if name is None:
            return super().real_path(path)
        return os.path.join(os.path.abspath(self._root), name)

    def shown(self, path: str) -> str:
        """``git:REF:PATH``."""
        root = f"{self._root.as_posix()}/"
        return self._root.name + path.removeprefix(root) if root in path else path

    def read(self, path: Path) -> bytes | None:
        name = self._resolved(path)
        if name is None:
            return super().read(path)
        if name in self._folders:
            raise IsADirectoryError(errno.EISDIR, "Is a directory", os.fspath(path))
        entry = self._entries.get(name)
        if entry is None:
            return None
        return self._git("cat-file", "blob", entry.object)

    def _resolved(self, path: Path) -> str | None:
        """Its name in the tree, links followed; ``None`` where it is not in here."""
        relative = os.path.relpath(os.path.abspath(path), os.path.abspath(self._root))
        for _ in range(_MAX_LINKS):
            if relative.split(os.sep)[0] == os.pardir:
                return None
            name = Path(relative).as_posix()
            followed = self._followed(name)
            if followed is None:
                return name
            relative = followed
        raise OSError(errno.ELOOP, "Too many levels of symbolic links", os.fspath(path))

    def _followed(self, name: str) -> str | None:
        """The same with its first link put in, if it has one."""
        parts = name.split("/")
        for length in range(1, len(parts) + 1):
            entry = self._entries.get("/".join(parts[:length]))
            if entry is not None and entry.mode == _LINK:
                link = self._git("cat-file", "blob", entry.object)
                target = link.decode(errors="surrogateescape")
                beside = "/".join(parts[: length - 1])
                return os.path.normpath(
                    os.path.join(beside, target, *parts[length:])
                ).replace(os.sep, "/")
        return None

    def _git(self, *arguments: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - words of ours, and none is an option
                ["git", "-C", os.fspath(self._folder), *arguments],  # noqa: S607
                capture_output=True,
                check=False,
                env=self._environment,
            )
        except OSError as error:
            reason = error.strerror or "it cannot be run"
            raise RevisionError(f"`git` cannot be run: {reason}") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            reason = said[0] if said else f"`git {arguments[0]}` has failed"
            raise RevisionError(reason.removeprefix("fatal: "))
        return done.stdout


def _environment() -> dict[str, str]:
    """Ours, but for what git tells its hooks of the repository that it works on, which
    need not be that of a schema. Who names a working tree as well means it.
    """
    named = {name: os.environ[name] for name in _PLACES if os.environ.get(name)}
    if len(named) == len(_PLACES):
        # As they are from here: git is run in the folder of the schema.
        return os.environ | {name: os.path.abspath(named[name]) for name in named}
    hidden = (*_PLACES, "GIT_COMMON_DIR")
    return {name: value for name, value in os.environ.items() if name not in hidden}


def _entries(listed: str) -> Iterator[tuple[str, _Entry]]:
    for line in listed.split("\0"):
        if line:
            head, _tab, name = line.partition("\t")
            mode, kind, object_ = head.split()
            if kind == "blob":
                yield name, _Entry(mode, object_)
