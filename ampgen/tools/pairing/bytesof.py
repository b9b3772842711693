"""Values from bytes, and bytes from what a value says, for any type of a schema.

The generated code does both for a whole command alone. Here they make values that one
type writes as another one would: those are what nobody notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import Fault, missing
from ampgen.runtime.values import SCALARS, Scalar, decode_str
from ampgen.runtime.wire import read_box, write_box
from ampgen.targets.python import names
from ampgen.tools.pairing.meaning import Boxes, Items, Meaning, Text

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from ampgen.model import Type
    from ampgen.tools.memory import Loaded
    from ampgen.tools.pairing.asread import Raw


def bytes_of(value: Meaning) -> bytes:
    match value:
        case Text(raw):
            return raw
        case Items(items):
            raws = map(bytes_of, items)
            return b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws)
        case Boxes(boxes):
            return b"".join(
                write_box(
                    {key.encode(): bytes_of(one) for key, one in box.pairs.items()}
                )
                for box in boxes
            )


class Values:
    """Values of the types of one loaded schema.

    ``closed``: the open enums of which no value is made that they do not declare.
    """

    def __init__(self, loaded: Loaded, closed: Container[Enum] = ()) -> None:
        self._loaded = loaded
        self._closed = closed

    def of(self, type_: Type, raw: bytes) -> Any:
        """What the generated code would read; ``Fault`` where it would refuse."""
        match type_:
            case ScalarType(Scalar.PATH):
                return decode_str(raw)  # a Path would not keep it as it is
            case ScalarType(scalar):
                row = SCALARS[scalar]
                return row.decode(raw, 64) if row.deep else row.decode(raw)
            case Enum():
                return self._enum(type_, raw)
            case ListType(Struct() | Union() as item):
                return [self._box(item, box) for box in _boxes(raw)]
            case ListType(item):
                return [self.of(item, one) for one in _strings(raw)]
            case MapType(key, value):
                found: dict[Any, Any] = {}
                for pair in _boxes(raw):
                    if pair.keys() != {b"key", b"value"}:
                        raise Fault("a pair of a map has a key and a value")
                    one = self.of(key, pair[b"key"])
                    found[one] = self.of(value, pair[b"value"])
                return found
            case Struct() | Union():
                boxes = list(_boxes(raw))
                if len(boxes) != 1:
                    raise Fault("not one box")
                return self._box(type_, boxes[0])

    def _enum(self, enum: Enum, raw: bytes) -> Any:
        for member in self._loaded.python(enum.module, names.type_name(enum)):
            if member.value.encode() == raw:
                return member
        if enum.open and enum not in self._closed:
            return decode_str(raw)
        raise Fault(f"no member of {enum.name}")

    def _box(self, type_: Struct | Union, box: Raw) -> Any:
        module = type_.module
        if isinstance(type_, Union):
            for member in type_.members:
                if box.keys() == {member.key.encode()}:
                    value = self.of(member.type, box[member.key.encode()])
                    made = names.member_class(type_, member)
                    return self._loaded.python(module, made)(value)
            raise Fault("not one member")
        found: dict[str, Any] = {}
        for field in type_.fields:
            raw = box.get(field.key.encode())
            if raw is not None:
                found[names.field_name(field)] = self.of(field.type, raw)
            elif field.required:
                raise missing()
        return self._loaded.python(module, names.type_name(type_))(**found)


def _boxes(raw: bytes) -> Iterator[Raw]:
    at = 0
    while at < len(raw):
        box, at = read_box(raw, at)
        yield box


def _strings(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if end > len(raw) or at + 2 > len(raw):
            raise Fault("the list is cut short")
        yield raw[at + 2 : end]
        at = end
