"""Addresses where nobody answers."""

from __future__ import annotations

import socket
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def dead_address() -> AsyncGenerator[str]:
    """It refuses, and nobody else gets it meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        host, port = held.getsockname()
        yield f"{host}:{port}"


@asynccontextmanager
async def silent_address() -> AsyncGenerator[str]:
    """Connecting to it takes for ever: its backlog is full."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            with suppress(BlockingIOError):
                caller.connect(listening.getsockname())
        host, port = listening.getsockname()
        yield f"{host}:{port}"
