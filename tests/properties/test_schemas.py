"""Any schema compiles, and any value of its types comes through a call as it was."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.schemas import Values, schemas
from tests.properties.shell import Shell, pieces
from tests.properties.twisted_schema import Declared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import CompileSchema
    from tests.properties.schemas import Command, Schema

UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large)


def parameters(method: Any) -> list[str]:
    """The arguments of a handler by their names in Python, in the schema's order."""
    return [name for name in inspect.signature(method).parameters if name != "self"]


def in_order(made: Any, given: Sequence[Any]) -> Any:
    """A dataclass of ours; its fields are in the schema's order."""
    names = [field.name for field in dataclasses.fields(made)]
    return made(**dict(zip(names, given, strict=True)))


def echo(module: Any, seen: list[Any]) -> Any:
    """A service whose commands all answer what they were asked."""

    def handler(name: str) -> Any:
        result = getattr(module, f"{name.title()}Result", None)

        def handle(_: Any, *given: Any) -> Any:
            seen.append(given)
            return result and in_order(result, given)

        return handle

    commands: list[str] = [
        name for name in dir(module.EchoServer) if name.startswith("call")
    ]
    handlers = {name: handler(name) for name in commands}
    return type("Echo", (module.EchoServer,), handlers)()


def arguments_of(
    command: Command, values: Values
) -> st.SearchStrategy[tuple[Any, ...]]:
    """The arguments of a call in their order, those that are left out as well."""
    names = parameters(getattr(values.module.EchoServer, command.name.lower()))

    def in_full(given_values: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(
            given_values.get(name, values.absent(field))
            for name, field in zip(names, command.fields, strict=True)
        )

    return values.fields(command.fields, names).map(in_full)


@settings(max_examples=25, suppress_health_check=UNHURRIED)
@given(schema=schemas(), data=st.data())
def test_a_schema_compiles_and_its_values_come_through(
    schema: Schema, data: st.DataObject, compile_schema: CompileSchema
) -> None:
    module = compile_schema(schema.text())
    values = Values(schema, module)
    seen: list[Any] = []

    async def call(name: str, given_values: dict[str, Any]) -> Any:
        async with module.EchoClient.local(echo(module, seen)) as client:
            return await getattr(client, name)(**given_values)

    for command in schema.commands:
        name = command.name.lower()
        names = parameters(getattr(module.EchoServer, name))
        given_values = data.draw(values.fields(command.fields, names))
        result = asyncio.run(call(name, given_values))
        expected = tuple(
            given_values.get(python_name, values.absent(field))
            for python_name, field in zip(names, command.fields, strict=True)
        )
        assert seen.pop() == expected
        if command.fields:
            made = getattr(module, f"{command.name}Result")
            assert result == in_order(made, expected)
        else:
            assert result is None


@settings(max_examples=25, suppress_health_check=UNHURRIED)
@given(schema=schemas(), data=st.data())
def test_twisted_writes_the_same_requests(
    schema: Schema, data: st.DataObject, compile_schema: CompileSchema
) -> None:
    module = compile_schema(schema.text())
    values = Values(schema, module)
    twisted = Declared(schema)
    commands = module.EchoServer.__ampgen_commands__
    made = {command.name: command for command, _ in commands}
    for command in schema.commands:
        arguments = data.draw(arguments_of(command, values))
        own = made[command.name]
        ours = own.write_request(own.head, arguments, 64)
        assert ours == twisted.request(command.name, command.fields, list(arguments))


@settings(max_examples=25, suppress_health_check=UNHURRIED)
@given(schema=schemas(), data=st.data())
def test_damaged_requests_come_to_the_same_in_any_pieces(
    schema: Schema, data: st.DataObject, compile_schema: CompileSchema
) -> None:
    module = compile_schema(schema.text())
    values = Values(schema, module)
    written = b""
    for number, (command, _) in enumerate(module.EchoServer.__ampgen_commands__):
        arguments = data.draw(arguments_of(schema.commands[number], values))
        ask = b"\0\4_ask\0\1%x" % number
        written += command.write_request(ask, arguments, 64)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(written)))
        instead = data.draw(st.binary(max_size=2) | st.sampled_from((b"\0", b"\0\0")))
        written = written[:at] + instead + written[at + data.draw(st.integers(0, 2)) :]
    whole, split = (Shell(echo(module, [])) for _ in "ab")
    whole.protocol.receive_data(written)
    places = data.draw(st.lists(st.integers(0, len(written)), max_size=10))
    for piece in pieces(written, places):
        split.protocol.receive_data(piece)
    assert split.sent() == whole.sent()
    assert split.protocol.state == whole.protocol.state
