"""How a value of a type is written and read: the expressions of the generated codecs.

Three shapes of function take part (see ``ampgen.runtime.stubs``):

flat   ``encode(value)`` and ``decode(raw)``: scalars and enums
deep   ``encode(value, depth)`` and ``decode(raw, depth)``: json, lists, maps
boxed  ``encode(value, depth)`` and ``read(data, at, depth)``: structs and unions
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ampgen.frozen import frozen
from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.values import SCALARS, Scalar
from ampgen.targets.python import types
from ampgen.targets.python.layout import Part, call

if TYPE_CHECKING:
    from ampgen.model import Type
    from ampgen.targets.python.scope import Scope

Shape: TypeAlias = Literal["flat", "deep", "boxed"]

# The runtime's functions for a list, and a map, of items of a shape.
_OF_LIST: dict[Shape, str] = {"flat": "list", "deep": "deep_list", "boxed": "boxes"}
_OF_MAP: dict[Shape, str] = {"flat": "map", "deep": "deep_map", "boxed": "deep_map"}


@frozen
class Nested:
    """A list or map inside another, or a struct as a map's value: it needs functions of
    its own, for another function to be given. ``what`` says in words what they write.
    """

    what: str
    given: Part
    taken: Part
    encode: str
    decode: str
    encoded: Part
    decoded: Part


@dataclass(slots=True)
class Codecs:
    """The expressions for one module; ``nested`` are the functions that they need."""

    scope: Scope
    nested: list[Nested] = field(default_factory=list[Nested])
    _functions: dict[str, Nested] = field(default_factory=dict[str, Nested])

    def encode(self, type_: Type, value: str, depth: str) -> Part:
        """The expression that turns ``value`` into bytes."""
        match type_:
            case ListType(ScalarType(Scalar.STR)):
                return call("_encode_strs", value, depth)
            case ListType(item):
                combinator = f"_encode_{_OF_LIST[shape(item)]}"
                return call(combinator, value, self._encoder(item), depth)
            case MapType(key, item):
                combinator = f"_encode_{_OF_MAP[shape(item)]}"
                return call(
                    combinator, value, self._encoder(key), self._encoder(item), depth
                )
            case _ if shape(type_) == "flat":
                return call(self._encoder(type_), value)
            case _:
                return call(self._encoder(type_), value, depth)

    def encode_inline(self, type_: Type, name: str) -> str | None:
        """The same for the value of a local ``name``, without a call where it has just
        that type: ``None`` for types that need one.
        """
        b = self.scope.builtin
        match type_:
            case ScalarType(Scalar.STR):
                kind, written = b("str"), f"{name}.encode()"
            case ScalarType(Scalar.INT):
                kind, written = b("int"), f'b"%d" % {name}'
            case ScalarType(Scalar.FLOAT):
                kind, written = b("float"), f"{b('repr')}({name}).encode()"
            case _:
                return None
        test = f"{b('type')}({name}) is {kind}"
        return f"{written} if {test} else {self._encoder(type_)}({name})"

    def decode(self, type_: Type, raw: str, depth: str) -> Part:
        """The expression that turns the bytes ``raw`` into a value."""
        match type_:
            case ScalarType(Scalar.STR):  # a call less; `as_fault` knows what it raises
                return f"{raw}.decode()"
            case ListType(ScalarType(Scalar.STR)):
                return call("_decode_strs", raw, depth)
            case ListType(item):
                each = self._reader if shape(item) == "boxed" else self._decoder
                return call(f"_decode_{_OF_LIST[shape(item)]}", raw, each(item), depth)
            case MapType(key, item):
                combinator = f"_decode_{_OF_MAP[shape(item)]}"
                return call(
                    combinator, raw, self._decoder(key), self._decoder(item), depth
                )
            case Struct() | Union():
                return call("_decode_one", raw, self._reader(type_), depth)
            case _ if shape(type_) == "flat":
                return call(self._decoder(type_), raw)
            case _:
                return call(self._decoder(type_), raw, depth)

    def decode_inline(self, type_: Type, raw: str) -> str | None:
        """The same without a call for the usual values; ``None`` for most types."""
        if type_ != ScalarType(Scalar.INT):
            return None
        read = f"{self.scope.builtin('int')}({raw})"
        return f"{read} if {raw}.isdigit() else {self._decoder(type_)}({raw})"

    def _encoder(self, type_: Type) -> str:
        """The function that encodes a type."""
        match type_:
            case ScalarType(scalar):
                return f"_{SCALARS[scalar].encode.__name__}"
            case Enum() | Struct() | Union():
                return self.scope.reference("encode", type_)
            case ListType() | MapType():
                return self._function(type_).encode

    def _decoder(self, type_: Type) -> str:
        """The function that decodes a type, from the whole of some bytes."""
        match type_:
            case ScalarType(scalar):
                return f"_{SCALARS[scalar].decode.__name__}"
            case Enum():
                return self.scope.reference("decode", type_)
            case Struct() | Union() | ListType() | MapType():
                return self._function(type_).decode

    def _reader(self, type_: Type) -> str:
        """The function that reads a struct or union out of the midst of some bytes."""
        if not isinstance(type_, Struct | Union):
            raise TypeError(f"{spoken(type_)} is no box of its own")
        return self.scope.reference("read", type_)

    def _function(self, type_: Type) -> Nested:
        scope = self.scope
        what = spoken(type_)
        # Two types with one spelling in a module are one type: names are unique there.
        key = f"{types.given(scope, type_)} {types.taken(scope, type_)}{what}"
        if key not in self._functions:
            word = what.replace(" ", "_").replace(".", "_")
            boxed = isinstance(type_, Struct | Union)
            encode = self._encoder(type_) if boxed else scope.define(f"_encode_{word}")
            decode = scope.define(f"_decode_{word}")
            self._functions[key] = nested = Nested(
                what,
                types.given(scope, type_),
                types.taken(scope, type_),
                "" if boxed else encode,
                decode,
                "" if boxed else self.encode(type_, "value", "depth"),
                self.decode(type_, "raw", "depth"),
            )
            self.nested.append(nested)
        return self._functions[key]


def shape(type_: Type) -> Shape:
    match type_:
        case ScalarType(scalar):
            return "deep" if SCALARS[scalar].deep else "flat"
        case ListType() | MapType():
            return "deep"
        case Enum():
            return "flat"
        case Struct() | Union():
            return "boxed"


def spoken(type_: Type) -> str:
    """The type in words that make a name as well: ``list of str``."""
    match type_:
        case ScalarType(scalar):
            return scalar.value
        case ListType(item):
            return f"list of {spoken(item)}"
        case MapType(key, value):
            return f"map of {spoken(key)} to {spoken(value)}"
        case Enum() | Struct() | Union():
            return type_.name
