"""Recordings of conversations: files of JSON lines. The first one says what it is.

Each further line is something that happened, in order, with its time and the number of
its connection; ``docs/proxy.md`` has them all. A recording knows the schemas that it
was made by, so that whoever reads it needs no others.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from ampgen.tools.jsonvalues import dumps
from ampgen.tools.recordings.withholding import Length, StandIn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.recordings.withholding import Kept
    from ampgen.tools.seeing.seen import SeenBytes, Side

VERSION = 1
MAGIC = "ampgen_recording"


class Values(StrEnum):
    """What is kept of values.

    ``ALL``: secrets, too. ``REDACTED``: all that the schema knows, and does not call
    sensitive. ``LENGTHS``: there was no schema.
    """

    ALL = "all"
    REDACTED = "redacted"
    LENGTHS = "lengths"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """``began`` is in ISO 8601. ``hidden``: what the schema calls sensitive, by name.

    ``schemas`` and ``roots``: as ``memory.load_texts`` takes them, without a schema
    empty.
    """

    began: str
    upstream: str
    values: Values
    hidden: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    schemas: Mapping[str, str] = field(default_factory=dict[str, str])
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    number: int
    at: float
    peer: str


@dataclass(frozen=True, slots=True)
class Boxed:
    """A box, with what is kept of it."""

    number: int
    at: float
    sender: Side
    box: dict[bytes, Kept]


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that are no boxes. Of ``seen`` neither key nor start is kept."""

    number: int
    at: float
    seen: SeenBytes


@dataclass(frozen=True, slots=True)
class Dropped:
    """Descriptors that did not get through."""

    number: int
    at: float
    sender: Side
    descriptors: int


@dataclass(frozen=True, slots=True)
class Ended:
    """This side sends no more."""

    number: int
    at: float
    sender: Side


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection broke off; without a ``side``, it never came to be."""

    number: int
    at: float
    side: Side | None
    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    number: int
    at: float


Event: TypeAlias = Opened | Boxed | Broken | Dropped | Ended | Failed | Closed


# --- as lines -------------------------------------------------------------------------


def header_line(header: Header) -> str:
    data: dict[str, Json] = {
        MAGIC: VERSION,
        "made_by": header.made_by,
        "began": header.began,
        "upstream": header.upstream,
        "values": header.values.value,
        "hidden": list(header.hidden),
        "roots": list(header.roots),
        "schemas": dict(header.schemas),
    }
    return dumps(data) + "\n"


def line(event: Event) -> str:
    return dumps(event_to_json(event)) + "\n"


def event_to_json(event: Event) -> dict[str, Json]:
    time = round(event.at, 6)
    data: dict[str, Json] = {"connection": event.number, "time": time}
    match event:
        case Opened():
            data |= {"event": "opened", "peer": event.peer}
        case Boxed():
            pairs = event.box.items()
            box: list[Json] = [[_bytes(key), _kept(value)] for key, value in pairs]
            data |= {"from": event.sender.value, "box": box}
        case Broken(seen=seen):
            data |= {
                "event": "broken",
                "from": seen.sender.value,
                "why": seen.why.value,
            }
            data |= {"rule": seen.rule, "offset": seen.offset, "size": seen.size}
            data |= {"fault": seen.fault}
        case Dropped():
            data |= {"event": "dropped", "from": event.sender.value}
            data |= {"descriptors": event.descriptors}
        case Ended():
            data |= {"event": "ended", "from": event.sender.value}
        case Failed():
            side = None if event.side is None else event.side.value
            data |= {"event": "failed", "side": side, "reason": event.reason}
        case Closed():
            data |= {"event": "closed"}
    return data


def _bytes(raw: bytes) -> Json:
    """Text where the bytes are text, and so a person can read most of a recording."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _kept(value: Kept) -> Json:
    match value:
        case Length(size):
            return {"bytes": size}
        case StandIn(raw, ()):
            return {"hidden": _bytes(raw)}
        case StandIn(raw, paths):
            return {"hidden": _bytes(raw), "paths": list(paths)}
        case _:
            return _bytes(value)


def is_recording(start: bytes) -> bool:
    """Do the bytes begin as the file of a recording does?"""
    return start.startswith(b'{"%b":' % MAGIC.encode())
