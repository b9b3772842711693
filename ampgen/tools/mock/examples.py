"""Answers that somebody has written down for the commands of a schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ampgen.runtime.errors import RUNTIME_ERRORS
from ampgen.tools.mock.standin import error_from_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ampgen.model import Command
    from ampgen.runtime import RemoteError
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.jsonvalues import JsonValues
    from ampgen.tools.memory import Loaded


@dataclass(frozen=True, slots=True)
class Raised:
    """An error of the schema by its place in ``raises``, or one of the runtime's.

    ``number`` is ``None`` for the runtime's. ``fields`` are those that the schema
    declares, as JSON.
    """

    code: str
    description: str
    number: int | None = None
    fields: Json = field(default_factory=dict[str, "Json"])

    def made(self, loaded: Loaded, values: JsonValues, command: Command) -> RemoteError:
        """The exception itself. ``Fault`` for fields that it does not have."""
        if self.number is None:
            return RUNTIME_ERRORS[self.code.encode()](self.description)
        error = command.errors[self.number]
        return error_from_json(loaded, values, error, self.description, self.fields)


@dataclass(frozen=True, slots=True)
class Example:
    """``arguments`` are values by name; ``items`` come before ``error``, if there is
    one.
    """

    arguments: Mapping[str, Any]
    result: Json = None
    items: tuple[Json, ...] = ()
    error: Raised | None = None

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Are these those that the example is for? Others may be there, too."""
        return all(arguments[name] == one for name, one in self.arguments.items())


class Examples:
    """Those of each command, by its identity, in the order in which they are tried."""

    def __init__(self, found: Mapping[int, Sequence[Example]]) -> None:
        self._found = found

    def find(self, command: Command, arguments: Mapping[str, Any]) -> Example | None:
        """``arguments`` by their names in the schema, ``None`` for what is absent."""
        examples = self._found.get(id(command), ())
        return next((one for one in examples if one.fits(arguments)), None)


NO_EXAMPLES = Examples({})
