"""Where in a call a change is: by the keys on the wire, as findings tell of them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from ampgen.compat.changes import Part
from ampgen.model import ListType, MapType, Struct, Union
from ampgen.targets.python.commands import stream_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.compat.changes import Change, Use
    from ampgen.model import Command, Field, Type

Paths: TypeAlias = "Sequence[tuple[str, ...]]"
"""Keys from the outside in. None of them: it may be anywhere."""


class Nearness(IntEnum):
    OTHER = 0  # another argument, or another result
    NEAR = 1  # the same one, or it is not known which
    SAME = 2


def paths_of(change: Change, use: Use) -> Paths:
    """Of the field that has changed, in both versions, or of what holds the change."""
    if use.part is Part.SENT_ITEM:
        return ()  # a stream has one key
    spans = {one.span for one in (change.at, change.was) if one is not None}
    new, old = _fields(use.part, use.new), _fields(use.part, use.old)
    keys: tuple[str, ...] = ()
    for name in use.through:  # by their new names
        field = next((one for one in new if one.name == name), None)
        if field is None:
            break
        keys = (*keys, field.key)
        was = next((one for one in old if one.key == field.key), None)
        new, old = _inside(field.type), () if was is None else _inside(was.type)
    there = [one for one in (*new, *old) if {one.span, one.type_span} & spans]
    ends = dict.fromkeys(one.key for one in there)
    return [(*keys, end) for end in ends] or ([keys] if keys else [])


def nearness(path: str, paths: Paths) -> Nearness:
    """``path`` is as findings have it: ``items[3].price``."""
    if not path or not paths:
        return Nearness.NEAR
    return max(_nearness(path, keys) for keys in paths)


def _nearness(path: str, keys: tuple[str, ...]) -> Nearness:
    found = Nearness.OTHER
    rest = path
    for key in keys:  # which may have dots in them
        if not rest.startswith(key) or rest[len(key) : len(key) + 1] not in (
            "",
            ".",
            "[",
        ):
            return found
        found = Nearness.NEAR
        rest = rest[len(key) :]
        while rest.startswith("["):
            rest = rest.partition("]")[2]
        rest = rest.removeprefix(".")
    return Nearness.SAME


def _fields(part: Part, command: Command | None) -> Sequence[Field]:
    if command is None:
        return ()
    if part is Part.ARGUMENT:
        sent = stream_argument(command)
        return [one for one in command.arguments if one is not sent]
    if part is Part.ERROR:
        return [field for error in command.errors for field in error.fields]
    if part in (Part.RESULT, Part.ITEM):
        return () if command.result is None else command.result.fields
    return ()


def _inside(type_: Type) -> Sequence[Field]:
    match type_:
        case ListType(item):
            return _inside(item)
        case MapType(_, value):
            return _inside(value)
        case Struct():
            return type_.fields
        case Union():
            return type_.members
        case _:
            return ()
