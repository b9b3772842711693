"""Fast makers of the frozen dataclasses that the generated decoders give out."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def maker(cls: type[T]) -> Callable[..., T]:
    """A function that makes a ``cls`` of all its fields, by position, in their order.

    ``__init__`` of a frozen dataclass has to go round its own ``__setattr__``, once for
    each field: that takes five times as long as a plain class's, and was a quarter of
    the time of decoding. So a plain class with the same slots is filled, and then told
    what it is: Python allows that between classes of one layout.
    """
    names = [field.name for field in fields(cast("Any", cls))]
    draft = type(f"{cls.__name__} in the making", (), {"__slots__": tuple(names)})
    # no field's name starts with an underscore
    lines = [
        f"def make({', '.join(names)}):",
        "    _record = _draft()",
        *(f"    _record.{name} = {name}" for name in names),
        "    _record.__class__ = _cls",
        "    return _record",
    ]
    scope: dict[str, Any] = {"_draft": draft, "_cls": cls}
    # as `dataclass` itself does it: only code that names each field is fast
    exec("\n".join(lines), scope)  # noqa: S102
    make: Callable[..., T] = scope["make"]
    return make
