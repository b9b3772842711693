"""Results, and items of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.finding import Comparison, Found
from ampgen.compat.rules.fields import (
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
        "AMP1016",
        "result added",
        """\
An old client does not look at it; to a new client it is absent, or its default, in what
an old server answers. Handlers have one more value to return.

    command Look() -> (name: str);                       // before
    command Look() -> (name: str, size: int?);           // after
""",
    ),
    added(Box.RESULT, required=False),
)

REQUIRED_ADDED = Comparison(
    Rule(
        "AMP1017",
        "required result added",
        """\
An old server does not answer with it: at a new client the call fails with DecodeError,
when the server has already done what it was asked for.

    command Look() -> (name: str);                       // before
    command Look() -> (name: str, size: int);            // after

Roll the server out first. Or add it as optional, roll both ends out, then require it.
""",
    ),
    added(Box.RESULT, required=True),
)

REMOVED = Comparison(
    Rule(
        "AMP1018",
        "result removed",
        """\
A new client does not miss it. An old client does, if it is required: its call fails
with DecodeError, when the server has already done what it was asked for.

    command Look() -> (name: str, size: int);            // before
    command Look() -> (name: str);                       // after

Make it optional first and roll both ends out, or roll the clients out first. Reserve
the key, so that it never comes back with another meaning.
""",
    ),
    removed(Box.RESULT),
)

NOW_REQUIRED = Comparison(
    Rule(
        "AMP1019",
        "result now required",
        """\
An old server may leave it out, as it could: the call of a new client then fails with
DecodeError.

    command Look() -> (name: str?);                      // before
    command Look() -> (name: str);                       // after

Roll the server out first. What has had a default was always sent, and is safe.
""",
    ),
    now_required(Box.RESULT),
)

NO_LONGER_REQUIRED = Comparison(
    Rule(
        "AMP1020",
        "result no longer required",
        """\
A new server may leave it out, and an old client needs it: its call fails with
DecodeError.

    command Look() -> (name: str);                       // before
    command Look() -> (name: str?);                      // after

Roll the clients out first.
""",
    ),
    no_longer_required(Box.RESULT),
)

RENAMED = Comparison(
    Rule(
        "AMP1021",
        "result renamed",
        """\
On the wire a result is known by its key. Under another one it is missing to the client:
a required result makes the call fail with DecodeError; of an optional one nobody
notices that it has not arrived.

    command Look() -> (name: str);                       // before
    command Look() -> (title: str);                      // after

Rename it in code alone, and keep its key:

    command Look() -> (@wire("name") title: str);
""",
    ),
    renamed(Box.RESULT),
)

PINNED = Comparison(
    Rule(
        "AMP1022",
        "result renamed, its key kept",
        """\
The name has changed in code, `@wire` keeps the key: programs of both versions
understand one another. Code that reads the result, and handlers, have to be changed.

    command Look() -> (name: str);                       // before
    command Look() -> (@wire("name") title: str);        // after
""",
    ),
    pinned(Box.RESULT),
)


def _bare(versions: Versions) -> Iterator[Found]:
    for pair in versions.commands.pairs:
        old, new = pair.old, pair.new
        if old is None or new is None or old.result is None or new.result is None:
            continue
        if old.result.bare is not new.result.bare:
            form = "bare now" if new.result.bare else "in parentheses now"
            yield Found(
                f"the result of `{new.name}` is {form}",
                Label(new.span, f"its result is {form}"),
                Label(old.span, "was the other way"),
                pair.of(Part.RESULT),
                source=(Source.BREAKS, Source.BREAKS),
            )


BARE = Comparison(
    Rule(
        "AMP1023",
        "result in another form",
        """\
A bare result is returned as it is, one in parentheses as an object with attributes.
With the same key both are the same on the wire; callers and handlers have to be
changed.

    command Count(text: str) -> int;                     // before
    command Count(text: str) -> (result: int);           // after
""",
    ),
    _bare,
)
