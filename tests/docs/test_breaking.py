"""The table of `docs/breaking.md` is what the rules say of the fixtures."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from ampgen.compat import RULES
from tests.cases.golden import folders

PAGE = Path(__file__).parents[2] / "docs" / "breaking.md"

# Where the roles are swapped, and what Twisted makes of items: in words.
TOLD_BELOW = ("called_back", "item_of_stream")

_VERDICT = re.compile(r"^twisted (AMP\d+) (\w) (\w) (\w) (\w)$", re.MULTILINE)


def letters(order: str, found: set[str]) -> str:
    return " / ".join(sorted(found, key=order.index))


def test_the_table_has_every_rule_with_all_that_its_cases_come_to() -> None:
    found: dict[str, list[set[str]]] = defaultdict(lambda: [set(), set(), set(), set()])
    for case in folders("breaking"):
        if case.name.startswith(TOLD_BELOW):
            continue
        text = (case / "expected.txt").read_text(encoding="utf-8")
        for code, *verdict in _VERDICT.findall(text):
            for column, letter in zip(found[code], verdict, strict=True):
                column.add(letter)
    rows = [
        f"| {rule.code} | {rule.title} | "
        + " | ".join(
            letters(order, column)
            for order, column in zip(
                ("SDEKX", "SDEKX", "SwTB", "SwTB"), found[rule.code], strict=True
            )
        )
        + " |"
        for rule in RULES
    ]
    table = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| AMP1")
    ]
    assert table == rows
