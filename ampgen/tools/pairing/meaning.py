"""What a value says, whatever type it has: so that two ends can be compared.

A value is a text, a list, or boxes, as it is on the wire; a struct alone is one box, as
to Twisted, and so is a pair of a map. Compared are what one end meant and what the
other understood, each by its own schema.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from ampgen.model import (
    EmptyMap,
    Enum,
    ListType,
    ListValue,
    MapType,
    MemberValue,
    ScalarType,
    Struct,
    Union,
    Value,
)
from ampgen.runtime.values import SCALARS
from ampgen.targets.python import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ampgen.model import Default, Field, Type


@dataclass(frozen=True, slots=True)
class Text:
    """``declared``: it is a member of its enum; ``None`` if it has none."""

    raw: bytes
    declared: bool | None = None


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """``pairs``: what is there. ``fields``: those that may be, by key; ``None``: the
    box is a pair of a map, which has no other. ``is_member``: it is a union's, and
    there is no more than one.
    """

    pairs: Mapping[str, Meaning]
    fields: Mapping[str, Field] | None = None
    is_member: bool = False

    def field(self, key: str) -> Field | None:
        return None if self.fields is None else self.fields.get(key)


@dataclass(frozen=True, slots=True)
class Boxes:
    boxes: tuple[Box, ...]


Meaning: TypeAlias = "Text | Items | Boxes"


class Kind(StrEnum):
    """What has become of it."""

    IGNORED = "ignored"  # the other end does not know the key
    DEFAULT = "default"  # the default of the one end, and not that of the other
    UNKNOWN = "unknown"  # a member of the one's enum, and a mere text to the other
    OTHER = "other"  # something else


@dataclass(frozen=True, slots=True)
class Difference:
    """``path`` is the key on the wire, with what it is inside of in front."""

    path: str
    kind: Kind
    told: str


# --- values -> what they say ----------------------------------------------------------


def meaning(type_: Type, value: Any) -> Meaning:
    """Of a value as the generated code has it."""
    match type_:
        case ScalarType(scalar):
            row = SCALARS[scalar]
            return Text(row.encode(value, 64) if row.deep else row.encode(value))
        case Enum():
            known = any(member.value == value for member in type_.members)
            return Text(str(value).encode(), known)
        case ListType(Struct() | Union() as item):
            return Boxes(tuple(_box(item, one) for one in value))
        case ListType(item):
            return Items(tuple(meaning(item, one) for one in value))
        case MapType(key, inner):
            return Boxes(
                tuple(
                    Box({"key": meaning(key, one), "value": meaning(inner, other)})
                    for one, other in value.items()
                )
            )
        case Struct() | Union():
            return Boxes((_box(type_, value),))


def _box(type_: Struct | Union, value: Any) -> Box:
    if isinstance(type_, Struct):
        return box(type_.fields, value)
    known = {member.key: member for member in type_.members}
    for member in type_.members:
        if type(value).__name__ == names.member_class(type_, member):
            return Box({member.key: meaning(member.type, value.value)}, known, True)
    raise TypeError(f"no member of {type_.name}: {type(value).__name__}")


def box(
    fields: Sequence[Field],
    holder: Any,
    name: Callable[[Field], str] = names.field_name,
) -> Box:
    """The attributes of an object."""
    return box_of(fields, {one.name: getattr(holder, name(one)) for one in fields})


def box_of(fields: Sequence[Field], values: Mapping[str, Any]) -> Box:
    """The values of fields, by their names; ``None`` is absent."""
    found = {
        field.key: meaning(field.type, values[field.name])
        for field in fields
        if not (field.optional and values[field.name] is None)
    }
    return Box(found, {field.key: field for field in fields})


def default_meaning(type_: Type, default: Default) -> Meaning:
    match default:
        case Value(value):
            return meaning(type_, value)
        case MemberValue(member):
            return Text(member.value.encode(), True)
        case ListValue(items):
            inner = type_.item if isinstance(type_, ListType) else type_
            if isinstance(inner, Struct | Union):
                return Boxes(())  # a literal has none of them
            return Items(tuple(default_meaning(inner, one) for one in items))
        case EmptyMap():
            return Boxes(())


# --- what was meant, and what was understood ------------------------------------------


def differences(sent: Meaning, got: Meaning, path: str = "") -> Iterator[Difference]:
    match sent, got:
        case Text(), Text():
            yield from _texts(sent, got, path)
        case Items(ours), Items(theirs) if len(ours) == len(theirs):
            for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                yield from differences(one, other, f"{path}[{at}]")
        case Boxes(boxes), Boxes(others) if len(boxes) == len(others):
            for at, (box_, other_box) in enumerate(zip(boxes, others, strict=True)):
                inside = path if len(boxes) == 1 else f"{path}[{at}]"
                yield from box_differences(box_, other_box, inside)
        case ((Items(()) | Boxes(())), (Items(()) | Boxes(()))):
            pass  # nothing, of whatever
        case _:
            told = f"{_told(sent)} was sent, and {_told(got)} was read"
            yield Difference(path, Kind.OTHER, told)


def box_differences(sent: Box, got: Box, path: str = "") -> Iterator[Difference]:
    renamed = dict(_renamed(sent, got))
    for key, one in sent.pairs.items():
        inside = f"{path}.{key}" if path else key
        if key in got.pairs:
            yield from _pair(sent, got, key, inside)
        elif key in renamed:
            told = f"{_told(one)} was sent, and nothing read: that has `{renamed[key]}`"
            yield Difference(inside, Kind.OTHER, told)
        elif got.fields is not None and key not in got.fields:
            told = f"{_told(one)} was sent, and nobody reads it"
            # a map's pair without its key, or a union without its member, is no such
            is_all = sent.is_member or sent.fields is None
            yield Difference(inside, Kind.OTHER if is_all else Kind.IGNORED, told)
        else:
            told = f"{_told(one)} was sent, and nothing was read"
            yield Difference(inside, Kind.OTHER, told)
    for key, other in got.pairs.items():
        inside = f"{path}.{key}" if path else key
        if key in sent.pairs:
            continue
        if not _is_default(got.field(key), other):
            told = f"nothing was sent, and {_told(other)} was read"
            yield Difference(inside, Kind.OTHER, told)
        elif sent.field(key) is not None:
            told = f"left out, it is nothing to one end and {_told(other)} to the other"
            yield Difference(inside, Kind.DEFAULT, told)


def _pair(sent: Box, got: Box, key: str, path: str) -> Iterator[Difference]:
    one, other = sent.pairs[key], got.pairs[key]
    yield from differences(one, other, path)
    ours, theirs = sent.field(key), got.field(key)
    if ours is None or theirs is None or theirs.default is None:
        return
    if _is_default(ours, one):
        default = default_meaning(theirs.type, theirs.default)
        if list(differences(one, default)):
            told = (
                f"left out, it is {_told(one)} to one end and {_told(default)} to the"
            )
            yield Difference(path, Kind.DEFAULT, f"{told} other")


def _is_default(field: Field | None, value: Meaning) -> bool:
    if field is None or field.default is None:
        return False
    return not list(differences(value, default_meaning(field.type, field.default)))


def _renamed(sent: Box, got: Box) -> Iterator[tuple[str, str]]:
    """Keys that only changed their names: of one type, each at the same place."""
    for one, other in zip(_keys(sent), _keys(got), strict=False):
        ours, theirs = sent.field(one), got.field(other)
        if ours is None or theirs is None or got.field(one) or sent.field(other):
            continue
        if type_text(ours.type) == type_text(theirs.type):
            yield one, other


def _keys(box_: Box) -> Iterable[str]:
    return () if box_.fields is None else box_.fields


def _texts(sent: Text, got: Text, path: str) -> Iterator[Difference]:
    if not same_text(sent.raw, got.raw):
        told = f"{_told(sent)} was sent, and {_told(got)} was read"
        yield Difference(path, Kind.OTHER, told)
    elif sent.declared and got.declared is False:
        told = f"{_told(sent)} is a mere text to the other end"
        yield Difference(path, Kind.UNKNOWN, told)


def same_text(one: bytes, other: bytes) -> bool:
    """Do two scalars say the same, each as its own type writes it?"""
    return one == other or any(
        read(one) is not None and read(one) == read(other) for read in _READINGS
    )


def _number(raw: bytes) -> object:
    try:
        value = Decimal(raw.decode())
        return "nan" if value.is_nan() else value  # which does not equal itself
    except (UnicodeDecodeError, InvalidOperation):
        return None


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _moment(raw: bytes) -> object:
    try:
        return datetime.fromisoformat(raw.decode())
    except ValueError:
        return None


def _path(raw: bytes) -> object:
    try:
        return PurePath(raw.decode())
    except ValueError:
        return None


def _folded(raw: bytes) -> object:
    return raw.lower() if len(raw) == 36 else None  # a uuid, or nearly


_READINGS = (_number, _json, _moment, _path, _folded)


# --- in words -------------------------------------------------------------------------


def type_text(type_: Type) -> str:
    """As a schema has it."""
    match type_:
        case ScalarType(scalar):
            return scalar.value
        case ListType(item):
            return f"[{type_text(item)}]"
        case MapType(key, value):
            return f"{{{type_text(key)}: {type_text(value)}}}"
        case Enum() | Struct() | Union():
            return type_.name


def _told(value: Meaning) -> str:
    match value:
        case Text(raw):
            text = raw.decode("utf-8", "backslashreplace")
            return f"`{text}`" if len(text) <= 40 else f"a text of {len(raw):,} bytes"
        case Items(items):
            return f"a list of {len(items)}"
        case Boxes((Box(pairs),)):
            return f"a box of {_listed(pairs)}"
        case Boxes(boxes):
            return f"{len(boxes)} boxes"


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys) or "nothing"
