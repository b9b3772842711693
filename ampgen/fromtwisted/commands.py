"""Commands and services of a Twisted program, as a draft of a schema."""

# Twisted's AMP has next to no annotations, and neither have the programs that use it.
# pyright: basic
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twisted.protocols import amp

from ampgen.fromtwisted import names
from ampgen.fromtwisted.arguments import LeftOutError, Types
from ampgen.fromtwisted.draft import Command, Draft, Error, Field, Service
from ampgen.fromtwisted.live import dotted, own_doc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ampgen.fromtwisted import live

_STREAM = frozenset((b"_stream", b"_credit"))  # what a stream has of AMP's own
_CLASSES = ("", "Client", "BlockingClient", "Server")  # of a service, in Python


class Reader:
    """Reads services one after the other into ``draft``; ``notes`` are for the user."""

    def __init__(self, types: Mapping[str, str], *, keep_names: bool = False) -> None:
        self.draft = Draft()
        self.notes: list[str] = []
        self._keep = keep_names
        self._declared = names.Taken()
        self._types = Types(
            self.draft, self._declared, types, self.notes.append, keep_names=keep_names
        )
        self._services: dict[live.Service, Service] = {}
        self._errors: dict[tuple[type, bytes, bool], str] = {}

    def read(self, found: live.Service) -> Service:
        if found in self._services:
            return self._services[found]
        bases = [self.read(base) for base in found.extends]
        extends = tuple(base.name for base in bases if base in self.draft.services)
        wanted = names.type_name(found.name, keep=self._keep)
        name = self._declared.claim([wanted, f"{wanted}Service"], *_CLASSES)
        made = self._services[found] = Service(name, found.doc, extends)
        taken = names.Taken()
        wires: set[bytes] = set()
        around = _around(found.commands)
        for command in found.commands:
            if _is_part(command, around):
                continue
            try:
                if command.commandName in wires:
                    raise LeftOutError("another has the same name on the wire")
                made.parts.append(self._command(command, name, taken, around))
                wires.add(command.commandName)
            except LeftOutError as reason:
                self.notes.append(f"{dotted(command)}: left out: {reason}")
                made.parts.append(f"{command.__name__} is left out: {reason}.")
        if found.commands and not made.parts and not extends:
            return made  # all that it answers are parts of streams
        self.draft.services.append(made)
        made.calls += [self.read(called).name for called in found.calls]
        return made

    def _command(
        self,
        command: type[amp.Command],
        service: str,
        taken: names.Taken,
        around: Mapping[bytes, type[amp.Command]],
    ) -> Command:
        wire = _wire_name(command)
        arguments = self._types.fields(_without(_STREAM, command.arguments), command)
        result = self._types.fields(_without(_STREAM, command.response), command)
        stream = _streams(command) and b"_credit" in dict(command.arguments)
        if _streams(command):
            around = {**around, **_commands(vars(command).values())}
            sent = self._sent(command, arguments, around, needed=not stream)
            arguments = (*arguments, *sent)
        if stream:
            part = _part(command, b"_item", around)
            result = self._types.fields(_without(_STREAM, part.arguments), command)
        errors = tuple(self._raised(command))
        told: list[str] = []
        oneway = not command.requiresAnswer
        if oneway and (result or errors):
            what = "its response and its errors are never asked for, and left out"
            told.append(f"In Twisted, {what}.")
            self.notes.append(f"{dotted(command)}: {what}")
            result = errors = ()
        if command.responseType is not amp.Box or command.commandType is not amp.Box:
            kind = command.responseType
            what = (
                "the connection ends after its answer"
                if kind is amp.QuitBox
                else "its boxes are of a class of their own"
            )
            told.append(f"In Twisted, {what}.")
            self.notes.append(f"{dotted(command)}: {what}; the schema does not tell")
        record = ("Item" if stream else "Result") if result else None
        return Command(
            self._name(command, wire, service, taken, record),
            wire,
            arguments,
            result,
            errors,
            oneway,
            own_doc(command),
            tuple(told),
            stream,
        )

    def _sent(
        self,
        command: type[amp.Command],
        arguments: tuple[Field, ...],
        around: Mapping[bytes, type[amp.Command]],
        *,
        needed: bool,
    ) -> tuple[Field, ...]:
        """The argument that is a stream, if there is one: its name is not known."""
        if not needed and command.commandName + b"._send" not in around:
            return ()
        part = _part(command, b"_send", around)
        pairs = _without(_STREAM, part.arguments)
        if [key for key, _ in pairs] != [b"item"]:
            raise LeftOutError("what it streams is not under the one key `item`")
        (field,) = self._types.fields(pairs, command)
        taken = names.Taken()
        taken.take(*(argument.name for argument in arguments))
        name = taken.claim(["items"])
        return (Field(name, name, f"stream {field.type}", comment=field.comment),)

    def _name(
        self,
        command: type[amp.Command],
        wire: str,
        service: str,
        taken: names.Taken,
        record: str | None,
    ) -> str:
        """``record``: what the class of its result is called after, if there is one."""
        own = command.__name__
        own = wire if own == f"{wire}_" else own
        name = names.command_name(own, keep=self._keep)
        wanted = [name, f"{service}{names.cap_words(name)}"]
        while True:
            for one in wanted:
                method = names.snake_case(one)
                result = f"{names.cap_words(one)}{record}"
                if not taken.is_free(method):
                    continue
                if record and not self._declared.is_free(result):
                    continue
                taken.take(method)
                if record:
                    self._declared.take(result)
                return one
            wanted = [f"{wanted[-1]}2"]

    # --- errors -----------------------------------------------------------------------

    def _raised(self, command: type[amp.Command]) -> Iterator[str]:
        last: dict[bytes, tuple[type, bytes, bool]] = {}
        for raised, code in command.allErrors.items():  # type: ignore[attr-defined]
            last[code] = raised, code, raised in command.fatalErrors
        for raised, code, fatal in last.values():
            problem = _wrong_code(code)
            if problem is None:
                yield self._error(raised, code, fatal=fatal)
            else:
                what = f"its error {raised.__name__} is left out: the code {problem}"
                self.notes.append(f"{dotted(command)}: {what}")

    def _error(self, raised: type, code: bytes, *, fatal: bool) -> str:
        key = raised, code, fatal
        if key not in self._errors:
            name = names.type_name(raised.__name__, keep=self._keep)
            wanted = [name, f"Fatal{name}" if fatal else f"{name}Error"]
            self._errors[key] = self._declared.claim(wanted)
            doc = None if raised.__module__ == "builtins" else own_doc(raised)
            made = Error(self._errors[key], code.decode(), fatal, doc)
            self.draft.errors.append(made)
        return self._errors[key]


def _commands(things: Iterable[Any]) -> dict[bytes, type[amp.Command]]:
    return {
        thing.commandName: thing
        for thing in things
        if isinstance(thing, type)
        and issubclass(thing, amp.Command)
        and thing is not amp.Command
    }


def _around(commands: Iterable[type[amp.Command]]) -> dict[bytes, type[amp.Command]]:
    """These, and those of their modules: the parts of streams are among them."""
    commands = list(commands)
    modules = dict.fromkeys(command.__module__ for command in commands)
    found: dict[bytes, type[amp.Command]] = {}
    for module in modules:
        found.update(_commands(vars(sys.modules[module]).values()))
    return {**found, **_commands(commands)}


def _streams(command: type[amp.Command]) -> bool:
    return b"_stream" in dict(command.arguments)


def _is_part(
    command: type[amp.Command], around: Mapping[bytes, type[amp.Command]]
) -> bool:
    """Is it one of those that a stream is made of?"""
    whole, dot, _ = command.commandName.rpartition(b"._")
    return bool(dot) and whole in around and _streams(around[whole])


def _part(
    command: type[amp.Command], name: bytes, around: Mapping[bytes, type[amp.Command]]
) -> type[amp.Command]:
    wire = command.commandName + b"." + name
    if wire not in around:
        raise LeftOutError(
            f"it streams, and there is no `{wire.decode()}` beside it to say what"
        )
    return around[wire]


def _without(
    keys: frozenset[bytes], pairs: Iterable[tuple[bytes, Any]]
) -> list[tuple[bytes, Any]]:
    return [(key, argument) for key, argument in pairs if key not in keys]


def _wire_name(command: type[amp.Command]) -> str:
    """Its name on the wire, if a schema may have it."""
    raw = command.commandName
    shown = raw.decode("ascii", "backslashreplace")
    if issubclass(command, amp.ProtocolSwitchCommand):
        raise LeftOutError("it changes to another protocol, which only Twisted can")
    if not raw or not raw.isascii() or not shown.isprintable():
        raise LeftOutError(f"its name `{shown}` is not ASCII text")
    if raw.startswith(b"_") or b"._" in raw or raw == b"StartTLS":
        raise LeftOutError(f"its name `{shown}` belongs to the protocol")
    if len(raw) > 0xFFFF:
        raise LeftOutError("its name is longer than AMP allows")
    return shown


def _wrong_code(code: bytes) -> str | None:
    if code in (b"UNKNOWN", b"UNHANDLED"):
        return f"`{code.decode()}` is AMP's own"
    try:
        text = code.decode()
    except UnicodeDecodeError:
        return f"{code!r} is not UTF-8"
    return None if text else "is empty"
