"""Schemas that analysis refuses, each with what it says of them.

A case is a folder under ``refused/``: schemas, the expected ``stderr.txt``, and where
more than ``schema.amp`` is named on the command line, ``args.txt``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from ampgen.analysis import RULES, analyse
from tests.cases.golden import as_text, check, folders

REFUSED = folders("refused")


def arguments(case: Path) -> tuple[list[Path], list[Path]]:
    """The files and the ``-I`` folders of a case."""
    written = case / "args.txt"
    words = written.read_text("utf-8").split() if written.exists() else []
    include = [Path(folder) for flag, folder in pairwise(words) if flag == "-I"]
    files = [Path(word) for word in words if word.endswith(".amp")]
    return files or [Path("schema.amp")], include


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_refused_schema_is_told_what_where_and_how_to_mend_it(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    _, diagnostics = analyse(*arguments(case))
    assert any(diagnostic.is_error for diagnostic in diagnostics)
    check(case / "stderr.txt", as_text(diagnostics))


def test_every_rule_of_analysis_has_a_case() -> None:
    said = "".join((case / "stderr.txt").read_text("utf-8") for case in REFUSED)
    assert {rule.code for rule in RULES} <= set(re.findall(r"\[(AMP\d+)\]", said))
