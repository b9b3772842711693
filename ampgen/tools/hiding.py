"""Values as JSON that people may see: without what the schema calls ``@sensitive``.

A descriptor's number says nothing outside of its process: it is not shown either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ampgen.model import ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.redaction import HIDDEN
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ampgen.model import Field, Result, Type
    from ampgen.runtime.jsonvalue import Json

DESCRIPTOR = "[descriptor]"


def hide(type_: Type, data: Json) -> Json:
    """``data`` is of this type, as ``jsonvalues`` writes it."""
    match type_, data:
        case ListType(item), list():
            return [hide(item, one) for one in data]
        case MapType(_, inner), dict():
            return {key: hide(inner, one) for key, one in data.items()}
        case Struct(), dict():
            return hide_fields(type_.fields, data)
        case Union(), dict():
            return hide_fields(type_.members, data)
        case ScalarType(Scalar.FD), int():
            return DESCRIPTOR
        case _:
            return data


def hide_fields(fields: Iterable[Field], data: dict[str, Json]) -> dict[str, Json]:
    """An object of these fields."""
    known = {field.name: field for field in fields}
    return {
        name: HIDDEN if known[name].sensitive else hide(known[name].type, one)
        for name, one in data.items()
    }


def hide_result(result: Result | None, data: Json) -> Json:
    """What a command answers, or an item of the stream that it answers."""
    if result is None or data is None:
        return None
    if not result.bare:
        return hide_fields(result.fields, cast("dict[str, Json]", data))
    [field] = result.fields
    return hide_fields((field,), {field.name: data})[field.name]
