"""Twisted's arguments as types of the language."""

# Twisted's AMP has next to no annotations, and neither have the programs that use it.
# pyright: basic
from __future__ import annotations

import enum
import math
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from twisted.protocols import amp

from ampgen.fromtwisted import names
from ampgen.fromtwisted.draft import Draft, Enum, Field, Record
from ampgen.fromtwisted.live import dotted
from ampgen.language.printer.tokens import quoted
from ampgen.targets.python.names import cap_words as python_cap_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SCALARS: dict[type, str] = {
    amp.Integer: "int",
    amp.Float: "float",
    amp.Unicode: "str",
    amp.String: "bytes",
    amp.Boolean: "bool",
    amp.Decimal: "decimal",
    amp.DateTime: "datetime",
    amp.Path: "path",
    amp.Descriptor: "fd",
}
_KNOWN = (*SCALARS, amp.ListOf, amp.AmpList)

# A class that has its own of these is another type, whatever it derives from.
_CODECS = (
    *("fromBox", "toBox", "retrieve", "fromStringProto", "toStringProto"),
    *("fromString", "toString"),
)

# Marks of the classes that `--target twisted` writes.
_MARKED_SCALARS = ("date", "duration", "uuid", "json", "path")


class LeftOutError(Exception):
    """Something that the language cannot say; the text is why."""


@dataclass(frozen=True)
class Typed:
    type: str
    optional: bool = False
    large: bool = False
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class Place:
    """Where an argument stands: for notes, and for the names of structs."""

    command: type[amp.Command]
    key: str
    inside: bool = False  # of a struct

    def __str__(self) -> str:
        return f"{dotted(self.command)}: `{self.key}`"


class Types:
    """Reads arguments, and declares what they are made of."""

    def __init__(
        self,
        draft: Draft,
        declared: names.Taken,
        types: Mapping[str, str],
        note: Callable[[str], None],
        *,
        keep_names: bool,
    ) -> None:
        self._draft = draft
        self._declared = declared
        self._types = types
        self._note = note
        self._keep = keep_names
        self._enums: dict[type, str] = {}
        # By identity; the value holds the list, so that no other gets its address.
        self._records: dict[int, tuple[str, Any]] = {}

    def fields(
        self, pairs: Iterable[tuple[bytes, Any]], command: type[amp.Command]
    ) -> tuple[Field, ...]:
        """Arguments, or a response; :class:`LeftOutError` if one cannot be said."""
        return self._fields(pairs, command, inside=False)

    def _fields(
        self,
        pairs: Iterable[tuple[bytes, Any]],
        command: type[amp.Command],
        *,
        inside: bool,
    ) -> tuple[Field, ...]:
        taken = names.Taken()
        keys: set[bytes] = set()
        made: list[Field] = []
        for raw, argument in pairs:
            key = raw.decode("ascii", "backslashreplace")
            place = Place(command, key, inside)
            problem = _wrong_key(raw)
            if problem is None and raw in keys:
                problem = "is there twice"
            keys.add(raw)
            if problem is not None:
                if not getattr(argument, "optional", False):
                    raise LeftOutError(f"its key `{key}` {problem}")
                self._note(f"{place}: left out: the key {problem}")
                continue
            typed = self._typed(argument, place)
            name = taken.claim([names.field_name(key, keep=self._keep)])
            mark = "?" if typed.optional else ""
            large = "large " if typed.large else ""
            type_ = f"{large}{typed.type}{mark}"
            made.append(Field(name, key, type_, typed.default, typed.comment))
        return tuple(made)

    # --- types ------------------------------------------------------------------------

    def _typed(self, argument: Any, place: Place) -> Typed:
        optional = bool(getattr(argument, "optional", False))
        match getattr(argument, "_ampgen", None):
            case "default":
                inner = self._typed(argument.argument, place)
                default = self._literal(argument.value)
                return replace(inner, optional=False, default=default)
            case "large":
                return replace(self._typed(argument.argument, place), large=True)
            case _:
                return replace(self._plain(argument, place), optional=optional)

    def _plain(self, argument: Any, place: Place) -> Typed:
        given = self._types.get(dotted(type(argument)))
        if given is not None:
            large = given.startswith("large ")
            return Typed(given.removeprefix("large "), large=large and not place.inside)
        mark = getattr(argument, "_ampgen", None)
        if isinstance(mark, str):
            return self._marked(mark, argument, place)
        known = _known(type(argument))
        if known is amp.ListOf:
            inner = self._plain(argument.elementType, place)
            if inner.type == "fd":
                return self._other("int", place, "a list cannot hold descriptors")
            return Typed(f"[{inner.type}]", comment=inner.comment)
        if known is amp.AmpList:
            return Typed(f"[{self._record('struct', argument.subargs, place)}]")
        if known is None:
            name = dotted(type(argument))
            return self._other(
                "bytes",
                place,
                f"{name} is a class of the program's own",
                f"--type {name}=TYPE says what it is",
            )
        if known is amp.Descriptor and place.inside:
            return self._other(
                "int",
                place,
                "a struct cannot hold a descriptor, and has its ordinal",
                "let it be an argument of its own",
            )
        return Typed(SCALARS[known])

    def _marked(self, mark: str, argument: Any, place: Place) -> Typed:
        match mark:
            case "enum" | "open enum":
                return Typed(self._enum(argument.members, open_=mark != "enum"))
            case "struct" | "union":
                return Typed(self._record(mark, argument.subargs, place))
            case "structs" | "unions":
                kind = mark.removesuffix("s")
                return Typed(f"[{self._record(kind, argument.subargs, place)}]")
            case "map":
                (_, key), (_, value) = argument.subargs
                inner = replace(place, inside=True)
                key_type, value_type = (
                    self._plain(key, inner),
                    self._plain(value, inner),
                )
                return Typed(f"{{{key_type.type}: {value_type.type}}}")
            case _ if mark in _MARKED_SCALARS:
                return Typed(mark)
            case _:
                name = dotted(type(argument))
                return self._other("bytes", place, f"{name} is not known: `{mark}`")

    def _other(self, type_: str, place: Place, why: str, help_: str = "") -> Typed:
        """Not what it is; that is told."""
        told = f"{place} has become {type_}: {why}"
        self._note(f"{told}; {help_}" if help_ else told)
        return Typed(type_, comment=f"{why}.")

    # --- declarations -----------------------------------------------------------------

    def _enum(self, members: type[enum.Enum], *, open_: bool) -> str:
        if members not in self._enums:
            wanted = names.type_name(members.__name__, keep=self._keep)
            name = self._enums[members] = self._declared.claim([wanted])
            listed = tuple(
                (_without_underscore(one.name, str(one.value)), str(one.value))
                for one in members
            )
            self._draft.enums.append(Enum(name, listed, open_, _enum_doc(members)))
        return self._enums[members]

    def _record(
        self, kind: str, pairs: Sequence[tuple[bytes, Any]], place: Place
    ) -> str:
        known = self._records.get(id(pairs))
        if known is not None:
            return known[0]
        wanted, doc = self._called(pairs, place)
        command = names.cap_words(place.command.__name__)
        members = [python_cap_words(names.snake_case(k.decode())) for k, _ in pairs]
        suffixes = ("", *members) if kind == "union" else ("",)
        name = self._declared.claim([wanted, f"{command}{wanted}"], *suffixes)
        self._records[id(pairs)] = name, pairs
        record = Record(kind, name, doc)
        at = len(self._draft.records)
        self._draft.records.append(record)
        record.fields = self._fields(pairs, place.command, inside=True)
        same = self._same(record, wanted)
        if same is not None and len(self._draft.records) == at + 1:
            self._draft.records.pop()
            self._records[id(pairs)] = same, pairs
            return same
        return name

    def _same(self, record: Record, wanted: str) -> str | None:
        """Another of the name that it would have had, with the same in it."""
        for other in self._draft.records:
            alike = (other.kind, other.fields) == (record.kind, record.fields)
            if other is not record and other.name == wanted and alike:
                return other.name
        return None

    def _called(self, pairs: Any, place: Place) -> tuple[str, str | None]:
        """A name: its own, that of a variable which holds it, or after the key."""
        module = sys.modules.get(place.command.__module__)
        own = getattr(pairs, "name", None)
        if isinstance(own, str):
            home = sys.modules.get(getattr(pairs, "module", ""), module)
            made = getattr(home, own, None)
            doc = made.__doc__ if isinstance(made, type) else None
            return names.type_name(own, keep=self._keep), doc
        for variable, value in vars(module).items() if module else ():
            if value is pairs:
                word = variable.lower() if variable.isupper() else variable
                return names.cap_words(word), None
        word = names.cap_words(place.key)
        if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
            word = word[:-1]
        return word, None

    def _literal(self, value: Any) -> str:
        match value:
            case bool():
                return "true" if value else "false"
            case enum.Enum():
                return _without_underscore(value.name, str(value.value))
            case str():
                return quoted(value)
            case float() if not math.isfinite(value):
                return repr(value)  # inf, -inf, nan: the language has the same words
            case int() | float():
                return repr(value)
            case list():
                return f"[{', '.join(map(self._literal, value))}]"
            case _:
                return "{}"


def _known(argument: type) -> type | None:
    """The class of Twisted's that says what it is on the wire."""
    for one in argument.__mro__:
        if one in _KNOWN:
            return one
        if any(name in vars(one) for name in _CODECS):
            return None
    return None


def _wrong_key(key: bytes) -> str | None:
    if not key:
        return "is empty"
    if not key.isascii() or not key.decode().isprintable():
        return "is not ASCII text"
    if key.startswith(b"_"):
        return "starts with `_`, as only AMP's own keys do"
    if len(key) > 255:
        return "is longer than AMP allows"
    return None


def _without_underscore(name: str, value: str) -> str:
    """A member that Python would not have by its name: ``title_`` is ``title``."""
    return value if name == f"{value}_" else name


def _enum_doc(members: type[enum.Enum]) -> str | None:
    doc = vars(members).get("__doc__")
    return doc if isinstance(doc, str) and doc != "An enumeration." else None
