"""Values as a log may have them: nothing sensitive, nothing long, nothing odd."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final, cast

HIDDEN: Final = "[hidden]"
"""Stands for a value that the schema calls ``@sensitive``."""

_TEXT = 200  # characters
_ITEMS = 20
_DEPTH = 6
_BITS = 256


def redact(value: object) -> object:
    """The value, made of ``None``, bools, numbers, text, lists and dicts.

    What generated classes leave out of their repr is hidden, at any depth. Text,
    lists and dicts are cut where they are long; of bytes there is the length alone.
    """
    return _plain(value, _DEPTH)


def _plain(value: Any, depth: int) -> object:
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        bits = value.bit_length()
        return int(value) if bits <= _BITS else f"<int of {bits:,} bits>"
    if isinstance(value, str):
        more = len(value) - _TEXT
        return str(value) if more <= 0 else f"{value[:_TEXT]}… {more:,} more"
    if isinstance(value, _RAW):
        return f"<{memoryview(value).nbytes:,} bytes>"
    if isinstance(value, Mapping):
        return _mapping(cast("Any", value), depth) if depth else "{…}"
    if isinstance(value, Sequence):
        return _sequence(cast("Any", value), depth) if depth else "[…]"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _record(value, depth) if depth else "{…}"
    if type(value).__module__.split(".")[0] in _ATOMS:
        return str(value)
    return f"<{type(value).__qualname__}>"


_RAW: Any = (bytes, bytearray, memoryview)

_ATOMS = frozenset(("datetime", "decimal", "_decimal", "uuid", "pathlib"))
"""Modules of scalars whose text is short."""


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, object]:
    items = islice(value.items(), _ITEMS)
    plain = {str(_plain(k, 0)): _plain(v, depth - 1) for k, v in items}
    if len(value) > _ITEMS:
        plain["…"] = f"{len(value) - _ITEMS:,} more"
    return plain


def _sequence(value: Sequence[Any], depth: int) -> list[object]:
    plain = [_plain(item, depth - 1) for item in islice(value, _ITEMS)]
    if len(value) > _ITEMS:
        plain.append(f"… {len(value) - _ITEMS:,} more")
    return plain


def _record(value: Any, depth: int) -> dict[str, object]:
    return {
        field.name: (
            _plain(getattr(value, field.name), depth - 1) if field.repr else HIDDEN
        )
        for field in dataclasses.fields(value)
    }
