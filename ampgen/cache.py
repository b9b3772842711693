"""The folder where the compiler keeps what makes the next run faster: notes of what was
made (:mod:`ampgen.memo`), lark's tables, the bytecode of templates.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path | None:
    """The user's own, which may not be there yet; ``None``: nothing is kept.

    ``AMPGEN_CACHE`` names another, or none if it is empty. Where others may write, what
    is found might tell anything: such a folder is not used.
    """
    named = os.environ.get("AMPGEN_CACHE")
    folder = _place() if named is None else Path(named)
    if folder is None or not folder.is_absolute():
        return None
    try:
        there = folder.stat()
    except FileNotFoundError:
        return folder  # it is made when there is something to keep
    except OSError:
        return None
    if sys.platform == "win32":
        return folder  # a profile is its user's
    is_private = there.st_uid == os.getuid() and not there.st_mode & 0o022
    return folder if is_private else None


def keep(path: Path, content: bytes) -> None:
    """Write a file there, whole at once; where that cannot be, do without."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)


def _place() -> Path | None:
    """Where this system has a program keep what it can do without."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return Path(base, "ampgen", "Cache") if base else None
    default = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    base = os.environ.get("XDG_CACHE_HOME") or default
    return Path(os.path.expanduser(base), "ampgen")
