"""What is the same in both versions, where it travels, and who calls whom."""

from __future__ import annotations

import pytest

from ampgen.compat import compare
from ampgen.compat.changes import Part
from ampgen.compat.verdicts import Peers, Wire
from tests.compat.changed import changes, schemas, told

REPEAT = "service Text { command Repeat(text: str) -> str; }"


@pytest.mark.parametrize("text", [REPEAT, "", "struct A { b: [A]; }"])
def test_what_is_the_same_has_not_changed(text: str) -> None:
    assert told(text, text) == []


def test_comments_docs_format_and_order_are_no_change() -> None:
    old = """
        enum A { X; Y; }
        struct B { a: A; c: int; }
        service S { command C(b: B) -> (d: int, e: int); command F(); }
    """
    new = """
        /// It.
        service S { command F(); command C(b: B) -> (e: int, d: int); }
        // B
        struct B { c: int; a: A; }
        enum A { Y; X; }
    """
    assert told(old, new) == []


def test_a_change_of_a_type_is_told_once_with_all_its_uses() -> None:
    before = """
        struct Author { name: str; %s }
        struct Book { authors: {str: Author}; }
        error Missing { books: [Book] = []; }
        service Text {
            command Add(book: Book?);
            command Find() -> stream (author: Author);
            command Get() -> int raises Missing;
            command Other(author: int);
        }
    """
    (change,) = changes(before % "", before % "born: date;")
    assert [(one.name, one.part, one.through) for one in change.uses] == [
        ("Text.Add", Part.ARGUMENT, ("book", "authors")),
        ("Text.Find", Part.ITEM, ("author",)),
        ("Text.Get", Part.ERROR, ("books", "authors")),
    ]
    assert change.server_first is not None
    assert change.server_first.words == (
        "an old client's `Add` fails with INVALID_ARGUMENT: `born` is missing; "
        "a Twisted server also drops the connection"
    )


def test_a_recursive_type_is_followed_once() -> None:
    before = "struct Tree { kids: [Tree]; %s } service S { command C(tree: Tree); }"
    (change,) = changes(before % "", before % "id: int;")
    assert len(change.uses) == 1


def test_a_type_that_does_not_travel_is_safe_on_the_wire() -> None:
    before = "struct A { x: int; %s }"
    assert told(before % "", before % "y: int;") == [
        "AMP1033 S S B B: field `y` of struct `A` is new and required"
    ]


def test_types_are_the_same_by_where_they_stand() -> None:
    old = """
        struct A { x: int; inner: B; }
        struct B { y: int; }
        service S { command C(a: [A]); }
    """
    new = """
        struct P { x: int; inner: Q; }
        struct Q { y: float; }
        service S { command C(a: [P]); }
    """
    assert told(old, new) == [
        "AMP1049 S K B B: field `y` of struct `Q` is `float` now, and was `int`",
        "AMP1055 S S B B: struct `P` was called `A`",
        "AMP1055 S S B B: struct `Q` was called `B`",
    ]


def test_a_type_that_has_moved_to_another_file_is_the_same() -> None:
    service = "service S { command C(a: A); }"
    old = schemas(one="struct A { x: int; }" + service, two="")
    import_ = 'import "two.amp";'
    new = schemas(
        one=import_ + service.replace("a: A", "a: two.A"),
        two="struct A { x: int; y: int; }",
    )
    added, moved = compare(old, new)
    assert added.message == "field `y` of struct `A` is new and required"
    assert added.at.span.source.path == "two.amp"
    assert moved.message == "struct `A` was in `one.amp`"


def test_a_type_that_nothing_uses_moves_as_well() -> None:
    text = "struct A { x: int; }"
    (moved,) = compare(schemas(one=text, two=""), schemas(one="", two=text))
    assert moved.message == "struct `A` was in `one.amp`"


def test_one_file_is_compared_with_one_whatever_they_are_called() -> None:
    text = "struct A { x: int; }"
    assert compare(schemas(old=text), schemas(new=text)) == ()


def test_what_is_in_a_struct_that_is_many_now_is_followed() -> None:
    text = "struct A { x: int; %s } service S { command C(a: %s); }"
    assert told(text % ("", "A"), text % ("y: int;", "[A]")) == [
        "AMP1033 K S B S: field `y` of struct `A` is new and required",
        "AMP1046 S K B B: argument `a` of `C` is `[A]` now, and was `A`",
    ]
    (added, _many) = changes(text % ("", "[A]"), text % ("y: int;", "A"))
    assert len(added.uses) == 1


def test_a_map_of_other_keys_and_other_values_is_told_by_its_keys() -> None:
    text = "struct A { x: int; } service S { command C(a: {%s}); command D(a: A); }"
    assert told(text % "str: str", text % "int: A") == [
        "AMP1049 X X B B: argument `a` of `C` is `{int: A}` now, and was `{str: str}`"
    ]


def test_another_type_that_has_been_there_is_another_type() -> None:
    text = """
        struct A { x: int; }
        struct B { x: int; y: int; }
        service S { command C(a: %s); command D(a: A, b: B); }
    """
    assert told(text % "A", text % "B") == [
        "AMP1047 K S B B: argument `a` of `C` is `B` now, and was `A`"
    ]


def test_types_that_are_written_alike_are_told_apart() -> None:
    text = "type U = %s; service S { command C(a: [U], b: {str: U}); }"
    assert [line.split(": ", 1)[1] for line in told(text % "int", text % "str")] == [
        "argument `a` of `C` is `[str]` now, and was `[int]`",
        "argument `b` of `C` is `{str: str}` now, and was `{str: int}`",
    ]
    text = "%s U { a: int; } service S { command C(a: U); }"
    changed, _gone = changes(text % "struct", text % "union")
    assert changed.message == "argument `a` of `C` is `union U` now, and was `struct U`"


def test_a_type_is_told_in_one_line() -> None:
    (added,) = changes(
        "service S { command C(); }",
        "service S { command C(a: large\n { str: // the key\n int /* the value */}); }",
    )
    assert added.help is not None
    assert added.help.startswith("add it as optional (`large { str: int }?`) or")


def test_types_of_one_name_are_told_apart_by_their_files() -> None:
    text = (
        'import "one.amp" as %s; import "two.amp" as %s; '
        "service S { command C(a: a.P, b: b.P); }"
    )
    points = {"one": "struct P { x: int; }", "two": "struct P { x: str; }"}
    old = schemas(**points, text=text % ("a", "b"))
    new = schemas(**points, text=text % ("b", "a"))
    assert [one.message for one in compare(old, new)] == [
        f"argument `{name}` of `C` is `struct P of {now}.amp` now, and was "
        f"`struct P of {was}.amp`"
        for name, now, was in (("a", "two", "one"), ("b", "one", "two"))
    ]


def test_each_end_calls_a_command_what_it_is_called_there() -> None:
    text = "service S { command %s(a: int%s); }"
    old, new = text % ("C", ""), text % ("D", ", b: int")
    new = new.replace("command", '@wire("C") command')
    (_renamed, added) = changes(old, new)
    assert added.server_first is not None
    assert added.client_first is not None
    assert added.server_first.words.startswith("an old client's `C` fails")
    assert added.client_first.words.startswith("`b` of a new client's `D` is")


@pytest.mark.parametrize(
    ("result", "help_"),
    [
        ("", None),
        ("-> int", None),
        (
            "-> (result: int)",
            'write `reserved "b"`, so that nobody uses the key again',
        ),
    ],
)
def test_a_key_is_to_be_reserved_where_it_can_be(
    result: str, help_: str | None
) -> None:
    text = "service S { command C() %s; }"
    found = changes(text % "-> (result: int, b: int)", text % result)
    assert [one.help for one in found if "`b`" in one.message] == [help_]


def test_a_key_decides_and_not_a_name() -> None:
    old = 'service S { command C(@wire("n") name: str, b: int); }'
    new = 'service S { command C(b: int, @wire("n") title: str); }'
    assert [line[:7] for line in told(old, new)] == ["AMP1013", "AMP1014"]


def test_what_comes_in_another_place_is_not_renamed() -> None:
    old = "service S { command C(a: str?, b: int); }"
    new = "service S { command C(b: int, c: str?); }"
    assert [line[:7] for line in told(old, new)] == ["AMP1006", "AMP1008"]


def test_what_comes_in_its_place_with_another_type_is_not_renamed() -> None:
    old = "service S { command C(a: str?); command D(a: str?); }"
    new = "service S { command C(b: int?); command D(b: str); }"
    assert [line[:7] for line in told(old, new)] == [
        "AMP1006",
        "AMP1007",
        "AMP1008",
        "AMP1008",
    ]


def test_a_command_that_comes_in_another_place_is_not_renamed() -> None:
    old = "service S { command A(); command B(x: int); }"
    new = "service S { command B(x: int); command C(); }"
    assert told(old, new) == [
        "AMP1001 S E S B: command `C` is new",
        "AMP1002 E S B S: command `A` is gone",
    ]


def test_an_error_that_keeps_its_code_is_renamed() -> None:
    text = 'error %s "FULL"; service S { command C() raises %s; }'
    assert told(text % ("Full", "Full"), text % ("Crowded", "Crowded")) == [
        "AMP1055 S S B B: error `Crowded` was called `Full`"
    ]


def test_an_error_that_travels_under_a_known_code_is_known() -> None:
    text = 'error A "X"; error B "X"; service S { command C() raises %s; }'
    assert told(text % "A", text % "B") == [
        "AMP1024 S S S S: `C` raises `B` now",
        "AMP1025 S S B B: `C` no longer raises `A`",
    ]


def test_an_error_under_the_code_of_another_is_taken_for_that() -> None:
    text = 'error A "%s"; error B "%s"; service S { command C() raises A, B; }'
    (one, other) = changes(text % ("X", "Y"), text % ("Y", "X"))
    assert {one.verdict.server_first, other.verdict.client_first} == {Wire.WRONG}
    assert one.server_first is not None
    assert one.server_first.words == (
        "a `A` from a new server's `C` is taken by an old client for a `B`, which has "
        "that code there"
    )


def test_a_fatal_error_ends_the_connection_whatever_it_is_taken_for() -> None:
    text = (
        'error A "X"; fatal error B "X"; service S { command C() raises %s; '
        "command D() raises A; command E() raises B; }"
    )
    assert told(text % "A", text % "B") == [
        "AMP1024 K S S S: `C` raises `B` now",
        "AMP1025 S S B B: `C` no longer raises `A`",
    ]


# --- values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("int = 1", "float = 1", []),
        ("float = nan", "float = nan", []),
        ("float = 1", "float = 1.5", ["was `1.0`, and is `1.5`"]),
        ("[float] = [0]", "[decimal] = []", ["was `[0.0]`, and is `[]`"]),
        ('str = "A"', "E = A", []),
        ('str = "B"', "E = A", ["was `'B'`, and is `A`"]),
        ("int?", "int = 0", ["was `None`, and is `0`"]),
    ],
)
def test_a_default_is_a_value_and_not_how_it_is_written(
    old: str, new: str, expected: list[str]
) -> None:
    text = "open enum E {{ A; }} service S {{ command C(a: {}); }}".format
    assert [
        change.message.removeprefix("the default of argument `a` of `C` ")
        for change in changes(text(old), text(new))
        if change.rule.code == "AMP1015"
    ] == expected


# --- services -------------------------------------------------------------------------


def test_an_inherited_command_is_told_once() -> None:
    text = (
        "service A { command C(%s); } service B extends A { } service D extends B { }"
    )
    (change,) = changes(text % "", text % "x: int")
    assert [one.name for one in change.uses] == ["A.C"]


def test_a_command_that_moves_to_a_base_is_the_same() -> None:
    old = "service A { } service B extends A { command C(); command D(); }"
    new = "service A { command C(); } service B extends A { command D(); }"
    assert told(old, new) == ["AMP1001 S E S B: command `C` is new"]


def test_a_service_that_is_called_back_has_the_roles_swapped() -> None:
    text = "service E { command P(%s); } service T calls E { }"
    assert told(text % "", text % "x: int") == [
        "AMP1007 D K B B: argument `x` of `P` is new and required"
    ]


def test_a_base_of_what_is_called_back_is_called_back() -> None:
    text = "service B { command P(%s); } service E extends B { } service T calls E { }"
    (change,) = changes(text % "", text % "x: int")
    assert [one.is_called_back for one in change.uses] == [True]


CALLS: list[tuple[str, str, list[str]]] = [
    (  # with a base, what it calls
        "service T calls E { } service A extends T { }",
        "service T calls E { } service A { }",
        ["S E B B: service `A` no longer calls `E`"],
    ),
    (  # by way of another base
        "service T calls E { } service U calls E { } service A extends T { }",
        "service T calls E { } service U calls E { } service A extends U { }",
        [],
    ),
    (  # what a base calls is told of the base alone
        "service T { } service A extends T { }",
        "service T calls E { } service A extends T { }",
        ["E S S S: service `T` calls `E` now"],
    ),
    (  # the base alone is another
        "service T { } service A extends T calls E { }",
        "service T calls E { } service A extends T { }",
        ["E S S S: service `T` calls `E` now"],
    ),
    (  # what extends it has its commands
        "service A calls E { }",
        "service A calls F { }",
        [
            "E S S S: service `A` calls `F` now",
            "S S B B: service `A` no longer calls `E`",
        ],
    ),
    (
        "service A calls E { }",
        "service A calls G { }",
        [
            "S S S S: service `A` calls `G` now",
            "S S B B: service `A` no longer calls `E`",
        ],
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), CALLS)
def test_a_service_calls_what_its_bases_call(
    before: str, after: str, expected: list[str]
) -> None:
    called = (
        "service E { command P(); } service F extends E { command Q(); } "
        "service G extends E { } "
    )
    assert told(called + before, called + after) == [
        f"AMP1054 {one}" for one in expected
    ]


def test_a_service_that_calls_itself_is_called_by_both() -> None:
    text = "service E calls E { command P(%s); }"
    assert told(text % "", text % "x: int") == [
        "AMP1007 K K B B: argument `x` of `P` is new and required"
    ]


def test_a_service_that_comes_with_what_calls_it_is_told_once() -> None:
    old = "service T { command C(); }"
    new = "service E { command P(); } service T calls E { command C(); }"
    assert told(old, new) == ["AMP1051 E S S S: service `E` is new"]
    assert told(new, old) == ["AMP1052 S E B B: service `E` is gone"]


def test_a_service_with_other_commands_is_another_service() -> None:
    old = "service A { command C(); command D(); }"
    new = "service B { command C(); command E(); command F(); }"
    assert [line[:7] for line in told(old, new)] == ["AMP1051", "AMP1052"]


def test_a_removed_command_of_a_renamed_service_is_told_there() -> None:
    old = "service A { command C(); command D(); command E(); }"
    new = "service B { command C(); command D(); }"
    (gone, renamed) = changes(old, new)
    assert (gone.rule.code, renamed.rule.code) == ("AMP1002", "AMP1055")
    assert gone.at.span.text == "B"
    assert gone.help == 'write `reserved "E";`, so that nobody uses it again'


def test_without_twisted_a_connection_ends_for_a_fatal_error_alone() -> None:
    old = 'error F "F"; service S { command C(a: int) raises F; oneway command O(); }'
    new = f"fatal {old}".replace("a: int", "b: int").replace("O()", "P()")
    for line in told(old, new, Peers.AMPGEN):
        assert ("K" in line[:16]) is line.startswith("AMP1027"), line


# --- streams --------------------------------------------------------------------------

STREAMS = [
    ("C(a: int)", "C(a: stream int)", "K K"),
    ("C(a: int?)", "C(a: stream int)", "K E"),
    ("C() -> int", "C() -> stream int", "K E"),
    ("C(a: stream int) -> int", "C(a: stream int) -> stream int", "K X"),
    ("C(a: stream int) -> stream int", "C(a: int) -> stream int", "K K"),
    ("C(a: stream int) -> stream int", "C() -> stream int", "D K"),
    ("C() -> stream int", "C() -> stream str", "K S"),
    ("C() -> stream int", "C() -> key: stream int", "K K"),
]


@pytest.mark.parametrize(("old", "new", "wire"), STREAMS)
def test_a_stream_on_one_side_is_none(old: str, new: str, wire: str) -> None:
    text = "service S {{ command {}; }}".format
    (line,) = told(text(old), text(new))
    assert line.split(" ", 1)[1].startswith(wire)


def test_a_oneway_command_that_has_streamed() -> None:
    old = "service S { command C(a: stream int); }"
    new = "service S { oneway command C(); }"
    assert told(old, new) == ["AMP1004 E K B B: `C` is oneway now"]
    assert told(old, new, Peers.AMPGEN) == ["AMP1004 E D B B: `C` is oneway now"]


# --- code -----------------------------------------------------------------------------

SOURCE = [
    ("C(a: int)", "C(a: float)", "S B"),
    ("C(a: float)", "C(a: int)", "B S"),
    ("C(a: str)", "C(a: path)", "S B"),
    ("C(a: path)", "C(a: str)", "B B"),
    ("C(a: int)", "C(a: json)", "S B"),
    ("C(a: [int])", "C(a: [float])", "S B"),
    ("C(a: {str: int})", "C(a: {str: float})", "S B"),
    ("C(a: E)", "C(a: str)", "S B"),
    ("C(a: E)", "C(a: O)", "B B"),
    ("C() -> (a: int)", "C() -> (a: float)", "B S"),
]


@pytest.mark.parametrize(("old", "new", "source"), SOURCE)
def test_code_goes_on_where_a_value_does_in_its_place(
    old: str, new: str, source: str
) -> None:
    text = (
        "enum E {{ A; }} open enum O {{ A; }} service S {{ "
        "command {}; command Keep(e: E, o: O); }}"
    ).format
    (line,) = told(text(old), text(new))
    assert line[12:15] == source
