"""Services that nobody has written: one function answers all commands of a schema."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ampgen.model import ScalarType
from ampgen.runtime import Handover
from ampgen.runtime.services import Server
from ampgen.runtime.values import Scalar
from ampgen.targets.python import names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from ampgen.model import Command, Error, Service
    from ampgen.runtime import RemoteError, Stream
    from ampgen.runtime.command import AnyCommand
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.jsonvalues import JsonValues
    from ampgen.tools.memory import Loaded


_DESCRIPTOR = ScalarType(Scalar.FD)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that has come in.

    ``service`` is the one that declares the command. ``arguments`` are by their names
    in the schema, ``None`` for those that are absent. ``items``: what the caller sends,
    if the command takes a stream.
    """

    service: Service
    command: Command
    arguments: Mapping[str, Any]
    items: Stream[Any] | None = None

    @property
    def name(self) -> str:
        return f"{self.service.name}.{self.command.name}"


Answer: TypeAlias = "Callable[[Asked], Awaitable[Any]]"
"""Gives the result as a handler does, or raises; of a stream an async iterable."""


def stand_ins(
    loaded: Loaded, services: Iterable[Service], answer: Answer
) -> list[Server]:
    """What to ``serve`` in the place of these services, and of those that they extend.

    Each is an object of its own, so that reflection tells of it; ``serve`` refuses two
    that would answer one name: see :func:`clash`.
    """
    return [
        _stand_in(loaded, service, answer)
        for service in with_bases(services)
        if service.commands
    ]


def with_bases(services: Iterable[Service]) -> list[Service]:
    """These services and all that they extend, each once."""
    found = {
        id(one): one for service in list(services) for one in list(service.lineage())
    }
    return list(found.values())


def clash(services: Iterable[Service]) -> tuple[Command, Command] | None:
    """Two commands that one server cannot have both, for their names on the wire."""
    known: dict[str, Command] = {}
    for service in with_bases(services):
        for command in service.commands:
            if known.setdefault(command.wire, command) is not command:
                return known[command.wire], command
    return None


def runtime_commands(
    loaded: Loaded, service: Service
) -> Iterator[tuple[Command, AnyCommand]]:
    """A service's own commands, each with what the generated code has of it."""
    made: Any = loaded.python(service.module, names.server_class(service))
    own: tuple[tuple[AnyCommand, str], ...] = made.__dict__["__ampgen_commands__"]
    by_wire = {command.wire.decode(): command for command, _method in own}
    for command in service.commands:
        yield command, by_wire[command.wire]


def _stand_in(loaded: Loaded, service: Service, answer: Answer) -> Server:
    generated = loaded.python(service.module, names.server_class(service))
    methods: dict[str, Any] = {}
    commands: list[tuple[AnyCommand, str]] = []
    for number, (command, made) in enumerate(runtime_commands(loaded, service)):
        method = f"answer{number}"
        methods[method] = _method(service, command, answer)
        commands.append((made, method))
    members = {
        **methods,
        "__ampgen_commands__": tuple(commands),
        "__ampgen_service__": generated.__ampgen_service__,
    }
    made_class: type[Server] = type(f"{service.name}StandIn", (Server,), members)
    return made_class()


def _method(service: Service, command: Command, answer: Answer) -> Any:
    fields = command.arguments

    def method(_self: Server, *given: Any) -> Awaitable[Any]:
        arguments = dict(zip((field.name for field in fields), given, strict=True))
        streams = [field.name for field in fields if field.stream]
        items = arguments.pop(streams[0]) if streams else None
        return answer(Asked(service, command, arguments, items))

    return method


# --- what it gives --------------------------------------------------------------------


def result_from_json(
    loaded: Loaded, values: JsonValues, command: Command, data: Json
) -> Any:
    """What a handler returns, or yields, as the schema has its type. ``Fault``

    JSON has no descriptors: where the schema has one, it is of a file without content.
    """
    result = command.result
    if result is None:
        return None
    if result.bare:
        [field] = result.fields
        if field.type == _DESCRIPTOR:
            return _empty()
        absent = data is None and field.optional
        return None if absent else values.from_json(field.type, data)
    plain = [field for field in result.fields if field.type != _DESCRIPTOR]
    made = values.fields_from_json(plain, data)
    for field in result.fields:
        if field.type == _DESCRIPTOR:
            made[names.field_name(field)] = _empty()
    kind = loaded.python(command.service.module, names.result_class(command))
    return kind(**made)


def _empty() -> Handover:
    """A descriptor for whoever it is sent to: there is nothing to read."""
    return Handover(os.open(os.devnull, os.O_RDONLY))


def error_from_json(
    loaded: Loaded, values: JsonValues, error: Error, description: str, data: Json
) -> RemoteError:
    """What a handler raises. ``Fault``"""
    fields = values.fields_from_json(error.fields, data, names.error_field_name)
    made: type[RemoteError] = loaded.python(error.module, names.type_name(error))
    return made(description, **fields)
