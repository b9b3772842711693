"""Schemas that analysis refuses, each with what it says of them.

A case is a folder under ``refused/``: schemas, the expected ``stderr.txt``, and where
more than ``schema.amp`` is named on the command line, ``args.txt``. Set
``AMPGEN_UPDATE_GOLDEN=1`` to write what is said now, and read the difference.
"""

from __future__ import annotations

import io
import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from ampgen.analysis import RULES, analyse
from ampgen.diagnostics.printers import print_diagnostics

REFUSED = Path(__file__).parent / "refused"
CASES = sorted(case.name for case in REFUSED.iterdir())


def arguments(case: Path) -> tuple[list[Path], list[Path]]:
    """The files and the ``-I`` folders of a case."""
    written = case / "args.txt"
    words = written.read_text().split() if written.exists() else []
    include = [Path(b) for a, b in pairwise(words) if a == "-I"]
    files = [Path(word) for word in words if word.endswith(".amp")]
    return files or [Path("schema.amp")], include


@pytest.mark.parametrize("name", CASES)
def test_says_what_is_wrong_where_and_how_to_mend_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = REFUSED / name
    monkeypatch.chdir(case)
    schema, diagnostics = analyse(*arguments(case))
    assert schema is None
    stream = io.StringIO()
    print_diagnostics(diagnostics, stream, "text", False)
    golden = case / "stderr.txt"
    if os.environ.get("AMPGEN_UPDATE_GOLDEN"):
        golden.write_text(stream.getvalue(), encoding="utf-8")
    assert stream.getvalue() == golden.read_text(encoding="utf-8")


def test_every_rule_has_a_case() -> None:
    said = "".join(
        (REFUSED / name / "stderr.txt").read_text(encoding="utf-8") for name in CASES
    )
    seen = set(re.findall(r"^(?:error|warning)\[(AMP\d{4})\]", said, re.MULTILINE))
    assert {rule.code for rule in RULES} - seen == set()


def test_codes_are_unique_and_explained() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert "\n\n" in rule.explanation, rule.code
        assert rule.explanation[0] not in " \n", rule.code
        assert "\n\n\n" not in rule.explanation, rule.code
