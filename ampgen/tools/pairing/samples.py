"""Values that show where two versions of a schema differ: few, and always the same.

Of a scalar, the texts that some other type reads and some does not; of an enum, every
member, and a value that none is; of a union, every member; of a list and a map, none,
one and all; of a struct, all of it, what must be there alone, and then each value of
each field while the others stay as they are: first of those that the reader has in
another way, which also come alone, as there is not room for all. A `large` value comes
in both sizes. Where the reader has a type that is written in another way, there are
values, too, whose bytes are good ones of that type.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import FAULTS
from ampgen.runtime.values import Scalar
from ampgen.targets.python import names
from ampgen.tools.pairing.alike import is_alike
from ampgen.tools.pairing.asread import Unreadable, read
from ampgen.tools.pairing.bytesof import Values, bytes_of
from ampgen.tools.pairing.meaning import Meaning, meaning

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from ampgen.model import Field, Type
    from ampgen.tools.memory import Loaded

Given: TypeAlias = "dict[str, Any]"
"""What is given for fields, by their names in the schema; the others are left out."""

# No number that a float would round: that int and float read one another holds for
# those that both can say.
SCALARS: Mapping[Scalar, Sequence[Any]] = MappingProxyType(
    {
        Scalar.BOOL: (True, False),
        Scalar.INT: (7, 0, -1, 2**40),
        Scalar.FLOAT: (0.5, -1.0, 1e-7, float("inf"), float("nan")),
        Scalar.STR: ("a", "", "5", "-0.5", "é", "True", "null", "2026-01-31"),
        Scalar.BYTES: (b"a", b"", b"5", b"\xff\xfe", b"\x00\x00"),
        Scalar.DECIMAL: tuple(map(Decimal, ("1.50", "7", "-1E+3", "Infinity", "NaN"))),
        Scalar.DATETIME: (datetime(2026, 1, 31, 23, 59, 58, 1, tzinfo=UTC),),
        Scalar.DATE: (date(2026, 1, 31),),
        Scalar.DURATION: (
            timedelta(seconds=90),
            timedelta(milliseconds=-1500),
            timedelta(0),
        ),
        Scalar.UUID: (UUID(int=7),),
        Scalar.JSON: ({"a": [1, None]}, "a", 5, 0.5, True, None, [], ""),
        Scalar.PATH: (Path("a/b.txt"), Path("5")),
    }
)
_NOT_DECLARED = "not-declared"  # what a newer peer may send for an open enum
_LONG = 70_000  # bytes: over AMP's limit of one value
_ROOM = 2_000  # bytes, for all values of a type together
_DEPTH = 5  # structs in one another: a recursive one has no end
_MISTAKEN = 8  # values that read as another type's
_MOST = 48  # values of one type: of those of all its parts, the first of each


class Samples:
    """Of the types of one loaded schema.

    Of an open enum there is a value that it does not declare, but of those in
    ``closed``, which nobody takes for open yet. ``reader``: those of the version that
    reads them.
    """

    def __init__(
        self,
        loaded: Loaded,
        closed: Container[Enum] = (),
        reader: Samples | None = None,
    ) -> None:
        self._loaded = loaded
        self._closed = closed
        self._values = Values(loaded, closed)
        self._reader = reader
        self._made: dict[tuple[Type, int, Type | None], tuple[Any, ...]] = {}

    def of(
        self, type_: Type, depth: int = _DEPTH, read_as: Type | None = None
    ) -> list[Any]:
        """Empty for a descriptor alone: it would be one of this process.

        Below ``depth`` there is nothing but what must be there. ``read_as``: the type
        that the reader has there, if that is known.
        """
        key = type_, depth, read_as
        if key not in self._made:
            self._made[key] = tuple(self._of(type_, depth, read_as))
        return list(self._made[key])

    def _of(self, type_: Type, depth: int, read_as: Type | None) -> list[Any]:
        found = self._plain(type_, depth, read_as)
        if read_as is None:
            return found
        if found and _form(type_) != _form(read_as):
            found[1:1] = self._mistaken(type_, read_as)
        if type_ != read_as and _form(type_) == "text":
            # else no other value of the box would show anything
            found.sort(key=lambda one: not _is_read(meaning(type_, one), read_as))
        return found

    def _plain(self, type_: Type, depth: int, read_as: Type | None) -> list[Any]:
        match type_:
            case ScalarType(scalar):
                return list(SCALARS.get(scalar, ()))
            case Enum():
                return self._enum(type_)
            case ListType(item):
                inner = read_as.item if isinstance(read_as, ListType) else read_as
                items = self.of(item, depth, inner) if depth > 0 else []
                several = _together(item, items)
                every = [several] if len(several) > 1 else []
                return [*_alone(items[:1]), [], *_alone(items[1:]), *every]
            case MapType():
                return self._map(type_, depth, read_as)
            case Struct():
                made = self._loaded.python(type_.module, names.type_name(type_))
                other = read_as.item if isinstance(read_as, ListType) else read_as
                fields = other.fields if isinstance(other, Struct) else ()
                return [
                    made(**self.named(type_.fields, given, names.field_name))
                    for given in self.given(type_.fields, depth - 1, fields)
                ]
            case Union():
                return self._union(type_, depth, read_as)

    def given(
        self,
        fields: Sequence[Field],
        depth: int = _DEPTH,
        read_as: Sequence[Field] = (),
    ) -> list[Given]:
        """For the fields of a struct, an argument list, a result or an error.

        ``read_as`` are the reader's. Empty where a field that must be there has no
        value.
        """
        if depth < 0:
            fields = [field for field in fields if field.required]
        read = {field.key: field.type for field in read_as}
        values = {
            field.name: self._of_field(field, depth, read.get(field.key))
            for field in fields
        }
        if any(not values[field.name] for field in fields if field.required):
            return []
        full = {name: found[0] for name, found in values.items() if found}
        bare = {field.name: full[field.name] for field in fields if field.required}
        changed = {
            field.name
            for field in fields
            if field.key in read and not is_alike(field.type, read[field.key])
        }
        shown, others = (
            [
                [{**full, name: value} for value in found[1:]]
                for name, found in values.items()
                if (name in changed) is is_changed
            ]
            for is_changed in (True, False)
        )
        # none of these hides what another one does
        alone = [
            {**bare, name: full[name]} for name in full if name in changed - bare.keys()
        ]
        # the first of every field before the second of any
        return _some(
            *([full], [bare] if bare != full else []),
            *(_in_turns(shown), [one for one in alone if one != full]),
            _in_turns(others),
        )

    @staticmethod
    def named(fields: Iterable[Field], given: Given, name: Any) -> dict[str, Any]:
        """The same by the names in Python, for a call."""
        return {name(one): given[one.name] for one in fields if one.name in given}

    def _of_field(self, field: Field, depth: int, read_as: Type | None) -> list[Any]:
        found = self.of(field.type, depth, read_as)
        if field.optional:  # JSON has a null, which is as if it were left out
            found = [one for one in found if one is not None]
        if field.large:
            found[1:1] = _long(field.type, found)
        return found

    def _mistaken(self, type_: Type, read_as: Type) -> list[Any]:
        """Values that are written as some of the reader's own."""
        found: list[Any] = []
        if self._reader is not None:
            for theirs in self._reader.of(read_as):
                raw = bytes_of(meaning(read_as, theirs))
                if raw:  # what is empty is among the others
                    with suppress(*FAULTS):
                        found.append(self._values.of(type_, raw))
        return found[:_MISTAKEN]

    def _enum(self, enum: Enum) -> list[Any]:
        members: list[Any] = list(
            self._loaded.python(enum.module, names.type_name(enum))
        )
        if enum.open and enum not in self._closed:
            members.append(_NOT_DECLARED)
        return members

    def _map(self, type_: MapType, depth: int, read_as: Type | None) -> list[Any]:
        read_key = read_as.key if isinstance(read_as, MapType) else None
        read_value = read_as.value if isinstance(read_as, MapType) else None
        keys = self.of(type_.key, depth, read_key)
        values = self.of(type_.value, depth, read_value) if depth > 0 else []
        if not values:
            return [{}]
        each = [{keys[0]: one} for one in values]
        others = [{one: values[0]} for one in keys[1:]]
        used = itertools.cycle(_together(type_.value, values))
        several = [dict(zip(keys, used, strict=False))] if len(keys) > 1 else []
        return _some(each[:1], [{}], _in_turns([each[1:], others]), several)

    def _union(self, union: Union, depth: int, read_as: Type | None) -> list[Any]:
        other = read_as.item if isinstance(read_as, ListType) else read_as
        fields = other.members if isinstance(other, Union) else ()
        read = {field.key: field.type for field in fields}
        by_member = (
            [
                self._loaded.python(union.module, names.member_class(union, member))(
                    one
                )
                for one in self.of(member.type, depth - 1, read.get(member.key))
            ]
            for member in (union.members if depth > 0 else union.members[:1])
        )
        return _some(_in_turns(by_member))


def _is_read(value: Meaning, read_as: Type) -> bool:
    try:
        read(read_as, bytes_of(value))
    except Unreadable:
        return False
    return True


def _form(type_: Type) -> str:
    """How it is written: in three ways, which do not understand one another."""
    match type_:
        case ScalarType() | Enum():
            return "text"
        case ListType(ScalarType() | Enum() | ListType() | MapType()):
            return "items"
        case _:
            return "boxes"


def _together(type_: Type, values: Sequence[Any]) -> list[Any]:
    """As many as have room in a value that may be inside of others."""
    found: list[Any] = []
    size = 0
    for one in values:
        size += len(bytes_of(meaning(type_, one))) + 2
        if size > _ROOM and found:
            break
        found.append(one)
    return found


def _alone(items: Iterable[Any]) -> Iterator[list[Any]]:
    return ([one] for one in items)


def _in_turns(rows: Iterable[Iterable[Any]]) -> Iterator[Any]:
    """The first of each row, then the second of each, until all are through."""
    nothing = object()
    for column in itertools.zip_longest(*rows, fillvalue=nothing):
        yield from (one for one in column if one is not nothing)


def _some(*parts: Iterable[Any]) -> list[Any]:
    return list(itertools.islice(itertools.chain(*parts), _MOST))


def _long(type_: Type, short: list[Any]) -> list[Any]:
    """A value over 64 KiB, where one can be made of those that are not."""
    match type_:
        case ScalarType(Scalar.STR | Scalar.JSON):
            return ["x" * _LONG]
        case ScalarType(Scalar.BYTES):
            return [b"x" * _LONG]
        case ListType() if short and short[0]:
            size = len(bytes_of(meaning(type_, short[0])))
            return [short[0] * (_LONG // size + 1)]
        case MapType(ScalarType(Scalar.INT | Scalar.STR as key), _) if short[0]:
            [value] = short[0].values()
            size = len(bytes_of(meaning(type_, short[0])))
            numbers = range(_LONG // size + 1)
            keys = numbers if key is Scalar.INT else map(str, numbers)
            return [dict.fromkeys(keys, value)]
        case _:
            return []
