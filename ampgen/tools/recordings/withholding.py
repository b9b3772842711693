"""What may be kept of a box: all but what is secret, or may be.

By a schema, a value that is ``@sensitive`` gives way to a stand-in of the same type, at
every depth, so that what is kept still decodes. Of what no schema knows, a key or a
whole command, nobody can say whether it is secret: there is the length alone, and so of
the metadata of an application, and of a value whose parts cannot be told. Inside a
struct, such keys are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import Fault, Incomplete, fault_at, too_deep
from ampgen.runtime.large import LargeBox, get_large
from ampgen.runtime.redaction import HIDDEN
from ampgen.runtime.values import Scalar
from ampgen.runtime.wire import SIZE, Limits, large_key, read_box, write_box
from ampgen.tools.seeing.seen import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ampgen.model import Field, Type
    from ampgen.tools.seeing.seen import SeenBox


@dataclass(frozen=True, slots=True)
class StandIn:
    """In the place of a value that is secret, or has something secret in it.

    ``paths``: where in it, empty if that is all of it.
    """

    raw: bytes
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Length:
    """Of a value that is not kept."""

    size: int


Kept: TypeAlias = bytes | StandIn | Length


def as_bytes(value: Kept) -> bytes:
    """The value, or what stands in; of a length, so many zeros."""
    match value:
        case Length(size):
            return bytes(size)
        case StandIn(raw):
            return raw
        case _:
            return value


_OPEN = frozenset(
    b"_command _ask _answer _error _error_code _timeout _peer _stream _credit"
    b" _meta.traceparent _meta.tracestate".split()
)
"""Keys of AMP, of the runtime and of traces: they hold no value of an application."""

_BUILT_IN = (b"id", b"schemas", b"services")  # of `_cancel`, of `_schema`

_DEPTH = Limits().depth


def kept(seen: SeenBox) -> dict[bytes, Kept]:
    """Of each key of the box, in its order, what may be kept."""
    box = seen.box
    keys = {one.key.encode(): one for one in seen.declared}
    large = [key for key, one in keys.items() if one.large]
    found: dict[bytes, Kept] = {}
    for key, raw in box.items():
        owner = large_key(key, large) or key
        if key in _OPEN or (key == b"_error_description" and seen.known):
            found[key] = raw
        elif key.startswith(b"_"):
            found[key] = Length(len(raw))
        elif owner in keys and owner == key:
            found.update(_field(keys[key], key, box, keys))
        elif owner not in keys:
            known = _is_of_the_runtime(seen, key)
            found[key] = raw if known else Length(len(raw))
        elif owner not in box:  # a piece of a value whose first piece is missing
            found[key] = Length(len(raw))
    return found


def _is_of_the_runtime(seen: SeenBox, key: bytes) -> bool:
    """An argument or a result of a command that AMP or the runtime has itself."""
    if not seen.known or seen.model is not None or not large_key(key, _BUILT_IN):
        return False
    return key.decode() not in seen.others


def _field(
    one: Field, key: bytes, box: Mapping[bytes, bytes], keys: Mapping[bytes, Field]
) -> dict[bytes, Kept]:
    """Of a field, and of its pieces if it is large."""
    pieces = {key: box[key]}
    if one.large:
        pieces |= {
            other: raw
            for other, raw in box.items()
            if other not in keys and large_key(other, (key,)) == key
        }
    if one.sensitive:
        return {key: StandIn(stand_in(one.type))}
    try:
        raw = box[key]
        if one.large:
            raw = get_large(box, key, *(k for k in keys if k != key)) or b""
        value, paths = _value(one.type, raw, _DEPTH)
    except Fault:  # nobody can say what is in there
        return {name: Length(len(raw)) for name, raw in pieces.items()}
    if not paths:
        return dict(pieces)
    split = LargeBox()
    split.put_large(key, value)
    again, _end = read_box(split.write(b""), 0)
    return {name: StandIn(raw, tuple(paths)) for name, raw in again.items()}


# --- inside of values -----------------------------------------------------------------


def _value(type_: Type, raw: bytes, depth: int) -> tuple[bytes, list[str]]:
    """The value without what is secret, and where that was. ``Fault``"""
    if depth < 1:
        raise too_deep()
    match type_:
        case ScalarType() | Enum():
            return raw, []
        case ListType(Struct() | Union() as item):
            return _boxes(item, raw, depth)
        case ListType(item):
            return _list(item, raw, depth)
        case MapType():
            return _map(type_, raw, depth)
        case Struct() | Union():
            value, paths, end = _box(type_, raw, 0, depth)
            if end != len(raw):
                raise Fault("bytes left over")
            return value, paths


def _boxes(item: Struct | Union, raw: bytes, depth: int) -> tuple[bytes, list[str]]:
    made: list[bytes] = []
    found: list[str] = []
    at = 0
    while at < len(raw):
        value, paths, at = _box(item, raw, at, depth - 1)
        found += _below(f"[{len(made)}]", paths)
        made.append(value)
    return b"".join(made) if found else raw, found


def _list(item: Type, raw: bytes, depth: int) -> tuple[bytes, list[str]]:
    made: list[bytes] = []
    found: list[str] = []
    at = 0
    while at < len(raw):
        start = at + 2
        at = start + int.from_bytes(raw[at:start], "big")
        if at > len(raw):
            raise Incomplete
        value, paths = _value(item, raw[start:at], depth - 1)
        found += _below(f"[{len(made) // 2}]", paths)
        made += (SIZE[len(value)], value)
    return b"".join(made) if found else raw, found


def _map(type_: MapType, raw: bytes, depth: int) -> tuple[bytes, list[str]]:
    made: list[bytes] = []
    found: list[str] = []
    at = 0
    while at < len(raw):
        pair, at = read_box(raw, at)
        place = f"[{len(made)}]"
        if not {b"key", b"value"} <= pair.keys():
            raise Fault("a pair of a map has a key and a value", place)
        found += _below(place, _undeclared(pair, (b"key", b"value")))
        value, paths = _value(type_.value, pair[b"value"], depth - 1)
        found += _below(place, paths)
        made.append(write_box({b"key": pair[b"key"], b"value": value}))
    return b"".join(made) if found else raw, found


def _box(
    type_: Struct | Union, raw: bytes, at: int, depth: int
) -> tuple[bytes, list[str], int]:
    """The box at ``at``: it without what is secret, where that was, where it ends."""
    box, end = read_box(raw, at)
    fields = type_.fields if isinstance(type_, Struct) else type_.members
    keys = {one.key.encode(): one for one in fields}
    found = _undeclared(box, keys)
    if isinstance(type_, Union) and (found or len(box) != 1):
        raise Fault("a union has exactly one key, a known one")
    made: dict[bytes, bytes] = {}
    for key, one in keys.items():
        if key not in box:
            continue
        if one.sensitive:
            made[key] = stand_in(one.type)
            found.append(one.name)
            continue
        try:
            made[key], paths = _value(one.type, box[key], depth - 1)
        except Fault as fault:
            raise fault_at(one.key, fault) from None
        found += _below(one.name, paths)
    return write_box(made) if found else raw[at:end], found, end


def _undeclared(box: Mapping[bytes, bytes], keys: Iterable[bytes]) -> list[str]:
    others = box.keys() - set(keys)
    return sorted(map(as_text, others))


def _below(place: str, paths: Iterable[str]) -> list[str]:
    return [
        f"{place}{path}" if path.startswith("[") else f"{place}.{path}"
        for path in paths
    ]


# --- what stands in -------------------------------------------------------------------

_STAND_INS = {
    Scalar.BOOL: b"False",
    Scalar.INT: b"0",
    Scalar.FLOAT: b"0.0",
    Scalar.STR: HIDDEN.encode(),
    Scalar.BYTES: HIDDEN.encode(),
    Scalar.DECIMAL: b"0",
    Scalar.DATETIME: b"1970-01-01T00:00:00.000000-00:00",
    Scalar.DATE: b"1970-01-01",
    Scalar.DURATION: b"0",
    Scalar.UUID: b"00000000-0000-0000-0000-000000000000",
    Scalar.JSON: f'"{HIDDEN}"'.encode(),
    Scalar.PATH: HIDDEN.encode(),
    Scalar.FD: b"0",
}


def stand_in(type_: Type) -> bytes:
    """A value of the type that says nothing: the same one each time."""
    match type_:
        case ScalarType(scalar):
            return _STAND_INS[scalar]
        case Enum(members=members):
            return members[0].value.encode()
        case ListType() | MapType():
            return b""
        case Struct(fields=fields):
            needed = (one for one in fields if one.required)
            return write_box({one.key.encode(): stand_in(one.type) for one in needed})
        case Union(members=members):
            first = members[0]
            return write_box({first.key.encode(): stand_in(first.type)})
