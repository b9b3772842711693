"""Bytes and boxes.

A box is a run of pairs: key length (2 bytes, big-endian), key, value length (2 bytes),
value. A key length of zero ends it. Nothing here knows a command or a socket.

Two readers see the same bytes. ``read_box`` reads one from bytes that are all there;
``BoxParser`` takes them as they arrive, in any pieces, keeps no more than one pair that
is not whole, and costs the same whatever the pieces are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen.runtime.errors import Fault, Incomplete, Malformed, fault_at

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_KEY = 0xFF  # the high byte of a key length is always zero
MAX_VALUE = 0xFFFF  # two bytes of length


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may cost this end.

    ``box``: bytes of keys and values in one box, either way.
    ``depth``: how deep values nest (structs, unions, lists, maps, json alike).
    ``calls``: requests of the peer being served at once; then reading pauses, or the
    peer is told ``OVERLOADED``.
    ``given_up``: calls of ours that were cancelled or timed out and have no answer yet.
    ``unsent``: bytes that the peer has not taken yet; beyond it the connection ends.
    ``descriptors``: those that have come, and that no box has named yet; likewise.
    """

    box: int = 1024 * 1024
    depth: int = 64
    calls: int = 1000
    given_up: int = 10_000
    unsent: int = 64 * 1024 * 1024
    descriptors: int = 256

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"Limits: {name} has to be at least 1")


SIZE = tuple(length.to_bytes(2, "big") for length in range(MAX_VALUE + 1))
"""Each length as its two bytes. An index out of range: a value that is too long.

Every value that is written looks here: the whole table costs 4 MB, once, and encoding
takes a seventh less time than with a table of the short ones and a function.
"""


def write_box(box: Mapping[bytes, bytes]) -> bytes:
    """A box, its keys sorted bytewise. A value over 65,535 bytes is a fault."""
    pieces: list[bytes] = []
    for key, value in sorted(box.items()):
        try:
            pieces += (SIZE[len(key)], key, SIZE[len(value)], value)
        except IndexError as fault:
            raise fault_at(key.decode("utf-8", "backslashreplace"), fault) from None
    pieces.append(b"\x00\x00")
    return b"".join(pieces)


def box_size(box: Mapping[bytes, bytes]) -> int:
    """Bytes of keys and values: what ``Limits.box`` bounds."""
    return sum(map(len, box)) + sum(map(len, box.values()))


def read_box(data: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """The box at ``at``, and where it ends.

    Of a key that comes twice the last one counts. Raises ``Incomplete`` where the data
    end before the box does.
    """
    box: dict[bytes, bytes] = {}
    try:
        while True:
            length = data[at] << 8 | data[at + 1]
            at += 2
            if not length:
                return box, at
            if length > MAX_KEY:
                raise Malformed(
                    f"a key of {length:,} bytes, at most {MAX_KEY} are allowed"
                )
            key = data[at : at + length]
            at += length + 2
            length = data[at - 2] << 8 | data[at - 1]
            value = data[at : at + length]
            at += length
            box[key] = value
    except IndexError:
        raise Incomplete from None


def read_rest(data: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """``read_box`` for what follows the first keys of a request or an answer.

    A key of AMP's own here (a second ``_ask``, an ``_answer`` in a request) changes
    what the box is: such a box is left to the protocol, which looks at it as a whole.
    """
    box, end = read_box(data, at)
    if any(key.startswith(b"_") for key in box):
        raise Malformed("a key of the protocol out of its place")
    return box, end


def get_whole(box: Mapping[bytes, bytes], key: bytes) -> bytes | None:
    """The value of a key that is not `large`, if it is there.

    A full value with a ``KEY.2`` beside it is the first piece of one that is longer.
    """
    value = box.get(key)
    if value is not None and len(value) == MAX_VALUE and key + b".2" in box:
        rest = f"`{key.decode()}.2` holds the rest of it"
        raise Fault(f"over {MAX_VALUE:,} bytes: {rest}", key.decode())
    return value


def read_only_pair(data: bytes, at: int) -> tuple[bytes, bytes, int]:
    """A box with exactly one key: the key, its value, and where the box ends."""
    box, end = read_box(data, at)
    if len(box) != 1:
        raise Fault(f"a union has exactly one key, this one has {len(box):,}")
    [(key, value)] = box.items()
    return key, value, end


class BoxParser:
    """One box that arrives in pieces.

    Feed it until ``done``; then ``box`` is it. ``Malformed`` is raised as soon as a key
    or the whole is too long, not only when all of it is there.
    """

    __slots__ = ("_buffer", "_key", "_limit", "_need", "_size", "box", "done")

    def __init__(self, limit: int) -> None:
        self.box: dict[bytes, bytes] = {}
        self.done = False
        self._limit = limit
        self._size = 0  # of keys and values, those announced too
        self._key: bytes | None = None  # None: what comes next is a key
        self._buffer = bytearray()  # a length, or a length and what it announces
        self._need = 2  # how many bytes of it make the next step possible

    def feed(self, data: bytes, at: int) -> int:
        """Take what belongs to the box from ``data[at:]``; say where that ends."""
        buffer = self._buffer
        end = len(data)
        while at < end and not self.done:
            piece = data[at : at + self._need - len(buffer)]
            buffer += piece
            at += len(piece)
            if len(buffer) == self._need:
                self._step()
        return at

    def _step(self) -> None:
        buffer = self._buffer
        if len(buffer) == 2:
            length = buffer[0] << 8 | buffer[1]
            if self._key is None:
                if not length:
                    self.done = True
                    return
                if length > MAX_KEY:
                    raise Malformed(
                        f"a key of {length:,} bytes, at most {MAX_KEY} are allowed"
                    )
            self._size += length
            if self._size > self._limit:
                raise Malformed(f"a box over {self._limit:,} bytes of keys and values")
            self._need = length + 2
            if length:
                return
        piece = bytes(memoryview(buffer)[2:])
        buffer.clear()
        self._need = 2
        if self._key is None:
            self._key = piece
        else:
            self.box[self._key] = piece
            self._key = None
