"""What the verbs share of standard input and standard error."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import TextIO


def standard_input() -> bytes:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "closed")
    return sys.stdin.buffer.read()


async def arriving_lines() -> AsyncIterator[bytes]:
    """The lines of standard input, as they come.

    They are read in a thread that nobody waits for: a terminal may never say more. It
    takes the file descriptor itself, since a reader of Python's would be locked when
    the interpreter ends.
    """
    import asyncio
    import threading

    if sys.stdin is None:
        return
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    chunks: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    room = threading.Semaphore(16)

    def read() -> None:
        chunk: bytes | OSError = b"-"
        with suppress(RuntimeError):  # the loop is closed: nobody wants more
            while chunk and isinstance(chunk, bytes):
                room.acquire()
                try:
                    chunk = os.read(descriptor, 65_536)
                except OSError as error:
                    chunk = error
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)

    threading.Thread(target=read, name="standard input", daemon=True).start()
    rest = b""
    while True:
        chunk = await chunks.get()
        room.release()
        if isinstance(chunk, OSError):
            raise chunk
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if not chunk:
            break
    if rest:
        yield rest


def colour() -> bool:
    """May standard error have colours?"""
    return _takes_colour(sys.stderr)


def output_colour() -> bool:
    """May standard output have them?"""
    return _takes_colour(sys.stdout)


def _takes_colour(stream: TextIO | None) -> bool:
    """A terminal alone, and not where the user has said no (https://no-color.org).

    ``None``: it was closed before we started.
    """
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")


def lacks_characters() -> bool:
    """Is standard output in an encoding that JSON has to be escaped for?"""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "") != "utf8"
