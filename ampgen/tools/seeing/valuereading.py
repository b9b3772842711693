"""One value as JSON, by its type in a schema, with the place of what is wrong in it.

A value does not decode for the same reasons, and at the same paths, as in the code that
is generated for its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import Fault, fault_at, missing, too_deep, unknown_member
from ampgen.runtime.redaction import HIDDEN
from ampgen.runtime.values import SCALARS, Scalar
from ampgen.runtime.wire import MAX_VALUE, get_whole
from ampgen.tools.jsonvalues import key_text, scalar_to_json
from ampgen.tools.seeing.framing import read_spans
from ampgen.tools.seeing.seen import Opaque, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.model import Field, Type
    from ampgen.runtime.jsonvalue import Json


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a value; ``starts``: where in the stream its pieces begin."""

    starts: tuple[int, ...]
    at: int = 0

    def inner(self, more: int) -> Place:
        return Place(self.starts, self.at + more)

    @property
    def offset(self) -> int:
        piece = min(self.at // MAX_VALUE, len(self.starts) - 1)
        return self.starts[piece] + self.at - piece * MAX_VALUE


class WrongValueError(Exception):
    """A fault, and where it is in the stream."""

    def __init__(self, fault: Fault, offset: int) -> None:
        super().__init__(fault, offset)
        self.fault = fault
        self.offset = offset


class ValueReading:
    """One value. ``hidden`` and ``others``: by path, in what has been read."""

    def __init__(self) -> None:
        self.hidden: list[str] = []
        self.others: dict[str, Opaque] = {}

    def value(self, type_: Type, raw: bytes, place: Place, depth: int) -> Json:
        match type_:
            case ScalarType(scalar):
                return _scalar(scalar, raw, place, depth)
            case Enum():
                return _enum(type_, raw, place)
            case ListType(Struct() | Union() as item):
                return self._boxes(item, raw, place, depth)
            case ListType(item):
                return self._list(item, raw, place, depth)
            case MapType(key, value):
                return self._map(key, value, raw, place, depth)
            case Struct() | Union():
                only, end = self._box(type_, raw, 0, place, depth)
                if end != len(raw):
                    rule = f"{len(raw) - end:,} bytes left over after the box"
                    raise WrongValueError(Fault(rule), place.inner(end).offset)
                return only

    def _inside(
        self, path: str, type_: Type, raw: bytes, place: Place, depth: int
    ) -> Json:
        """A value inside this one; ``path`` leads to it."""
        inner = ValueReading()
        try:
            value = inner.value(type_, raw, place, depth)
        except WrongValueError as wrong:
            raise _at(path, wrong) from None
        self._adopt(path, inner)
        return value

    def _field(self, one: Field, raw: bytes, place: Place, depth: int) -> Json:
        """A field of a struct, or a member of a union."""
        inner = ValueReading()
        try:
            value = inner.value(one.type, raw, place, depth)
        except WrongValueError as wrong:
            raise _at(one.key, wrong) from None
        if one.sensitive:
            self.hidden.append(one.name)
            return HIDDEN
        self._adopt(one.name, inner)
        return value

    def _adopt(self, path: str, inner: ValueReading) -> None:
        if not (inner.hidden or inner.others):
            return
        self.hidden += (joined(path, one) for one in inner.hidden)
        for one, opaque in inner.others.items():
            self.others[joined(path, one)] = opaque

    def _list(self, item: Type, raw: bytes, place: Place, depth: int) -> Json:
        _check_depth(depth, place)
        values: list[Json] = []
        at = 0
        while at < len(raw):
            path = f"[{len(values)}]"
            start = at + 2
            end = start + int.from_bytes(raw[at:start], "big")
            if start > len(raw) or end > len(raw):
                fault = Fault("the list is cut short", path)
                raise WrongValueError(fault, place.inner(at).offset)
            one = raw[start:end]
            values.append(self._inside(path, item, one, place.inner(start), depth - 1))
            at = end
        return values

    def _boxes(
        self, item: Struct | Union, raw: bytes, place: Place, depth: int
    ) -> Json:
        _check_depth(depth, place)
        values: list[Json] = []
        at = 0
        while at < len(raw):
            inner = ValueReading()
            path = f"[{len(values)}]"
            try:
                value, at = inner._box(item, raw, at, place, depth - 1)
            except WrongValueError as wrong:
                raise _at(path, wrong) from None
            self._adopt(path, inner)
            values.append(value)
        return values

    def _map(
        self, key: Type, value: Type, raw: bytes, place: Place, depth: int
    ) -> Json:
        _check_depth(depth, place)
        found: dict[str, Json] = {}
        at = 0
        while at < len(raw):
            path = f"[{len(found)}]"
            start = at
            try:
                spans, at = _spans(raw, at, place)
                pair = {name: raw[one:end] for name, (one, end) in spans.items()}
                raw_key = _whole(pair, b"key", place.inner(start))
                raw_value = _whole(pair, b"value", place.inner(start))
                if raw_key is None or raw_value is None:
                    fault = Fault("a pair of a map has a key and a value")
                    raise WrongValueError(fault, place.inner(start).offset)
                inner = place.inner(spans[b"key"][0])
                text = key_text(self.value(key, raw_key, inner, depth - 1))
                if text in found:
                    raise WrongValueError(Fault("a key comes twice"), inner.offset)
            except WrongValueError as wrong:
                raise _at(path, wrong) from None
            inner = place.inner(spans[b"value"][0])
            found[text] = self._inside(path, value, raw_value, inner, depth - 1)
            for name, one in pair.items():
                if name not in (b"key", b"value"):
                    self.others[joined(path, as_text(name))] = Opaque(one)
        return found

    def _box(
        self, type_: Struct | Union, raw: bytes, at: int, place: Place, depth: int
    ) -> tuple[Json, int]:
        _check_depth(depth, place.inner(at))
        start = place.inner(at)
        spans, end = _spans(raw, at, place)
        if isinstance(type_, Union):
            return self._member(type_, raw, spans, at, place, depth), end
        box = {name: raw[begin:stop] for name, (begin, stop) in spans.items()}
        found: dict[str, Json] = {}
        keys = {one.key.encode(): one for one in type_.fields}
        for key, one in keys.items():
            whole = box.get(key) if key + b".2" in keys else _whole(box, key, start)
            if whole is not None:
                inner = place.inner(spans[key][0])
                found[one.name] = self._field(one, whole, inner, depth - 1)
            elif one.required:
                raise WrongValueError(fault_at(one.key, missing()), start.offset)
        for key, other in box.items():
            if key not in keys:
                self.others[as_text(key)] = Opaque(other)
        return found, end

    def _member(
        self,
        union: Union,
        raw: bytes,
        spans: Mapping[bytes, tuple[int, int]],
        at: int,
        place: Place,
        depth: int,
    ) -> Json:
        """The one member of a union, of which the box is at ``at``."""
        if len(spans) != 1:
            rule = f"a union has exactly one key, this one has {len(spans):,}"
            raise WrongValueError(Fault(rule), place.inner(at).offset)
        [(key, (begin, end))] = spans.items()
        for one in union.members:
            if one.key.encode() == key:
                inner = place.inner(begin)
                value = self._field(one, raw[begin:end], inner, depth - 1)
                return {one.name: value}
        known = (one.key for one in union.members)
        raise WrongValueError(unknown_member(*known), place.inner(at).offset)


# --- what has nothing inside ----------------------------------------------------------


def _scalar(scalar: Scalar, raw: bytes, place: Place, depth: int) -> Json:
    row = SCALARS[scalar]
    try:
        value = row.decode(raw, depth) if row.deep else row.decode(raw)
    except Fault as fault:
        raise WrongValueError(fault, place.offset) from None
    return scalar_to_json(scalar, value)


def _enum(enum: Enum, raw: bytes, place: Place) -> Json:
    for member in enum.members:
        if member.value.encode() == raw:
            return member.value
    if enum.open:
        return _scalar(Scalar.STR, raw, place, 1)
    values = ", ".join(member.value for member in enum.members)
    raise WrongValueError(Fault(f"none of {enum.name}'s {values}"), place.offset)


def _check_depth(depth: int, place: Place) -> None:
    if depth < 1:
        raise WrongValueError(too_deep(), place.offset)


def _spans(
    raw: bytes, at: int, place: Place
) -> tuple[dict[bytes, tuple[int, int]], int]:
    try:
        return read_spans(raw, at)
    except Fault as fault:
        raise WrongValueError(fault, place.inner(at).offset) from None


def _whole(box: Mapping[bytes, bytes], key: bytes, place: Place) -> bytes | None:
    try:
        return get_whole(box, key)
    except Fault as fault:
        raise WrongValueError(fault, place.offset) from None


def _at(path: str, wrong: WrongValueError) -> WrongValueError:
    return WrongValueError(fault_at(path, wrong.fault), wrong.offset)


def joined(path: str, inner: str) -> str:
    return f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"
