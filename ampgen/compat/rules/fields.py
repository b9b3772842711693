"""How fields come and go, in every kind of box: searches that the rules are made of.

A field is an argument, a result, a field of a struct or an error, a member of a union.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.finding import Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
from ampgen.compat.reading import presence
from ampgen.compat.verdicts import Source
from ampgen.compat.versions import Box
from ampgen.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.compat.changes import Use
    from ampgen.compat.finding import Search
    from ampgen.compat.versions import BoxPair, Versions
    from ampgen.model import Field

_S, _T, _B = Source.SAFE, Source.TYPES, Source.BREAKS

WAS = "was here"

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def noun(pair: BoxPair, field: Field) -> str:
    """``argument `times` of `Repeat```."""
    word = "field" if pair.box is Box.ERROR else pair.box.value
    return f"{word} `{field.name}` of {pair.owner}"


def type_of(field: Field) -> str:
    """As the schema has it, in one line."""
    return " ".join(_COMMENT.sub(" ", field.type_span.text).split())


def added(box: Box, *, required: bool) -> Search:
    def search(versions: Versions) -> Iterator[Found]:
        for pair in versions.boxes:
            for fields in pair.fields:
                new = fields.new
                if pair.box is not box or fields.old is not None or new is None:
                    continue
                if new.required is required:
                    yield _added(pair, new)

    return search


def _added(pair: BoxPair, new: Field) -> Found:
    name = quoted(new.name)
    missing = Outcome(Kind.UNDECODED, f"{name} is missing")
    how = "new and required" if new.required else "new"
    help_ = None
    if new.required:
        help_ = (
            f"add it as optional (`{type_of(new)}?`) or with a default, "
            "roll both ends out, then require it"
        )
    return Found(
        f"{noun(pair, new)} is {how}",
        Label(new.span, how),
        Label(pair.was, "was without it"),
        tuple(pair.uses),
        missing if new.required else SAFE,
        _ignored(pair, new),
        _source_of_added(pair, new),
        help_,
    )


def _ignored(pair: BoxPair, field: Field) -> Outcome:
    """An argument says what is to be done; what else is not read does no harm."""
    if pair.box is not Box.ARGUMENTS:
        return SAFE
    words = f"{quoted(field.name)} of {{sender}}'s {{command}} is ignored by {{reader}}"
    return Outcome(Kind.IGNORED, words)


def _source_of_added(pair: BoxPair, new: Field) -> tuple[Source, Source]:
    match pair.box:
        case Box.ARGUMENTS if new.required:
            return _B, _B
        case Box.ARGUMENTS:
            fields = [one.new for one in pair.fields]
            behind = fields[fields.index(new) + 1 :]
            kept = {id(one.new) for one in pair.fields if one.old is not None}
            if any(id(one) in kept for one in behind):
                return _B, _B  # by position a call gives them, and a handler gets them
            return _S, _T
        case Box.RESULT:
            return _S, _B if new.required else _T
        case Box.STRUCT if new.required:
            return _builders(pair.uses)
        case Box.UNION:
            return _T, _T
        case _:
            return _S, _S


def _builders(uses: Sequence[Use]) -> tuple[Source, Source]:
    """Who makes a value of it has to give one more field."""
    if not uses:
        return _B, _B
    sent = {one.part in (Part.ARGUMENT, Part.SENT_ITEM) for one in uses}
    return (_B if True in sent else _S), (_B if False in sent else _S)


def removed(box: Box) -> Search:
    def search(versions: Versions) -> Iterator[Found]:
        for pair in versions.boxes:
            for fields in pair.fields:
                if pair.box is box and fields.new is None and fields.old is not None:
                    yield _removed(pair, fields.old)

    return search


def _removed(pair: BoxPair, old: Field) -> Found:
    missing = Outcome(Kind.UNDECODED, f"{quoted(old.name)} is missing")
    reserve = None
    if pair.reserved is not None and old.key not in pair.reserved:
        reserve = f'write `reserved "{old.key}";`, so that nobody uses the key again'
        if pair.box in (Box.ARGUMENTS, Box.RESULT):
            reserve = reserve.replace(";`", "`")
    return Found(
        f"{noun(pair, old)} is gone",
        Label(pair.at, f"`{old.name}` is gone"),
        Label(old.span, WAS),
        tuple(pair.uses),
        _ignored(pair, old),
        missing if old.required else SAFE,
        (_B, _B),
        reserve,
    )


def renamed(box: Box, *, required: bool | None = None) -> Search:
    """The key has changed, and nothing else."""

    def search(versions: Versions) -> Iterator[Found]:
        for pair in versions.boxes:
            for fields in pair.fields:
                both = fields.both
                if pair.box is not box or both is None or not fields.is_rekeyed:
                    continue
                if required is None or both[1].required is required:
                    yield _renamed(pair, *both)

    return search


def _renamed(pair: BoxPair, old: Field, new: Field) -> Found:
    def outcome(sent: Field, wanted: Field) -> Outcome:
        if wanted.required:
            return Outcome(Kind.UNDECODED, f"{quoted(wanted.key)} is missing")
        words = f"{quoted(sent.key)} of {{sender}} never reaches {{reader}}, "
        absent = "`None`" if wanted.optional else "its default"
        words += f"which reads {absent} as {quoted(wanted.key)} in {{command}}"
        return Outcome(Kind.WRONG, words)

    return Found(
        f"{noun(pair, new)} was `{old.key}` on the wire, and is `{new.key}`",
        Label(new.span, f"`{new.key}` on the wire"),
        Label(old.span, WAS),
        tuple(pair.uses),
        outcome(old, new),
        outcome(new, old),
        _source_of_renamed(old, new),
        f'keep the key: `@wire("{old.key}") {new.name}`'
        if pair.box is not Box.UNION
        else "keep the name: it is the key on the wire",
    )


def _source_of_renamed(old: Field, new: Field) -> tuple[Source, Source]:
    return (_S, _S) if old.name == new.name else (_B, _B)


def pinned(box: Box) -> Search:
    """The name has changed, and the key has not."""

    def search(versions: Versions) -> Iterator[Found]:
        for pair in versions.boxes:
            for fields in pair.fields:
                if pair.box is not box or fields.both is None:
                    continue
                old, new = fields.both
                if old.key == new.key and old.name != new.name:
                    yield Found(
                        f"{noun(pair, new)} was called `{old.name}`",
                        Label(new.span, f"still `{new.key}` on the wire"),
                        Label(old.span, WAS),
                        tuple(pair.uses),
                        source=(_B, _B),
                    )

    return search


def now_required(box: Box) -> Search:
    return _presence(box, required=True)


def no_longer_required(box: Box) -> Search:
    return _presence(box, required=False)


def _presence(box: Box, *, required: bool) -> Search:
    def search(versions: Versions) -> Iterator[Found]:
        for pair in versions.boxes:
            for fields in pair.fields:
                if pair.box is not box or fields.both is None or fields.is_rekeyed:
                    continue
                old, new = fields.both
                if new.required is required and old.required is not required:
                    yield _present(pair, old, new)

    return search


def _present(pair: BoxPair, old: Field, new: Field) -> Found:
    def outcome(sent: Field, wanted: Field) -> Outcome:
        if presence(sent, wanted) is Kind.SAFE:
            return SAFE
        words = f"{quoted(wanted.name)} is missing, where {{sender}} leaves it out"
        return Outcome(Kind.UNDECODED, words)

    how = "required" if new.required else "no longer required"
    return Found(
        f"{noun(pair, new)} is {how}",
        Label(new.span, f"{how} now"),
        Label(old.span, WAS),
        tuple(pair.uses),
        outcome(old, new),
        outcome(new, old),
        _source_of_presence(pair, old, new),
        "roll out programs that always give it before it is required"
        if new.required and old.optional
        else None,
    )


def _source_of_presence(pair: BoxPair, old: Field, new: Field) -> tuple[Source, Source]:
    read = _S if new.required or new.default is not None else _T
    match pair.box:
        case Box.ARGUMENTS:
            return (_B, _S) if new.required else (_S, read)
        case Box.RESULT:
            built = _T if old.optional else _B
            return (_S, built) if new.required else (read, _S)
        case _ if new.required:
            return _builders(pair.uses)
        case _:
            return read, read
