"""Recordings are written here: a line for each event, as it happens."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ampgen.model import Error, Service, Struct, Union
from ampgen.runtime.version import __version__
from ampgen.targets.python.reflection import schema_path, schema_text
from ampgen.tools.recordings.events import (
    Boxed,
    Broken,
    Header,
    Values,
    header_line,
    line,
)
from ampgen.tools.recordings.withholding import kept
from ampgen.tools.seeing.seen import SeenBytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.model import Declaration, Field
    from ampgen.tools.memory import Loaded
    from ampgen.tools.recordings.events import Event
    from ampgen.tools.seeing.seen import Seen

_SECRET = 0o600
_PLAIN = 0o666  # and what the user's umask leaves of it


class Recorder:
    """Writes a recording to a file that must not be there yet.

    ``secrets``: values are kept as they are, and nobody but the user may read the file,
    from its first byte on. Each line is given to the system as a whole: a program that
    is killed leaves whole lines behind. Raises ``OSError``, also for a write.
    """

    def __init__(
        self, path: str, loaded: Loaded | None, upstream: str, *, secrets: bool
    ) -> None:
        if secrets:
            self._values = Values.ALL
        else:
            self._values = Values.LENGTHS if loaded is None else Values.REDACTED
        header = header_line(_header(loaded, upstream, self._values))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._path = path
        self._closed = False
        self._file = os.open(path, flags, _SECRET if secrets else _PLAIN)
        if secrets and hasattr(os, "fchmod"):
            os.fchmod(self._file, _SECRET)  # a umask may have taken from it
        self._write(header)

    def as_event(self, number: int, at: float, seen: Seen) -> Boxed | Broken:
        """What was seen on a connection, without what must not be kept."""
        if isinstance(seen, SeenBytes):
            return Broken(number, at, seen)
        secrets = self._values is Values.ALL
        return Boxed(number, at, seen.sender, {**seen.box} if secrets else kept(seen))

    def write(self, event: Event) -> None:
        self._write(line(event))

    @property
    def what(self) -> str:
        """What is recorded, and where to, for a person."""
        match self._values:
            case Values.ALL:
                told = "everything, secrets too"
            case Values.REDACTED:
                told = "without what the schema calls sensitive, or does not know"
            case Values.LENGTHS:
                told = "the lengths of values alone, for there is no schema"
        return f"to {self._path}, {told}"

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._file)

    def discard(self) -> None:
        """There is nothing to record after all: the file is removed."""
        self.close()
        os.unlink(self._path)

    def _write(self, text: str) -> None:
        # a path of the system's may have bytes in it that are no text
        left = text.encode("utf-8", "replace")
        while left:
            left = left[os.write(self._file, left) :]


def _header(loaded: Loaded | None, upstream: str, values: Values) -> Header:
    schema = None if loaded is None else loaded.schema
    modules = () if schema is None else schema.modules
    return Header(
        began=datetime.now(UTC).isoformat(timespec="milliseconds"),
        upstream=upstream,
        values=values,
        hidden=tuple(
            name
            for module in modules
            for one in module.declarations
            for name in _sensitive(one)
            if values is not Values.ALL
        ),
        roots=() if schema is None else tuple(map(schema_path, schema.roots)),
        schemas={schema_path(module): schema_text(module) for module in modules},
        made_by=f"ampgen {__version__}",
    )


def _sensitive(one: Declaration) -> Iterator[str]:
    """What the schema calls sensitive, by names: of a field, an argument, a result."""
    match one:
        case Struct() | Error():
            yield from _of(one.name, one.fields)
        case Union():
            yield from _of(one.name, one.members)
        case Service():
            for command in one.commands:
                results = () if command.result is None else command.result.fields
                name = f"{one.name}.{command.name}"
                yield from _of(name, (*command.arguments, *results))
        case _:
            pass


def _of(name: str, fields: tuple[Field, ...]) -> Iterator[str]:
    return (f"{name}.{field.name}" for field in fields if field.sensitive)
