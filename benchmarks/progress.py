"""One line on a terminal that tells what is being measured; nothing in a pipe."""

from __future__ import annotations

import sys


def progress(what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()


def done() -> None:
    progress("")
