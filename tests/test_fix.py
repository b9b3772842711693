"""Fixes are applied as long as they make nothing worse."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

from ampgen import fix as fixing
from ampgen.diagnostics import Diagnostic, Label, Rule, Severity
from ampgen.diagnostics.fixes import Edit, writing
from ampgen.fix import Fixed, fix_schemas
from ampgen.fix.batches import compatible
from ampgen.fix.history import History
from ampgen.source import Source, Span, StandardInput

RULE = Rule("AMP0999", "odd", "Why.", Severity.WARNING)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fixed(text: str, *, unsafe: bool = True, only: tuple[str, ...] = ()) -> Fixed:
    given = StandardInput("a.amp", text.encode())
    return fix_schemas([given], unsafe=unsafe, only=only)


def mended(text: str, *, unsafe: bool = True, only: tuple[str, ...] = ()) -> str:
    changes = fixed(text, unsafe=unsafe, only=only).changes
    assert all(change.path is None for change in changes)
    return changes[0].after if changes else text


def codes(found: tuple[Diagnostic, ...]) -> list[str]:
    return [one.rule.code for one in found]


WHOLE = "/// S.\nservice S {{\n    /// C.\n    {}\n}}\n"


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("command C(x: int = +1);", "command C(x: int = 1);"),
        ("command C(x: int = 1_0);", "command C(x: int = 10);"),
        ("command C(x: float = -1.);", "command C(x: float = -1.0);"),
        (
            '@deprecated("\\u00e9") command C();',
            '@deprecated("\\u{00e9}") command C();',
        ),
        ("@wire('c') command C();", '@wire("c") command C();'),
        ("@wire(`c`) command C();", '@wire("c") command C();'),
        ("@wire(“c”) command C();", '@wire("c") command C();'),
        ("@wire(c) command C();", '@wire("c") command C();'),
        ("@idempotent @idempotent command C();", "@idempotent command C();"),
        ("C(x: int);", "command C(x: int);"),
        ("oneway C(x: int);", "oneway command C(x: int);"),
        ("command C(x int);", "command C(x: int);"),
        ("command C(x: int[]);", "command C(x: [int]);"),
        ("command C(x: int []);", "command C(x: [int]);"),
        ("command C(reserved a, b);", 'command C(reserved "a", "b");'),
        ("command C(x: str = y);", 'command C(x: str = "y");'),
        ("command C(x: str??);", "command C(x: str?);"),
        ("command C() -> ();", "command C();"),
        ("command C();;", "command C();"),
        ("command C()", "command C();"),
    ],
)
def test_what_is_sure_is_mended(command: str, after: str) -> None:
    assert mended(WHOLE.format(command), unsafe=False) == WHOLE.format(after)


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("command C(x: strng);", "command C(x: str);"),
        ("command C(x: string);", "command C(x: str);"),
        ("comand C();", "command C();"),
        ("@wier('c') command C();", '@wire("c") command C();'),
        ("@owner command C();", "@x.owner command C();"),
        ("command C() => (x: int);", "command C() -> (x: int);"),
        ("command C(): (x: int);", "command C() -> (x: int);"),
        ("command C(int x);", "command C(x: int);"),
        ("command C(x-y: int);", "command C(x_y: int);"),
        ("command C(x: optional str);", "command C(x: str?);"),
        ("command C(x: steram str);", "command C(x: stream str);"),
        ("# no\n    command C();", "// no\n    command C();"),
        ("@idempotent(1) command C();", "@idempotent command C();"),
        ("command C() -> str? ;", "command C() -> (result: str?) ;"),
        ("command C() -> x: str;", "command C() -> (x: str);"),
        ("command C() -> stream str;", "command C() -> stream (item: str);"),
        ("command C() -> x: stream str;", "command C() -> stream (x: str);"),
        ("command c();", '@wire("c") command C();'),
        ('@wire("d") command c();', '@wire("d") command C();'),
        (
            "oneway command c(X: int);",
            '@wire("c") oneway command C(@wire("X") x: int);',
        ),
        ("command C(X: stream int);", "command C(x: stream int);"),
        (
            "command C(@sensitive theX: int = 1);",
            'command C(@wire("theX") @sensitive the_x: int = 1);',
        ),
    ],
)
def test_what_is_a_guess_or_is_noticed_needs_to_be_asked_for(
    command: str, after: str
) -> None:
    before = WHOLE.format(command)
    safely = mended(before, unsafe=False)
    assert mended(before) == WHOLE.format(after) != safely


SCATTERED = """
import "geo.amp";
import "b.amp" as geo_;
/// T.
type the_id = int;
/// E.
enum e { one; TWO; }
/// P.
struct p { a: {e: [p]}; b: e = one; c: [[e]] = [[TWO, one], []]; one: the_id; p: int; }
/// F.
error f "F" { p: p?; e: e = one; }
/// G.
error g "G";
/// S.
service s calls t { /// C.
  command C(p: p, @x.p(p) q: large [p]) -> stream (e: e, f: geo_.f) raises f, geo_.f, g; }
/// T.
service t extends s { /// D.
  command D() -> p: p; }
"""


def test_a_new_name_is_written_wherever_the_old_one_was(folder: Path) -> None:
    (folder / "b.amp").write_text("error f { x: int?; } struct p {}")
    (folder / "geo.amp").write_text("")
    codes = ("AMP0801", "AMP0803")
    assert (
        mended(SCATTERED.replace("f: geo_.f", "f: geo_.p"), only=codes)
        == """
import "geo.amp";
import "b.amp" as geo_;
/// T.
type TheId = int;
/// E.
enum E { ONE = "one"; TWO; }
/// P.
struct P { a: {E: [P]}; b: E = ONE; c: [[E]] = [[TWO, ONE], []]; one: TheId; p: int; }
/// F.
error F "F" { p: P?; e: E = ONE; }
/// G.
error G "G";
/// S.
service S calls T { /// C.
  command C(p: P, @x.p(p) q: large [P]) -> stream (e: E, f: geo_.p) raises F, geo_.f, G; }
/// T.
service T extends S { /// D.
  command D() -> p: P; }
"""
    )


def test_other_files_that_were_named_are_changed_with_it(folder: Path) -> None:
    (folder / "b.amp").write_text("/// P.\nstruct p {}\n")
    uses = 'import "b.amp";\n/// S.\nservice S { /// C.\n command C(p: b.p); }\n'
    (folder / "a.amp").write_text(uses)
    made = fix_schemas([Path("a.amp")], [Path("b.amp")], unsafe=True)
    texts = {change.name: change.after for change in made.changes}
    assert texts == {
        "b.amp": "/// P.\nstruct P {}\n",
        "a.amp": uses.replace("b.p", "b.P"),
    }
    assert [change.path for change in made.changes] == [Path("b.amp"), Path("a.amp")]
    # b.amp alone could be changed, and its importer is not to be
    again = fix_schemas([Path("b.amp")], unsafe=True)
    assert [change.name for change in again.changes] == ["b.amp"]
    (folder / "c.amp").write_text('import "a.amp";\nimport "b.amp";\nservice S {}\n')
    assert not fix_schemas(
        [Path("b.amp"), Path("c.amp")], unsafe=True, only=["AMP0801"]
    ).changes


def test_a_fix_that_leads_to_another_error_is_left_out_alone() -> None:
    text = "type c = int; type C = int; type d = int;\n"
    made = fixed(text, only=("AMP0801",))
    assert [one.fix.title for one in made.done if one.fix] == ["call it `D`"]
    assert [one.message for one in made.refused] == ["alias `c` is not in CapWords"]
    assert made.changes[0].after == text.replace("d =", "D =")
    assert codes(made.left).count("AMP0801") == 1


def test_of_fixes_that_overlap_each_has_its_turn() -> None:
    service = WHOLE.format("command C() -> e;")
    text = f"/// E.\nopen enum e {{ A; }}\n{service}"
    after = text.replace("enum e", "enum E").replace("-> e", "-> (result: E)")
    assert mended(text) == after
    # the first is refused, and does not stand in the way of the second
    text = f"{text}/// E.\nopen enum E {{ A; }}\n"
    made = fixed(text, only=("AMP0801", "AMP0806"))
    assert codes(made.done) == ["AMP0806"]
    assert codes(made.refused) == ["AMP0801"]
    assert made.changes[0].after == text.replace("-> e", "-> (result: e)")


@pytest.mark.parametrize(
    ("places", "first"),
    [
        ([(0, 2), (2, 4), (4, 5)], [0, 1, 2]),
        ([(0, 2), (1, 3), (3, 4)], [0, 2]),
        ([(4, 6), (0, 5), (0, 4)], [0, 2]),
        ([(0, 6), (2, 3), (6, 6)], [0]),
        ([(1, 1), (1, 1), (1, 3), (0, 1), (2, 2)], [0, 4]),
        ([(0, 2), (4, 6), (2, 4), (3, 3)], [0, 1, 2]),
        ([(0, 1), (2, 3), (4, 5), (1, 4)], [0, 1, 2]),
    ],
)
def test_those_go_together_that_do_not_touch_the_same_text(
    places: list[tuple[int, int]], first: list[int]
) -> None:
    source = Source("a.amp", "abcdef")
    told = [
        Diagnostic(RULE, "odd", None, fix=writing(Span(source, start, end), "x"))
        for start, end in places
    ]
    together, others = compatible(told)
    assert [told.index(one) for one in together] == first
    assert len(together) + len(others) == len(places)


def test_the_same_name_in_another_file_is_another_name(folder: Path) -> None:
    (folder / "a.amp").write_text("struct p { p: [p]; }")
    (folder / "b.amp").write_text("struct p { p: [p]; }")
    (folder / "c.amp").write_text('import "a.amp";\nimport "b.amp";\ntype A = a.p;\n')
    made = fix_schemas([Path("b.amp"), Path("c.amp")], unsafe=True, only=["AMP0801"])
    texts = {change.name: change.after for change in made.changes}
    assert texts == {"b.amp": "struct P { p: [P]; }"}


def test_slips_that_hide_one_another_are_mended_together_or_not_at_all() -> None:
    text = WHOLE.format("C(x int, y str[]) -> ();")
    after = WHOLE.format("command C(x: int, y: [str]);")
    assert mended(text, unsafe=False) == after
    hopeless = WHOLE.format("command C(x int, y Nothing);")
    made = fixed(hopeless, unsafe=False)
    assert (made.changes, made.done) == ((), ())
    assert codes(made.refused) == ["AMP0101"]


def test_a_lint_that_is_an_error_does_not_keep_the_compilers_from_being_mended(
    folder: Path,
) -> None:
    (folder / "pyproject.toml").write_text('[tool.ampgen.lint]\nAMP0804 = "error"\n')
    made = fixed("struct P { x: int }", unsafe=False)
    assert made.changes[0].after == "struct P { x: int; }"
    assert codes(made.left) == ["AMP0804"]


def test_a_declaration_goes_with_all_that_only_it_needed(folder: Path) -> None:
    (folder / "b.amp").write_text("struct P {}")
    text = 'import "b.amp";\n\n/// A.\nstruct A { p: b.P; }\n\n/// B.\n'
    text += f"struct B {{ a: A; }}\n\n{WHOLE.format('command C();')}"
    assert mended(text) == WHOLE.format("command C();")
    assert mended(text, unsafe=False) == text


@pytest.mark.parametrize(
    ("comment", "after"),
    [
        ("// ampgen: allow AMP0801 (no)\n    ", ""),
        ("// ampgen: allow AMP0801, AMP0807\n    ", "// ampgen: allow AMP0807\n    "),
        (
            "// ampgen: allow AMP0807, AMP0801 (so)\n    ",
            "// ampgen: allow AMP0807 (so)\n    ",
        ),
        ("/* ampgen: allow AMP0807 AMP0801 */ ", "/* ampgen: allow AMP0807 */ "),
        ("/* ampgen: allow AMP0801 */ ", ""),
    ],
)
def test_a_comment_that_silences_nothing_goes(comment: str, after: str) -> None:
    text = WHOLE.format(comment + "oneway command C();")
    assert mended(text) == WHOLE.format(after + "oneway command C();")
    assert mended(text, unsafe=False) == text  # it may have a use among other files


def test_what_is_told_has_places_in_the_text_as_it_was() -> None:
    text = WHOLE.format("command C(x: int = +1, z int)\n    command D(y: Nothing);")
    text = f'import "b.amp";\n{text}struct a {{ n: Nowhere; }}\n'
    made = fixed(text, unsafe=False)
    [change] = made.changes

    def places(found: tuple[Diagnostic, ...]) -> list[tuple[str, ...]]:
        return [
            (one.rule.code, *one.primary.span.place.split(":")[1:])
            for one in found
            if one.primary
        ]

    def texts(found: tuple[Diagnostic, ...]) -> set[str]:
        return {one.primary.span.source.text for one in found if one.primary}

    assert sorted(places(made.done)) == [
        ("AMP0101", "5", "30"),
        ("AMP0102", "5", "34"),
        ("AMP0107", "5", "24"),
    ]
    assert texts(made.done) == texts(made.left_before) == {text}
    assert texts(made.left) == {change.after}
    left = list(zip(made.left, made.left_before, strict=True))
    shown = [
        (after.primary.span.text, before.primary.span.text)
        for after, before in left
        if after.primary and before.primary
    ]
    assert shown
    assert all(after == before for after, before in shown)


def test_a_place_that_was_written_stands_for_what_it_replaced() -> None:
    steps = [("abcdef", 1, 3, "XYZ"), ("aXYZdef", 0, 0, "> "), ("> aXYZdef", 6, 8, "")]
    history = History()
    for text, start, end, written in steps:
        source = Source("a.amp", text)
        history.note({source: [Edit(Span(source, start, end), written)]})
    now = Source("a.amp", "> aXYZf")

    def before(text: str) -> str:
        at = now.text.index(text)
        label = Label(Span(now, at, at + len(text)))
        told = Diagnostic(RULE, "odd", label, (label,))
        was = history.as_it_was(told)
        assert was.primary is not None
        assert was.related == (was.primary,)
        return was.primary.span.text

    assert [before(text) for text in ("a", "X", "YZ", "XYZf", "f", "aX")] == [
        *("a", "bc", "bc", "bcdef", "f", "abc")
    ]
    assert before(now.text) == "abcdef"
    other = Source("b.amp", "abc")
    label = Label(Span(other, 1, 1))
    told = Diagnostic(RULE, "odd", label)
    assert history.as_it_was(told) == told


def test_only_the_rules_that_are_named_are_mended() -> None:
    text = WHOLE.format("command c() -> int")
    assert mended(text, only=("AMP0102",)) == WHOLE.format("command c() -> int;")


def test_everything_else_stays_as_it_was() -> None:
    text = "\ufeff// é\r\nstruct P {  x : int } // \t\r\n\r\n"
    after = text.replace("int }", "int; }")
    assert mended(text, unsafe=False) == after


def test_many_mistakes_cost_few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = 0

    def counted(*arguments: object) -> tuple[Diagnostic, ...]:
        nonlocal checks
        checks += 1
        return check_schemas(*arguments)  # type: ignore[arg-type]

    from ampgen.check import check_schemas

    monkeypatch.setattr(fixing, "check_schemas", counted)
    commands = "\n".join(f"    /// C.\n    command C{at}()" for at in range(200))
    made = fixed(f"/// S.\nservice S {{\n{commands}\n}}\n", unsafe=False)
    assert (len(made.done), checks) == (200, 3)


def test_fixes_that_undo_each_other_come_to_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def other(schemas: list[StandardInput], *_: object) -> tuple[Diagnostic, ...]:
        text = schemas[0].content.decode()
        span = Span(Source("a.amp", text), 0, 1)
        fix = writing(span, "b" if text == "a" else "a", safe=True)
        return (Diagnostic(RULE, f"an {text}", Label(span), fix=fix),)

    monkeypatch.setattr(fixing, "check_schemas", other)
    made = fixed("a", unsafe=False)
    assert len(made.done) == fixing.MAX_PASSES
    assert made.changes == ()


@pytest.mark.parametrize(
    "command",
    [
        "command C() -> /* why */ ();",
        "command C() -> ( // why\n    );",
    ],
)
def test_what_would_take_a_comment_along_needs_to_be_asked_for(command: str) -> None:
    text = WHOLE.format(command)
    assert mended(text, unsafe=False) == text != mended(text)


def test_an_import_goes_only_with_no_comment_in_it(folder: Path) -> None:
    (folder / "a__b.amp").write_text("struct P {}")
    (folder / "geo.amp").write_text("struct P {}")
    text = 'import /* why */ "geo.amp";\nimport ".//a__b.amp"; // b\n'
    assert mended(text, unsafe=False) == text.replace('import ".//a__b.amp"; ', "")


def test_a_comment_before_a_slip_is_no_part_of_it() -> None:
    text = "struct P {{\n    x{} // an int\n    int{};\n}}\n"
    assert mended(text.format("", ""), unsafe=False) == text.format(":", "")
    lists = "struct P {\n    x: int // an int\n    [];\n}\n"
    assert mended(lists, unsafe=False) == lists


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e30", "1" + "0" * 30),
        ("9007199254740993.0", "9007199254740993"),
        ("-2.50e1", "-25"),
        ("9007199254740993.5", None),
        ("1e400", None),
    ],
)
def test_a_whole_number_is_the_one_that_is_written(
    written: str, meant: str | None
) -> None:
    text = WHOLE.format("command C(x: int = {});")
    after = text.replace("{}", written if meant is None else meant)
    assert mended(text.replace("{}", written), unsafe=False) == after


def test_a_comment_that_other_files_need_is_left(folder: Path) -> None:
    (folder / "lib.amp").write_text(
        "/// E.\n// ampgen: allow AMP0808 (for ever)\nenum E { A; }\n"
    )
    uses = "/// S.\nservice S {\n    /// C.\n    command C() -> (e: lib.E);\n}\n"
    (folder / "a.amp").write_text(f'import "lib.amp";\n{uses}')
    alone = fix_schemas([Path("lib.amp")])
    assert not alone.changes
    assert alone.guesses == 1
    assert not fix_schemas([Path("a.amp")], [Path("lib.amp")]).left


def test_what_is_left_out_is_counted(folder: Path) -> None:
    (folder / "b.amp").write_text("struct Q { x: int y: strng; z: itn; };\n")
    (folder / "a.amp").write_text('import "b.amp";\nstruct P { q: b.Q; y: strng; }\n')
    made = fix_schemas([Path("a.amp")])
    assert made.elsewhere == {"b.amp": 1}
    assert made.guesses == 1
    assert fix_schemas([Path("a.amp")], only=["AMP0105"]).guesses == 0
    assert fix_schemas([Path("a.amp")], unsafe=True).guesses == 0


def test_a_long_schema_that_is_wrong_throughout_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fixing, "MAX_READ", 50_000)
    monkeypatch.setattr(fixing, "MIN_CHECKS", 5)
    command = "    command C{}(x int, y Nothing);\n"
    text = WHOLE.format("\n".join(command.format(at) for at in range(100)))
    made = fixed(text, unsafe=False)
    assert made.gave_up
    assert len(made.refused) == 100
    assert made.changes == ()
    assert not fixed(text[:300], unsafe=False).gave_up
