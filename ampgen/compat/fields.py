"""Which field of the new version is which of the old one: their keys decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ampgen.model import Field, Type


@dataclass(frozen=True, slots=True)
class FieldPair:
    """``old`` or ``new`` is ``None`` where that version has none."""

    old: Field | None
    new: Field | None

    @property
    def is_rekeyed(self) -> bool:
        """Is it one field whose key has changed?"""
        return self.both is not None and self.both[0].key != self.both[1].key

    @property
    def both(self) -> tuple[Field, Field] | None:
        if self.old is None or self.new is None:
            return None
        return self.old, self.new


def common(old: Sequence[Field], new: Sequence[Field]) -> Iterator[tuple[Field, Field]]:
    """The fields that both have, by their keys."""
    by_key = {one.key: one for one in new}
    return ((one, by_key[one.key]) for one in old if one.key in by_key)


def pair(
    old: Sequence[Field],
    new: Sequence[Field],
    is_same: Callable[[Type, Type], bool],
) -> tuple[FieldPair, ...]:
    """All fields of both, in the order of the new version, those that are gone last.

    Where one is gone, and in its place (between the same neighbours) there is another
    of the same type, as required as the first, it has been renamed: on the wire nobody
    could tell the difference.
    """
    pairs = {id(after): before for before, after in common(old, new)}
    kept = {before.key for before in pairs.values()}
    gaps = _gaps(new, kept)
    gone: list[Field] = []
    for before, gap in _gaps(old, kept):
        heir = next(
            (
                after
                for after, place in gaps
                if place == gap
                and id(after) not in pairs
                and after.required is before.required
                and is_same(before.type, after.type)
            ),
            None,
        )
        if heir is None:
            gone.append(before)
        else:
            pairs[id(heir)] = before
    there = [FieldPair(pairs.get(id(after)), after) for after in new]
    return (*there, *(FieldPair(before, None) for before in gone))


def _gaps(fields: Sequence[Field], kept: set[str]) -> list[tuple[Field, int]]:
    """Those that are not kept, each with how many before it are."""
    found: list[tuple[Field, int]] = []
    before = 0
    for one in fields:
        if one.key in kept:
            before += 1
        else:
            found.append((one, before))
    return found
