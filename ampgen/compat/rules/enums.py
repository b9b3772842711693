"""Enums, wherever they travel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
from ampgen.compat.verdicts import Source
from ampgen.diagnostics import Label, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.versions import Versions
    from ampgen.model import Enum, EnumMember


def _unknown(member: EnumMember, reader: Enum) -> Outcome:
    value = quoted(member.value)
    if reader.open:
        words = f"{value} of {{sender}} is a plain text to {{reader}} in {{command}}"
        return Outcome(Kind.IGNORED, words)
    why = f"where a value is {value}, which {{reader}} does not know"
    return Outcome(Kind.UNDECODED, why)


def _added(versions: Versions) -> Iterator[Found]:
    for pair in versions.enums:
        known = {one.value for one in pair.old.members}
        for member in pair.new.members:
            if member.value not in known:
                yield Found(
                    f"value `{member.value}` of enum `{pair.new.name}` is new",
                    Label(member.span, "new"),
                    Label(pair.old.span, "was without it"),
                    tuple(pair.uses),
                    SAFE,
                    _unknown(member, pair.old),
                    (Source.TYPES, Source.TYPES),
                    None
                    if pair.old.open
                    else "write `open enum` first, and roll both ends out",
                )


def _removed(versions: Versions) -> Iterator[Found]:
    for pair in versions.enums:
        kept = {one.value for one in pair.new.members}
        for member in pair.old.members:
            if member.value not in kept:
                yield Found(
                    f"value `{member.value}` of enum `{pair.new.name}` is gone",
                    Label(pair.new.span, f"`{member.value}` is gone"),
                    Label(member.span, "was here"),
                    tuple(pair.uses),
                    _unknown(member, pair.new),
                    SAFE,
                    (Source.BREAKS, Source.BREAKS),
                    "stop sending it first",
                )


def _opened(versions: Versions) -> Iterator[Found]:
    for pair in versions.enums:
        old, new = pair.old, pair.new
        if old.open is new.open:
            continue
        why = "where a value is none that {reader} knows"
        # What is open now has been closed: nothing is sent yet that is not declared.
        closed = SAFE if new.open else Outcome(Kind.UNDECODED, why)
        how = "open" if new.open else "closed"
        yield Found(
            f"enum `{new.name}` is {how} now",
            Label(new.span, how),
            Label(old.span, "was " + ("closed" if new.open else "open")),
            tuple(pair.uses),
            closed,
            SAFE,
            (Source.TYPES, Source.TYPES),
        )


def _renamed(versions: Versions) -> Iterator[Found]:
    for pair in versions.enums:
        old = {one.value: one for one in pair.old.members}
        for member in pair.new.members:
            before = old.get(member.value)
            if before is not None and before.name != member.name:
                yield Found(
                    f"member `{member.name}` of enum `{pair.new.name}` was called "
                    f"`{before.name}`",
                    Label(member.span, f"still `{member.value}` on the wire"),
                    Label(before.span, "was here"),
                    tuple(pair.uses),
                    source=(Source.BREAKS, Source.BREAKS),
                )


ADDED = Comparison(
    Rule(
        "AMP1028",
        "value of an enum added",
        """\
A closed enum does not decode a value that it does not have: a call of an old client
fails with DecodeError when a new server answers with it; an old server refuses it in an
argument, and a Twisted one closes the connection. An open enum keeps it as a text.

    enum State { IDLE; BUSY; }                           // before
    enum State { IDLE; BUSY; LOST; }                     // after

Open the enum first, and roll both ends out; or see that nobody sends the new value
before all readers know it.
""",
    ),
    _added,
)

REMOVED = Comparison(
    Rule(
        "AMP1029",
        "value of an enum removed",
        """\
A program of the old version may still send it. A closed enum does not decode it, an
open one keeps it as a text.

    enum State { IDLE; BUSY; LOST; }                     // before
    enum State { IDLE; BUSY; }                           // after

See first that nobody sends it any more.
""",
    ),
    _removed,
)

OPENED = Comparison(
    Rule(
        "AMP1030",
        "enum opened or closed",
        """\
An open enum lets values through that the schema does not declare. One that is closed
refuses what programs of the old version may still send.

    open enum State { IDLE; BUSY; }                      // before
    enum State { IDLE; BUSY; }                           // after

To open an enum is safe, as long as new programs send what is declared: it is the first
step of adding a value.
""",
    ),
    _opened,
)

RENAMED = Comparison(
    Rule(
        "AMP1031",
        "member of an enum renamed",
        """\
Its value is what is on the wire, and is the same. Code that names the member has to be
changed.

    enum State { IDLE = "idle"; }                        // before
    enum State { WAITING = "idle"; }                     // after
""",
    ),
    _renamed,
)
