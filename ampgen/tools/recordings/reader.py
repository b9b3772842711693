"""Recordings that are read: files of other days, and of other people."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from ampgen.runtime.errors import Fault
from ampgen.runtime.wire import MAX_KEY, MAX_VALUE
from ampgen.tools.jsonvalues import parse
from ampgen.tools.memory import SchemaError, load_texts
from ampgen.tools.recordings.events import (
    MAGIC,
    VERSION,
    Boxed,
    Broken,
    Closed,
    Dropped,
    Ended,
    Failed,
    Header,
    Opened,
    Values,
    is_recording,
)
from ampgen.tools.recordings.withholding import Length, StandIn
from ampgen.tools.seeing.seen import Break, SeenBytes, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.memory import Loaded
    from ampgen.tools.recordings.events import Event
    from ampgen.tools.recordings.withholding import Kept


class RecordingError(Exception):
    """A file is no recording, or one that is broken or too new. The text says where."""


class Recording:
    """One that is read: its header, and, once, its events in their order.

    ``cut``: the last line was not whole, and is left out; known in the end. Raises
    :class:`RecordingError`, from the events as well.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self.cut = False
        self.header = _read_header(next(self._lines, b""))

    def events(self) -> Iterator[Event]:
        for number, one in enumerate(self._lines, 2):
            if not one.endswith(b"\n"):
                self.cut = True
                return
            try:
                yield _read_event(_Object(parse(one)))
            except Fault as fault:
                raise RecordingError(f"line {number}: {fault}") from None


def load_recorded(header: Header) -> Loaded | None:
    """The schemas that it was made by; :class:`RecordingError` if they do not do."""
    if not header.schemas:
        return None
    if not set(header.roots) <= header.schemas.keys():
        raise RecordingError("line 1: a root that is none of the schemas")
    try:
        return load_texts(header.schemas, header.roots)
    except SchemaError as error:
        raise RecordingError(f"its schemas do not compile:\n{error}") from None


def _read_header(first: bytes) -> Header:
    if not is_recording(first):
        raise RecordingError("this is no recording")
    try:
        data = _Object(parse(first))
        version = data.integer(MAGIC)
        if version > VERSION:
            raise RecordingError(
                f"version {version} of recordings, which a newer ampgen has made;"
                f" this one reads {VERSION}"
            )
        return Header(
            began=data.text("began"),
            upstream=data.text("upstream"),
            values=Values(data.one_of("values", [one.value for one in Values])),
            hidden=tuple(data.texts("hidden")),
            roots=tuple(data.texts("roots")),
            schemas=data.mapping("schemas"),
            made_by=data.text("made_by"),
        )
    except Fault as fault:
        raise RecordingError(f"line 1: {fault}") from None


def _read_event(data: _Object) -> Event:
    number, at = data.integer("connection"), data.number("time")
    if data.has("box"):
        return Boxed(number, at, data.side("from"), data.box())
    match data.text("event"):
        case "opened":
            return Opened(number, at, data.text("peer"))
        case "broken":
            return Broken(number, at, data.bytes_seen(at))
        case "dropped":
            return Dropped(number, at, data.side("from"), data.integer("descriptors"))
        case "ended":
            return Ended(number, at, data.side("from"))
        case "failed":
            side = data.side("side") if data.has("side") else None
            return Failed(number, at, side, data.text("reason"))
        case "closed":
            return Closed(number, at)
        case _:
            raise Fault("unknown", "event")


class _Object:
    """A JSON object, its members asked for by type; a ``Fault`` names the member."""

    def __init__(self, data: Json) -> None:
        if not isinstance(data, dict):
            raise Fault("an object is expected")
        self._data = data

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def _get(self, name: str, kind: Any, what: str) -> Any:
        value = self._data.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Fault(f"{what} is expected", name)
        return value

    def text(self, name: str) -> str:
        return cast("str", self._get(name, str, "a string"))

    def integer(self, name: str) -> int:
        value = cast("int", self._get(name, int, "a number, 0 or more,"))
        if value < 0:
            raise Fault("a number, 0 or more, is expected", name)
        return value

    def number(self, name: str) -> float:
        try:
            return float(self._get(name, (int, float), "a number"))
        except OverflowError:
            raise Fault("too large a number", name) from None

    def texts(self, name: str) -> list[str]:
        values = cast("list[Json]", self._get(name, list, "an array of strings"))
        if not all(isinstance(one, str) for one in values):
            raise Fault("an array of strings is expected", name)
        return cast("list[str]", values)

    def mapping(self, name: str) -> dict[str, str]:
        values = cast("dict[str, Json]", self._get(name, dict, "an object of strings"))
        if not all(isinstance(one, str) for one in values.values()):
            raise Fault("an object of strings is expected", name)
        return cast("dict[str, str]", values)

    def one_of(self, name: str, values: list[str]) -> str:
        value = self.text(name)
        if value not in values:
            raise Fault(f"one of {', '.join(values)} is expected", name)
        return value

    def side(self, name: str) -> Side:
        return Side(self.one_of(name, [one.value for one in Side]))

    def bytes_seen(self, at: float) -> SeenBytes:
        fault = self._data.get("fault")
        if not isinstance(fault, bool):
            raise Fault("a boolean is expected", "fault")
        return SeenBytes(
            sender=self.side("from"),
            at=at,
            offset=self.integer("offset"),
            size=self.integer("size"),
            why=Break(self.one_of("why", [one.value for one in Break])),
            rule=self.text("rule"),
            fault=fault,
        )

    def box(self) -> dict[bytes, Kept]:
        found: dict[bytes, Kept] = {}
        pairs = cast("list[Json]", self._get("box", list, "an array of pairs"))
        for number, pair in enumerate(pairs):
            place = f"box[{number}]"
            if not isinstance(pair, list) or len(pair) != 2:
                raise Fault("a pair of a key and a value is expected", place)
            key = _read_bytes(pair[0], place)
            if not 1 <= len(key) <= MAX_KEY:
                raise Fault(f"a key has 1 to {MAX_KEY} bytes", place)
            found[key] = _read_kept(pair[1], place)
        return found


def _read_bytes(data: Json, place: str) -> bytes:
    if isinstance(data, dict) and data.keys() == {"base64"}:
        try:
            return base64.b64decode(str(data["base64"]), validate=True)
        except ValueError:
            raise Fault("this is not base64", place) from None
    if not isinstance(data, str):
        raise Fault("a string, or an object `base64`, is expected", place)
    return data.encode()


def _read_kept(data: Json, place: str) -> Kept:
    value: Kept
    if isinstance(data, dict) and "bytes" in data:
        value = Length(_Object(data).integer("bytes"))
        size = value.size
    elif isinstance(data, dict) and "hidden" in data:
        paths = _Object(data).texts("paths") if "paths" in data else ()
        value = StandIn(_read_bytes(data["hidden"], place), tuple(paths))
        size = len(value.raw)
    else:
        value = _read_bytes(data, place)
        size = len(value)
    if size > MAX_VALUE:
        raise Fault(f"a value has at most {MAX_VALUE:,} bytes", place)
    return value
