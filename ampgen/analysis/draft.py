"""What resolving hands to the checks: what was written, beside what it means.

The model alone has no place for a refused type or for the span of a ``raises``; the
tree alone does not know what a name stands for. A check gets both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen import model
    from ampgen.analysis.annotations import Annotated
    from ampgen.analysis.scope import Scope
    from ampgen.language import tree
    from ampgen.source import Span


@frozen
class Key:
    """One key of a box. ``span`` is its place: the name, or the string in ``@wire``.

    ``pinned``: it was given by ``@wire``, so it is a mistake of its own if it is wrong.
    ``large`` is the place of that word, where the value may come in pieces.
    """

    text: str
    span: Span
    pinned: bool
    large: Span | None


@frozen
class Box:
    """The keys that travel together: of a struct, of a command's arguments, …

    A field whose name is declared twice is left out: that is report enough.
    ``rekey`` tells a reader how to give one of them another key.
    """

    keys: tuple[Key, ...]
    reserved: tuple[tree.StringLiteral, ...]
    rekey: str


@frozen
class BoundCommand:
    """``streams``: the places of the word ``stream``, of arguments and of the result.

    ``errors``: what ``raises`` lists, without what is unknown.
    ``duplicate``: an earlier command of the service has its name.
    """

    node: tree.CommandDeclaration
    command: model.Command
    annotated: Annotated
    argument_streams: tuple[Span, ...]
    result_stream: Span | None
    errors: tuple[tuple[tree.QualifiedName, model.Error], ...]
    duplicate: bool


@frozen
class BoundService:
    node: tree.ServiceDeclaration
    service: model.Service
    commands: tuple[BoundCommand, ...]
    extends: tuple[tuple[tree.QualifiedName, model.Service], ...]
    reserved: tuple[tree.StringLiteral, ...]


@frozen
class BoundEnum:
    """``members``: without those whose name is declared twice."""

    node: tree.EnumDeclaration
    members: tuple[tuple[tree.EnumMember, model.EnumMember], ...]


@dataclass(eq=False, slots=True)
class Draft:
    """The whole schema, bound as far as it can be."""

    scopes: Sequence[Scope]
    boxes: list[Box] = field(default_factory=list[Box])
    enums: list[BoundEnum] = field(default_factory=list[BoundEnum])
    errors: list[tuple[tree.ErrorDeclaration, model.Error]] = field(
        default_factory=list[tuple["tree.ErrorDeclaration", "model.Error"]]
    )
    services: list[BoundService] = field(default_factory=list[BoundService])
