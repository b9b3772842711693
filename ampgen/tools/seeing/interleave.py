"""Two directions of which nobody knows the times, in an order that makes sense.

What an end answers it has been asked before: an answer, or a box of a stream, is put
behind what it belongs to, and as close to it as can be; what was asked last is answered
first, since an answer may have waited for one that its end asked for. Everything else
goes in turns that nobody can check: the client's first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.tools.seeing.framing import Frame, Framing
from ampgen.tools.seeing.seen import Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ampgen.tools.seeing.conversation import Conversation
    from ampgen.tools.seeing.framing import Framed
    from ampgen.tools.seeing.seen import Seen


def interleave(
    conversation: Conversation, sent: Mapping[Side, bytes]
) -> Iterator[Seen]:
    """All that both sides have sent, to their ends."""
    coming = {side: _framed(sent.get(side, b"")) for side in Side}
    heads = {side: next(coming[side], None) for side in Side}
    while True:
        side = _next(conversation, heads)
        if side is None:
            return
        head = heads[side]
        heads[side] = next(coming[side], None)
        if head is not None:
            yield conversation.take(side, head)


def _framed(data: bytes) -> Iterator[Framed]:
    framing = Framing()
    yield from framing.feed(data)
    yield from framing.end()


def _next(
    conversation: Conversation, heads: Mapping[Side, Framed | None]
) -> Side | None:
    free: list[Side] = []
    early: list[Side] = []
    due: list[tuple[int, bool, bool, Side]] = []
    for side, head in heads.items():
        if head is None:
            continue
        number = None
        if isinstance(head, Frame):
            number = conversation.belongs_to(side, head.box)
        if number is None:
            free.append(side)
        elif not number:
            early.append(side)
        elif isinstance(head, Frame):
            ends = b"_answer" in head.box or b"_error" in head.box
            # in most streams it is the server that goes first
            due.append((-number, ends, side is Side.CLIENT, side))
    if due:
        return min(due)[-1]
    return next(iter((*free, *early)), None)
