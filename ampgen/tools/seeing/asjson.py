"""What is seen of a conversation, as JSON: one object for each box."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, cast

from ampgen.tools.jsonvalues import dumps
from ampgen.tools.seeing.seen import Opaque, SeenBox, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.seeing.seen import Blame, Seen, SeenBytes

_OPEN = frozenset(("traceparent", "tracestate"))
"""Metadata whose values may be shown: https://www.w3.org/TR/trace-context/."""


def seen_to_json(
    seen: Seen, *, connection: int | None = None, raw: bool = False
) -> dict[str, Json]:
    """What is absent is left out.

    ``raw``: with the bytes of what no schema knows, and not their number alone. What a
    schema calls sensitive is hidden all the same.
    """
    found: dict[str, Json] = {}
    if connection is not None:
        found["connection"] = connection
    if seen.at is not None:
        found["time"] = seen.at
    found |= {"from": str(seen.sender), "offset": seen.offset, "size": seen.size}
    return found | (_box(seen, raw) if isinstance(seen, SeenBox) else _bytes(seen, raw))


def json_line(data: Json, *, ascii_: bool = False) -> str:
    """JSON text in which nothing steers a terminal. ``ascii_``: it lacks the rest."""
    text = dumps(data, ascii_=ascii_)
    if text.isprintable():
        return text
    return dumps(data, ascii_=True).replace("\x7f", "\\u007f")


def metadata_shown(seen: SeenBox, *, raw: bool) -> dict[str, str | Opaque]:
    """No schema says what is in metadata: there may be tokens."""
    return (
        {
            name: value if name in _OPEN else Opaque(value.encode())
            for name, value in seen.metadata.items()
        }
        if not raw
        else dict(seen.metadata)
    )


def _box(seen: SeenBox, raw: bool) -> dict[str, Json]:
    found: dict[str, Json] = {"kind": str(seen.kind)}
    for name, value in (("tag", seen.tag), ("stream", seen.stream)):
        if value is not None:
            found[name] = as_text(value)
    if seen.command:
        found["command"] = seen.command
    if seen.service is not None:
        found["service"] = seen.service
    if seen.code is not None:
        found["code"] = seen.code
    if seen.description is not None:
        found["description"] = seen.description
    decoded = {
        name: value for name, value in seen.fields.items() if not _is_opaque(value)
    }
    if decoded or seen.declared:
        found["fields"] = cast("Json", decoded)
    undecoded = {
        name: value for name, value in seen.fields.items() if isinstance(value, Opaque)
    }
    _put(found, "undecoded", undecoded, raw)
    _put(found, "unknown", seen.others, raw)
    if seen.hidden:
        found["hidden"] = cast("Json", list(seen.hidden))
    found |= seen.extras
    _put(found, "metadata", metadata_shown(seen, raw=raw), raw)
    if seen.elapsed is not None:
        found["elapsed"] = round(seen.elapsed, 6)
    if seen.blames:
        found["faults"] = cast("Json", [_blame(one) for one in seen.blames])
    if seen.notes:
        found["notes"] = cast("Json", list(seen.notes))
    return found


def _bytes(seen: SeenBytes, raw: bool) -> dict[str, Json]:
    found: dict[str, Json] = {"kind": "bytes", "why": str(seen.why)}
    if seen.key:
        found["key"] = seen.key
    found["rule"] = seen.rule
    found["fault"] = seen.fault
    if raw and seen.start:
        found["start"] = base64.b64encode(seen.start).decode()
    return found


def _put(
    found: dict[str, Json], name: str, values: Mapping[str, str | Opaque], raw: bool
) -> None:
    if values:
        found[name] = {
            key: opaque_to_json(one, raw=raw) if isinstance(one, Opaque) else one
            for key, one in values.items()
        }


def opaque_to_json(value: Opaque, *, raw: bool) -> dict[str, Json]:
    """How many bytes there are; and the bytes, if they may be shown."""
    found: dict[str, Json] = {"bytes": len(value.raw)}
    if raw and not value.hidden:
        found["base64"] = base64.b64encode(value.raw).decode()
    return found


def _is_opaque(value: object) -> bool:
    return isinstance(value, Opaque)


def _blame(one: Blame) -> dict[str, Json]:
    found: dict[str, Json] = {"offset": one.offset}
    if one.key:
        found["key"] = one.key
    return found | {"rule": one.rule}
