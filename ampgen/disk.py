"""The file system as the compiler asks it about schemas, every question in one place.

What a schema compiles to depends on nothing on the disk but these answers, so a run
whose questions are recorded can be told to be the same as another (:mod:`ampgen.memo`).
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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


DISK = Disk()


class RecordingDisk(Disk):
    """Keeps what it was asked, each content as its digest.

    ``is_steady`` tells that no question had two answers: nothing has changed meanwhile.
    """

    def __init__(self) -> None:
        self.real_paths: dict[str, str] = {}
        self.contents: dict[str, str | None] = {}
        self.is_steady = True

    def real_path(self, path: str | os.PathLike[str]) -> str:
        answer = super().real_path(path)
        known = self.real_paths.setdefault(os.fspath(path), answer)
        self.is_steady &= known == answer
        return answer

    def read(self, path: Path) -> bytes | None:
        content = super().read(path)
        answer = None if content is None else digest(content)
        known = self.contents.setdefault(os.fspath(path), answer)
        self.is_steady &= known == answer
        return content


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def digests(files: Mapping[str, str]) -> dict[str, str]:
    """Of generated texts, by path."""
    return {name: digest(text.encode()) for name, text in files.items()}
