"""What the bytes of one type are to a reader of another.

On the wire a value is text (scalars and enums), a list of values (`ListOf`), or boxes:
one (a struct, a union), or several (lists of them, and maps). The reader's shape alone
decides how they are read: text in the place of a list is an empty list, if it is empty.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from ampgen.compat.outcomes import Kind
from ampgen.compat.verdicts import Peers
from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ampgen.model import Field, Type

_Boxed: TypeAlias = "Struct | Union | MapType"

_TEXT = frozenset(Scalar) - {Scalar.BYTES, Scalar.FD}

# Reader -> senders of which it takes every value that lies in its range.
_TAKES: Mapping[Scalar, frozenset[Scalar]] = MappingProxyType(
    {
        Scalar.BYTES: _TEXT,
        Scalar.STR: _TEXT,
        Scalar.PATH: _TEXT,
        Scalar.FLOAT: frozenset((Scalar.INT, Scalar.DECIMAL, Scalar.DURATION)),
        Scalar.DECIMAL: frozenset((Scalar.INT, Scalar.FLOAT, Scalar.DURATION)),
        Scalar.JSON: frozenset((Scalar.INT, Scalar.DURATION)),
        Scalar.DURATION: frozenset((Scalar.INT,)),
    }
)

# What takes the ordinal of a descriptor for a value of its own.
_TAKES_ORDINAL = frozenset(
    (
        Scalar.BYTES,
        Scalar.STR,
        Scalar.PATH,
        Scalar.INT,
        Scalar.FLOAT,
        Scalar.DECIMAL,
        Scalar.JSON,
        Scalar.DURATION,
    )
)

_MAY_BE_EMPTY = frozenset((Scalar.STR, Scalar.BYTES, Scalar.PATH))
_MAY_BE_ONE_BYTE = frozenset(
    (Scalar.INT, Scalar.DECIMAL, Scalar.DURATION, Scalar.JSON, Scalar.FD)
)


@dataclass(frozen=True, slots=True)
class _Boxes:
    sent: _Boxed
    wanted: _Boxed


@dataclass(slots=True)
class Readings:
    """``same``: declarations of both versions, by identity, whose own differences are
    told elsewhere, so that they count as alike here.

    With ``peers`` that may be Twisted's the worse of both readers counts: Twisted takes
    a list that is cut short for one that ends there. Fields of errors it does not read
    at all.

    Two boxes are compared once, and not within the comparison of those that hold them:
    types may be recursive, as deep as they like, and reach one another in many ways.
    """

    peers: Peers
    same: frozenset[tuple[int, int]] = frozenset()
    _kinds: dict[_Boxes, Kind] = field(default_factory=dict["_Boxes", Kind])
    _waiting: deque[_Boxes] = field(default_factory=deque["_Boxes"])
    _askers: dict[_Boxes, set[_Boxes]] = field(
        default_factory=dict["_Boxes", "set[_Boxes]"]
    )
    _asking: _Boxes | None = None

    def read(self, sent: Type, wanted: Type) -> Kind:
        """The worst that any value comes to."""
        kind = self._read(sent, wanted)
        if not self._waiting:
            return kind
        self._settle()
        return self._read(sent, wanted)

    def _settle(self) -> None:
        """Compare what waits, and what asked for it again where it turns out worse."""
        while self._waiting:
            self._asking = boxes = self._waiting.popleft()
            kind = self._compare(boxes.sent, boxes.wanted)
            if kind > self._kinds[boxes]:
                self._kinds[boxes] = kind
                self._waiting += self._askers[boxes]
        self._asking = None

    def _read(self, sent: Type, wanted: Type) -> Kind:
        if self._is_text(sent):
            return self._text(sent, wanted)
        if isinstance(sent, ListType) and _boxed(sent) is None:
            return self._list(sent, wanted)
        boxed = _boxed(sent)
        assert boxed is not None  # noqa: S101 - no other shape is left
        return self._boxes(sent, boxed, wanted)

    @property
    def _is_lenient(self) -> bool:
        return self.peers is Peers.TWISTED

    @staticmethod
    def _is_text(type_: Type) -> bool:
        return isinstance(type_, ScalarType | Enum)

    # --- text -------------------------------------------------------------------------

    def _text(self, sent: Type, wanted: Type) -> Kind:
        if isinstance(sent, Enum) and isinstance(wanted, Enum):
            return self._enum(sent, wanted)
        if isinstance(wanted, ScalarType):
            return _scalar(sent, wanted.scalar)
        if isinstance(wanted, Enum):
            if sent == ScalarType(Scalar.FD):
                return Kind.WRONG if wanted.open else Kind.UNDECODED
            is_text = sent != ScalarType(Scalar.BYTES)
            return Kind.SAFE if wanted.open and is_text else Kind.UNDECODED
        if _takes_text(sent):
            return Kind.WRONG  # it may be none, or what a box is written as
        if isinstance(wanted, Struct | Union):
            return Kind.UNDECODED
        if _may_be(sent, 0):
            return Kind.WRONG
        if self._is_lenient and (_boxed(wanted) is None or _may_be(sent, 1)):
            return Kind.WRONG
        return Kind.UNDECODED

    def _enum(self, sent: Enum, wanted: Enum) -> Kind:
        if self._is_same(sent, wanted):
            return Kind.SAFE
        unknown = {one.value for one in sent.members} - {
            one.value for one in wanted.members
        }
        if wanted.open:
            return Kind.IGNORED if unknown else Kind.SAFE
        return Kind.UNDECODED if unknown or sent.open else Kind.SAFE

    # --- lists ------------------------------------------------------------------------

    def _list(self, sent: ListType, wanted: Type) -> Kind:
        if self._is_text(wanted):
            return _as_text(wanted)
        if isinstance(wanted, ListType) and _boxed(wanted) is None:
            return self._read(sent.item, wanted.item)
        if _takes_text(sent.item):
            return Kind.WRONG  # keys and values by turns, and an empty text: a box
        boxed = _boxed(wanted)
        many = not isinstance(wanted, Struct | Union)
        if self._is_lenient and many:
            return Kind.WRONG  # it ends amid a box, and that one is dropped
        needs_nothing = isinstance(boxed, Struct) and not _required(boxed.fields)
        # A list of one empty item is the same bytes as a box without keys.
        if needs_nothing and _may_be(sent.item, 0):
            return Kind.WRONG
        return Kind.UNDECODED

    # --- boxes ------------------------------------------------------------------------

    def _boxes(self, sent: Type, boxed: _Boxed, wanted: Type) -> Kind:
        if self._is_text(wanted):
            if isinstance(wanted, Enum) and not wanted.open and boxed is sent:
                return Kind.UNDECODED
            return _as_text(wanted)
        other = _boxed(wanted)
        if other is None:
            assert isinstance(wanted, ListType)  # noqa: S101 - no other is left
            return self._as_list(boxed, wanted.item)
        worst = self._box(boxed, other)
        has_one = isinstance(sent, Struct | Union)
        wants_one = isinstance(wanted, Struct | Union)
        return max(worst, Kind.UNDECODED) if wants_one and not has_one else worst

    def _as_list(self, boxed: _Boxed, item: Type) -> Kind:
        """Its items are then keys and values by turns, and an empty one at the end."""
        if _takes_text(item):
            return Kind.WRONG
        is_list = isinstance(item, ListType) and _boxed(item) is None
        if self._is_lenient and is_list:
            return Kind.WRONG
        may_be_empty = isinstance(boxed, Struct) and all(
            one.optional for one in boxed.fields
        )
        return Kind.WRONG if may_be_empty and _takes_nothing(item) else Kind.UNDECODED

    def _box(self, sent: _Boxed, wanted: _Boxed) -> Kind:
        """What is known of it by now, which is safe to begin with."""
        if self._is_same(sent, wanted):
            return Kind.SAFE
        boxes = _Boxes(sent, wanted)
        if boxes not in self._kinds:
            self._kinds[boxes] = Kind.SAFE
            self._askers[boxes] = set()
            self._waiting.append(boxes)
        if self._asking is not None:
            self._askers[boxes].add(self._asking)
        return self._kinds[boxes]

    def _compare(self, sent: _Boxed, wanted: _Boxed) -> Kind:
        if isinstance(sent, MapType) and isinstance(wanted, MapType):
            key = self._read(sent.key, wanted.key)
            return max(key, self._read(sent.value, wanted.value))
        if isinstance(sent, MapType) or isinstance(wanted, MapType):
            return self._map(sent, wanted)
        if isinstance(wanted, Union):
            return self._to_union(sent, wanted)
        return self._to_struct(sent, wanted)

    def _map(self, sent: _Boxed, wanted: _Boxed) -> Kind:
        """A map is boxes of two keys, like those of a struct that has these two."""
        if isinstance(sent, MapType) and isinstance(wanted, Struct):
            pairs = {"key": sent.key, "value": sent.value}
            if {one.key for one in _required(wanted.fields)} - pairs.keys():
                return Kind.UNDECODED
            known = [one for one in wanted.fields if one.key in pairs]
            kinds = [self._read(pairs[one.key], one.type) for one in known]
            return max(kinds, default=Kind.WRONG)
        return Kind.UNDECODED  # a key may come twice, or one be missing

    def _to_union(self, sent: Struct | Union, wanted: Union) -> Kind:
        members = {one.key: one.type for one in wanted.members}
        if isinstance(sent, Union):
            ways, worst = sent.members, Kind.SAFE
        else:  # one with a single field that is there, all others left out
            needed = [one for one in sent.fields if not one.optional]
            ways = tuple(needed or sent.fields)
            is_sure = len(needed) == len(sent.fields) == 1
            worst = Kind.SAFE if is_sure else Kind.UNDECODED
            if len(needed) > 1:
                return worst
        for one in ways:
            known = members.get(one.key)
            kind = Kind.UNDECODED if known is None else self._read(one.type, known)
            worst = max(worst, kind)
        return worst

    def _to_struct(self, sent: Struct | Union, wanted: Struct) -> Kind:
        if isinstance(sent, Union):
            return max(self._fields((one,), wanted) for one in sent.members)
        return self._fields(sent.fields, wanted)

    def _fields(self, sent: Sequence[Field], wanted: Struct) -> Kind:
        there = {one.key: one for one in sent}
        worst = Kind.SAFE
        for one in wanted.fields:
            had = there.get(one.key)
            if had is not None:
                worst = max(worst, self._read(had.type, one.type), presence(had, one))
            elif one.required:
                return Kind.UNDECODED  # whatever else there is
        return worst

    def _is_same(self, one: object, other: object) -> bool:
        return (id(one), id(other)) in self.same


def presence(sent: Field, wanted: Field) -> Kind:
    """What it comes to that a key may be absent. One with a default is always sent."""
    if sent.optional and wanted.required:
        return Kind.UNDECODED
    if sent.optional and wanted.default is not None:
        return Kind.IGNORED
    return Kind.SAFE


def _boxed(type_: Type) -> _Boxed | None:
    """What its boxes hold, if it is made of boxes."""
    match type_:
        case Struct() | Union() | MapType():
            return type_
        case ListType(Struct() | Union() as item):
            return item
        case _:
            return None


def _scalar(sent: Type, wanted: Scalar) -> Kind:
    if isinstance(sent, Enum):
        return Kind.SAFE if _takes_text(ScalarType(wanted)) else Kind.UNDECODED
    assert isinstance(sent, ScalarType)  # noqa: S101 - the other kind of text
    if sent.scalar is wanted or sent.scalar in _TAKES.get(wanted, ()):
        return Kind.SAFE
    if sent.scalar is Scalar.FD and wanted in _TAKES_ORDINAL:
        return Kind.WRONG
    return Kind.UNDECODED


def _may_be(type_: Type, length: int) -> bool:
    """Has it a value of no byte, or of one?"""
    match type_:
        case ScalarType(scalar):
            return scalar in _MAY_BE_EMPTY or (
                length == 1 and scalar in _MAY_BE_ONE_BYTE
            )
        case Enum():
            lengths = {len(one.value.encode()) for one in type_.members}
            return type_.open or length in lengths
        case ListType() | MapType():
            return length == 0
        case _:
            return False


def _takes_text(type_: Type) -> bool:
    """Is any text a value of it?"""
    if isinstance(type_, ScalarType):
        return type_.scalar in (Scalar.STR, Scalar.BYTES, Scalar.PATH)
    return isinstance(type_, Enum) and type_.open


def _takes_nothing(type_: Type) -> bool:
    """Does it decode a value of no byte?"""
    if isinstance(type_, ListType | MapType) or _takes_text(type_):
        return True
    return isinstance(type_, Enum) and _may_be(type_, 0)


def _as_text(wanted: Type) -> Kind:
    """A list or map, of which an empty one is no byte at all."""
    return Kind.WRONG if _takes_nothing(wanted) else Kind.UNDECODED


def _required(fields: Sequence[Field]) -> list[Field]:
    return [one for one in fields if one.required]
