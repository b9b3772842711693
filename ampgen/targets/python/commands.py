"""Plans of commands: each as a request and an answer, and as the runtime knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.model import Notes, ScalarType
from ampgen.runtime.values import Scalar
from ampgen.targets.python import names, types
from ampgen.targets.python.declarations import an, function_header
from ampgen.targets.python.layout import (
    Group,
    Part,
    a_tuple,
    byte_string,
    call,
    number,
    statement,
    string,
    subscript,
)
from ampgen.targets.python.plan import Answer, Call, Class
from ampgen.targets.python.records import in_order
from ampgen.targets.python.reflection import CONSTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ampgen.model import Command, Field, Service
    from ampgen.targets.python.declarations import Declarations
    from ampgen.targets.python.records import Records
    from ampgen.targets.python.scope import Scope

_FD = ScalarType(Scalar.FD)


class Commands:
    """Plans the commands of one module."""

    def __init__(
        self, scope: Scope, declarations: Declarations, records: Records
    ) -> None:
        self._scope = scope
        self._declarations = declarations
        self._records = records

    # --- what is answered -------------------------------------------------------------

    def given_result(self, command: Command) -> Part:
        """What a client's method returns."""
        return self._result(command, types.given_field)

    def taken_result(self, command: Command) -> Part:
        """What a handler may return."""
        return self._result(command, types.taken_field)

    def _result(self, command: Command, bare: Callable[[Scope, Field], Part]) -> Part:
        result = command.result
        if result is None:
            return "None"
        if not result.bare:
            return self._scope.class_name(
                names.result_class(command), command.service.module
            )
        return bare(self._scope, result.fields[0])

    def result_class(self, command: Command, fields: tuple[Field, ...]) -> Class:
        """What a parenthesised result is."""
        return self._declarations.dataclass(
            names.result_class(command),
            fields,
            Notes(),
            title=f"What {command.name} answers.",
        )

    # --- commands as bytes ------------------------------------------------------------

    def call(self, command: Command) -> Call:
        scope = self._scope
        number_, data = scope.builtin("int"), scope.builtin("bytes")
        arguments = command.arguments
        given = self._tuple([types.given_field(scope, f) for f in arguments])
        taken = self._tuple([types.taken_field(scope, f) for f in arguments])
        local = {field: f"a{at}" for at, field in enumerate(arguments, 1)}
        unpack = None
        if len(local) == 1:
            unpack = "    (a1,) = arguments"
        elif local:
            targets = Group("(", tuple(local.values()), ")", bare=True)
            unpack = statement(targets, " = arguments", indent=1)
        return Call(
            write=function_header(
                self._private(command, "write"),
                [f"head: {data}", ("arguments: ", taken), f"depth: {number_}"],
                data,
            ),
            read=self._declarations.reader_header(
                self._private(command, "read"), given
            ),
            writer=self._records.writer(
                arguments,
                lambda f: local[f],
                "depth",
                leading=(("_command", "head"),),
                unpack=unpack,
            ),
            reader=self._records.reader(
                arguments,
                "depth",
                lambda values: a_tuple(tuple(values[f] for f in arguments)),
            ),
            answer=self._answer(command),
            entry=self._entry(command, taken),
        )

    def _answer(self, command: Command) -> Answer | None:
        scope, result = self._scope, command.result
        if result is None:
            return None
        name = names.result_class(command)
        maker = self._private(command, "new", "_result")
        wrong_type = None
        if not result.bare:
            wrong_type = statement(
                "raise ", call("_wrong_type", string(an(name)), "result"), indent=2
            )
        return Answer(
            write=function_header(
                self._private(command, "write", "_answer"),
                [
                    f"head: {scope.builtin('bytes')}",
                    ("result: ", self.taken_result(command)),
                    f"depth: {scope.builtin('int')}",
                ],
                scope.builtin("bytes"),
            ),
            read=self._declarations.reader_header(
                self._private(command, "read", "_answer"), self.given_result(command)
            ),
            maker=None if result.bare else self._declarations.maker(maker, name),
            test=wrong_type and self._declarations.is_a("result", name),
            wrong_type=wrong_type,
            writer=self._records.writer(
                result.fields,
                lambda f: "result" if result.bare else f"result.{names.field_name(f)}",
                "depth",
                leading=(("_answer", "head"),),
            ),
            reader=self._records.reader(
                result.fields,
                "depth",
                lambda values: (
                    values[result.fields[0]]
                    if result.bare
                    else self._declarations.build(maker, result.fields, values)
                ),
            ),
        )

    def _entry(self, command: Command, taken: Part) -> str:
        write_answer, read_answer = "_no_results_written", "_no_results_read"
        if command.result is not None:
            write_answer = self._private(command, "write", "_answer")
            read_answer = self._private(command, "read", "_answer")
        errors = tuple(
            self._scope.reference("error", error) for error in command.errors
        )
        options: list[Part] = [
            f"service={string(command.service.name)}",
            f"name={string(command.name)}",
            f"wire={byte_string(command.wire.encode())}",
            f"write_request={self._private(command, 'write')}",
            f"read_arguments={self._private(command, 'read')}",
            f"write_answer={write_answer}",
            f"read_answer={read_answer}",
        ]
        if errors:
            options.append(("errors=", a_tuple(errors)))
        if command.oneway:
            options.append("oneway=True")
        if command.idempotent:
            options.append("idempotent=True")
        if command.timeout is not None:
            options.append(f"timeout={number(command.timeout)}")
        options += self._descriptors(command)
        required = a_tuple(tuple(str(field.required) for field in command.arguments))
        options.append(("required=", required))
        options += _large("large_arguments", command.arguments)
        if command.result is not None:
            options += _large("large_results", command.result.fields)
        kind = subscript("_Command", taken, self.given_result(command))
        return statement(
            f"{self.constant(command)} = ", kind, Group("(", tuple(options), ")")
        )

    def _descriptors(self, command: Command) -> Iterator[Part]:
        """Where they are: the place of an argument, the field of a result."""
        arguments = [field for field in command.arguments if not field.stream]
        places = tuple(
            a_tuple((byte_string(field.key.encode()), str(at)))
            for at, field in enumerate(arguments)
            if field.type == _FD
        )
        if places:
            yield "argument_fds=", a_tuple(places)
        result = command.result
        fields = () if result is None else result.fields
        bare = result is not None and result.bare
        homes = tuple(
            a_tuple(
                (
                    byte_string(field.key.encode()),
                    string("" if bare else names.field_name(field)),
                )
            )
            for field in fields
            if field.type == _FD
        )
        if homes:
            yield "result_fds=", a_tuple(homes)

    def served(self, service: Service) -> Iterator[str]:
        """What the server class of the service has to know."""
        pairs = tuple(
            a_tuple((self.constant(command), string(names.method_name(command))))
            for command in service.commands
        )
        server = names.server_class(service)
        yield statement(f"{server}.__ampgen_commands__ = ", a_tuple(pairs))
        known = a_tuple((string(service.name), CONSTANT))
        yield statement(f"{server}.__ampgen_service__ = ", known)

    def _tuple(self, items: list[Part]) -> Part:
        return subscript(self._scope.builtin("tuple"), *(items or ["()"]))

    def constant(self, command: Command) -> str:
        name = names.snake_case(command.name).upper()
        return self._scope.private("", name, command)

    def _private(self, command: Command, verb: str, suffix: str = "") -> str:
        return self._scope.private(verb, command.name + suffix, (command, suffix))


def _large(option: str, fields: Sequence[Field]) -> Iterator[Part]:
    """The keys of large values, where there are any."""
    keys = tuple(byte_string(f.key.encode()) for f in in_order(fields) if f.large)
    if keys:
        yield (f"{option}=", a_tuple(keys))
