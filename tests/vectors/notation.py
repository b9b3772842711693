"""How values and bytes are written in the vectors."""

# pyright: basic
from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from twisted.python.filepath import FilePath

RUN = 32  # what comes more often than this in a row is written as how many there are
RUNS = re.compile(rb"(.{1,4}?)\1{%d,}" % RUN, re.DOTALL)


def pack(data: bytes) -> list[Any]:
    """Bytes as a list of pieces: hex, or ``[hex, how many times]``."""
    pieces: list[Any] = []
    at = 0
    for run in RUNS.finditer(data):
        if run.start() > at:
            pieces.append(data[at : run.start()].hex())
        pieces.append([run[1].hex(), len(run[0]) // len(run[1])])
        at = run.end()
    if at < len(data):
        pieces.append(data[at:].hex())
    return pieces


def note(value: Any) -> Any:
    """A value as plain JSON.

    A number is a string, so that no reader of JSON rounds it; bytes are packed; a box
    is an object; a struct or union alone is a list of one box, and a map a list of
    boxes with ``key`` and ``value``, as Twisted has them.
    """
    match value:
        case None | bool():
            return value
        case str():
            if len(value) > RUN and value == value[0] * len(value):
                return {"times": len(value), "of": value[0]}
            return value
        case bytes():
            return pack(value)
        case datetime():
            return value.isoformat()
        case FilePath():
            return str(value.path)
        case list():
            return [note(item) for item in value]
        case dict():
            return {key: note(item) for key, item in value.items() if item is not None}
        case float():
            return repr(value)
        case _:
            return str(value)
