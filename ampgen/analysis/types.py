"""Type expressions to the model's types; what may stand where inside one.

The parser bounds how deep an expression nests, so recursion is safe here; what aliases
add to that is bounded below.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.rules import shape as rule
from ampgen.analysis.scope import BUILT_IN_TYPES, TYPE
from ampgen.diagnostics.fixes import removing
from ampgen.frozen import frozen
from ampgen.language import tree
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from ampgen.analysis.findings import Findings
    from ampgen.analysis.scope import Scope
    from ampgen.source import Span

MAX_DEPTH = 64  # `Limits` of the runtime: a value that nests deeper is never decoded

_FD = model.ScalarType(Scalar.FD)

MAP_KEY_SCALARS = frozenset({Scalar.STR, Scalar.INT, Scalar.UUID})
LARGE_SCALARS = frozenset({Scalar.STR, Scalar.BYTES, Scalar.JSON})


class Slot(Enum):
    """Where a type stands, and so what may stand before and behind it."""

    STRUCT_FIELD = auto()
    UNION_MEMBER = auto()
    ERROR_FIELD = auto()
    ARGUMENT = auto()
    RESULT = auto()
    ITEM = auto()  # of `-> stream (…)`
    BARE_RESULT = auto()


_IN_COMMAND = frozenset({Slot.ARGUMENT, Slot.RESULT, Slot.ITEM, Slot.BARE_RESULT})
_MAY_STREAM = frozenset({Slot.ARGUMENT, Slot.BARE_RESULT})
_OWNER = {
    Slot.STRUCT_FIELD: "a struct",
    Slot.UNION_MEMBER: "a union",
    Slot.ERROR_FIELD: "an error",
    Slot.RESULT: "a result list",
    Slot.ITEM: "a result list",
}


@frozen
class SlotType:
    """``type`` is ``None`` where it is refused; the others are places in the text."""

    type: model.Type | None
    optional: Span | None = None
    stream: Span | None = None
    large: Span | None = None


class TypeResolver:
    """Resolves the types of one file."""

    def __init__(self, scope: Scope, findings: Findings) -> None:
        self._scope = scope
        self._findings = findings

    def alias(self, node: tree.Type) -> model.Type | None:
        return self._inner(node, "an alias", 0)

    def slot(self, node: tree.Type, slot: Slot) -> SlotType:
        """The type of a field, an argument or a result, with its `?` and modifiers."""
        optional: Span | None = None
        modifiers: list[tree.Name] = []
        core = node
        while isinstance(core, tree.OptionalType | tree.ModifiedType):
            if isinstance(core, tree.ModifiedType):
                modifiers.append(core.keyword)
            elif optional is None:
                optional = _question_mark(core)
            else:
                self._optional_twice(core)
            core = core.item
        by_word = self._modifiers(modifiers, slot)
        stream, large = by_word.get("stream"), by_word.get("large")
        if stream is not None and optional is not None:
            self._findings.add(
                rule.OPTIONAL_PLACE,
                "an item of a stream cannot be optional",
                optional,
                "each item is there",
                help="leave the `?` out: a stream may have no items at all",
                fix=removing(optional),
            )
        resolved = self._inner(core, None, 0)
        if resolved is not None and large is not None and len(modifiers) == 1:
            self._check_large(core, resolved, large)
        if resolved == _FD:
            streams = stream is not None or slot is Slot.ITEM
            if streams or slot not in _IN_COMMAND:
                self._refuse_fd(core, "a stream" if streams else _OWNER[slot])
                resolved = None
        return SlotType(resolved, optional, stream, large)

    def _check_large(self, node: tree.Type, resolved: model.Type, large: Span) -> None:
        if not _may_be_large(resolved):
            self._findings.add(
                rule.LARGE_TYPE,
                f"`{node.span.text}` cannot be `large`",
                large,
                "only a str, bytes, json, list, map, struct or union can",
                help="leave `large` out",
                fix=removing(large),
            )

    def _modifiers(self, words: list[tree.Name], slot: Slot) -> dict[str, Span]:
        allowed: dict[str, Span] = {}
        for word in words:
            if slot not in _IN_COMMAND:
                self._refuse_modifier(word, _OWNER[slot])
            elif word.text == "stream" and slot not in _MAY_STREAM:
                self._findings.add(
                    rule.MODIFIER_PLACE,
                    "a result in parentheses cannot be a stream",
                    word.span,
                    help="write `-> stream (…)`: then each item has these fields",
                )
            elif allowed:
                self._findings.add(
                    rule.MODIFIER_PLACE,
                    f"`{word.text}` behind `{next(iter(allowed))}`",
                    word.span,
                    "a type takes one of the two",
                    help=f"leave `{word.text}` out",
                    fix=removing(word.span),
                )
            else:
                allowed[word.text] = word.span
        return allowed

    def _inner(
        self, node: tree.Type, inside: str | None, depth: int
    ) -> model.Type | None:
        """A type that stands inside another, or alone where ``inside`` is ``None``."""
        match node:
            case tree.NamedType():
                resolved = self._named(node, depth)
                if inside in _HOLDERS and resolved == _FD:
                    self._refuse_fd(node, inside)
                    return None
                return resolved
            case tree.ListType():
                item = self._inner(node.item, "a list", depth + 1)
                return None if item is None else model.ListType(item)
            case tree.MapType():
                key = self._map_key(node.key, depth)
                value = self._inner(node.value, "a map", depth + 1)
                if key is None or value is None:
                    return None
                return model.MapType(key, value)
            case tree.OptionalType():
                self._findings.add(
                    rule.OPTIONAL_PLACE,
                    f"an optional inside {inside}"
                    if inside != "an alias"
                    else "an alias cannot be optional",
                    _question_mark(node),
                    "only a field, an argument or a result can be optional",
                    help=f"leave the `?` out, and write it {_OPTIONAL_INSTEAD[inside]}"
                    if inside in _OPTIONAL_INSTEAD
                    else None,
                    fix=removing(_question_mark(node)),
                )
                self._inner(node.item, inside, depth)
                return None
            case tree.ModifiedType():
                self._refuse_modifier(node.keyword, inside or "a type")
                self._inner(node.item, inside, depth)
                return None

    def _named(self, node: tree.NamedType, depth: int) -> model.Type | None:
        if node.name.text in BUILT_IN_TYPES:
            return model.ScalarType(Scalar(node.name.text))
        found = self._scope.find(node.name, TYPE, self._findings)
        match found:
            case model.Alias():
                found.used = True
                if found.type is None or depth + nesting(found.type) <= MAX_DEPTH:
                    return found.type
                self._findings.add(
                    rule.TOO_DEEP,
                    f"`{node.name.text}` makes this type nest more than "
                    f"{MAX_DEPTH} deep",
                    node.span,
                    "the wire allows no more lists and maps within one another",
                    help="put some of the levels into a struct",
                )
                return None
            case model.Enum() | model.Struct() | model.Union():
                return found
            case _:
                return None

    def _map_key(self, node: tree.Type, depth: int) -> model.Type | None:
        if isinstance(node, tree.OptionalType | tree.ModifiedType):
            return self._inner(node, "a map", depth + 1)
        resolved = self._inner(node, None, depth + 1)
        if resolved is None or isinstance(resolved, model.Enum):
            return resolved
        if (
            isinstance(resolved, model.ScalarType)
            and resolved.scalar in MAP_KEY_SCALARS
        ):
            return resolved
        self._findings.add(
            rule.MAP_KEY,
            f"`{node.span.text}` cannot be the key of a map",
            node.span,
            "a key is `str`, `int`, `uuid` or an enum",
            help="use one of these, or a list of structs",
        )
        return None

    def _refuse_fd(self, node: tree.Type, inside: str | None) -> None:
        self._findings.add(
            rule.FD_PLACE,
            f"`fd` inside {inside}",
            node.span,
            "only a plain argument or result can be a file descriptor",
        )

    def _refuse_modifier(self, word: tree.Name, inside: str) -> None:
        place = (
            "an argument or behind the arrow"
            if word.text == "stream"
            else "an argument or a result"
        )
        self._findings.add(
            rule.MODIFIER_PLACE,
            f"`{word.text}` inside {inside}",
            word.span,
            f"it stands only directly before the type of {place}",
            help=f"leave `{word.text}` out",
            fix=removing(word.span),
        )

    def _optional_twice(self, node: tree.OptionalType) -> None:
        self._findings.add(
            rule.OPTIONAL_PLACE,
            "optional twice",
            _question_mark(node),
            help="one `?` is enough",
            fix=removing(_question_mark(node), safe=True),
        )


_HOLDERS = frozenset({"a list", "a map"})

_OPTIONAL_INSTEAD: dict[str | None, str] = {
    "a list": "behind the list, if all of it may be absent",
    "a map": "behind the map, if all of it may be absent",
    "an alias": "where the alias is used",
}


def nesting(type_: model.Type) -> int:
    """How many lists and maps stand within one another; at most :data:`MAX_DEPTH`."""
    match type_:
        case model.ListType(item):
            return 1 + nesting(item)
        case model.MapType(_, value):
            return 1 + nesting(value)
        case _:
            return 0


def _may_be_large(type_: model.Type) -> bool:
    match type_:
        case model.ScalarType(scalar):
            return scalar in LARGE_SCALARS
        case model.Enum():
            return False
        case _:
            return True


def _question_mark(node: tree.OptionalType) -> Span:
    span = node.span
    return type(span)(span.source, span.end - 1, span.end)
