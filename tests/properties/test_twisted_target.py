"""What `--target twisted` makes writes and reads what the Python target does."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.protocols import amp

from ampgen.fromtwisted import import_schema
from tests.properties.schemas import ListOf, MapOf, Named, Values, schemas
from tests.properties.test_schemas import arguments_of

if TYPE_CHECKING:
    from tests.conftest import CompileSchema
    from tests.properties.schemas import Field, Schema, Type

UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large)


def key(field: Field) -> str:
    return str(amp._wireNameToPythonIdentifier(field.name.encode()))


def theirs(schema: Schema, type: Type, value: Any) -> Any:  # noqa: A002
    """A value of ours as a Twisted program has it."""
    match type:
        case ListOf(item):
            return [theirs(schema, item, one) for one in value]
        case MapOf(_, inner):
            return {name: theirs(schema, inner, one) for name, one in value.items()}
        case Named(name):
            for record in schema.records:
                if record.name == name and record.kind == "struct":
                    fields = dataclasses.fields(value)
                    given = [getattr(value, field.name) for field in fields]
                    return box(schema, record.fields, given)
                if record.name == name:
                    [member] = [
                        field
                        for field in record.fields
                        if f"{name}{field.name.title()}" == value.__class__.__name__
                    ]
                    return {key(member): theirs(schema, member.type, value.value)}
            return value
        case _:
            return value


def box(schema: Schema, fields: tuple[Field, ...], values: Any) -> dict[str, Any]:
    return {
        key(field): None if value is None else theirs(schema, field.type, value)
        for field, value in zip(fields, values, strict=True)
    }


@settings(max_examples=40, suppress_health_check=UNHURRIED)
@given(schema=schemas(), data=st.data())
def test_both_targets_write_and_read_the_same(
    schema: Schema, data: st.DataObject, compile_schema: CompileSchema
) -> None:
    module = compile_schema(schema.text())
    twisted = compile_schema(schema.text(), "twisted")
    values = Values(schema, module)
    made = {
        command.name: command for command, _ in module.EchoServer.__ampgen_commands__
    }
    for command in schema.commands:
        arguments = data.draw(arguments_of(command, values))
        own, other = made[command.name], getattr(twisted.Echo, command.name)
        ours = own.write_request(own.head, arguments, 64)
        objects = box(schema, command.fields, arguments)
        request = other.makeArguments(objects, None)
        request[b"_command"] = other.commandName
        assert ours == request.serialize()
        [received] = amp.parseString(ours)
        assert other.parseArguments(received, None) == objects
        if command.fields:
            answer = other.makeResponse(objects, None)
            assert other.parseResponse(answer, None) == objects
            del request[b"_command"]
            assert answer == request  # which are the bytes of our answer


@settings(max_examples=60, suppress_health_check=UNHURRIED)
@given(schema=schemas())
def test_a_schema_comes_back(schema: Schema, compile_schema: CompileSchema) -> None:
    """All of it that commands reach; declarations in the order of their use."""
    twisted = compile_schema(schema.text(), "twisted")
    text, notes = import_schema([twisted.__name__], keep_names=True)
    assert notes == ()
    again = compile_schema(text, "twisted")
    assert import_schema([again.__name__], keep_names=True) == (text, ())
    # What is on the wire is the same, whatever the values.
    for command in schema.commands:
        one, other = (getattr(made.Echo, command.name) for made in (twisted, again))
        assert shape(one.arguments) == shape(other.arguments)
        assert shape(one.response) == shape(other.response)


def shape(pairs: Any, above: tuple[Any, ...] = ()) -> Any:
    """Arguments as plain data: by what they are, whatever it is called."""
    if any(one is pairs for one in above):
        return "above", [one is pairs for one in above].index(True)
    return [(name, _shape(argument, (*above, pairs))) for name, argument in pairs]


def _shape(argument: Any, above: tuple[Any, ...]) -> Any:
    parts: list[Any] = [type(argument).__name__, argument.optional]
    inner = [getattr(argument, name, None) for name in ("argument", "elementType")]
    parts += [_shape(one, above) for one in inner if one is not None]
    if hasattr(argument, "subargs"):
        parts.append(shape(argument.subargs, above))
    if hasattr(argument, "value"):
        parts.append(repr(argument.value))
    if hasattr(argument, "members"):
        parts.append([(one.name, one.value) for one in argument.members])
    return parts
