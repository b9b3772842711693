"""Comments that silence a rule, where the golden cases do not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ampgen.analysis import StandardInput
from ampgen.check import check_schemas
from ampgen.language.printer import canonical
from tests.cases.golden import folders

if TYPE_CHECKING:
    from pathlib import Path

ALONE = [
    case
    for case in folders("lint")
    if [path.name for path in sorted(case.iterdir())] == ["schema.amp", "stderr.txt"]
]


def told(text: str) -> list[str]:
    found = check_schemas([StandardInput("schema.amp", text.encode())])
    return [f"{one.rule.code} {one.message}" for one in found]


@pytest.mark.parametrize("case", ALONE, ids=lambda case: case.name)
def test_a_formatted_schema_is_told_the_same(case: Path) -> None:
    text = (case / "schema.amp").read_text(encoding="utf-8")
    assert sorted(told(canonical(text))) == sorted(told(text))


@pytest.mark.parametrize(
    "comment",
    [
        "// ampgen: allow AMP0810 (why)",
        "//ampgen:allow AMP0810",
        "/* ampgen: allow AMP0810, (why) */",
        "// ampgen: allow AMP0810\r",
        '// ampgen: allow AMP0810 (why)\n\n/* more */ // and more\n@x.y(")", [1])',
    ],
)
def test_what_is_read_as_such_a_comment(comment: str) -> None:
    assert told(f"/// No.\n{comment}\nfatal error No;") == []


@pytest.mark.parametrize(
    "schema",
    [
        "/// // ampgen: allow AMP0810\nfatal error No;",
        "/// ampgen: allow AMP0810\nfatal error No;",
        "//// ampgen: allow AMP0810\n/// No.\nfatal error No;",
        '/// No.\n@deprecated("// ampgen: allow AMP0810") fatal error No;',
    ],
)
def test_what_only_looks_like_one(schema: str) -> None:
    assert told(schema) == ["AMP0810 error `No` is fatal"]
