"""A source file and places in it; one that is handed over instead.

A place is a pair of offsets into the decoded text: cheap to keep on every node of the
syntax tree. Lines and columns are worked out when a diagnostic is printed.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from ampgen.frozen import frozen


@frozen
class StandardInput:
    """A schema that is handed over instead of read.

    It is resolved as if a file ``name`` with this content stood in the working
    directory.
    """

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One schema file: where it was found, and what it says.

    ``path`` is the path as messages show it: as the user wrote it, or relative to the
    working directory. ``text`` is what the file says, decoded, line ends as they are.
    """

    path: str
    text: str
    _line_starts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = self.text
        starts = [1 if text.startswith("\ufeff") else 0]  # the mark is in no column
        at = text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = text.find("\n", at + 1)
        object.__setattr__(self, "_line_starts", starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1; a column counts code points."""
        offset = max(offset, self._line_starts[0])
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line ``number`` (from 1), without its line end."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].removesuffix("\r")


@frozen
class Span:
    """A run of text: ``source.text[start:end]``."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> str:
        """``path:line:column`` of the start."""
        line, column = self.source.position(self.start)
        return f"{self.source.path}:{line}:{column}"


def shown_path(path: Path) -> str:
    """``path`` as messages show it: relative where the working directory holds it."""
    shown = os.path.normpath(path)
    if os.path.isabs(shown):
        here = os.getcwd()
        if shown == here or shown.startswith(here.rstrip(os.sep) + os.sep):
            shown = os.path.relpath(shown, here)
    return Path(shown).as_posix()
