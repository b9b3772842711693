"""The asyncio shell around the protocol.

The protocol decides, the shell moves bytes. Bytes leave early, so that both ends work
at the same time: at once where nothing else is in flight, else on the way through a
batch, then whenever about 4 KiB are queued, and at its end. A handler that is a plain
function costs no task; a deadline costs no timer of its own.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
from asyncio import Task
from itertools import islice
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from ampgen.runtime import answers
from ampgen.runtime.addresses import format_address
from ampgen.runtime.awaited import AwaitedCall
from ampgen.runtime.calls import deadline_exceeded
from ampgen.runtime.errors import DeadlineExceeded, Overloaded
from ampgen.runtime.extras import Metadata
from ampgen.runtime.keepalive import Keepalive
from ampgen.runtime.load import UNBOUNDED, Load
from ampgen.runtime.protocol import AmpProtocol
from ampgen.runtime.serving import current

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    from ampgen.runtime.calls import Call
    from ampgen.runtime.command import AnyCommand, Command, Handler
    from ampgen.runtime.serving import Serving
    from ampgen.runtime.streaming import StreamCall
    from ampgen.runtime.wire import Limits

R = TypeVar("R")

# as methods of an imported name they would be looked up, and bound, each time
_get_current = current.get
_set_current = current.set
_reset_current = current.reset

logger = logging.getLogger("ampgen")

_COROUTINE: type[Any] = CoroutineType  # to type checkers: of anything
# a handler runs at once, as far as it goes; on Python 3.11 in the loop's next turn
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}
_FLUSH_AT = (
    4096  # bytes queued; measured: fewer writes starve the peer, more cost syscalls
)
_AT_ONCE = 16  # of those who wait for room are woken in one turn of the loop
TICK = 0.01  # seconds that a deadline may be late
LAST_WORDS = (
    0.5  # seconds for cancelled handlers to end, and for their answers to leave
)


class Shell:
    """Host of one ``AmpProtocol`` on one transport.

    ``connection`` is what programs see of it. ``keepalive``: the seconds of a
    ``Keepalive``, or none. ``load`` counts the handlers that run, on the other
    connections of a server too.
    """

    # a server has one for each peer: its size is that of an idle connection
    __slots__ = (
        "_came",
        "_close_soon",
        "_closed",
        "_connected",
        "_deadline_timer",
        "_end_timer",
        "_flushing",
        "_keepalive",
        "_reading_paused",
        "_tasks",
        "_watched",
        "_writers",
        "connection",
        "drain_timeout",
        "idle",
        "is_closed",
        "limits",
        "load",
        "loop",
        "peer_address",
        "protocol",
        "transport",
    )

    def __init__(
        self,
        *,
        limits: Limits,
        drain_timeout: float,
        connection: Any,
        fallback: Callable[[bytes], Handler] | None = None,
        keepalive: float | None = None,
        load: Load = UNBOUNDED,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.connection = connection
        self.load = load
        self.peer_address = ""
        self.is_closed = False
        self._closed: asyncio.Future[None] | None = None  # made when it is asked for
        # closed, and no handler runs any more
        self.idle: asyncio.Future[None] = self.loop.create_future()
        self.drain_timeout = drain_timeout
        self.limits = limits
        self.protocol = AmpProtocol(self, limits=limits, fallback=fallback)
        self.protocol.blocked = True  # a factory's task may call before there is a peer
        self._came = 0.0  # when the batch did that is being read
        self._connected = False
        self._close_soon = False
        self._tasks: dict[asyncio.Task[Any], Serving] = {}
        # who waits for room, in the order in which they came; made for the first
        self._writers: dict[object, asyncio.Future[None]] | None = None
        self._flushing = False
        self._reading_paused = False
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._watched = math.inf  # no deadline from here on needs another timer
        self._end_timer: asyncio.TimerHandle | None = None
        # its seconds, until there is something to watch
        self._keepalive: Keepalive | float | None = keepalive

    @property
    def closed(self) -> asyncio.Future[None]:
        """Done at the end of the connection."""
        if self._closed is None:
            self._closed = self.loop.create_future()
            if self.is_closed:
                self._closed.set_result(None)
        return self._closed

    @property
    def tls(self) -> ssl.SSLObject | None:
        """What knows about the peer's certificate, if there is TLS."""
        if not self._connected:
            return None
        tls: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        return tls

    @property
    def is_connected(self) -> bool:
        return self._connected and not self.is_closed

    @property
    def reading_paused(self) -> bool:
        return self._reading_paused

    # --- from the transport -----------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._connected = True
        peer = transport.get_extra_info("peername")
        self.peer_address = format_address(peer or transport.get_extra_info("sockname"))
        self.protocol.peer = self.peer_address
        logger.debug("connected to %s", self.peer_address)
        if isinstance(self._keepalive, (int, float)):
            self._keepalive = Keepalive(self, self._keepalive)
        self.resume_writing()
        if self._close_soon:
            self.close()

    def never_connected(self) -> None:
        """There will be no transport: whoever waits for one has waited in vain."""
        if not self._connected and not self.is_closed:
            self.connection_lost(None)

    def descriptors_received(self, fds: list[int]) -> None:
        self.protocol.receive_descriptors(fds)

    def data_received(self, data: bytes | None) -> None:
        """A batch, or ``None``: what of one was held back.

        What it calls forth leaves in a few writes. The first is for two thirds as many
        bytes as the batch has, for the peer to work on in the meantime: else two ends
        with few calls between them would take turns. As requests and answers differ in
        length, mostly one end does so, and that is enough. Who waits for what comes
        goes on at once, for which no task may be running.
        """
        if asyncio.current_task(self.loop) is not None:
            self.loop.call_soon(self.data_received, data)
            return
        protocol = self.protocol
        self._came = self.loop.time()
        protocol.patience = _FLUSH_AT
        try:
            if data is None:
                protocol.resume()
            else:
                patience = len(data) * 2 // 3
                if patience < _FLUSH_AT:
                    protocol.patience = patience
                protocol.receive_data(data)
        finally:
            protocol.patience = _FLUSH_AT if self._flushing else 0
            if protocol.queued_bytes:
                self.flush()
        if protocol.paused or self._reading_paused:
            self._adjust_reading()

    def eof_received(self) -> None:
        self.protocol.receive_eof()

    def pause_writing(self) -> None:
        self.protocol.blocked = True
        self._adjust_reading()

    def resume_writing(self) -> None:
        self.protocol.blocked = self.protocol.told = False
        self.protocol.answer_waiting()
        self._wake_writers(_AT_ONCE)
        self._adjust_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        reason = "the connection is closed"
        if exc is not None:
            reason = f"the connection is lost: {exc}"
        logger.debug("%s: %s", self.peer_address, reason)
        self.protocol.connection_lost(reason)
        self.protocol.blocked = False
        self._wake_writers(_AT_ONCE)
        if self._deadline_timer is not None:
            self._deadline_timer.cancel()
        if isinstance(self._keepalive, Keepalive):
            self._keepalive.stop()
        self.is_closed = True
        if self._closed is not None:
            self._closed.set_result(None)
        if self._tasks:
            # soon: who waits for a call on this connection first hears of that
            self.loop.call_soon(self._abandon)
            if self._end_timer is None:
                self.ending()  # for the handlers that are left
        self._check_idle()

    # --- from the protocol ------------------------------------------------------------

    def serve(self, serving: Serving, arguments: Any) -> None:
        if self.load.full:
            serving.refused = True
            self.protocol.fail(serving, Overloaded(self.load.reason))
            return
        handler = serving.handler
        extras = serving.extras
        if extras is not None and extras.timeout is not None:
            serving.deadline = self._came + extras.timeout
        task: Task[Any] | None = None
        token = _set_current(serving)
        try:
            if handler.count < len(arguments):
                arguments = arguments[: handler.count]
            result: Any = handler.method(*arguments)
            if type(result) is not _COROUTINE and hasattr(result, "__await__"):
                result = _wait_for(result)
            if type(result) is _COROUTINE:
                task = Task(result, loop=self.loop, **_EAGER)
                if not task.done():
                    self._attend(serving, task)
                    return
                result = task.result()  # from Python 3.12 on: it never waited
        except (SystemExit, KeyboardInterrupt) as error:
            self.protocol.fail(serving, error)
            raise
        except BaseException as error:
            self._failed(serving, error, task)
            task = None  # or the error holds this frame, and this frame the error
        else:
            self.protocol.answer(serving, result)
        finally:
            _reset_current(token)

    def queued(self) -> None:
        protocol = self.protocol
        few = len(protocol.calls) + protocol.in_flight <= 1
        if few or protocol.queued_bytes >= (protocol.patience or _FLUSH_AT):
            self.flush()
            if protocol.patience:
                protocol.patience = _FLUSH_AT
        else:
            self._flushing = True
            protocol.patience = _FLUSH_AT
            self.loop.call_soon(self._flush_soon)

    @property
    def carries_descriptors(self) -> bool:
        return hasattr(self.transport, "send_descriptors")

    def send_descriptors(self, fds: list[int]) -> None:
        self.flush()
        transport: Any = self.transport
        transport.send_descriptors(fds)

    def ending(self) -> None:
        self._end_timer = self.loop.call_later(self.drain_timeout, self._drained)
        self._adjust_reading()
        self.connection._drain()

    def finished(self) -> None:
        self.flush()
        self.transport.close()

    def close(self) -> None:
        if not self._connected:
            self._close_soon = True
            return
        self.protocol.drain()

    def abort(self) -> None:
        """End at once: handlers are cancelled, and nothing more is sent."""
        for serving in self._tasks.values():
            serving.cancel(answers.CANCELLED)
        if self._connected:
            self.transport.abort()

    # --- handlers that wait -----------------------------------------------------------

    def _attend(self, serving: Serving, task: asyncio.Task[Any]) -> None:
        serving.task = task
        self._tasks[task] = serving
        self.load.add()
        if serving.deadline is not None and serving.deadline < self._watched:
            self._watch(serving.deadline)
        task.add_done_callback(self._ended)

    def _failed(
        self, serving: Serving, error: BaseException, task: Task[Any] | None
    ) -> None:
        """A handler's own calls share its deadline: they may notice it first."""
        if isinstance(error, asyncio.CancelledError):
            if task is not None and not task.cancelling() and serving.ended is None:
                stray = RuntimeError("what the handler was waiting for was cancelled")
                stray.__cause__ = error
                error = stray
        elif (
            isinstance(error, DeadlineExceeded)
            and serving.deadline is not None
            and serving.deadline <= self.loop.time() + TICK
        ):
            serving.ended = serving.expired()
            error = asyncio.CancelledError()
        self.protocol.fail(serving, error)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        serving = self._tasks.pop(task)
        serving.task = None  # whose context holds it in turn
        if serving.stream is not None:
            serving.stream.close()
        self.load.remove()
        try:
            answer = task.result()
        except BaseException as error:
            self._failed(serving, error, task)
            del task  # as in `serve`
        else:
            self.protocol.answer(serving, answer)
        self._adjust_reading()
        self._check_idle()

    def _abandon(self) -> None:
        """Nobody waits any more for what the peer had asked."""
        for serving in self._tasks.values():
            if serving.tag is not None and not serving.stopping:
                serving.cancel(answers.CANCELLED)

    def _check_idle(self) -> None:
        if self.is_closed and not self._tasks and not self.idle.done():
            self.idle.set_result(None)
            if self._end_timer is not None:
                self._end_timer.cancel()

    def _drained(self) -> None:
        """The drain time is over: cancel what still runs, then close without mercy."""
        if self._tasks:
            for serving in self._tasks.values():
                serving.cancel(answers.CANCELLED)
            self._end_timer = self.loop.call_later(LAST_WORDS, self.transport.abort)
        else:
            self.transport.abort()

    # --- calls of ours ----------------------------------------------------------------

    def call(
        self,
        command: Command[Any, R],
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None = None,
    ) -> Awaitable[R]:
        """The result of one call, to be awaited at once.

        Cancelling drops it, and its answer if it comes; a peer that understands it is
        told. In a handler a call has at most the time that the handler has left.
        """
        answered: Metadata | None = None
        if metadata is not None and isinstance(metadata, Metadata):
            answered = metadata
        outer = _get_current(None)
        if outer is not None and outer.open:
            seconds = outer.time_left(seconds)
            metadata = outer.traced(metadata)
        deadline: float | None = None
        if seconds is not None:
            deadline = self.loop.time() + seconds
            if not seconds > 0.0:
                raise deadline_exceeded(command, seconds)
        call = AwaitedCall(self, command, deadline, seconds, answered)
        if self.protocol.blocked:
            return self._call_later(call, arguments, metadata)
        self.protocol.ask(call, arguments, seconds, metadata)
        # as in `_asked`: a call less
        if deadline is not None and deadline < self._watched:
            self._watch(deadline)
        if self._reading_paused:
            self._adjust_reading()
        return call

    async def _call_later(
        self,
        call: AwaitedCall[R],
        arguments: Any,
        metadata: Mapping[str, str] | None,
    ) -> R:
        """Once there is room."""
        await self._room(call.command, call.deadline, call.seconds)
        self.protocol.ask(call, arguments, self._left(call), metadata)
        self._asked(call)
        return await call

    def give_up_call(self, call: Call) -> None:
        """Who waited for its answer has been cancelled."""
        self.protocol.give_up(call)
        self._adjust_reading()

    def _left(self, call: Call) -> float | None:
        """Seconds to its deadline."""
        return None if call.deadline is None else call.deadline - self.loop.time()

    def _asked(self, call: Call) -> None:
        """Its request is queued."""
        if call.deadline is not None and call.deadline < self._watched:
            self._watch(call.deadline)
        self._adjust_reading()

    async def tell(
        self,
        command: AnyCommand,
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Send a request that wants no answer, once there is room.

        ``seconds`` are for that alone: the peer does not hear of them.
        """
        outer = _get_current(None)
        if outer is not None and outer.open:
            metadata = outer.traced(metadata)
        if seconds is not None and not seconds > 0:
            raise deadline_exceeded(command, seconds)
        if self.protocol.blocked:
            deadline = None if seconds is None else self.loop.time() + seconds
            await self._room(command, deadline, seconds)
        self.protocol.tell(command, arguments, metadata)

    async def reach(self, command: AnyCommand, seconds: float | None) -> Shell:  # noqa: ARG002
        """Where a call can be made that lives and dies with one connection: here."""
        return self

    async def begin(
        self,
        stream: StreamCall,
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None,
        began: float,
    ) -> None:
        """Send the request of a call that streams.

        Its ``seconds`` last from when it ``began`` to its end.
        """
        command = stream.command
        stream.metadata = metadata if isinstance(metadata, Metadata) else None
        outer = _get_current(None)
        if outer is not None and outer.open:
            seconds = outer.time_left(seconds, began)
            metadata = outer.traced(metadata)
        if seconds is not None:
            stream.seconds = seconds
            stream.deadline = began + seconds
            if not seconds > 0:
                raise deadline_exceeded(command, seconds)
        if self.protocol.blocked:
            await self._room(command, stream.deadline, seconds)
        left = self._left(stream)
        self.protocol.ask(stream, arguments, left, {} if metadata is None else metadata)
        stream.begun()
        self._asked(stream)

    async def room(self, command: AnyCommand) -> None:
        """Wait until the peer takes our bytes again, or is gone."""
        await self._room(command, None, None)

    def queue(self, data: bytes) -> None:
        """Send a box of a stream along with others, in this round of the loop."""
        if not self._flushing:
            self._flushing = True
            self.protocol.patience = _FLUSH_AT
            self.loop.call_soon(self._flush_soon)
        self.protocol.post(data)

    async def _room(
        self, command: AnyCommand, deadline: float | None, seconds: float | None
    ) -> None:
        """Wait until the peer takes our bytes again."""
        self.protocol.sending += 1
        self._adjust_reading()
        place = object()
        writers = self._writers
        if writers is None:
            writers = self._writers = {}
        try:
            async with asyncio.timeout_at(deadline):
                while self.protocol.blocked:
                    # who finds no room keeps its place, who has sent comes last
                    waiter: asyncio.Future[None] = self.loop.create_future()
                    writers[place] = waiter
                    await waiter
        except TimeoutError:
            raise deadline_exceeded(command, seconds) from None
        finally:
            writers.pop(place, None)
            self.protocol.sending -= 1
            self._adjust_reading()
            if not self.protocol.blocked:
                self._wake_writers(1)

    def _wake_writers(self, count: int) -> None:
        """Wake the first who wait; each that goes wakes one more, while there is room.

        To wake them all each time, for a few to find room, would cost the square of
        how many there are.
        """
        if self._writers:
            waiting = (one for one in self._writers.values() if not one.done())
            for waiter in islice(waiting, count):
                waiter.set_result(None)

    def _watch(self, deadline: float) -> None:
        """One timer for all deadlines: for the next one, or a tick later."""
        if self._deadline_timer is not None:
            self._deadline_timer.cancel()
        self._deadline_timer = self.loop.call_at(deadline, self._expire)
        self._watched = deadline - TICK

    def _expire(self) -> None:
        self._deadline_timer = None
        self._watched = math.inf
        now = self.loop.time()
        following = self.protocol.expire(now)
        for serving in self._tasks.values():
            if serving.deadline is None:
                continue
            if serving.deadline <= now:
                serving.cancel(serving.expired())
            elif following is None or serving.deadline < following:
                following = serving.deadline
        if following is not None:
            self._watch(max(following, now + TICK))
        self._adjust_reading()

    # --- bytes ------------------------------------------------------------------------

    def flush(self) -> None:
        protocol = self.protocol
        if not protocol.queued_bytes or self.transport.is_closing():
            return
        self.transport.write(protocol.data_to_send())
        if protocol.told and not self.transport.get_write_buffer_size():
            protocol.told = False
        if protocol.blocked:
            self._check_unsent()

    def _flush_soon(self) -> None:
        self._flushing = False
        self.protocol.patience = 0
        self.flush()

    def _check_unsent(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent > self.limits.unsent:
            self.give_up(f"the peer does not read: closed with {unsent:,} bytes unsent")

    def give_up(self, reason: str) -> None:
        """End without the peer, which is no help any more."""
        logger.warning("%s: %s", self.peer_address, reason)
        self.transport.abort()
        self.protocol.connection_lost(reason)

    def _adjust_reading(self) -> None:
        if not self._connected:
            return
        if self.protocol.paused:
            if not self._reading_paused:
                self._reading_paused = True
                self.transport.pause_reading()
        elif self._reading_paused:
            self._reading_paused = False
            self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        if not self._reading_paused:
            self.data_received(None)
        if not self._reading_paused:
            self.transport.resume_reading()


async def _wait_for(awaitable: Awaitable[Any]) -> Any:
    """A task runs coroutines alone."""
    try:
        return await awaitable
    finally:
        del awaitable  # or its error holds it, and it the error
