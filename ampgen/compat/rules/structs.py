"""Fields of structs and members of unions, wherever these travel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
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

    from ampgen.compat.finding import Search
    from ampgen.compat.versions import Versions

FIELD_ADDED = Comparison(
    Rule(
        "AMP1032",
        "field of a struct added",
        """\
A field that is optional, or has a default, can be added: a reader of the old version
does not look at it, and one of the new version does without it.

    struct Author { name: str; }                         // before
    struct Author { name: str; born: date?; }            // after
""",
    ),
    added(Box.STRUCT, required=False),
)

REQUIRED_FIELD_ADDED = Comparison(
    Rule(
        "AMP1033",
        "required field of a struct added",
        """\
A struct from a program of the old version lacks it, and does not decode. In an argument
that fails the call, and a Twisted server closes the connection; in a result the call of
a new client fails with DecodeError.

    struct Author { name: str; }                         // before
    struct Author { name: str; born: date; }             // after

Add it as optional, roll both ends out, then require it.
""",
    ),
    added(Box.STRUCT, required=True),
)

FIELD_REMOVED = Comparison(
    Rule(
        "AMP1034",
        "field of a struct removed",
        """\
Nobody looks at it any more. But where it is required, a struct from a program of the
new version does not decode at one of the old version: in an argument that fails the
call, and a Twisted server closes the connection; in a result the call of an old client
fails with DecodeError.

    struct Author { name: str; born: date; }             // before
    struct Author { name: str; reserved "born"; }        // after

Make it optional first, roll both ends out, then remove it. Reserve its key, so that it
never comes back with another meaning.
""",
    ),
    removed(Box.STRUCT),
)

FIELD_RENAMED = Comparison(
    Rule(
        "AMP1035",
        "field of a struct renamed",
        """\
On the wire a field is known by its key. Under another one it is missing to its reader:
with a required field the struct does not decode; of an optional one nobody notices that
it has not arrived.

    struct Author { name: str; born: date?; }            // before
    struct Author { name: str; birthday: date?; }        // after

Rename it in code alone, and keep its key:

    struct Author { name: str; @wire("born") birthday: date?; }
""",
    ),
    renamed(Box.STRUCT),
)

FIELD_PINNED = Comparison(
    Rule(
        "AMP1036",
        "field of a struct renamed, its key kept",
        """\
The name has changed in code, `@wire` keeps the key: programs of both versions
understand one another. Code that makes or reads the struct has to be changed.

    struct Author { born: date?; }                       // before
    struct Author { @wire("born") birthday: date?; }     // after
""",
    ),
    pinned(Box.STRUCT),
)

FIELD_NOW_REQUIRED = Comparison(
    Rule(
        "AMP1037",
        "field of a struct now required",
        """\
A program of the old version may leave it out, as it could: the struct then does not
decode at one of the new version.

    struct Author { name: str; born: date?; }            // before
    struct Author { name: str; born: date; }             // after

See that all programs give it before one requires it. What has had a default was always
sent, and is safe.
""",
    ),
    now_required(Box.STRUCT),
)

FIELD_NO_LONGER_REQUIRED = Comparison(
    Rule(
        "AMP1038",
        "field of a struct no longer required",
        """\
A program of the new version may leave it out, and one of the old version needs it: the
struct then does not decode.

    struct Author { name: str; born: date; }             // before
    struct Author { name: str; born: date?; }            // after

Roll out the readers first. With a default in the place of the `?` it is always sent,
and safe.
""",
    ),
    no_longer_required(Box.STRUCT),
)


def _member(*, is_added: bool) -> Search:
    def search(versions: Versions) -> Iterator[Found]:
        for pair in versions.boxes:
            for fields in pair.fields:
                member = fields.new or fields.old
                if pair.box is not Box.UNION or fields.both or member is None:
                    continue
                if (fields.old is None) is not is_added:
                    continue
                why = f"{quoted(member.name)} is no member to {{reader}}"
                unknown = Outcome(Kind.UNDECODED, why)
                how = "new" if is_added else "gone"
                yield Found(
                    f"member `{member.name}` of {pair.owner} is {how}",
                    Label(member.span, how)
                    if is_added
                    else Label(pair.at, f"`{member.name}` is gone"),
                    Label(pair.was, "was without it")
                    if is_added
                    else Label(member.span, "was here"),
                    tuple(pair.uses),
                    SAFE if is_added else unknown,
                    unknown if is_added else SAFE,
                    (Source.TYPES, Source.TYPES)
                    if is_added
                    else (Source.BREAKS, Source.BREAKS),
                    "roll out all readers before a program sends it"
                    if is_added
                    else "stop sending it first",
                )

    return search


MEMBER_ADDED = Comparison(
    Rule(
        "AMP1039",
        "member of a union added",
        """\
A union with a member that its reader does not know does not decode. In an argument that
fails the call, and a Twisted server closes the connection; in a result the call of an
old client fails with DecodeError.

    union Target { path: str; }                          // before
    union Target { path: str; id: int; }                 // after

Roll out what reads it before anything sends the new member. A struct of optional fields
can grow where a union cannot.
""",
    ),
    _member(is_added=True),
)

MEMBER_REMOVED = Comparison(
    Rule(
        "AMP1040",
        "member of a union removed",
        """\
A program of the old version may still send it, and one of the new version cannot decode
it.

    union Target { path: str; id: int; }                 // before
    union Target { path: str; }                          // after

See first that nobody sends it any more.
""",
    ),
    _member(is_added=False),
)

MEMBER_RENAMED = Comparison(
    Rule(
        "AMP1041",
        "member of a union renamed",
        """\
On the wire a member is known by its name. Under another name the union does not decode,
whoever sends it.

    union Target { path: str; }                          // before
    union Target { file: str; }                          // after

Keep the name, or add the new one beside it, roll both ends out, and then send that.
""",
    ),
    renamed(Box.UNION),
)
