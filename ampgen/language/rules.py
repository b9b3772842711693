"""What can be wrong with the text of a schema: every rule of the language stage.

The codes are AMP01xx. A code never changes its meaning and is never used again.
"""

from __future__ import annotations

from ampgen.diagnostics import Rule, Severity

SYNTAX = Rule(
    "AMP0101",
    "unexpected piece of text",
    """\
The grammar cannot go on with what stands here. The message names what was found and
what could have stood in its place. Reading resumes behind the `;` or `}` that ends the
statement, so that mistakes further down are reported in the same run.

    struct Point { x: ; }           // a type was expected

Mended:

    struct Point { x: int; }
""",
)

MISSING_SEMICOLON = Rule(
    "AMP0102",
    "missing `;`",
    """\
Every import, alias, field, member and command ends in `;`, also the last one before
`}`. A declaration with a block ends in its `}`.

    struct Point {
        x: int
        y: int;
    }

Mended:

    struct Point {
        x: int;
        y: int;
    }
""",
)

UNCLOSED_BRACKET = Rule(
    "AMP0103",
    "bracket that is never closed",
    """\
A block is still open where the file ends, or where the next declaration begins. A
declaration never stands inside another one.

    struct Point {
        x: int;

    struct Line { from: Point; to: Point; }

Mended:

    struct Point {
        x: int;
    }

    struct Line { from: Point; to: Point; }
""",
)

UNMATCHED_BRACKET = Rule(
    "AMP0104",
    "closing bracket that closes nothing",
    """\
There is one closing bracket more than opening ones. Often the block was closed too
early, further up.

    struct Point { x: int; } }

Mended:

    struct Point { x: int; }
""",
)

STRAY_SEMICOLON = Rule(
    "AMP0105",
    "`;` that ends nothing",
    """\
A declaration with a block ends in its `}`: no `;` follows. Elsewhere there is one `;`
too many.

    struct Point { x: int; };

Mended:

    struct Point { x: int; }
""",
)

UNKNOWN_KEYWORD = Rule(
    "AMP0106",
    "word that is no keyword",
    """\
A keyword was expected, and another word stands there, perhaps misspelt, or from another
schema language. A file holds `import`, `type`, `enum`, `open enum`, `struct`, `union`,
`error`, `fatal error` and `service`; a service holds `command`, `oneway command` and
`reserved`. Where the intended keyword is clear, reading goes on as if it stood there.

    stuct Point { x: int; }

Mended:

    struct Point { x: int; }
""",
)

STRAY_CHARACTER = Rule(
    "AMP0107",
    "character that has no meaning",
    """\
Outside strings and comments a schema consists of names, numbers, strings, space and the
marks `{ } ( ) [ ] : ; , . = ? @ ->`. Strings stand in double quotes, comments begin
with `//` or stand between `/*` and `*/`.

    import 'geo.amp';

Mended:

    import "geo.amp";
""",
)

UNTERMINATED_STRING = Rule(
    "AMP0108",
    "string without an end",
    """\
A string ends in `"`, on the line on which it begins. `\\n` stands for a line break
inside, and `\\"` for a quotation mark.

    struct Greeting { text: str = "hello; }

Mended:

    struct Greeting { text: str = "hello"; }
""",
)

UNTERMINATED_COMMENT = Rule(
    "AMP0109",
    "comment without an end",
    """\
A comment that begins with `/*` ends at the first `*/`: comments do not nest. Without
that mark the rest of the file would silently be a comment.

    /* what a point is
    struct Point { x: int; }

Mended:

    /* what a point is */
    struct Point { x: int; }
""",
)

UNKNOWN_ESCAPE = Rule(
    "AMP0110",
    "unknown escape in a string",
    """\
Behind a backslash one of these may stand: `\\n` line feed, `\\t` tab, `\\r` carriage
return, `\\\\` backslash, `\\"` quotation mark, `\\u{20AC}` the character with that
hexadecimal code point (one to six digits).

    struct Folder { home: str = "C:\\data"; }

Mended:

    struct Folder { home: str = "C:\\\\data"; }
""",
)

NO_SUCH_CHARACTER = Rule(
    "AMP0111",
    "escape of a code point that is no character",
    """\
`\\u{…}` goes up to `\\u{10FFFF}`, where Unicode ends, and leaves out `\\u{D800}` to
`\\u{DFFF}`: these surrogates are halves of characters in UTF-16, and UTF-8, which AMP's
texts are sent in, has no bytes for them.

    struct Face { smile: str = "\\u{D83D}\\u{DE00}"; }

Mended:

    struct Face { smile: str = "\\u{1F600}"; }
""",
)

MALFORMED_NUMBER = Rule(
    "AMP0112",
    "malformed number",
    """\
A number is decimal: `0`, `-12`, `1.5`, `6.02e23`. Digits are not grouped, a leading
zero is not allowed (it means octal to some readers), and digits stand on both sides of
the point. A duration, the argument of `@timeout`, is a number with the unit `ms`, `s`
or `m`.

    struct Limits { size: int = 64_000; }

Mended:

    struct Limits { size: int = 64000; }
""",
)

NUMBER_OUT_OF_RANGE = Rule(
    "AMP0113",
    "number out of range",
    """\
An integer has at most 4,300 digits: beyond that CPython itself refuses to read one, as
a guard against inputs that cost quadratic time. A number with a point or an exponent
must fit a 64-bit float; infinity is written `inf`.

    struct Limits { size: float = 1e999; }

Mended:

    struct Limits { size: float = inf; }
""",
)

NAME_NOT_ASCII = Rule(
    "AMP0114",
    "name that is not ASCII",
    """\
A name consists of the letters `A` to `Z` and `a` to `z`, digits and `_`, and begins
with a letter. Names are sent as AMP keys, which programs in other languages compare
byte by byte: letters that look alike, or that Unicode can write in two ways, would not
be equal there.

    struct Größe { x: int; }

Mended:

    struct Groesse { x: int; }
""",
)

NESTED_TOO_DEEP = Rule(
    "AMP0115",
    "type or value nested too deep",
    """\
Values nest at most 64 deep on the wire, so a deeper type could never be sent, nor a
deeper default.

    type Deep = [[[[ … 65 lists … ]]]];

Mended: name the parts, or choose a flatter type.
""",
)

DANGLING_DOC = Rule(
    "AMP0116",
    "doc comment that documents nothing",
    """\
`///` documents the declaration, command, field, argument, result or member that follows
it. This one is followed by none, so its text would be lost. An ordinary comment begins
with `//`; what documents the whole file begins with `//!`.

    struct Point {
        x: int;
        /// The end.
    }

Mended:

    struct Point {
        x: int;
        // The end.
    }
""",
    Severity.WARNING,
)

RULES: tuple[Rule, ...] = (
    SYNTAX,
    MISSING_SEMICOLON,
    UNCLOSED_BRACKET,
    UNMATCHED_BRACKET,
    STRAY_SEMICOLON,
    UNKNOWN_KEYWORD,
    STRAY_CHARACTER,
    UNTERMINATED_STRING,
    UNTERMINATED_COMMENT,
    UNKNOWN_ESCAPE,
    NO_SUCH_CHARACTER,
    MALFORMED_NUMBER,
    NUMBER_OUT_OF_RANGE,
    NAME_NOT_ASCII,
    NESTED_TOO_DEEP,
    DANGLING_DOC,
)
