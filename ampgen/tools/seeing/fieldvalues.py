"""The fields of a box as JSON, each for itself, by the model of a schema.

The decoders that the compiler generates make objects for a program, and give a box up
at its first fault. These make what is shown to people: each field that decodes, the
place in the stream of what does not, and nothing that the schema calls sensitive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import Fault, fault_at, missing
from ampgen.runtime.large import get_large
from ampgen.runtime.redaction import HIDDEN
from ampgen.runtime.wire import MAX_VALUE, Limits, get_whole, large_key
from ampgen.tools.seeing.seen import Blame, Opaque, as_text
from ampgen.tools.seeing.valuereading import (
    Place,
    ValueReading,
    WrongValueError,
    joined,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ampgen.model import Field, Type
    from ampgen.runtime.jsonvalue import Json

DEPTH = Limits().depth


@dataclass(slots=True)
class FieldsRead:
    """What came of it; the names are those of ``SeenBox``."""

    fields: dict[str, Json | Opaque] = field(default_factory=dict[str, "Json | Opaque"])
    hidden: list[str] = field(default_factory=list[str])
    others: dict[str, Opaque] = field(default_factory=dict[str, Opaque])
    blames: list[Blame] = field(default_factory=list[Blame])


def read_fields(
    declared: Iterable[Field],
    box: Mapping[bytes, bytes],
    places: Mapping[bytes, int],
    offset: int,
) -> FieldsRead:
    """Read the keys of a box that do not start with ``_``.

    ``places``: where in the stream each value begins, and ``offset`` where the box
    does.
    """
    found = FieldsRead()
    declared = tuple(declared)
    keys = {one.key.encode(): one for one in declared}
    large = [key for key, one in keys.items() if one.large]
    for key, one in keys.items():
        _read_field(one, key, keys, box, places, offset, found)
    for key, raw in box.items():
        if not key.startswith(b"_") and key not in keys and not large_key(key, large):
            found.others[as_text(key)] = Opaque(raw)
    return found


def is_secret(field: Field) -> bool:
    """May there be anything in its bytes that the schema calls sensitive?"""
    return field.sensitive or holds_sensitive(field.type)


def holds_sensitive(type_: Type) -> bool:
    """Is there anything in values of the type that the schema calls sensitive?"""
    seen: set[int] = set()

    def look(type_: Type) -> bool:
        match type_:
            case ListType(item):
                return look(item)
            case MapType(key, value):
                return look(key) or look(value)
            case Struct(fields=fields) | Union(members=fields):
                if id(type_) in seen:
                    return False
                seen.add(id(type_))
                return any(one.sensitive or look(one.type) for one in fields)
            case ScalarType() | Enum():
                return False

    return look(type_)


def _read_field(
    one: Field,
    key: bytes,
    keys: Mapping[bytes, Field],
    box: Mapping[bytes, bytes],
    places: Mapping[bytes, int],
    offset: int,
    found: FieldsRead,
) -> None:
    reading = ValueReading()
    at = places.get(key, offset)
    raw = box.get(key)
    try:
        if one.large:
            raw = get_large(box, key, *(other for other in keys if other != key))
        elif key + b".2" not in keys:
            raw = get_whole(box, key)
        if raw is None:
            if one.required:
                raise fault_at(one.key, missing())
            return
        number = 2
        starts = [at]
        while len(starts) * MAX_VALUE < len(raw):
            starts.append(places[b"%b.%d" % (key, number)])
            number += 1
        value = reading.value(one.type, raw, Place(tuple(starts)), DEPTH)
    except WrongValueError as wrong:
        fault = fault_at(one.key, wrong.fault)
        found.blames.append(Blame(wrong.offset, fault.path, fault.rule))
    except Fault as fault:
        found.blames.append(Blame(at, fault.path, fault.rule))
    else:
        if one.sensitive:
            found.hidden.append(one.name)
            found.fields[one.name] = HIDDEN
            return
        found.fields[one.name] = value
        found.hidden += (joined(one.name, path) for path in reading.hidden)
        for path, opaque in reading.others.items():
            found.others[joined(one.name, path)] = opaque
        return
    if raw is not None:
        secret = is_secret(one)
        if secret:
            found.hidden.append(one.name)
        found.fields[one.name] = Opaque(raw, secret)
