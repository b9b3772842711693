"""Is a box what it was? By the schema, field by field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.runtime.wire import large_key
from ampgen.tools.jsonvalues import dumps
from ampgen.tools.recordings.withholding import Length
from ampgen.tools.seeing.seen import Opaque

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.recordings.withholding import Kept
    from ampgen.tools.seeing.seen import SeenBox

_SHOWN = 60  # characters of a value


def differences(
    before: SeenBox, kept: Mapping[bytes, Kept], now: SeenBox
) -> Iterator[str]:
    """What is different, in words; nothing secret is in them.

    ``kept``: what the recording has of the earlier one. Tags and what goes beyond AMP
    are not compared, nor is what was hidden, but for its being there.
    """
    if before.kind is not now.kind:
        yield f"{_kind(before)}, and now {_kind(now)}"
        return
    if before.code != now.code:
        yield f"error {before.code}, and now {now.code}"
    elif before.description != now.description and not isinstance(
        kept.get(b"_error_description"), Length
    ):
        then, today = _text(before.description), _text(now.description)
        yield f"description {then}, and now {today}"
    for name in dict.fromkeys((*before.fields, *now.fields)):
        yield from _field(name, before, kept, now)
    for name in dict.fromkeys((*before.others, *now.others)):
        key = name.encode()
        if key not in before.box and key not in now.box:
            continue  # in a struct: there a recording has it only if it has everything
        old, new = before.others.get(name), now.others.get(name)
        if (old is None) is not (new is None):
            yield _missing(name, old is None)
        elif old != new and isinstance(kept.get(key), bytes):
            yield f"{name}: other bytes"


def _kind(box: SeenBox) -> str:
    return f"error {box.code}" if box.code is not None else box.kind.value


def _field(
    name: str, before: SeenBox, kept: Mapping[bytes, Kept], now: SeenBox
) -> Iterator[str]:
    if (name in before.fields) is not (name in now.fields):
        yield _missing(name, name in now.fields)
        return
    old, new = before.fields[name], now.fields[name]
    pieces = _pieces(name, before)
    withheld = not all(isinstance(kept.get(key), bytes) for key in pieces)
    if old == new:
        hidden = any(re.match(f"{re.escape(name)}([.[]|$)", one) for one in now.hidden)
        if hidden and not withheld and pieces != _pieces(name, now):
            yield f"{name}: another value, in what is hidden"
    elif isinstance(old, Opaque) and withheld:
        pass  # there was no stand-in for it
    elif isinstance(old, Opaque) or isinstance(new, Opaque):
        yield f"{name}: {_opaque(old)}, and now {_opaque(new)}"
    else:
        yield f"{name}: {_text(old)}, and now {_text(new)}"


def _pieces(name: str, box: SeenBox) -> dict[bytes, bytes]:
    """The bytes of a field, of which there are several values if it is large."""
    key = next((one.key for one in box.declared if one.name == name), name).encode()
    return {one: raw for one, raw in box.box.items() if large_key(one, (key,)) == key}


def _missing(name: str, new: bool) -> str:
    return f"{name}: not there before" if new else f"{name}: not there any more"


def _opaque(value: Json | Opaque) -> str:
    return "does not decode" if isinstance(value, Opaque) else "decodes"


def _text(value: Json) -> str:
    text = dumps(value, ascii_=True)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
