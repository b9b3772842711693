"""Both versions of a schema, side by side: what every comparison reads.

Services meet by :mod:`ampgen.compat.declared`, the commands of two services by their
wire names, the fields of two boxes by their keys. What the boxes hold is followed to
the end, so that each declared type knows in which commands it travels, and which way.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum as Enumeration
from typing import TYPE_CHECKING, TypeAlias

from ampgen.compat.changes import Part, Use
from ampgen.compat.commands import CommandPair, pair_commands
from ampgen.compat.declared import Declarations
from ampgen.compat.fields import FieldPair, pair
from ampgen.compat.reading import Readings
from ampgen.compat.verdicts import Peers
from ampgen.model import Enum, Error, ListType, MapType, Struct, Union
from ampgen.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.model import Command, Declaration, Field, Schema, Type

_Typed: TypeAlias = "Enum | Struct | Union"


class Box(Enumeration):
    """Of what a pair of boxes holds the fields; the value is what one is called."""

    ARGUMENTS = "argument"
    SENT = "stream"
    RESULT = "result"
    STRUCT = "field"
    UNION = "member"
    ERROR = "error field"


@dataclass(slots=True)
class BoxPair:
    """``owner``: what has the fields, as messages call it; ``at`` and ``was``: its
    name in both versions. ``reserved``: keys that the new one reserves, ``None`` where
    there is no place for it; ``barred``: those that the old one did.
    """

    box: Box
    owner: str
    at: Span
    was: Span
    fields: tuple[FieldPair, ...]
    reserved: tuple[str, ...] | None = ()
    barred: tuple[str, ...] = ()
    uses: list[Use] = field(default_factory=list["Use"])


@dataclass(slots=True)
class EnumPair:
    old: Enum
    new: Enum
    uses: list[Use] = field(default_factory=list["Use"])


@dataclass(slots=True)
class ErrorPair:
    """``uses``: of the commands that raise it in both versions."""

    old: Error
    new: Error
    uses: list[Use] = field(default_factory=list["Use"])


class Versions:
    """``old`` and ``new``, and all that there is in both.

    ``readings`` are those of any peer, ``own_readings`` those of ours alone.
    """

    def __init__(self, old: Schema, new: Schema, peers: Peers) -> None:
        self.old = old
        self.new = new
        self.peers = peers
        self.declarations = Declarations(old, new)
        self.commands = pair_commands(old, new, self.declarations)
        same = self.declarations.identities()
        self.readings = Readings(peers, same)
        self.own_readings = Readings(Peers.AMPGEN, same)
        self.boxes: list[BoxPair] = []
        self.enums: list[EnumPair] = []
        self.errors: list[ErrorPair] = []
        self._boxes_of: dict[Struct | Union | Error, BoxPair] = {}
        self._enums_of: dict[Enum, EnumPair] = {}
        self._errors_of: dict[Error, ErrorPair] = {}
        self._insides: dict[int, list[tuple[str, BoxPair | EnumPair]]] = {}
        self._pair_declared()
        for command in self.commands.pairs:
            self._follow(command)

    def is_same(self, old: Type, new: Type) -> bool:
        return self.declarations.is_same(old, new)

    def place_of(self, gone: Declaration) -> Span:
        """Where to tell of a declaration that is gone: the start of its file."""
        modules = {id(old): new for old, new in self.declarations.modules}
        module = modules.get(id(gone.module), self.new.roots[0])
        return Span(module.source, 0, 0)

    def _pair_declared(self) -> None:
        for old, new in self.declarations.pairs(Enum):
            self.enums.append(EnumPair(old, new))
            self._enums_of[old] = self.enums[-1]
        for struct, after in self.declarations.pairs(Struct):
            fields = self._paired(struct.fields, after.fields)
            self._declare(Box.STRUCT, "struct", struct, after, fields)
        for union, other in self.declarations.pairs(Union):
            fields = self._paired(union.members, other.members)
            self._declare(Box.UNION, "union", union, other, fields)
        for error, heir in self.declarations.pairs(Error):
            self.errors.append(ErrorPair(error, heir))
            self._errors_of[error] = self.errors[-1]
            fields = self._paired(error.fields, heir.fields)
            self._declare(Box.ERROR, "error", error, heir, fields)

    def _declare(
        self,
        box: Box,
        word: str,
        old: Struct | Union | Error,
        new: Struct | Union | Error,
        fields: tuple[FieldPair, ...],
    ) -> None:
        owner = f"{word} `{new.name}`"
        reserved = new.reserved, old.reserved
        made = BoxPair(box, owner, new.span, old.span, fields, *reserved)
        self.boxes.append(made)
        self._boxes_of[old] = made

    def _paired(
        self, old: Sequence[Field], new: Sequence[Field]
    ) -> tuple[FieldPair, ...]:
        return pair(old, new, self.is_same)

    # --- what travels -----------------------------------------------------------------

    def _follow(self, command: CommandPair) -> None:
        old, new = command.old, command.new
        if old is None or new is None:
            return
        streams = {one.name for one in (*old.arguments, *new.arguments) if one.stream}
        arguments = self._paired(
            [one for one in old.arguments if one.name not in streams],
            [one for one in new.arguments if one.name not in streams],
        )
        uses = command.of(Part.ARGUMENT)
        reserved = new.reserved, old.reserved
        self._carry(Box.ARGUMENTS, old, new, arguments, reserved, uses)
        before, after = stream_argument(old), stream_argument(new)
        if before is not None and after is not None:
            sent = (FieldPair(before, after),)
            uses = command.of(Part.SENT_ITEM)
            self._carry(Box.SENT, old, new, sent, ((), ()), uses)
        if old.oneway is new.oneway and is_streamed(old) is is_streamed(new):
            part = Part.ITEM if is_streamed(new) else Part.RESULT
            result = self._paired(
                () if old.result is None else old.result.fields,
                () if new.result is None else new.result.fields,
            )
            listed = None
            if new.result is not None and not new.result.bare:
                listed = new.result.reserved
            barred = () if old.result is None else old.result.reserved
            uses = command.of(part)
            self._carry(Box.RESULT, old, new, result, (listed, barred), uses)
        for error in old.errors:
            pair_ = self._errors_of.get(error)
            if pair_ is not None and pair_.new in new.errors:
                pair_.uses += command.of(Part.ERROR)
                self._travel(self._boxes_of[error], command.of(Part.ERROR))

    def _carry(
        self,
        box: Box,
        old: Command,
        new: Command,
        fields: tuple[FieldPair, ...],
        reserved: tuple[tuple[str, ...] | None, tuple[str, ...]],
        uses: Sequence[Use],
    ) -> None:
        owner = f"`{new.name}`"
        made = BoxPair(box, owner, new.span, old.span, fields, *reserved)
        self.boxes.append(made)
        self._travel(made, uses)

    def _travel(self, box: BoxPair, uses: Sequence[Use]) -> None:
        """Note these uses at all that the box holds, directly or not."""
        seen = {id(box)}
        waiting: deque[tuple[BoxPair | EnumPair, tuple[str, ...]]] = deque()
        waiting.append((box, ()))
        while waiting:
            found, through = waiting.popleft()
            found.uses += [use.leading(through) for use in uses]
            if isinstance(found, EnumPair):
                continue
            for name, one in self._inside(found):
                if id(one) not in seen:
                    seen.add(id(one))
                    waiting.append((one, (*through, name)))

    def _inside(self, box: BoxPair) -> list[tuple[str, BoxPair | EnumPair]]:
        """What its fields hold, each with the field's name."""
        inside = self._insides.get(id(box))
        if inside is None:
            both = (fields.both for fields in box.fields)
            inside = self._insides[id(box)] = [
                (new.name, one)
                for old, new in filter(None, both)
                for one in self._held(old.type, new.type)
            ]
        return inside

    def _held(self, old: Type, new: Type) -> Iterator[BoxPair | EnumPair]:
        """The declared types that are the same in both."""
        match old, new:
            case ListType(), ListType():
                yield from self._held(old.item, new.item)
            case ListType(), (Struct() | Union()):
                yield from self._held(old.item, new)
            case ((Struct() | Union()), ListType()):
                yield from self._held(old, new.item)
            case MapType(), MapType():
                yield from self._held(old.key, new.key)
                yield from self._held(old.value, new.value)
            case Enum(), Enum() if self.is_same(old, new):
                yield self._enums_of[old]
            case ((Struct() | Union()), (Struct() | Union())) if self.is_same(old, new):
                yield self._boxes_of[old]
            case _:
                pass


def stream_argument(command: Command) -> Field | None:
    return next((one for one in command.arguments if one.stream), None)


def is_streamed(command: Command) -> bool:
    """Is its result a stream?"""
    return command.result is not None and command.result.stream
