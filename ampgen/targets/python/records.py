"""Plans of records: how one box of known keys is written and read.

A struct, a request, an answer and an error are all such records. Keys are written in
their bytewise order, as Twisted does; the reader looks for them in the same order
first. Locals are numbered, never named by the schema: ``v2`` is the value, ``n2`` its
length, ``r2`` the raw bytes of the second key.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ampgen.frozen import frozen
from ampgen.model import (
    EmptyMap,
    Enum,
    ListType,
    ListValue,
    MemberValue,
    ScalarType,
    Value,
)
from ampgen.runtime.values import Scalar
from ampgen.targets.python import names, types
from ampgen.targets.python.layout import (
    INDENT,
    WIDTH,
    Either,
    Group,
    Part,
    Run,
    a_tuple,
    byte_string,
    call,
    fits,
    number,
    statement,
    string,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ampgen.model import Default, Field, Type
    from ampgen.targets.python.codecs import Codecs
    from ampgen.targets.python.scope import Scope


_SHORT = frozenset(
    {
        *(Scalar.BOOL, Scalar.INT, Scalar.FLOAT, Scalar.DECIMAL, Scalar.UUID),
        *(Scalar.DATE, Scalar.DATETIME, Scalar.DURATION),
    }
)
"""Scalars that are shorter than 256 bytes, but for a number that nobody can read."""


@frozen
class WrittenKey:
    """One key as it is written. ``number`` is its place in the box, from 1.

    ``begin`` has errors name it. ``test`` is of an optional one: whether it is absent,
    or, before ``put``, present; ``header`` sets its bytes where they may be none.
    ``put`` puts the value into a box, where it is no run of bytes yet.
    """

    number: int
    begin: str
    fetch: str | None
    test: str | None
    header: str | None
    encode: str
    put: str | None


@frozen
class Header:
    """What stands before a value: the key with its length and, if the value is
    ``short``, the first byte of the value's length, which is 0. ``test``: the statement
    that looks for it.
    """

    test: str
    short: bool


@frozen
class ReadKey:
    """One key as it is read. ``header_size``: of its length, itself, its value's
    length. ``headers``: which to look for. ``lookup`` finds its raw value in a ``box``.
    ``begin`` has errors name it.
    """

    number: int
    begin: str
    headers: tuple[Header, ...]
    header_size: int
    lookup: str
    decode: str


@frozen
class Writer:
    """``join`` is the statement that puts the box together, ``unpack`` the first.
    ``large``: some of the values may be.
    """

    keys: tuple[WrittenKey, ...]
    join: str
    unpack: str | None = None
    large: bool = False


@frozen
class Reader:
    """``clear``: the statements that take all keys for absent; ``build``: the last
    ones.
    """

    keys: tuple[ReadKey, ...]
    clear: tuple[str, ...]
    build: tuple[str, ...]


def in_order(fields: Sequence[Field]) -> list[Field]:
    """As they are written: sorted by key, bytewise."""
    return sorted(fields, key=lambda field: field.key.encode())


def key_literal(key: str, *, short: bool) -> str:
    """The bytes of a key with its length, and the first of a short value's length."""
    data = len(key).to_bytes(2, "big") + key.encode("ascii")
    if not short:
        return byte_string(data, escaped={0, 1})
    return byte_string(data + b"\0", escaped={0, 1, len(data)})


# Keys come again: for the writer, the reader, other records.
@lru_cache(maxsize=4096)
def raw_literal(key: str) -> str:
    """The bytes of a key alone."""
    return byte_string(key.encode())


@lru_cache(maxsize=4096)
def pair_literal(key: str, value: str | None = None) -> str:
    """The bytes of a key, or of a whole pair, each with its length before it.

    The length is always two escapes: as text it would run into what follows.
    """
    texts = [key] if value is None else [key, value]
    data = b"".join(
        len(text).to_bytes(2, "big") + text.encode("ascii") for text in texts
    )
    lengths = {0, 1}
    if value is not None:
        lengths |= {len(key) + 2, len(key) + 3}
    return byte_string(data, escaped=lengths)


class Records:
    """Plans the records of one module."""

    def __init__(self, scope: Scope, codecs: Codecs) -> None:
        self._scope = scope
        self._codecs = codecs

    def writer(
        self,
        fields: Sequence[Field],
        source: Callable[[Field], str],
        depth: str,
        *,
        leading: Sequence[tuple[str, str]] = (),
        unpack: str | None = None,
        into: str | None = None,
    ) -> Writer:
        """``source`` is where a field's value stands; ``leading`` are pairs that are
        ready made, each with the key that tells its place; ``into`` is a dictionary
        that shall have the values, instead of bytes.
        """
        large = any(field.large for field in fields)
        keys: list[WrittenKey] = []
        pieces: list[tuple[bytes, list[str]]] = [
            (key.encode(), [piece]) for key, piece in leading
        ]
        for at, field in enumerate(in_order(fields), 1):
            value = source(field)
            local = value if value[1:].isdecimal() else f"f{at}"  # an argument is one
            inline = self._codecs.encode_inline(field.type, local)
            indent = 3 if field.optional else 2
            fetch = None
            if inline is None:
                encoded = self._codecs.encode(field.type, value, depth)
                encode = statement(f"v{at} = ", encoded, indent=indent)
            else:
                encode = f"{INDENT * indent}v{at} = {inline}"  # that fits on a line
                if local != value:
                    fetch = _fetch(local, value)
                    value = local
            first, raw_key = pair_literal(field.key), raw_literal(field.key)
            put = test = header = None
            if into is not None:
                put = statement(f"{into}[{raw_key}] = v{at}", indent=indent)
            elif large:
                method = "box.put_large" if field.large else "box.put"
                put = statement(call(method, raw_key, f"v{at}"), indent=indent)
            if field.optional:
                which = "is None" if put is None else "is not None"
                test = statement(f"if {value} {which}:", indent=2)
                header = statement(f"k{at} = {first}", indent=3)
                first = f"k{at}"
            begin = _begin(field.key, first=at == 1)
            keys.append(WrittenKey(at, begin, fetch, test, header, encode, put))
            pieces.append((field.key.encode(), [first, f"n{at}", f"v{at}"]))
        pieces.sort(key=lambda piece: piece[0])
        items: tuple[Part, ...] = tuple(part for _, parts in pieces for part in parts)
        join = statement(
            'return b"".join',
            Group("(", (a_tuple((*items, 'b"\\x00\\x00"')),), ")"),
            indent=1,
        )
        if large:
            join = f"    return box.write({leading[0][1]})"
        return Writer(tuple(keys), join, unpack, large)

    def reader(
        self,
        fields: Sequence[Field],
        depth: str,
        build: Callable[[dict[Field, str]], Part],
        *,
        ending: str = ", end",
    ) -> Reader:
        """``build`` makes the record of its values' names; ``ending`` is returned with
        it, but where all that is read is a ``box``.
        """
        keys: list[ReadKey] = []
        ordered = in_order(fields)
        declared = {field.key for field in fields}
        for at, field in enumerate(ordered, 1):
            raw_key = raw_literal(field.key)
            found = call("_get_whole", "box", raw_key)
            if field.large:
                found = call("_get_large", "box", raw_key, *_like_pieces(field, fields))
            elif f"{field.key}.2" in declared:  # no piece of this one
                found = call("box.get", raw_key)
            keys.append(
                ReadKey(
                    number=at,
                    begin=_begin(field.key, first=at == 1),
                    headers=tuple(
                        _header("elif" if more else "if", field.key, short=short)
                        for more, short in enumerate(_lengths(field))
                    ),
                    header_size=len(field.key) + 4,
                    lookup=statement(f"r{at} = ", found, indent=2 if ending else 1),
                    decode=self.decode(field, f"v{at}", f"r{at}", depth),
                )
            )
        raws = [f"r{at} = " for at in range(1, len(keys) + 1)]
        clear = tuple(f"    {''.join(row)}None" for row in _rows(raws, WIDTH - 8))
        values = {field: f"v{at}" for at, field in enumerate(ordered, 1)}
        return Reader(tuple(keys), clear, _return(build(values), ending))

    def decode(
        self, field: Field, target: str, raw: str, depth: str, indent: int = 2
    ) -> str:
        """The statements that decode a key of which ``raw`` is ``None`` if it is
        absent.
        """
        margin = "    " * indent
        decoded: Part | None = self._codecs.decode_inline(field.type, raw)
        if decoded is None:
            decoded = self._codecs.decode(field.type, raw, depth)
        if field.required:
            return (
                f"{margin}if {raw} is None:\n{margin}    raise _missing()\n"
                + statement(f"{target} = ", decoded, indent=indent)
            )
        absent: Part = "None"
        if field.default is not None:
            absent = default(self._scope, field.default, field, mutable=True)
        typed: Part = target
        if mutable(field) and _holds_open_enum(field.type):
            # Of [Region.EU] alone a type checker makes a list of Region, not of str.
            typed = Run(f"{target}: ", types.given_field(self._scope, field))
        line = (typed, " = ", absent, f" if {raw} is None else ", decoded)
        if fits(*line, indent=indent):
            return statement(*line, indent=indent)
        branches = [
            (f"{margin}if {raw} is None:", absent),
            (f"{margin}if {raw} is not None:", decoded),
        ]
        # A type checker takes the type from the first; None says nothing yet, [] too
        # little.
        first, second = branches if absent == "None" else branches[::-1]
        return "\n".join(
            (
                first[0],
                statement(typed, " = ", first[1], indent=indent + 1),
                f"{margin}else:",
                statement(f"{target} = ", second[1], indent=indent + 1),
            )
        )


@lru_cache(maxsize=4096)
def _begin(key: str, *, first: bool) -> str:
    """``first``: before the ``try``."""
    return statement("key = ", string(key), indent=1 if first else 2)


def _fetch(local: str, value: str) -> str:
    line = f"{INDENT * 2}{local} = {value}"
    if len(line) <= WIDTH:
        return line
    # in parentheses it has a line of its own, if it fits on one
    taken: Part = Either((value,)) if fits(value, indent=3) else value
    return statement(f"{local} = ", taken, indent=2)


def _like_pieces(field: Field, fields: Sequence[Field]) -> Iterator[str]:
    """Keys that are no pieces of a large one, and look so: `page.1`, `page.02`."""
    for other in in_order(fields):
        name, _dot, number = other.key.rpartition(".")
        if name == field.key and number.isdecimal():
            yield raw_literal(other.key)


def _rows(texts: list[str], width: int) -> Iterator[list[str]]:
    """As many in a row as fit."""
    row: list[str] = []
    for text in texts:
        if row and sum(map(len, row)) + len(text) > width:
            yield row
            row = []
        row.append(text)
    if row:
        yield row


def _return(record: Part, ending: str) -> tuple[str, ...]:
    line = ("return ", record, ending)
    if fits(*line, indent=1) or not ending:
        return (statement(*line, indent=1),)
    return (statement("record = ", record, indent=1), f"    return record{ending}")


def mutable(field: Field) -> bool:
    """Has it a default that each holder needs a fresh one of?"""
    return isinstance(field.default, ListValue | EmptyMap)


@lru_cache(maxsize=4096)
def _header(word: str, key: str, *, short: bool) -> Header:
    found = call("data.startswith", key_literal(key, short=short), "end")
    return Header(statement(f"{word} ", found, ":", indent=2), short)


def _lengths(field: Field) -> tuple[bool, ...]:
    """Whether to expect a short value, of less than 256 bytes, a long one, or both.

    The length of a short one is read in half the time. What is expected neither way is
    left to the runtime, and read all the same.
    """
    match field.type:
        case _ if field.large:
            return (False,)
        case ScalarType(scalar) if scalar in _SHORT:
            return (True,)
        case Enum(open=False):
            return (True,)
        case Enum() | ListType(ScalarType() | Enum()):
            return True, False
        case ScalarType(Scalar.STR | Scalar.BYTES | Scalar.PATH):
            return True, False
        case _:
            return (False,)


def _holds_open_enum(type_: Type) -> bool:
    while isinstance(type_, ListType):
        type_ = type_.item
    return isinstance(type_, Enum) and type_.open


def default(scope: Scope, value: Default, field: Field, *, mutable: bool) -> Part:
    """A default as an expression; ``mutable``: a list is one, made at each use."""
    return _default(scope, value, field.type, mutable=mutable)


def _default(scope: Scope, value: Default, type_: Type, *, mutable: bool) -> Part:
    match value:
        case Value(plain):
            return _literal(plain)
        case MemberValue(member):
            if not isinstance(type_, Enum):
                raise TypeError("analysis gives members to enums alone")
            name = scope.class_name(names.type_name(type_), type_.module)
            return f"{name}.{names.member_name(member.name)}"
        case ListValue(items):
            if not isinstance(type_, ListType):
                raise TypeError("analysis gives lists to lists alone")
            parts = tuple(
                _default(scope, item, type_.item, mutable=mutable) for item in items
            )
            return Group("[", parts, "]") if mutable else a_tuple(parts)
        case EmptyMap():
            return "{}"


def _literal(value: bool | int | float | str) -> str:
    match value:
        case str():
            return string(value)
        case float():
            if value != value:
                return "_nan"
            if value in (float("inf"), float("-inf")):
                return "_inf" if value > 0 else "-_inf"
            return number(value)
        case _:
            return repr(value)
