"""What a peer has to provide, so that one driver can measure them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Coroutine,
        Iterable,
    )
    from typing import Any

T = TypeVar("T")


class WrongAnswer(Exception):
    """A peer answered, and not what it was asked for: its figures are worth nothing."""


class Caller(Protocol):
    """One connection to the peer's server."""

    def repeat(self, text: str, times: int) -> Awaitable[Any]:
        """The small call, as a program makes it: a layer of ours around it would be
        measured, too.
        """
        ...

    def text_of(self, answer: Any) -> str:
        """What is in the answer of the small call."""
        ...

    async def echo(self) -> None:
        """The list call: send ``values.RECORDS``, compare what comes back with them.

        From a program's objects to a program's objects, at both ends: every field has
        become one of Python's own values. Where the peer's types are such objects,
        they are what is sent.
        """
        ...

    def items(self, count: int) -> AsyncIterator[tuple[int, str]]:
        """A stream of numbers from zero, each with the text of ``values.TEXTS``."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Pump(Protocol):
    """A caller that is no RPC and drives itself: the floor."""

    async def pump(self, in_flight: int, seconds: float) -> int:
        """Send messages for ``seconds``; return how many came back."""
        ...


class Endpoint(Protocol):
    """The calling process's event loop, whichever it is."""

    async def connect(self) -> Caller: ...
    async def gather(self, coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """Run them at the same time; the first failure is raised."""
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start it, and let it go: it catches what it raises."""

    async def pause(self) -> None:
        """Let the loop do what is due."""


Session: TypeAlias = "Callable[[Endpoint], Coroutine[Any, Any, None]]"
Announce: TypeAlias = "Callable[[int], None]"


class Peer(Protocol):
    """A server and a client, each the whole of a process."""

    def serve(self, announce: Announce) -> None:
        """Listen on a free port of 127.0.0.1, announce it, serve until killed."""

    def call(self, port: int, session: Session) -> None:
        """Run the session on this peer's event loop."""


def same(answer: object, expected: object) -> None:
    if answer != expected:
        raise WrongAnswer(f"expected {expected!r:.200}, got {answer!r:.200}")
