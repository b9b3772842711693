"""What a template is given: every string legal, escaped and laid out; loops are left to
it.

A ``header`` is all of a ``class`` or ``def`` up to its colon, decorators before it. A
``docstring`` is indented, and ``None`` where there is none. All other statements are
whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen.frozen import frozen

if TYPE_CHECKING:
    from ampgen.model import Command, Declaration, Field
    from ampgen.targets.python.records import Reader, Writer


# ``member`` is of a union, ``result`` of a command, and ``item`` of its stream.
KINDS = (
    *("enum", "struct", "error", "member", "result", "item"),
    *("client", "blocking client", "server"),
)


@frozen
class Function:
    header: str
    docstring: str | None
    body: tuple[str, ...] = ()


@frozen
class Class:
    """A class without code of its own but for what dataclass or enum make of it.

    A project's own templates are told by ``name``, ``kind`` (:data:`KINDS`) and ``of``
    what it is, and what in the schema it is made of.
    """

    header: str
    docstring: str | None
    members: tuple[str, ...] = ()
    methods: tuple[Function, ...] = ()
    name: str = ""
    kind: str = ""
    of: Declaration | Command | Field | None = None


@frozen
class Alias:
    """A union's name; its docstring stands below it."""

    statement: str
    docstring: str | None
    kind: str = "alias"  # among classes, which have one of KINDS


@frozen
class Enumeration:
    """How an enum is written and read: two statements."""

    encode: str
    decode: str


@frozen
class Structure:
    """One struct as a box. ``maker``: what makes it of its fields, by position;
    ``check``: the statements that refuse what is no such struct.
    """

    encode: str
    read: str
    maker: str
    check: str
    writer: Writer
    reader: Reader


@frozen
class Member:
    """One member of a union: to write where ``test`` tells it from the others, to build
    where its key is ``found``. ``begin`` has errors name it.
    """

    test: str
    begin: str
    header: str
    encode: str
    found: str
    build: tuple[str, ...]


@frozen
class Choice:
    """One union as a box with a single key."""

    encode: str
    read: str
    check: str
    unknown_member: str
    members: tuple[Member, ...]


@frozen
class Failure:
    """A declared error's fields, and its entry for the commands that raise it."""

    encode: str
    decode: str
    writer: Writer
    reader: Reader
    entry: str


@frozen
class NestedFunctions:
    """Of a list or map inside another; a struct has an ``encode`` already."""

    encode: Function | None
    decode: Function


@frozen
class Answer:
    """An answer, or an item of a stream, as a box.

    ``check`` and ``maker`` are ``None`` where it is bare: it is no record.
    """

    write: str
    read: str
    maker: str | None
    check: str | None
    writer: Writer
    reader: Reader


@frozen
class Call:
    """One command: its boxes, and its entry for the runtime.

    ``answers`` are those behind the request: the answer, unless it carries nothing, and
    the items of its streams.
    """

    write: str
    read: str
    writer: Writer
    reader: Reader
    answers: tuple[Answer, ...]
    entry: str


@dataclass(frozen=True, slots=True)
class Module:
    """All of one generated module below its header."""

    docstring: str | None
    enums: tuple[Class, ...]
    types: tuple[Class | Alias, ...]
    services: tuple[Class, ...]
    enumerations: tuple[Enumeration, ...]
    structures: tuple[Structure, ...]
    choices: tuple[Choice, ...]
    failures: tuple[Failure, ...]
    calls: tuple[Call, ...]
    served: tuple[str, ...]
    schema: str
    nested: tuple[NestedFunctions, ...] = ()
    enum_aliases: tuple[str, ...] = ()
    class_aliases: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[tuple[tuple[Class | Alias, ...], tuple[str, ...]], ...]:
        """All classes, as they stand there, and the aliases behind each lot."""
        return (
            (self.enums, self.enum_aliases),
            (self.types, self.class_aliases),
            (self.services, ()),
        )

    @property
    def has_large(self) -> bool:
        return any(
            call.writer.large or any(box.writer.large for box in call.answers)
            for call in self.calls
        )

    @property
    def has_codecs(self) -> bool:
        return bool(
            self.enumerations
            or self.structures
            or self.choices
            or self.failures
            or self.calls
        )
