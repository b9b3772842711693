from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ampgen.language.rules import NESTED_TOO_DEEP, RULES
from tests.language.reading import codes

if TYPE_CHECKING:
    from ampgen.diagnostics import Rule


def test_codes_are_unique_and_of_this_stage() -> None:
    listed = [rule.code for rule in RULES]
    assert listed == sorted(set(listed))
    assert all(re.fullmatch(r"AMP01\d\d", code) for code in listed)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_example_breaks_the_rule_and_the_mended_one_does_not(rule: Rule) -> None:
    broken, mended = rule.explanation.split("\nMended:")
    if rule is NESTED_TOO_DEEP:  # its example is too long to be written out
        assert codes("type Deep = " + "[" * 65 + "int" + "]" * 65 + ";") == [rule.code]
        return
    assert set(codes(_example(broken))) == {rule.code}
    assert codes(_example(mended)) == []


def _example(text: str) -> str:
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    assert lines
    return "\n".join(lines)
