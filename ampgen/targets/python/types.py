"""How a type of the schema is written in an annotation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.values import SCALARS
from ampgen.targets.python import names
from ampgen.targets.python.layout import Part, either, subscript

if TYPE_CHECKING:
    from ampgen.model import Field, Module, Type
    from ampgen.targets.python.scope import Scope

_NAME = re.compile(r"(?:\w+\.)*(\w+)")


def given(scope: Scope, type_: Type) -> Part:
    """The type of what comes back, and of a field."""
    match type_:
        case ScalarType(scalar):
            return _spelt(scope, SCALARS[scalar].python)
        case ListType(item):
            return subscript(scope.builtin("list"), given(scope, item))
        case MapType(key, value):
            return subscript(
                scope.builtin("dict"), given(scope, key), given(scope, value)
            )
        case Enum() | Struct() | Union():
            return _class(scope, type_)


def taken(scope: Scope, type_: Type) -> Part:
    """The type of what a caller passes: no more than is needed."""
    match type_:
        case ScalarType(scalar):
            return either(*_spelt(scope, SCALARS[scalar].accepts).split(" | "))
        case ListType(item):
            return subscript("_Sequence", taken(scope, item))
        case MapType(key, value):
            return subscript("_Mapping", given(scope, key), taken(scope, value))
        case _:
            return given(scope, type_)


def given_field(scope: Scope, field: Field) -> Part:
    known = scope.given.get(field)
    if known is None:
        known = scope.given[field] = optional(given(scope, field.type), field)
    return known


def taken_field(scope: Scope, field: Field) -> Part:
    known = scope.taken.get(field)
    if known is None:
        known = scope.taken[field] = optional(taken(scope, field.type), field)
    return known


def optional(annotation: Part, field: Field) -> Part:
    return either(annotation, "None") if field.optional else annotation


def _spelt(scope: Scope, annotation: str) -> str:
    """An annotation of the table of scalars, as this module has to write it."""

    def name(found: re.Match[str]) -> str:
        return f"_{found[1]}" if "." in found[0] else scope.builtin(found[0])

    return _NAME.sub(name, annotation)


def names_class_of(type_: Type, module: Module) -> bool:
    """Does it name a class that this module may not have made yet? Enums are made
    first.
    """
    match type_:
        case ListType(item):
            return names_class_of(item, module)
        case MapType(_, value):
            return names_class_of(value, module)
        case Struct() | Union():
            return type_.module is module
        case ScalarType() | Enum():
            return False


def _class(scope: Scope, type_: Enum | Struct | Union) -> Part:
    name = scope.class_name(names.type_name(type_), type_.module)
    if isinstance(type_, Enum) and type_.open:
        return either(name, scope.builtin("str"))
    return name
