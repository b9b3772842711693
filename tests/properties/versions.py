"""Strategies: small schemas of everything that evolution is about, as plain data.

Types and their texts are those of `tests.properties.schemas`; what is here has in
addition oneway commands, errors, streams, wire names, and services that are called
back. A schema is small: its values are all tried against another version of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from ampgen.runtime.values import Scalar
from tests.properties.schemas import (
    Enum,
    ListOf,
    MapOf,
    Named,
    Type,
    may_be_large,
    type_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUIRED, OPTIONAL = "required", "optional"


@dataclass(frozen=True, slots=True)
class Field:
    """``need``: ``REQUIRED``, ``OPTIONAL`` or the text of a default."""

    name: str
    type: Type
    need: str = REQUIRED
    large: bool = False
    stream: bool = False
    wire: str | None = None

    def text(self) -> str:
        wire = f'@wire("{self.wire}") ' if self.wire else ""
        modifier = "stream " if self.stream else "large " if self.large else ""
        end = {REQUIRED: "", OPTIONAL: "?"}.get(self.need, f" = {self.need}")
        return f"{wire}{self.name}: {modifier}{type_text(self.type)}{end}"


@dataclass(frozen=True, slots=True)
class Record:
    """``kind``: ``struct`` or ``union``."""

    kind: str
    name: str
    fields: tuple[Field, ...]

    def text(self) -> str:
        fields = " ".join(f"{field.text()};" for field in self.fields)
        return f"{self.kind} {self.name} {{ {fields} }}"


@dataclass(frozen=True, slots=True)
class Error:
    name: str
    code: str
    fields: tuple[Field, ...] = ()
    fatal: bool = False

    def text(self) -> str:
        fatal = "fatal " if self.fatal else ""
        fields = " ".join(f"{field.text()};" for field in self.fields)
        return f'{fatal}error {self.name} "{self.code}" {{ {fields} }}'


@dataclass(frozen=True, slots=True)
class Command:
    """``results`` is empty where there are none; ``bare``: exactly one, unwrapped."""

    name: str
    arguments: tuple[Field, ...] = ()
    results: tuple[Field, ...] = ()
    bare: bool = False
    streams: bool = False
    oneway: bool = False
    errors: tuple[str, ...] = ()
    wire: str | None = None

    def text(self) -> str:
        wire = f'@wire("{self.wire}") ' if self.wire else ""
        arguments = ", ".join(field.text() for field in self.arguments)
        if self.oneway:
            return f"{wire}oneway command {self.name}({arguments});"
        raises = f" raises {', '.join(self.errors)}" if self.errors else ""
        return f"{wire}command {self.name}({arguments}){self._answer()}{raises};"

    def _answer(self) -> str:
        stream = "stream " if self.streams else ""
        if not self.results:
            return ""
        if self.bare:
            [field] = self.results
            key, _, rest = replace(field, wire=None).text().partition(": ")
            named = "" if key == "result" and not self.streams else f"{key}: "
            return f" -> {named}{stream}{rest}"
        fields = ", ".join(field.text() for field in self.results)
        return f" -> {stream}({fields})"


@dataclass(frozen=True, slots=True)
class Schema:
    """``called_back``: the service is what another one's server calls."""

    enums: tuple[Enum, ...]
    records: tuple[Record, ...]
    errors: tuple[Error, ...]
    commands: tuple[Command, ...]
    service: str = "Work"
    called_back: bool = False

    def text(self) -> str:
        declared = [one.text() for one in self.enums]
        declared += [one.text() for one in self.records]
        declared += [one.text() for one in self.errors]
        commands = "\n".join(f"    {command.text()}" for command in self.commands)
        declared.append(f"service {self.service} {{\n{commands}\n}}")
        if self.called_back:
            declared.append(
                f"service Host calls {self.service} {{ command Attach(); }}"
            )
        return "\n".join([*declared, ""])


# --- strategies -----------------------------------------------------------------------

FIELD_NAMES = ("alpha", "beta", "gamma", "delta")
MORE_NAMES = ("epsilon", "zeta")  # that an edit brings
SCALARS = tuple(one for one in Scalar if one is not Scalar.FD)
_DEFAULTS: dict[Type, tuple[str, ...]] = {
    Scalar.BOOL: ("true", "false"),
    Scalar.INT: ("1", "2"),
    Scalar.FLOAT: ("1.5", "2.5"),
    Scalar.STR: ('"x"', '"y"'),
}


def named(declared: Iterable[Enum | Record]) -> tuple[Type, ...]:
    return tuple(Named(one.name) for one in declared)


def types(known: tuple[Type, ...]) -> st.SearchStrategy[Type]:
    """Scalars, what is declared, and lists and maps of these, not deeper."""
    scalars: st.SearchStrategy[Type] = st.sampled_from(SCALARS)
    simple = (scalars | st.sampled_from(known)) if known else scalars
    keys: st.SearchStrategy[Type] = st.sampled_from((Scalar.STR, Scalar.INT))
    return st.one_of(
        simple,
        simple,
        simple.map(ListOf),
        st.builds(MapOf, keys, simple),
    )


def defaults(type_: Type, enums: tuple[Enum, ...]) -> tuple[str, ...]:
    match type_:
        case ListOf():
            return ("[]",)
        case MapOf():
            return ("{}",)
        case Named(name):
            members = [len(one.members) for one in enums if one.name == name]
            return tuple(f"M{at}" for at in range(members[0])) if members else ()
        case _:
            return _DEFAULTS.get(type_, ())


def needs(type_: Type, enums: tuple[Enum, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from((REQUIRED, OPTIONAL, *defaults(type_, enums)[:1]))


@st.composite
def fields(
    draw: st.DrawFn,
    enums: tuple[Enum, ...],
    known: tuple[Type, ...],
    most: int = 2,
    least: int = 0,
) -> tuple[Field, ...]:
    made: list[Field] = []
    for name in FIELD_NAMES[: draw(st.integers(least, most))]:
        type_ = draw(types(known))
        made.append(Field(name, type_, draw(needs(type_, enums))))
    return tuple(made)


def with_large(schema: Schema, field: Field, large: bool) -> Field:
    enums = {Named(one.name) for one in schema.enums}
    fits = may_be_large(field.type) and field.type not in enums
    return replace(field, large=large and fits and not field.stream)


@st.composite
def commands(
    draw: st.DrawFn,
    name: str,
    enums: tuple[Enum, ...],
    known: tuple[Type, ...],
    errors: tuple[str, ...],
) -> Command:
    arguments = draw(fields(enums, known))
    kind = draw(st.sampled_from(("plain", "plain", "bare", "none", "oneway", "items")))
    if draw(st.integers(0, 5)) == 0 and kind != "oneway":
        arguments += (Field("many", draw(types(known)), stream=True),)
    if kind == "oneway":
        return Command(name, arguments, oneway=True)
    raised = errors[: draw(st.integers(0, len(errors)))]
    if kind == "none":
        return Command(name, arguments, errors=raised)
    results = draw(fields(enums, known, least=1))
    bare = kind == "bare" or (kind == "items" and draw(st.booleans()))
    if bare:
        field = results[0]
        need = OPTIONAL if field.need == OPTIONAL and kind == "bare" else REQUIRED
        results = (
            replace(field, name="result" if kind == "bare" else "item", need=need),
        )
    return Command(name, arguments, results, bare, kind == "items", errors=raised)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Always with an enum, a struct, a union and errors: there is something to edit."""
    enums = tuple(
        Enum(f"Enum{at}", ("one", "two")[:size], draw(st.booleans()))
        for at, size in enumerate((2, 1)[: draw(st.integers(1, 2))])
    )
    known = named(enums)
    struct = Record("struct", "Struct", draw(fields(enums, known, least=1)))
    known = (*known, Named("Struct"))
    members = draw(st.lists(types(known), min_size=1, max_size=2))
    union = Record("union", "Union", tuple(map(Field, FIELD_NAMES, members)))
    known = (*known, Named("Union"))
    errors = tuple(
        Error(
            f"Error{at}",
            f"CODE{at}",
            (Field("alpha", draw(types(known)), OPTIONAL),)[: draw(st.integers(0, 1))],
            draw(st.integers(0, 4)) == 0,
        )
        for at in range(2)
    )
    codes = tuple(error.name for error in errors)
    made_commands = tuple(
        draw(commands(f"Call{at}", enums, known, codes)) for at in range(2)
    )
    called_back = draw(st.integers(0, 4)) == 0
    return Schema(enums, (struct, union), errors, made_commands, "Work", called_back)
