"""The request that is being served: one object from its arrival to its answer."""

from __future__ import annotations

import inspect
import logging
from asyncio import CancelledError
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ampgen.runtime import answers
from ampgen.runtime.answers import Failure
from ampgen.runtime.calls import deadline_exceeded
from ampgen.runtime.descriptors import close_all
from ampgen.runtime.errors import Fault, not_encoded
from ampgen.runtime.extras import (
    PEER,
    TRACE_CONTEXT,
    TRACEPARENT,
    metadata_pairs,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from ampgen.runtime.command import Handler
    from ampgen.runtime.extras import Extras
    from ampgen.runtime.wire import Limits

    class ServedStream(Protocol):
        """What a call that streams has beside its handler."""

        id: bytes

        def close(self) -> None: ...


logger = logging.getLogger("ampgen")


class Serving:
    """A request and what runs for it.

    ``tag`` is the peer's ``_ask`` with its length, ``None`` where no answer is wanted.
    ``host`` is the shell of its connection. ``deadline`` is on the loop's clock.
    ``task`` runs the handler, once it has to wait; ``ended``: why it was cancelled, as
    the peer hears it. ``open`` until the answer is made, which repeats the id
    of the ``stream``. ``stopping``: the handler has been told to end, and cleans up.
    ``identity``: who has proven to be the caller of this one request. ``refused``: the
    server had no room, and no handler was called.
    """

    # most requests never touch these: they are no cost to one, as slots would be (and
    # what most do touch is not among them: it would be looked up in the class first)
    task: asyncio.Task[None] | None = None
    ended: Failure | None = None
    metadata_to_answer: dict[str, str] | None = None
    fds: Sequence[int] = ()  # that came as arguments
    reached = False  # has a handler been given them, behind its interceptors?
    identity: Any = None
    stream: ServedStream | None = None
    stopping = False
    refused = False

    def __init__(
        self, host: Any, handler: Handler, tag: bytes | None, extras: Extras | None
    ) -> None:
        self.host = host
        self.handler = handler
        self.tag = tag
        self.extras = extras
        self.deadline: float | None = None
        self.open = True
        self.extended = False

    def cancel(self, failure: Failure) -> None:
        """Cancel the handler: unless it says something else, that is its answer."""
        if self.ended is None:
            self.ended = failure
            if self.task is not None:
                if self.fds and self._unbegun(self.task):
                    close_all(self.fds)
                self.task.cancel(failure.description)

    def _unbegun(self, task: asyncio.Task[Any]) -> bool:
        """Does the handler never hear of its arguments, if cancelled now?"""
        coroutine: Any = task.get_coro()
        return inspect.getcoroutinestate(
            coroutine
        ) == inspect.CORO_CREATED and inspect.iscoroutinefunction(self.handler.method)

    def expired(self) -> Failure:
        """That the time is over: said as the peer would say it itself."""
        timeout = None if self.extras is None else self.extras.timeout
        error = deadline_exceeded(self.handler.command, timeout)
        return Failure(error.code.encode(), error.description)

    @property
    def answer_metadata(self) -> dict[str, str]:
        """What is to go along with the answer."""
        if self.metadata_to_answer is None:
            self.metadata_to_answer = {}
            self.extended = True
        return self.metadata_to_answer

    def answer_extras(self) -> dict[bytes, bytes]:
        """The keys that go with the answer, sorted; a ``Fault`` for bad metadata."""
        extras = dict(metadata_pairs(self.metadata_to_answer or {}))
        extras |= greeting(self.extras)
        if self.stream is not None:
            extras[b"_stream"] = self.stream.id
        return extras

    def failure(self, error: BaseException, limits: Limits) -> Failure:
        """What the peer hears where the handler raised this."""
        if self.ended is not None and isinstance(error, CancelledError):
            return self.ended
        return answers.failure(self.handler.command, error, limits)

    def write_failure(self, tag: bytes, failure: Failure) -> bytes:
        """The error box: without metadata, if they cannot be sent."""
        try:
            extras = self.answer_extras()
        except Fault as fault:
            reason = not_encoded(self.handler.command.name, fault)
            logger.error("the metadata cannot be sent: %s", reason)
            extras = greeting(self.extras)
        return answers.write_error(tag, failure, extras)

    def time_left(
        self, seconds: float | None, since: float | None = None
    ) -> float | None:
        """How long a call of the handler's may take that asks for ``seconds``.

        They count from now, or ``since`` the call began.
        """
        if self.deadline is None:
            return seconds
        now: float = self.host.loop.time() if since is None else since
        left = self.deadline - now
        return left if seconds is None else min(seconds, left)

    def traced(self, metadata: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """The metadata of a call of the handler's, and the trace that it is part of."""
        if self.extras is None or TRACEPARENT not in self.extras.metadata:
            return metadata
        if metadata is not None and TRACEPARENT in metadata:
            return metadata
        received = self.extras.metadata
        trace = {name: received[name] for name in TRACE_CONTEXT if name in received}
        return trace if metadata is None else {**trace, **metadata}


def greeting(extras: Extras | None) -> dict[bytes, bytes]:
    """``_peer`` for the answer to a request that had it."""
    if extras is None or extras.peer is None:
        return {}
    return {b"_peer": PEER}


current: ContextVar[Serving] = ContextVar("ampgen.current_call")
"""The request that the running handler answers."""
