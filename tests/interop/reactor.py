"""Twisted's reactor in a thread of its own, and how a coroutine speaks to it."""

# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import (
    clientFromString,
    connectProtocol,
    serverFromString,
)
from twisted.internet.protocol import Factory
from twisted.logger import globalLogBeginner

from tests.interop.twisted_commands import End
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from twisted.protocols import amp

reactor: Any = _reactor


def start() -> threading.Thread:
    """Run the reactor; what Twisted logs is dropped."""
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    started = threading.Event()
    reactor.callWhenRunning(started.set)
    thread = threading.Thread(
        target=reactor.run,
        kwargs={"installSignalHandlers": False},
        name="reactor",
        daemon=True,
    )
    thread.start()
    assert started.wait(PATIENCE)
    return thread


def stop(thread: threading.Thread) -> None:
    reactor.callFromThread(reactor.stop)
    thread.join(PATIENCE)
    assert not thread.is_alive()


async def there(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call something in the reactor's thread, and wait for what its Deferred gives."""
    done: Future[Any] = Future()

    def run() -> None:
        if done.set_running_or_notify_cancel():
            maybeDeferred(call, *args, **kwargs).addCallbacks(
                done.set_result, lambda failure: done.set_exception(failure.value)
            )

    reactor.callFromThread(run)
    return await asyncio.wait_for(asyncio.wrap_future(done), PATIENCE)


async def ask(end: End, command: type[amp.Command], **arguments: Any) -> Any:
    """Call the peer of one of Twisted's ends."""
    return await there(end.callRemote, command, **arguments)


class TwistedServer:
    """A listening Twisted program; ``ends`` are its connections."""

    def __init__(self, end: Callable[[], End]) -> None:
        self.address = ""
        self.ends: list[End] = []
        self._end = end

    def build(self) -> End:
        self.ends.append(self._end())
        return self.ends[-1]


@asynccontextmanager
async def twisted_server(
    path: str | None = None, end: Callable[[], End] = End
) -> AsyncGenerator[TwistedServer]:
    server = TwistedServer(end)
    described = f"unix:{path}" if path else "tcp:0:interface=127.0.0.1"
    factory = Factory.forProtocol(server.build)
    port = await there(lambda: serverFromString(reactor, described).listen(factory))
    host = port.getHost()
    server.address = f"unix:{path}" if path else f"{host.host}:{host.port}"
    try:
        yield server
    finally:
        await there(port.stopListening)
        for one in server.ends:
            await _drop(one)


@asynccontextmanager
async def twisted_client(
    address: str, end: Callable[[], End] = End
) -> AsyncGenerator[End]:
    """A Twisted program that is connected to ``address``."""
    described = address if address.startswith("unix:") else f"tcp:{address}"
    made = end()
    await there(lambda: connectProtocol(clientFromString(reactor, described), made))
    try:
        yield made
    finally:
        await _drop(made)


async def _drop(end: End) -> None:
    """End a connection, if it has not ended, and wait until it has."""

    await there(end.abort)
    await there(lambda: end.lost)
