"""What comes of a call in the place of a server: what is written down, or made up.

The same call has the same outcome for as long as the seed is the same. Which calls fail
where some are to fail depends on how many there were of the command, so that one that
is made again may succeed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen.model import Enum, ScalarType, Struct
from ampgen.runtime import Overloaded
from ampgen.tools.jsonvalues import dumps
from ampgen.tools.mock.chance import Chance
from ampgen.tools.mock.examples import Raised
from ampgen.tools.mock.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ampgen.model import Command, Field
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.mock.examples import Examples
    from ampgen.tools.mock.standin import Asked

_ITEMS = 3  # of a stream, at least
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, or items; then the error, if there is one.

    ``paired``: one of the items is for each that the caller sends, and there are enough
    of them.
    """

    result: Json = None
    items: Iterable[Json] = ()
    error: Raised | None = None
    paired: bool = False


class Outcomes:
    """``errors`` is the part of the calls that fail, from 0 to 1."""

    def __init__(self, seed: str | int, errors: float, examples: Examples) -> None:
        self._samples = Samples(seed)
        self._chance = Chance("outcomes", seed)
        self._errors = errors
        self._examples = examples
        self._calls: Counter[str] = Counter()

    def of(self, asked: Asked, given: Mapping[str, Json]) -> Outcome:
        """``given``: the arguments as JSON, but for those that JSON cannot have."""
        command = asked.command
        self._calls[asked.name] += 1
        example = self._examples.find(command, asked.arguments)
        if example is not None:
            return Outcome(example.result, example.items, example.error)
        number = self._chance.at(asked.name, dumps(dict(given))).below(2**64)
        error = self._error(asked, number)
        if command.result is None or not command.result.stream:
            return Outcome(self._made(command, number, given), error=error)
        items = (self._made(command, number + at, given) for at in itertools.count())
        if asked.items is not None:
            return Outcome(items=items, error=error, paired=True)
        count = number % _ITEMS + (_ITEMS if error is None else 0)
        return Outcome(items=itertools.islice(items, count), error=error)

    def _error(self, asked: Asked, number: int) -> Raised | None:
        command = asked.command
        chance = self._chance.at(asked.name, "error", self._calls[asked.name])
        if command.oneway or chance.below(_MILLION) >= self._errors * _MILLION:
            return None
        if not command.errors:
            return Raised(Overloaded.code, "so it is with some calls: --errors")
        at = chance.below(len(command.errors))
        error = command.errors[at]
        text = self._samples.description(error, number)
        return Raised(error.code, text, at, self._samples.error(error, number))

    def _made(self, command: Command, number: int, given: Mapping[str, Json]) -> Json:
        """A sample, in which what was asked for by name is what was asked for."""
        made = self._samples.result(command, number)
        if command.result is None or not isinstance(made, dict):
            return made
        fields = command.result.fields
        if command.result.bare:
            inner = fields[0].type
            fields = inner.fields if isinstance(inner, Struct) else ()
        arguments = {field.name: field for field in command.arguments}
        for field in fields:
            if field.name in given and _is_the_same(arguments[field.name], field):
                made[field.name] = given[field.name]
        return made


def _is_the_same(asked: Field, field: Field) -> bool:
    plain = isinstance(field.type, (ScalarType, Enum)) and asked.type == field.type
    return plain and field.sensitive >= asked.sensitive and field.large >= asked.large
