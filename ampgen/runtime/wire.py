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
    from collections.abc import Callable, Collection, Mapping

MAX_KEY = 0xFF  # the high byte of a key length is always zero
MAX_VALUE = 0xFFFF  # two bytes of length
_KINDS = frozenset((b"_answer", b"_error", b"_command"))  # tell what a box is
_TLS_RECORDS = (0x1503, 0x1603)  # how an alert and a handshake begin
_TLS = " (this looks like TLS: one end uses it, and the other one does not)"
_SECONDS = ("idle", "stuck", "partial")  # those of the limits that are times


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What peers may cost this end. What is over a limit never waits in memory.

    ``box``: bytes of keys and values in one box, either way, but for `large` values.
    ``large``: bytes of one `large` value, either way.
    ``depth``: how deep values nest (structs, unions, lists, maps, json alike).
    ``calls``: requests of the peer being served at once; then reading pauses, or the
    peer is told ``OVERLOADED``.
    ``given_up``: calls of ours that were cancelled or timed out and have no answer yet.
    ``unsent``: bytes that the peer has not taken yet; beyond it the connection ends.
    ``descriptors``: those that have come, and that no box has named yet; likewise.
    ``credit``: items of one stream that may come and wait here; where they are large,
    as many as fit into ``credit_bytes``, once the first ones have come.

    What follows is for servers alone; seconds may be ``None``, for ever.

    ``connections``: at once; further ones are closed as they come. Where the system
    allows the process fewer descriptors, so does the server.
    ``connections_per_host``: of them, from one IP address.
    ``server_calls``: requests being served on all connections; further ones are told
    ``OVERLOADED``.
    ``idle``: seconds without a call in flight and without a byte from the peer.
    ``stuck``: seconds in which the peer takes none of the bytes that wait for it.
    ``partial``: seconds in which a box that has begun neither ends nor grows by 64 KiB.
    """

    box: int = 1024 * 1024
    large: int = 16 * 1024 * 1024
    depth: int = 64
    calls: int = 1000
    given_up: int = 10_000
    unsent: int = 64 * 1024 * 1024
    descriptors: int = 256
    credit: int = 64
    credit_bytes: int = 1024 * 1024
    connections: int = 10_000
    connections_per_host: int = 1000
    server_calls: int = 10_000
    idle: float | None = None
    stuck: float | None = 60.0
    partial: float | None = 30.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value: float | None = getattr(self, name)
            if name in _SECONDS:
                if value is not None and not value > 0:
                    raise ValueError(f"Limits: {name} has to be above 0, or None")
            elif value is None or value < 1:
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


def large_key(key: bytes, large: Collection[bytes]) -> bytes | None:
    """Which of the `large` keys the value under a key is, or is a piece of."""
    if key in large:
        return key
    name, _dot, number = key.rpartition(b".")
    return name if name in large and number.isdigit() else None


def check_size(data: bytes, limits: Limits, large: Collection[bytes]) -> None:
    """Is a box that we have made within the bounds? Its lengths do not count."""
    size = 0
    sizes = dict.fromkeys(large, 0)
    at = 0
    while length := data[at] << 8 | data[at + 1]:
        start = at + 2
        at = start + length
        key = data[start:at]
        value = data[at] << 8 | data[at + 1]
        at += 2 + value
        owner = large_key(key, large)
        size += len(key)
        if owner is None:
            size += value
        else:
            sizes[owner] += value
    for key, length in sizes.items():
        if length > limits.large:
            rule = f"over {limits.large:,} bytes, the most that `Limits.large` allows"
            raise Fault(f"{rule}: this one has {length:,}", key.decode())
    if size > limits.box:
        rule = f"a box over {limits.box:,} bytes of keys and values"
        raise Fault(f"{rule}: this one has {size:,}")


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

    A ``ParsedBox`` is one already.

    A key of AMP's own here (a second ``_ask``, an ``_answer`` in a request) changes
    what the box is: such a box is left to the protocol, which looks at it as a whole.
    """
    if type(data) is ParsedBox:
        return data.box, 0
    box, end = read_box(data, at)
    if any(key.startswith(b"_") for key in box):
        raise Malformed("a key of the protocol out of its place")
    return box, end


class ParsedBox(bytes):
    """A box that has been read, for a generated reader, which wants bytes.

    They are none: so it looks for its keys in what ``read_rest`` gives it, and nothing
    is written out and read again.
    """

    box: dict[bytes, bytes]


def plain(box: Mapping[bytes, bytes]) -> ParsedBox:
    """The box without AMP's own keys, as the readers of the short way take it."""
    parsed = ParsedBox()
    parsed.box = {k: v for k, v in box.items() if not k.startswith(b"_")}
    return parsed


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

    ``large`` is asked once a key has come that tells what the box is: which keys of it
    may be large, and how long each. Their values do not count for ``limit`` then.
    """

    __slots__ = (
        "_bounds",
        "_buffer",
        "_key",
        "_large",
        "_limit",
        "_need",
        "_size",
        "_sizes",
        "box",
        "done",
    )

    def __init__(
        self,
        limit: int,
        large: Callable[[Mapping[bytes, bytes]], Mapping[bytes, int]] | None = None,
    ) -> None:
        self.box: dict[bytes, bytes] = {}
        self.done = False
        self._limit = limit
        self._large = large
        self._bounds: Mapping[bytes, int] = {}
        self._sizes: dict[bytes, int] = {}  # of large values
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
                    hint = _TLS if length in _TLS_RECORDS and not self._size else ""
                    raise Malformed(
                        f"a key of {length:,} bytes, at most {MAX_KEY} are allowed"
                        f"{hint}"
                    )
            self._count(self._key, length)
            self._need = length + 2
            if length:
                return
        piece = bytes(memoryview(buffer)[2:])
        buffer.clear()
        self._need = 2
        if self._key is None:
            self._key = piece
        else:
            tells = self._key in _KINDS and self._key not in self.box
            self.box[self._key] = piece
            if tells and self._large is not None:
                self._rebound(self._large(self.box))
            self._key = None

    def _count(self, key: bytes | None, length: int) -> None:
        """Count what is announced: a key, or the value of one."""
        owner = None
        if key is not None and self._bounds:
            owner = large_key(key, self._bounds)
        if owner is None:
            self._size += length
            if self._size > self._limit:
                raise Malformed(f"a box over {self._limit:,} bytes of keys and values")
        else:
            self._sizes[owner] += length
            if self._sizes[owner] > self._bounds[owner]:
                name = owner.decode("utf-8", "backslashreplace")
                bound = f"{self._bounds[owner]:,} bytes"
                raise Malformed(f"a large value `{name}` over {bound}")

    def _rebound(self, bounds: Mapping[bytes, int]) -> None:
        """Count the large values among those that are there against other bounds."""
        if bounds == self._bounds:
            return
        self._size += sum(self._sizes.values())
        self._bounds = bounds
        self._sizes = dict.fromkeys(bounds, 0)
        for key, value in self.box.items():
            if large_key(key, bounds) is not None:
                self._size -= len(value)
                self._count(key, len(value))
        self._count(None, 0)
