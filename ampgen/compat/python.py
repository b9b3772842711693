"""Code that was written for values of one type, and values of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.verdicts import Source
from ampgen.model import Enum, ListType, MapType, ScalarType
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ampgen.model import Type

_IN_JSON = frozenset((Scalar.BOOL, Scalar.INT, Scalar.FLOAT, Scalar.STR))


def passes(
    value: Type,
    place: Type,
    is_same: Callable[[Type, Type], bool],
    *,
    is_given: bool,
) -> Source:
    """What comes of a value of one type in the place of another.

    ``is_given``: a program gives it to the generated code, which is less strict than
    what a program expects that gets it.
    """
    if is_same(value, place):
        return Source.SAFE
    match value, place:
        case ListType(), ListType():
            return passes(value.item, place.item, is_same, is_given=is_given)
        case MapType(), MapType():
            key = passes(value.key, place.key, is_same, is_given=is_given)
            item = passes(value.value, place.value, is_same, is_given=is_given)
            return max(key, item)
        case ScalarType(one), ScalarType(other):
            return _scalar(one, other, is_given=is_given)
        case Enum(), ScalarType(Scalar.STR):
            return Source.SAFE  # it is a str
        case ScalarType(Scalar.STR), Enum(open=True):
            return Source.SAFE
        case _:
            return Source.BREAKS


def _scalar(value: Scalar, place: Scalar, *, is_given: bool) -> Source:
    if (value, place) == (Scalar.INT, Scalar.FLOAT):
        return Source.SAFE
    if {value, place} == {Scalar.INT, Scalar.FD}:
        return Source.SAFE
    if place is Scalar.JSON and value in _IN_JSON:
        return Source.SAFE
    if is_given and (value, place) == (Scalar.STR, Scalar.PATH):
        return Source.SAFE
    return Source.BREAKS
