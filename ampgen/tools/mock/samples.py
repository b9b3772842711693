"""Plausible values of a schema's types, as JSON: see ``jsonvalues`` for how.

A value depends on the seed, on a number and on its own place: on the names of the
fields that lead to it. So the same is made on every machine and by every Python, a
field that a schema gets leaves the others as they were, and what two versions of a
schema have in common is equal in the samples of both.

The numbers count samples. From one to the next, what has few values goes through them
all: the members of an enum or a union, the lengths of a list, whether an optional is
there. Samples fit the wire: lists are short, recursion ends, and text is long in a
``large`` field alone.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.values import Scalar
from ampgen.tools.mock import plausible, vocabulary
from ampgen.tools.mock.chance import Chance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.model import Command, Error, Field, Type
    from ampgen.runtime.jsonvalue import Json

_DEEPEST = 6  # structs, lists and the like in one another; then only what must be
_AGAIN = 3  # times that a type is in itself; the last one has only what must be
_MOST = 400  # values in one sample; then only what must be
_LENGTHS = (2, 1, 3, 0)
_ABSENT = 4  # one in so many is
_LONG = (600, 70_000, 2_500, 150_000)  # of text that may be: some in several pieces


class Samples:
    """All that come of one seed."""

    def __init__(self, seed: str | int = 0) -> None:
        self._chance = Chance("ampgen", seed)

    def arguments(self, command: Command, number: int = 0) -> dict[str, Json]:
        """Those of the request: no items of a stream, no descriptors."""
        fields = [field for field in command.arguments if not field.stream]
        place = self._chance.at(command.name, "arguments")
        return _Sample(number).fields(fields, place, number, command.name)

    def sent(self, command: Command, number: int = 0) -> Json:
        """An item of the command's stream argument; the number is the item's."""
        [field] = [field for field in command.arguments if field.stream]
        return self._alone(field, self._chance.at(command.name, "sent"), number)

    def result(self, command: Command, number: int = 0) -> Json:
        """What it answers, or an item of its stream; ``None`` where that is nothing."""
        result = command.result
        if result is None:
            return None
        place = self._chance.at(command.name, "result")
        if not result.bare:
            return _Sample(number).fields(result.fields, place, number, command.name)
        [field] = result.fields
        if field.name in ("result", "item"):  # says nothing: the command may
            return self._alone(field, place, number, command.name)
        return self._alone(field, place, number)

    def error(self, error: Error, number: int = 0) -> dict[str, Json]:
        """The fields of an error."""
        place = self._chance.at(error.name)
        return _Sample(number).fields(error.fields, place, number, error.name)

    def description(self, error: Error, number: int = 0) -> str:
        """What an error may say of itself."""
        words = " ".join(plausible.words_of(error.name))
        return f"{words}: {plausible.text(self._chance.at(error.name, number), [], [])}"

    def _alone(
        self, field: Field, place: Chance, number: int, name: str | None = None
    ) -> Json:
        sample = _Sample(number)
        return sample.fields((field,), place, number, "", name).get(field.name)


class _Sample:
    """One sample in the making."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._left = _MOST
        self._inside: list[Type] = []

    def fields(
        self,
        fields: Sequence[Field],
        place: Chance,
        number: int,
        about: str,
        name: str | None = None,
    ) -> dict[str, Json]:
        """An object; what may be left out sometimes is. ``name``: for that of all."""
        found: dict[str, Json] = {}
        for field in fields:
            if field.type == ScalarType(Scalar.FD):
                continue
            here, at = place.at(field.name), number
            if not field.required:
                turn = (here.below(_ABSENT) + number) % _ABSENT
                if turn == 0 or self._is_over():
                    continue
                at = number // _ABSENT * (_ABSENT - 1) + turn - 1
            called = field.name if name is None else name
            if field.large and field.type in _TEXTS:
                found[field.name] = _long(field.type, here, at)
            else:
                found[field.name] = self.value(field.type, here, at, called, about)
        return found

    def value(
        self, type_: Type, place: Chance, number: int, name: str, about: str = ""
    ) -> Json:
        self._left -= 1
        if isinstance(type_, ScalarType):
            return plausible.scalar(type_.scalar, place.at(number), name, about)
        if isinstance(type_, Enum):
            at = place.below(len(type_.members)) + number
            return type_.members[at % len(type_.members)].value
        self._inside.append(type_)
        try:
            return self._composite(type_, place, number, name)
        finally:
            self._inside.pop()

    def _composite(
        self,
        type_: ListType | MapType | Struct | Union,
        place: Chance,
        number: int,
        name: str,
    ) -> Json:
        match type_:
            case ListType(item):
                length, rest = self._length(place, number)
                return [
                    self.value(item, place.at(at), rest, name) for at in range(length)
                ]
            case MapType(key, value):
                length, rest = self._length(place, number)
                keys = _keys(key, place, number, length)
                inner: dict[str, Json] = {}
                for at, one in enumerate(keys):
                    inner[one] = self.value(value, place.at(at), rest, name)
                return inner
            case Struct():
                return self.fields(type_.fields, place, number, type_.name)
            case Union():
                members = type_.members
                count = len(members)
                member = members[(place.below(count) + number) % count]
                if self._is_over():
                    member = min(members, key=lambda one: _height(one.type))
                here = place.at(member.name)
                made = self.value(member.type, here, number // count, member.name)
                return {member.name: made}

    def _length(self, place: Chance, number: int) -> tuple[int, int]:
        """Of a list or map, and the number for what is in it."""
        if self._is_over():
            return 0, number
        count = len(_LENGTHS)
        return _LENGTHS[(place.below(count) + number) % count], number // count

    def _is_over(self) -> bool:
        inside = self._inside
        again = sum(one is inside[-1] for one in inside)
        return len(inside) > _DEEPEST or again >= _AGAIN or self._left <= 0


_TEXTS: tuple[Type, ...] = tuple(
    ScalarType(scalar) for scalar in (Scalar.STR, Scalar.BYTES, Scalar.JSON)
)


def _long(type_: Type, place: Chance, number: int) -> Json:
    length = _LONG[(place.below(len(_LONG)) + number) % len(_LONG)]
    text = plausible.long_text(place.at(number), length)
    if type_ == ScalarType(Scalar.BYTES):
        return base64.b64encode(text.encode()).decode()
    return text if type_ == ScalarType(Scalar.STR) else {"text": text}


def _keys(key: Type, place: Chance, number: int, count: int) -> list[str]:
    """Keys of a map, all different: as many, or as there are."""
    here = place.at("keys", number)
    match key:
        case Enum(members=members):
            start = place.below(len(members)) + number
            chosen = range(start, start + min(count, len(members)))
            return [members[at % len(members)].value for at in chosen]
        case ScalarType(Scalar.INT):
            start = here.between(1, 100)
            return [str(at) for at in range(start, start + count)]
        case ScalarType(Scalar.UUID):
            made = (plausible.scalar(Scalar.UUID, here, "") for _ in range(count))
            return [str(one) for one in made]
        case _:
            nouns = vocabulary.NOUNS
            start = here.below(len(nouns))
            return [nouns[at % len(nouns)] for at in range(start, start + count)]


def _height(type_: Type) -> int:
    """How many structs and unions at least are in one another: there is no circle."""
    match type_:
        case Struct():
            needed = (field.type for field in type_.fields if field.required)
            return 1 + max(map(_height, needed), default=0)
        case Union():
            return 1 + min(_height(member.type) for member in type_.members)
        case _:
            return 0
