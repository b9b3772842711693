"""Values: their defaults, how long they may be, and what a stream of them is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
from ampgen.compat.rules.fields import WAS, noun
from ampgen.compat.verdicts import Peers, Source
from ampgen.compat.versions import Box
from ampgen.diagnostics import Label, Rule
from ampgen.model import (
    EmptyMap,
    ListType,
    ListValue,
    MapType,
    MemberValue,
    ScalarType,
    Value,
)
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.versions import Versions
    from ampgen.model import Default, Field, Type


def _defaults(versions: Versions) -> Iterator[Found]:
    for pair in versions.boxes:
        for fields in pair.fields:
            if fields.both is None or fields.is_rekeyed:
                continue
            old, new = fields.both
            if old.required or new.required or _is_same(old.default, new.default):
                continue
            yield Found(
                f"the default of {noun(pair, new)} was `{_default(old)}`, and is "
                f"`{_default(new)}`",
                Label(new.span, f"`{_default(new)}` now"),
                Label(old.span, f"was `{_default(old)}`"),
                tuple(pair.uses),
                _absent(old, new),
                _absent(new, old),
                (Source.SAFE, Source.SAFE),
            )


def _is_same(one: Default | None, other: Default | None) -> bool:
    """Whatever their types: `1` and `1.0` are one number."""
    if one is None or other is None:
        return one is other
    return _literal(one) == _literal(other) or _plain(one) == _plain(other)


def _plain(default: Default) -> object:
    match default:
        case Value(value):
            return value
        case MemberValue(member):
            return member.value
        case ListValue(items):
            return [_plain(one) for one in items]
        case EmptyMap():
            return {}


def _absent(sent: Field, wanted: Field) -> Outcome:
    if wanted.default is None:
        return SAFE  # what has a default is sent
    default, other = quoted(_default(sent)), quoted(_default(wanted))
    name = quoted(wanted.name)
    if sent.optional:
        words = f"{name} that {{sender}} leaves out is {other} to {{reader}}"
    else:
        words = (
            f"where {name} is not given in {{command}}, it is {default} to {{sender}}, "
            f"and {other} to {{reader}}"
        )
    return Outcome(Kind.IGNORED, words)


def _default(field: Field) -> str:
    return "None" if field.default is None else _literal(field.default)


def _literal(default: Default) -> str:
    match default:
        case Value(value):
            return str(value).lower() if isinstance(value, bool) else repr(value)
        case MemberValue(member):
            return member.value
        case ListValue(items):
            return f"[{', '.join(_literal(one) for one in items)}]"
        case EmptyMap():
            return "{}"


DEFAULT = Comparison(
    Rule(
        "AMP1015",
        "default changed",
        """\
Programs of both versions go on with the default that they were made with. One that
sends a value with a default sends it always, so the old client's default is what a new
server gets from it; a program that leaves it out is understood as the reader has it.

    command Repeat(text: str, times: int = 1) -> str;    // before
    command Repeat(text: str, times: int = 2) -> str;    // after

See that both can be meant at the same time.
""",
    ),
    _defaults,
)


# --- large ----------------------------------------------------------------------------


def _large(versions: Versions) -> Iterator[Found]:
    for pair in versions.boxes:
        for fields in pair.fields:
            if fields.both is None:
                continue
            old, new = fields.both
            if old.large is not new.large:
                cut = _cut(new if new.large else old, versions.peers)
                how = "large" if new.large else "not large"
                yield Found(
                    f"{noun(pair, new)} is {how} now",
                    Label(new.type_span, f"{how} now"),
                    Label(
                        old.type_span, "was " + ("not large" if new.large else "large")
                    ),
                    tuple(pair.uses),
                    SAFE if new.large else cut,
                    cut if new.large else SAFE,
                )


def _cut(sent: Field, peers: Peers) -> Outcome:
    """To a reader that knows nothing of further pieces."""
    name = quoted(sent.name)
    if peers is Peers.TWISTED and _reads_a_part(sent.type):
        words = (
            f"{name} of {{sender}}'s {{command}}, where it has more than 65,535 bytes, "
            "is cut to these by a Twisted program as {reader}, and nobody notices"
        )
        return Outcome(Kind.WRONG, words)
    why = f"where {name} has more than 65,535 bytes"
    return Outcome(Kind.UNDECODED, why)


def _reads_a_part(type_: Type) -> bool:
    """Does Twisted take its first bytes for a whole value?"""
    match type_:
        case ScalarType(scalar):
            return scalar is not Scalar.JSON
        case ListType() | MapType():
            return True
        case _:
            return False


LARGE = Comparison(
    Rule(
        "AMP1050",
        "value made large, or no longer large",
        """\
A value of up to 65,535 bytes is sent as ever. A longer one goes in pieces, under
further keys. A reader of ours to whom it is not `large` refuses it; a Twisted program
reads the first piece and does not know of the others. With all its pieces it may be
too long a box for a reader that expects none: the connection ends, with one of ours,
too.

    command Render(page: str) -> bytes;                  // before
    command Render(page: large str) -> bytes;            // after

Roll out the readers first: the server for an argument, the clients for a result.
""",
    ),
    _large,
)


def _stream_renamed(versions: Versions) -> Iterator[Found]:
    for pair in versions.boxes:
        for fields in pair.fields:
            if pair.box is not Box.SENT or fields.both is None:
                continue
            old, new = fields.both
            if old.name != new.name:
                yield Found(
                    f"stream argument `{new.name}` of {pair.owner} was called "
                    f"`{old.name}`",
                    Label(new.span, "its name is not on the wire"),
                    Label(old.span, WAS),
                    tuple(pair.uses),
                    source=(Source.BREAKS, Source.BREAKS),
                )


STREAM_RENAMED = Comparison(
    Rule(
        "AMP1011",
        "stream argument renamed",
        """\
The name of an argument that is a stream is not on the wire, so programs of both
versions understand one another. Code that names it has to be changed.

    command Upload(chunks: stream bytes);                // before
    command Upload(pieces: stream bytes);                // after
""",
    ),
    _stream_renamed,
)
