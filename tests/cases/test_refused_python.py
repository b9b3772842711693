"""Schemas of which no Python can be made, each with what is said of them.

A case is a folder under ``refused_python/``: schemas, the expected ``stderr.txt``, and
where others than ``schema.amp`` are named on the command line, ``args.txt``. Set
``AMPGEN_UPDATE_GOLDEN=1`` to write what is said now, and read the difference.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ampgen.pipeline import compile_schemas
from ampgen.targets.python import RULES
from tests.cases.golden import CASES, as_text, check, folders

REFUSED = folders("refused_python")


def codes(case: Path) -> list[str]:
    said = (case / "stderr.txt").read_text(encoding="utf-8")
    return re.findall(r"^\w+\[(AMP\d{4})\]", said, re.MULTILINE)


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_says_why_there_is_no_python_for_it(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    arguments = case / "args.txt"
    words = arguments.read_text().split() if arguments.exists() else ["schema.amp"]
    compiled = compile_schemas([Path(word) for word in words])
    assert compiled.files is None
    check(case / "stderr.txt", as_text(compiled.diagnostics))


def test_every_rule_has_a_case() -> None:
    told = {code for case in REFUSED for code in codes(case)}
    assert {rule.code for rule in RULES} <= told


def test_the_example_of_the_language_lacks_nothing() -> None:
    compiled = compile_schemas([CASES.parent / "language" / "everything.amp"])
    assert compiled.files is not None
