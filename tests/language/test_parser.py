"""What a text without mistakes becomes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from ampgen.language import tree
from ampgen.language.expectation import KEYWORDS
from ampgen.source import Source, Span
from tests.language.reading import clean, command, field, only, read

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
EVERYTHING = (HERE / "everything.amp").read_text("utf-8")
WORDS = sorted(KEYWORDS | {"stream", "large", "true", "false", "inf", "nan"})


@pytest.mark.parametrize("name", ["everything.amp", "common/geo.amp", "audit.amp"])
def test_the_example_of_the_language_has_no_mistake(name: str) -> None:
    clean((HERE / name).read_text("utf-8"))


def test_declarations_and_imports_are_in_the_order_written() -> None:
    file = clean(EVERYTHING)
    assert [statement.path.value for statement in file.imports] == [
        "common/geo.amp",
        "audit.amp",
    ]
    alias = file.imports[1].alias
    assert alias is not None
    assert alias.text == "log"
    names = [declaration.name.text for declaration in file.declarations]
    assert names == [
        *("Level", "Region", "UserId", "Author", "Target", "TooLong", "Corrupt"),
        *("TextEvents", "Text", "Admin"),
    ]


def test_imports_may_stand_behind_declarations() -> None:
    file = clean('struct A { } import "b.amp"; struct C { }')
    assert len(file.imports) == 1
    assert len(file.declarations) == 2


def nodes(value: object) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from nodes(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, (Source, Span)):
        yield value
        for each in dataclasses.fields(value):
            yield from nodes(getattr(value, each.name))


def test_every_node_spans_its_own_text() -> None:
    file = clean(EVERYTHING)
    found = [node for part in (file.imports, file.declarations) for node in nodes(part)]
    assert len(found) > 250
    for node in found:
        span: Span = node.span
        assert span.source is file.source
        assert span.text == span.text.strip() != ""
        if isinstance(node, tree.Name):
            assert span.text == node.text
        for inner in nodes(
            tuple(getattr(node, f.name) for f in dataclasses.fields(node))
        ):
            if not isinstance(inner, tree.Doc):
                assert span.start <= inner.span.start <= inner.span.end <= span.end


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("struct A { x: int; }", "struct A { x: int; }"),
        (
            "/// doc\n@deprecated open enum A { B; } // x",
            "@deprecated open enum A { B; }",
        ),
        ('fatal error E "E";', 'fatal error E "E";'),
        ("type A = [int]?;", "type A = [int]?;"),
        ("  service A { }  ", "service A { }"),
    ],
)
def test_a_declaration_spans_from_its_annotations_to_its_end(
    text: str, span: str
) -> None:
    (declaration,) = clean(text).declarations
    assert declaration.span.text == span


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "text",
    [
        "struct S {{ {0}: int; }}",
        "struct S {{ @deprecated {0}: int = 1; }}",
        "union U {{ {0}: int; }}",
        "error E {{ {0}: int?; }}",
        "enum E {{ {0}; }}",
        'enum E {{ {0} = "x"; b; }}',
        "service S {{ command C({0}: int, b: int); }}",
        "service S {{ command C(b: int, @wire({0}) {0}: stream T); }}",
        "service S {{ command C() -> ({0}: int, b: int); }}",
        "service S {{ command C() -> {0}: int; }}",
        "service S {{ command C() -> {0}: stream int; }}",
        "service S {{ command {0}(); }}",
        "struct {0} {{ }}",
        "service S {{ command C() raises geo.{0}; }}",
        "@x.{0}({0}) struct S {{ }}",
        "struct S {{ a: T = {0}; }}",
        'import "a.amp" as {0};',
        "service {0} extends {0} calls {0} {{ }}",
    ],
)
def test_any_keyword_may_be_a_name(text: str, word: str) -> None:
    clean(text.format(word))


@pytest.mark.parametrize("word", sorted(set(WORDS) - {"stream", "large"}))
def test_any_keyword_but_the_modifiers_may_name_a_type(word: str) -> None:
    assert field(f"a: {{str: [{word}]}}?;").type.span.text == f"{{str: [{word}]}}?"
    assert command(f"command C() -> {word} raises {word};").raises[0].text == word


@pytest.mark.parametrize("name", ["_", "_x", "x_", "x1", "X", "structure", "format"])
def test_a_name_is_letters_digits_and_underscores(name: str) -> None:
    assert field(f"{name}: int;").name.text == name


@pytest.mark.parametrize(
    "text",
    [
        "int",
        "geo.Point",
        "[int]",
        "[[int?]]",
        "{str: {int: [x.Y]}}",
        "int?",
        "int??",
        "stream int?",
        "large [int]",
        "[stream large int]",
        "{large str?: stream int}",
    ],
)
def test_types_are_read_wherever_they_may_be_refused_later(text: str) -> None:
    assert field(f"a: {text};").type.span.text == text


def test_a_modifier_covers_the_whole_type() -> None:
    modified = field("a: stream [int]?;").type
    assert isinstance(modified, tree.ModifiedType)
    assert modified.keyword.text == "stream"
    assert isinstance(modified.item, tree.OptionalType)
    assert isinstance(modified.item.item, tree.ListType)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("command C();", (None, None, None)),
        ("command C() -> str;", (None, None, "str")),
        ("command C() -> key: large str;", (None, "key", "large str")),
        ("command C() -> stream str;", (None, None, "stream str")),
        ("command C() -> stream: str;", (None, "stream", "str")),
        ("command C() -> large: large str;", (None, "large", "large str")),
        ("command C() -> key: geo.Point?;", (None, "key", "geo.Point?")),
        ("command C() -> {str: int};", (None, None, "{str: int}")),
        ("command C() -> (a: int);", ("", 1, None)),
        ("command C() -> stream (a: int, b: str,);", ("stream", 2, None)),
        ("command C() -> ();", ("", 0, None)),
    ],
)
def test_results(text: str, expected: tuple[object, object, object]) -> None:
    node = command(text)
    match node.result:
        case None:
            actual: tuple[object, object, object] = (None, None, None)
        case tree.ResultList(stream, members):
            actual = ("" if stream is None else stream.text, len(members), None)
        case tree.BareResult(name, type_):
            actual = (None, None if name is None else name.text, type_.span.text)
    assert actual == expected
    assert (node.arrow is None) == (node.result is None)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", []),
        ("a: int", ["a"]),
        ("a: int,", ["a"]),
        ('reserved "x"', [("x",)]),
        ('reserved "x", "y",', [("x", "y")]),
        ('reserved "x", "y", a: int', [("x", "y"), "a"]),
        (
            'a: int, reserved "x", b: int, reserved "y", "z"',
            ["a", ("x",), "b", ("y", "z")],
        ),
        ('reserved "x", reserved "y"', [("x",), ("y",)]),
        (
            'reserved: int, reserved "x", reserved: str',
            ["reserved", ("x",), "reserved"],
        ),
    ],
)
@pytest.mark.parametrize("template", ["command C({0});", "command C() -> ({0});"])
def test_reserved_keys_stand_among_arguments_and_results(
    template: str, text: str, keys: list[object]
) -> None:
    node = command(template.format(text))
    members = node.arguments
    if isinstance(node.result, tree.ResultList):
        members = node.result.members
    assert [
        tuple(key.value for key in member.keys)
        if isinstance(member, tree.Reserved)
        else member.name.text
        for member in members
    ] == keys


@pytest.mark.parametrize(
    "text",
    [
        '@x.a("b", 1,) struct S { reserved "a", "b",; x: [int] = [1, 2,]; }',
        "service S extends A, B, calls C, D, { }",
        "service S { command C(a: int,) -> (b: int,) raises E, F,; }",
    ],
)
def test_a_trailing_comma_is_allowed_in_every_list(text: str) -> None:
    clean(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a"', tree.StringLiteral),
        ("1", tree.IntLiteral),
        ("-1.5", tree.FloatLiteral),
        ("1e3", tree.FloatLiteral),
        ("inf", tree.FloatLiteral),
        ("-inf", tree.FloatLiteral),
        ("nan", tree.FloatLiteral),
        ("true", tree.BoolLiteral),
        ("LOUD", tree.NameLiteral),
        ("log.LOUD", tree.NameLiteral),
        ("2s", tree.DurationLiteral),
        ("[]", tree.ListLiteral),
        ("[1, [2]]", tree.ListLiteral),
        ("{}", tree.MapLiteral),
    ],
)
def test_every_literal_may_be_a_default_and_an_annotation_argument(
    text: str, value: type[tree.Literal]
) -> None:
    member = field(f"@x.y({text}) a: int = {text};")
    assert isinstance(member.default, value)
    assert [type(item) for item in member.annotations[0].arguments] == [value]
    assert member.default.span.text == text


@pytest.mark.parametrize(
    "declaration",
    [
        "type A = int;",
        "enum A { B; }",
        "open enum A { B; }",
        "struct A { }",
        "union A { b: int; }",
        "error A;",
        'fatal error A "A" { }',
        "service A { }",
    ],
)
def test_docs_and_annotations_may_stand_in_either_order(declaration: str) -> None:
    for text in (
        f"/// Doc.\n@deprecated {declaration}",
        f"@deprecated\n/// Doc.\n{declaration}",
    ):
        (node,) = clean(text).declarations
        assert node.doc is not None
        assert node.doc.text == "Doc."
        assert [annotation.name.text for annotation in node.annotations] == [
            "deprecated"
        ]


def test_members_have_docs_and_annotations() -> None:
    enum = only(
        "enum E { /// One.\n @deprecated ONE; /// Two.\n TWO; }", tree.EnumDeclaration
    )
    assert [member.doc.text if member.doc else "" for member in enum.members] == [
        "One.",
        "Two.",
    ]
    node = command(
        "/// C.\n @idempotent oneway command C(/// A.\n a: int) -> (/// R.\n r: int);"
    )
    assert node.doc is not None
    assert node.doc.text == "C."
    (argument,) = node.arguments
    assert isinstance(argument, tree.Field)
    assert argument.doc is not None
    assert argument.doc.text == "A."


def test_a_byte_order_mark_is_accepted_at_the_start_alone() -> None:
    clean("\ufeffstruct S { }")
    assert len(read("struct S { } \ufeff")[1]) == 1


@pytest.mark.parametrize("text", ["", "\n", "// x", "/* x */", "\ufeff", "//! x\r\n"])
def test_a_file_may_be_empty(text: str) -> None:
    file = clean(text)
    assert not file.imports
    assert not file.declarations


def test_line_ends_of_windows_change_nothing() -> None:
    file = clean(EVERYTHING.replace("\n", "\r\n"))
    plain = clean(EVERYTHING)
    assert [node.doc and node.doc.text for node in file.declarations] == [
        node.doc and node.doc.text for node in plain.declarations
    ]
