from __future__ import annotations

import pytest

from ampgen.diagnostics.suggest import did_you_mean

KNOWN = ["Point", "Area", "str", "int", "struct", "user_id", "id", "Repeat"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Piont", "Point"),
        ("Pont", "Point"),
        ("Pointt", "Point"),
        ("Paint", "Point"),
        ("point", "Point"),
        ("stuct", "struct"),
        ("UserId", "user_id"),
        ("ID", "id"),
        ("Repaet", "Repeat"),
    ],
)
def test_one_slip_is_forgiven(name: str, meant: str) -> None:
    assert did_you_mean(name, KNOWN) == meant


@pytest.mark.parametrize(
    "name", ["a", "it", "in", "", "_", "Vector", "strings", "Points_of_interest", "ix"]
)
def test_what_is_not_near_is_not_suggested(name: str) -> None:
    assert did_you_mean(name, KNOWN) is None


def test_a_name_is_no_suggestion_for_itself() -> None:
    assert did_you_mean("Point", ["Point"]) is None


def test_equal_but_for_case_wins_over_a_nearer_spelling() -> None:
    assert did_you_mean("LOUDS", ["LOUD", "louds"]) == "louds"


def test_the_first_of_equally_near_names_wins() -> None:
    assert did_you_mean("cart", ["card", "care"]) == "card"


def test_a_very_long_name_is_not_compared() -> None:
    assert did_you_mean("x" * 10_000, ["x" * 9_999]) is None
