"""Schemas of which nothing can be made for Twisted, each with what is said of them.

As `test_refused_python.py`; the cases are under ``refused_twisted/``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ampgen.pipeline import compile_schemas
from ampgen.targets.twisted import RULES
from tests.cases.golden import as_text, check, folders

REFUSED = folders("refused_twisted")


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_says_why_there_is_nothing_for_it(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    compiled = compile_schemas([Path("schema.amp")], target="twisted")
    assert compiled.files is None
    check(case / "stderr.txt", as_text(compiled.diagnostics))


def test_every_rule_has_a_case() -> None:
    told = {
        code
        for case in REFUSED
        for code in re.findall(
            r"^\w+\[(AMP\d{4})\]", (case / "stderr.txt").read_text(), re.MULTILINE
        )
    }
    assert {rule.code for rule in RULES} <= told


def test_the_python_target_has_nothing_against_these_names() -> None:
    for name in ("same_method", "module"):
        schema = Path(__file__).parent / "refused_twisted" / name / "schema.amp"
        assert compile_schemas([schema]).files is not None
