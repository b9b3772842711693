"""What a type leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ampgen.model import Enum, ListType, MapType, ScalarType, Service, Struct, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ampgen.model import Command, Field, Schema, Type

Declared: TypeAlias = Enum | Struct | Union


def commands(schema: Schema) -> Iterator[Command]:
    """Of all services, each once."""
    for module in schema.modules:
        for declaration in module.declarations:
            if isinstance(declaration, Service):
                yield from declaration.commands


def answer_fields(command: Command) -> Iterator[Field]:
    """What travels to the caller: in answers, in errors, and as items of a stream."""
    if command.result is not None:
        yield from command.result.fields
    for error in command.errors:
        yield from error.fields


def reach(fields: Iterable[Field], seen: set[int]) -> Iterator[Declared]:
    """The enums, structs and unions that the fields hold, directly or not.

    What is in ``seen``, by identity, is passed over, and what is found is added.
    """
    waiting: list[Type] = [field.type for field in fields]
    while waiting:
        type_ = waiting.pop()
        match type_:
            case ScalarType():
                continue
            case ListType(item):
                waiting.append(item)
                continue
            case MapType(key, value):
                waiting += (key, value)
                continue
            case Enum() | Struct() | Union():
                pass
        if id(type_) in seen:
            continue
        seen.add(id(type_))
        yield type_
        if isinstance(type_, Struct):
            waiting += [field.type for field in type_.fields]
        elif isinstance(type_, Union):
            waiting += [member.type for member in type_.members]
