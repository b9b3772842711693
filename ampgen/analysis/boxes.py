"""Fields that travel in one box: of a struct, a union, an error, arguments, results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.annotations import Annotated, Place, read_annotations
from ampgen.analysis.defaults import read_default
from ampgen.analysis.draft import Box, Key
from ampgen.analysis.names import check_names, refuse_underscore
from ampgen.analysis.rules import shape as rule
from ampgen.analysis.types import Slot
from ampgen.diagnostics.fixes import removing, writing
from ampgen.language import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.analysis.defaults import MayHold
    from ampgen.analysis.findings import Findings
    from ampgen.analysis.types import SlotType, TypeResolver
    from ampgen.diagnostics.fixes import Fix
    from ampgen.source import Span

_NOUN = {
    Slot.STRUCT_FIELD: "field",
    Slot.UNION_MEMBER: "member",
    Slot.ERROR_FIELD: "field",
    Slot.ARGUMENT: "argument",
    Slot.RESULT: "result",
    Slot.ITEM: "result",
}

_PLACE = {
    Slot.STRUCT_FIELD: Place.FIELD,
    Slot.UNION_MEMBER: Place.UNION_MEMBER,
    Slot.ERROR_FIELD: Place.FIELD,
    Slot.ARGUMENT: Place.ARGUMENT,
    Slot.RESULT: Place.RESULT,
    Slot.ITEM: Place.RESULT,
}

# How a key is changed: `@wire` stands on everything but a union's member, whose name is
# its key, and a bare result.
_PIN = 'choose another name, or pin another key with `@wire("…")`'
_RENAME = "choose another name"
_REPLACE = "write another key before the colon"


class BoxReader:
    """Reads the boxes of one file; what the checks need of them goes into ``boxes``."""

    def __init__(
        self,
        types: TypeResolver,
        may_hold: MayHold,
        boxes: list[Box],
        findings: Findings,
    ) -> None:
        self._types = types
        self._may_hold = may_hold
        self._boxes = boxes
        self._findings = findings

    def read(
        self, members: Sequence[tree.Field | tree.Reserved], slot: Slot
    ) -> tuple[model.Field, ...]:
        """The fields whose types stand; their keys are noted for the checks."""
        nodes = [member for member in members if isinstance(member, tree.Field)]
        duplicates = check_names([n.name for n in nodes], _NOUN[slot], self._findings)
        fields: list[model.Field] = []
        keys: list[Key] = []
        for node in nodes:
            type_ = self._types.slot(node.type, slot)
            place = _PLACE[slot]
            if slot is Slot.ARGUMENT and type_.stream is not None:
                place = Place.STREAM_ARGUMENT
            annotated = read_annotations(
                node.annotations, node.doc, place, self._findings
            )
            key = _key(node.name, annotated, type_.large)
            if place is not Place.STREAM_ARGUMENT and id(node.name) not in duplicates:
                keys.append(key)  # a stream argument's name is not on the wire
            self._check_presence(node, type_, slot)
            default = self._default(node, type_, slot)
            if type_.type is not None:
                fields.append(
                    model.Field(
                        name=node.name.text,
                        key=key.text,
                        type=type_.type,
                        span=node.name.span,
                        type_span=node.type.span,
                        notes=annotated.notes,
                        optional=type_.optional is not None,
                        default=default,
                        stream=type_.stream is not None,
                        large=type_.large is not None,
                        sensitive=annotated.sensitive,
                    )
                )
        reserved = [
            key
            for member in members
            if isinstance(member, tree.Reserved)
            for key in member.keys
        ]
        rekey = _RENAME if slot is Slot.UNION_MEMBER else _PIN
        self._boxes.append(Box(tuple(keys), tuple(reserved), rekey))
        return tuple(fields)

    def read_bare(
        self, node: tree.BareResult
    ) -> tuple[model.Field | None, Span | None]:
        """The one field of ``-> T``, and the place of the word ``stream``."""
        type_ = self._types.slot(node.type, Slot.BARE_RESULT)
        name = node.name
        if name is None:
            text = "result" if type_.stream is None else "item"
            name = tree.Name(text, node.type.span)
        elif name.text.startswith("_"):
            refuse_underscore(name, self._findings)
        key = Key(name.text, name.span, False, type_.large)
        self._boxes.append(Box((key,), (), _REPLACE))
        if type_.type is None:
            return None, type_.stream
        return (
            model.Field(
                name=name.text,
                key=name.text,
                type=type_.type,
                span=name.span,
                type_span=node.type.span,
                optional=type_.optional is not None,
                stream=type_.stream is not None,
                large=type_.large is not None,
            ),
            type_.stream,
        )

    def _check_presence(self, node: tree.Field, type_: SlotType, slot: Slot) -> None:
        """What may be absent in a union, and must be able to in an error."""
        if slot is Slot.UNION_MEMBER:
            if type_.optional is not None:
                where, what = type_.optional, "be optional"
            elif node.default is not None:
                where, what = node.default.span, "have a default"
            else:
                return
            self._findings.add(
                rule.UNION_MEMBER,
                f"a union's member cannot {what}",
                where,
                "exactly one member is present",
                help="make the field that holds the union optional instead",
            )
        elif (
            slot is Slot.ERROR_FIELD and type_.optional is None and node.default is None
        ):
            self._findings.add(
                rule.REQUIRED_ERROR_FIELD,
                f"field `{node.name.text}` of an error is required",
                node.name.span,
                "a peer that does not know the error sends no fields",
                help=f"write `{node.name.text}: {node.type.span.text}?`, "
                "or give it a default",
                fix=writing(node.type.span, f"{node.type.span.text}?"),
            )

    def _default(
        self, node: tree.Field, type_: SlotType, slot: Slot
    ) -> model.Default | None:
        if node.default is None or slot is Slot.UNION_MEMBER:
            return None
        if type_.optional is not None:
            self._findings.add(
                rule.OPTIONAL_DEFAULT,
                f"optional `{node.name.text}` has a default",
                node.default.span,
                "it is `None` when it is absent",
                related=[(type_.optional, "optional by this")],
                help="leave out the `?` or the default",
            )
            return None
        if type_.stream is not None:
            self._findings.add(
                rule.NO_DEFAULT,
                "a stream has no default",
                node.default.span,
                help="leave it out: a stream may have no items at all",
                fix=_without_default(node.default),
            )
            return None
        if type_.type is None:
            return None
        return read_default(
            node.default,
            type_.type,
            large=type_.large is not None,
            may_hold=self._may_hold,
            findings=self._findings,
        )


def _without_default(default: tree.Literal) -> Fix | None:
    """The literal goes, and the `=` before it."""
    span = default.span
    before = span.source.text[: span.start].rstrip()
    if not before.endswith("="):
        return None  # a comment lies between
    start = len(before[:-1].rstrip())
    whole = type(span)(span.source, start, span.end)
    return removing(whole, "the default")


def _key(name: tree.Name, annotated: Annotated, large: Span | None) -> Key:
    if annotated.wire is None:
        return Key(name.text, name.span, False, large)
    return Key(annotated.wire.value, annotated.wire.span, True, large)
