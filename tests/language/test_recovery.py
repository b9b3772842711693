"""After a mistake: it is reported once, and hides nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampgen.language import tree
from tests.language.reading import codes, messages, read
from tests.language.test_parser import EVERYTHING

BROKEN_FIELDS = [
    "a int;",
    "a: ;",
    "a: int = ;",
    "a: int 5;",
    "a: [int;",
    "a: {str int};",
    "a: {str: int} = {1};",
    "a: $;",
    "a:: int;",
    ": int;",
    "5: int;",
    "@: int;",
    '@wire("a" a: int;',
    "a: int = [1, 2;",
    "list<int> a;",
    "a: list[{str: int}];",
    "a: int, a: str;",
    "struct B { x: int; }",
]


@pytest.mark.parametrize("broken", BROKEN_FIELDS)
@pytest.mark.parametrize("space", [" ", "\n    "])
def test_a_broken_field_hides_no_other_field(broken: str, space: str) -> None:
    text = space.join(["struct S {", "b: int;", broken, "c: ;", "d: int; }"])
    text += "\nstruct T { e: ; }"
    file, diagnostics = read(text)
    assert len(diagnostics) == 3
    assert [diagnostic.message for diagnostic in diagnostics[1:]] == [
        "expected a type, found `;`"
    ] * 2
    first, second = file.declarations
    assert isinstance(first, tree.StructDeclaration)
    names = [m.name.text for m in first.members if isinstance(m, tree.Field)]
    assert [name for name in names if name != "a"] == ["b", "d"]
    assert second.name.text == "T"


BROKEN_COMMANDS = [
    "command (a: int);",
    "command C(a int);",
    "command C(a: int;",
    "command C(a: int, b: {str: int) -> str;",
    "command C(a: int; b: int);",
    "command C(\n    a: int;\n    b: int;\n);",
    "command C() => str;",
    "command C(): {str: int};",
    "command C() -> ;",
    "command C() -> (a: int;",
    "command C() -> str raises ;",
    "command C() raises E -> str;",
    "command C() { return 1; }",
    "command C a: int);",
    "oneway C();",
    "unary C(a: int) -> str;",
    "$ command C();",
]


@pytest.mark.parametrize("broken", BROKEN_COMMANDS)
def test_a_broken_command_hides_no_other_command(broken: str) -> None:
    text = f"service S {{\n    command A();\n    {broken}\n    command B(b: );\n"
    text += "    command D();\n}\nstruct T { e: ; }"
    file, diagnostics = read(text)
    assert len(diagnostics) == 3
    assert [diagnostic.message for diagnostic in diagnostics[1:]] == [
        "expected a type, found `)`",
        "expected a type, found `;`",
    ]
    service, struct = file.declarations
    assert isinstance(service, tree.ServiceDeclaration)
    names = [m.name.text for m in service.members if not isinstance(m, tree.Reserved)]
    assert [name for name in names if name != "C"] == ["A", "D"]
    assert struct.name.text == "T"


BROKEN_DECLARATIONS = [
    "struct { a: int; }",
    "struct A: Base { a: int; }",
    "struct A extends B { a: int; }",
    "struct A;",
    "struct A a: int; }",
    "struct 5 { a: {str: int}; }",
    "struct A {\n    a: int;\n",
    "enum A = { B; C; }",
    "enum { B; }",
    "enum A { 5; }",
    "open A { B; }",
    "union A int | str;",
    "type A int;",
    "type = int;",
    "error A quickly;",
    'error A "A" "B" { a: int?; }',
    "service A extends { command C(); }",
    "service A calls B extends C { command C(); }",
    "service A { command C(); }}",
    "record { a: int; }",
    "record A { a: int; };",
    "import audit.amp;",
    'import "a.amp" az b;',
    "; ",
    "}",
    "$",
    "@deprecated(",
    "command C(a: int);",
    "a: int;\n    b: int;\n}",
]


@pytest.mark.parametrize("broken", BROKEN_DECLARATIONS)
def test_a_broken_declaration_hides_no_other_declaration(broken: str) -> None:
    text = f"struct First {{ a: ; }}\n{broken}\nstruct Last {{ a: ; }}\n"
    file, diagnostics = read(text)
    said = [diagnostic.message for diagnostic in diagnostics]
    assert said[0] == said[-1] == "expected a type, found `;`"
    assert 3 <= len(diagnostics) <= 4
    names = [declaration.name.text for declaration in file.declarations]
    assert (names[0], names[-1]) == ("First", "Last")


@pytest.mark.parametrize(
    "text",
    [
        "struct A;",
        "struct A extends B { x: int; }",
        "struct A x: int; }",
        "struct A { x: ; }",
        "stuct A { x: int; }",
        "enum A { B, C }",
        "enum A B;",
        "union A = int | str;",
        "type A = ;",
        "type A",
        "error A quickly;",
        "service A calls B extends C { }",
        "service A",
        "struct A { x: int;",
        "struct A { x: int",
        "struct A { x: {str",
    ],
)
def test_a_declaration_whose_name_can_be_read_is_kept(text: str) -> None:
    file, diagnostics = read(text)
    assert diagnostics
    assert [declaration.name.text for declaration in file.declarations] == ["A"]


def test_what_could_be_read_of_a_broken_piece_is_kept() -> None:
    file, _diagnostics = read('import "a.amp" az b; enum E { A = 5; B; }')
    assert [statement.path.value for statement in file.imports] == ["a.amp"]
    (enum,) = file.declarations
    assert isinstance(enum, tree.EnumDeclaration)
    assert [member.name.text for member in enum.members] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "incomplete"),
    [
        ("enum E { A; }", False),
        ("enum E { 5; }", True),
        ("enum E;", True),
        ("union E { a: int; }", False),
        ("union E { 5: int; }", True),
        ("union E = int;", True),
    ],
)
def test_a_declaration_knows_that_members_are_missing(
    text: str, incomplete: bool
) -> None:
    (declaration,) = read(text)[0].declarations
    assert isinstance(declaration, tree.EnumDeclaration | tree.UnionDeclaration)
    assert declaration.incomplete is incomplete


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("struct S { a: int\n b: int; }", "int|\n"),
        ("struct S { a: int // c\n b: int; }", "int| //"),
        ("struct S { a: int /// c\n b: int; }", "int| ///"),
        ("struct S { a: int /* c */ }", "int| /*"),
        ('import "a.amp"\nstruct S { }', '"a.amp"|\n'),
        ("type A = int", "int|"),
        ("type A = int\n\n", "int|\n"),
    ],
)
def test_a_missing_semicolon_is_behind_the_last_token(text: str, place: str) -> None:
    (diagnostic,) = read(text)[1]
    assert diagnostic.rule.code == "AMP0102"
    assert diagnostic.primary is not None
    span = diagnostic.primary.span
    assert span.start == span.end
    assert place in f"{text[: span.start]}|{text[span.start :]}"


@pytest.mark.parametrize(
    "text",
    [
        'import "a.amp;\nstruct S { }',
        'struct S { a: str = "x;\n b: int; }',
        'enum E { A = "x;\n B; }',
        'error E "x;\nstruct S { }',
        '@deprecated("x)\nstruct S { }',
        'service S { @wire("x) command C();\n command D(); }',
        'struct S { a: str = "x; }',
        "/* x",
        "struct S { /* a: int; }",
        "struct S { a: /* int; }",
    ],
)
def test_what_has_no_end_causes_no_further_error(text: str) -> None:
    assert codes(text) in (["AMP0108"], ["AMP0109"])


def test_a_brace_that_is_missing_is_reported_once_though_it_comes_later() -> None:
    assert codes("struct A {\n  a: int;\nstruct B { }\n}\n") == ["AMP0103"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("struct S { a: int b; }", "expected `;`, or `=` and a default, found `b`"),
        ("struct S { 5; }", "expected a field or `}`, found `5`"),
        ("union U { 5; }", "expected a member or `}`, found `5`"),
        ("enum E { 5; }", "expected a member or `}`, found `5`"),
        ("enum E { A 5; }", "expected `;`, or `=` and a value, found `5`"),
        ("service S { 5; }", "expected a command or `}`, found `5`"),
        ("service S { command C(5); }", "expected an argument or `)`, found `5`"),
        ("service S { command C() -> (5); }", "expected a result or `)`, found `5`"),
        ("service S { command C() -> 5; }", "expected a type or `(`, found `5`"),
        ("service S { command C() 5; }", "expected `;`, `->` or `raises`, found `5`"),
        ("5", "expected a declaration, found `5`"),
        ("@a 5", "expected a declaration or `(`, found `5`"),
        ("type A 5;", "expected `=`, found `5`"),
        ("import 5;", "expected a string, found `5`"),
        ("struct 5", "expected a name, found `5`"),
        ("struct", "expected a name, found the end of the file"),
    ],
)
def test_messages_say_what_was_expected_in_the_words_of_the_user(
    text: str, said: str
) -> None:
    assert messages(text)[0] == said


def assert_sound(text: str) -> None:
    file, diagnostics = read(text)
    for diagnostic in diagnostics:
        labels = [*diagnostic.related]
        if diagnostic.primary is not None:
            labels.append(diagnostic.primary)
        for label in labels:
            assert 0 <= label.span.start <= label.span.end <= len(text)
            assert label.span.source is file.source
    for node in (*file.imports, *file.declarations):
        assert 0 <= node.span.start <= node.span.end <= len(text)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert_sound(text)


PIECES = st.sampled_from(
    [
        *("{", "}", "(", ")", "[", "]", ";", ":", ",", ".", "=", "?", "@", "->", "$"),
        *("struct", "enum", "open", "union", "error", "fatal", "service", "type"),
        *("import", "command", "oneway", "raises", "extends", "calls", "reserved"),
        *("stream", "large", "x", "Y", "int", '"a"', '"', "5", "-1.5", "/// d", "/*"),
        *("//! f", "// c", "\n", "\r\n", "\t", "\ufeff", "\\", "\x00", "ü"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_any_pieces_of_the_language_are_read(pieces: list[str]) -> None:
    assert_sound(" ".join(pieces))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(EVERYTHING)), st.integers(0, 20), PIECES),
        min_size=1,
        max_size=5,
    )
)
def test_the_example_with_anything_changed_is_read(
    changes: list[tuple[int, int, str]],
) -> None:
    text = EVERYTHING
    for start, size, piece in changes:
        text = text[:start] + piece + text[start + size :]
    assert_sound(text)


@pytest.mark.parametrize("text", ["[", "{", "(", "a: [", "@", "/*", '"', "int?", "-> "])
def test_reading_takes_time_in_proportion_to_the_text(text: str) -> None:
    begin = time.perf_counter()
    read("struct S { a: " + text * 20_000)
    read(f"{text} x\n" * 2_000)
    assert time.perf_counter() - begin < 20
