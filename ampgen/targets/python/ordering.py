"""The order of ``__all__``: as ruff's RUF022 wants it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_DIGITS = re.compile(r"(\d+)")


def dunder_all(names: Iterable[str]) -> list[str]:
    """Constants, classes, the rest; numbers in a name count as numbers."""
    return sorted(names, key=_key)


@lru_cache(maxsize=4096)  # a name stands in two lists, of its module and of all
def _key(name: str) -> tuple[int, list[tuple[int, int, str]], str]:
    kind = 2
    if len(name) > 1 and name.isupper():
        kind = 0
    elif name[0].isupper():
        kind = 1
    natural = [
        (0, int(piece), "") if piece.isdigit() else (1, 0, piece)
        for piece in _DIGITS.split(name)
        if piece
    ]
    return kind, natural, name
