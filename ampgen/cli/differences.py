"""What would change in a file, in the form that ``patch`` takes."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def difference(name: str, before: str, after: str) -> bytes:
    """UTF-8, as the files are, whatever standard output is in."""
    return "".join(_lines(name, before, after)).encode(errors="surrogateescape")


def _lines(name: str, before: str, after: str) -> Iterator[str]:
    old: list[str] = _LINE.findall(before)
    new: list[str] = _LINE.findall(after)
    for line in unified_diff(old, new, name, name):
        yield line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"
