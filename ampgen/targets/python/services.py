"""Plans of services: the classes of the client and of the abstract server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.targets.python import names, types
from ampgen.targets.python.commands import in_request, stream_argument
from ampgen.targets.python.declarations import class_header, described, function_header
from ampgen.targets.python.docstrings import Section, docstring, prose
from ampgen.targets.python.layout import (
    Part,
    Run,
    a_tuple,
    call,
    either,
    statement,
    string,
    subscript,
)
from ampgen.targets.python.plan import Class, Function
from ampgen.targets.python.records import default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ampgen.model import Command, Field, Service
    from ampgen.targets.python.commands import Commands
    from ampgen.targets.python.scope import Scope


class Services:
    """Plans the services of one module."""

    def __init__(self, scope: Scope, commands: Commands) -> None:
        self._scope = scope
        self._commands = commands

    # --- classes ----------------------------------------------------------------------

    def client(self, service: Service) -> Class:
        return Class(
            self._header(service, names.client_class, "_Client"),
            docstring(
                service.notes.doc or "",
                indent=1,
                title=f"Calls the commands of {service.name}.",
            ),
            (),
            (
                *self._connecting(service),
                self._connecting_blocking(service),
                *(self._client_method(command) for command in service.commands),
            ),
        )

    def blocking_client(self, service: Service) -> Class:
        name = names.client_class(service)
        return Class(
            self._header(service, names.blocking_class, "_BlockingClient"),
            docstring(
                f"The methods of {name}, for threads: each waits for its answer.",
                indent=1,
            ),
            (),
            tuple(
                self._client_method(command, blocking=True)
                for command in service.commands
            ),
        )

    def server(self, service: Service) -> Class:
        return Class(
            self._header(service, names.server_class, "_Server"),
            docstring(
                service.notes.doc or "",
                indent=1,
                title=f"Derive from this to answer the commands of {service.name}.",
            ),
            (),
            (
                *(self._property(called) for called in service.calls),
                *(self._handler(command) for command in service.commands),
            ),
        )

    def _header(
        self, service: Service, name: Callable[[Service], str], root: str
    ) -> str:
        bases = tuple(self._scope.base(name(b), b.module) for b in service.extends)
        return class_header(name(service), bases or (root,), service.notes)

    def _property(self, called: Service) -> Function:
        client = self._scope.class_name(names.client_class(called), called.module)
        return Function(
            f"    @{self._scope.builtin('property')}\n"
            + function_header(names.called_name(called), ["self"], client, indent=1),
            docstring(
                "The other end of the connection of the call being handled.",
                indent=2,
            ),
            (
                statement(
                    "return ", call(client, "_current_call().connection"), indent=2
                ),
            ),
        )

    def _connecting(self, service: Service) -> Iterator[Function]:
        """``connect`` and ``local``, where no base has them with these services."""
        called = service.all_calls()
        through = [base for base in service.extends if base.all_calls()]
        if not called or (not service.calls and len(through) == 1):
            return
        arguments = self._answering(called)
        given = a_tuple(tuple(names.called_name(other) for other in called))
        for name, target, target_type, options, doc in (
            (
                *("connect", "address", "_Address", "_ConnectOptions"),
                "Connect to a server, and answer what it calls in turn.",
            ),
            (
                *("local", "service", "_Server", "_LocalOptions"),
                "Call a service of this process, and answer what it calls in turn.",
            ),
        ):
            parameters: list[Part] = [
                "cls",
                f"{target}: {target_type}",
                "*",
                *arguments,
                f"**options: _Unpack[{options}]",
            ]
            yield Function(
                f"    @{self._scope.builtin('classmethod')}\n"
                + function_header(name, parameters, "_Connecting[_Self]", indent=1),
                docstring(doc, indent=2),
                (
                    statement(
                        "return ",
                        call(f"cls._{name}", target, given, "options"),
                        indent=2,
                    ),
                ),
            )

    def _connecting_blocking(self, service: Service) -> Function:
        called = service.all_calls()
        blocking = self._scope.class_name(names.blocking_class(service), service.module)
        parameters: list[Part] = ["cls", "address: _Address"]
        if called:
            parameters += ["*", *self._answering(called)]
        answering = [f"{name}={name}" for name in map(names.called_name, called)]
        connecting = call("cls.connect", "address", *answering, "**options")
        return Function(
            f"    @{self._scope.builtin('classmethod')}\n"
            + function_header(
                "connect_blocking",
                [*parameters, "**options: _Unpack[_ConnectOptions]"],
                blocking,
                indent=1,
            ),
            docstring("Connect to a server, for programs without a loop.", indent=2),
            (statement("return ", call(blocking, connecting), indent=2),),
        )

    def _answering(self, called: Iterable[Service]) -> list[Part]:
        """The parameters for what a client answers."""
        parameters: list[Part] = []
        for other in called:
            server = self._scope.class_name(names.server_class(other), other.module)
            parameters.append(f"{names.called_name(other)}: {server} | None = None")
        return parameters

    # --- methods ----------------------------------------------------------------------

    def _client_method(self, command: Command, *, blocking: bool = False) -> Function:
        decorators: tuple[str, ...] = ()
        if command.notes.deprecated is not None:
            reason = string(command.notes.deprecated)
            decorators = (statement("@", call("_deprecated", reason), indent=1),)
        text = self._scope.builtin("str")
        metadata = subscript("_Mapping", text, text)
        given = self._commands.given_result(command)
        result, send, waits = "return ", "self._call", not blocking
        streamed = stream_argument(command)
        if command.oneway:
            result, send = "", "self._send"
        elif command.result is not None and command.result.stream:
            given = subscript("_BlockingStream" if blocking else "_Stream", given)
            send, waits = "self._stream", False
        elif streamed is not None:
            send = "self._call_sending"
        header = function_header(
            names.method_name(command),
            [
                *self._parameters(command, blocking=blocking),
                "timeout: _Timeout = _DEFAULT",
                Run("metadata: ", metadata, " | None = None"),
            ],
            given,
            indent=1,
            prefix="async def" if waits else "def",
        )
        passed: list[Part] = [
            self._commands.constant(command),
            a_tuple(tuple(map(names.argument_name, in_request(command)))),
            "timeout",
            "metadata",
        ]
        if streamed is not None:
            passed.append(names.argument_name(streamed))
        return Function(
            "\n".join((*decorators, header)),
            None if blocking else self._docstring(command),
            (
                statement(
                    f"{result}await " if waits else result,
                    call(send, *passed),
                    indent=2,
                ),
            ),
        )

    def _parameters(self, command: Command, *, blocking: bool) -> list[Part]:
        """In declared order; what is required after what is not comes by name."""
        scope = self._scope
        by_position: list[Part] = ["self"]
        by_name: list[Part] = []
        seen_default = False
        for field in command.arguments:
            taken = types.taken_field(scope, field)
            if field.stream:
                plain = subscript("_Iterable", taken)
                taken = (
                    plain
                    if blocking
                    else either(plain, subscript("_AsyncIterable", taken))
                )
            annotated: Part = Run(f"{names.argument_name(field)}: ", taken)
            if field.required:
                (by_name if seen_default else by_position).append(annotated)
                continue
            seen_default = True
            value: Part = "None"
            if field.default is not None:
                value = default(scope, field.default, field, mutable=False)
            by_position.append(Run(annotated, " = ", value))
        return [*by_position, "*", *by_name]

    def _handler(self, command: Command) -> Function:
        parameters: list[Part] = [
            "self",
            *(
                Run(f"{names.argument_name(field)}: ", self._read(field))
                for field in command.arguments
            ),
        ]
        result = self._commands.taken_result(command)
        if command.result is not None and command.result.stream:
            returns: Part = subscript("_AsyncIterable", result)
        else:
            returns = either(result, subscript("_Awaitable", result))
        doc = self._docstring(command, deprecation=True)
        header = function_header(
            names.method_name(command),
            parameters,
            returns,
            indent=1,
            stub=doc is None,
        )
        return Function(f"    @_abstractmethod\n{header}", doc)

    def _read(self, field: Field) -> Part:
        """What a handler is given for an argument."""
        given = types.given_field(self._scope, field)
        return subscript("_Stream", given) if field.stream else given

    def _docstring(self, command: Command, *, deprecation: bool = False) -> str | None:
        """What is told of the command and its parts, and all that it may raise."""
        notes, result = command.notes, command.result
        doc = prose(notes.doc, notes.deprecated if deprecation else None)
        results = () if result is None or result.bare else result.fields
        errors = tuple(
            (names.type_name(error), (error.notes.doc or "").split("\n")[0])
            for error in command.errors
        )
        sections = (
            Section("Arguments", described(command.arguments, names.argument_name)),
            Section(
                "Returns" if result is None or not result.stream else "Yields",
                described(results, names.field_name),
            ),
            Section("Raises", errors),
        )
        return docstring(
            doc, sections, indent=2, title=f"{command.name}.", always=False
        )
