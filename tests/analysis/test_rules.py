"""The explanations of the rules: their examples do break them, and are mended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ampgen.analysis import RULES, StandardInput, analyse

if TYPE_CHECKING:
    from ampgen.diagnostics import Rule


def examples(rule: Rule) -> list[str]:
    """The indented blocks of an explanation, each as a whole schema."""
    blocks = re.findall(r"(?:^(?: {4}.*)\n)+", rule.explanation, re.MULTILINE)
    return [_whole(block) for block in blocks]


def _whole(block: str) -> str:
    is_command = re.match(r"\s*((@\w+(\(.*?\))?|oneway) )*command ", block)
    return f"service Example {{\n{block}}}\n" if is_command else block


# An example of several files, or of a command line, is a golden case instead.
SCHEMAS = [
    rule
    for rule in RULES
    if examples(rule)
    and not re.search(r"import |ampgen |// \w+\.amp|…", "".join(examples(rule)[:1]))
]


def codes(schema: str) -> set[str]:
    _, diagnostics = analyse([StandardInput("example.amp", schema.encode())])
    assert not any(found.rule.code.startswith("AMP01") for found in diagnostics), schema
    return {found.rule.code for found in diagnostics}


def test_codes_are_unique_and_of_this_stage() -> None:
    listed = [rule.code for rule in RULES]
    assert listed == sorted(set(listed))
    assert all(re.fullmatch(r"AMP0[2-5]\d\d", code) for code in listed)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_an_explanation_is_prose_and_an_example(rule: Rule) -> None:
    assert rule.explanation[0].isprintable()
    assert not rule.explanation.startswith(" ")
    assert examples(rule)
    assert "\n\n\n" not in rule.explanation


@pytest.mark.parametrize("rule", SCHEMAS, ids=lambda rule: rule.code)
def test_the_example_breaks_the_rule(rule: Rule) -> None:
    assert rule.code in codes(examples(rule)[0])


@pytest.mark.parametrize("rule", SCHEMAS, ids=lambda rule: rule.code)
def test_the_mended_example_does_not(rule: Rule) -> None:
    for mended in examples(rule)[1:]:
        assert rule.code not in codes(mended)


def test_nearly_every_rule_has_such_an_example() -> None:
    assert len(SCHEMAS) > 35
