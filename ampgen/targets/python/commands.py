"""Plans of commands: each as a request and an answer, and as the runtime knows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ampgen.model import Notes, Result, ScalarType
from ampgen.runtime.values import Scalar
from ampgen.targets.python import names, types
from ampgen.targets.python.declarations import function_header
from ampgen.targets.python.layout import (
    Group,
    Part,
    Run,
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

    def answered(self, command: Command) -> Part:
        """What the answer gives: nothing, where the results are a stream."""
        return "None" if _streams(command) else self.given_result(command)

    def _result(self, command: Command, bare: Callable[[Scope, Field], Part]) -> Part:
        """An item, where the results are a stream."""
        result = command.result
        if result is None:
            return "None"
        if not result.bare:
            return self._scope.class_name(
                names.result_class(command), command.service.module
            )
        return bare(self._scope, result.fields[0])

    def result_class(self, command: Command, fields: tuple[Field, ...]) -> Class:
        """What a parenthesised result is, or each of a stream of them."""
        each = "An item of what" if _streams(command) else "What"
        return self._declarations.dataclass(
            names.result_class(command),
            fields,
            Notes(),
            title=f"{each} {command.name} answers.",
        )

    # --- commands as bytes ------------------------------------------------------------

    def call(self, command: Command) -> Call:
        scope = self._scope
        number_, data = scope.builtin("int"), scope.builtin("bytes")
        arguments = in_request(command)
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
                [f"head: {data}", Run("arguments: ", taken), f"depth: {number_}"],
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
            answers=tuple(self._answers(command)),
            entry=self._entry(command, taken),
        )

    def _answers(self, command: Command) -> Iterator[Answer]:
        """The answer or the items that make up the result, then those that are sent."""
        if command.result is not None:
            kind = "item" if command.result.stream else "answer"
            yield self._answer(command, command.result, kind)
        argument = stream_argument(command)
        if argument is not None:
            item = Result((replace(argument, name="item", key="item"),), bare=True)
            yield self._answer(command, item, "send")

    def _answer(self, command: Command, result: Result, kind: str) -> Answer:
        name = names.result_class(command)
        value = "result" if kind == "answer" else "value"
        maker = self._private(
            command, "new", "_result" if kind == "answer" else "_item"
        )
        check = None
        given, taken = self.given_result(command), self.taken_result(command)
        if result.bare:
            given = types.given_field(self._scope, result.fields[0])
            taken = types.taken_field(self._scope, result.fields[0])
        else:
            check = self._declarations.check(value, name, name)
        return Answer(
            write=function_header(
                self._private(command, "write", f"_{kind}"),
                [
                    f"head: {self._scope.builtin('bytes')}",
                    Run(f"{value}: ", taken),
                    f"depth: {self._scope.builtin('int')}",
                ],
                self._scope.builtin("bytes"),
            ),
            read=self._declarations.reader_header(
                self._private(command, "read", f"_{kind}"), given
            ),
            maker=None if result.bare else self._declarations.maker(maker, name),
            check=check,
            writer=self._records.writer(
                result.fields,
                lambda f: value if result.bare else f"{value}.{names.field_name(f)}",
                "depth",
                leading=(("_answer" if kind == "answer" else "_command", "head"),),
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
        if command.result is not None and not command.result.stream:
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
            options.append(Run("errors=", a_tuple(errors)))
        if command.oneway:
            options.append("oneway=True")
        if command.idempotent:
            options.append("idempotent=True")
        if command.timeout is not None:
            options.append(f"timeout={number(command.timeout)}")
        arguments = tuple(string(names.argument_name(f)) for f in in_request(command))
        if arguments:
            options.append(Run("arguments=", a_tuple(arguments)))
        sensitive = tuple(
            string(names.argument_name(f)) for f in in_request(command) if f.sensitive
        )
        if sensitive:
            options.append(Run("sensitive=", a_tuple(sensitive)))
        options += self._descriptors(command)
        required = a_tuple(tuple(str(field.required) for field in command.arguments))
        options.append(Run("required=", required))
        options += _large("large_arguments", in_request(command))
        if command.result is not None and not command.result.stream:
            options += _large("large_results", command.result.fields)
        if _streams(command):
            given = self.given_result(command)
            results = command.result.fields if command.result is not None else ()
            large = _large("large", results)
            items = self._items(command, "item", given, *large)
            options.append(Run("items=", items))
        argument = stream_argument(command)
        if argument is not None:
            given = types.given_field(self._scope, argument)
            at = str(command.arguments.index(argument))
            sends = self._items(command, "send", given, at)
            options.append(Run("sends=", sends))
        kind = subscript("_Command", taken, self.answered(command))
        return statement(
            f"{self.constant(command)} = ", kind, Group("(", tuple(options), ")")
        )

    def _descriptors(self, command: Command) -> Iterator[Part]:
        """Where they are: the place of an argument, the field of a result."""
        places = tuple(
            a_tuple((byte_string(field.key.encode()), str(at)))
            for at, field in enumerate(in_request(command))
            if field.type == _FD
        )
        if places:
            yield Run("argument_fds=", a_tuple(places))
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
            yield Run("result_fds=", a_tuple(homes))

    def _items(self, command: Command, kind: str, given: Part, *more: Part) -> Part:
        codecs = (
            self._private(command, verb, f"_{kind}") for verb in ("write", "read")
        )
        return call(subscript("_Items", given), *codecs, *more)

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
        yield Run(f"{option}=", a_tuple(keys))


def stream_argument(command: Command) -> Field | None:
    """The one argument that is a stream, if there is one."""
    return next((field for field in command.arguments if field.stream), None)


def in_request(command: Command) -> tuple[Field, ...]:
    """The arguments that travel in the request: all but a stream."""
    return tuple(field for field in command.arguments if not field.stream)


def _streams(command: Command) -> bool:
    return command.result is not None and command.result.stream
