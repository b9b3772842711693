"""What the verbs share of standard input and standard error."""

from __future__ import annotations

import errno
import os
import sys


def standard_input() -> bytes:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "closed")
    return sys.stdin.buffer.read()


def colour() -> bool:
    """On a terminal alone, and not where the user has said no (https://no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def lacks_characters() -> bool:
    """Is standard output in an encoding that JSON has to be escaped for?"""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "") != "utf8"
