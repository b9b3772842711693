"""The frozen dataclasses that the generated modules declare, made fast."""

from __future__ import annotations

import functools
from dataclasses import MISSING, fields
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

    Programs that make one go through ``__init__`` all the same. It becomes one that
    asks the slots themselves, which takes a quarter less.
    """
    names = [field.name for field in fields(cast("Any", cls))]
    if names:
        _quicken_init(cls)
    draft = type(f"{cls.__name__} in the making", (), {"__slots__": tuple(names)})
    # no field's name starts with an underscore
    lines = [
        f"def make({', '.join(names)}):",
        "    _record = _draft()",
        *(f"    _record.{name} = {name}" for name in names),
        "    _record.__class__ = _cls",
        "    return _record",
    ]
    make: Callable[..., T] = _compiled(lines, _draft=draft, _cls=cls)
    return make


def _quicken_init(cls: type[Any]) -> None:
    """Give it another ``__init__`` that takes the same, all of it by keyword."""
    scope: dict[str, Any] = {}
    parameters: list[str] = []
    lines: list[str] = []
    old: Any = cls.__init__
    for field in fields(cls):
        name = value = field.name
        scope[f"_set_{name}"] = getattr(cls, name).__set__
        if field.default_factory is not MISSING:
            scope[f"_make_{name}"] = field.default_factory
            scope[f"_unset_{name}"] = old.__kwdefaults__[name]
            value = f"_make_{name}() if {name} is _unset_{name} else {name}"
        parameters.append(name)
        lines.append(f"    _set_{name}(_self, {value})")
    header = f"def __init__(_self, *, {', '.join(parameters)}):"
    new = _compiled([header, *lines], **scope)
    new.__kwdefaults__ = old.__kwdefaults__
    functools.update_wrapper(new, old)
    cls.__init__ = new


def _compiled(lines: list[str], **scope: object) -> Any:
    """As ``dataclass`` itself does it: only code that names each field is fast."""
    exec("\n".join(lines), scope)  # noqa: S102
    return scope[lines[0].split("(")[0].removeprefix("def ")]
