"""What the parser says about broken schemas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ampgen.language.parser import parse
from ampgen.language.rules import RULES
from ampgen.source import Source
from tests.cases.golden import as_text, check, folders

if TYPE_CHECKING:
    from pathlib import Path

SYNTAX = folders("syntax")


@pytest.mark.parametrize("case", SYNTAX, ids=lambda case: case.name)
def test_a_broken_schema_is_reported_as_it_was_agreed(case: Path) -> None:
    text = (case / "schema.amp").read_bytes().decode()
    _file, diagnostics = parse(Source("schema.amp", text))
    assert diagnostics
    check(case / "stderr.txt", as_text(diagnostics))


def test_every_rule_of_the_language_has_a_case() -> None:
    said = "".join((case / "stderr.txt").read_text("utf-8") for case in SYNTAX)
    assert set(re.findall(r"\[(AMP\d+)\]", said)) == {rule.code for rule in RULES}
