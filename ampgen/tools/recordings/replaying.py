"""A recording's client once more: what it sent is sent to a server, in the same order.

Nothing is sent before all that had come from the server by then has come again: so a
call that was made because of an answer is made behind that answer. What the server
asks is answered as it was; its answers are compared with those of then, by the schema
in the recording.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from ampgen.tools.recordings.events import Boxed, Broken, Closed, Ended, Failed, Opened
from ampgen.tools.recordings.replayed import Replayed
from ampgen.tools.seeing.seen import SeenBytes, Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ampgen.tools.recordings.events import Event
    from ampgen.tools.recordings.replayed import Outcome, Terms


async def replay(events: Iterable[Event], terms: Terms, speed: float) -> Outcome:
    """``speed``: how much faster than it was; ``inf``: as fast as the answers come.

    Raises ``NotConnected``, and what ``events`` raises.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    connections: dict[int, Replayed] = {}
    try:
        for event in events:
            if not math.isinf(speed) and _is_ours(event):
                await asyncio.sleep(max(began + event.at / speed - loop.time(), 0))
            if isinstance(event, Opened):
                connection = Replayed(terms, event.number)
                await connection.connect()
                connections[event.number] = connection
                terms.outcome.connections += 1
            elif event.number in connections:  # else it never came to be
                await _go_on(connections[event.number], event)
                if isinstance(event, Closed):
                    del connections[event.number]
    finally:
        for connection in connections.values():
            await connection.close(whole=False)
    return terms.outcome


async def _go_on(connection: Replayed, event: Event) -> None:
    match event:
        case Boxed(sender=Side.CLIENT):
            await connection.send(event)
        case Boxed():
            await connection.expect(event)
        case Broken(seen=SeenBytes(sender=Side.CLIENT, rule=rule)):
            connection.give_up(rule)
        case Ended(sender=Side.CLIENT) | Failed(side=Side.CLIENT):
            connection.end()
        case Ended() | Failed(side=Side.SERVER):
            await connection.expect_end()
        case Closed():
            await connection.close(whole=True)
        case _:
            pass


def _is_ours(event: Event) -> bool:
    """What the client did, and so has a time to be done at again."""
    match event:
        case Opened() | Closed():
            return True
        case Boxed(sender=sender) | Ended(sender=sender):
            return sender is Side.CLIENT
        case _:
            return False
