"""The values that the compiler is full of: a text of some length has thousands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots, frozen for type checkers, by which all of our code goes.

    One that is frozen at run time, too, sets each field the long way round, and takes
    twice as long to be defined. What :func:`dataclasses.replace` is used of has to be
    one all the same: it is typed for no others.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
