"""Services that tests serve, and how they log what they see."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ampgen.runtime import current_call
from tests.runtime.made.text import (
    Corrupt,
    EventsServer,
    Item,
    RepeatResult,
    TextServer,
    TooLong,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable


COMMANDS = {command.wire: command for command, _ in TextServer.__ampgen_commands__}


class Text(TextServer):
    """Repeats at most 100 characters; ``gate`` holds calls of `Stop` back."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.gate = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)  # released by each call that waits

    async def repeat(self, text: str, times: int) -> RepeatResult:
        await asyncio.sleep(0)
        if text == "corrupt":
            raise Corrupt("all is lost")
        if text == "secret":
            raise LookupError("secret")
        if len(text) * times > 100:
            raise TooLong(f"{len(text) * times} characters", limit=100)
        return RepeatResult(text=text * times, length=len(text) * times)

    def items(self, items: list[Item]) -> list[Item]:
        return items

    async def stop(self) -> None:
        self.waiting.release()
        await self.gate.wait()

    def log(self, line: str) -> Awaitable[None] | None:
        if line == "secret":
            raise LookupError("secret")
        self.lines.append(f"{line} from {current_call().command}")
        return None


class Events(EventsServer):
    """What the calling end answers."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def progress(self, done: int) -> None:
        self.seen.append(done)

    async def confirm(self, question: str) -> str:
        return f"{question}: yes"
