"""One connection of a recording, once more: what is sent on it, what should come."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ampgen.model import ScalarType
from ampgen.runtime.values import Scalar
from ampgen.runtime.wire import SIZE, Limits
from ampgen.tools.recordings.comparing import differences
from ampgen.tools.recordings.seenagain import see_again
from ampgen.tools.recordings.withholding import Length, StandIn, as_bytes
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.seen import Kind, SeenBox, Side, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ampgen.tools.memory import Loaded
    from ampgen.tools.proxy.upstream import Upstream
    from ampgen.tools.recordings.events import Boxed
    from ampgen.tools.recordings.withholding import Kept
    from ampgen.tools.seeing.seen import Seen

_PING = b"_ping"
_ANSWERS = (Kind.ANSWER, Kind.ERROR)
_ASKS = (Kind.ASK, Kind.ONEWAY)
_LAST_WORDS = 2.0  # seconds that the server has to close
_Place: TypeAlias = tuple[bytes, bytes | None]


class Audience(Protocol):
    """``seen``: what the server and we say now. ``differs``: that something is not as
    it was recorded; ``unsent``: that something of the recording cannot be sent.
    """

    def seen(self, number: int, seen: Seen) -> None: ...
    def differs(self, number: int, what: str) -> None: ...
    def unsent(self, number: int, what: str) -> None: ...


@dataclass(slots=True)
class Outcome:
    """``stand_ins``: values that were sent in the place of secrets."""

    connections: int = 0
    sent: int = 0
    received: int = 0
    differences: int = 0
    unsent: int = 0
    stand_ins: int = 0

    @property
    def good(self) -> bool:
        return not (self.differences or self.unsent)


@dataclass(slots=True)
class Terms:
    """How it is done. ``loaded``: the schemas in the recording, if there are any.
    ``patience``: seconds to wait for each thing that the server should say.
    ``compare``: what the server says, too, and not only whether it does.
    """

    loaded: Loaded | None
    upstream: Upstream
    audience: Audience
    patience: float = 10.0
    compare: bool = True
    outcome: Outcome = field(default_factory=Outcome)


class Replayed:
    """One connection; to its transport, what a shell of AMP's is.

    Two conversations run side by side: that of then, and the one of now.
    """

    limits = Limits()  # what connecting wants to know of it

    def __init__(self, terms: Terms, number: int) -> None:
        self._terms = terms
        self._number = number
        self._then = Conversation(terms.loaded)
        self._now = Conversation(terms.loaded)
        self._arrived: defaultdict[_Place, deque[SeenBox]] = defaultdict(deque)
        self._credit: defaultdict[_Place, int] = defaultdict(int)
        self._credit_then: defaultdict[_Place, int] = defaultdict(int)
        self._tags: dict[bytes | None, bytes] = {}  # then -> now
        self._called: dict[bytes, bytes] = {}  # stream -> the tag of its call
        self._unsent_tags: set[bytes | None] = set()
        self._unsent_streams: set[bytes | None] = set()
        self._left_out = False  # something that could not be sent
        self._given_up = False
        self._changed = asyncio.Event()  # something has come
        self._room = asyncio.Event()  # the server takes what is sent
        self._room.set()
        self._transport: asyncio.Transport | None = None
        self._ended = False
        self._lost = asyncio.Event()

    async def connect(self) -> None:
        """Raises ``NotConnected``."""
        await self._terms.upstream.connect(self)

    # --- what is sent -----------------------------------------------------------------

    async def send(self, event: Boxed) -> None:
        seen = see_again(self._then, event)
        tag = self._tags.pop(seen.tag, None) if seen.kind in _ANSWERS else None
        if self._given_up or (seen.kind in _ANSWERS and tag is None):
            return  # that it was not asked has been told
        if seen.kind is Kind.ASK and seen.tag is not None and seen.stream is not None:
            self._called[seen.stream] = seen.tag
        why = _why_unsent(seen, event.box)
        if why is None and self._is_unsent(seen):
            why = "what comes before it in its stream is not sent"
        if why is not None:
            self._leave(seen, why)
            return
        box = {k: v for k, v in event.box.items() if not isinstance(v, Length)}
        raw = {key: as_bytes(value) for key, value in box.items()}
        if tag is not None:
            raw[b"_answer" if seen.kind is Kind.ANSWER else b"_error"] = tag
        if not await self._has_room():
            self._given_up = True
            patience = f"{self._terms.patience:g} s"
            self._tell_unsent(f"{_name(seen)}: the server takes nothing for {patience}")
            return
        self._write(raw)
        self._terms.outcome.sent += 1
        stand_ins = sum(isinstance(value, StandIn) for value in box.values())
        self._terms.outcome.stand_ins += stand_ins

    async def _has_room(self) -> bool:
        try:
            async with asyncio.timeout(self._terms.patience):
                await self._room.wait()
        except TimeoutError:
            return False
        return True

    def _leave(self, seen: SeenBox, why: str) -> None:
        """Nor is anything sent or expected that belongs to it."""
        self._left_out = True
        if seen.kind is Kind.ASK:
            self._unsent_tags.add(seen.tag)
        if seen.stream is not None:
            self._unsent_streams.add(seen.stream)
            self._unsent_tags.add(self._called.get(seen.stream))
        self._tell_unsent(f"{_name(seen)}: {why}")

    def _is_unsent(self, seen: SeenBox) -> bool:
        """Does it belong to something that was left out?"""
        if seen.stream is not None and seen.stream in self._unsent_streams:
            return True
        return seen.kind in _ANSWERS and seen.tag in self._unsent_tags

    def _write(self, box: Mapping[bytes, bytes]) -> None:
        if self._transport is None or self._transport.is_closing():
            return  # what should come of it is missed
        data = _in_order(box)
        self._transport.write(data)
        for seen in self._now.feed(Side.CLIENT, data, self._time()):
            self._terms.audience.seen(self._number, seen)

    def give_up(self, rule: str) -> None:
        if not self._given_up:
            self._given_up = True
            self._tell_unsent(f"what follows is no AMP: {rule}")

    def end(self) -> None:
        """The client sends no more."""
        if self._transport is not None and self._transport.can_write_eof():
            with suppress(OSError):  # the server is gone: that shows
                self._transport.write_eof()

    async def close(self, *, whole: bool) -> None:
        """``whole``: all of it was recorded, and nothing more is to come."""
        if whole and not self._given_up:
            for seen in (seen for some in self._arrived.values() for seen in some):
                if not self._is_unsent(seen):
                    self._differs(f"{_name(seen)}: more than there was")
        self._arrived.clear()
        if self._transport is not None:
            self._transport.close()
            try:
                async with asyncio.timeout(_LAST_WORDS):
                    await self._lost.wait()
            except TimeoutError:
                self._transport.abort()
                await self._lost.wait()

    # --- what should come -------------------------------------------------------------

    async def expect(self, event: Boxed) -> None:
        seen = see_again(self._then, event)
        if self._given_up or seen.box.get(b"_command") == _PING:
            return
        if self._is_unsent(seen):
            return
        place = _place(seen)
        if seen.kind is Kind.CREDIT:  # how it is portioned is a matter of the moment
            self._credit_then[place] += _credit(seen)
            wanted = self._credit_then[place]
            if not await self._until(lambda: self._credit[place] >= wanted):
                self._differs(f"{_name(seen)}: {self._why_missing()}")
            return
        arrived = self._arrived[place]
        if self._left_out and seen.kind in _ASKS and not arrived:
            return  # it may be because of what was left out
        if not await self._until(lambda: bool(arrived)):
            self._differs(f"{_name(seen)}: {self._why_missing()}")
            return
        now = arrived.popleft()
        if now.kind is Kind.ASK and now.tag is not None:
            self._tags[seen.tag] = now.tag
        if self._terms.compare:
            for difference in differences(seen, event.box, now):
                self._differs(f"{_name(seen)}: {difference}")

    async def expect_end(self) -> None:
        if not self._given_up and not await self._until(lambda: self._ended):
            self._differs("the server does not end the connection")

    async def _until(self, holds: Callable[[], bool]) -> bool:
        """Wait until it does, or nothing more can come."""
        try:
            async with asyncio.timeout(self._terms.patience):
                while not (holds() or self._ended):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass
        return holds()

    def _why_missing(self) -> str:
        if self._ended:
            return "does not come, the server has ended the connection"
        return f"does not come within {self._terms.patience:g} s"

    def _differs(self, what: str) -> None:
        self._terms.outcome.differences += 1
        self._terms.audience.differs(self._number, what)

    def _tell_unsent(self, what: str) -> None:
        self._terms.outcome.unsent += 1
        self._terms.audience.unsent(self._number, what)

    # --- what the transport reports ---------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for seen in self._now.feed(Side.SERVER, data, self._time()):
            self._terms.audience.seen(self._number, seen)
            if not isinstance(seen, SeenBox):
                self._differs(f"bytes that are no box: {seen.rule}")
                continue
            self._terms.outcome.received += 1
            if seen.kind is Kind.ASK and seen.box[b"_command"] == _PING:
                self._write({b"_answer": seen.box[b"_ask"]})
            elif seen.kind is Kind.CREDIT:
                self._credit[_place(seen)] += _credit(seen)
            else:
                self._arrived[_place(seen)].append(seen)
        self._changed.set()

    def eof_received(self) -> None:
        self._ended = True
        self._changed.set()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._ended = True
        self._changed.set()
        self._room.set()
        self._lost.set()

    def _time(self) -> float:
        return asyncio.get_running_loop().time()


# --- of one box -----------------------------------------------------------------------


def _place(seen: SeenBox) -> _Place:
    """Boxes of one place come in order; those of different ones need not."""
    if seen.kind in _ANSWERS:
        return b"", seen.tag
    return seen.box.get(b"_command", b""), seen.stream


def _credit(seen: SeenBox) -> int:
    credit = seen.extras.get("credit")
    return credit if isinstance(credit, int) else 0


def _name(seen: SeenBox) -> str:
    service = f"{seen.service}." if seen.service else ""
    tag = f" {as_text(seen.tag)}" if seen.tag else ""
    return f"{service}{seen.command or 'a box'} {seen.kind.value}{tag}"


def _in_order(box: Mapping[bytes, bytes]) -> bytes:
    """As it was sent: ``write_box`` would sort it."""
    pairs = (part for pair in box.items() for part in pair)
    return b"".join(SIZE[len(part)] + part for part in pairs) + b"\0\0"


def _why_unsent(seen: SeenBox, box: Mapping[bytes, Kept]) -> str | None:
    for one in seen.declared:
        if one.type == ScalarType(Scalar.FD) and one.key.encode() in box:
            return f"no descriptor is in a recording: {one.name}"
    for key, value in box.items():
        if not isinstance(value, Length):
            continue
        extra = key.startswith(b"_") and key != b"_error_description"
        name = as_text(key)
        undeclared = seen.model is not None and name in seen.others
        if not (extra or undeclared):  # else the server does not look at it
            return f"no value is in the recording: {name}"
    return None
