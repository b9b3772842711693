"""What is seen of a conversation, for people: a line for each box.

Under a box that has faults there is a line for each, and for what is odd. Nothing that
a peer has sent reaches a terminal as anything but text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.redaction import HIDDEN
from ampgen.tools.jsonvalues import dumps
from ampgen.tools.seeing.asjson import metadata_shown
from ampgen.tools.seeing.seen import Break, Kind, Opaque, SeenBox, Side, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.seeing.seen import Seen, SeenBytes

_WIDTH = 72  # characters of one value, unless all of it is wanted
_COMMAND = 16  # the column grows with the longest command so far, up to the second
_LONG_COMMAND = 32
_MARKS = {Side.CLIENT: ">", Side.SERVER: "<"}
_RESET, _DIM, _RED, _BOLD_RED, _CYAN, _GREEN = (
    f"\033[{code}m" for code in ("0", "2", "31", "1;31", "36", "32")
)


class TextPrinter:
    """Makes the lines. ``timed``: with the times, for what has them.

    ``raw``: with the bytes of what no schema knows, and not their number alone.
    ``full``: nothing is cut. ``schema``: there is one, so that what it does not know is
    marked with ``?``.
    """

    def __init__(
        self,
        *,
        timed: bool,
        schema: bool,
        raw: bool = False,
        full: bool = False,
        colour: bool = False,
    ) -> None:
        self._timed = timed
        self._schema = schema
        self._raw = raw
        self._full = full
        self._colour = colour
        self._began: float | None = None
        self._width = _COMMAND

    def lines(self, seen: Seen, *, connection: int | None = None) -> Iterator[str]:
        """Without line ends. ``connection``: its number, where there are several."""
        columns = self._head(seen, connection)
        if isinstance(seen, SeenBox):
            columns += [*self._call(seen), *self._contents(seen)]
        else:
            colour = _BOLD_RED if seen.fault else _DIM
            columns.append(self._paint(colour, _tell(seen, self._raw)))
        yield " ".join(columns).rstrip()
        if isinstance(seen, SeenBox):
            for blame in seen.blames:
                key = f", key `{escaped(blame.key)}`" if blame.key else ""
                text = f"offset {blame.offset:,}{key}: {escaped(blame.rule)}"
                yield f"    {self._paint(_BOLD_RED, f'fault: {text}')}"
            for note in seen.notes:
                yield f"    {self._paint(_DIM, f'note: {escaped(note)}')}"

    def begin(self, at: float) -> None:
        """Times count from here, unless they do already."""
        if self._began is None:
            self._began = at

    def told(self, at: float, text: str, *, connection: int) -> str:
        """The line of what is no box: of a connection that opens, or ends."""
        columns = [f"#{connection:<3}", self._time(at), "*", escaped(text)]
        return self._paint(_DIM, " ".join(columns))

    # --- columns ----------------------------------------------------------------------

    def _head(self, seen: Seen, connection: int | None) -> list[str]:
        found: list[str] = []
        if connection is not None:
            found.append(f"#{connection:<3}")
        if self._timed:
            found.append(self._time(seen.at))
        colour = _CYAN if seen.sender is Side.CLIENT else _GREEN
        found.append(self._paint(colour, _MARKS[seen.sender]))
        return found

    def _time(self, at: float | None) -> str:
        if at is None:
            return " " * 11
        self.begin(at)
        return f"{at - (self._began or 0.0):11.6f}"

    def _call(self, seen: SeenBox) -> list[str]:
        kind = f"{seen.kind:6}"
        if seen.kind in (Kind.ERROR, Kind.NONE):
            kind = self._paint(_RED, kind)
        tag = seen.tag if seen.tag is not None else seen.stream
        shown = "" if tag is None else escaped(as_text(tag))
        name = escaped(seen.command) or "?"
        if seen.service is not None:
            name = f"{seen.service}.{name}"
        self._width = max(self._width, min(len(name), _LONG_COMMAND))
        found = [kind, f"{_cut(shown, 12):4}", f"{_cut(name, 80):{self._width}}"]
        if self._timed:
            elapsed = "" if seen.elapsed is None else duration(seen.elapsed)
            found.append(f"{elapsed:>9}")
        return found

    def _contents(self, seen: SeenBox) -> Iterator[str]:
        if seen.code is not None:
            yield self._paint(_RED, self._short(escaped(seen.code)))
        if seen.description is not None:
            yield self._value(seen.description)
        for name, value in seen.fields.items():
            if isinstance(value, Opaque):
                text = self._opaque(value, decoded=False)
            elif value == HIDDEN and name in seen.hidden:
                text = self._paint(_DIM, HIDDEN)
            else:
                text = self._value(value)
            yield f"{escaped(name)}={text}"
        mark = "?" if self._schema else ""
        for name, other in seen.others.items():
            yield f"{mark}{escaped(name)}={self._opaque(other)}"
        extras = [*self._extras(seen)]
        if extras:
            yield self._paint(_DIM, f"({', '.join(extras)})")

    def _extras(self, seen: SeenBox) -> Iterator[str]:
        for name, value in seen.extras.items():
            if name == "timeout" and isinstance(value, (int, float)):
                yield f"timeout {duration(value)}"
            elif isinstance(value, list):
                yield self._short(escaped(f"{name} {' '.join(map(str, value))}"))
            else:
                yield f"{name} {value}"
        for name, told in metadata_shown(seen, raw=self._raw).items():
            yield f"{name}={self._value(told)}"

    # --- values -----------------------------------------------------------------------

    def _value(self, value: Json | Opaque) -> str:
        if isinstance(value, Opaque):
            return self._opaque(value)
        return self._short(escaped(dumps(value)))

    def _opaque(self, value: Opaque, *, decoded: bool = True) -> str:
        number = _bytes(len(value.raw))
        if value.hidden:
            return f"{HIDDEN[:-1]}, {number}]"
        if self._raw:
            return self._short(repr(value.raw), len(value.raw))
        return f"<{number}>" if decoded else f"<{number}, not decoded>"

    def _short(self, text: str, size: int | None = None) -> str:
        """``size``: of the value, where it is not the text's."""
        if self._full or len(text) <= _WIDTH:
            return text
        size = len(text.encode()) if size is None else size
        return f"{text[:_WIDTH]}…({_bytes(size)})"

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colour else text


def escaped(text: str) -> str:
    """One line, and nothing in it that a terminal would act on."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode()
        for one in text
    )


def duration(seconds: float) -> str:
    if abs(seconds) < 0.0009995:
        return f"{seconds * 1e6:.0f} µs"
    if abs(seconds) < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.4g} s" if abs(seconds) < 10_000 else f"{seconds:,.0f} s"


def _tell(seen: SeenBytes, raw: bool) -> str:
    words = "fault" if seen.fault else "note"
    key = f", key `{escaped(seen.key)}`" if seen.key else ""
    text = f"{words}: offset {seen.offset:,}{key}: {escaped(seen.rule)}"
    if seen.why is Break.LOST:
        text += "; nothing behind it is looked at"
    if raw and seen.start:
        text += f"; it begins {seen.start!r}"
    return text


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _bytes(number: int) -> str:
    return "1 byte" if number == 1 else f"{number:,} bytes"
