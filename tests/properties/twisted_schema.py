"""A random schema, declared for Twisted; and its values, as Twisted has them."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

from twisted.protocols import amp

from ampgen.runtime.values import SCALARS as ROWS
from ampgen.runtime.values import Scalar
from tests.properties.schemas import ListOf, MapOf, Named

if TYPE_CHECKING:
    from tests.properties.schemas import Field, Record, Schema, Type

SCALARS: dict[Scalar, amp.Argument] = {
    Scalar.BOOL: amp.Boolean(),
    Scalar.INT: amp.Integer(),
    Scalar.FLOAT: amp.Float(),
    Scalar.STR: amp.Unicode(),
    Scalar.BYTES: amp.String(),
    Scalar.DECIMAL: amp.Decimal(),
    Scalar.DATETIME: amp.DateTime(),
}


class Ours(amp.Argument):
    """A scalar that Twisted has no class for, or none that sends the text as given."""

    def __init__(self, scalar: Scalar) -> None:
        super().__init__()
        self._row: Any = ROWS[scalar]

    def toString(self, inObject: Any) -> Any:  # noqa: N802, N803
        row = self._row
        return row.encode(inObject, 64) if row.deep else row.encode(inObject)


class Boxes(amp.AmpList):
    """An ``AmpList`` that may be in a ``ListOf``."""

    def toString(self, inObject: Any) -> Any:  # noqa: N802, N803
        return self.toStringProto(inObject, None)


class OptionalArgument(amp.Argument):
    optional = True

    def __init__(self, argument: amp.Argument) -> None:
        super().__init__(optional=True)
        self._argument = argument

    def toStringProto(self, inObject: Any, proto: Any) -> Any:  # noqa: N802, N803
        return self._argument.toStringProto(inObject, proto)


class Declared:
    """What the schema declares, as arguments of Twisted's."""

    def __init__(self, schema: Schema) -> None:
        self._enums = {enum.name for enum in schema.enums}
        self._records = {record.name: record for record in schema.records}
        # Filled when all are there: a struct may hold itself.
        self._boxes: dict[str, list[Any]] = {name: [] for name in self._records}
        for record in schema.records:
            optional = record.kind == "union"
            self._boxes[record.name] += self._arguments(record.fields, optional)

    def request(self, name: str, fields: tuple[Field, ...], values: list[Any]) -> bytes:
        """The request as Twisted writes it, without ``_ask``."""
        attributes = {"arguments": self._arguments(fields)}
        metaclass: Any = type(amp.Command)
        command = metaclass(name, (amp.Command,), attributes)
        box = command.makeArguments(self._box(fields, values), None)
        box[b"_command"] = name.encode()
        return cast("bytes", box.serialize())

    def _arguments(self, fields: tuple[Field, ...], optional: bool = False) -> Any:
        arguments: list[tuple[bytes, amp.Argument]] = []
        for field in fields:
            argument = self._argument(field.type)
            if field.optional or optional:
                argument = OptionalArgument(argument)
            arguments.append((field.name.encode(), argument))
        return arguments

    def _argument(self, type: Type) -> amp.Argument:  # noqa: A002
        match type:
            case ListOf(Named(name)) if name in self._records:
                return Boxes(self._boxes[name])
            case ListOf(item):
                return amp.ListOf(self._argument(item))
            case MapOf(key, value):
                pair = self._argument(key), self._argument(value)
                return Boxes(list(zip((b"key", b"value"), pair, strict=True)))
            case Named(name):
                known = name in self._records
                return Boxes(self._boxes[name]) if known else amp.Unicode()
            case scalar:
                return SCALARS.get(scalar) or Ours(scalar)

    def _value(self, type: Type, value: Any) -> Any:  # noqa: A002
        match type:
            case ListOf(Named(name)) if name in self._records:
                return [self._record(self._records[name], one) for one in value]
            case ListOf(item):
                return [self._value(item, one) for one in value]
            case MapOf(key_type, value_type):
                return [
                    {
                        "key": self._value(key_type, key),
                        "value": self._value(value_type, one),
                    }
                    for key, one in value.items()
                ]
            case Named(name) if name in self._records:
                return [self._record(self._records[name], value)]
            case Named():
                return str(value)
            case _:
                return value

    def _record(self, record: Record, value: Any) -> dict[str, Any]:
        if record.kind == "struct":
            values = [getattr(value, one.name) for one in dataclasses.fields(value)]
            return self._box(record.fields, values)
        member = type(value).__name__.removeprefix(record.name)
        return {
            field.name: self._value(field.type, value.value)
            for field in record.fields
            if field.name.title() == member
        }

    def _box(self, fields: tuple[Field, ...], values: list[Any]) -> dict[str, Any]:
        return {
            amp._wireNameToPythonIdentifier(field.name.encode()): (
                None if value is None else self._value(field.type, value)
            )
            for field, value in zip(fields, values, strict=True)
        }
