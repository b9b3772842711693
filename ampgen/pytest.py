"""Fixtures for pytest, which finds them by the entry point of this distribution.

pytest imports this at every start: what the fixtures need is imported where they are
used.
"""

from __future__ import annotations

import gc
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ampgen.runtime import Server
    from ampgen.runtime.shell import Shell

    S = TypeVar("S", bound=Server)

    class MakeFake(Protocol):
        def __call__(self, server: Callable[..., S], **answers: object) -> S: ...


@pytest.fixture
def amp_fake() -> Iterator[MakeFake]:
    """Makes fake services, and fails the test where one was called unexpectedly.

    ``text = amp_fake(TextServer, repeat=RepeatResult(text="abc"))``: see
    ``ampgen.runtime.testing.fake``.
    """
    from ampgen.runtime.testing import fake

    with ExitStack() as fakes:

        def make(server: Callable[..., S], **answers: object) -> S:
            return fakes.enter_context(fake(server, **answers))

        yield make


@pytest.fixture
def amp_leaks() -> Iterator[None]:
    """Fails the test that leaves a connection open, or a handler running."""
    from ampgen.runtime.shell import Shell

    def left() -> list[Shell]:
        shells = [thing for thing in gc.get_objects() if isinstance(thing, Shell)]
        return [shell for shell in shells if not shell.idle.done()]

    before = left()
    yield
    leaks = [shell for shell in left() if shell not in before]
    if leaks:
        pytest.fail("left behind: " + "; ".join(map(_described, leaks)))


def _described(shell: Shell) -> str:
    running = shell.protocol.in_flight
    what = "a connection that is closed" if shell.is_closed else "an open connection"
    handlers = f", {running} handlers running" if running else ""
    return f"{what} ({shell.peer_address or 'not connected yet'}{handlers})"
