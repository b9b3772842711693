"""Calls of the peer's that stream: what a handler of one is given, and what it gives.

The end of the handler ends the streams, and its answer tells the peer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ampgen.runtime import answers
from ampgen.runtime.errors import (
    CommandError,
    ConnectionLost,
    DecodeError,
    Fault,
    InvalidArgument,
    RemoteError,
)
from ampgen.runtime.incoming import Incoming, Stream
from ampgen.runtime.outgoing import Outgoing, Starved, items_of
from ampgen.runtime.serving import current
from ampgen.runtime.streams import ARGUMENTS, RESULTS, head_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ampgen.runtime.command import AnyCommand, Items
    from ampgen.runtime.extras import Extras
    from ampgen.runtime.serving import Serving


def streamed(
    command: AnyCommand, method: Callable[..., Any], takes: int
) -> Callable[..., Any]:
    """A handler of a command that streams, as one that the shell can call.

    ``takes``: how many arguments ``method`` takes.
    """

    def serve(*arguments: Any) -> Any:
        stream = ServedStream(current.get())
        if command.sends is not None and stream.argument is not None:
            at = command.sends.at
            # not kept here: one that the handler drops has to end
            arguments = (*arguments[:at], Stream(stream.argument), *arguments[at:])
        try:
            result = method(*arguments[:takes])
        except BaseException:
            stream.close()
            raise
        if command.items is not None or hasattr(result, "__await__"):
            stream.result = result
            return stream.run()
        stream.close()
        return result

    return serve


class ServedStream:
    """A call of the peer's that streams.

    ``argument`` is what its handler reads, ``result`` what that has returned.
    """

    def __init__(self, serving: Serving) -> None:
        self.result: Any = None
        self._serving = serving
        command = serving.handler.command
        self.argument: Argument | None = None
        self._outgoing: Results | None = None
        stream, credit = self._asked()
        if command.sends is not None:
            self.argument = Argument(serving, command.sends)
            self.argument.register(stream)
        if command.items is not None:
            self._outgoing = Results(serving, command.items)
            self._outgoing.register(stream)
            self._outgoing.credit = credit
        self.id = stream
        serving.stream = self
        serving.extended = True

    def _asked(self) -> tuple[bytes, int]:
        """The stream's id, and how many results may come."""
        serving, command = self._serving, self._serving.handler.command
        extras = serving.extras
        rule = None
        if extras is None or extras.stream is None:
            rule = "`_stream`: required, and missing"
        elif serving.tag is None:
            rule = "a stream ends with the answer, and none is wanted"
        elif command.items is not None and extras.credit is None:
            rule = "`_credit`: required, and missing"
        else:
            suffix = RESULTS.credit if command.sends is None else ARGUMENTS.item
            head = head_of(command.wire + suffix, extras.stream)
            if head not in serving.host.protocol.streams:
                return extras.stream, extras.credit or 0
            rule = "`_stream`: of one that is still open"
        raise InvalidArgument(f"{command.name}: {rule}")

    async def run(self) -> Any:
        """Until what is to be answered is there."""
        try:
            result = self.result
            self.result = None
            if hasattr(result, "__await__"):
                result = await result
            if self._outgoing is None:
                return result
            command = self._serving.handler.command
            await self._outgoing.run(items_of(result, command))
        except Starved:
            raise self._cancelled() from None
        except (RemoteError, ConnectionLost) as error:
            # the caller has failed, or is gone: that is no fault of the handler's
            declared = isinstance(error, CommandError)
            if self.argument is None or error is not self.argument.failure or declared:
                raise
            raise self._cancelled() from None
        finally:
            self.close()
        return None

    def _cancelled(self) -> asyncio.CancelledError:
        self._serving.ended = self._serving.ended or answers.CANCELLED
        return asyncio.CancelledError()

    def close(self) -> None:
        """Nothing is left of it, even if it was cancelled before it has begun."""
        if asyncio.iscoroutine(self.result):
            self.result.close()
        if self._outgoing is not None:
            self._outgoing.unregister()
        if self.argument is not None:
            self.argument.unregister()
            self.argument.finish(RuntimeError("the call is answered: this is its end"))


class Argument(Incoming[Any]):
    """The stream argument of a call of the peer's.

    ``failure``: what became of the caller before the end.
    """

    __slots__ = ("_command", "_end", "failure")

    def __init__(self, serving: Serving, items: Items[Any]) -> None:
        self._command = serving.handler.command
        super().__init__(self._command, items, ARGUMENTS)
        self.attach(serving.host)
        self._end = b""
        self.failure: RemoteError | ConnectionLost | None = None

    def register(self, stream: bytes) -> None:
        super().register(stream)
        self._end = head_of(self._command.wire + ARGUMENTS.end, stream)
        self.host.protocol.streams[self._end] = self

    def unregister(self) -> None:
        super().unregister()
        self.host.protocol.streams.pop(self._end, None)

    def take(self, name: bytes, box: dict[bytes, bytes], extras: Extras, /) -> None:
        if name.endswith(ARGUMENTS.end):
            self.unregister()
            self.failure = answers.read_failure(self._command, box)
            self.finish(self.failure)
        else:
            super().take(name, box, extras)

    def lost(self, error: ConnectionLost, /) -> None:
        self.failure = error
        super().lost(error)

    def refuse(self, fault: Fault) -> None:
        error = DecodeError(self._command.name, fault.path, fault.rule)
        self.unregister()
        self.finish(InvalidArgument(str(error)))
        self.stop()

    async def open(self) -> None:
        self.refill()

    def leave(self) -> None:
        if not self.ended:
            self.unregister()
            self.finish(None)
            self.stop()

    async def aclose(self) -> None:
        self.leave()
        self.close()


class Results(Outgoing):
    """The stream of results of a call of the peer's; the handler's task runs it."""

    __slots__ = ("_serving",)

    def __init__(self, serving: Serving, items: Items[Any]) -> None:
        super().__init__(serving.handler.command, items, RESULTS)
        self.host = serving.host
        self._serving = serving

    def stop(self) -> None:
        super().stop()
        if self.cancelled:
            self._serving.stopping = True

    def starved(self) -> Starved:
        self._serving.stopping = True
        return super().starved()
