"""The segments of TCP connections, in the order in which they were sent.

What comes twice counts once, what comes early waits; what the other end has received
and the capture has not is told as missing, and the stream goes on behind it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

from ampgen.tools.seeing.capture.packets import (
    ACK,
    FIN,
    RST,
    SYN,
    NotUnderstoodError,
    read_segment,
)
from ampgen.tools.seeing.seen import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ampgen.tools.seeing.capture.files import Packet
    from ampgen.tools.seeing.capture.packets import Segment

_MAX_WAITING = 16 * 1024 * 1024  # bytes that came early, of one direction
_COST = 256  # bytes that a piece takes beside its own


@dataclass(frozen=True, slots=True)
class Link:
    """A connection. ``midway``: the capture does not have its beginning. ``at``: the
    time of its first packet.
    """

    number: int
    client: str
    server: str
    midway: bool
    at: float | None


@dataclass(frozen=True, slots=True)
class Opened:
    link: Link


@dataclass(frozen=True, slots=True)
class Sent:
    """``at``: when the packet was captured."""

    link: Link
    sender: Side
    data: bytes
    at: float | None


@dataclass(frozen=True, slots=True)
class Missing:
    link: Link
    sender: Side
    size: int
    at: float | None


@dataclass(frozen=True, slots=True)
class Closed:
    """This side sends no more; ``finished``: it has said so, or the other one has."""

    link: Link
    sender: Side
    at: float | None
    finished: bool


Event: TypeAlias = Opened | Sent | Missing | Closed


class Streams:
    """``port``: nothing but connections to it, whose server is who has it.

    ``skipped``: what could not be understood, and how many packets of it.
    """

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self._flows: dict[frozenset[str], _Flow] = {}
        self._count = 0
        self.skipped: Counter[str] = Counter()

    def read(self, packets: Iterable[Packet]) -> Iterator[Event]:
        for packet in packets:
            try:
                segment = read_segment(packet.link, packet.data)
            except NotUnderstoodError as reason:
                self.skipped[str(reason)] += 1
                continue
            if segment is not None:
                yield from self._take(segment, packet.at)

    def end(self) -> Iterator[Event]:
        """No packets follow."""
        for flow in self._flows.values():
            yield from flow.end()

    def _take(self, segment: Segment, at: float | None) -> Iterator[Event]:
        ends = frozenset((segment.source, segment.target))
        if self._port is not None and not any(_port(e) == self._port for e in ends):
            return
        flow = self._flows.get(ends)
        begins = segment.flags & (SYN | ACK | RST) == SYN
        if begins and flow is not None and not flow.is_begun_by(segment):
            yield from flow.end()
            flow = None
        if flow is None:
            if not (segment.data or segment.flags & SYN):
                return  # of a connection that is over, or has nothing to say yet
            self._count += 1
            flow = self._flows[ends] = _Flow(self._link(segment, at))
            yield Opened(flow.link)
        yield from flow.take(segment, at)

    def _link(self, segment: Segment, at: float | None) -> Link:
        source, target = segment.source, segment.target
        midway = not segment.flags & SYN
        if self._port is not None and _port(source) != _port(target):
            answers = _port(source) == self._port
        elif midway:
            answers = _port(source) < _port(target)  # a client's port is a high one
        else:
            answers = bool(segment.flags & ACK)
        client, server = (target, source) if answers else (source, target)
        return Link(self._count, client, server, midway, at)


class _Flow:
    def __init__(self, link: Link) -> None:
        self.link = link
        self._halves = {side: _Half() for side in Side}

    def is_begun_by(self, segment: Segment) -> bool:
        """Is it the packet that began this connection, once more?"""
        half = self._halves[self._side(segment)]
        return half.first == segment.number

    def _side(self, segment: Segment) -> Side:
        return Side.CLIENT if segment.source == self.link.client else Side.SERVER

    def take(self, segment: Segment, at: float | None) -> Iterator[Event]:
        side = self._side(segment)
        if segment.flags & ACK:
            other = self._halves[side.other]
            yield from self._events(side.other, other.acknowledge(segment), at)
        yield from self._events(side, self._halves[side].take(segment, at), at)
        if segment.flags & RST:
            for one in Side:
                yield from self._events(one, self._halves[one].flush(), at)
                yield from self._close(one, at, finished=True)
        elif self._halves[side].finished:
            yield from self._close(side, at, finished=True)

    def end(self) -> Iterator[Event]:
        for side, half in self._halves.items():
            yield from self._events(side, half.flush(), None)
            yield from self._close(side, None, finished=half.finished)

    def _close(
        self, side: Side, at: float | None, *, finished: bool
    ) -> Iterator[Event]:
        half = self._halves[side]
        if not half.closed:
            half.closed = True
            yield Closed(self.link, side, at, finished)

    def _events(
        self,
        side: Side,
        pieces: Iterable[tuple[bytes | int, float | None]],
        now: float | None,
    ) -> Iterator[Event]:
        for piece, at in pieces:
            if self._halves[side].closed:
                return
            if isinstance(piece, int):
                yield Missing(self.link, side, piece, now if at is None else at)
            else:
                yield Sent(self.link, side, piece, at)


class _Half:
    """One direction: pieces come out, numbers for bytes that are missing.

    Sequence numbers go round at 2^32: places are counted from the first one, and go on.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.finished = False
        self.closed = False
        self._next = 0  # how much has come out
        self._end: int | None = None  # where it ends
        self._early: dict[int, tuple[bytes, int, float | None]] = {}
        self._order: list[int] = []  # a heap of the places in it
        self._waiting = 0
        self._cut: tuple[int, float | None] = 0, None  # up to where bytes were cut off

    def _place(self, number: int) -> int:
        """The place that a sequence number means, of all the nearest to the last."""
        if self.first is None:
            self.first = number
        near = (number - self.first - self._next) & 0xFFFFFFFF
        return self._next + (near if near < 1 << 31 else near - (1 << 32))

    def take(
        self, segment: Segment, at: float | None
    ) -> Iterator[tuple[bytes | int, float | None]]:
        place = self._place(segment.number)
        if segment.flags & SYN:
            self._next = max(self._next, 1)  # it takes a place of its own
            place += 1
        size = len(segment.data) + segment.cut
        if segment.flags & FIN:
            self._end = place + size
        if size and place + size > self._next:
            known = self._early.get(place)
            if known is None:
                heappush(self._order, place)
                self._waiting += _COST
            if known is None or len(known[0]) < len(segment.data):
                self._waiting += len(segment.data) - (len(known[0]) if known else 0)
                self._early[place] = segment.data, segment.cut, at
        yield from self._ready()
        if self._waiting > _MAX_WAITING:
            yield from self.flush()

    def acknowledge(
        self, segment: Segment
    ) -> Iterator[tuple[bytes | int, float | None]]:
        """The other end has all up to here; what has not been seen will not come."""
        if self.first is None:
            return
        place = self._place(segment.acknowledged)
        if self._end is not None:
            place = min(place, self._end)
        while self._next < place:
            start = min([place, *self._order[:1]])
            if start > self._next:
                yield start - self._next, None
                self._next = start
            yield from self._ready()

    def flush(self) -> Iterator[tuple[bytes | int, float | None]]:
        """What came early goes out, and what is missing between is told."""
        while self._order:
            start = self._order[0]
            if start > self._next:
                yield start - self._next, None
                self._next = start
            yield from self._ready()
        if self._end is not None and self._next < self._end:
            yield self._end - self._next, None
            self._next = self._end
            self.finished = True

    def _ready(self) -> Iterator[tuple[bytes | int, float | None]]:
        while True:
            if self._order and self._order[0] <= self._next:
                start = heappop(self._order)
                data, cut, at = self._early.pop(start)
                self._waiting -= len(data) + _COST
                past = self._next - start
                if past < len(data):
                    yield data[past:], at
                end = start + len(data)
                self._next = max(self._next, end)
                if end + cut > self._cut[0]:
                    self._cut = end + cut, at
            elif self._cut[0] > self._next:
                start = min([self._cut[0], *self._order[:1]])
                yield start - self._next, self._cut[1]
                self._next = start
            else:
                break
        if self._end is not None and self._next >= self._end:
            self.finished = True


def _port(end: str) -> int:
    return int(end.rpartition(":")[2])
