"""What is seen of a conversation: boxes, and bytes that are none.

Values alone: ``conversation`` makes them, ``astext`` and ``asjson`` print them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.model import Command, Error, Field
    from ampgen.runtime.jsonvalue import Json


def as_text(name: bytes) -> str:
    """A key, a tag or a name that a peer has sent, whatever bytes it is."""
    return name.decode("utf-8", "backslashreplace")


class Side(StrEnum):
    """Who sent it: the end that opened the connection, or the one that listened."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Side:
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class Kind(StrEnum):
    """What a box is.

    ``ASK`` wants an answer, ``ONEWAY`` does not, ``ANSWER`` and ``ERROR`` are one.
    ``ITEM``, ``CREDIT``, ``STOP`` and ``END`` belong to a stream, ``CANCEL`` to a call.
    ``NONE``: the box is no kind that AMP has.
    """

    ASK = "ask"
    ONEWAY = "oneway"
    ANSWER = "answer"
    ERROR = "error"
    ITEM = "item"
    CREDIT = "credit"
    STOP = "stop"
    END = "end"
    CANCEL = "cancel"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Blame:
    """What is wrong, and where.

    ``offset`` counts bytes in all that this side has sent; ``key`` is the key on the
    wire, a path (``items[3].price``) where it is deeper inside, and empty where the box
    as a whole is wrong. ``rule`` never holds a value.
    """

    offset: int
    key: str
    rule: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that nobody has decoded: no schema knows it, or it does not decode.

    ``hidden``: the schema calls it sensitive, or something in it, or whatever else has
    this key: not even its bytes may be shown. Its repr has the length alone.
    """

    raw: bytes = field(repr=False)
    hidden: bool = False

    def __repr__(self) -> str:
        return f"<{len(self.raw):,} bytes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBox:
    """One box.

    ``at``: seconds, by whatever clock they were told; ``None`` if they were not.
    ``offset``, ``size``: where it begins in what this side has sent, and how long it
    is, lengths included. ``box``: its keys and values as they were. **Secrets are in
    it**: whoever keeps it has to look at ``declared``.

    ``tag``: the ``_ask`` that it has, answers or cancels; ``stream``: the ``_stream``.
    ``command``: the name in the schema, or that on the wire where no schema knows it;
    empty for an answer to nothing that was seen; for a box of a stream, the command
    that streams. ``service``: where the schema declares
    it; ``None`` where it does not, and for commands of AMP and of the runtime.
    ``model``: the command in the schema. ``known``: the schema or the runtime has it.

    ``declared``: the fields that ``fields`` were read as, by the schema. ``fields``: by
    name, as JSON; what is sensitive is ``"[hidden]"`` at every depth, and
    ``hidden`` has the paths of it. ``others``: what no field was declared for, by its
    key, or by its path in a struct.

    ``extras``: what goes beyond AMP, by name: ``timeout`` and ``credit`` as numbers,
    ``understands`` as a list. ``metadata``: that of the application. ``code``,
    ``description``: of an error, or of a stream of arguments that failed. ``error``:
    the error in the schema.

    ``elapsed``: seconds since the ask that this is an answer to, or a part of.
    ``blames``: what is wrong. ``notes``: what is odd, and no fault.
    """

    sender: Side
    at: float | None
    offset: int
    size: int
    kind: Kind
    box: Mapping[bytes, bytes] = field(repr=False)
    tag: bytes | None = None
    stream: bytes | None = None
    command: str = ""
    service: str | None = None
    model: Command | None = field(default=None, repr=False)
    known: bool = False
    declared: tuple[Field, ...] = field(default=(), repr=False)
    fields: Mapping[str, Json | Opaque] = field(
        default_factory=dict[str, "Json | Opaque"]
    )
    hidden: tuple[str, ...] = ()
    others: Mapping[str, Opaque] = field(default_factory=dict[str, Opaque])
    extras: Mapping[str, Json] = field(default_factory=dict[str, "Json"])
    metadata: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    code: str | None = None
    description: str | None = None
    error: Error | None = field(default=None, repr=False)
    elapsed: float | None = None
    blames: tuple[Blame, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fault(self) -> bool:
        return bool(self.blames)


class Break(StrEnum):
    """Why bytes are no boxes.

    ``LOST``: what came is no box, and nothing behind it is looked at. ``TLS``: from
    here on it is encrypted. ``GAP``: bytes are missing. ``SKIPPED``: bytes in front of
    the first box that is whole. ``CUT``: the end, in the middle of a box. ``UNREAD``:
    the end, and how many bytes nobody looked at.
    """

    LOST = "lost"
    TLS = "tls"
    GAP = "gap"
    SKIPPED = "skipped"
    CUT = "cut"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBytes:
    """Bytes that are no box: ``size`` of them, 0 where that is not known yet.

    ``key``: the key of the box that was being read, as far as it is known.
    ``start``: the first bytes of what was lost, if there is no schema to go by.
    """

    sender: Side
    at: float | None
    offset: int
    size: int
    why: Break
    rule: str
    key: str = ""
    fault: bool = False
    start: bytes = field(default=b"", repr=False)


Seen: TypeAlias = SeenBox | SeenBytes
