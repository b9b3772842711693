"""The syntax tree: what the file says, before anything is known of what it means.

Every node is frozen and carries its span. Nothing here is checked beyond the grammar: a
type may have a ``?`` or a modifier where the language forbids it, so that analysis can
say so with a place and a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ampgen.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.source import Source, Span


@frozen
class Name:
    """One name as written; may start with ``_`` (analysis refuses it)."""

    text: str
    span: Span


@frozen
class QualifiedName:
    """``Point`` or ``geo.Point``."""

    parts: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


# --- literals -------------------------------------------------------------------------


@frozen
class StringLiteral:
    value: str
    span: Span


@frozen
class IntLiteral:
    value: int
    span: Span


@frozen
class FloatLiteral:
    """A number with a point or an exponent, or ``inf``, ``-inf``, ``nan``."""

    value: float
    span: Span


@frozen
class BoolLiteral:
    value: bool
    span: Span


@frozen
class NameLiteral:
    """A bare name: an enum's member."""

    name: QualifiedName
    span: Span


@frozen
class DurationLiteral:
    """``500ms``, ``2s``, ``1m``, as ``seconds``; only an annotation takes one."""

    seconds: float
    span: Span


@frozen
class ListLiteral:
    items: tuple[Literal, ...]
    span: Span


@frozen
class MapLiteral:
    """``{}``: a map's only literal."""

    span: Span


Literal: TypeAlias = (
    StringLiteral
    | IntLiteral
    | FloatLiteral
    | BoolLiteral
    | NameLiteral
    | DurationLiteral
    | ListLiteral
    | MapLiteral
)


# --- types ----------------------------------------------------------------------------


@frozen
class NamedType:
    """A built-in scalar or a declared name: analysis tells which."""

    name: QualifiedName
    span: Span


@frozen
class ListType:
    item: Type
    span: Span


@frozen
class MapType:
    key: Type
    value: Type
    span: Span


@frozen
class OptionalType:
    """``T?``."""

    item: Type
    span: Span


@frozen
class ModifiedType:
    """``stream T`` or ``large T``; ``keyword`` holds the word and its place."""

    keyword: Name
    item: Type
    span: Span


Type: TypeAlias = NamedType | ListType | MapType | OptionalType | ModifiedType


def names_in(type_: Type | None) -> Iterator[QualifiedName]:
    """The names that a type is written with; none where it could not be read."""
    match type_:
        case None:
            pass
        case NamedType():
            yield type_.name
        case MapType():
            yield from names_in(type_.key)
            yield from names_in(type_.value)
        case _:
            yield from names_in(type_.item)


# --- declarations ---------------------------------------------------------------------


@frozen
class Annotation:
    """``@name(arguments)``; ``span`` covers all of it."""

    name: QualifiedName
    arguments: tuple[Literal, ...]
    span: Span


@frozen
class Doc:
    """The lines behind ``///`` or ``//!``, without one leading space, joined."""

    text: str
    span: Span


@frozen
class Field:
    """A field, an argument, a result or a union's member: ``name: type = default``."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    type: Type
    default: Literal | None
    span: Span


@frozen
class Reserved:
    """``reserved "nick", "age"``."""

    keys: tuple[StringLiteral, ...]
    span: Span


@frozen
class Import:
    """``import "path" as alias;``; without ``alias`` the file's stem is the name."""

    path: StringLiteral
    alias: Name | None
    span: Span


@frozen
class TypeAliasDeclaration:
    """``type`` is ``None`` where it could not be read: the name counts as declared."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    type: Type | None
    span: Span


@frozen
class EnumMember:
    """``LOUD;`` or ``INFO = "info";``; without a value the name stands for itself."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    value: StringLiteral | None
    span: Span


@frozen
class EnumDeclaration:
    """``incomplete``: some members could not be read, and are missing here."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    open: bool
    name: Name
    members: tuple[EnumMember, ...]
    span: Span
    incomplete: bool = False


@frozen
class StructDeclaration:
    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    members: tuple[Field | Reserved, ...]
    span: Span


@frozen
class UnionDeclaration:
    """``incomplete``: some members could not be read, and are missing here."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    members: tuple[Field | Reserved, ...]
    span: Span
    incomplete: bool = False


@frozen
class ErrorDeclaration:
    """``fatal error Name "CODE" { … }``; without a code the name is the code."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    fatal: bool
    name: Name
    code: StringLiteral | None
    members: tuple[Field | Reserved, ...]
    span: Span


@frozen
class ResultList:
    """``-> (…)``, or ``-> stream (…)`` with the word's place in ``stream``."""

    stream: Name | None
    members: tuple[Field | Reserved, ...]
    span: Span


@frozen
class BareResult:
    """``-> T`` or ``-> name: T``; the type carries ``stream``, ``large`` and ``?``."""

    name: Name | None
    type: Type
    span: Span


@frozen
class CommandDeclaration:
    """``arrow`` and ``raises_span`` are the places of ``->`` and ``raises``."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    oneway: bool
    name: Name
    arguments: tuple[Field | Reserved, ...]
    arrow: Span | None
    result: ResultList | BareResult | None
    raises_span: Span | None
    raises: tuple[QualifiedName, ...]
    span: Span


@frozen
class ServiceDeclaration:
    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    extends: tuple[QualifiedName, ...]
    calls: tuple[QualifiedName, ...]
    members: tuple[CommandDeclaration | Reserved, ...]
    span: Span


Declaration: TypeAlias = (
    TypeAliasDeclaration
    | EnumDeclaration
    | StructDeclaration
    | UnionDeclaration
    | ErrorDeclaration
    | ServiceDeclaration
)


@frozen
class File:
    """One parsed file, in the order written; what could not be parsed is left out."""

    source: Source
    doc: Doc | None
    imports: tuple[Import, ...]
    declarations: tuple[Declaration, ...]
