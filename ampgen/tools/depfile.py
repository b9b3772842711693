"""What generated files depend on, as `make` and `ninja` read it.

    pkg/__init__.py pkg/text.py: schemas/text.amp schemas/common/geo.amp

    schemas/text.amp:
    schemas/common/geo.amp:

A rule without prerequisites for each file lets a build go on whose schema imports it no
more, when it has been deleted. Paths are written as the build has them: below a folder
that was named by its absolute path they are absolute, else relative to the working
directory.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ampgen.disk import UNREADABLE
from ampgen.output import OutputError, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.disk import RecordingDisk
    from ampgen.tools.building import Request

# A backslash is itself but before what it would take the meaning of.
_SPACE = re.compile(r"(\\*)([ \t])")

# What is written here, or nothing yet: all that is ever overwritten.
_WRITTEN = re.compile(rb"(?:[^\n]+:(?: \\\n  [^\n]+)*\n(?:\n(?:[^\n]+:\n)+)?)?")


class NotExpressible(Exception):
    """A path that the format has no way to write; the text says which."""


def depfile(targets: Iterable[str], dependencies: Sequence[str]) -> str:
    """Raises :class:`NotExpressible`."""
    written = [escape(path) for path in dependencies]
    rules = "".join(f"\n{path}:" for path in written)
    first = " \\\n  ".join([f"{' '.join(map(escape, targets))}:", *written])
    return f"{first}\n{rules}\n" if written else f"{first}\n"


def write(path: Path, text: str) -> None:
    """Make the file say so, at once; what is no depfile is left alone.

    Raises :class:`ampgen.output.OutputError`.
    """
    content = os.fsencode(text)
    try:
        if path.is_file():
            there = path.read_bytes()
            is_ours = _WRITTEN.fullmatch(there) is not None
        else:
            there, is_ours = None, not path.exists()
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None
    if not is_ours:
        raise OutputError(f"{path}: is no depfile, so it is left alone")
    if there != content:
        replace({path: content})


def escape(path: str) -> str:
    """A path as both `make` and `ninja` take it."""
    if not {*path}.isdisjoint("\r\n\0"):
        raise NotExpressible(f"{path!r} cannot be written into a depfile")
    drive, path = os.path.splitdrive(path)  # its colon is taken for one
    path = _SPACE.sub(lambda found: f"{found[1] * 2}\\{found[2]}", path)
    path = path.replace("$", "$$").replace("#", "\\#").replace(":", "\\:")
    return drive + path


def dependencies(request: Request, disk: RecordingDisk) -> list[str]:
    """All files that were read, in order, as the build has them."""
    absolute = [
        path.parent if path in request.schemas else path
        for path in _named(request)
        if path.is_absolute()
    ]
    read = (path for path, content in disk.contents.items() if content not in _NOT_READ)
    return sorted({_as_named(path, absolute) for path in read})


_NOT_READ = (None, UNREADABLE)


def _named(request: Request) -> Iterator[Path]:
    yield from (one for one in request.schemas if isinstance(one, Path))
    yield from request.include
    if request.templates is not None:
        yield request.templates


def _as_named(path: str, absolute: Iterable[Path]) -> str:
    full = Path(os.path.abspath(path))
    if any(full.is_relative_to(os.path.abspath(folder)) for folder in absolute):
        return full.as_posix()
    try:
        return Path(os.path.relpath(full)).as_posix()
    except ValueError:  # on another drive
        return full.as_posix()
