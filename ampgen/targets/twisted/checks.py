"""What cannot be made for Twisted, and what Twisted will trip over."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ampgen.diagnostics import Diagnostic, Label
from ampgen.model import Enum, Error, Service, Struct, Union
from ampgen.source import Span
from ampgen.targets.python import names as python_names
from ampgen.targets.python.commands import in_request
from ampgen.targets.twisted import names, rules
from ampgen.targets.twisted.streams import stream_boxes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ampgen.model import Command, Field, Module, Schema


def own_checks(schema: Schema) -> Iterator[Diagnostic]:
    yield from _namespaces(schema)
    for module in schema.modules:
        for declaration in module.declarations:
            match declaration:
                case Struct():
                    yield from _box(declaration.fields)
                case Union():
                    yield from _box(declaration.members)
                case Service():
                    yield from _clashes(_commands(declaration))
                    yield from _clashes(_methods(declaration))
                    for command in declaration.commands:
                        yield from _command(command)
                case _:
                    pass


def _command(command: Command) -> Iterator[Diagnostic]:
    arguments = in_request(command)
    yield from _box(arguments)
    for argument in arguments:
        if names.key(argument.key) in names.UNPASSABLE:
            yield Diagnostic(
                rules.NOT_PASSED,
                f"Twisted cannot pass the argument `{argument.name}` of "
                f"`{command.name}`",
                Label(argument.span, f"Twisted has a parameter `{argument.key}` there"),
                help="give it another key, if no program uses it yet",
            )
    if command.result is not None:
        yield from _box(command.result.fields)


def _box(fields: Iterable[Field]) -> Iterator[Diagnostic]:
    """Two keys of one box that are one to Twisted."""
    return _clashes(
        (names.key(field.key), f"the key `{field.key}`", field.span) for field in fields
    )


Claim: TypeAlias = "tuple[str, str, Span]"  # the name, what wants it, and where


def _namespaces(schema: Schema) -> Iterator[Diagnostic]:
    """The class of a service is the one that the Python target does not have."""
    for module in schema.modules:
        others = list(_classes(module))
        if module in schema.roots:  # it is offered beside all of these
            for root in schema.roots:
                others += _classes(root) if root is not module else ()
            for other in schema.modules:
                name = python_names.module_path(other.path)[0]
                what = f"the module of `{'/'.join(other.path)}.amp`"
                others.append((name, what, Span(other.source, 0, 0)))
        for service in _services(module):
            what = f"the service `{service.name}`"
            mine = names.namespace(service), what, service.span
            same = [other for other in others if other[0] == mine[0]]
            yield from _clashes([*same[:1], mine])


def _classes(module: Module) -> Iterator[Claim]:
    """What else stands in a generated module."""
    for declaration in module.declarations:
        match declaration:
            case Enum() | Struct() | Union() | Error():
                kind = type(declaration).__name__.lower()
                what = f"the {kind} `{declaration.name}`"
                yield python_names.type_name(declaration), what, declaration.span
            case Service():
                what = f"what answers the service `{declaration.name}`"
                yield python_names.server_class(declaration), what, declaration.span
            case _:
                pass


def _services(module: Module) -> Iterator[Service]:
    return (d for d in module.declarations if isinstance(d, Service))


def _commands(service: Service) -> Iterator[Claim]:
    """What stands in a service's class: commands, inherited ones first."""
    for command in _inherited_first(service):
        what = f"the command `{command.name}`"
        yield names.command_class(command), what, command.span


def _methods(service: Service) -> Iterator[Claim]:
    """What has to be there to answer it; those of commands alone are known to fit."""
    for command in _inherited_first(service):
        yield names.responder(command), f"the command `{command.name}`", command.span
    for command in _inherited_first(service):
        for box in stream_boxes(command):
            if box.method is not None:
                what = f"a part of the stream `{command.name}`"
                yield box.method, what, command.span


def _inherited_first(service: Service) -> list[Command]:
    return list(dict.fromkeys(service.all_commands()[::-1]))


def _clashes(claims: Iterable[Claim]) -> Iterator[Diagnostic]:
    first: dict[str, tuple[str, Span]] = {}
    for name, what, span in claims:
        earlier, place = first.setdefault(name, (what, span))
        if place != span:
            yield Diagnostic(
                rules.SAME_NAME,
                f"{earlier} and {what} would both be `{name}` in Twisted",
                Label(span, f"this would be `{name}`"),
                (Label(place, "and so would this"),),
                help="rename one of the two",
            )
