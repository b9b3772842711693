"""What a project's own templates have beside Jinja's: filters and tests. A promise.

``docs/templates.md`` lists them; a test holds that page and these tables together.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ampgen.model import (
    Alias,
    Command,
    EmptyMap,
    Enum,
    EnumMember,
    Error,
    Field,
    Module,
    Service,
    Struct,
    Union,
)
from ampgen.targets.python import names
from ampgen.targets.python.layout import string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from ampgen.model import Declaration, Extra, ExtraValue

    Noted: TypeAlias = Declaration | Command | Field | EnumMember


def extra(noted: Noted, name: str) -> Extra | None:
    """The first ``@x.name(…)`` of a declaration, command, member or field."""
    return next((one for one in noted.notes.extras if one.name == name), None)


def extras(noted: Noted, name: str) -> list[Extra]:
    """All of that name: an annotation may be repeated."""
    return [one for one in noted.notes.extras if one.name == name]


def literal(value: ExtraValue | None) -> str:
    """The value in Python: text, number, bool, list, or ``None``."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, EmptyMap):
        return "{}"
    if isinstance(value, float) and (value != value or value in (_INF, -_INF)):
        return f'float("{value}")'
    return string(value) if isinstance(value, str) else repr(value)


def python_name(named: Noted | Module) -> str:
    """What generated code calls it: a class, a method, a field, a module's path.

    Of a service that is the start of its classes' names: ``TextClient``, ``TextServer``
    for ``Text``. An argument has further names to avoid: :func:`argument_name`.
    """
    match named:
        case Module():
            return ".".join(names.module_path(named.path))
        case Service():
            return names.cap_words(named.name)
        case Command():
            return names.method_name(named)
        case Field():
            return names.field_name(named)
        case EnumMember():
            return names.member_name(named.name)
        case Alias():
            return named.name
        case _:
            return names.type_name(named)


FILTERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "extra": extra,
        "extras": extras,
        "literal": literal,
        "python_name": python_name,
        "argument_name": names.argument_name,
        "result_class": names.result_class,
    }
)

_KINDS = {
    "alias": Alias,
    "enum": Enum,
    "struct": Struct,
    "union": Union,
    "error": Error,
    "service": Service,
}


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


TESTS: Mapping[str, Callable[..., bool]] = MappingProxyType(
    {name: _is(kind) for name, kind in _KINDS.items()}
)

_INF = float("inf")
