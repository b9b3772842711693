"""One box on its way from bytes to what is seen of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ampgen.runtime.errors import Fault
from ampgen.runtime.extras import read_extras
from ampgen.runtime.reflection import SCHEMA
from ampgen.runtime.wire import plain
from ampgen.tools.seeing.commands import arguments, results, streams_results
from ampgen.tools.seeing.fieldvalues import DEPTH, FieldsRead, read_fields
from ampgen.tools.seeing.seen import Blame, Kind, Opaque, SeenBox, as_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ampgen.model import Command, Error, Field
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.seeing.framing import Frame
    from ampgen.tools.seeing.seen import Side

_OWN = frozenset((b"_ask", b"_answer", b"_error", b"_command"))
_EXTRAS = frozenset((b"_timeout", b"_peer", b"_stream", b"_credit"))
_META = b"_meta."
_OF_ERRORS = frozenset((b"_error_code", b"_error_description"))


class BoxReading:
    """What is known so far of a box; ``seen`` is the end of it.

    First :meth:`name`, where a command is known, then one of the ``read_…`` methods.
    """

    def __init__(self, sender: Side, at: float | None, frame: Frame) -> None:
        self.frame = frame
        self.notes: list[str] = []
        self.extras, wrong = read_extras(frame.box)
        self._sender = sender
        self._at = at
        self._wire: bytes | None = None
        self._model: Command | None = None
        self._known = False
        self._code: bytes | None = None
        self._description: str | None = None
        self._error: Error | None = None
        self._cancelled: bytes | None = None
        self._elapsed: float | None = None
        self._declared: tuple[Field, ...] = ()
        self._read: FieldsRead | None = None
        self._blames: list[Blame] = []
        if wrong is not None:
            self.notes.append(f"ignored: {wrong}")
        for key in frame.repeated:
            self.notes.append(f"`{as_text(key)}` comes more than once, the last counts")
        if frame.dropped:
            self.blame("", f"too long: {frame.dropped:,} bytes of it are not kept")

    def blame(self, key: str, rule: str) -> None:
        place = self.frame.places.get(key.encode(), self.frame.offset)
        self._blames.append(Blame(place, key, rule))

    def name(self, wire: bytes, model: Command | None, *, known: bool = False) -> None:
        """The command that it is, answers, or belongs to."""
        self._wire = wire
        self._model = model
        self._known = known or model is not None

    def elapse(self, asked: float | None) -> None:
        if asked is not None and self._at is not None:
            self._elapsed = self._at - asked

    # --- what is in it ----------------------------------------------------------------

    def read_declared(self, declared: Sequence[Field]) -> None:
        self._declared = tuple(declared)
        box, places = self.frame.box, self.frame.places
        self._read = read_fields(self._declared, box, places, self.frame.offset)

    def read_arguments(self, commands: Sequence[Command]) -> Command | None:
        """As those of the command that they fit best."""
        best = 0
        model = None
        for command in commands:
            self.read_declared(arguments(command))
            read = self._read or FieldsRead()
            faults = len(read.blames) + len(read.others)
            if model is None or faults < best:
                best, model = faults, command
        if len(commands) != 1:
            self.read_declared(() if model is None else arguments(model))
        self.name(self.frame.box[b"_command"], model)
        return model

    def read_answer(self, *, streams: bool) -> None:
        """``streams``: a stream was asked for, and the end of one has to say so."""
        self.read_declared(() if self._model is None else results(self._model))
        if (
            streams
            and self.extras.stream is None
            and self._model is not None
            and streams_results(self._model)
        ):
            self.blame("_stream", "required, and missing: this end does not stream")

    def read_error(self) -> None:
        for key in sorted(_OF_ERRORS - self.frame.box.keys()):
            self.blame(as_text(key), "required, and missing")
        self.read_failure()
        for error in () if self._model is None else self._model.errors:
            if error.code.encode() == self._code:
                self._error = error
                if error.fatal:
                    self.notes.append("fatal: it ends the connection")
                break
        self.read_declared(() if self._error is None else self._error.fields)

    def read_failure(self) -> None:
        """Code and description, if they are there."""
        self._code = self.frame.box.get(b"_error_code")
        description = self.frame.box.get(b"_error_description")
        if description is not None:
            self._description = description.decode("utf-8", "replace")

    def read_schemas(self) -> None:
        """The answer to ``_schema``: what there is, not the texts."""
        self._read = FieldsRead()
        try:
            schemas, _ = SCHEMA.read_answer(plain(self.frame.box), 0, DEPTH)
        except Fault as fault:
            self.read_declared(())
            self.blame(fault.path, fault.rule)
            return
        services = [name for name, _path in schemas.services]
        self._read.fields["schemas"] = cast("Json", list(schemas))
        self._read.fields["services"] = cast("Json", services)

    def read_cancel(self, tag: bytes | None) -> None:
        self.read_declared(())
        if self._read is not None:
            self._read.others.pop("id", None)
        self._cancelled = tag
        if tag is None:
            self.blame("id", "required, and missing")

    def cancels(self, wire: bytes, model: Command | None) -> None:
        """The call that is cancelled is to this command."""
        if self._read is not None:
            name = as_text(wire) if model is None else model.name
            self._read.fields["call"] = name

    # --- the end ----------------------------------------------------------------------

    def seen(self, kind: Kind, tag: bytes | None, secret: Collection[bytes]) -> SeenBox:
        """``secret``: keys whose values are hidden where nobody knows what they are."""
        read = self._read
        if read is None:
            self.read_declared(())
            read = self._read or FieldsRead()
        model = self._model
        name = "" if self._wire is None else as_text(self._wire)
        others = self._own_others() | read.others
        for key, one in others.items():
            if any(name in secret for name in _names(key)):
                others[key] = replace(one, hidden=True)
        return SeenBox(
            sender=self._sender,
            at=self._at,
            offset=self.frame.offset,
            size=self.frame.size,
            kind=kind,
            box=self.frame.box,
            tag=tag if self._cancelled is None else self._cancelled,
            stream=self.extras.stream,
            command=name if model is None else model.name,
            service=None if model is None else model.service.name,
            model=model,
            known=self._known,
            declared=self._declared,
            fields=read.fields,
            hidden=tuple(read.hidden),
            others=others,
            extras=self._extras(),
            metadata=self.extras.metadata,
            code=None if self._code is None else as_text(self._code),
            description=self._description,
            error=self._error,
            elapsed=self._elapsed,
            blames=(*self._blames, *read.blames),
            notes=tuple(self.notes),
        )

    def _extras(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        if self.extras.timeout is not None:
            found["timeout"] = self.extras.timeout
        if self.extras.credit is not None:
            found["credit"] = self.extras.credit
        if self.extras.peer is not None:
            found["understands"] = cast("Json", sorted(self.extras.peer))
        return found

    def _own_others(self) -> dict[str, Opaque]:
        """Keys that start with ``_`` and mean nothing that is known."""
        known = _OWN | _EXTRAS
        if self._code is not None:
            known |= _OF_ERRORS
        return {
            as_text(key): Opaque(raw)
            for key, raw in self.frame.box.items()
            if key.startswith(b"_") and key not in known and not key.startswith(_META)
        }


def _names(path: str) -> Iterator[bytes]:
    """The keys that a path may end with; without the number of a piece, too."""
    key, _, number = path.rpartition(".")
    for one in (path, key) if number.isdecimal() else (path,):
        yield one.encode("utf-8", "backslashreplace")
        yield one.rpartition(".")[2].encode("utf-8", "backslashreplace")
