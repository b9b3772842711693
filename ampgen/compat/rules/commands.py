"""Commands as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
from ampgen.compat.verdicts import Source
from ampgen.compat.versions import is_streamed, stream_argument
from ampgen.diagnostics import Label, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.versions import Versions
    from ampgen.model import Command

_S, _B = Source.SAFE, Source.BREAKS


def _added(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        if pair.old is None and pair.new is not None:
            service = versions.declarations.old_of.get(pair.new.service)
            yield Found(
                f"command `{pair.new.name}` is new",
                Label(pair.new.span, "new"),
                None if service is None else Label(service.span, "was without it"),
                pair.of(Part.COMMAND),
                SAFE,
                Outcome(Kind.UNKNOWN),
                (_S, _B),
                "roll out what answers it before anything calls it",
            )


def _removed(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old = pair.old
        if old is None or pair.new is not None:
            continue
        service = versions.declarations.new_of.get(old.service)
        at = old.span if service is None else service.span
        reserve = None
        if not _reserves(service, old.wire):
            reserve = f'write `reserved "{old.wire}";`, so that nobody uses it again'
        yield Found(
            f"command `{old.name}` is gone",
            Label(at, f"`{old.name}` is gone"),
            Label(old.span, "was here"),
            pair.of(Part.COMMAND),
            Outcome(Kind.UNKNOWN),
            SAFE,
            (_B, _S),
            reserve,
        )


def _reserves(service: object, wire: str) -> bool:
    return wire in getattr(service, "reserved", ())


def _renamed(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old, new = pair.old, pair.new
        if old is not None and new is not None and old.wire != new.wire:
            source = _S if old.name == new.name else _B
            unknown = Outcome(Kind.UNKNOWN)
            yield Found(
                f"command `{new.name}` was `{old.wire}` on the wire, and is "
                f"`{new.wire}`",
                Label(new.span, f"`{new.wire}` on the wire"),
                Label(old.span, "was here"),
                pair.of(Part.COMMAND),
                unknown,
                unknown,
                (source, source),
                f'keep its name on the wire: `@wire("{old.wire}")`',
            )


def _pinned(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old, new = pair.old, pair.new
        if old is None or new is None or old.name == new.name:
            continue
        if old.wire == new.wire:
            yield Found(
                f"command `{new.name}` was called `{old.name}`",
                Label(new.span, f"still `{new.wire}` on the wire"),
                Label(old.span, "was here"),
                pair.of(Part.COMMAND),
                source=(_B, _B),
            )


ADDED = Comparison(
    Rule(
        "AMP1001",
        "command added",
        """\
A server of the old version does not know it: a call fails with UNHANDLED. To a oneway
command there is no answer: it is lost, and a Twisted server closes the connection, with
all other calls on it.

    service Text { command Repeat(text: str) -> str; }

    service Text {
        command Repeat(text: str) -> str;
        command Upper(text: str) -> str;                 // new
    }

Roll the server out first, or let clients do without. A command that the server calls on
the client is the other way round. Handlers have to be written for it: a server class
without one cannot be made.
""",
    ),
    _added,
)

REMOVED = Comparison(
    Rule(
        "AMP1002",
        "command removed",
        """\
An old client's call fails with UNHANDLED at a new server. A oneway command is lost, and
a Twisted server closes the connection, with all other calls on it.

Mark it `@deprecated`, see that nobody calls it any more, then remove it. Reserve its
name on the wire, so that it never comes back with another meaning:

    service Text { reserved "OldRepeat"; }
""",
    ),
    _removed,
)

RENAMED = Comparison(
    Rule(
        "AMP1003",
        "command renamed",
        """\
Each version calls it by a name that the other does not know: calls fail with UNHANDLED.
A oneway command is lost, and a Twisted peer closes the connection.

    command Repeat(text: str) -> str;                    // before
    command Echo(text: str) -> str;                      // after

Rename it in code alone, and keep its name on the wire:

    @wire("Repeat") command Echo(text: str) -> str;

A command counts as renamed if another one that takes and gives the same has come in its
place.
""",
    ),
    _renamed,
)

PINNED = Comparison(
    Rule(
        "AMP1005",
        "command renamed, its wire name kept",
        """\
The name has changed in code, `@wire` keeps that on the wire: programs of both versions
understand one another. Calls and handlers have to be changed.

    command Repeat(text: str) -> str;                    // before
    @wire("Repeat") command Echo(text: str) -> str;      // after
""",
    ),
    _pinned,
)


def _oneway(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old, new = pair.old, pair.new
        if old is None or new is None or old.oneway is new.oneway:
            continue
        two_way = old if new.oneway else new
        asked, unasked = _empty_answer(two_way), _no_answer(two_way)
        how = "oneway" if new.oneway else "two-way"
        yield Found(
            f"`{new.name}` is {how} now",
            Label(new.span, how),
            Label(old.span, "was " + ("two-way" if new.oneway else "oneway")),
            pair.of(Part.COMMAND),
            asked if new.oneway else unasked,
            unasked if new.oneway else asked,
            (_B, _B),
        )


def _empty_answer(command: Command) -> Outcome:
    """A request that asks for one, to a handler of a oneway command."""
    missing = ["_stream"] if streams(command) else []
    if command.result is not None and not command.result.stream:
        missing += [one.name for one in command.result.fields if one.required]
    if not missing:
        return SAFE
    why = f"the answer is empty, and {quoted(missing[0])} is missing"
    return Outcome(Kind.UNANSWERED, why)


def _no_answer(command: Command) -> Outcome:
    """A request that asks for none, to a handler of a two-way command."""
    if streams(command):
        words = "{caller}'s {command} is refused by {answerer}: it asks for no stream"
        return Outcome(Kind.UNHEARD, words)
    if command.errors:
        names = " or ".join(quoted(error.name) for error in command.errors)
        words = f"a {names} of {{answerer}}'s {{command}} reaches nobody"
        return Outcome(Kind.UNHEARD, words)
    return SAFE


def streams(command: Command) -> bool:
    return is_streamed(command) or stream_argument(command) is not None


ONEWAY = Comparison(
    Rule(
        "AMP1004",
        "command made oneway or two-way",
        """\
The request decides whether there is an answer. A client that asks for one gets it from
a handler of a oneway command, too, but it is empty: required results are missing, and
the call fails with DecodeError. A client that asks for none gets none from a two-way
command; what its handler raises is only logged, and a Twisted server closes the
connection.

    command Log(line: str) raises Full;                  // before
    oneway command Log(line: str);                       // after

Add a second command instead, and remove the first when nobody calls it any more.
""",
    ),
    _oneway,
)


# --- streams --------------------------------------------------------------------------


def _streamed(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old, new = pair.old, pair.new
        if old is None or new is None or old.oneway or new.oneway:
            continue
        sends = stream_argument(new)
        if is_streamed(old) is not is_streamed(new):
            what = "the result"
            how = "a stream" if is_streamed(new) else "no stream"
        elif (stream_argument(old) is None) is not (sends is None):
            what = "an argument"
            how = "a stream" if sends is not None else "no stream"
        else:
            continue
        at = new.span if sends is None or what == "the result" else sends.span
        yield Found(
            f"{what} of `{new.name}` is {how} now",
            Label(at, f"{how} now"),
            Label(
                old.span, "was " + ("no stream" if how == "a stream" else "a stream")
            ),
            pair.of(Part.COMMAND),
            _call(old, new),
            _call(new, old),
            (_B, _B),
            "add a second command instead",
        )


def _call(caller: Command, answerer: Command) -> Outcome:
    """Where only one of them streams, or they do not stream the same."""
    if not streams(caller):
        return Outcome(Kind.REFUSED, "`_stream` is missing")
    sent = stream_argument(caller)
    plain = None
    if sent is not None and stream_argument(answerer) is None:
        named = [one for one in answerer.arguments if one.name == sent.name]
        plain = next((one for one in named if one.required), None)
    if not streams(answerer):
        if plain is not None:
            why = f"{quoted(plain.name)} is missing"
            return Outcome(Kind.UNDECODED, why)
        why = "`_stream` is missing from the answer"
        return Outcome(Kind.UNANSWERED, why)
    if is_streamed(caller) and not is_streamed(answerer):
        words = "{caller}'s {command} is an empty stream, whatever {answerer} answers"
        return Outcome(Kind.WRONG, words)
    if is_streamed(answerer) and not is_streamed(caller):
        return Outcome(Kind.REFUSED, "`_credit` is missing")
    if plain is not None:
        return Outcome(Kind.UNDECODED, f"{quoted(plain.name)} is missing")
    if sent is not None:
        words = f"{quoted(sent.name)} of {{caller}}'s {{command}} is ignored"
        return Outcome(Kind.IGNORED, words)
    words = "{caller}'s {command} waits for ever, and so does {answerer} for a stream"
    return Outcome(Kind.STUCK, words)


STREAMED = Comparison(
    Rule(
        "AMP1048",
        "stream made of a value, or a value of a stream",
        """\
A stream is asked for with keys that a client of the other version does not send, and
ends with an answer that a server of the other version does not give. Calls fail, with
INVALID_ARGUMENT or DecodeError; a Twisted server to which the keys are missing closes
the connection.

    command Tail(path: path) -> [str];                   // before
    command Tail(path: path) -> stream str;              // after

Add a second command, and remove the first when nobody calls it any more.
""",
    ),
    _streamed,
)
