"""AMP02xx: names, imports and files."""

from __future__ import annotations

from ampgen.diagnostics import Rule, Severity

UNREADABLE = Rule(
    "AMP0201",
    "cannot read a file",
    """\
A schema named on the command line or in an import is missing, is a folder, may not be
read, or is not UTF-8. An import is looked up beside the importing file, then in each
folder given with `-I`, in order.

    import "comon/geo.amp";      // the folder is called `common`

Mend the path, or add the folder that it starts from:

    import "common/geo.amp";
    ampgen compile text.amp -o pkg/ -I schemas/
""",
)

IMPORT_CYCLE = Rule(
    "AMP0202",
    "import cycle",
    """\
Files may not import one another in a circle: the modules made of them could not be
imported by Python in any order.

    // a.amp
    import "b.amp";
    // b.amp
    import "a.amp";

Move what both need into a third file that imports neither of them.
""",
)

DUPLICATE_NAME = Rule(
    "AMP0203",
    "name declared twice",
    """\
All declarations of one file share one namespace, whatever their kind. So do the members
of an enum, the fields of a struct, the commands of a service, the arguments of a
command, and its results.

    struct Point { x: int; x: int; }

Rename one of the two. Where the name on the wire must stay, pin it:

    struct Point { x: int; @wire("y") height: int; }
""",
)

UNKNOWN_TYPE = Rule(
    "AMP0204",
    "unknown type",
    """\
A type is a built-in one (`bool int float str bytes decimal datetime date duration uuid
json path fd`), or a struct, union, enum or alias declared in the same file, or in an
imported one under the import's name.

    import "geo.amp";
    struct Town { at: Point; }          // Point is declared in geo.amp

Write the name as it is declared, with the import's name before it:

    struct Town { at: geo.Point; }
""",
)

UNKNOWN_ERROR = Rule(
    "AMP0205",
    "unknown error",
    """\
`raises` lists errors that are declared in the same file, or in an imported one under
the import's name.

    error TooLong;
    service Text { command Repeat(text: str) -> str raises TooLng; }

Write the name as it is declared, or declare the error:

    error TooLong;
    service Text { command Repeat(text: str) -> str raises TooLong; }
""",
)

UNKNOWN_SERVICE = Rule(
    "AMP0206",
    "unknown service",
    """\
`extends` and `calls` list services that are declared in the same file, or in an
imported one under the import's name.

    service Text {}
    service Admin extends Txt {}

Write the name as it is declared, or declare the service:

    service Text {}
    service Admin extends Text {}
""",
)

UNKNOWN_IMPORT = Rule(
    "AMP0207",
    "unknown import",
    """\
The part before the point is the name of an import: the stem of the file, or what stands
behind `as`. Names are not passed on: what an imported file imports must be imported
again where it is used.

    import "common/geo.amp";
    struct Town { at: gee.Point; }

Write the import's name, or import the file:

    struct Town { at: geo.Point; }
""",
)

WRONG_KIND = Rule(
    "AMP0208",
    "wrong kind of name",
    """\
A field needs a type; `raises` needs errors; `extends` and `calls` need services.

    error TooLong;
    struct Report { reason: TooLong; }

An error is no type: declare a struct with the fields that both share.

    struct Report { limit: int; }
""",
)

LEADING_UNDERSCORE = Rule(
    "AMP0209",
    "name starts with `_`",
    """\
Names that start with `_` belong to AMP itself (`_ask`, `_command`) and to what the
runtime adds later.

    struct Point { _x: int; }

Leave the underscore out:

    struct Point { x: int; }
""",
)

TAKEN_NAME = Rule(
    "AMP0210",
    "name taken by the language",
    """\
A struct, union, enum or alias may not be called like a built-in type, nor `stream`,
`large`, `raises`, `true` or `false`: a reader, and the parser, could not tell which one
is meant.

    struct date { year: int; }

Choose another name:

    struct Date { year: int; }
""",
)

ALIAS_CYCLE = Rule(
    "AMP0211",
    "alias cycle",
    """\
An alias is only another name for a type: a circle of them names no type at all.

    type A = [B];
    type B = A;

Declare one of them as a struct, which may be recursive:

    struct A { children: [A]; }
""",
)

EXTENDS_CYCLE = Rule(
    "AMP0212",
    "`extends` cycle",
    """\
A service that extends others has their commands; a service cannot have its own once
more.

    service A extends B {}
    service B extends A {}

Move what both share into a third service that both extend:

    service Shared {}
    service A extends Shared {}
    service B extends Shared {}
""",
)

IMPORT_NEEDS_NAME = Rule(
    "AMP0213",
    "import without a name",
    """\
An import without `as` is called by the stem of its file, so that must be a name:
letters, digits and `_`, with a letter first. The module that is made of the file is
called like it, too.

    import "my-types.amp";

Rename the file:

    import "my_types.amp";
""",
)

AMBIGUOUS_IMPORT = Rule(
    "AMP0214",
    "import's name is taken",
    """\
Two imports of one file may not have one name, and no import may be called like a
declaration beside it: a reader could not tell which of the two `geo` is.

    import "maps/geo.amp";
    import "math/geo.amp";

Rename one of them:

    import "math/geo.amp" as geometry;
""",
)

IMPORTED_TWICE = Rule(
    "AMP0215",
    "file imported twice",
    """\
One file needs one import; two names for the same types only confuse a reader.

    import "geo.amp";
    import "geo.amp" as maps;

Keep one of them, and use its name throughout.
""",
)

UNUSED_IMPORT = Rule(
    "AMP0216",
    "unused import",
    """\
Nothing in the file uses a name of this import. The schema works; a reader looks in
vain.

    import "geo.amp";
    struct Town { name: str; }

Remove the import.
""",
    Severity.WARNING,
)

OUTSIDE_ROOTS = Rule(
    "AMP0217",
    "file outside every root",
    """\
The generated module of a schema has the path of the schema, relative to the `-I` folder
in which it lies, or else to the common parent folder of the files named on the command
line. A file that is imported from outside of both has no such path.

    ampgen compile app/chat.amp -o pkg/        // chat.amp imports "../common/geo.amp"

Name the folder that holds both:

    ampgen compile app/chat.amp -o pkg/ -I .
""",
)

PATH_NOT_NAMES = Rule(
    "AMP0218",
    "path is not made of names",
    """\
The generated module of a schema is called like its file, in packages called like its
folders, so each must be a name: letters, digits and `_`, with a letter first.

    ampgen compile my-schema.amp -o pkg/

Rename the file:

    ampgen compile my_schema.amp -o pkg/
""",
)

MODULE_CLASH = Rule(
    "AMP0219",
    "two files with one module path",
    """\
Two schemas would be written to one Python module, or a module and a package would have
one name: `common.amp` makes `common.py`, beside which a folder `common/` cannot be
imported.

    import "common.amp";
    import "common/geo.amp" as geo;

Rename one of the files, or move it into the folder.
""",
)

UNKNOWN_MEMBER = Rule(
    "AMP0220",
    "unknown enum member",
    """\
The default of an enum is the bare name of one of its members.

    enum Level { DEBUG = "debug"; INFO = "info"; }
    struct Line { level: Level = INOF; }

Write the member's name, not its value:

    struct Line { level: Level = INFO; }
""",
)

LISTED_TWICE = Rule(
    "AMP0221",
    "listed twice",
    """\
An error stands in `raises` once, a service in `extends` or `calls` once.

    service Text {}
    service Admin extends Text, Text {}

Remove the second one:

    service Text {}
    service Admin extends Text {}
""",
)

INHERITED_TWICE = Rule(
    "AMP0222",
    "two commands of one name by `extends`",
    """\
A service has the commands of all that it extends; two of them may not have one name.
The same command reached by two ways counts once.

    service Text { command Stop(); }
    service Admin extends Text { command Stop(); }

Rename one of them, or leave out the second if it is the same.
""",
)
