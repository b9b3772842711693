"""The plan of one generated module."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ampgen.model import Enum, Error, Service, Struct, Union
from ampgen.targets.python import names as python_names
from ampgen.targets.python.declarations import function_header
from ampgen.targets.python.docstrings import docstring, prose
from ampgen.targets.python.layout import (
    Group,
    Part,
    Run,
    byte_string,
    call,
    either,
    statement,
    string,
    subscript,
)
from ampgen.targets.python.planning import bases_first
from ampgen.targets.twisted import names, streams
from ampgen.targets.twisted.plan import (
    Box,
    Class,
    Command,
    Dictionary,
    Fields,
    Module,
    Pair,
    Responder,
)
from ampgen.targets.twisted.plan import Service as ServicePlan
from ampgen.targets.twisted.values import annotation, pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ampgen.model import Command as SchemaCommand
    from ampgen.model import Field, Notes
    from ampgen.model import Module as SchemaModule
    from ampgen.targets.python.scope import Scope

# What the classes of commands have: no type is looked up behind a thing of its name.
ATTRIBUTES = frozenset(
    """
    Response arguments commandName errors fatalErrors requiresAnswer response
    """.split()  # noqa: SIM905
)


def plan_module(module: SchemaModule, scope: Scope) -> Module:
    """The module's plan; ``scope`` is a new one, in which its names are given out."""
    declared = module.declarations
    enums = [d for d in declared if isinstance(d, Enum)]
    boxes = [d for d in declared if isinstance(d, Struct | Union)]
    errors = [d for d in declared if isinstance(d, Error)]
    services = bases_first([d for d in declared if isinstance(d, Service)])
    planned = Module(
        enums=tuple(map(_enum, enums)),
        dictionaries=tuple(_box(scope, box) for box in boxes),
        errors=tuple(_error(scope, error) for error in errors),
        fields=tuple(_fields(scope, box) for box in boxes),
        services=tuple(_service(scope, service) for service in services),
        enum_aliases=(),
        class_aliases=(),
        service_aliases=(),
    )
    # Aliases come to light while the rest is planned.
    return replace(
        planned,
        enum_aliases=_aliases(scope, map(python_names.type_name, enums)),
        class_aliases=_aliases(scope, map(python_names.type_name, (*boxes, *errors))),
        service_aliases=_aliases(scope, map(names.namespace, services)),
    )


def public_names(module: SchemaModule) -> Iterator[str]:
    for declaration in module.declarations:
        match declaration:
            case Enum() | Struct() | Union() | Error():
                yield python_names.type_name(declaration)
            case Service():
                yield names.namespace(declaration)
                yield python_names.server_class(declaration)
            case _:
                pass


def _aliases(scope: Scope, classes: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        statement(f"{scope.class_aliases[name]}: _TypeAlias = {name}")
        for name in classes
        if name in scope.class_aliases
    )


def _told(notes: Notes, indent: int) -> str | None:
    text = prose(notes.doc, notes.deprecated)
    return docstring(text, indent=indent, always=False)


# --- types ----------------------------------------------------------------------------


def _enum(enum: Enum) -> Class:
    members = tuple(
        line
        for member in enum.members
        for line in (
            *_comment(member.notes, 1),
            statement(
                f"{python_names.member_name(member.name)} = {string(member.value)}",
                indent=1,
            ),
        )
    )
    header = f"class {python_names.type_name(enum)}(str, _Enum):"
    return Class(header, _told(enum.notes, 1), members)


def _error(scope: Scope, error: Error) -> Class:
    base = scope.builtin("Exception")
    header = f"class {python_names.type_name(error)}({base}):"
    return Class(header, _told(error.notes, 1))


def _box(scope: Scope, box: Struct | Union) -> Dictionary:
    union = isinstance(box, Union)
    fields = box.members if isinstance(box, Union) else box.fields
    return _dictionary(
        scope, python_names.type_name(box), fields, box.notes, union=union
    )


def _dictionary(
    scope: Scope,
    name: str,
    fields: tuple[Field, ...],
    notes: Notes | None = None,
    *,
    indent: int = 0,
    union: bool = False,
) -> Dictionary:
    """What a box is in Python; all of a union's members may be absent."""
    keys = [names.key(field.key) for field in fields]
    types = [
        annotation(scope, field)
        if union or field.required
        else subscript("_NotRequired", annotation(scope, field))
        for field in fields
    ]
    if all(map(names.is_plain, keys)) and not any(map(scope.hides, keys)):
        members = tuple(
            line
            for key, type_, field in zip(keys, types, fields, strict=True)
            for line in (
                *_comment(field.notes, indent + 1),
                statement(f"{key}: ", type_, indent=indent + 1),
            )
        )
        bases: tuple[Part, ...] = ("_TypedDict", *(["total=False"] if union else []))
        header = statement(f"class {name}", Group("(", bases, ")"), ":", indent=indent)
        told = None if notes is None else _told(notes, indent + 1)
        return Dictionary(Class(header, told, members), None, ())
    pairs = tuple(
        f"{string(key)}: {string(type_)}"
        for key, type_ in zip(keys, types, strict=True)
    )
    parts: tuple[Part, ...] = (string(name), Group("{", pairs, "}"))
    if union:
        parts = (*parts, "total=False")
    made = statement(f"{name} = ", call("_TypedDict", *parts), indent=indent)
    return Dictionary(None, made, tuple(types))


def _fields(scope: Scope, box: Struct | Union) -> Fields:
    fields = box.members if isinstance(box, Union) else box.fields
    name = scope.private("fields", box.name, box)
    return Fields(
        statement(
            f"{name} = ", call("_arguments.Fields", string(box.name), "__name__")
        ),
        f"{name} += ",
        _pairs(scope, fields, 1),
    )


def _pairs(scope: Scope, fields: Iterable[Field], indent: int) -> tuple[Pair, ...]:
    return tuple(
        Pair(
            statement(pair(scope, field), ",", indent=indent),
            _comment(field.notes, indent),
        )
        for field in fields
    )


def _comment(notes: Notes, indent: int) -> tuple[str, ...]:
    """A field has no docstring."""
    margin = "    " * indent
    return tuple(
        f"{margin}# {_printable(line)}".rstrip()
        for line in prose(notes.doc, notes.deprecated).splitlines()
    )


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line.expandtabs(4))


# --- services -------------------------------------------------------------------------


def _service(scope: Scope, service: Service) -> ServicePlan:
    namespace = names.namespace(service)
    bases = tuple(
        scope.base(names.namespace(base), base.module) for base in service.extends
    )
    servers = tuple(
        scope.base(python_names.server_class(base), base.module)
        for base in service.extends
    )
    called = tuple(
        scope.base(names.namespace(one), one.module) for one in service.calls
    )
    server = python_names.server_class(service)
    told = (
        f"Answers the commands of {service.name}: override its methods.\n\n"
        "It is a locator for an `amp.AMP`, or a base to mix with it. Each method "
        "returns what\nthe `Response` of its command says, at once or later."
    )
    return ServicePlan(
        header=_class(namespace, bases or ("_arguments.Service",)),
        docstring=_told(service.notes, 1),
        commands=tuple(_command(scope, command) for command in service.commands),
        calls=statement(f"{namespace}._calls = ", _tuple(called)) if called else None,
        responders_header=_class(server, servers or ("_amp.CommandLocator",)),
        responders_docstring=docstring(told, indent=1),
        mark=f"    _ampgen = {scope.class_name(namespace, scope.module)}",
        responders=tuple(
            responder
            for command in service.commands
            for responder in _responders(scope, command)
        ),
    )


def _tuple(parts: tuple[str, ...]) -> Part:
    return Group("(", parts, ",)" if len(parts) == 1 else ")")


def _class(name: str, bases: tuple[str, ...]) -> str:
    return statement(f"class {name}", Group("(", bases, ")"), ":")


def _command(scope: Scope, command: SchemaCommand) -> Command:
    fields = streams.answer(command)
    attributes: list[str] = []
    for name, errors in (
        ("errors", [error for error in command.errors if not error.fatal]),
        ("fatalErrors", [error for error in command.errors if error.fatal]),
    ):
        if errors:
            codes = tuple(
                f"{scope.class_name(python_names.type_name(error), error.module)}: "
                + byte_string(error.code.encode())
                for error in errors
            )
            attributes.append(statement(f"{name} = ", Group("{", codes, "}"), indent=2))
    if command.oneway:
        attributes.append("        requiresAnswer = False")
    return Command(
        header=f"    class {names.command_class(command)}(_amp.Command):",
        docstring=_told(command.notes, 2),
        name=_wire(command.wire, 2),
        arguments=_pairs(scope, streams.request(command), 3),
        response=_pairs(scope, fields, 3),
        attributes=tuple(attributes),
        answer=_dictionary(scope, "Response", fields, indent=2),
        boxes=tuple(
            Box(
                header=f"        class {box.name}(_amp.Command):",
                name=_wire(f"{command.wire}.{box.wire}", 3),
                arguments=_pairs(scope, box.fields, 4),
            )
            for box in streams.stream_boxes(command)
        ),
    )


def _wire(name: str, indent: int) -> str:
    return statement(f"commandName = {byte_string(name.encode())}", indent=indent)


def _responders(scope: Scope, command: SchemaCommand) -> Iterator[Responder]:
    service = scope.class_name(names.namespace(command.service), scope.module)
    made = f"{service}.{names.command_class(command)}"
    answer = f"{made}.Response"
    method = names.responder(command)
    yield _responder(
        made,
        method,
        _parameters(scope, streams.request(command)),
        either(answer, subscript("_Awaitable", answer)),
        _told(command.notes, 2),
        (statement(f"return self.{method}(**arguments)", indent=2),),
    )
    for box in streams.stream_boxes(command):
        if box.method is not None:
            yield _responder(
                f"{made}.{box.name}",
                box.method,
                _parameters(scope, box.fields),
                "None",
                None,
                (f"        self.{box.method}(**arguments)", "        return {}"),
            )


def _responder(
    made: str,
    method: str,
    parameters: list[Part],
    returns: Part,
    told: str | None,
    passed: tuple[str, ...],
) -> Responder:
    return Responder(
        header=function_header(method, parameters, returns, indent=1),
        docstring=told,
        decorator=statement(f"@{made}.responder", indent=1),
        trampoline=function_header(
            f"__answer_{method}", ("self", "**arguments: _Any"), "_Any", indent=1
        ),
        passed=passed,
    )


def _parameters(scope: Scope, fields: tuple[Field, ...]) -> list[Part]:
    """Each by its name in Twisted, as far as that may be one."""
    parameters: list[Part] = ["self"]
    keys = {names.key(field.key): field for field in fields}
    for key, field in keys.items():
        if names.is_plain(key) and key not in names.UNPASSABLE:
            parameters.append(Run(f"{key}: ", annotation(scope, field)))
    if len(parameters) <= len(fields):
        others = "others"
        while others in keys:
            others += "_"
        parameters.append(f"**{others}: _Any")
    return parameters
