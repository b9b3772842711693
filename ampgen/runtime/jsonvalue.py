"""JSON as a value: compact UTF-8, stricter than Python's own reader and writer.

Python's ``json`` turns int keys into strings, writes NaN, takes the last of two equal
keys, and reads a lone surrogate: none of these survives the way to another program.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, ForwardRef, TypeAlias, cast

from ampgen.runtime.errors import Fault, as_fault, too_deep, wrong_type

# No string as a whole: generated code writes `Json | None` where it is run.
if TYPE_CHECKING:
    Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
    """What a ``json`` value is in Python."""
else:
    # With its module: `get_type_hints` of a generated class looks names up elsewhere.
    _Inner = ForwardRef("Json", module=__name__)
    Json = bool | int | float | str | list[_Inner] | dict[str, _Inner] | None

_write = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode


def encode_json(value: Json, depth: int) -> bytes:
    _check(value, depth)
    try:
        return _write(value).encode()
    except UnicodeEncodeError:
        raise Fault("a lone surrogate in a JSON string") from None
    except ValueError:  # CPython's guard
        raise Fault("an int of too many digits") from None


def decode_json(raw: bytes, depth: int) -> Json:
    try:
        value: Json = _read(raw.decode())
    except UnicodeDecodeError as error:
        raise as_fault(error) from None
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")  # some of its messages go on so
        raise Fault(f"not JSON: {what} at character {error.pos}") from None
    except RecursionError:
        raise too_deep() from None
    _check(value, depth)
    if b"\\u" in raw:
        encode_json(value, depth)  # refuses a surrogate that an escape has brought in
    return value


def _check(value: Any, depth: int) -> None:
    """``depth`` counts lists and objects, so that a cycle ends as well."""
    if value is None or isinstance(value, (bool, int, str)):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Fault("JSON has no NaN and no infinity")
    elif isinstance(value, (list, dict)):
        if depth < 1:
            raise too_deep()
        if isinstance(value, dict):
            items = cast("dict[object, object]", value)
            for key in items:
                if not isinstance(key, str):
                    raise wrong_type("a str as the key of a JSON object", key)
            inner = list(items.values())
        else:
            inner = cast("list[object]", value)
        for item in inner:
            _check(item, depth - 1)
    else:
        raise wrong_type("a JSON value", value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Fault("a JSON object has one key twice")
    return found


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Fault("an int of too many digits") from None


def _constant(_name: str) -> float:
    raise Fault("JSON has no NaN and no infinity")


_read = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_int, parse_constant=_constant
).decode
