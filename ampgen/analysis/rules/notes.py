"""AMP05xx: annotations."""

from __future__ import annotations

from ampgen.diagnostics import Rule

UNKNOWN = Rule(
    "AMP0501",
    "unknown annotation",
    """\
The annotations are `@wire`, `@deprecated`, `@timeout`, `@idempotent`, `@sensitive`, and
`@x.name(…)`, which is free: it is handed to templates untouched.

    @depracated("use Repeat") command OldRepeat(text: str);

Mend the name, or put your own behind `x.`:

    @deprecated("use Repeat") @x.owner("text-team") command OldRepeat(text: str);
""",
)

WRONG_PLACE = Rule(
    "AMP0502",
    "annotation in the wrong place",
    """\
`@wire` stands on a command, a field, an argument or a parenthesised result; `@timeout`
and `@idempotent` on a command; `@sensitive` on a field, an argument or a result;
`@deprecated` and `@x.name` on anything.

    @wire("too-long") error TooLong;

An error's code stands behind its name:

    error TooLong "too-long";
""",
)

WRONG_ARGUMENT = Rule(
    "AMP0503",
    "wrong argument of an annotation",
    """\
`@wire("key")` and `@deprecated("why")` take one string, `@timeout(2s)` one duration
above zero in `ms`, `s` or `m`; `@idempotent` and `@sensitive` take nothing.

    @timeout(2) command Repeat(text: str) -> str;

Write what it takes:

    @timeout(2s) command Repeat(text: str) -> str;
""",
)

REPEATED = Rule(
    "AMP0504",
    "annotation given twice",
    """\
An annotation stands once; of two nobody could tell which one counts. (`@x.name` may be
repeated.)

    @timeout(2s) @timeout(5s) command Repeat(text: str) -> str;

Keep one of them:

    @timeout(5s) command Repeat(text: str) -> str;
""",
)

TIMEOUT_STREAM = Rule(
    "AMP0505",
    "`@timeout` on a command that streams",
    """\
A stream lasts as long as it has items; the schema cannot know how long. A caller may
still give a call its own `timeout=`, which then bounds the whole of it.

    @timeout(2s) command Tail(path: path) -> stream (line: str);

Leave the annotation out:

    command Tail(path: path) -> stream (line: str);
""",
)
