"""Streams: items one by one, as many at a time as their consumer has room for.

Each stream has two halves, one at each end. The consumer's (``incoming.py``) holds what
has come and nobody has taken yet, and grants credit: that many items may come. The
producer's (``outgoing.py``) runs whatever makes the items, as long as there is credit
and the peer takes our bytes. So memory is bounded at both ends, however long the stream
is.

Here is what both know: how the boxes of a stream are called, and what takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ampgen.runtime.wire import write_box

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from typing import Protocol

    from ampgen.runtime.command import AnyCommand
    from ampgen.runtime.errors import ConnectionLost
    from ampgen.runtime.extras import Extras
    from ampgen.runtime.wire import Limits

    class Port(Protocol):
        """What takes the boxes of a stream that is open."""

        large: tuple[bytes, ...]

        def read(self, data: bytes, at: int, start: int, /) -> int:
            """An item where it lies, its values from ``start`` on: where it ends.

            That is ``at`` for all that does not go the short way.
            """
            ...

        def take(self, name: bytes, box: dict[bytes, bytes], extras: Extras, /) -> None:
            """Any box of the stream."""

        def lost(self, error: ConnectionLost, /) -> None:
            """Nothing comes any more."""

    class Link(Protocol):
        """What a stream needs of the protocol of its connection."""

        streams: dict[bytes, Port]
        blocked: bool
        limits: Limits

        @property
        def deaf(self) -> bool: ...

    class Host(Protocol):
        """What a stream needs of the shell of its connection."""

        @property
        def loop(self) -> asyncio.AbstractEventLoop: ...
        @property
        def protocol(self) -> Link: ...
        def queue(self, data: bytes) -> None: ...
        async def room(self, command: AnyCommand) -> None: ...


SLICE = 0.001
"""Seconds: a half that has worked for so long lets others have their turn."""

SHARE = 65_536
"""Bytes: a producer that has sent so many does, too.

Else whoever makes its items fast fills all the room there is in one turn, and who makes
them slowly has sent one.
"""


@dataclass(frozen=True, slots=True)
class Suffixes:
    """What the commands of a stream are called, behind the name of its command."""

    item: bytes
    credit: bytes
    stop: bytes
    end: bytes = b""


RESULTS: Final = Suffixes(b"._item", b"._credit", b"._stop")
ARGUMENTS: Final = Suffixes(b"._send", b"._send_credit", b"._send_stop", b"._send_end")
SUFFIXES: Final = (
    *(RESULTS.item, RESULTS.credit, RESULTS.stop),
    *(ARGUMENTS.item, ARGUMENTS.credit, ARGUMENTS.stop, ARGUMENTS.end),
)


def head_of(name: bytes, stream: bytes) -> bytes:
    """The first pairs of a stream's box."""
    return write_box({b"_command": name, b"_stream": stream})[:-2]


def box_of(
    name: bytes, stream: bytes, pairs: Mapping[bytes, bytes] | None = None
) -> bytes:
    """A box of a stream that is no item."""
    return write_box({b"_command": name, b"_stream": stream, **(pairs or {})})
