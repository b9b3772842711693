"""What the lints find, where the golden cases do not reach."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings

from ampgen.analysis import StandardInput, analyse
from ampgen.check import RULES, check_schemas
from ampgen.diagnostics import Severity
from ampgen.lint import LINTS, lint
from ampgen.pipeline import compile_schemas
from tests.analysis.test_properties import schemas

if TYPE_CHECKING:
    import pytest


def told(*lines: str, but: str = "AMP0804") -> list[str]:
    """What lints say of a file, whether a target can make something of it or not."""
    schema, known = analyse([StandardInput("a.amp", "\n".join(lines).encode())])
    found = lint(schema, known, RULES)
    return [f"{one.rule.code} {one.message}" for one in found if one.rule.code != but]


def test_no_lint_is_an_error_by_itself() -> None:
    assert {one.rule.severity for one in LINTS} == {Severity.WARNING, Severity.NOTE}


def test_every_lint_is_found_in_one_place() -> None:
    codes = [rule.code for rule in RULES]
    assert len(codes) == len(set(codes))
    assert [field.name for field in fields(LINTS[0])] == ["rule", "search"]


def test_a_bare_stream_cannot_grow_either() -> None:
    schema, _ = analyse(
        [StandardInput("a.amp", b"service A { command Tail() -> stream bytes; }")]
    )
    helps = [one.help for one in lint(schema, (), RULES)]
    assert "write `-> stream (item: bytes)`: the same on the wire" in helps


def test_the_name_of_a_stream_argument_is_not_on_the_wire() -> None:
    assert told("service A { command Up(f: stream bytes, fG: int); }") == [
        "AMP0802 argument `fG` is not in snake_case"
    ]
    schema, _ = analyse(
        [StandardInput("a.amp", b"service A { command Up(aB: stream bytes); }")]
    )
    helps = [one.help for one in lint(schema, (), RULES)]
    assert "call it `a_b`: the name is not on the wire" in helps


def test_an_item_of_a_stream_has_the_limit_of_a_value() -> None:
    line = "struct Line { a: str; b: str; c: str; d: str; }"
    found = told(line, "service A { command Tail() -> stream (lines: [Line]); }")
    assert found == ["AMP0809 about 436 elements of `lines` fit into a value"]


def test_lints_are_silent_where_the_compiler_finds_errors() -> None:
    text = b"// ampgen: allow AMP0899\nstruct low { x: intt; }"
    found = check_schemas([StandardInput("a.amp", text)])
    assert [one.rule.code for one in found] == ["AMP0204"]


def test_what_the_target_refuses_is_not_told_twice() -> None:
    text = b"""
    /// Texts.
    service Text {
        /// One.
        command FooBar();
        /// Two.
        command Foo_bar();
    }
    """
    found = check_schemas([StandardInput("a.amp", text)])
    assert [one.rule.code for one in found] == ["AMP0601"]


def test_files_that_are_only_imported_are_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("names.amp").write_text("struct low { nO: int; }")
    Path("a.amp").write_text('import "names.amp";\n/// A.\nstruct A { x: names.low; }')
    assert check_schemas([Path("a.amp")]) == ()
    found = check_schemas([Path("a.amp"), Path("names.amp")])
    assert [one.rule.code for one in found] == ["AMP0801", "AMP0802", "AMP0804"]


def test_services_that_no_file_brings_together_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    service = "/// A service.\nservice {} {{\n/// It.\ncommand Stop();\n}}\n"
    Path("a.amp").write_text(service.format("A"))
    Path("b.amp").write_text(service.format("B"))
    assert check_schemas([Path("a.amp"), Path("b.amp")]) == ()
    both = 'import "a.amp"; import "b.amp";'
    Path("c.amp").write_text(both + "/// C.\nservice C extends a.A calls b.B {}")
    assert check_schemas([Path("a.amp"), Path("b.amp"), Path("c.amp")]) == ()
    Path("d.amp").write_text(both + "/// D.\nservice D calls a.A, b.B {}")
    found = check_schemas([Path("a.amp"), Path("d.amp")])
    assert [one.message for one in found] == ["`B` and `A` both answer `Stop`"]
    [one] = found
    assert one.primary is not None
    assert one.primary.span.source.path == "a.amp"  # for the other one was not named


def test_a_service_that_is_called_and_calls_may_be_at_either_end() -> None:
    found = told(
        "service Peer calls Peer { command Stop(); }",
        "service Server { command Stop(); }",
        "service Client { command Stop(); }",
        "service Caller calls Client {}",
        but="AMP0804",
    )
    assert found == [
        "AMP0811 `Peer` and `Server` both answer `Stop`",
        "AMP0811 `Peer` and `Client` both answer `Stop`",
    ]


@settings(max_examples=150, deadline=None)
@given(schemas)
def test_errors_are_those_of_the_compiler_and_no_schema_breaks_a_lint(
    text: str,
) -> None:
    given_ = [StandardInput("a.amp", text.encode())]
    compiled = compile_schemas(given_)
    found = check_schemas(given_)
    assert [(one.rule.code, one.message) for one in found if one.is_error] == [
        (one.rule.code, one.message) for one in compiled.diagnostics if one.is_error
    ]
    schema, known = analyse(given_)
    if not any(one.is_error for one in known):
        lint(schema, known, RULES)  # also of what the target has no Python for
