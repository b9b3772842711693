"""AMP as a state machine: both directions of one connection, and no I/O.

Bytes go in by ``receive_data`` and come out of ``data_to_send``. What has to happen
beside that is asked of the ``Host``: serve a request, send what is queued, close.

The short way: a request or answer whose keys come in the order that AMP peers write
them is read where it lies, by the reader that was generated for its command. Whatever
does not go that way (a box that is not all there, another order, a fault in a value, a
large box) is read again by the general parser, and goes to the same reader. So a
command has one decoder, and what is wrong with a box is decided in one place.
"""

from __future__ import annotations

import logging
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ampgen.runtime import answers
from ampgen.runtime.calls import Calls, deadline_exceeded
from ampgen.runtime.control import control
from ampgen.runtime.descriptors import (
    Descriptors,
    close_all,
    fds_of_arguments,
    takes_descriptors,
    write_beside,
)
from ampgen.runtime.errors import (
    FAULTS,
    Beside,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    Fault,
    InvalidArgument,
    Malformed,
    Overloaded,
    ProtocolError,
    RemoteError,
    Unavailable,
    UnknownCommand,
    not_encoded,
)
from ampgen.runtime.extras import (
    NOBODY,
    PEER,
    metadata_pairs,
    read_extras,
    read_pairs,
    timeout_pair,
    write_pairs,
)
from ampgen.runtime.serving import Serving, greeting
from ampgen.runtime.streaming import StreamCall
from ampgen.runtime.streams import RESULTS
from ampgen.runtime.wire import SIZE, BoxParser, Limits, check_size, plain, write_box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from ampgen.runtime.calls import Call
    from ampgen.runtime.command import AnyCommand, Handler
    from ampgen.runtime.extras import Extras
    from ampgen.runtime.streams import Port

    class Host(Protocol):
        """What the state machine wants of the shell around it."""

        def serve(self, serving: Serving, arguments: Any) -> None:
            """Run the handler; then ``answer`` or ``fail`` has to be called, once."""

        def queued(self) -> None:
            """There are bytes to send; the shell chooses the moment."""

        @property
        def carries_descriptors(self) -> bool: ...

        def send_descriptors(self, fds: list[int]) -> None:
            """Send what is queued, and these with the byte behind it; close them."""

        def ending(self) -> None:
            """The end has begun; what is being served has the drain time left."""

        def finished(self) -> None:
            """All is served after the end: send what is queued, and close."""


logger = logging.getLogger("ampgen")

_ASK = b"\x00\x04_ask"
_ASKS = tuple(_ASK + SIZE[length] for length in range(17))  # for a tag of that length
ANSWER = b"\x00\x07_answer"
_ASK_SHORT = b"\x00\x04_ask\x00"  # and a tag of less than 256 bytes
_COMMAND_SHORT = b"\x00\x08_command\x00"
_ANSWER_SHORT = b"\x00\x07_answer\x00"
_STREAM_SHORT = b"\x00\x07_stream\x00"
_CANCEL = b"\x00\x08_command\x00\x07_cancel\x00\x02id"
_NEVER: tuple[()] = ()  # nothing starts so: whatever bytes it were, a peer may send

_NONE: dict[bytes, Serving] = {}  # what is served where nothing is: shared by all
_TWICE = "an `_ask` that is still being served"


class State(IntEnum):
    OPEN = 0
    DRAINING = 1  # what is being served is finished; further requests are refused
    DEAF = 2  # as before, and nothing is read any more
    CLOSED = 3


# found in a tenth of the time that an enum's members take
OPEN, DRAINING, DEAF, CLOSED = State

_ENDED = (ConnectionLost, "the connection is closed")


class AmpProtocol:
    """One end of one connection.

    ``handlers`` answer the peer, by wire name; whoever makes this sets them.
    ``calls``: ours in flight. ``in_flight``: how many requests are being served.
    ``blocked``: the shell sets it while the peer does not take our bytes. ``sending``:
    how many of our own requests wait for room, and ``told``: a oneway request of ours
    may not have left; both count as having a call open. ``patience``: the host hears
    of bytes to send once so many are queued. ``understood``: what the peer has said
    that it understands beyond AMP. ``streams``: what takes the boxes of the streams
    that are open, by their ``_command`` and ``_stream``. ``bytes_received``: how many
    have come.
    """

    __slots__ = (
        "_complained",
        "_dropped",
        "_fallback",
        "_heard",
        "_heard_timeout",
        "_held",
        "_held_at",
        "_parser",
        "_queue",
        "_reason",
        "_same",
        "_same_head",
        "_serving",
        "_small",
        "_taken",
        "_timeout",
        "_timeout_pair",
        "_waiting",
        "blocked",
        "bytes_received",
        "calls",
        "descriptors",
        "greets",
        "handlers",
        "host",
        "in_flight",
        "limits",
        "patience",
        "peer",
        "queued_bytes",
        "sending",
        "state",
        "streams",
        "told",
        "understood",
    )

    def __init__(
        self,
        host: Host,
        *,
        limits: Limits,
        fallback: Callable[[bytes], Handler] | None = None,
    ) -> None:
        self.host = host
        self.limits = limits
        self._small = min(limits.box, limits.large)  # such a box is within all bounds
        self.peer = "the peer"  # its address, once the shell knows
        self.state = OPEN
        self.calls = Calls(limits.given_up)
        self.in_flight = 0
        self.blocked = False
        self.sending = 0
        self.told = False
        self.queued_bytes = 0
        self.patience = 0
        self.bytes_received = 0
        self._taken = 0  # bytes that have been handed out
        self.handlers: Mapping[bytes, Handler] = {}
        self._fallback = fallback
        self._queue: list[bytes] = []
        self._serving = _NONE
        # answers, for room; made for the first
        self._waiting: list[tuple[Serving, Any]] | None = None
        self.descriptors: Descriptors | None = None  # made when the first one comes
        self.streams: dict[bytes, Port] = {}
        self.understood = NOBODY
        self.greets = True  # what is asked next tells what this end understands
        self._complained = False
        self._dropped = 0  # oneway requests
        self._timeout = -1.0  # that was sent last, and how; and that came last
        self._timeout_pair = b""
        self._heard: Extras | None = None
        self._heard_timeout: bytes | tuple[()] = _NEVER
        self._same: tuple[Handler, Extras | None]  # once `_same_head` is some
        self._same_head: bytes | tuple[()] = _NEVER
        self._parser: BoxParser | None = None
        self._held = b""  # what came, and waits until the load is less
        self._held_at = 0
        self._reason: tuple[type[ConnectionLost], str] = _ENDED

    # --- in ---------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Act on what the peer sent; hold back what is too much for now."""
        self.bytes_received += len(data)
        if self._held:
            data = self._held[self._held_at :] + data
            self._held = b""
        self._receive(data, 0)

    def resume(self) -> None:
        """Go on with what was held back."""
        data, self._held = self._held, b""
        self._receive(data, self._held_at)

    @property
    def holds(self) -> bool:
        """Has more come than has been acted on?"""
        return bool(self._held)

    @property
    def bytes_sent(self) -> int:
        """How many bytes ``data_to_send`` has given, in all."""
        return self._taken

    @property
    def unfinished(self) -> BoxParser | None:
        """The box of which a part has come."""
        return self._parser

    @property
    def paused(self) -> bool:
        """Should nothing be read for now?

        There is as much as this end may take, or more than the peer takes. Only while
        no call of ours is open, and no stream: its answer, or its credit, would sit
        unread, and two ends that both are at their limit would wait for one another for
        ever.
        """
        return (
            (self.in_flight >= self.limits.calls or self.blocked)
            and not self.calls
            and not self.streams
            and not self.sending
            and not (self.blocked and self.told)
            and self.state is OPEN
        )

    @property
    def deaf(self) -> bool:
        """Is nothing read any more?"""
        return self.state >= DEAF

    def _receive(self, data: bytes, at: int) -> None:
        end = len(data)
        calls = self.limits.calls
        try:
            while at < end:
                if self.state or self.in_flight >= calls or self.blocked:
                    if self.state >= DEAF:
                        return
                    if self.paused:
                        self._held = data
                        self._held_at = at
                        return
                if self._parser is None:
                    # the short way; it ends where it began if it does not go
                    if data.startswith(_ASK_SHORT, at):
                        after = self._short_request(data, at)
                    elif data.startswith(_ANSWER_SHORT, at):
                        after = self._short_answer(data, at)
                    elif self.streams and data.startswith(_COMMAND_SHORT, at):
                        after = self._short_stream(data, at)
                    else:
                        after = at
                    if after > at:
                        at = after
                        continue
                    self._parser = BoxParser(self.limits.box, self._bounds)
                at = self._parser.feed(data, at)
                if self._parser.done:
                    box = self._parser.box
                    self._parser = None
                    self._receive_box(box)
        except Malformed as fault:
            self._violation(fault.rule)

    def _short_request(self, data: bytes, at: int) -> int:
        depth = self.limits.depth
        try:
            end = at + 8 + data[at + 7]
            tag = data[at + 6 : end]  # with its length: the answer repeats it so
            if data.startswith(self._same_head, end):  # as the request before it
                handler, extras = self._same
                end += len(self._same_head)
            else:
                head = self._short_head(data, end)
                if head is None:
                    return at
                handler, extras, end = head
            arguments, end = handler.command.read_arguments(data, end, depth)
        except (Fault, IndexError):  # or half a length
            return at
        if end - at > self._small:
            return at
        self._request(handler, tag, arguments, extras)
        return end

    def _short_head(
        self, data: bytes, at: int
    ) -> tuple[Handler, Extras | None, int] | None:
        """What stands between ``_ask`` and the arguments, and where it ends.

        A connection's requests often come with the same command and the same time: with
        these the next one is compared at once. (Without a time it is not, since there
        may be other extras in its place.)
        """
        if not data.startswith(_COMMAND_SHORT, at):
            return None
        start = at + 12
        end = start + data[start - 1]
        handler = self.handlers.get(data[start:end])
        if handler is None:
            return None
        extras: Extras | None = None
        if data.startswith(self._heard_timeout, end):
            extras = self._heard
            end += len(self._heard_timeout)
            self._same_head = data[at:end]
            self._same = handler, extras
        elif data.startswith(b"_", end + 2):
            extras, end = self._short_extras(data, end)
        return handler, extras, end

    def _short_extras(self, data: bytes, at: int) -> tuple[Extras, int]:
        """What stands between ``_command`` and the arguments.

        A caller's time is the same for most of its calls: it is read once.
        """
        box, end = read_pairs(data, at)
        extras = self._extras(box)
        if len(box) == 1 and extras.timeout is not None:
            self._heard_timeout = data[at:end]
            self._heard = extras
        return extras, end

    def _extras(self, box: Mapping[bytes, bytes]) -> Extras:
        extras, wrong = read_extras(box)
        if wrong is not None and not self._complained:
            self._complained = True
            logger.warning("%s: ignored, as all like it: %s", self.peer, wrong)
        if extras.peer is not None:
            self.understood = extras.peer
        return extras

    def _short_answer(self, data: bytes, at: int) -> int:
        depth = self.limits.depth
        start = at + 11
        try:
            end = start + data[start - 1]
            call = self.calls.get(data[start:end])
            if call is None:
                return at
            result, end = call.command.read_answer(data, end, depth)
        except (Fault, IndexError):
            return at
        if end - at > self._small:
            return at
        del self.calls[call.tag]
        call.answered(result)
        return end

    def _bounds(self, box: Mapping[bytes, bytes]) -> Mapping[bytes, int]:
        """How long the `large` values of a box may be, of which some keys are there."""
        large: tuple[bytes, ...] = ()
        answer = box.get(b"_answer")
        if answer is not None:
            command = self.calls.asked(answer)
            if command is not None:
                large = command.large_results
        elif b"_error" not in box:
            name = box[b"_command"]
            handler = self.handlers.get(name)
            if handler is not None:
                large = handler.command.large_arguments
            elif name.endswith(RESULTS.item):
                head = write_pairs({b"_command": name})
                ports = (p for key, p in self.streams.items() if key.startswith(head))
                large = next((port.large for port in ports), ())
        return dict.fromkeys(large, self.limits.large)

    def _short_stream(self, data: bytes, at: int) -> int:
        """The item of a stream; all other boxes of one go the long way."""
        try:
            end = at + 12
            end += data[end - 1]
            if not data.startswith(_STREAM_SHORT, end):
                return at
            end += 11
            end += data[end - 1]
            port = self.streams.get(data[at:end])
            return at if port is None else port.read(data, at, end)
        except (Fault, IndexError):
            return at

    def _receive_box(self, box: dict[bytes, bytes]) -> None:
        """A whole box, looked at in Twisted's order: answer, error, command."""
        answer = box.get(b"_answer")
        error = box.get(b"_error")
        if answer is not None:
            self._settle(answer, box)
        elif error is not None:
            self._settle(error, box)
        elif b"_command" in box:
            self._receive_request(box)
        elif b"_ask" in box:
            raise Malformed("a box with an `_ask` and no `_command`")
        else:
            raise Malformed("a box that is no request, no answer and no error")

    def _settle(self, tag: bytes, box: dict[bytes, bytes]) -> None:
        extras = self._extras(box)
        call = self.calls.settle(tag)
        if call is None:
            return
        if call.metadata is not None:
            call.metadata.answer = extras.metadata
        command = call.command
        fds: list[int] = []
        try:
            if b"_answer" in box:
                if isinstance(call, StreamCall):
                    call.repeated = extras.stream == tag
                fds = self._claim(box, command.result_fds)
                result, _end = command.inner.read_answer(
                    plain(box), 0, self.limits.depth
                )
            else:
                call.failed(answers.read_error(command, box, self.limits.depth))
                return
        except Fault as fault:
            close_all(fds)
            call.failed(DecodeError(command.name, fault.path, fault.rule))
        else:
            if fds and call.done:  # nobody waits for it any more
                close_all(fds)
            call.answered(result)

    def _receive_request(self, box: dict[bytes, bytes]) -> None:
        name = box[b"_command"]
        ask = box.get(b"_ask")
        tag = None if ask is None else SIZE[len(ask)] + ask
        if tag in self._serving:
            raise Malformed(_TWICE)
        extras = self._extras(box)
        handler = self.handlers.get(name)
        if handler is None:
            try:
                done = control(name, box, extras, self._serving, self.streams)
            except InvalidArgument as error:
                self._refuse(tag, name, error, extras)
                return
            if done:
                if tag is not None:
                    self._send(b"".join((ANSWER, tag, write_box(greeting(extras)))))
                return
            if self._fallback is None:
                unknown = UnknownCommand(f"Unhandled Command: {name!r}")
                self._refuse(tag, name, unknown, extras)
                return
            handler = self._fallback(name)
        command = handler.command
        fds: list[int] = []
        try:
            fds = self._claim(box, command.argument_fds)
            arguments, _end = command.inner.read_arguments(
                plain(box), 0, self.limits.depth
            )
        except Fault as fault:
            close_all(fds)
            rule = str(DecodeError(command.name, fault.path, fault.rule))
            self._refuse(tag, name, InvalidArgument(rule), extras)
        else:
            if fds:
                self._request_beside(handler, tag, arguments, extras, fds)
            else:
                self._request(handler, tag, arguments, extras)

    def _request(
        self, handler: Handler, tag: bytes | None, arguments: Any, extras: Extras | None
    ) -> Serving | None:
        """Serve it; ``None`` if it is refused."""
        if self._serving and tag in self._serving:
            raise Malformed(_TWICE)
        refused: RemoteError
        if self.state is DRAINING:
            refused = Unavailable(answers.CLOSING)
        elif self.in_flight >= self.limits.calls:
            limit = f"{self.limits.calls:,} calls are in flight on this connection"
            refused = Overloaded(limit)
        elif extras is not None and extras.timeout == 0.0:
            refused = DeadlineExceeded("the time was over when the request came")
        else:
            serving = Serving(self.host, handler, tag, extras)
            if extras is not None and extras.peer is not None:
                serving.extended = True
            self.in_flight += 1
            self.host.serve(serving, arguments)
            if tag is not None and serving.open:  # most are answered by now
                if self._serving is _NONE:
                    self._serving = {}
                self._serving[tag] = serving
            return serving
        self._refuse(tag, handler.command.wire, refused, extras)
        return None

    def _refuse(
        self, tag: bytes | None, name: bytes, error: RemoteError, extras: Extras | None
    ) -> None:
        """Answer a request that never reaches a handler; a oneway one is logged."""
        if tag is None:
            self._dropped += 1
            if self._dropped & (self._dropped - 1):  # a flood is not to fill the log
                return
            count = "" if self._dropped == 1 else f" ({self._dropped:,} so far)"
            logger.warning(
                "dropped %.200r of %s: %.1024s%s", name, self.peer, error, count
            )
        else:
            logger.debug("refused %.200r of %s: %.1024s", name, self.peer, error)
            failure = answers.Failure(error.code.encode(), error.description)
            self._send(answers.write_error(tag, failure, greeting(extras)))

    # --- descriptors beside the boxes -------------------------------------------------

    def receive_descriptors(self, fds: list[int]) -> None:
        """Those that came with the bytes that come next."""
        if self.state >= DEAF:
            close_all(fds)
            return
        descriptors = self._have_descriptors()
        if not takes_descriptors(self.handlers.values(), self.calls.values()):
            descriptors.discard(fds)
        elif not descriptors.arrive(fds):
            limit = f"{self.limits.descriptors:,}"
            self._violation(f"over {limit} descriptors that no box has named")

    def _have_descriptors(self) -> Descriptors:
        """Most connections never see one."""
        if self.descriptors is None:
            self.descriptors = Descriptors(self.limits.descriptors)
        return self.descriptors

    def _claim(
        self, box: dict[bytes, bytes], keys: Iterable[tuple[bytes, object]]
    ) -> list[int]:
        if not keys:
            return []
        return self._have_descriptors().claim(box, [key for key, _place in keys])

    def _request_beside(
        self,
        handler: Handler,
        tag: bytes | None,
        arguments: tuple[Any, ...],
        extras: Extras | None,
        fds: list[int],
    ) -> None:
        """Serve a request with descriptors: what no handler is given is closed."""
        serving = self._request(handler, tag, arguments, extras)
        if serving is None or serving.refused:
            close_all(fds)
            return
        close_all(fds_of_arguments(handler.command, arguments, handler.count))
        serving.fds = fds

    def _write_beside(
        self, command: AnyCommand, head: bytes, value: Any, *, answer: bool
    ) -> bytes:
        """A box with descriptors: they are queued when this returns, and it is next."""
        descriptors = self._have_descriptors()
        data, fds = write_beside(
            *(command, head, value, descriptors.sent, self.limits),
            carried=self.host.carries_descriptors,
            answer=answer,
        )
        if fds:
            descriptors.sent += len(fds)
            self.host.send_descriptors(fds)
            if self.state is CLOSED and not answer:  # by what was queued before
                raise self.lost(sent=False)
        return data

    # --- what was asked of this end ---------------------------------------------------

    def answer(self, serving: Serving, result: Any) -> None:
        """A handler is done. What cannot be encoded is answered by ``UNKNOWN``.

        An answer that may be large waits until there is room, or a few of them would
        be more than ``Limits.unsent``.
        """
        command = serving.handler.command
        if self.blocked and command.large_results:
            if self._waiting is None:
                self._waiting = []
            self._waiting.append((serving, result))
            return
        tag = serving.tag
        if tag is None:
            if result is not None:
                logger.debug("%s: no answer was asked for", command.name)
        else:
            try:
                head = ANSWER + tag
                if serving.extended:
                    head += write_pairs(serving.answer_extras())
                try:
                    data = command.write_answer(head, result, self.limits.depth)
                except Beside:
                    data = self._write_beside(command, head, result, answer=True)
                if len(data) > self._small:
                    check_size(data, self.limits, command.large_results)
            except Exception as error:  # whatever the handler's object does to us
                reason = not_encoded(command.name, error)
                logger.error("the answer cannot be sent: %s", reason, exc_info=error)
                extras = greeting(serving.extras)
                data = answers.write_error(tag, answers.UNKNOWN, extras)
            if self.state is not CLOSED:  # as in `_send`: a call less
                self._queue.append(data)
                self.queued_bytes = queued = self.queued_bytes + len(data)
                if queued >= self.patience:
                    self.host.queued()
        self._served(serving)

    def answer_waiting(self) -> None:
        """There is room again: for one large answer, it may be, and no more."""
        while self._waiting and not self.blocked:
            self.answer(*self._waiting.pop(0))

    def fail(self, serving: Serving, error: BaseException) -> None:
        """A handler raised: declared errors travel, the rest stays in the log."""
        failure = serving.failure(error, self.limits)
        if serving.tag is None:
            if failure is not answers.UNKNOWN:  # which is logged, with its traceback
                name = serving.handler.command.name
                logger.warning("%s: %r, and no answer was asked for", name, failure)
        else:
            self._send(serving.write_failure(serving.tag, failure))
            if failure.fatal:
                self._end(
                    ConnectionLost, f"it ended with the error {failure.code.decode()}"
                )
        self._served(serving)

    def _served(self, serving: Serving) -> None:
        serving.open = False
        self.in_flight -= 1
        if self._serving and serving.tag is not None:
            self._serving.pop(serving.tag, None)
            if not self._serving:
                self._serving = _NONE
        if self.state and not self.in_flight and self.state is not CLOSED:
            self._finish()

    # --- calls of ours ----------------------------------------------------------------

    def ask(
        self,
        call: Call,
        arguments: Any,
        left: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Queue the request of a call, which gets its answer or its error.

        The peer hears of the seconds that are ``left``. Raises ``EncodeError`` or
        ``ConnectionLost`` with nothing queued. A call that streams comes with metadata,
        if only empty ones.
        """
        command = call.command
        calls = self.calls
        number = calls.count + 1
        tag = b"%x" % number  # as Twisted's
        extras = timeout = b""
        if metadata is not None or self.greets:
            streamed = call.extras(tag) if isinstance(call, StreamCall) else None
            extras = self._request_extras(command, metadata, streamed)
        if left is not None:
            if left != self._timeout:
                self._timeout_pair = timeout_pair(left)
                self._timeout = left
            timeout = self._timeout_pair
        head = b"".join((_ASKS[len(tag)], tag, command.head, extras, timeout))
        if self.state and self.state >= DEAF:
            raise self.lost(sent=False)
        try:  # as in `tell`: a function for both costs a call 1 %
            try:
                data = command.write_request(head, arguments, self.limits.depth)
            except Beside:
                data = self._write_beside(command, head, arguments, answer=False)
            size = len(data)
            if size > self._small:
                check_size(data, self.limits, command.large_arguments)
        except FAULTS as error:
            raise not_encoded(command.name, error) from None
        queued = self.queued_bytes + size
        call.tag = tag
        call.end = self._taken + queued
        calls.count = number
        calls[tag] = call
        self.greets = False
        self._queue.append(data)  # as in `_send`: a call less
        self.queued_bytes = queued
        if queued >= self.patience:
            self.host.queued()

    def tell(
        self,
        command: AnyCommand,
        arguments: Any,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Queue a request that wants no answer."""
        head = command.head
        if metadata is not None:
            head += self._request_extras(command, metadata)
        if self.state >= DEAF:
            raise self.lost(sent=False)
        try:
            try:
                data = command.write_request(head, arguments, self.limits.depth)
            except Beside:
                data = self._write_beside(command, head, arguments, answer=False)
            if len(data) > self._small:
                check_size(data, self.limits, command.large_arguments)
        except FAULTS as error:
            raise not_encoded(command.name, error) from None
        self.calls.count += 1  # it takes a number that nobody sees, as Twisted's does
        self.told = True
        self._send(data)

    def _request_extras(
        self,
        command: AnyCommand,
        metadata: Mapping[str, str] | None,
        streamed: Mapping[bytes, bytes] | None = None,
    ) -> bytes:
        try:
            pairs = dict(metadata_pairs(metadata or {}))
        except Fault as fault:
            raise not_encoded(command.name, fault) from None
        if self.greets:
            pairs[b"_peer"] = PEER
        if streamed is not None:
            pairs |= streamed
        return write_pairs(pairs)

    def give_up(self, call: Call) -> None:
        """Nobody waits for this call any more: its answer, if it comes, is dropped.

        A peer that understands it hears that it may stop.
        """
        if call.tag in self.calls:
            streams = call if isinstance(call, StreamCall) else None
            if streams is not None and streams.stop_peer():
                pass
            elif "cancel" in self.understood:
                tag = call.tag
                self._send(b"".join((_CANCEL, SIZE[len(tag)], tag, b"\x00\x00")))
            elif streams is not None:
                streams.linger()
            if streams is not None:
                streams.end_argument()
        if not self.calls.give_up(call):
            limit = f"{self.limits.given_up:,}"
            self._violation(f"{limit} calls that were given up have no answer")

    def expire(self, now: float) -> float | None:
        """Give up the calls whose time is over; return the next deadline, if any."""
        late, following = self.calls.late(now)
        for call in late:
            call.failed(deadline_exceeded(call.command, call.seconds))
            self.give_up(call)
        return following

    # --- out --------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if self.state is not CLOSED:
            self._queue.append(data)
            self.queued_bytes += len(data)
            if self.queued_bytes >= self.patience:
                self.host.queued()

    def post(self, data: bytes) -> None:
        """Queue a box of a stream."""
        self._send(data)

    def data_to_send(self) -> bytes:
        """All that is queued, once."""
        data = b"".join(self._queue)
        self._queue.clear()
        self.queued_bytes = 0
        self._taken += len(data)
        return data

    # --- the end ----------------------------------------------------------------------

    def drain(self) -> None:
        """Finish what is being served, and refuse what comes now."""
        if self.state is OPEN:
            self.state = DRAINING
            self.host.ending()
            if not self.in_flight:
                self._finish()

    def receive_eof(self) -> None:
        """The peer sends no more; what it asked for is still answered."""
        self._end(ConnectionLost, "the peer closed the connection")

    def connection_lost(self, reason: str) -> None:
        """The connection is gone: every call of ours ends."""
        if self.state < DEAF:
            self._reason = (ConnectionLost, reason)
        self.state = CLOSED
        self._close_descriptors()
        self._queue.clear()
        self._parser = None
        self._held = b""
        waiting, self._waiting = self._waiting, None
        for serving, _result in waiting or ():
            self._served(serving)
        self._fail_calls()

    def lost(self, *, sent: bool) -> ConnectionLost:
        """Why there is no connection any more: a new exception for each who asks."""
        error, reason = self._reason
        return error(reason, sent=sent)

    def _violation(self, what: str) -> None:
        if self.state < DEAF:  # it is said once
            logger.warning("%s broke the protocol: %s", self.peer, what)
        self._end(ProtocolError, f"the peer broke the protocol: {what}")

    def _end(self, error: type[ConnectionLost], reason: str) -> None:
        if self.state >= DEAF:
            return
        begun = self.state is DRAINING
        self.state = DEAF
        self._reason = (error, reason)
        self._parser = None
        self._held = b""
        self._close_descriptors()
        self._fail_calls()
        if not begun:
            self.host.ending()
        if not self.in_flight:
            self._finish()

    def _finish(self) -> None:
        self.state = DEAF
        self.host.finished()
        self._fail_calls()

    def _close_descriptors(self) -> None:
        if self.descriptors is not None:
            self.descriptors.close()

    def _fail_calls(self) -> None:
        leaving = self.state is not CLOSED  # what is queued is still sent
        for call in self.calls.take_all():
            sent = leaving or call.end <= self._taken
            call.failed(self.lost(sent=sent))
        ports = dict.fromkeys(self.streams.values())
        self.streams.clear()
        for port in ports:
            port.lost(self.lost(sent=True))
