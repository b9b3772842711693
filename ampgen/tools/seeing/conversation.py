"""Who says what to whom: the boxes of both directions of a connection, by a schema.

No I/O: bytes go in, with the side that sent them and the time, and what is seen comes
out. Answers are matched to what was asked, whichever side asked it; a stream's boxes
to the call that they belong to. Without a schema there are commands, tags, times and
keys, and no values.

Memory is bounded: one box of each side that is not whole (``framing.MAX_BOX``), and
``MAX_ASKS`` that have no answer yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ampgen.runtime.streams import ARGUMENTS, RESULTS, SUFFIXES
from ampgen.tools.seeing.boxreading import BoxReading
from ampgen.tools.seeing.commands import Commands, items
from ampgen.tools.seeing.framing import Frame, Framing
from ampgen.tools.seeing.seen import Break, Kind, Seen, SeenBox, SeenBytes, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ampgen.model import Command
    from ampgen.tools.memory import Loaded
    from ampgen.tools.seeing.framing import Framed

MAX_ASKS = 20_000
"""Asks without an answer that are remembered, the newest."""

_MAX_KEPT = 16 * 1024 * 1024  # bytes of their tags and names

_KINDS = {
    RESULTS.item: Kind.ITEM,
    RESULTS.credit: Kind.CREDIT,
    RESULTS.stop: Kind.STOP,
    ARGUMENTS.item: Kind.ITEM,
    ARGUMENTS.credit: Kind.CREDIT,
    ARGUMENTS.stop: Kind.STOP,
    ARGUMENTS.end: Kind.END,
}
_BY_CALLER = (RESULTS.credit, RESULTS.stop, ARGUMENTS.item, ARGUMENTS.end)
_CANCEL, _PING, _SCHEMA, _STARTTLS = b"_cancel", b"_ping", b"_schema", b"StartTLS"
_BUILT_IN = frozenset((_CANCEL, _PING, _SCHEMA, _STARTTLS))


@dataclass(slots=True)
class _Ask:
    """``wire`` is the command's name; ``model`` the command, if a schema has it."""

    number: int
    wire: bytes
    at: float | None
    model: Command | None
    stream: bytes | None


class Conversation:
    """Both directions of one connection.

    ``loaded``: the schemas to go by, if there are any. ``whole``: both directions are
    seen, and from their beginning; so an answer that nobody asked for is a fault.
    ``midway``: the bytes may begin in the middle of a box.
    """

    def __init__(
        self, loaded: Loaded | None = None, *, whole: bool = True, midway: bool = False
    ) -> None:
        self._commands = Commands(None if loaded is None else loaded.schema)
        self._framing = {side: Framing(midway=midway) for side in Side}
        self._whole = whole and not midway
        self._asks: dict[tuple[Side, bytes], _Ask] = {}
        self._streams: dict[tuple[Side, bytes, bytes], _Ask] = {}
        self._kept = 0
        self._count = 0
        self._secured = False  # StartTLS was answered
        self._asked_tls = False

    def feed(self, sender: Side, data: bytes, at: float | None = None) -> list[Seen]:
        """What is complete with these bytes, in order."""
        return self._all(sender, self._framing[sender].feed(data), at)

    def gap(self, sender: Side, size: int, at: float | None = None) -> list[Seen]:
        """``size`` bytes that this side has sent are not there to be seen."""
        self._whole = False
        return self._all(sender, self._framing[sender].gap(size), at)

    def end(
        self, sender: Side, at: float | None = None, *, finished: bool = True
    ) -> list[Seen]:
        """Nothing more comes of this side. ``finished``: it has ended what it sends, so
        that half a box is a fault, and no matter of where one stopped looking.
        """
        found = self._all(sender, self._framing[sender].end(), at)
        if finished:
            return found
        return [
            replace(one, fault=False)
            if isinstance(one, SeenBytes) and one.why is Break.CUT
            else one
            for one in found
        ]

    def _all(
        self, sender: Side, framed: Iterable[Framed], at: float | None
    ) -> list[Seen]:
        return [self.take(sender, one, at) for one in framed]

    def take(self, sender: Side, framed: Framed, at: float | None = None) -> Seen:
        """The same for who has cut the bytes into boxes, by a ``Framing``."""
        if isinstance(framed, Frame):
            return self._take_box(sender, framed, at)
        rule, fault = framed.rule, framed.why in (Break.LOST, Break.CUT)
        if framed.why is Break.TLS:
            fault = not self._asked_tls
            rule = "TLS from here on" if self._asked_tls else f"{rule}: this is TLS"
        elif framed.looks is not None:
            rule = f"{rule}: this looks like {framed.looks}"
        if framed.why in (Break.LOST, Break.TLS, Break.SKIPPED):
            self._whole = False
        return SeenBytes(
            sender=sender,
            at=at,
            offset=framed.offset,
            size=framed.size,
            why=framed.why,
            rule=rule,
            key=framed.key,
            fault=fault,
            start=framed.start if not self._commands else b"",
        )

    def belongs_to(self, sender: Side, box: Mapping[bytes, bytes]) -> int | None:
        """Which ask is it that this box answers, or is a part of?

        They are numbered from 1 as they come; 0 for one that has not been seen.
        ``None`` for a box that needs nothing to come before it.
        """
        tag = box.get(b"_answer", box.get(b"_error"))
        if tag is not None:
            ask = self._asks.get((sender.other, tag))
        else:
            part = _part_of(sender, box)
            if part is None:
                return None
            ask = self._streams.get(part)
        return 0 if ask is None else ask.number

    # --- boxes ------------------------------------------------------------------------

    def _take_box(self, sender: Side, frame: Frame, at: float | None) -> SeenBox:
        look = BoxReading(sender, at, frame)
        box = frame.box
        if self._secured:
            look.blame("", "in the clear, behind StartTLS")
        if b"_answer" in box or b"_error" in box:
            return self._take_answer(sender, look)
        if b"_command" in box:
            return self._take_command(sender, look, at)
        what = "a box that is no request, no answer and no error"
        if b"_ask" in box:
            what = "a box with an `_ask` and no `_command`"
        look.blame("", what)
        return look.seen(Kind.NONE, tag=box.get(b"_ask"), secret=self._commands.secret)

    def _take_answer(self, sender: Side, look: BoxReading) -> SeenBox:
        box = look.frame.box
        kind = Kind.ANSWER if b"_answer" in box else Kind.ERROR
        tag = box[b"_answer"] if kind is Kind.ANSWER else box[b"_error"]
        ask = self._forget((sender.other, tag))
        if ask is None:
            if self._whole:
                key = "_answer" if kind is Kind.ANSWER else "_error"
                look.blame(key, "nobody asked for it")
            else:
                look.notes.append("what was asked is not here")
        else:
            look.name(ask.wire, ask.model, known=ask.wire in _BUILT_IN)
            look.elapse(ask.at)
        if kind is Kind.ERROR:
            look.read_error()
        elif ask is not None and ask.wire == _SCHEMA:
            look.read_schemas()
        else:
            look.read_answer(streams=ask is not None and ask.stream is not None)
        if ask is not None and ask.wire == _STARTTLS and kind is Kind.ANSWER:
            self._secured = True
        return look.seen(kind, tag=tag, secret=self._commands.secret)

    def _take_command(
        self, sender: Side, look: BoxReading, at: float | None
    ) -> SeenBox:
        box = look.frame.box
        name = box[b"_command"]
        tag = box.get(b"_ask")
        self._count += 1
        ask = _Ask(self._count, name, at, None, look.extras.stream)
        kind = Kind.ONEWAY if tag is None else Kind.ASK
        if name in _BUILT_IN:
            look.name(name, None, known=True)
            if name == _CANCEL:
                kind = Kind.CANCEL
                self._take_cancel(sender, look)
            else:
                look.read_declared(())
        elif look.extras.stream is not None and name.endswith(SUFFIXES):
            kind = self._take_of_stream(sender, look)
            ask.stream = None  # it is of one, and opens none
        else:
            ask.model = look.read_arguments(self._commands.named(name))
        if name == _STARTTLS:
            self._asked_tls = True
        if tag is not None:
            if (sender, tag) in self._asks:
                look.blame("_ask", "the answer to this `_ask` is still to come")
            self._remember(sender, tag, ask)
        return look.seen(kind, tag=tag, secret=self._commands.secret)

    def _take_cancel(self, sender: Side, look: BoxReading) -> None:
        tag = look.frame.box.get(b"id")
        look.read_cancel(tag)
        ask = None if tag is None else self._asks.get((sender, tag))
        if ask is not None:
            look.cancels(ask.wire, ask.model)
            look.elapse(ask.at)
        elif tag is not None:
            look.notes.append("it is answered already, or was never asked")

    def _take_of_stream(self, sender: Side, look: BoxReading) -> Kind:
        name = look.frame.box[b"_command"]
        suffix = next(one for one in SUFFIXES if name.endswith(one))
        wire = name.removesuffix(suffix)
        part = _part_of(sender, look.frame.box)
        ask = None if part is None else self._streams.get(part)
        model = None if ask is None else ask.model
        if ask is not None:
            look.elapse(ask.at)
        else:
            found = self._commands.streaming(wire, suffix)
            model = found[0] if len(found) == 1 else None
            look.notes.append("the stream is not open")
        look.name(wire, model)
        if suffix == ARGUMENTS.end:
            look.read_failure()
        look.read_declared(() if model is None else items(model, suffix))
        return _KINDS[suffix]

    def _remember(self, sender: Side, tag: bytes, ask: _Ask) -> None:
        self._forget((sender, tag))
        self._kept += _cost(tag, ask)
        self._asks[sender, tag] = ask
        if ask.stream is not None:
            self._streams[sender, ask.wire, ask.stream] = ask
        while len(self._asks) > MAX_ASKS or self._kept > _MAX_KEPT:
            self._forget(next(iter(self._asks)))
            self._whole = False

    def _forget(self, key: tuple[Side, bytes]) -> _Ask | None:
        ask = self._asks.pop(key, None)
        if ask is not None:
            sender, tag = key
            self._kept -= _cost(tag, ask)
            if ask.stream is not None:
                self._streams.pop((sender, ask.wire, ask.stream), None)
        return ask


def _part_of(
    sender: Side, box: Mapping[bytes, bytes]
) -> tuple[Side, bytes, bytes] | None:
    """The stream that a box is a part of: who called, the command, the id."""
    name, stream = box.get(b"_command"), box.get(b"_stream")
    if name is None or stream is None:
        return None
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            caller = sender if suffix in _BY_CALLER else sender.other
            return caller, name.removesuffix(suffix), stream
    return None


def _cost(tag: bytes, ask: _Ask) -> int:
    return len(tag) + len(ask.wire) + len(ask.stream or b"")
