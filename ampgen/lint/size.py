"""Lists and maps of which few elements fit into a value.

What is reckoned is the largest that an element can be. Some types have no bound; they
are reckoned with the sizes below, and the message tells that it is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ampgen.diagnostics import Rule, Severity
from ampgen.diagnostics.fixes import inserting
from ampgen.lint.finding import Finding, Lint
from ampgen.model import Enum, Error, ListType, MapType, ScalarType, Service, Struct
from ampgen.model import Union as UnionType
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ampgen.model import Field, Schema, Type

CODE = "AMP0809"

MAX_VALUE = 0xFFFF  # AMP: the length of a value is two bytes
FEW = 500  # who writes a list thinks of hundreds
TEXT = 32  # of a str, bytes, a path, …: what a name or a short line takes
DEEPEST = 64  # `Limits` of the runtime: what nests deeper is never decoded
ELEMENTS = 10  # of a list or map that is inside an element
LENGTH = 2  # of a key, a value or an element: each has one before it
END = 2  # of a box

# The longest that each can be, in bytes.
BOUNDED: Mapping[Scalar, int] = MappingProxyType(
    {
        Scalar.BOOL: len("False"),
        Scalar.FLOAT: len("-1.7976931348623157e+308"),
        Scalar.DATETIME: len("2026-01-31T23:59:58.000001+01:00"),
        Scalar.DATE: len("2026-01-31"),
        Scalar.DURATION: len("-86399999913599.999999"),
        Scalar.UUID: len("01234567-89ab-cdef-0123-456789abcdef"),
    }
)
INT = len("-9223372036854775808")  # of 64 bits, though one may be longer


@dataclass(frozen=True, slots=True)
class Size:
    """In bytes. ``sure`` tells that nothing of the type is longer."""

    bytes: int
    sure: bool = True


@dataclass(slots=True)
class Reckoner:
    """The sizes of types; of structs and unions each is reckoned once."""

    _boxes: dict[int, Size] = field(default_factory=dict[int, Size])

    def element(self, type_: ListType | MapType, depth: int = 1) -> Size:
        """One element of a list with its length, or one box of a map."""
        match type_:
            case ListType(Struct() | UnionType() as item):
                return self._of(item, depth)
            case ListType(item):
                size = self._of(item, depth)
                return Size(LENGTH + size.bytes, size.sure)
            case MapType(key, value):
                key_size, value_size = self._of(key, depth), self._of(value, depth)
                return _box((("key", key_size), ("value", value_size)))

    def _of(self, type_: Type, depth: int) -> Size:
        if depth > DEEPEST:
            return Size(0, sure=False)
        match type_:
            case ScalarType(Scalar.INT):
                return Size(INT, sure=False)
            case ScalarType(scalar):
                bound = BOUNDED.get(scalar)
                return Size(TEXT, sure=False) if bound is None else Size(bound)
            case ListType() | MapType():
                return Size(ELEMENTS * self.element(type_, depth + 1).bytes, sure=False)
            case Enum():
                longest = max(len(one.value.encode()) for one in type_.members)
                return Size(longest, sure=not type_.open)
            case Struct() | UnionType():
                if id(type_) not in self._boxes:
                    # Inside itself it is left out, for it need not be there.
                    self._boxes[id(type_)] = Size(0, sure=False)
                    self._boxes[id(type_)] = self._declared(type_, depth + 1)
                return self._boxes[id(type_)]

    def _declared(self, type_: Struct | UnionType, depth: int) -> Size:
        fields = type_.fields if isinstance(type_, Struct) else type_.members
        items = [(one.key, self._of(one.type, depth)) for one in fields]
        if isinstance(type_, Struct):
            return _box(items)
        boxes = [_box((item,)) for item in items]
        return Size(max(one.bytes for one in boxes), all(one.sure for one in boxes))


def _box(items: Iterable[tuple[str, Size]]) -> Size:
    length, sure = END, True
    for key, size in items:
        length += LENGTH + len(key) + LENGTH + size.bytes
        sure &= size.sure
    return Size(length, sure)


def _long_lists(schema: Schema) -> Iterator[Finding]:
    reckoner = Reckoner()
    for one, in_command in _values(schema):
        if one.large or not isinstance(one.type, ListType | MapType):
            continue
        element = reckoner.element(one.type)
        fit = MAX_VALUE // element.bytes
        if fit >= FEW:
            continue
        about = "" if element.sure else "about "
        size = f"one takes up to {element.bytes:,} bytes"
        if not element.sure:
            size = (
                f"one is reckoned with {element.bytes:,} bytes: "
                f"`ampgen explain {CODE}` tells how"
            )
        written = one.type_span.text
        fix = None
        if in_command and not one.stream:
            help_ = f"write `large {written}`, or send it in parts"
            fix = inserting(one.type_span, "large ")
        else:
            help_ = "send it in parts, or as an argument or result that is `large`"
        message = f"{about}{fit:,} elements of `{one.name}` fit into a value"
        if not fit:
            message = f"one element of `{one.name}` may be too long for a value"
        yield Finding(
            message,
            one.type_span,
            size,
            help=help_,
            fix=fix,
        )


def _values(schema: Schema) -> Iterator[tuple[Field, bool]]:
    """Every field, and whether it is an argument or a result."""
    for module in schema.modules:
        for declaration in module.declarations:
            match declaration:
                case Struct() | Error():
                    for one in declaration.fields:
                        yield one, False
                case UnionType():
                    for one in declaration.members:
                        yield one, False
                case Service():
                    for command in declaration.commands:
                        for one in command.arguments:
                            yield one, True
                        if command.result is not None:
                            for one in command.result.fields:
                                yield one, not command.result.stream
                case _:
                    pass


LONG_LIST = Lint(
    Rule(
        CODE,
        "list or map that may be too long for a value",
        f"""\
A value has {MAX_VALUE:,} bytes at most, and a list or map is one value. A longer one is
an error when it is sent, and that is often found out late: when there are many users.

    struct Line {{ at: datetime; host: str; unit: str; text: str; }}
    service Log {{ command Read() -> (lines: [Line]); }}

Reported is what holds fewer than {FEW:,} elements. An element is reckoned as long as
its type allows, with all that is optional, and the lengths and keys that travel with
it. What has no bound is reckoned so: a str, bytes, a path, json or a decimal with
{TEXT} bytes, an int with {INT}, a list or map in it with {ELEMENTS} elements, and a
struct inside itself not at all. Then the number is only a guess, and says "about".
With texts of twice the length, half as many elements fit.

Lift the limit, or send parts:

    service Log {{ command Read() -> (lines: large [Line]); }}
    service Log {{ command Read(after: int, count: int = 100) -> (lines: [Line]); }}

`large` stands before arguments and results alone: what is a field of a struct has the
limit even inside a `large` value.
""",
        Severity.WARNING,
    ),
    _long_lists,
)
