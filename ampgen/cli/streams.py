"""What the verbs share of standard input and standard error."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def standard_input() -> bytes:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "closed")
    return sys.stdin.buffer.read()


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
