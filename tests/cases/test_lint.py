"""Schemas that are legal, each with what `ampgen check` says of them all the same.

A case is a folder under ``lint/``: ``schema.amp``, what it imports, where levels are
set ``pyproject.toml``, and the expected ``stderr.txt``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ampgen.check import check_schemas
from ampgen.lint import RULES
from tests.cases.golden import as_text, check, folders

LINT = folders("lint")


@pytest.mark.parametrize("case", LINT, ids=lambda case: case.name)
def test_a_legal_schema_is_told_what_may_be_regretted(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    check(case / "stderr.txt", as_text(check_schemas([Path("schema.amp")])))


def test_every_lint_has_a_case() -> None:
    said = "".join((case / "stderr.txt").read_text("utf-8") for case in LINT)
    assert {rule.code for rule in RULES} <= set(re.findall(r"\[(AMP\d+)\]", said))
