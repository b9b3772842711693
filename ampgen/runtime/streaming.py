"""Calls of ours that stream.

The call's answer, or its error, ends whatever streams it has. A call that is given up
ends them at the peer too, but tells it only once that has shown that it knows streams.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
from typing import TYPE_CHECKING, Any

from ampgen.runtime import answers
from ampgen.runtime.calls import Call
from ampgen.runtime.errors import DecodeError, Fault
from ampgen.runtime.incoming import Incoming
from ampgen.runtime.outgoing import Outgoing, close_source, items_of
from ampgen.runtime.streams import ARGUMENTS, RESULTS, box_of

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
        Mapping,
    )
    from typing import Protocol

    from ampgen.runtime import streams
    from ampgen.runtime.command import AnyCommand, Items

    class Link(streams.Link, Protocol):
        def give_up(self, call: Call) -> None: ...

    class Host(streams.Host, Protocol):
        @property
        def protocol(self) -> Link: ...
        async def begin(
            self,
            stream: StreamCall,
            arguments: Any,
            seconds: float | None,
            metadata: Mapping[str, str] | None,
            began: float,
        ) -> None: ...

    Around = Callable[
        [AnyCommand, Any, float | None, Mapping[str, str] | None, bool], Awaitable[Any]
    ]

    class Caller(Protocol):
        """What finds the connection for a call."""

        @property
        def loop(self) -> asyncio.AbstractEventLoop: ...
        async def reach(self, command: AnyCommand, seconds: float | None) -> Host: ...


logger = logging.getLogger("ampgen")

# The event loop alone would not keep a task that waits for nothing that lives.
_running: set[asyncio.Task[None]] = set()


class StreamCall(Call):
    """A call of ours that streams.

    ``repeated``: the answer has repeated the stream's id. ``around``: the interceptors,
    if any. A call without a stream of results goes through them in its caller's task;
    with one they have a task of their own, for as long as the stream lasts.
    """

    _protocol: Link  # once it is open

    def __init__(
        self,
        caller: Caller,
        command: AnyCommand,
        arguments: Any,
        sent: AsyncIterable[Any] | Iterable[Any],
        seconds: float | None,
        metadata: Mapping[str, str] | None,
    ) -> None:
        self.command = command
        self.deadline = self.seconds = self.metadata = None
        self.repeated = False
        self.incoming: Received | None = None
        self._caller = caller
        self._request = (arguments, seconds, metadata)
        self._sender: Sender | None = None
        self._over: asyncio.Future[Any] | None = None  # for who performs it
        self._made = self._asked = self.done = False
        self._failure: BaseException | None = None
        self.around: Around | None = None
        self._round: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None  # for who waits in `open`
        if command.items is not None:
            self.incoming = Received(self, command.items)
        if command.sends is not None:
            source = items_of(sent, command)
            self._sender = Sender(self, command.sends, source)

    # --- whoever calls ----------------------------------------------------------------

    async def result(self) -> Any:
        """Call, and wait for the answer; for a call without a stream of results."""
        try:
            if self.around is not None:
                return await self.around(self.command, *self._request, False)
            return await self.perform(*self._request)
        finally:
            await self.aclose()

    async def open(self) -> None:
        """Begin, for a call that has a stream of results."""
        request, self._request = self._request, ((), None, None)
        if self.around is None:
            await self._open(*request)
            return
        loop = asyncio.get_running_loop()
        self._opened = opened = loop.create_future()
        self._round = task = loop.create_task(self._go_round(self.around, request))
        _running.add(task)
        task.add_done_callback(functools.partial(self._gone_round, opened))
        try:
            await opened
        except BaseException:
            self.leave()
            await self.settled()
            raise

    async def perform(
        self,
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None,
    ) -> Any:
        """The call itself, until its end: what interceptors are around.

        It may be tried again as long as no request has left.
        """
        if self._made or self.done:
            told = f"{self.command.name}: a call that streams is made once"
            raise RuntimeError(told) from self._failure
        self._made = True
        self._over = asyncio.get_running_loop().create_future()
        try:
            await self._open(arguments, seconds, metadata)
        except BaseException:
            self._made = False
            raise
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
        try:
            result = await self._over
        except asyncio.CancelledError:
            if self.incoming is None:  # else whoever reads it hears how it goes on
                self.leave()
            raise
        if self._failure is not None:
            raise self._failure
        return result

    async def _go_round(self, around: Around, request: Any) -> None:
        arguments, seconds, metadata = request
        await around(self.command, arguments, seconds, metadata, False)

    def _gone_round(
        self, opened: asyncio.Future[None], task: asyncio.Task[None]
    ) -> None:
        _running.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self.done:
            if isinstance(error, Exception) and error is not self._failure:
                told = "%s: an interceptor has failed, behind the end of the stream"
                logger.error(told, self.command.name, exc_info=error)
        elif opened.done() or error is None:  # an interceptor has the last word
            self.leave(error)
        if opened.done():
            return
        if error is None or self.done:
            opened.set_result(None)
        else:
            opened.set_exception(error)

    async def settled(self) -> None:
        """Wait for the interceptors: cancelled, it cancels them."""
        task = self._round
        if task is None or task.done() or task is asyncio.current_task():
            return
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise

    async def _open(
        self,
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None,
    ) -> None:
        began = self._caller.loop.time()
        host = await self._caller.reach(self.command, seconds)
        self._protocol = host.protocol
        if self.incoming is not None:
            self.incoming.attach(host)
        if self._sender is not None:
            self._sender.host = host
            self._sender.context = contextvars.copy_context()
        await host.begin(self, arguments, seconds, metadata, began)

    def extras(self, tag: bytes) -> dict[bytes, bytes]:
        """The keys that the request has beside its arguments; the id is its tag."""
        extras = {b"_stream": tag}
        if self.incoming is not None:
            extras[b"_credit"] = b"%d" % self.incoming.window
        return extras

    def begun(self) -> None:
        """The request is on its way."""
        self._asked = True
        if self.incoming is not None:
            self.incoming.granted = self.incoming.window
            self.incoming.register(self.tag)
        if self._sender is not None:
            self._sender.register(self.tag)
        if self.done:  # it was left while it waited for room
            self.forget()
            self._protocol.give_up(self)

    def leave(self, error: BaseException | None = None) -> None:
        """The answer is of no interest any more, or for this reason fails here."""
        if not self.done:
            if error is None and self.incoming is None and self._over is not None:
                self._over.cancel()  # there is no result
            self._end(error)
            if self._asked:
                self._protocol.give_up(self)
            elif self._round is not None:
                self._round.cancel()

    async def aclose(self) -> None:
        self.leave()
        if self.incoming is not None:
            self.incoming.close()
        if self._sender is not None:
            await self._sender.close()
        await self.settled()

    # --- the answer -------------------------------------------------------------------

    def answered(self, result: Any) -> None:
        if self.done:
            self.forget()
        elif not self.repeated:
            rule = "missing from the answer: the peer does not stream"
            self._end(DecodeError(self.command.name, "_stream", rule))
        else:
            self._end(result=result)

    def failed(self, error: BaseException) -> None:
        if self.done:
            self.forget()
        else:
            self._end(error)

    def _end(self, error: BaseException | None = None, result: Any = None) -> None:
        self.done = True
        if self._asked:
            self.forget()
        if self._sender is not None:
            self._sender.stop()
        if self._over is not None:
            self._failure = error
            if not self._over.done():
                self._over.set_result(result)
        if self.incoming is not None:
            self.incoming.finish(error)

    # --- the peer, when it is given up ------------------------------------------------

    def stop_peer(self) -> bool:
        """Tell the peer that it may end, as far as it has shown that it knows streams.

        False: nothing has been said.
        """
        failed = self._sender is not None and self._sender.failed
        incoming = self.incoming
        # a handler that can go on hears first of what failed here
        told = failed and incoming is not None and incoming.granted > 0
        if incoming is not None and incoming.heard and not told:
            incoming.stop()
            return True
        if failed:
            self.linger()
        return failed

    def linger(self) -> None:
        """Tell the peer as soon as it shows that it knows streams."""
        if self.incoming is not None:
            self.incoming.linger()

    def end_argument(self) -> None:
        """Tell the peer: its handler may read on, even where it is to end."""
        if self._sender is not None:
            self._sender.linger()

    def forget(self) -> None:
        """No box of its streams is of interest any more."""
        if self.incoming is not None:
            self.incoming.unregister()
        if self._sender is not None:
            self._sender.unregister()


class Received(Incoming[Any]):
    """The stream of results of a call of ours."""

    __slots__ = ("_call",)

    def __init__(self, call: StreamCall, items: Items[Any]) -> None:
        super().__init__(call.command, items, RESULTS)
        self._call = call

    async def open(self) -> None:
        await self._call.open()

    def leave(self) -> None:
        self._call.leave()

    def refuse(self, fault: Fault) -> None:
        self._call.leave(DecodeError(self._call.command.name, fault.path, fault.rule))

    async def aclose(self) -> None:
        await self._call.aclose()

    async def over(self) -> None:
        await self._call.settled()


class Sender(Outgoing):
    """The stream argument of a call of ours.

    It runs in a task of its own, from the first credit on, in the caller's ``context``.
    ``failed``: what makes the items did, and the peer has been told.
    """

    __slots__ = ("_call", "_granted", "_left", "_source", "_told", "context", "failed")

    def __init__(
        self, call: StreamCall, items: Items[Any], source: AsyncIterator[Any]
    ) -> None:
        super().__init__(call.command, items, ARGUMENTS)
        self.context: contextvars.Context | None = None
        self.failed = False
        self._call = call
        self._source = source
        self._granted = self._left = self._told = False

    def grant(self, count: int) -> None:
        super().grant(count)
        self._granted = True
        if self._left:
            self.unregister()
            self._end(answers.GIVEN_UP)
        elif self.task is None and not self.stopped:
            self.task = self.host.loop.create_task(
                self._produce(), context=self.context
            )
            _running.add(self.task)
            self.task.add_done_callback(_running.discard)

    async def _produce(self) -> None:
        try:
            await self.run(self._source)
        except BaseException as error:
            fine = isinstance(error, Exception)  # else it is cancelled by others
            if not self.stopped:
                self._fail(error)
            elif fine:
                logger.exception("%s: its items do not end well", self._command.name)
            if not fine:
                raise
        else:
            if not self.stopped:
                self._end()

    def _fail(self, error: BaseException) -> None:
        self.failed = True
        self._end(answers.producer_failure(self._command, error))
        self._call.leave(error)

    def _end(self, failure: answers.Failure | None = None) -> None:
        """Tell the peer that no more comes, and why, if it is no good reason."""
        self._told = True
        pairs = {} if failure is None else answers.error_pairs(failure)
        self.host.queue(box_of(self._wire + ARGUMENTS.end, self._stream, pairs))

    def linger(self) -> None:
        """Tell the peer that no more comes, once it has shown that it knows streams."""
        if not self._granted:
            self._left = True
            self.register(self._stream)
        elif not self._told:
            self._end(answers.GIVEN_UP)

    async def close(self) -> None:
        """Stop it, and wait until what makes the items is closed."""
        self.stop()
        if self.task is None:
            await close_source(self._source, self._command)
        elif self.task is not asyncio.current_task():
            await asyncio.wait([self.task])
