"""What a Twisted program reads out of a box, by Twisted's own rules.

It is more patient than this runtime with a list that is cut short: what is there of it
is read, the rest dropped, so that what is no list at all reads as an empty one. Of a
value that is large it reads the first piece, unless the schema says it is. Whatever
else does not decode is refused: ``Unreadable``.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import FAULTS
from ampgen.runtime.values import SCALARS, Scalar
from ampgen.runtime.wire import MAX_KEY, MAX_VALUE
from ampgen.tools.pairing.meaning import (
    Box,
    Boxes,
    Items,
    Meaning,
    Text,
    default_meaning,
    meaning,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ampgen.model import Field, Type

Raw = dict[bytes, bytes]


class Unreadable(Exception):
    """Twisted raises something. ``key``: the argument, result or item at fault."""

    def __init__(self, rule: str, key: str = "") -> None:
        super().__init__(rule, key)
        self.rule = rule
        self.key = key

    def __str__(self) -> str:
        return f"{self.key}: {self.rule}" if self.key else self.rule


def read_fields(fields: Iterable[Field], raw: Mapping[bytes, bytes]) -> Box:
    """Arguments, results, or the fields of a struct."""
    fields = tuple(fields)
    pairs: dict[str, Meaning] = {}
    for field in fields:
        try:
            value = _whole(field, raw)
            if value is not None:
                pairs[field.key] = read(field.type, value)
            elif field.default is not None:
                pairs[field.key] = default_meaning(field.type, field.default)
            elif field.required:
                raise Unreadable("required, and missing")
        except Unreadable as error:
            path = f"{field.key}.{error.key}" if error.key else field.key
            raise Unreadable(error.rule, path) from None
    return Box(pairs, {field.key: field for field in fields})


def _whole(field: Field, raw: Mapping[bytes, bytes]) -> bytes | None:
    key = field.key.encode()
    found = raw.get(key)
    if not field.large or found is None:
        return found
    pieces = [found]
    while (piece := raw.get(b"%b.%d" % (key, len(pieces) + 1))) is not None:
        if len(pieces[-1]) != MAX_VALUE or not piece:
            raise Unreadable("its pieces are not all full")
        pieces.append(piece)
    return b"".join(pieces)


def read(type_: Type, raw: bytes) -> Meaning:
    match type_:
        case ScalarType(scalar):
            return _scalar(scalar, raw)
        case Enum():
            return _enum(type_, raw)
        case ListType(Struct() | Union() as item):
            return Boxes(tuple(_box(item, one) for one in _boxes(raw)))
        case ListType(item):
            return Items(tuple(read(item, one) for one in _strings(raw)))
        case MapType(key, value):
            return _map(key, value, raw)
        case Struct() | Union():
            boxes = _boxes(raw)
            if len(boxes) != 1:
                raise Unreadable(f"{len(boxes)} boxes in the place of one")
            return Boxes((_box(type_, boxes[0]),))


# Twisted converts with these, and the classes of the Twisted target with ours.
_PATIENT: Mapping[Scalar, Callable[[bytes], object]] = {
    Scalar.INT: int,
    Scalar.FLOAT: float,
    Scalar.DECIMAL: lambda raw: Decimal(raw.decode("ascii")),
}


def _scalar(scalar: Scalar, raw: bytes) -> Meaning:
    row = SCALARS[scalar]
    try:
        if scalar in _PATIENT:
            value = _PATIENT[scalar](raw)
        else:
            value = row.decode(raw, 64) if row.deep else row.decode(raw)
        return meaning(ScalarType(scalar), value)
    except (*FAULTS, ArithmeticError) as fault:
        raise Unreadable(str(fault)) from None


def _enum(enum: Enum, raw: bytes) -> Meaning:
    known = raw in {member.value.encode() for member in enum.members}
    if known or enum.open:
        with suppress(UnicodeDecodeError):
            raw.decode()
            return Text(raw, known)
    raise Unreadable(f"no value of {enum.name}")


def _map(key: Type, value: Type, raw: bytes) -> Meaning:
    found: list[Box] = []
    for pair in _boxes(raw):
        if not pair.keys() >= {b"key", b"value"}:
            raise Unreadable("a pair of a map has a key and a value")
        one = read(key, pair[b"key"])
        if any(one == other.pairs["key"] for other in found):
            raise Unreadable("a key comes twice")
        found.append(Box({"key": one, "value": read(value, pair[b"value"])}))
    return Boxes(tuple(found))


def _box(type_: Struct | Union, raw: Raw) -> Box:
    if isinstance(type_, Struct):
        return read_fields(type_.fields, raw)
    known = {member.key.encode(): member for member in type_.members}
    if len(raw) != 1 or not raw.keys() <= known.keys():
        raise Unreadable("a union is a box of one member")
    [(key, value)] = raw.items()
    member = known[key]
    fields = {one.key: one for one in type_.members}
    return Box({member.key: read(member.type, value)}, fields)


def _strings(raw: bytes) -> Sequence[bytes]:
    found: list[bytes] = []
    at = 0
    while at + 2 <= len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if end > len(raw):
            break
        found.append(raw[at + 2 : end])
        at = end
    return found


def _boxes(raw: bytes) -> list[Raw]:
    found: list[Raw] = []
    box: Raw = {}
    key: bytes | None = None
    at = 0
    while at + 2 <= len(raw):
        length = int.from_bytes(raw[at : at + 2], "big")
        if key is None and length > MAX_KEY:
            raise Unreadable("a key of over 255 bytes")
        end = at + 2 + length
        if end > len(raw):
            break
        text = raw[at + 2 : end]
        at = end
        if key is not None:
            box[key] = text
            key = None
        elif text:
            key = text
        else:
            found.append(box)
            box = {}
    return found
