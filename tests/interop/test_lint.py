"""What the lints say of Twisted programs is so."""

# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.protocols import amp

from ampgen.analysis import StandardInput
from ampgen.check import check_schemas
from ampgen.runtime import InternalError, connect, serve
from tests.interop.reactor import twisted_server
from tests.interop.twisted_commands import End

if TYPE_CHECKING:
    from tests.conftest import CompileSchema

SCHEMA = """
service Mathematics {
    command Apply(f: str) -> (y: str);
    command Named(function: str) -> (y: str);
    oneway command Later(x: int);
}
service Physics { command Apply(mass: int); }
"""


class Apply(amp.Command):
    arguments = [(b"f", amp.Unicode())]  # noqa: RUF012 - Twisted's way to declare
    response = [(b"y", amp.Unicode())]  # noqa: RUF012


class Named(amp.Command):
    arguments = [(b"function", amp.Unicode())]  # noqa: RUF012
    response = [(b"y", amp.Unicode())]  # noqa: RUF012


class Mathematics(End):
    @Apply.responder
    def apply(self, f: str) -> dict[str, str]:
        return {"y": f}

    @Named.responder
    def named(self, function: str) -> dict[str, str]:
        return {"y": function}


def test_the_lints_report_what_is_tried_here() -> None:
    found = check_schemas([StandardInput("mathematics.amp", SCHEMA.encode())])
    assert {"AMP0807", "AMP0811", "AMP0812"} <= {one.rule.code for one in found}


async def test_a_twisted_program_cannot_answer_with_an_argument_f(
    compile_schema: CompileSchema,
) -> None:
    made = compile_schema(SCHEMA)
    async with (
        twisted_server(end=Mathematics) as server,
        connect(server.address) as connection,
    ):
        client = made.MathematicsClient(connection)
        assert (await client.named("sin")).y == "sin"
        with pytest.raises(InternalError):
            await client.apply("sin")
        await connection.wait_closed()


async def test_a_twisted_program_closes_at_a_oneway_command_that_it_does_not_know(
    compile_schema: CompileSchema,
) -> None:
    made = compile_schema(SCHEMA)
    async with (
        twisted_server(end=Mathematics) as server,
        connect(server.address) as connection,
    ):
        await made.MathematicsClient(connection).later(3)
        await connection.wait_closed()


async def test_services_that_answer_one_wire_name_cannot_be_served_together(
    compile_schema: CompileSchema,
) -> None:
    made = compile_schema(SCHEMA)

    class Ours(made.MathematicsServer):  # type: ignore[name-defined,misc]
        def apply(self, f: str) -> None: ...
        def named(self, function: str) -> None: ...
        def later(self, x: int) -> None: ...

    class Theirs(made.PhysicsServer):  # type: ignore[name-defined,misc]
        def apply(self, mass: int) -> None: ...

    with pytest.raises((TypeError, ValueError), match="Apply"):
        serve("127.0.0.1:0", Ours(), Theirs())
