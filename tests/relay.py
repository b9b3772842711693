"""Between two ends that talk, with an ear on what they say."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.seen import Seen, Side

if TYPE_CHECKING:
    from ampgen.tools.memory import Loaded


class Relay:
    """Hands on what comes of one connection. ``seen``: what has been said."""

    def __init__(self, loaded: Loaded | None, address: str) -> None:
        """``address``: where the server is, ``host:port`` or ``unix:/path``."""
        self._conversation = Conversation(loaded)
        self._address = address
        self.seen: list[Seen] = []
        self.over = asyncio.Event()
        self._more = asyncio.Event()

    async def until(self, count: int) -> None:
        """So many have been seen."""
        while len(self.seen) < count:
            self._more.clear()
            await self._more.wait()

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._address.startswith("unix:"):
            path = self._address.removeprefix("unix:")
            there = await asyncio.open_unix_connection(path)
        else:
            host, _, port = self._address.rpartition(":")
            there = await asyncio.open_connection(host, int(port))
        await asyncio.gather(
            self._hand_on(Side.CLIENT, reader, there[1]),
            self._hand_on(Side.SERVER, there[0], writer),
        )
        self.over.set()

    async def _hand_on(
        self, side: Side, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        now = asyncio.get_running_loop().time
        with suppress(ConnectionError):
            while data := await reader.read(11):  # in small pieces
                self.seen += self._conversation.feed(side, data, now())
                self._more.set()
                writer.write(data)
        self.seen += self._conversation.end(side, now())
        writer.close()
