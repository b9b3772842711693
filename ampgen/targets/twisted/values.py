"""Types: the ``Argument`` that carries one, and its annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.values import Scalar
from ampgen.targets.python import names as python_names
from ampgen.targets.python.layout import (
    Group,
    Part,
    byte_string,
    call,
    either,
    subscript,
)
from ampgen.targets.python.records import default

if TYPE_CHECKING:
    from ampgen.model import Field, Type
    from ampgen.targets.python.scope import Scope

OPTIONAL = "optional=True"

# The class that carries a scalar, and what the value is in Python.
_SCALARS = {
    Scalar.BOOL: ("_amp.Boolean", "bool"),
    Scalar.INT: ("_amp.Integer", "int"),
    Scalar.FLOAT: ("_amp.Float", "float"),
    Scalar.STR: ("_amp.Unicode", "str"),
    Scalar.BYTES: ("_amp.String", "bytes"),
    Scalar.DECIMAL: ("_amp.Decimal", "_Decimal"),
    Scalar.DATETIME: ("_amp.DateTime", "_datetime"),
    Scalar.DATE: ("_arguments.Date", "_date"),
    Scalar.DURATION: ("_arguments.Duration", "_timedelta"),
    Scalar.UUID: ("_arguments.Uuid", "_UUID"),
    Scalar.JSON: ("_arguments.Json", "_Any"),
    Scalar.PATH: ("_arguments.Path", "_Path"),
    Scalar.FD: ("_amp.Descriptor", "int"),
}


def pair(scope: Scope, field: Field) -> Part:
    """An entry of ``arguments``, or of another such list."""
    argument = _argument(scope, field.type, optional=field.optional)
    if field.default is not None:
        value = default(scope, field.default, field, mutable=True)
        argument = call("_arguments.Default", argument, value)
    if field.large:
        argument = call("_arguments.Large", argument)
    return a_pair(byte_string(field.key.encode()), argument)


def a_pair(first: Part, second: Part) -> Group:
    return Group("(", (first, second), ")")


def _argument(
    scope: Scope, type_: Type, *, optional: bool = False, nested: bool = False
) -> Part:
    """``nested``: in a list, where Twisted's own ``AmpList`` cannot be."""
    function, arguments = _constructor(scope, type_, nested=nested)
    return call(function, *arguments, *([OPTIONAL] if optional else []))


def _constructor(
    scope: Scope, type_: Type, *, nested: bool
) -> tuple[str, tuple[Part, ...]]:
    match type_:
        case ScalarType(scalar):
            return _SCALARS[scalar][0], ()
        case ListType(Struct() as struct):
            boxes = "_arguments.Boxes" if nested else "_amp.AmpList"
            return boxes, (scope.reference("fields", struct),)
        case ListType(Union() as union):
            return "_arguments.Unions", (scope.reference("fields", union),)
        case ListType(item):
            return "_amp.ListOf", (_argument(scope, item, nested=True),)
        case MapType(key, value):
            parts = _argument(scope, key), _argument(scope, value)
            return "_arguments.Map", parts
        case Struct():
            return "_arguments.Struct", (scope.reference("fields", type_),)
        case Union():
            return "_arguments.Union", (scope.reference("fields", type_),)
        case Enum():
            kind = "_arguments.OpenEnum" if type_.open else "_arguments.Enum"
            return kind, (_class(scope, type_),)


def annotation(scope: Scope, field: Field) -> Part:
    """The type of a value in a dictionary, and of a responder's parameter."""
    given = _annotation(scope, field.type)
    return either(given, "None") if field.optional else given


def _annotation(scope: Scope, type_: Type) -> Part:
    match type_:
        case ScalarType(scalar):
            name = _SCALARS[scalar][1]
            return name if name.startswith("_") else scope.builtin(name)
        case ListType(item):
            return subscript(scope.builtin("list"), _annotation(scope, item))
        case MapType(key, value):
            parts = _annotation(scope, key), _annotation(scope, value)
            return subscript(scope.builtin("dict"), *parts)
        case Enum() if type_.open:
            return either(_class(scope, type_), scope.builtin("str"))
        case Enum() | Struct() | Union():
            return _class(scope, type_)


def _class(scope: Scope, type_: Enum | Struct | Union) -> str:
    return scope.class_name(python_names.type_name(type_), type_.module)
