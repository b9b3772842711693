"""The resolved schema: names bound, aliases seen through, defaults checked.

Analysis builds it and nobody changes it afterwards. Declarations are compared by
identity and refer to one another directly, so that a recursive struct is a plain cycle.
Every later stage reads this and nothing else: the syntax tree is not reachable from
here, spans are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.runtime.values import Scalar
    from ampgen.source import Source, Span


# --- types ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScalarType:
    scalar: Scalar


@dataclass(frozen=True, slots=True)
class ListType:
    item: Type


@dataclass(frozen=True, slots=True)
class MapType:
    """``key`` is a str, int or uuid scalar, or an enum."""

    key: Type
    value: Type


Type: TypeAlias = "ScalarType | ListType | MapType | Enum | Struct | Union"


# --- defaults and annotations ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """A default of a bool, int, float or str: a Python value of exactly that type."""

    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class MemberValue:
    """A default that is a member of an enum."""

    member: EnumMember


@dataclass(frozen=True, slots=True)
class ListValue:
    items: tuple[Default, ...]


@dataclass(frozen=True, slots=True)
class EmptyMap:
    pass


Default: TypeAlias = Value | MemberValue | ListValue | EmptyMap


ExtraValue: TypeAlias = "str | int | float | bool | EmptyMap | tuple[ExtraValue, ...]"


@dataclass(frozen=True, slots=True)
class Extra:
    """``@x.name(arguments)``: handed to templates untouched.

    A bare name is handed on as its text, a duration as its seconds, a list as a tuple.
    """

    name: str
    arguments: tuple[ExtraValue, ...]


@dataclass(frozen=True, slots=True)
class Notes:
    """What may stand before any declaration, member or field.

    ``doc`` is the doc comment's text; ``deprecated`` the reason given. Both are
    ``None`` where the schema has none.
    """

    doc: str | None = None
    deprecated: str | None = None
    extras: tuple[Extra, ...] = ()


# --- declarations ---------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class Field:
    """A field, an argument, a result or a union's member.

    ``key`` is its key on the wire. ``span`` is the place of its name, in this and every
    other class below; ``type_span`` that of its type as written, modifiers and all.
    """

    name: str
    key: str
    type: Type
    span: Span
    type_span: Span
    notes: Notes = Notes()
    optional: bool = False
    default: Default | None = None
    stream: bool = False
    large: bool = False
    sensitive: bool = False

    @property
    def required(self) -> bool:
        """Must it be there, on the wire and at a caller?"""
        return not self.optional and self.default is None


@dataclass(eq=False, slots=True)
class EnumMember:
    name: str
    value: str
    span: Span
    notes: Notes = Notes()


@dataclass(eq=False, slots=True)
class Enum:
    name: str
    module: Module
    span: Span
    notes: Notes = Notes()
    open: bool = False
    members: tuple[EnumMember, ...] = ()


@dataclass(eq=False, slots=True)
class Struct:
    name: str
    module: Module
    span: Span
    notes: Notes = Notes()
    fields: tuple[Field, ...] = ()
    reserved: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Union:
    name: str
    module: Module
    span: Span
    notes: Notes = Notes()
    members: tuple[Field, ...] = ()
    reserved: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Error:
    name: str
    module: Module
    span: Span
    notes: Notes = Notes()
    code: str = ""
    fatal: bool = False
    fields: tuple[Field, ...] = ()
    reserved: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Alias:
    """An alias is seen through where it is used; here it keeps its docs and name.

    ``used``: a type somewhere is written with it.
    """

    name: str
    module: Module
    span: Span
    type: Type | None = None
    notes: Notes = Notes()
    used: bool = False


@dataclass(eq=False, slots=True)
class Result:
    """What a command answers. ``bare``: one field, handed over unwrapped."""

    fields: tuple[Field, ...]
    bare: bool
    stream: bool = False
    reserved: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Command:
    """``wire`` is its name on the wire; ``timeout`` is in seconds, ``None`` for none.

    ``result`` is ``None`` where the answer carries nothing.
    """

    name: str
    wire: str
    service: Service
    span: Span
    notes: Notes = Notes()
    arguments: tuple[Field, ...] = ()
    result: Result | None = None
    errors: tuple[Error, ...] = ()
    oneway: bool = False
    timeout: float | None = None
    idempotent: bool = False
    reserved: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Service:
    """``commands`` are its own; ``extends`` and ``calls`` as written."""

    name: str
    module: Module
    span: Span
    notes: Notes = Notes()
    extends: tuple[Service, ...] = ()
    calls: tuple[Service, ...] = ()
    commands: tuple[Command, ...] = ()
    reserved: tuple[str, ...] = ()

    def lineage(self) -> Iterator[Service]:
        """This service and all that it extends, each once, bases in declared order."""
        seen: set[int] = set()
        waiting: list[Service] = [self]
        while waiting:
            service = waiting.pop(0)
            if id(service) not in seen:
                seen.add(id(service))
                yield service
                waiting.extend(service.extends)

    def all_commands(self) -> tuple[Command, ...]:
        """Own and inherited, own first."""
        return tuple(
            command for service in self.lineage() for command in service.commands
        )

    def all_calls(self) -> tuple[Service, ...]:
        """Own and inherited, each once, own first."""
        found = {
            id(called): called for service in self.lineage() for called in service.calls
        }
        return tuple(found.values())


Declaration: TypeAlias = Enum | Struct | Union | Error | Alias | Service


@dataclass(eq=False, slots=True)
class Module:
    """One schema file.

    ``path`` is its module path as the schema has it: ``("common", "geo")`` for
    ``common/geo.amp``. ``imports`` are the modules it imports, each once, as written.
    """

    path: tuple[str, ...]
    source: Source
    doc: str | None = None
    imports: tuple[Module, ...] = ()
    declarations: list[Declaration] = field(default_factory=list["Declaration"])


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """All that one run of the compiler reads.

    ``modules``: every module reached, imported ones before those that import them.
    ``roots``: those named on the command line, in that order.
    """

    modules: tuple[Module, ...]
    roots: tuple[Module, ...]
