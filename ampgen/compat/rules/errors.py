"""Errors, and which command raises them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
from ampgen.compat.rules.fields import added, pinned, removed, renamed
from ampgen.compat.verdicts import Peers, Source
from ampgen.compat.versions import Box
from ampgen.diagnostics import Label, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.compat.versions import Versions
    from ampgen.model import Command, Error


def _unknown(error: Error, others: tuple[Error, ...], peers: Peers) -> Outcome:
    known = [one for one in others if one.code == error.code]
    if error.fatal and not any(one.fatal for one in known):
        return _ends(error)
    if known:
        return SAFE  # it arrives as another one, which has its code
    words = (
        f"a {quoted(error.name)} from {{sender}}'s {{command}} is to {{reader}} a "
        "RemoteError, without its fields"
    )
    if peers is Peers.TWISTED:
        words += "; a Twisted program does not see its code either"
    return Outcome(Kind.LOST, words)


def _ends(error: Error, lack: str = "expect that") -> Outcome:
    words = (
        f"a {quoted(error.name)} from {{sender}}'s {{command}} is the end of the "
        "connection, as soon as other calls on it are answered; {reader} does not "
    )
    return Outcome(Kind.ENDS, words + lack)


def _raised(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old, new = pair.old, pair.new
        if old is None or new is None or old.oneway is not new.oneway:
            continue
        known = {versions.declarations.new_of.get(one) for one in old.errors}
        for error in new.errors:
            if error not in known:
                yield Found(
                    f"`{new.name}` raises `{error.name}` now",
                    Label(new.span, f"raises `{error.name}`"),
                    Label(old.span, "did not raise it"),
                    pair.of(Part.ERROR),
                    SAFE,
                    _unknown(error, old.errors, versions.peers),
                )


_STILL_RAISED = {
    Peers.TWISTED: "a handler that still raises it answers with UNKNOWN, and a Twisted "
    "one closes the connection",
    Peers.AMPGEN: "a handler that still raises it answers with UNKNOWN",
}


def _no_longer_raised(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old, new = pair.old, pair.new
        if old is None or new is None or old.oneway is not new.oneway:
            continue
        for error in old.errors:
            if versions.declarations.new_of.get(error) not in new.errors:
                yield Found(
                    f"`{new.name}` no longer raises `{error.name}`",
                    Label(new.span, f"does not raise `{error.name}`"),
                    Label(old.span, "did raise it"),
                    pair.of(Part.ERROR),
                    _unknown(error, new.errors, versions.peers),
                    SAFE,
                    (Source.BREAKS, Source.BREAKS),
                    _STILL_RAISED[versions.peers],
                )


RAISED = Comparison(
    Rule(
        "AMP1024",
        "error added to a command",
        """\
To a client of the old version it is no error that it knows: it arrives as a RemoteError
with its code and description, without its fields. A Twisted program gets an error
without the code.

    command Repeat(text: str) -> str;                    // before
    command Repeat(text: str) -> str raises TooLong;     // after

See that old clients can live with an error that they do not know.
""",
    ),
    _raised,
)

NO_LONGER_RAISED = Comparison(
    Rule(
        "AMP1025",
        "error removed from a command",
        """\
What an old server still raises is to a new client no error that it knows: it arrives as
a RemoteError. A handler that raises what is not declared answers with UNKNOWN, and
where it is a Twisted one it closes the connection, with all other calls on it.

    command Repeat(text: str) -> str raises TooLong;     // before
    command Repeat(text: str) -> str;                    // after

See that no handler raises it any more.
""",
    ),
    _no_longer_raised,
)


def _recoded(versions: Versions) -> Iterator[Found]:
    for pair in versions.errors:
        if pair.old.code == pair.new.code:
            continue
        seen_by_old = [one.old for one in pair.uses if one.old is not None]
        seen_by_new = [one.new for one in pair.uses if one.new is not None]
        yield Found(
            f"the code of error `{pair.new.name}` was `{pair.old.code}`, and is "
            f"`{pair.new.code}`",
            Label(pair.new.span, f"`{pair.new.code}` on the wire"),
            Label(pair.old.span, "was here"),
            tuple(pair.uses),
            _under_another_code(pair.old, seen_by_new),
            _under_another_code(pair.new, seen_by_old),
            help=f'keep the code: `error {pair.new.name} "{pair.old.code}"`',
        )


def _under_another_code(error: Error, commands: Sequence[Command]) -> Outcome:
    """``commands``: as their callers have them, to whom it has another code."""
    name = quoted(error.name)
    for command in commands:
        for one in command.errors:
            if one.code == error.code:
                words = (
                    f"a {name} from {{sender}}'s {{command}} is taken by {{reader}} "
                    f"for a {quoted(one.name)}, which has that code there"
                )
                return Outcome(Kind.WRONG, words)
    if error.fatal:
        return _ends(error, "know the code")
    words = (
        f"a {name} from {{sender}}'s {{command}} has a code that {{reader}} does not "
        "know: it is a RemoteError there"
    )
    return Outcome(Kind.LOST, words)


RECODED = Comparison(
    Rule(
        "AMP1026",
        "code of an error changed",
        """\
On the wire an error is known by its code. Under another one the other version does not
know it: it arrives as a RemoteError, and no `except TooLong` catches it; or as another
error, which has that code there.

    error TooLong "TOO_LONG";                            // before
    error TooLong "TEXT_TOO_LONG";                       // after

Nothing in the code shows this change. Keep the code; the name can change as you like.
""",
    ),
    _recoded,
)


def _fatal(versions: Versions) -> Iterator[Found]:
    for pair in versions.errors:
        if pair.new.fatal is not pair.old.fatal:
            how = "fatal now" if pair.new.fatal else "no longer fatal"
            yield Found(
                f"error `{pair.new.name}` is {how}",
                Label(pair.new.span, how),
                Label(
                    pair.old.span, "was " + ("not " if pair.new.fatal else "") + "fatal"
                ),
                tuple(pair.uses),
                _ends(pair.old) if pair.old.fatal else SAFE,
                _ends(pair.new) if pair.new.fatal else SAFE,
            )


FATAL = Comparison(
    Rule(
        "AMP1027",
        "error made fatal, or no longer fatal",
        """\
Once a fatal error has been sent, the server closes the connection: calls in flight are
answered, no further ones are taken. A client of the version to which it is not fatal
does not expect that.

    error Corrupt "CORRUPT";                             // before
    fatal error Corrupt "CORRUPT";                       // after

Roll out clients that connect again first; and where it is fatal no longer, the server.
""",
    ),
    _fatal,
)

FIELD_ADDED = Comparison(
    Rule(
        "AMP1042",
        "field of an error added",
        """\
Fields of errors are optional or have a default: who does not know one does not miss it.

    error TooLong { limit: int?; }                       // before
    error TooLong { limit: int?; length: int?; }         // after
""",
    ),
    added(Box.ERROR, required=False),
)

FIELD_REMOVED = Comparison(
    Rule(
        "AMP1043",
        "field of an error removed",
        """\
Fields of errors are optional or have a default, so nobody misses it on the wire. Code
that reads it, or gives it, has to be changed.

    error TooLong { limit: int?; length: int?; }         // before
    error TooLong { limit: int?; reserved "length"; }    // after
""",
    ),
    removed(Box.ERROR),
)

FIELD_RENAMED = Comparison(
    Rule(
        "AMP1044",
        "field of an error renamed",
        """\
On the wire a field is known by its key. Under another one it does not arrive, and
nobody notices, since fields of errors may be absent.

    error TooLong { limit: int?; }                       // before
    error TooLong { maximum: int?; }                     // after

Rename it in code alone: `@wire("limit") maximum: int?;`.
""",
    ),
    renamed(Box.ERROR),
)

FIELD_PINNED = Comparison(
    Rule(
        "AMP1045",
        "field of an error renamed, its key kept",
        """\
The name has changed in code, `@wire` keeps the key: programs of both versions
understand one another. Code that reads the field, or gives it, has to be changed.

    error TooLong { limit: int?; }                       // before
    error TooLong { @wire("limit") maximum: int?; }      // after
""",
    ),
    pinned(Box.ERROR),
)
