"""AMP03xx: wire keys, codes and values."""

from __future__ import annotations

from ampgen.diagnostics import Rule

DUPLICATE_KEY = Rule(
    "AMP0301",
    "two fields with one wire key",
    """\
In one box each key stands once: of two, the other end would read only the last.

    struct Author { @wire("id") number: int; id: str; }

Pin another key, or rename one of them:

    struct Author { @wire("number") number: int; id: str; }
""",
)

BAD_KEY = Rule(
    "AMP0302",
    "not a wire key",
    """\
A key on the wire is 1 to 255 ASCII characters; those that start with `_` belong to AMP
itself. A `large` one may have 250, since `.2`, `.3`, … are put behind it.

    struct Author { @wire("größe") size: int; }

Choose an ASCII key:

    struct Author { @wire("groesse") size: int; }
""",
)

RESERVED_KEY = Rule(
    "AMP0303",
    "reserved key used again",
    """\
`reserved` keeps a wire key, or a command's wire name, that was once used from coming
back with another meaning: an old peer would still read it the old way.

    struct Author { reserved "nick"; nick: [str]; }

Choose another name:

    struct Author { reserved "nick"; nicks: [str]; }
""",
)

PIECE_KEY = Rule(
    "AMP0304",
    "key collides with a piece of a `large` value",
    """\
A `large` value travels in pieces: the first under its key `page`, the others under
`page.2`, `page.3` and so on, in the same box.

    command Render(page: large str, @wire("page.2") next: str);

Choose a key that does not end in a point and a number:

    command Render(page: large str, @wire("page-2") next: str);
""",
)

BAD_COMMAND = Rule(
    "AMP0305",
    "not a command's wire name",
    """\
A command's name on the wire is ASCII and not empty. Names that start with `_` and names
that hold `._` belong to the protocol (`_cancel`, `Tail._item`), and `StartTLS` is AMP's
own command, which Twisted answers itself.

    @wire("_stop") command Stop();

Choose another name:

    @wire("stop") command Stop();
""",
)

DUPLICATE_COMMAND = Rule(
    "AMP0306",
    "two commands with one wire name",
    """\
A service tells its commands, own and inherited ones, by their names on the wire.

    service Text { command Stop(); @wire("Stop") command Halt(); }

Pin another name:

    service Text { command Stop(); @wire("Halt") command Halt(); }
""",
)

BAD_CODE = Rule(
    "AMP0307",
    "not an error code",
    """\
An error's code may not be empty, and not `UNKNOWN` or `UNHANDLED`: by these a peer says
that a command failed in a way that the schema does not declare, or that it has no such
command. (The runtime's other codes may be declared, and then win.)

    error Missing "UNKNOWN";

Choose another code:

    error Missing "MISSING";
""",
)

DUPLICATE_CODE = Rule(
    "AMP0308",
    "two errors of one command with one code",
    """\
The caller tells the errors of a command by their codes alone.

    error TooLong "LIMIT";
    error TooMany "LIMIT";
    service Text { command Repeat(text: str) raises TooLong, TooMany; }

Give one of them another code, or raise one error with a field that tells them apart.
""",
)

DUPLICATE_VALUE = Rule(
    "AMP0309",
    "two members with one value",
    """\
A member travels as its value, or as its name where no value is given. Two members of
one value could not be told apart.

    enum Level { INFO; NOTICE = "INFO"; }

Give one of them another value, or remove it:

    enum Level { INFO; NOTICE = "NOTICE"; }
""",
)

NOT_ENCODABLE = Rule(
    "AMP0310",
    "cannot be encoded",
    """\
A value on the wire is at most 65,535 bytes, a float at most about 1.8e308. A code, an
enum's value, a command's name or a default beyond that could be declared but never
sent.

    struct Page { text: str = "… 70,000 characters …"; }

Shorten it, or leave the default to the program.
""",
)
