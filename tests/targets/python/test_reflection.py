"""The schema that a generated module carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ampgen.pipeline import compile_schemas

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import CompileSchema

TEXT = 'struct Point { x: int; y: int = 1; }\n/// Doc.\nenum E { A = "a"; }\n'


@pytest.mark.parametrize(
    "same",
    [
        "// A note.\n" + TEXT,
        TEXT.replace("x: int;", "x : int ; // why\n"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace('"a"', '"\\u{61}"'),
    ],
)
def test_layout_and_comments_change_nothing(same: str, tmp_path: Path) -> None:
    path = tmp_path / "a.amp"
    made: list[dict[str, str] | None] = []
    for text in (TEXT, same):
        path.write_bytes(text.encode())
        made.append(compile_schemas([path]).files)
    assert made[0] is not None
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "doc",
    [
        '"""',
        "\\",
        '\\"""\\',
        'ends in "',
        "tab\there",
        "\N{EURO SIGN} \u200b \x07",
        "{{ x }}",
    ],
)
def test_any_text_is_carried_as_it_is(doc: str, compile_schema: CompileSchema) -> None:
    text = f'//! {doc}\n\n/// {doc}\nenum E {{\n    A = "a";\n}}\n'
    assert compile_schema(text).__ampgen_schema__.text == text
