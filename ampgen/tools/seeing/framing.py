"""The boxes in the bytes of one direction, with the place of each value.

Where `runtime.wire` reads for a program, and ends with the first fault, this reads for
somebody who looks on: it says where in the stream everything stands, goes on after a
gap, and knows what bytes look like that are no AMP at all. What it yields does not
depend on how the bytes are cut into pieces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from ampgen.runtime.errors import Incomplete, Malformed
from ampgen.runtime.wire import MAX_KEY
from ampgen.tools.seeing.seen import Break, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BOX = 64 * 1024 * 1024
"""Bytes that one box may take to keep: a few `large` values."""

_PAIR = 512  # bytes that a pair takes, however short its key and its value are

_LOOK = 16  # bytes that tell what it is

_LOOKS = (
    (re.compile(rb"[\x15\x16]\x03"), "TLS"),
    (re.compile(rb"(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH) "), "HTTP"),
    (re.compile(rb"HTTP/1\."), "HTTP"),
    (re.compile(rb"PRI \* HTTP/2"), "HTTP/2"),
    (re.compile(rb"SSH-"), "SSH"),
    (re.compile(rb"\s*[\[{]\s*[\[{\"]"), "JSON"),
    (re.compile(rb"[\t\r\n -~]{4}"), "text"),
)
_STARTS = re.compile(rb"\x00(?:\x04_ask|\x06_error|\x07_answer|\x08_command)\x00")
_LONGEST = len(b"\x00\x08_command\x00")
_KINDS = (b"_answer", b"_error", b"_command")


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole box. ``places``: where each value begins, in the whole stream.

    ``repeated``: keys that came more than once; the last one counts. ``dropped``: bytes
    that are not kept, since the box was over ``MAX_BOX``.
    """

    offset: int
    size: int
    box: dict[bytes, bytes]
    places: dict[bytes, int]
    repeated: tuple[bytes, ...] = ()
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Stray:
    """Bytes that are no box; see :class:`ampgen.tools.seeing.seen.SeenBytes`.

    ``looks``: what they look like, if they look like something.
    """

    offset: int
    size: int
    why: Break
    rule: str
    key: str = ""
    looks: str | None = None
    start: bytes = b""


Framed: TypeAlias = Frame | Stray


class _State(Enum):
    BOXES = 0
    SEARCHING = 1  # for a box, in what came in the middle of one
    LOOKING = 2  # lost; what it looks like is not clear yet
    UNREAD = 3


class Framing:
    """Feed it; it keeps what is no whole box yet.

    ``midway``: the bytes may begin in the middle of a box. Then those in front of the
    first box that can be told are skipped.
    """

    def __init__(self, *, midway: bool = False) -> None:
        self.offset = 0  # of the first byte in the buffer
        self._buffer = bytearray()
        self._state = _State.BOXES
        self._unsure = midway  # no whole box has come since the beginning, or a gap
        self._lost: tuple[str, str] = "", ""  # key and rule
        self._unread = 0
        self._begin_box()

    def feed(self, data: bytes) -> Iterator[Framed]:
        """All that is complete with these bytes. Exhaust it before the next call."""
        if not self._pass_over(len(data)):
            self._buffer += data
            yield from self._read(last=False)

    def gap(self, size: int) -> Iterator[Framed]:
        """Bytes are missing here: ``size`` of them."""
        yield from self._read(last=True)
        if self._pass_over(size):
            return
        part = self._unfinished()
        rule = f"{size:,} bytes are missing"
        if part:
            rule += f", and {part:,} before them are of a box that is not whole"
        start = self.offset + len(self._buffer)
        yield Stray(start, size, Break.GAP, rule)
        self._buffer.clear()
        self.offset = start + size
        self._unsure = True
        self._begin_box()

    def _pass_over(self, size: int) -> bool:
        """Is nothing looked at any more? Then these bytes are counted."""
        if self._state is not _State.UNREAD:
            return False
        self._unread += size
        self.offset += size
        return True

    def end(self) -> Iterator[Framed]:
        """Nothing follows."""
        yield from self._read(last=True)
        part = self._unfinished()
        if self._state is _State.UNREAD:
            if self._unread:
                rule = f"{self._unread:,} bytes were not looked at"
                start = self.offset - self._unread
                yield Stray(start, self._unread, Break.UNREAD, rule)
        elif part:
            rule = f"the stream ends {part:,} bytes into a box"
            # of what may have begun inside of a value, nothing is shown as a key
            key = "" if self._key is None or self._unsure else as_text(self._key)
            yield Stray(self._start, part, Break.CUT, rule, key)
        self._buffer.clear()
        self._unread = 0

    # --- the steps --------------------------------------------------------------------

    def _read(self, *, last: bool) -> Iterator[Framed]:
        """``last``: no more bytes follow the ones that are here."""
        while True:
            if self._state is _State.SEARCHING:
                yield from self._search(last=last)
            elif self._state is _State.LOOKING:
                yield from self._look(last=last)
            if self._state is not _State.BOXES:
                return
            try:
                frame = self._box()
            except Malformed as fault:
                self._lost = "" if self._key is None else as_text(self._key), fault.rule
                self._state = _State.SEARCHING if self._unsure else _State.LOOKING
                continue
            if frame is None:
                return
            if self._unsure and not any(kind in frame.box for kind in _KINDS):
                self._skipped = frame.offset
                self._state = _State.SEARCHING
                continue
            self._unsure = False
            yield frame

    def _begin_box(self) -> None:
        self._start = self.offset
        self._skipped = self.offset
        self._key: bytes | None = None
        self._box_so_far: dict[bytes, bytes] = {}
        self._places: dict[bytes, int] = {}
        self._repeated: dict[bytes, None] = {}  # in their order
        self._size = 0
        self._dropped = 0

    def _unfinished(self) -> int:
        """Bytes of a box that is not whole."""
        if self._state is not _State.BOXES:
            return 0
        return self.offset + len(self._buffer) - self._start

    def _box(self) -> Frame | None:
        """The next box, ``None`` as long as it is not whole; takes pair after pair."""
        buffer = self._buffer
        at = 0
        frame = None
        try:
            while len(buffer) - at >= 2:
                length = buffer[at] << 8 | buffer[at + 1]
                if self._key is None:
                    if length > MAX_KEY:
                        raise Malformed(
                            f"a key of {length:,} bytes, at most {MAX_KEY} are allowed"
                        )
                    if not length:
                        at += 2
                        frame = self._finish(self.offset + at)
                        break
                if len(buffer) - at < 2 + length:
                    break
                piece = bytes(buffer[at + 2 : at + 2 + length])
                if self._key is None:
                    self._key = piece
                else:
                    self._keep(self._key, piece, self.offset + at + 2)
                    self._key = None
                at += 2 + length
        finally:
            del buffer[:at]
            self.offset += at
            if frame is not None:
                self._begin_box()
        return frame

    def _keep(self, key: bytes, value: bytes, place: int) -> None:
        size = len(key) + len(value)
        if self._size + size + _PAIR > MAX_BOX:
            self._dropped += size
            return
        self._size += size + _PAIR
        if key in self._box_so_far:
            self._repeated[key] = None
        self._box_so_far[key] = value
        self._places[key] = place

    def _finish(self, end: int) -> Frame:
        return Frame(
            self._start,
            end - self._start,
            self._box_so_far,
            self._places,
            tuple(self._repeated),
            self._dropped,
        )

    def _search(self, *, last: bool) -> Iterator[Framed]:
        """Drop what comes before something that looks like the start of a box."""
        found = _STARTS.search(self._buffer)
        if found is None:
            keep = 0 if last else _LONGEST - 1
            drop = max(len(self._buffer) - keep, 0)
        else:
            drop = found.start()
        del self._buffer[:drop]
        self.offset += drop
        if found is None and not last:
            return
        start, size = self._skipped, self.offset - self._skipped
        rule = f"{size:,} bytes skipped: they begin in the middle of a box"
        if found is None:
            rule = f"no box can be told in {size:,} bytes"
        yield Stray(start, size, Break.SKIPPED, rule)
        self._state = _State.BOXES
        self._begin_box()

    def _look(self, *, last: bool) -> Iterator[Framed]:
        """The bytes in the buffer are no box: what do they look like?"""
        if len(self._buffer) < _LOOK and not last:
            return
        key, rule = self._lost
        looks = None
        start = bytes(self._buffer[:_LOOK])
        if not key and not self._box_so_far:
            looks = next((name for like, name in _LOOKS if like.match(start)), None)
        why = Break.TLS if looks == "TLS" else Break.LOST
        yield Stray(self.offset, 0, why, rule, key, looks, start)
        self._unread = len(self._buffer)
        self.offset += len(self._buffer)
        self._buffer.clear()
        self._state = _State.UNREAD


def read_spans(data: bytes, at: int) -> tuple[dict[bytes, tuple[int, int]], int]:
    """The box at ``at``, each value as its place in ``data``; and where the box ends.

    A ``Fault`` as of ``runtime.wire.read_box``, whose rules these are.
    """
    box: dict[bytes, tuple[int, int]] = {}
    try:
        while length := data[at] << 8 | data[at + 1]:
            if length > MAX_KEY:
                raise Malformed(
                    f"a key of {length:,} bytes, at most {MAX_KEY} are allowed"
                )
            start = at + 2
            at = start + length
            key = data[start:at]
            start = at + 2
            at = start + (data[at] << 8 | data[at + 1])
            box[key] = start, at
    except IndexError:
        raise Incomplete from None
    return box, at + 2
