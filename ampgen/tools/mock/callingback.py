"""Calls of the services that a service calls back, with values that are made up."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypeAlias

from ampgen.model import ScalarType
from ampgen.runtime import AmpError, CommandError, RemoteError
from ampgen.runtime.values import Scalar
from ampgen.targets.python import names
from ampgen.tools.hiding import hide_fields, hide_result
from ampgen.tools.jsonvalues import JsonValues

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.model import Command, Service
    from ampgen.runtime import Connection
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.memory import Loaded
    from ampgen.tools.mock.samples import Samples

Turn: TypeAlias = "tuple[int, Service, Command]"
"""The number of the sample, and what is called with it."""

PATIENCE = 10.0  # seconds: whoever is called is busy with a call of its own
_ITEMS = 3
_DESCRIPTOR = ScalarType(Scalar.FD)


class CallingBack:
    """Goes through all commands that services call back, turn by turn.

    ``services`` are those that are served. Commands with descriptors are left out:
    none can be made up.
    """

    def __init__(
        self, loaded: Loaded, services: Sequence[Service], samples: Samples
    ) -> None:
        self._loaded = loaded
        self._services = services
        self._values = JsonValues(loaded)
        self._samples = samples
        self._turns: dict[tuple[int, ...], Iterator[Turn]] = {}

    def next_of(self, service: Service) -> Turn | None:
        """Whom to call from a handler of this service: the number of the sample, the
        service and its command. ``None`` where there is nobody.
        """
        called = {
            id(one): one
            for served in self._services
            if any(base is service for base in served.lineage())
            for one in served.all_calls()
        }
        turns = self._turns.setdefault(tuple(called), _turns(called.values()))
        return next(turns, None)

    async def call(
        self, connection: Connection, number: int, called: Service, command: Command
    ) -> dict[str, Json]:
        """Make one call. What is to be told of it: ``called_back``, then the end."""
        data = self._samples.arguments(command, number)
        told: dict[str, Json] = {"called_back": hide_fields(command.arguments, data)}
        client = self._loaded.python(called.module, names.client_class(called))
        method = getattr(client(connection), names.method_name(command))
        fields = [field for field in command.arguments if not field.stream]
        given: dict[str, Any] = self._values.fields_from_json(
            fields, data, names.argument_name
        )
        for field in command.arguments:
            if field.stream:
                given[names.argument_name(field)] = [
                    self._values.from_json(field.type, self._samples.sent(command, at))
                    for at in range(number, number + _ITEMS)
                ]
        try:
            answer = await self._answer(command, method(**given, timeout=PATIENCE))
        except RemoteError as error:
            told["error"] = self._error(command, error)
        except AmpError as error:
            told["ended"] = str(error)
        else:
            if not command.oneway:
                told["answer"] = answer
        return told

    async def _answer(self, command: Command, call: Any) -> Json:
        """The answer, or the list of the items."""
        result = command.result

        def shown(value: Any) -> Json:
            return hide_result(result, self._values.result_to_json(result, value))

        if result is None or not result.stream:
            return shown(await call)
        async with call as items:
            return [shown(item) async for item in items]

    def _error(self, command: Command, error: RemoteError) -> dict[str, Json]:
        told: dict[str, Json] = {"code": error.code, "description": error.description}
        for declared in command.errors:
            if declared.code == error.code and isinstance(error, CommandError):
                fields = self._values.error_to_json(declared, error)
                told["fields"] = hide_fields(declared.fields, fields)
        return told


def _turns(called: Iterable[Service]) -> Iterator[Turn]:
    commands = [
        (one, command)
        for one in called
        for command in one.all_commands()
        if not _has_descriptors(command)
    ]
    for number in itertools.count() if commands else ():
        for one, command in commands:
            yield number, one, command


def _has_descriptors(command: Command) -> bool:
    results = () if command.result is None else command.result.fields
    return any(field.type == _DESCRIPTOR for field in (*command.arguments, *results))
