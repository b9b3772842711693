"""Literals and statements: they mean what they should, and ruff would keep them."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen import output
from ampgen.pipeline import compile_schemas
from ampgen.targets.python import layout
from ampgen.targets.python.docstrings import Section, docstring
from tests.targets.python.conftest import EDGES, SCHEMAS, generate

if TYPE_CHECKING:
    from pathlib import Path

TRICKY = st.text(st.sampled_from("\"'\\ \n\tab\0é\u2028\x7f\r{}"), max_size=12)
WORDS = st.text(st.characters(codec="utf-8"), max_size=20) | TRICKY
LONG = st.text("abcdefghij_XYZ", max_size=90).map("N{}".format)


def ruff_would_change(text: str, path: Path) -> str:
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", path],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@given(WORDS)
def test_a_string_literal_means_its_text(text: str) -> None:
    assert ast.literal_eval(layout.string(text)) == text


@given(st.binary(max_size=20), st.sets(st.integers(0, 20)))
def test_a_bytes_literal_means_its_bytes(data: bytes, escaped: set[int]) -> None:
    assert ast.literal_eval(layout.byte_string(data, escaped)) == data


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_means_its_value(value: float) -> None:
    assert ast.literal_eval(layout.number(value)) == value


@given(WORDS)
def test_a_docstring_says_what_the_doc_says(text: str) -> None:
    made = docstring(text, indent=1)
    function = ast.parse(f"def f():\n{made or '    pass'}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert (ast.get_docstring(function) or "").split() == text.split()


def test_a_docstring_keeps_the_shape_of_the_doc() -> None:
    made = docstring("First.\n\n    code\n\tmore\nlast ", indent=2)
    assert made is not None
    assert inspect.cleandoc(ast.literal_eval(made.strip())) == (
        "First.\n\n    code\n    more\nlast"
    )


def test_ruff_keeps_literals_and_docstrings(tmp_path: Path) -> None:
    texts = [
        *("it's", 'a"b', 'it\'s "a" "', "\\", "\0é\u200b", "a\nb", "'", '"'),
        *(
            '"quoted"',
            "ends \\",
            'a """ b',
            '"""',
            "x\n  y\n    z",
            "  lead\n\n\n tail ",
        ),
        *("tab\tx\n\ty", "long " * 20, "\0ctl\f", '""""', 'x\n"', "a\r\nb", "\\\\\\"),
    ]
    lines: list[str] = []
    for at, text in enumerate(texts):
        sections = [Section("Arguments", (("a", text), ("b", "")))]
        one, two = docstring(text, indent=1), docstring(text, sections, indent=1)
        lines += [f"x = {layout.string(text)}"]
        lines += [f"x = {layout.byte_string(text.encode())}"]
        lines += [f"\n\ndef f{at}():\n{one}\n    return 1"]
        lines += [f"\n\ndef g{at}():\n{two}\n    return 1\n\n"]
    numbers = (1e16, 1e-7, 1.5, -0.0, 1e300, 123456789.125)
    lines += [f"x = {layout.number(value)}" for value in numbers]
    assert ruff_would_change("\n".join(lines) + "\n", tmp_path / "a.py") == ""


SHAPES = """
enum {0}Level {{ {1}; B = "{2}"; }}
open enum {0}Open {{ {1}; }}
struct {0}Item {{
    {1}: [{0}Level]; {2}_b: {{str: [{0}Item]}} = {{}}; c: {0}Level = {1}; d: {0}Level?;
    {2}: [str] = ["{1}", "{2}", "{3}"]; @sensitive e: [{0}Item] = []; f: {0}Union?;
    {3}: {{str: {0}Open}}?; @sensitive g: {{int: [{0}Open]}}?; h: [{0}Open] = [{1}];
}}
union {0}Union {{ {1}: {0}Item; {2}: int; {3}: [[{0}Item]]; }}
@deprecated("{1} {2} {3}") union {0}One {{ {1}: {0}Item; }}
error {0}Error "{1}" {{ {1}: int?; {2}: [int] = [1, 2]; {3}: str = "{3}{2}"; }}
service {0}Events {{ oneway command {1}(); }}
service {0}Base {{}}
service {0}Text extends {0}Base calls {0}Events {{
    /// A doc.
    @deprecated("{3}") @timeout(1m)
    command {2}({1}: int, {2}: {0}Item?, {3}: [str] = ["{3}"])
        -> ({1}: {0}Item, {2}: str) raises {0}Error;
    command {3}A() -> {0}Item;
    command {1}B({1}: [{{str: {0}Union}}]) -> [{{str: [{0}Item]}}];
    command {1}D({1}: {{str: {0}Open}}?, {2}: {0}Open?) -> {{str: {0}Open}}?;
    command {1}E({1}: [{0}Open], {2}: [path]?) -> {0}Open;
    command {1}F({1}: path?) -> path?;
    @wire("{2}-{3}") oneway command {3}C(@wire("{1}") a: {0}Open = {1});
}}
"""


@pytest.mark.parametrize("base", range(0, 100, 20))
def test_ruff_keeps_names_of_any_length(base: int, tmp_path: Path) -> None:
    for length in range(base + 2, base + 22):
        name = ("Name" * length)[:length]
        schema = SHAPES.format(
            name.title(), f"a{name}", f"b{name[:-1]}", f"c{name[: length // 2]}"
        )
        for path, text in generate(schema).items():
            if path.endswith(".py"):
                (tmp_path / f"{length}_{path}").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", tmp_path],
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_ruff_keeps_whole_packages(tmp_path: Path) -> None:
    for schemas in (SCHEMAS, EDGES):
        compiled = compile_schemas(schemas)
        assert compiled.files is not None, compiled.diagnostics
        output.write(tmp_path / schemas[0].stem, compiled.files)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", tmp_path],
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (0, "")
