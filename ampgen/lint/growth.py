"""What is hard to change once programs of several versions talk to one another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.diagnostics import Label, Rule, Severity
from ampgen.diagnostics.fixes import inserting, writing
from ampgen.lint.finding import Finding, Lint
from ampgen.lint.reach import answer_fields, commands, reach
from ampgen.model import Enum, Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.diagnostics.fixes import Fix
    from ampgen.model import Field, Schema

_ENUM = re.compile(r"\b(enum)\s+\Z")
_STREAM = re.compile(r"stream\s+")


def _bare_results(schema: Schema) -> Iterator[Finding]:
    for command in commands(schema):
        if command.result is None or not command.result.bare:
            continue
        (result,) = command.result.fields
        if isinstance(result.type, Struct):
            continue  # it grows by itself
        type_ = _STREAM.sub("", result.type_span.text, count=1)
        arrow = "-> stream" if result.stream else "->"
        yield Finding(
            f"the result of `{command.name}` cannot grow",
            result.type_span,
            "a second value would change what callers get and handlers return",
            help=f"write `{arrow} ({result.key}: {type_})`: the same on the wire",
            inside=command.span,
            fix=_in_parentheses(result, f"({result.key}: {type_})"),
        )


def _in_parentheses(result: Field, written: str) -> Fix:
    """It is a change for programs, but for none on the wire."""
    first, last = result.span, result.type_span
    whole = type(first)(first.source, first.start, last.end)
    return writing(whole, f"stream {written}" if result.stream else written)


BARE_RESULT = Lint(
    Rule(
        "AMP0806",
        "bare result",
        """\
A bare result is returned as it is. If the answer is to tell more one day, its type must
change, and with it every caller and every handler.

    command Count(text: str) -> int;

A result in parentheses is an object with attributes: one more, optional or with a
default, breaks neither callers nor peers of an older version. On the wire both are the
same, so this change is free as long as it is early:

    command Count(text: str) -> (result: int);

A bare struct is not reported: it can have more fields.
""",
        Severity.NOTE,
    ),
    _bare_results,
)


def _oneway(schema: Schema) -> Iterator[Finding]:
    for command in commands(schema):
        if command.oneway:
            yield Finding(
                f"`{command.name}` is oneway: a peer that does not know it cannot say "
                "so",
                command.span,
                "a Twisted peer of an older version closes the connection",
                help="leave `oneway` out, or let the end that answers it be new first",
            )


ONEWAY = Lint(
    Rule(
        "AMP0807",
        "oneway command",
        """\
A peer of an older version answers a command that it does not know with `UNHANDLED`: one
call fails. To a oneway command there is no answer. A Twisted peer then closes the
connection, with all other calls on it; a peer of ours notes it in its log, and what was
sent is lost. The same happens when its handler fails.

    service Text { oneway command Log(line: str); }

Where a command may be added to a system that runs, let it have an answer, if an empty
one:

    service Text { command Log(line: str); }

Or see that the end that answers it is always the newer one, and say so:

    // ampgen: allow AMP0807 (the server is rolled out first)
    oneway command Log(line: str);
""",
        Severity.NOTE,
    ),
    _oneway,
)


def _closed_enums(schema: Schema) -> Iterator[Finding]:
    seen: set[int] = set()
    for command in commands(schema):
        for field in answer_fields(command):
            for type_ in reach((field,), seen):
                if isinstance(type_, Enum) and not type_.open:
                    yield Finding(
                        f"enum `{type_.name}` is closed, and travels in answers",
                        type_.span,
                        "an older caller loses the whole answer to a new member",
                        (Label(field.type_span, f"in what `{command.name}` answers"),),
                        help="write `open enum`, if it may get members one day",
                        fix=_opened(type_),
                    )


def _opened(enum: Enum) -> Fix | None:
    start = max(0, enum.span.start - 80)
    keyword = _ENUM.search(enum.span.source.text, start, enum.span.start)
    if keyword is None:
        return None  # a comment stands before the name
    return inserting(
        type(enum.span)(enum.span.source, *keyword.span(1)),
        "open ",
    )


CLOSED_ENUM = Lint(
    Rule(
        "AMP0808",
        "closed enum in an answer",
        """\
A value that a closed enum does not have does not decode. When a server of a newer
version answers with a new member, the whole answer is an error at callers of an older
one.

    enum State { IDLE = "idle"; BUSY = "busy"; }
    service Worker { command Look() -> (state: State); }

An open enum keeps the value as a text, and the caller decides:

    open enum State { IDLE = "idle"; BUSY = "busy"; }

Where the members are complete for good (the days of the week) a closed enum is right.
Enums are found in results, in items of streams and in fields of errors, however deep;
the first command whose answer holds one is shown.
""",
        Severity.NOTE,
    ),
    _closed_enums,
)
