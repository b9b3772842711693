"""What the peers on asyncio share: the loop, and ``Endpoint`` but for ``connect``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any


def run(main: Coroutine[Any, Any, None], loop: str = "asyncio") -> None:
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


class AsyncioEndpoint:
    def __init__(self, port: int) -> None:
        self.port = port
        self._tasks: set[asyncio.Task[None]] = set()

    async def gather(self, coroutines):
        return list(await asyncio.gather(*coroutines))

    def spawn(self, coroutine) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def pause(self) -> None:
        await asyncio.sleep(0)
