"""The syntax tree: what the file says, before anything is known of what it means.

Every node is frozen and carries its span. Nothing here is checked beyond the grammar: a
type may have a ``?`` or a modifier where the language forbids it, so that analysis can
say so with a place and a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.source import Source, Span


@dataclass(frozen=True, slots=True)
class Name:
    """One name as written; may start with ``_`` (analysis refuses it)."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class QualifiedName:
    """``Point`` or ``geo.Point``."""

    parts: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


# --- literals -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StringLiteral:
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class IntLiteral:
    value: int
    span: Span


@dataclass(frozen=True, slots=True)
class FloatLiteral:
    """A number with a point or an exponent, or ``inf``, ``-inf``, ``nan``."""

    value: float
    span: Span


@dataclass(frozen=True, slots=True)
class BoolLiteral:
    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class NameLiteral:
    """A bare name: an enum's member."""

    name: QualifiedName
    span: Span


@dataclass(frozen=True, slots=True)
class DurationLiteral:
    """``500ms``, ``2s``, ``1m``, as ``seconds``; only an annotation takes one."""

    seconds: float
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    items: tuple[Literal, ...]
    span: Span


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class NamedType:
    """A built-in scalar or a declared name: analysis tells which."""

    name: QualifiedName
    span: Span


@dataclass(frozen=True, slots=True)
class ListType:
    item: Type
    span: Span


@dataclass(frozen=True, slots=True)
class MapType:
    key: Type
    value: Type
    span: Span


@dataclass(frozen=True, slots=True)
class OptionalType:
    """``T?``."""

    item: Type
    span: Span


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Annotation:
    """``@name(arguments)``; ``span`` covers all of it."""

    name: QualifiedName
    arguments: tuple[Literal, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Doc:
    """The lines behind ``///`` or ``//!``, without one leading space, joined."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """A field, an argument, a result or a union's member: ``name: type = default``."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    type: Type
    default: Literal | None
    span: Span


@dataclass(frozen=True, slots=True)
class Reserved:
    """``reserved "nick", "age"``."""

    keys: tuple[StringLiteral, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Import:
    """``import "path" as alias;``; without ``alias`` the file's stem is the name."""

    path: StringLiteral
    alias: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class TypeAliasDeclaration:
    """``type`` is ``None`` where it could not be read: the name counts as declared."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    type: Type | None
    span: Span


@dataclass(frozen=True, slots=True)
class EnumMember:
    """``LOUD;`` or ``INFO = "info";``; without a value the name stands for itself."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    value: StringLiteral | None
    span: Span


@dataclass(frozen=True, slots=True)
class EnumDeclaration:
    """``incomplete``: some members could not be read, and are missing here."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    open: bool
    name: Name
    members: tuple[EnumMember, ...]
    span: Span
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class StructDeclaration:
    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    members: tuple[Field | Reserved, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class UnionDeclaration:
    """``incomplete``: some members could not be read, and are missing here."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    name: Name
    members: tuple[Field | Reserved, ...]
    span: Span
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class ErrorDeclaration:
    """``fatal error Name "CODE" { … }``; without a code the name is the code."""

    doc: Doc | None
    annotations: tuple[Annotation, ...]
    fatal: bool
    name: Name
    code: StringLiteral | None
    members: tuple[Field | Reserved, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ResultList:
    """``-> (…)``, or ``-> stream (…)`` with the word's place in ``stream``."""

    stream: Name | None
    members: tuple[Field | Reserved, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BareResult:
    """``-> T`` or ``-> name: T``; the type carries ``stream``, ``large`` and ``?``."""

    name: Name | None
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class File:
    """One parsed file, in the order written; what could not be parsed is left out."""

    source: Source
    doc: Doc | None
    imports: tuple[Import, ...]
    declarations: tuple[Declaration, ...]
