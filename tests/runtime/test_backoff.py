"""Delays that grow, and the budget of retries."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from ampgen.runtime import Reconnect, Retry
from ampgen.runtime.backoff import Backoff, Budget


def test_delays_grow_up_to_the_most() -> None:
    backoff = Backoff(first=0.5, most=3, factor=2, jitter=0)
    assert [backoff.delay(n) for n in range(5)] == [0.5, 1, 2, 3, 3]
    assert backoff.delay(100_000) == 3  # 2 ** 100000 is no float


def test_jitter_takes_away_a_random_part() -> None:
    backoff = Backoff(first=1, jitter=0.25)
    assert backoff.delay(0, lambda: 0.0) == 1
    assert backoff.delay(0, lambda: 1.0) == 0.75
    delays = {backoff.delay(1) for _ in range(20)}
    assert len(delays) > 1
    assert all(1.5 <= delay <= 2 for delay in delays)


@pytest.mark.parametrize("kind", [Backoff, Retry, Reconnect])
@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"first": 0}, ValueError, "first and most are seconds above zero, and finite"),
        ({"most": float("inf")}, ValueError, "above zero, and finite"),
        ({"first": 2, "most": 1}, ValueError, "most is 2 or more, not 1"),
        ({"first": float("nan")}, ValueError, "first is 0 or more, not nan"),
        ({"factor": 0.5}, ValueError, "factor is 1 or more, not 0.5"),
        ({"jitter": 1.5}, ValueError, "jitter is 0 to 1, not 1.5"),
        ({"jitter": "0.5"}, TypeError, "jitter is a number, not a str"),
        ({"first": True}, TypeError, "first is a number, not a bool"),
    ],
)
def test_numbers_that_make_no_delays_are_refused(
    kind: Any, options: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        kind(**options)


@pytest.mark.parametrize("name", ["times", "reserve", "share"])
def test_numbers_that_make_no_retries_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0 or more, not -1"):
        Retry(**{name: -1})


def test_how_to_reconnect_is_a_value() -> None:
    value = Reconnect(first=1, retry=Retry(times=7))
    assert pickle.loads(pickle.dumps(value)) == value
    assert value != Reconnect(first=1)


def test_a_budget_is_spent_and_earned() -> None:
    budget = Budget(Retry(reserve=2, share=0.5))
    assert [budget.take() for _ in range(3)] == [True, True, False]
    budget.answered()
    assert not budget.take()
    budget.answered()
    assert [budget.take(), budget.take()] == [True, False]
    for _ in range(100):
        budget.answered()
    assert [budget.take() for _ in range(3)] == [True, True, False]
