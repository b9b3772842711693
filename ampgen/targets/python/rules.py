"""AMP06xx: names that collide in generated Python."""

from __future__ import annotations

from ampgen.diagnostics import Rule

SAME_METHOD = Rule(
    "AMP0601",
    "two commands with one method name",
    """\
A command is a method of the generated classes, called like the command in snake_case.
Two commands of one service, its inherited ones included, cannot share a method.

    service Text {
        command FooBar();
        command Foo_bar();      // both would be the method `foo_bar`
    }

Rename one. If programs already use it, pin the name they send:

    @wire("Foo_bar") command FooBarAgain();
""",
)

SAME_FIELD = Rule(
    "AMP0602",
    "two fields with one name in Python",
    """\
A name that Python keeps for itself gets a trailing underscore, and so does one that the
generated class needs: `from` becomes `from_`, `self` becomes `self_`. That name must
then not be taken.

    struct Mail { from: str; from_: str; }

Rename one. If programs already use it, pin the key they send:

    struct Mail { from: str; @wire("from_") sender: str; }
""",
)

CALLED_SERVICE = Rule(
    "AMP0603",
    "a called service has a name that is taken in Python",
    """\
A handler reaches the other end through a property called like the called service in
snake_case. Neither a command nor another called service may have that name.

    service TextEvents { oneway command Progress(done: int); }
    service Text calls TextEvents {
        command Text_events();  // the method `text_events`, beside the property
    }

Rename the command, and pin its old name with `@wire` if programs already use it; or
rename the service, which has no name on the wire.
""",
)

SAME_CLASS = Rule(
    "AMP0604",
    "two classes with one name in Python",
    """\
One module is generated for each file. It has a class for each struct, enum, union and
error; a class `UnionMember` for each member of a union; `CommandResult` for each result
in parentheses, `CommandItem` for a stream of them; `ServiceClient` and `ServiceServer`
for each service. No two may share a name.

    struct TextClient { name: str; }
    service Text { command Get() -> (text: str); }
    service Page { command Get() -> (page: str); }      // `GetResult` twice

Rename one. A command keeps its name on the wire if that is pinned:

    service Page { @wire("Get") command GetPage() -> (page: str); }
""",
)

SAME_EXPORT = Rule(
    "AMP0605",
    "one name from two schemas",
    """\
The generated package offers the names of all schemas named on the command line, so no
two of them may have one name.

    // text.amp: struct Entry { … }      log.amp: struct Entry { … }
    ampgen compile text.amp log.amp -o pkg

Rename one, or compile them into two packages. Schemas that are only imported are not
offered by the package itself, and may have what names they like.
""",
)

NO_BASE_ORDER = Rule(
    "AMP0606",
    "services extended in an order that Python refuses",
    """\
`extends` makes real subclasses, with the bases in the written order. Python has to put
all of them into one line, each service before what it extends, and bases as they are
written.

    service Admin extends Text { … }            // Admin before Text
    service Root extends Text, Admin { … }      // Text before Admin

Name the more special service first, or leave out what comes with another:

    service Root extends Admin { … }
""",
)

SAME_MEMBER = Rule(
    "AMP0607",
    "two members of an enum with one name in Python",
    """\
A member that is called like a method of Python's strings, or like a keyword, gets a
trailing underscore: `title` becomes `title_`. That name must then not be taken.

    enum Part { title; title_; }

Rename one; its value can stay:

    enum Part { title; heading = "title_"; }
""",
)

SHADOWED_MODULE = Rule(
    "AMP0608",
    "a name that hides a generated module",
    """\
The generated package offers the names of the schemas named on the command line, next to
its modules. A name like that of a module or folder in it would hide that module.

    // text.amp
    struct text { line: str; }

Rename one of the two.
""",
)

SAME_MODULE = Rule(
    "AMP0609",
    "two files with one module name in Python",
    """\
A file or folder that is called like a keyword of Python gets a trailing underscore in
the generated package: `class.amp` becomes `class_.py`. That name must then not be
taken, by another file or by a folder.

    class.amp       // would be class_.py
    class_.amp      // as well

Rename one of them.
""",
)

RULES: tuple[Rule, ...] = (
    SAME_METHOD,
    SAME_FIELD,
    CALLED_SERVICE,
    SAME_CLASS,
    SAME_EXPORT,
    NO_BASE_ORDER,
    SAME_MEMBER,
    SHADOWED_MODULE,
    SAME_MODULE,
)
