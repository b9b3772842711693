"""Are the two versions of a type one and the same, however deep one looks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.model import Enum, ListType, MapType, Struct, Union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.model import Field, Type


def is_alike(type_: Type, other: Type) -> bool:
    """Do both stand for the same values, in the same bytes?"""
    return _is_alike(type_, other, set())


def _is_alike(type_: Type, other: Type, seen: set[tuple[int, int]]) -> bool:
    pair = id(type_), id(other)
    if pair in seen:  # a recursive one: what differs is found where it began
        return True
    seen.add(pair)
    match type_, other:
        case ListType(one), ListType(two):
            return _is_alike(one, two, seen)
        case MapType(key, value), MapType(other_key, other_value):
            return _is_alike(key, other_key, seen) and _is_alike(
                value, other_value, seen
            )
        case Enum(), Enum():
            return type_.open is other.open and _values(type_) == _values(other)
        case Struct(), Struct():
            return _are_alike(type_.fields, other.fields, seen)
        case Union(), Union():
            return _are_alike(type_.members, other.members, seen)
        case _:
            return type_ == other


def _values(enum: Enum) -> set[str]:
    return {member.value for member in enum.members}


def _are_alike(
    fields: Sequence[Field], others: Sequence[Field], seen: set[tuple[int, int]]
) -> bool:
    theirs = {field.key: field for field in others}
    return theirs.keys() == {field.key for field in fields} and all(
        field.required is theirs[field.key].required
        and field.large is theirs[field.key].large
        and _is_alike(field.type, theirs[field.key].type, seen)
        for field in fields
    )
