"""Arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.finding import Comparison, Found
from ampgen.compat.rules.fields import (
    WAS,
    added,
    no_longer_required,
    now_required,
    pinned,
    removed,
    renamed,
)
from ampgen.compat.verdicts import Source
from ampgen.compat.versions import Box
from ampgen.diagnostics import Label, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.versions import Versions

ADDED = Comparison(
    Rule(
        "AMP1006",
        "argument added",
        """\
An argument that is optional, or has a default, can be added: a server takes calls
without it. But a server of the old version ignores it, and the client is not told.

    command Repeat(text: str) -> str;                    // before
    command Repeat(text: str, times: int = 1) -> str;    // after

Roll the server out first, and clients can rely on what they ask for. At its end: an
older handler is called without arguments that come last; one that is put before others
moves them, and handlers get theirs by position.
""",
    ),
    added(Box.ARGUMENTS, required=False),
)

REQUIRED_ADDED = Comparison(
    Rule(
        "AMP1007",
        "required argument added",
        """\
A client of the old version does not send it, and its call fails: a server of ours
answers INVALID_ARGUMENT, a Twisted one UNKNOWN, and it closes the connection, with all
other calls on it.

    command Repeat(text: str) -> str;                    // before
    command Repeat(text: str, times: int) -> str;        // after

The safe way has three steps. Add it as optional, roll both ends out, then require it:

    command Repeat(text: str, times: int?) -> str;

Where all clients are new before the first server is, `--rollout client-first` says so.
""",
    ),
    added(Box.ARGUMENTS, required=True),
)

REMOVED = Comparison(
    Rule(
        "AMP1008",
        "argument removed",
        """\
A new server ignores what an old client still sends. An old server needs an argument
that is required, and a new client does not send it: the call fails, and a Twisted
server closes the connection.

    command Repeat(text: str, times: int) -> str;        // before
    command Repeat(text: str) -> str;                    // after

Make it optional first and roll both ends out, or roll the server out first. Reserve the
key, so that it never comes back with another meaning:

    command Repeat(text: str, reserved "times") -> str;
""",
    ),
    removed(Box.ARGUMENTS),
)

NOW_REQUIRED = Comparison(
    Rule(
        "AMP1009",
        "argument now required",
        """\
A client that leaves it out, as it could, finds its call fails: a server of ours answers
INVALID_ARGUMENT, a Twisted one UNKNOWN, and it closes the connection.

    command Repeat(text: str, times: int?) -> str;       // before
    command Repeat(text: str, times: int) -> str;        // after

See that all clients give it before the server requires it. What has had a default was
always sent, and is safe.
""",
    ),
    now_required(Box.ARGUMENTS),
)

NO_LONGER_REQUIRED = Comparison(
    Rule(
        "AMP1010",
        "argument no longer required",
        """\
A new client may leave it out, and an old server needs it: the call fails, and a Twisted
server closes the connection.

    command Repeat(text: str, times: int) -> str;        // before
    command Repeat(text: str, times: int?) -> str;       // after

Roll the server out first. With a default in the place of the `?` it is always sent, and
safe in either order.
""",
    ),
    no_longer_required(Box.ARGUMENTS),
)

RENAMED = Comparison(
    Rule(
        "AMP1012",
        "argument renamed",
        """\
On the wire an argument is known by its key. Under another one it is missing to its
reader: a required argument makes the call fail, and a Twisted server closes the
connection; of an optional one nobody notices that it has not arrived.

    command Repeat(text: str, times: int = 1) -> str;    // before
    command Repeat(text: str, count: int = 1) -> str;    // after

Rename it in code alone, and keep its key:

    command Repeat(text: str, @wire("times") count: int = 1) -> str;

An argument counts as renamed if another one of its type has come in its place, as
required as it was.
""",
    ),
    renamed(Box.ARGUMENTS),
)

PINNED = Comparison(
    Rule(
        "AMP1013",
        "argument renamed, its key kept",
        """\
The name has changed in code, `@wire` keeps the key: programs of both versions
understand one another. Calls that name the argument, and handlers, have to be changed.

    command Repeat(times: int);                          // before
    command Repeat(@wire("times") count: int);           // after
""",
    ),
    pinned(Box.ARGUMENTS),
)


def _order(versions: Versions) -> Iterator[Found]:
    for pair in versions.boxes:
        if pair.box is not Box.ARGUMENTS:
            continue
        kept = [one.both for one in pair.fields if one.both is not None]
        in_old_order = sorted(kept, key=lambda both: both[0].span.start)
        moved = [
            both
            for both, other in zip(kept, in_old_order, strict=True)
            if both != other
        ]
        if moved:
            old, new = moved[0]
            yield Found(
                f"the arguments of {pair.owner} have another order",
                Label(new.span, "was in another place"),
                Label(old.span, WAS),
                tuple(pair.uses),
                source=(Source.BREAKS, Source.BREAKS),
                help="put them back as they were",
            )


ORDER = Comparison(
    Rule(
        "AMP1014",
        "order of arguments changed",
        """\
The order is not on the wire. But a call that gives its arguments by position now gives
others, and so does a handler take them: the runtime calls it by position.

    command Move(x: int, y: int);                        // before
    command Move(y: int, x: int);                        // after

Put arguments back, or see that all code names them. The order of fields, results and
commands does not matter at all.
""",
    ),
    _order,
)
