"""The values that the compiler is full of: a text of some length has thousands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots, frozen for type checkers, by which all of our code goes.

    One that is frozen at run time, too, sets each field the long way round. Nor has a
    class code of its own by which its values are compared and shown: to make that is
    most of the time that a dataclass takes to be defined. What is copied by
    :func:`dataclasses.replace` is an ordinary one: it is typed for no other.
    """
    made: Any = dataclass(slots=True, eq=False, repr=False)(cls)
    made.__eq__, made.__hash__, made.__repr__ = _is_equal, _hash, _shown
    return made  # type: ignore[no-any-return]


def _fields(value: Any) -> tuple[Any, ...]:
    return tuple([getattr(value, name) for name in value.__dataclass_fields__])


def _is_equal(value: Any, other: object) -> Any:
    if type(other) is not type(value):
        return NotImplemented
    return _fields(value) == _fields(other)


def _hash(value: Any) -> int:
    return hash(_fields(value))


def _shown(value: Any) -> str:
    named = zip(value.__dataclass_fields__, _fields(value), strict=True)
    fields = ", ".join(f"{name}={shown!r}" for name, shown in named)
    return f"{type(value).__qualname__}({fields})"
