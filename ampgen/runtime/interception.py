"""Interceptors: what a program puts around calls, the same way on both ends.

With none set nothing of this runs: handlers are wrapped when they are collected, and a
client's calls when it is made.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from ampgen.runtime.calls import deadline_exceeded
from ampgen.runtime.command import Handler
from ampgen.runtime.descriptors import close_all, fds_of_arguments
from ampgen.runtime.extras import Metadata, whole_milliseconds
from ampgen.runtime.interceptedcall import InterceptedCall
from ampgen.runtime.serving import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ampgen.runtime.command import AnyCommand
    from ampgen.runtime.connection import Caller

_GRACE = 0.05  # seconds: a call whose time is over says so itself, if it was made
_NOTHING: Mapping[str, str] = MappingProxyType({})


Proceed: TypeAlias = Callable[[InterceptedCall], Awaitable[object]]
"""What follows an interceptor: the next one, and in the end the call itself."""

Interceptor: TypeAlias = Callable[[InterceptedCall, Proceed], Awaitable[object]]
"""``async def around(call: InterceptedCall, proceed: Proceed) -> object``"""

Around: TypeAlias = """Callable[
    [AnyCommand, Any, float | None, Mapping[str, str] | None, bool], Awaitable[Any]
]"""


def checked(interceptors: Iterable[Interceptor]) -> tuple[Interceptor, ...]:
    """``TypeError`` for what cannot be called."""
    all_ = tuple(interceptors)
    for interceptor in all_:
        if not callable(interceptor):
            raise TypeError(
                "an interceptor is called with a call and what follows, as in `async"
                " def around(call, proceed): return await proceed(call)`: a"
                f" {type(interceptor).__qualname__} is none"
            )
    return all_


def _chain(interceptors: tuple[Interceptor, ...], last: Proceed) -> Proceed:
    """The first one is outermost."""
    for interceptor in reversed(interceptors):
        last = _link(interceptor, last)
    return last


def _link(interceptor: Interceptor, following: Proceed) -> Proceed:
    def proceed(call: InterceptedCall) -> Awaitable[object]:
        return interceptor(call, following)

    return proceed


def intercepted_handler(
    handler: Handler, interceptors: tuple[Interceptor, ...]
) -> Handler:
    """The same handler behind interceptors. A plain function becomes a coroutine."""
    command, method, count = handler.command, handler.method, handler.count

    async def last(call: InterceptedCall) -> object:
        if call._serving is not None and command.argument_fds:
            call._serving.reached = True
            close_all(fds_of_arguments(command, call._values, count))
        result = method(*call._values[:count])
        return await result if hasattr(result, "__await__") else result

    proceed = _chain(interceptors, last)

    def answer(*values: Any) -> Awaitable[object]:
        serving = current.get()
        extras = serving.extras
        call = InterceptedCall(
            command,
            values,
            serving.host,
            serving=serving,
            oneway=serving.tag is None,
            metadata=_NOTHING if extras is None else extras.metadata,
            deadline=serving.deadline,
            answer_metadata={},
        )
        return proceed(call)

    async def answer_owning(*values: Any) -> object:
        """What an interceptor keeps from the handler nobody else would close."""
        serving = current.get()
        try:
            return await answer(*values)
        finally:
            if not serving.reached:
                close_all(fds_of_arguments(command, values))

    method_ = answer_owning if command.argument_fds else answer
    return Handler(command, method_, len(command.required))


def intercepted_caller(caller: Caller, interceptors: tuple[Interceptor, ...]) -> Around:
    """How calls are made on a connection behind interceptors."""

    async def last(call: InterceptedCall) -> object:
        sent = Metadata(call.metadata)
        seconds = call.deadline
        if seconds is not None:
            seconds = whole_milliseconds(seconds - caller.loop.time()) / 1000
        send = caller.tell if call.oneway else caller.call
        try:
            return await send(call._command, call._values, seconds, sent)
        finally:
            call.answer_metadata.clear()
            call.answer_metadata.update(sent.answer)

    proceed = _chain(interceptors, last)

    async def around(
        command: AnyCommand,
        values: tuple[Any, ...],
        seconds: float | None,
        metadata: Mapping[str, str] | None,
        oneway: bool,
    ) -> Any:
        """The time that a call has includes what its interceptors take."""
        outer = current.get(None)
        if outer is not None and outer.open and not oneway:
            seconds = outer.time_left(seconds)
        deadline = None if seconds is None else caller.loop.time() + seconds
        call = InterceptedCall(
            command,
            values,
            caller,
            serving=None,
            oneway=oneway,
            metadata=dict(metadata or {}),
            deadline=deadline,
            answer_metadata={},
        )
        limit = asyncio.timeout_at(None if deadline is None else deadline + _GRACE)
        try:
            async with limit:
                return await proceed(call)
        except TimeoutError:
            if not limit.expired():
                raise
            raise deadline_exceeded(command, seconds) from None
        finally:
            if isinstance(metadata, Metadata):
                metadata.answer = dict(call.answer_metadata)

    return around
