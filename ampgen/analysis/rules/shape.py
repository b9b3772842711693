"""AMP04xx: types, shape and defaults."""

from __future__ import annotations

from ampgen.diagnostics import Rule

EMPTY = Rule(
    "AMP0401",
    "nothing in it",
    """\
An enum without members and a union without members have no value at all; a result in
parentheses with nothing in it is written by leaving out the arrow.

    command Touch(path: str) -> ();

Without an arrow the answer carries nothing, and is still awaited:

    command Touch(path: str);
""",
)

OPTIONAL_PLACE = Rule(
    "AMP0402",
    "`?` in the wrong place",
    """\
An optional is absent from its box, so only a field, an argument or a result can be one.
An element of a list or a map, an alias and an item of a stream are always there.

    struct Author { tags: [str?]; }

Make the whole optional, or leave the absent elements out:

    struct Author { tags: [str]?; }
""",
)

REQUIRED_ERROR_FIELD = Rule(
    "AMP0403",
    "required field of an error",
    """\
A peer that does not know an error's fields sends none of them, and the error must still
arrive. So each field of an error is optional or has a default.

    error TooLong { limit: int; }

Make it optional:

    error TooLong { limit: int?; }
""",
)

UNION_MEMBER = Rule(
    "AMP0404",
    "union member that may be absent",
    """\
Of a union's members exactly one is present, so none of them can be optional or have a
default.

    union Target { path: str?; id: int; }

Make the field that holds the union optional:

    union Target { path: str; id: int; }
    struct Link { target: Target?; }
""",
)

CONTAINS_ITSELF = Rule(
    "AMP0405",
    "contains itself",
    """\
A struct that holds itself, with no list, map or optional between, would have no end. A
union between does not help, though another member may end it: so a reader sees where
a value ends without going through all members.

    struct Node { next: Node; }

Put one between:

    struct Node { next: Node?; children: [Node]; }
""",
)

MAP_KEY = Rule(
    "AMP0406",
    "not the type of a map's key",
    """\
The keys of a map are `str`, `int`, `uuid` or an enum: types whose values have exactly
one form on the wire.

    struct Scores { by_weight: {float: str}; }

Use one of these, or a list of structs:

    struct Score { weight: float; name: str; }
    struct Scores { by_weight: [Score]; }
""",
)

MODIFIER_PLACE = Rule(
    "AMP0407",
    "`stream` or `large` in the wrong place",
    """\
`stream` stands before the type of an argument or behind the arrow; `large` before the
type of an argument or a result. A list, map, struct, union, error or alias cannot hold
either, and the two cannot be combined.

    struct Page { text: large str; }

Put it where the value travels:

    struct Page { text: str; }
    service Pages { command Render() -> page: large Page; }
""",
)

LARGE_TYPE = Rule(
    "AMP0408",
    "`large` on a small type",
    """\
`large` lifts the limit of 65,535 bytes from a `str`, `bytes`, `json`, list, map, struct
or union. Values of the other types never come near it.

    command Add(number: large int);

Leave it out:

    command Add(number: int);
""",
)

FD_PLACE = Rule(
    "AMP0409",
    "`fd` in the wrong place",
    """\
A file descriptor travels beside the box, in the order of the box's keys; only a plain
argument or a plain result can be one.

    command Open(files: [fd]);

Take one at a time:

    command Open(file: fd);
""",
)

STREAM_ARGUMENTS = Rule(
    "AMP0410",
    "more than one stream argument",
    """\
The items of an argument stream are not told apart by a name on the wire, so a command
has one such stream at most.

    command Upload(names: stream str, chunks: stream bytes);

Stream one struct or union instead:

    union Part { name: str; chunk: bytes; }
    service Files { command Upload(parts: stream Part); }
""",
)

ONEWAY = Rule(
    "AMP0411",
    "not on a oneway command",
    """\
A oneway command is sent and forgotten: nothing comes back, so it has no result, no
errors, no stream, no deadline, and nothing to retry by.

    oneway command Log(line: str) -> bool;

Leave out what waits for an answer, or the word `oneway`:

    command Log(line: str) -> bool;
""",
)

WRONG_DEFAULT = Rule(
    "AMP0412",
    "default of another type",
    """\
A default is a literal of the type: `true`, `-1`, `2.5`, `"text"`, the bare name of an
enum's member, `[]` or a list of such literals, `{}` for a map.

    struct Retry { times: int = "3"; }

Write a literal of the type:

    struct Retry { times: int = 3; }
""",
)

OPTIONAL_DEFAULT = Rule(
    "AMP0413",
    "default on an optional type",
    """\
What is optional is `None` when it is absent; a default would be a second meaning of the
same absence.

    struct Author { name: str? = "nobody"; }

Keep one of the two:

    struct Author { name: str = "nobody"; }
""",
)

NO_DEFAULT = Rule(
    "AMP0414",
    "type without defaults",
    """\
`decimal`, `datetime`, `date`, `duration`, `uuid`, `bytes`, `path`, `json`, `fd`,
structs, unions and streams have no literals, and so no defaults.

    struct Event { at: datetime = "2026-01-31"; }

Make it optional, and let the program choose:

    struct Event { at: datetime?; }
""",
)

TOO_DEEP = Rule(
    "AMP0415",
    "type nested too deep",
    """\
Values nest at most 64 deep on the wire, so a type of more than 64 lists and maps within
one another could never be filled. An expression alone is checked when it is read; this
is about what aliases add to it.

    type Deep = [[[[…]]]];            // 40 deep
    struct Cube { cells: [[[[…Deep…]]]]; }   // 25 more

Declare a struct for some of the levels, or have fewer of them.
""",
)
