"""The file system as the compiler asks it about schemas, every question in one place.

What a schema compiles to depends on nothing on the disk but these answers, so a run
whose questions are recorded can be told to be the same as another (:mod:`ampgen.memo`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import NoReturn

T = TypeVar("T")

# The answer of a file that is there and cannot be read, in the place of a digest.
UNREADABLE = "unreadable"


class Disk:
    """The answers as they are now."""

    def real_path(self, path: str | os.PathLike[str]) -> str:
        """The path without symbolic links: the same for two paths to one file."""
        return os.path.realpath(path)

    def shown(self, path: str) -> str:
        """What messages call the file at this path: that."""
        return path

    def read(self, path: Path) -> bytes | None:
        """What the file says, or ``None`` where there is no such file.

        Raises :class:`OSError`, or :class:`ValueError` for what can be no path.
        """
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def below(self, folder: Path, suffix: str) -> list[Path]:
        """The files in a folder and below, but for hidden folders, that end so; in
        order.

        Raises :class:`OSError` where it cannot be read.
        """
        found: list[Path] = []
        for here, folders, names in os.walk(folder, onerror=_raise):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            names = sorted(name for name in names if name.endswith(suffix))
            found += [Path(here, name) for name in names]
        return found


DISK = Disk()


class RecordingDisk(Disk):
    """Keeps what it was asked, each content as its digest.

    ``is_steady`` tells that no question had two answers: nothing has changed meanwhile.
    """

    def __init__(self) -> None:
        self.real_paths: dict[str, str] = {}
        self.contents: dict[str, str | None] = {}
        self.found: dict[str, dict[str, list[str] | None]] = {}
        self.is_steady = True

    def real_path(self, path: str | os.PathLike[str]) -> str:
        answer = super().real_path(path)
        self._answered(self.real_paths, os.fspath(path), answer)
        return answer

    def read(self, path: Path) -> bytes | None:
        try:
            content = super().read(path)
        except OSError:
            self._answered(self.contents, os.fspath(path), UNREADABLE)
            raise
        answer = None if content is None else digest(content)
        self._answered(self.contents, os.fspath(path), answer)
        return content

    def below(self, folder: Path, suffix: str) -> list[Path]:
        asked = self.found.setdefault(os.fspath(folder), {})
        try:
            found = super().below(folder, suffix)
        except OSError:
            self._answered(asked, suffix, None)
            raise
        self._answered(asked, suffix, list(map(os.fspath, found)))
        return found

    def _answered(self, answers: dict[str, T], question: str, answer: T) -> None:
        self.is_steady &= answers.setdefault(question, answer) == answer

    @property
    def answers(self) -> dict[str, Any]:
        """What was asked, and answered, as JSON has it."""
        return {
            "real_paths": self.real_paths,
            "contents": self.contents,
            "found": self.found,
        }


def ask_again(answers: Mapping[str, Any]) -> RecordingDisk:
    """A disk that was asked the same just now."""
    disk = RecordingDisk()
    for path in answers["real_paths"]:
        disk.real_path(path)
    for path in answers["contents"]:
        with suppress(OSError):
            disk.read(Path(path))
    for folder, suffixes in answers["found"].items():
        for suffix in suffixes:
            with suppress(OSError):
                disk.below(Path(folder), suffix)
    return disk


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def digests(files: Mapping[str, str]) -> dict[str, str]:
    """Of generated texts, by path."""
    return {name: digest(text.encode()) for name, text in files.items()}


def told(root: Path) -> Iterator[str]:
    """Each file below, by its path there, and what it says: of a package all that it
    does. There are hundreds: a ``Path`` for each would take as long as to read them.

    Raises :class:`OSError` where they are no plain files.
    """
    start = len(os.path.join(root, ""))
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders[:] = sorted(set(folders) - {"__pycache__"})
        for name in sorted(names):
            path = os.path.join(folder, name)
            yield path[start:]
            with open(path, "rb", buffering=0) as file:
                yield digest(file.read())


def _raise(error: OSError) -> NoReturn:
    raise error
