"""What the templates are given: every string legal, escaped and laid out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and what it carries, as a line of a list; ``comment``: lines above it."""

    line: str
    comment: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """``header`` ends in its colon; ``docstring`` is ``None`` where there is none."""

    header: str
    docstring: str | None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A ``TypedDict``; ``statement`` where its keys are no names for a class.

    ``quoted``: the code that then stands in strings.
    """

    made: Class | None
    statement: str | None
    quoted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """Of a struct or a union: where they are made, and what they then are."""

    made: str
    filled: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a stream: a oneway command inside its command."""

    header: str
    name: str
    arguments: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """``attributes`` are those beside ``arguments`` and ``response``."""

    header: str
    docstring: str | None
    name: str
    arguments: tuple[Pair, ...]
    response: tuple[Pair, ...]
    attributes: tuple[str, ...]
    answer: Dictionary
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Responder:
    """The method to override, and the one that Twisted calls."""

    header: str
    docstring: str | None
    decorator: str
    trampoline: str
    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    header: str
    docstring: str | None
    commands: tuple[Command, ...]
    calls: str | None
    responders_header: str
    responders_docstring: str | None
    mark: str
    responders: tuple[Responder, ...]


@dataclass(frozen=True, slots=True)
class Module:
    enums: tuple[Class, ...]
    dictionaries: tuple[Dictionary, ...]
    errors: tuple[Class, ...]
    fields: tuple[Fields, ...]
    services: tuple[Service, ...]
    enum_aliases: tuple[str, ...]
    class_aliases: tuple[str, ...]
    service_aliases: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """All code that stands in strings."""
        answers = (c.answer for service in self.services for c in service.commands)
        return "\n".join(
            line for made in (*self.dictionaries, *answers) for line in made.quoted
        )
