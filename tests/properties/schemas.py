"""Strategies: schemas, and values of what they declare.

A schema is drawn as plain data, and written as text by `Schema.text`. Once that has
been compiled, `Values` draws values for the classes that came out. Every command
answers what it was asked, so that one handler serves them all.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from hypothesis import strategies as st

from ampgen.runtime.values import Scalar
from tests.properties.values import SCALARS

# --- a schema as data ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Type


@dataclass(frozen=True, slots=True)
class MapOf:
    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class Named:
    """An enum, a struct or a union, by its name."""

    name: str


Type: TypeAlias = "Scalar | ListOf | MapOf | Named"


@dataclass(frozen=True, slots=True)
class Default:
    text: str
    value: Any  # an enum's member, by its value on the wire


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: Type
    optional: bool = False
    default: Default | None = None
    large: bool = False

    def text(self) -> str:
        mark = "?" if self.optional else ""
        large = "large " if self.large else ""
        default = f" = {self.default.text}" if self.default else ""
        return f"{self.name}: {large}{type_text(self.type)}{mark}{default}"


@dataclass(frozen=True, slots=True)
class Enum:
    name: str
    members: tuple[str, ...]
    open: bool

    def text(self) -> str:
        kind = "open enum" if self.open else "enum"
        members = "; ".join(
            f"M{at} = {quote(one)}" for at, one in enumerate(self.members)
        )
        return f"{kind} {self.name} {{ {members}; }}"


@dataclass(frozen=True, slots=True)
class Record:
    """A struct or a union."""

    kind: str
    name: str
    fields: tuple[Field, ...]

    def text(self) -> str:
        fields = " ".join(f"{field.text()};" for field in self.fields)
        return f"{self.kind} {self.name} {{ {fields} }}"


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    fields: tuple[Field, ...]

    def text(self) -> str:
        fields = ", ".join(field.text() for field in self.fields)
        if not fields:
            return f"command {self.name}();"
        return f"command {self.name}({fields}) -> ({fields});"


@dataclass(frozen=True, slots=True)
class Schema:
    enums: tuple[Enum, ...]
    records: tuple[Record, ...]
    commands: tuple[Command, ...]

    def text(self) -> str:
        declared = [enum.text() for enum in self.enums]
        declared += [record.text() for record in self.records]
        commands = "\n".join(f"    {command.text()}" for command in self.commands)
        return "\n".join([*declared, f"service Echo {{\n{commands}\n}}", ""])


def type_text(type: Type) -> str:  # noqa: A002
    match type:
        case ListOf(item):
            return f"[{type_text(item)}]"
        case MapOf(key, value):
            return f"{{{type_text(key)}: {type_text(value)}}}"
        case Named(name):
            return name
        case scalar:
            return scalar.value


def may_be_large(type: Type) -> bool:  # noqa: A002
    """Where it is no enum."""
    if isinstance(type, Scalar):
        return type in (Scalar.STR, Scalar.BYTES, Scalar.JSON)
    return True


def quote(value: str) -> str:
    """A string literal of the schema language."""
    plain = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(plain.get(one) or _safe(one) for one in value) + '"'


def _safe(character: str) -> str:
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


# --- strategies ---------------------------------------------------------------------

NAMES = (
    *("a", "b", "zed", "Upper", "snake_case", "camelCase", "x1", "Z9"),
    *("from", "class", "self", "None_ok", "lambda", "async", "match", "type", "print"),
    *("list", "dict", "int", "str", "bytes", "float", "bool", "property", "super"),
    *("value", "key", "data", "at", "end", "depth", "error", "code", "args", "cls"),
    *("struct", "command", "optional", "stream", "timeout", "metadata", "connection"),
    "a_name_that_is_so_long_that_no_line_has_room_for_two_of_its_kind_at_once",
)
SCALAR_TYPES = st.sampled_from([one for one in Scalar if one != Scalar.FD])
KEY_SCALARS = st.sampled_from((Scalar.STR, Scalar.INT, Scalar.UUID))
words = st.text(st.characters(codec="utf-8"), max_size=8)


def types(enums: tuple[Enum, ...], known: tuple[str, ...]) -> st.SearchStrategy[Type]:
    """Types made of scalars, enums and the structs and unions that are known."""
    named = [Named(name) for name in (*(enum.name for enum in enums), *known)]
    simple: st.SearchStrategy[Type] = SCALAR_TYPES
    keys: st.SearchStrategy[Type] = KEY_SCALARS
    if named:
        simple |= st.sampled_from(named)
    if enums:
        keys |= st.sampled_from([Named(enum.name) for enum in enums])
    return st.recursive(
        simple,
        lambda inner: st.builds(ListOf, inner) | st.builds(MapOf, keys, inner),
        max_leaves=3,
    )


def defaults(type: Type, enums: tuple[Enum, ...]) -> st.SearchStrategy[Default]:  # noqa: A002
    """Defaults of a type; nothing, where it cannot have one."""
    match type:
        case Scalar.BOOL:
            return st.booleans().map(lambda one: Default(str(one).lower(), one))
        case Scalar.INT:
            return st.integers().map(lambda one: Default(str(one), one))
        case Scalar.FLOAT:
            return st.floats(-1e9, 1e9).map(
                lambda one: Default(f"{one:.3f}", 0.0 + float(f"{one:.3f}"))
            )
        case Scalar.STR:
            return words.map(lambda one: Default(quote(one), one))
        case ListOf():
            return st.just(Default("[]", []))
        case MapOf():
            return st.just(Default("{}", {}))
        case Named(name):
            members = [
                Default(f"M{at}", value)
                for enum in enums
                if enum.name == name
                for at, value in enumerate(enum.members)
            ]
            return st.sampled_from(members) if members else st.nothing()
        case _:
            return st.nothing()


@st.composite
def fields(
    draw: st.DrawFn,
    enums: tuple[Enum, ...],
    known: tuple[str, ...],
    itself: str | None = None,
    least: int = 0,
) -> tuple[Field, ...]:
    """Fields of a struct, or arguments; those of a struct may hold ``itself`` again."""
    made: list[Field] = []
    for name in draw(
        st.lists(st.sampled_from(NAMES), unique=True, min_size=least, max_size=5)
    ):
        type_ = draw(types(enums, known))
        kind = draw(st.sampled_from(("required", "optional", "default")))
        if itself is not None and draw(st.integers(0, 4)) == 0:
            optional = draw(st.booleans())
            made.append(
                Field(
                    name, Named(itself) if optional else ListOf(Named(itself)), optional
                )
            )
        elif kind == "default" and not (possible := defaults(type_, enums)).is_empty:
            made.append(Field(name, type_, default=draw(possible)))
        else:
            made.append(Field(name, type_, kind == "optional"))
    return tuple(made)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    enums = tuple(
        Enum(f"Enum{at}", members, draw(st.booleans()))
        for at, members in enumerate(
            draw(
                st.lists(
                    st.lists(words, min_size=1, max_size=3, unique=True).map(tuple),
                    max_size=2,
                )
            )
        )
    )
    records: list[Record] = []
    for at in range(draw(st.integers(0, 4))):
        known = tuple(record.name for record in records)
        if draw(st.booleans()):
            name = f"Struct{at}"
            made = draw(fields(enums, known, name))
            records.append(Record("struct", name, made))
        else:
            members = draw(st.lists(types(enums, known), min_size=1, max_size=3))
            made = tuple(Field(f"m{one}", type_) for one, type_ in enumerate(members))
            records.append(Record("union", f"Union{at}", made))
    known = tuple(record.name for record in records)
    made_of_enums = {Named(enum.name) for enum in enums}
    commands = tuple(
        Command(
            f"Call{at}",
            tuple(
                replace(field, large=draw(st.booleans()))
                if field.type not in made_of_enums and may_be_large(field.type)
                else field
                for field in draw(fields(enums, known))
            ),
        )
        for at in range(draw(st.integers(1, 3)))
    )
    return Schema(enums, tuple(records), commands)


# --- values of what was compiled ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Values:
    """Strategies for a schema's types, as the module that was made of it has them."""

    schema: Schema
    module: Any

    def of(self, type: Type, depth: int = 3) -> st.SearchStrategy[Any]:  # noqa: A002
        """Values nested no deeper than ``depth``, but for what has to be there."""
        match type:
            case ListOf(item):
                size = 3 if depth > 0 else 0
                return st.lists(
                    self.of(item, depth - 1) if size else st.none(), max_size=size
                )
            case MapOf(key, value):
                if depth <= 0:
                    return st.just({})
                return st.dictionaries(
                    self.of(key), self.of(value, depth - 1), max_size=3
                )
            case Named(name):
                return self._named(name, depth)
            case scalar:
                return SCALARS[scalar]

    def _named(self, name: str, depth: int) -> st.SearchStrategy[Any]:
        made = getattr(self.module, name)
        for enum in self.schema.enums:
            if enum.name == name:
                members: st.SearchStrategy[Any] = st.sampled_from(list(made))
                return (
                    members | words.map(lambda one: _member(made, one))
                    if enum.open
                    else members
                )
        [record] = [one for one in self.schema.records if one.name == name]
        if record.kind == "struct":
            names = [field.name for field in dataclasses.fields(made)]
            return self.fields(record.fields, names, depth).map(
                lambda given: made(**given)
            )
        members_of: list[st.SearchStrategy[Any]] = [
            self.of(member.type, depth - 1).map(
                getattr(self.module, f"{name}{member.name.title()}")
            )
            for member in record.fields
        ]
        return st.one_of(members_of)

    def fields(
        self, declared: tuple[Field, ...], names: list[str], depth: int = 3
    ) -> st.SearchStrategy[dict[str, Any]]:
        """Keyword arguments, by the names that they have in Python."""
        required = {
            name: self.of(field.type, depth - 1)
            for name, field in zip(names, declared, strict=True)
            if not field.optional and field.default is None
        }
        optional = {
            name: self.of(field.type, depth - 1)
            for name, field in zip(names, declared, strict=True)
            if name not in required and (depth > 0 or not field.optional)
        }
        return st.fixed_dictionaries(required, optional=optional)

    def absent(self, field: Field) -> Any:
        """What a field is when its key is not there."""
        if field.default is None:
            return None
        if isinstance(field.type, Named):
            return getattr(self.module, field.type.name)(field.default.value)
        return field.default.value


def _member(enum: Any, value: str) -> Any:
    """An open enum's value: the member, where there is one."""
    return enum(value) if value in {one.value for one in enum} else value
