"""What a generated module imports: whatever of this table its code uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.targets.python.imports import used
from ampgen.targets.python.layout import Group, statement

if TYPE_CHECKING:
    from collections.abc import Iterator

ARGUMENTS = "_arguments"  # the module beside, which every package has

# Module -> names, in the order in which a formatter has them.
_TABLE = {
    "collections.abc": ("Awaitable",),
    "datetime": ("date", "datetime", "timedelta"),
    "decimal": ("Decimal",),
    "enum": ("Enum",),
    "math": ("inf", "nan"),
    "pathlib": ("Path",),
    "typing": ("Any", "TypeAlias"),
    "uuid": ("UUID",),
    "twisted.protocols": ("amp",),
    "typing_extensions": ("NotRequired", "TypedDict"),
}
_BUILTINS = "_builtins"
_OTHERS = ("twisted.protocols", "typing_extensions")

IMPORTABLE = frozenset(f"_{name}" for names in _TABLE.values() for name in names) | {
    ARGUMENTS,
    _BUILTINS,
    "_ampgen",  # attributes of the classes that are made
    "_calls",
}


def standard(body: str) -> list[str]:
    """The statements for the standard library."""
    there = used(body, IMPORTABLE)
    builtins = ["import builtins as _builtins"] if _BUILTINS in there else []
    return builtins + [
        line
        for module in _TABLE
        if module not in _OTHERS
        for line in _from(module, there)
    ]


def others(body: str) -> list[str]:
    """The statements for Twisted, and what Twisted brings with it."""
    there = used(body, IMPORTABLE)
    return [line for module in _OTHERS for line in _from(module, there)]


def uses_arguments(body: str) -> bool:
    return ARGUMENTS in used(body, IMPORTABLE)


def _from(module: str, there: frozenset[str]) -> Iterator[str]:
    names = tuple(
        f"{name} as _{name}" for name in _TABLE[module] if f"_{name}" in there
    )
    if names:
        yield statement(f"from {module} import ", Group("(", names, ")", bare=True))
