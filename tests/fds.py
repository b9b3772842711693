"""What tests of file descriptors look at: who still has one open."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Generator

_OPEN = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


@contextmanager
def none_left() -> Generator[None]:
    """Whatever is opened in the block has to be closed in it."""
    before = os.listdir(_OPEN)
    yield
    assert sorted(os.listdir(_OPEN)) == sorted(before)


@contextmanager
def scarce(left: int) -> Generator[None]:
    """The system gives this process so many descriptors more."""
    import resource  # not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Pipe:
    """A descriptor to pass on, and a way to see that all copies of it are closed."""

    def __init__(self) -> None:
        self._read, self.fd = os.pipe()

    def close(self) -> None:
        """Close our own one, if nobody has."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def give(self) -> int:
        """Whoever gets it closes it."""
        fd, self.fd = self.fd, -1
        return fd

    async def closed(self) -> None:
        """Wait until nobody has it open; this is the end of the pipe."""
        self.close()
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._read, ended.set)
        try:
            await asyncio.wait_for(ended.wait(), PATIENCE)
        finally:
            loop.remove_reader(self._read)
        assert os.read(self._read, 1) == b""
        os.close(self._read)
