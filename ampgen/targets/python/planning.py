"""The plan of one generated module: all of its parts, in the order they stand there.

Enums come first, since defaults name them when a class is made; services come after
what they extend.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ampgen.model import Enum, Error, Service, Struct, Union
from ampgen.targets.python import names
from ampgen.targets.python.codecs import Codecs
from ampgen.targets.python.commands import Commands
from ampgen.targets.python.declarations import Declarations, function_header
from ampgen.targets.python.docstrings import docstring
from ampgen.targets.python.errors import Errors
from ampgen.targets.python.layout import Run, statement
from ampgen.targets.python.plan import Class, Function, Module, NestedFunctions
from ampgen.targets.python.records import Records
from ampgen.targets.python.reflection import schema_constant
from ampgen.targets.python.scope import public_names
from ampgen.targets.python.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ampgen.model import Command, Declaration, Field
    from ampgen.model import Module as SchemaModule
    from ampgen.targets.python.codecs import Nested
    from ampgen.targets.python.plan import Alias
    from ampgen.targets.python.scope import Scope


def plan_module(module: SchemaModule, scope: Scope) -> Module:
    """The module's plan; ``scope`` is a new one, in which its names are given out."""
    codecs = Codecs(scope)
    records = Records(scope, codecs)
    declarations = Declarations(scope, codecs, records)
    errors = Errors(scope, records)
    commands = Commands(scope, declarations, records)
    services = Services(scope, commands)
    declared = module.declarations
    enums = [d for d in declared if isinstance(d, Enum)]
    offered = bases_first([d for d in declared if isinstance(d, Service)])
    enum_names = {names.type_name(enum) for enum in enums}
    # Aliases and nested functions come to light while the rest is planned.
    planned = Module(
        docstring=docstring(module.doc or "", indent=0),
        enums=tuple(
            _made(declarations.enum_class(enum), "enum", names.type_name(enum), enum)
            for enum in enums
        ),
        types=tuple(_types(declared, declarations, errors, commands)),
        services=tuple(
            plan for service in offered for plan in _service_classes(service, services)
        ),
        enumerations=tuple(map(declarations.enumeration, enums)),
        structures=tuple(
            declarations.structure(d) for d in declared if isinstance(d, Struct)
        ),
        choices=tuple(declarations.choice(d) for d in declared if isinstance(d, Union)),
        failures=tuple(errors.failure(d) for d in declared if isinstance(d, Error)),
        calls=tuple(commands.call(c) for service in offered for c in service.commands),
        served=tuple(line for s in offered for line in commands.served(s)),
        schema=schema_constant(module, scope),
    )
    return replace(
        planned,
        nested=tuple(_nested(scope, nested) for nested in codecs.nested),
        enum_aliases=_aliases(scope, enum_names),
        class_aliases=_aliases(scope, set(public_names(module)) - enum_names),
    )


def _aliases(scope: Scope, classes: set[str]) -> tuple[str, ...]:
    return tuple(
        statement(f"{alias}: _TypeAlias = {name}")
        for name, alias in scope.class_aliases.items()
        if name in classes
    )


def bases_first(services: Iterable[Service]) -> list[Service]:
    """A class can only be made once its bases are there."""
    placed: dict[Service, None] = {}

    def place(service: Service) -> None:
        for base in service.extends:
            if base.module is service.module:
                place(base)
        placed.setdefault(service)

    for service in services:
        place(service)
    return list(placed)


def _types(
    declared: Iterable[Declaration],
    plans: Declarations,
    errors: Errors,
    commands: Commands,
) -> Iterator[Class | Alias]:
    for declaration in declared:
        match declaration:
            case Struct():
                name = names.type_name(declaration)
                plan = plans.dataclass(name, declaration.fields, declaration.notes)
                yield _made(plan, "struct", name, declaration)
            case Union():
                classes, alias = plans.union_classes(declaration)
                for plan, member in zip(classes, declaration.members, strict=True):
                    name = names.member_class(declaration, member)
                    yield _made(plan, "member", name, member)
                yield alias
            case Error():
                name = names.type_name(declaration)
                plan = errors.error_class(declaration)
                yield _made(plan, "error", name, declaration)
            case Service():
                for command in declaration.commands:
                    result = command.result
                    if result is not None and not result.bare:
                        plan = commands.result_class(command, result.fields)
                        kind = "item" if result.stream else "result"
                        yield _made(plan, kind, names.result_class(command), command)
            case _:
                pass


def _service_classes(service: Service, plans: Services) -> Iterator[Class]:
    for kind, plan, name in (
        ("client", plans.client, names.client_class),
        ("blocking client", plans.blocking_client, names.blocking_class),
        ("server", plans.server, names.server_class),
    ):
        yield _made(plan(service), kind, name(service), service)


def _made(
    plan: Class, kind: str, name: str, of: Declaration | Command | Field
) -> Class:
    """The same class, which tells what it is made of."""
    return Class(
        plan.header, plan.docstring, plan.members, plan.methods, name, kind, of
    )


def _nested(scope: Scope, nested: Nested) -> NestedFunctions:
    data, number = scope.builtin("bytes"), scope.builtin("int")
    encode = None
    if nested.encode:
        encode = Function(
            function_header(
                nested.encode, (Run("value: ", nested.taken), f"depth: {number}"), data
            ),
            None,
            (statement("return ", nested.encoded, indent=1),),
        )
    decode = Function(
        function_header(
            nested.decode, (f"raw: {data}", f"depth: {number}"), nested.given
        ),
        None,
        (statement("return ", nested.decoded, indent=1),),
    )
    return NestedFunctions(encode, decode)
