"""What an ``OSError`` about a socket says, in the system's own words."""

from __future__ import annotations

import os
import socket


def reason(error: OSError) -> str:
    # asyncio's own words for these are about sockets; a resolver's are its own
    if error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
