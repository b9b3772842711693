"""Numbers that look like chance, and are the same wherever the same is asked for.

They are digests of words: no state of the process is in them, nor the version of
Python. What is drawn in one place does not change what comes of another.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Chance:
    """One place of it: the next number differs from the last, ``at`` leads on."""

    __slots__ = ("_drawn", "_key")

    def __init__(self, *words: str | int) -> None:
        self._key = _digest(b"", words)
        self._drawn = 0

    def at(self, *words: str | int) -> Chance:
        """Another place, whatever has been drawn here."""
        place = Chance.__new__(Chance)
        place._key = _digest(self._key, words)
        place._drawn = 0
        return place

    def below(self, limit: int) -> int:
        """From 0 to ``limit`` - 1."""
        self._drawn += 1
        drawn = blake2b(self._key, salt=self._drawn.to_bytes(8, "big")).digest()
        return int.from_bytes(drawn, "big") % limit

    def between(self, low: int, high: int) -> int:
        """Both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]


def _digest(key: bytes, words: tuple[str | int, ...]) -> bytes:
    digest = blake2b(key, digest_size=32)
    for word in words:
        raw = f"{type(word).__name__}:{word}".encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.digest()
