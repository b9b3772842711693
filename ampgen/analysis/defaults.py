"""A default is a literal of its type, and can be encoded.

The parser has seen to it that strings are text and ints are not too long.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from ampgen import model
from ampgen.analysis.rules import names as name_rule
from ampgen.analysis.rules import shape as rule
from ampgen.analysis.rules import wire as wire_rule
from ampgen.diagnostics.fixes import writing
from ampgen.frozen import frozen
from ampgen.language import tree
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ampgen.analysis.findings import Findings
    from ampgen.diagnostics.fixes import Fix
    from ampgen.source import Span

# Whether a syntax error may have lost a member of an enum, that is used at a place.
MayHold: TypeAlias = "Callable[[model.Enum, str, Span], bool]"

MAX_VALUE_LENGTH = 0xFFFF  # AMP gives the length of a value in two bytes

_MAX_SHOWN = 40  # characters of a literal in a message

# What a literal of each type looks like; a scalar that is not here has none.
_LITERALS = {
    Scalar.BOOL: "`true` or `false`",
    Scalar.INT: "a whole number",
    Scalar.FLOAT: "a number",
    Scalar.STR: "a string",
}

_NUMBERS = {
    _LITERALS[Scalar.INT]: r"-?(?:0|[1-9][0-9]*)",
    _LITERALS[Scalar.FLOAT]: r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?",
}
_FLOAT_WORDS = {"inf": "inf", "infinity": "inf", "nan": "nan"}


@frozen
class Checked:
    """A default, and how many bytes it takes on the wire."""

    default: model.Default
    size: int


def read_default(
    literal: tree.Literal,
    type_: model.Type,
    *,
    large: bool,
    may_hold: MayHold,
    findings: Findings,
) -> model.Default | None:
    """The value of ``literal``, or ``None`` once it is refused.

    ``large`` lifts the limit on its length. ``may_hold`` tells that a member may
    have been lost by a syntax error in the enum.
    """
    reader = _Reader(may_hold, findings)
    checked = reader.read(literal, type_)
    if checked is None:
        return None
    if not large and reader.refuse_length(checked.size, literal.span):
        return None
    return checked.default


class _Reader:
    def __init__(self, may_hold: MayHold, findings: Findings) -> None:
        self._may_hold = may_hold
        self._findings = findings

    def read(self, literal: tree.Literal, type_: model.Type) -> Checked | None:
        match type_:
            case model.ScalarType(scalar):
                return self._scalar(literal, scalar)
            case model.Enum():
                return self._member(literal, type_)
            case model.ListType(item):
                return self._list(literal, item)
            case model.MapType():
                if isinstance(literal, tree.MapLiteral):
                    return Checked(model.EmptyMap(), 0)
                self._refuse(literal, "a map", "`{}`")
            case model.Struct():
                self._refuse_type(literal, f"struct `{type_.name}`")
            case model.Union():
                self._refuse_type(literal, f"union `{type_.name}`")
        return None

    def refuse_length(self, size: int, span: Span) -> bool:
        if size <= MAX_VALUE_LENGTH:
            return False
        self._findings.add(
            wire_rule.NOT_ENCODABLE,
            f"the default takes {size:,} bytes on the wire",
            span,
            f"a value has {MAX_VALUE_LENGTH:,} at most",
            help="shorten it, or leave the default to the program",
        )
        return True

    def _scalar(self, literal: tree.Literal, scalar: Scalar) -> Checked | None:
        if scalar not in _LITERALS:
            self._refuse_type(literal, f"`{scalar.value}`")
            return None
        match scalar, literal:
            case Scalar.BOOL, tree.BoolLiteral(value):
                return Checked(model.Value(value), len(str(value)))
            case Scalar.INT, tree.IntLiteral(value):
                return Checked(model.Value(value), len(str(value)))
            case Scalar.FLOAT, tree.IntLiteral(value):
                return self._whole_float(literal, value)
            case Scalar.FLOAT, tree.FloatLiteral(value):
                return Checked(model.Value(value), len(repr(value)))
            case Scalar.STR, tree.StringLiteral(value):
                return Checked(model.Value(value), len(value.encode()))
            case _:
                self._refuse(literal, f"`{scalar.value}`", _LITERALS[scalar])
                return None

    def _whole_float(self, literal: tree.Literal, value: int) -> Checked | None:
        try:
            number = float(value)
        except OverflowError:
            self._findings.add(
                wire_rule.NOT_ENCODABLE,
                "the default is beyond what a float can hold",
                literal.span,
                "the largest is about 1.8e308",
                help="write `inf` if infinity is meant",
            )
            return None
        return Checked(model.Value(number), len(repr(number)))

    def _member(self, literal: tree.Literal, enum: model.Enum) -> Checked | None:
        if not isinstance(literal, tree.NameLiteral):
            by_value = {member.value: member.name for member in enum.members}
            meant = (
                by_value.get(literal.value)
                if isinstance(literal, tree.StringLiteral)
                else None
            )
            fix = writing(literal.span, meant, safe=True) if meant else None
            of, wanted = f"enum `{enum.name}`", "the bare name of a member"
            self._refuse(literal, of, wanted, fix)
            return None
        name = literal.name.text
        by_name = {member.name: member for member in enum.members}
        member = by_name.get(name)
        if member is not None:
            size = len(member.value.encode())
            return Checked(model.MemberValue(member), size)
        last = literal.name.parts[-1].text
        if not enum.members or self._may_hold(enum, last, literal.span):
            return None  # an enum without members is refused, or was not read
        nearest = last if last in by_name else self._findings.nearest(last, by_name)
        known = ", ".join(f"`{name}`" for name in list(by_name)[:8])
        self._findings.add(
            name_rule.UNKNOWN_MEMBER,
            f"enum `{enum.name}` has no member `{name}`",
            literal.span,
            "a default is the bare name of a member"
            if len(literal.name.parts) > 1
            else f"not a member of `{enum.name}`",
            related=[(enum.span, "the enum is declared here")],
            help=f"did you mean `{nearest}`?"
            if nearest
            else f"its members are {known}{', …' if len(by_name) > 8 else ''}"
            if known
            else None,
            fix=writing(literal.span, nearest, safe=nearest == last)
            if nearest
            else None,
        )
        return None

    def _list(self, literal: tree.Literal, item: model.Type) -> Checked | None:
        if not isinstance(literal, tree.ListLiteral):
            shown = literal.span.text
            is_long = len(shown) > _MAX_SHOWN or isinstance(literal, tree.MapLiteral)
            fix = None if is_long else writing(literal.span, f"[{shown}]")
            wanted = "`[]` or a list of literals"
            self._refuse(literal, "a list", wanted, fix, "if it is the one item, ")
            return None
        values: list[model.Default] = []
        size = 0
        whole = True
        for element in literal.items:
            checked = self.read(element, item)
            if checked is None or self.refuse_length(checked.size, element.span):
                whole = False
            else:
                values.append(checked.default)
                size += 2 + checked.size  # ListOf: two bytes of length, and the value
        return Checked(model.ListValue(tuple(values)), size) if whole else None

    def _refuse(
        self,
        literal: tree.Literal,
        of: str,
        wanted: str,
        fix: Fix | None = None,
        condition: str = "",
    ) -> None:
        if fix is None:
            mended = _mended(literal, wanted)
            fix = None if mended is None else writing(literal.span, mended, safe=True)
        self._findings.add(
            rule.WRONG_DEFAULT,
            f"{_described(literal)} is no default of {of}",
            literal.span,
            f"expected {wanted}",
            help=None if fix is None else f"{condition}{fix.title}",
            fix=fix,
        )

    def _refuse_type(self, literal: tree.Literal, of: str) -> None:
        self._findings.add(
            rule.NO_DEFAULT,
            f"{of} has no defaults",
            literal.span,
            "there are no literals of this type",
            help="make it optional with `?`, and let the program choose",
        )


def _described(literal: tree.Literal) -> str:
    match literal:
        case tree.StringLiteral():
            return "a string"
        case tree.ListLiteral():
            return "a list"
        case _:
            shown = literal.span.text
            cut = len(shown) > _MAX_SHOWN
            return f"`{shown[:_MAX_SHOWN]}…`" if cut else f"`{shown}`"


def _mended(literal: tree.Literal, wanted: str) -> str | None:
    """The same literal as one of the wanted type, where that is sure."""
    match literal:
        case tree.NameLiteral() if wanted == _LITERALS[Scalar.STR]:
            return f'"{literal.name.text}"'
        case tree.NameLiteral() if wanted == _LITERALS[Scalar.BOOL]:
            lowered = literal.name.text.lower()
            return lowered if lowered in {"true", "false"} else None
        case tree.NameLiteral() if wanted == _LITERALS[Scalar.FLOAT]:
            return _FLOAT_WORDS.get(literal.name.text.lower())
        case tree.FloatLiteral(value) if wanted == _LITERALS[Scalar.INT]:
            if not value.is_integer():
                return None
            # Not the float: it is only the nearest to what is written.
            exact = Decimal(literal.span.text)
            return str(int(exact)) if exact == exact.to_integral_value() else None
        case tree.StringLiteral(value) if wanted in _NUMBERS:
            bare = value.strip()
            is_number = re.fullmatch(_NUMBERS[wanted], bare)
            return bare if is_number else None
        case _:
            return None
