"""The arithmetic of the benchmarks, and how their report is laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import targets
from benchmarks.figures import Rounds, Spread, percentiles, ratio, spread
from benchmarks.plan import Plan
from benchmarks.tables import Table, number, times

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        ([], None),
        ([None], None),
        ([3.0], Spread(3.0, 3.0, 3.0)),
        ([5.0, None, 1.0, 3.0], Spread(3.0, 1.0, 5.0)),
    ],
)
def test_a_spread_is_of_the_rounds_that_gave_a_figure(
    rounds: Rounds, expected: Spread | None
) -> None:
    assert spread(rounds) == expected


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians() -> None:
    slow_round_last = [10.0, 12.0, 1.0], [5.0, 4.0, 0.5]
    assert ratio(*slow_round_last) == Spread(2.0, 2.0, 3.0)
    assert ratio([10.0, 9.0, None], [None, 3.0, 1.0]) == Spread(3.0, 3.0, 3.0)
    assert ratio([1.0], [None]) is None


def test_a_percentile_is_a_figure_that_was_measured() -> None:
    assert percentiles([float(n) for n in range(1, 1001)]) == {
        "p50": 500.0,
        "p99": 990.0,
        "p99.9": 999.0,
    }
    assert set(percentiles([7.0]).values()) == {7.0}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.01234, "0.0123"), (9.876, "9.88"), (188_432.0, "188,000"), (1000.0, "1,000")],
)
def test_a_number_has_three_digits_that_count(value: float, expected: str) -> None:
    assert number(value) == expected


def test_a_table_is_markdown_with_columns_that_line_up() -> None:
    table = Table("Title", ("", "seq"), [("ampgen", "9"), ("a", "10")], ("A note.",))
    assert str(table) == (
        "### Title\n\n"
        "|        | seq |\n| ------ | --- |\n| ampgen | 9   |\n| a      | 10  |\n\n"
        "A note."
    )
    assert times(Spread(2.0, 1.5, 2.25)) == "2.00 (1.50–2.25)"


def test_a_target_is_judged_by_the_median() -> None:
    seq = {"ampgen": [1.8, 1.9, 3.0], "Twisted AMP": [1.0, 1.0, 1.0]}
    assert targets.table({"seq": seq}).rows == [
        ("seq, Twisted AMP", "1.90 (1.80–3.00)", "1.7 reached", "2 **missed**")
    ]


def test_every_peer_comes_first_in_some_round(tmp_path: Path) -> None:
    plan = Plan(
        rounds=3, seconds=1, peers=(), workloads=(), quick=False, scratch=tmp_path
    )
    assert [plan.rotated(("a", "b", "c"), turn) for turn in range(3)] == [
        ("a", "b", "c"),
        ("b", "c", "a"),
        ("c", "a", "b"),
    ]
    assert plan.rotated((), 1) == ()
